"""The tools of the tests, where a fault would make other tests lie."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from playwright.async_api import Page

from domain.payment_status import NewsStatus
from infra.database import DATABASE_AWAY, open_pool
from infra.settings import ROOT
from tests.builders import hear, make_streamer, open_donation
from tests.support import programs
from tests.support.databases import Databases
from tests.support.install import missing_packages
from tests.support.leftovers import MARK
from tests.support.programs import ProgramProcess
from tests.support.servers import Servers

LEAVES_ONE_BEHIND = """
import subprocess, sys

def test_leaves_one_behind():
    # Through a shell that ends at once: nobody's child any more.
    subprocess.run(["sh", "-c", "sleep 47 >/dev/null 2>&1 &"], check=True)
"""


LEAVES_A_PROGRAM_BEHIND = """
from tests.support.programs import ProgramProcess

def test_leaves_a_program_behind(tmp_path):
    ProgramProcess("p", ["-m", "http.server", "0"], {}, log_dir=tmp_path, ready_text="Serving").start()
"""


def run_pytest(file: Path) -> subprocess.CompletedProcess[str]:
    options = ["-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(file.parent), "-q"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(file)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_a_process_left_behind_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_leaves.py").write_text(LEAVES_ONE_BEHIND)
    run = run_pytest(tmp_path / "test_leaves.py")
    assert "1 passed" in run.stdout, run.stdout + run.stderr
    assert "left behind" in run.stdout
    assert "sleep 47" in run.stdout
    assert run.returncode == pytest.ExitCode.TESTS_FAILED


def test_a_program_left_behind_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_leaves.py").write_text(LEAVES_A_PROGRAM_BEHIND)
    run = run_pytest(tmp_path / "test_leaves.py")
    assert "1 passed" in run.stdout, run.stdout + run.stderr
    assert re.search(r"left behind: process \d+: .*http.server 0", run.stdout), run.stdout
    assert run.returncode == pytest.ExitCode.TESTS_FAILED


def test_a_tidy_run_passes(tmp_path: Path) -> None:
    (tmp_path / "test_tidy.py").write_text("def test_tidy():\n    pass\n")
    run = run_pytest(tmp_path / "test_tidy.py")
    assert run.returncode == pytest.ExitCode.OK, run.stdout + run.stderr


def test_nothing_is_missing_when_tests_run() -> None:
    assert missing_packages() == []


def test_a_program_is_started_killed_and_started_again(tmp_path: Path) -> None:
    code = f"import os, time; print('ready', os.environ['WHO'], '{MARK}' in os.environ); time.sleep(60)"
    with ProgramProcess("p", ["-c", code], {"WHO": "me"}, log_dir=tmp_path, ready_text="ready") as program:
        first = program.pid
        program.kill()
        assert not program.running
        program.start()
        assert program.pid != first
        assert program.log.splitlines() == ["ready me True"] * 2
        assert program.terminate() != 0, "Python without a handler dies of SIGTERM"


@pytest.mark.timeout(60)
def test_a_program_is_killed_however_little_it_has_begun(tmp_path: Path) -> None:
    program = ProgramProcess("p", ["-m", "http.server", "0"], {}, log_dir=tmp_path)
    for _ in range(20):
        program.start(wait=False)
        program.kill()
        assert not program.running


@pytest.mark.parametrize("signal_sent", [signal.SIGTERM, signal.SIGKILL])
def test_a_program_that_starts_warm_finds_what_one_that_starts_cold_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signal_sent: signal.Signals
) -> None:
    monkeypatch.setenv("OF_THE_TESTS", "stays here")
    found = []
    for starter in (programs._warm, None):
        monkeypatch.setattr(programs, "_warm", starter)
        name = "cold" if starter is None else "warm"
        arguments = ["-m", "tests.support.probe", "a", "--b"]
        with ProgramProcess(name, arguments, {"WHO": "me"}, log_dir=tmp_path, ready_text="END") as probe:
            facts = json.loads(probe.log.partition("FACTS ")[2].partition(" END")[0])
            # A path when started cold, a name when started warm; nobody looks at it.
            facts["arguments"].pop(0)
            # Python itself adds this where no language is set.
            facts["environment"].pop("LC_CTYPE", None)
            status = None
            if signal_sent is signal.SIGTERM:
                status = probe.terminate()
            else:
                probe.kill()
            found.append((facts, status, "good-bye" in probe.log, probe.running))
    assert found[0] == found[1]
    assert found[0][0]["leads its session"]
    assert "OF_THE_TESTS" not in found[0][0]["environment"]


def test_a_program_that_dies_at_start_fails_with_its_log(tmp_path: Path) -> None:
    program = ProgramProcess("p", ["-c", "print(1/0)"], {}, log_dir=tmp_path, ready_text="never")
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        program.start()


async def test_each_test_has_an_empty_migrated_database(pool: asyncpg.Pool) -> None:
    assert await pool.fetchval("SELECT count(*) FROM schema_migrations") > 0
    assert await pool.fetchval("SELECT count(*) FROM streamers") == 0


async def test_a_database_that_was_used_is_as_good_as_new(services: Servers) -> None:
    databases = Databases()
    name = await databases.take(services.postgres)
    url = services.postgres.url(name)
    pool = await open_pool(url, size=2, program="tests")
    async with pool.acquire() as connection, connection.transaction():
        first = await make_streamer(connection)
        _, payment = await open_donation(connection, first)
        await hear(connection, payment, NewsStatus.CONFIRMED)
        assert await connection.fetchval("SELECT count(*) FROM ledger_entries") > 0
    left = await pool.acquire()
    await left.execute("BEGIN")
    await left.execute("SELECT * FROM streamers FOR UPDATE")

    await databases.give_back(services.postgres, name)
    with pytest.raises(DATABASE_AWAY):
        await left.execute("SELECT 1")
    pool.terminate()

    assert await databases.take(services.postgres) == name
    async with await open_pool(url, size=1, program="tests") as pool:
        tables = await pool.fetch("SELECT relname FROM pg_stat_user_tables WHERE relname <> 'schema_migrations'")
        assert len(tables) > 50
        for table in tables:
            assert await pool.fetchval(f"SELECT count(*) FROM {table['relname']}") == 0, table["relname"]
        assert await pool.fetchval("SELECT count(*) FROM schema_migrations") > 0
        assert await pool.fetchval("SELECT count(*) FROM pg_sequences WHERE last_value IS NOT NULL") == 0
        assert (await make_streamer(pool)).id == first.id
    await services.postgres.drop_database(name)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE left_behind (id int)",
        "ALTER TABLE streamers ADD COLUMN left_behind int",
        "ALTER TABLE ledger_entries DISABLE TRIGGER ALL",
        "DROP INDEX donations_paid",
        "CREATE FUNCTION left_behind() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)",
        # Much, and gone again: dead rows stay.
        """
        SET session_replication_role = replica;
        INSERT INTO slugs (slug, streamer_id) SELECT 'slug-' || n, n FROM generate_series(1, 60000) AS n;
        DELETE FROM slugs
        """,
    ],
)
async def test_a_database_that_cannot_be_made_as_new_is_not_used_again(services: Servers, change: str) -> None:
    databases = Databases()
    name = await databases.take(services.postgres)
    connection = await asyncpg.connect(services.postgres.url(name))
    await connection.execute(change)
    await connection.close()
    assert not await databases.renew(services.postgres, name)
    await services.postgres.drop_database(name)


async def test_work_on_the_connection_is_undone_first(connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE TABLE undone (id int)")


async def test_work_on_the_connection_is_undone_second(connection: asyncpg.Connection) -> None:
    assert await connection.fetchval("SELECT to_regclass('undone')") is None


async def test_what_a_test_stops_runs_again_for_the_next_first(services: Servers) -> None:
    services.postgres.kill()
    services.valkey.stop()


async def test_what_a_test_stops_runs_again_for_the_next_second(connection: asyncpg.Connection, redis_url: str) -> None:
    assert await connection.fetchval("SELECT 1") == 1
    assert redis_url.startswith("redis://")


async def test_the_browser_runs_modern_scripts(page: Page) -> None:
    await page.set_content("<p id=p></p><script>p.textContent = [1, 2, 3].at(-1)</script>")
    assert await page.text_content("#p") == "3"
