"""A process of its own for strangers' files: what is in it cannot reach what is ours."""

import json
import signal
import socket
import sys
from pathlib import Path

import pytest

from infra import apart
from infra.apart import Done, run_apart
from infra.landlock import landlock_version


@pytest.mark.skipif(landlock_version() < 6, reason="this kernel has no Landlock, or an old one")
async def test_one_that_is_taken_over_finds_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "environment.json"
    secret.write_text("SECRET_KEYS")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        done = await run_apart("tests.support.nosy", str(secret), port, given=b"", seconds=20)
    assert done.code == 0
    reached = json.loads(done.output)
    assert reached.pop("a library"), "else nothing could be decoded"
    assert [what for what, is_reached in reached.items() if is_reached] == []


async def test_one_that_writes_without_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "MOST_OUTPUT_BYTES", 1024**2)
    done = await run_apart("tests.support.wordy", str(16 * 1024**2), given=b"y" * 4 * 1024**2, seconds=20)
    assert done == Done(-signal.SIGKILL, b"")


async def test_what_it_may_write_is_kept_though_it_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "MOST_OUTPUT_BYTES", 1024**2)
    done = await run_apart("tests.support.wordy", str(1024**2), given=b"y" * 4 * 1024**2, seconds=20)
    assert (done.code, len(done.output)) == (0, 1024**2)


async def test_one_that_takes_too_long_is_ended() -> None:
    # It never ends: nobody reads what it writes after the time is over.
    with pytest.raises(TimeoutError):
        await run_apart("tests.support.wordy", str(1024**4), given=b"", seconds=0.0)


def test_other_systems_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of Landlock's first call is `change_fdguard_np` on macOS."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert landlock_version() == 0
