"""The embedded servers: started, stopped, killed and found again."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import redis

from infra.embedded import (
    EmbeddedError,
    FolderLock,
    accepts_connections,
    free_port,
    server_user,
    servers_dir,
    write_private,
)
from infra.embedded_postgres import EmbeddedPostgres
from infra.embedded_rabbitmq import EmbeddedRabbitMQ
from infra.embedded_valkey import EmbeddedValkey
from infra.settings import ROOT

# Starts a PostgreSQL in the folder named by its argument, says where, and waits to be killed.
STARTER = """
import sys, time
from pathlib import Path
from infra.embedded_postgres import EmbeddedPostgres
print(EmbeddedPostgres(Path(sys.argv[1]), fsync=False).start(), flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the servers' user can reach; pytest's own are closed to it when we are root."""
    with tempfile.TemporaryDirectory(prefix="streamcash-tests-", ignore_cleanup_errors=True) as name:
        yield servers_dir(Path(name))


async def number_of_notes(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        count: int = await connection.fetchval("SELECT count(*) FROM notes")
        return count
    finally:
        await connection.close()


async def test_postgres_keeps_what_was_committed_through_a_crash(folder: Path) -> None:
    postgres = EmbeddedPostgres(folder / "postgres")
    url = postgres.start()
    try:
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE notes (id int); INSERT INTO notes VALUES (1)")
        assert await connection.fetchval("SHOW data_checksums") == "on"
        assert await connection.fetchval("SHOW listen_addresses") == "127.0.0.1"
        assert await connection.fetchval("SELECT datcollversion FROM pg_database LIMIT 1") == "1"
        connection.terminate()

        postgres.kill()
        assert not accepts_connections(postgres.port)
        assert postgres.start() == url, "the address stays"
        assert await number_of_notes(url) == 1
        postgres.restart()
        assert await number_of_notes(url) == 1
    finally:
        postgres.stop()
    assert not accepts_connections(postgres.port)


async def test_postgres_wants_its_password(folder: Path) -> None:
    postgres = EmbeddedPostgres(folder / "postgres", fsync=False)
    url = postgres.start()
    try:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(url.replace("streamcash:", "streamcash:not-", 1))
    finally:
        postgres.stop()


async def test_a_folder_serves_one_start_at_a_time(folder: Path) -> None:
    postgres = EmbeddedPostgres(folder / "postgres", fsync=False)
    postgres.start()
    try:
        with pytest.raises(EmbeddedError, match="in use by another start"):
            EmbeddedPostgres(folder / "postgres", fsync=False).start()
        assert accepts_connections(postgres.port), "the first one does not mind"
    finally:
        postgres.stop()


async def test_after_its_starter_was_killed_the_folder_can_be_used_again(folder: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, folder / "postgres"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    orphan_url = starter.stdout.readline().strip()
    assert orphan_url.startswith("postgresql://")
    starter.kill()
    starter.wait()
    starter.stdout.close()

    postgres = EmbeddedPostgres(folder / "postgres", fsync=False)
    postgres.start()
    try:
        with pytest.raises(ConnectionRefusedError):
            await asyncpg.connect(orphan_url)
    finally:
        postgres.stop()


def test_valkey_forgets_everything_and_wants_its_password(folder: Path) -> None:
    valkey = EmbeddedValkey(folder / "valkey")
    url = valkey.start()
    try:
        with redis.Redis.from_url(url) as client:
            client.set("key", "value")
        valkey.restart()
        with redis.Redis.from_url(url) as client:
            assert client.get("key") is None
        with redis.Redis(port=valkey.port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    finally:
        valkey.stop()
    assert not accepts_connections(valkey.port)


def test_rabbitmq_takes_its_epmd_along(folder: Path) -> None:
    rabbitmq = EmbeddedRabbitMQ(folder / "rabbitmq")
    rabbitmq.start()
    try:
        assert accepts_connections(rabbitmq.epmd_port)
    finally:
        rabbitmq.stop()
    assert not accepts_connections(rabbitmq.port)
    assert not accepts_connections(rabbitmq.epmd_port)


def test_as_root_the_servers_run_as_somebody_else(folder: Path) -> None:
    user = server_user()
    if os.geteuid() != 0:
        assert user is None
        return
    assert user is not None
    assert user.uid != 0
    valkey = EmbeddedValkey(folder / "valkey")
    valkey.start()
    try:
        pid = int((folder / "valkey" / "valkey.pid").read_text())
        assert Path(f"/proc/{pid}").stat().st_uid == user.uid
        assert (folder / "valkey").stat().st_mode & 0o777 == 0o700
    finally:
        valkey.stop()


def test_a_closed_folder_above_data_dir_is_not_opened(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = servers_dir(closed / "data")
    assert closed.stat().st_mode & 0o777 == 0o700
    if os.geteuid() == 0:
        assert home == (closed / "data" / "servers").resolve()
        assert servers_dir(closed / "data") == home, "the second start finds the same"
        home.rmdir()
    else:
        assert home == closed / "data"


def test_no_two_get_the_same_port() -> None:
    """Who asks for several uses none of them yet."""
    ports = [free_port() for _ in range(1_000)]
    assert len(set(ports)) == len(ports)


def test_secrets_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", "first")
    write_private(tmp_path / "secret", "second")
    assert (tmp_path / "secret").read_text() == "second"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_lock_says_who_holds_it(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    first.take()
    with pytest.raises(EmbeddedError, match=f"process {os.getpid()}"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    first = EmbeddedValkey(folder / "first", port=free_port())
    first.start()
    try:
        with pytest.raises(EmbeddedError, match="Address already in use"):
            EmbeddedValkey(folder / "second", port=first.port).start()
    finally:
        first.stop()


def test_ctrl_c_does_not_reach_the_servers(folder: Path) -> None:
    """They have sessions of their own, and stop after the programs that use them."""
    valkey = EmbeddedValkey(folder / "valkey")
    valkey.start()
    try:
        pid = int((folder / "valkey" / "valkey.pid").read_text())
        assert os.getpgid(pid) != os.getpgid(0)
        assert os.getsid(pid) != os.getsid(0)
    finally:
        valkey.stop()
