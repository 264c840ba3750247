"""A migration beside programs that work: it never makes them wait for long, and comes through in the end."""

import asyncio
import logging
from pathlib import Path
from shutil import copy

import asyncpg
import pytest

from infra.migrations import MIGRATIONS_DIR, MigrationError, migrate


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """All migrations there are, and one more that has to have a table for itself."""
    for file in MIGRATIONS_DIR.glob("*.sql"):
        copy(file, tmp_path)
    later = "-- migrate:up\nALTER TABLE alerts ADD COLUMN later integer;\n\n-- migrate:down\n"
    (tmp_path / "20990101000001_later.sql").write_text(later)
    return tmp_path


async def waits_for_a_lock(pool: asyncpg.Pool, writing: "asyncio.Task[str]") -> bool:
    """Whether what is being written has to wait, as soon as that is to be seen."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        " AND query LIKE 'UPDATE alerts%'"
    )
    while not writing.done():
        if await pool.fetchval(waiting):
            return True
    return False


async def test_writers_pass_a_migration_that_waits_for_a_reader(
    pool: asyncpg.Pool, fresh_database_url: str, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with pool.acquire() as reader:
        reading = reader.transaction()
        await reading.start()
        await reader.execute("SELECT FROM alerts")
        migrating = asyncio.create_task(
            asyncio.to_thread(migrate, fresh_database_url, directory=directory, lock_timeout_ms=300)
        )
        stood_behind = False
        async with asyncio.timeout(60):
            while not stood_behind or "A table is in use" not in caplog.text:
                writing = asyncio.create_task(pool.execute("UPDATE alerts SET message = '' WHERE id = 0"))
                stood_behind |= await waits_for_a_lock(pool, writing)
                # Though the reader goes on, and the migration waits for it.
                await writing
        assert not migrating.done()
        await reading.rollback()
    async with asyncio.timeout(30):
        await migrating
    assert "A table is in use" in caplog.text
    assert await pool.fetch("SELECT later FROM alerts") == []


async def test_a_table_that_is_never_free_ends_it_and_the_next_start_goes_on(
    pool: asyncpg.Pool, fresh_database_url: str, directory: Path
) -> None:
    (directory / "20990101000000_before.sql").write_text("-- migrate:up\nCREATE TABLE befores ();\n\n-- migrate:down\n")
    async with pool.acquire() as reader, reader.transaction():
        await reader.execute("SELECT FROM alerts")
        with pytest.raises(MigrationError, match="in use for too long"):
            await asyncio.to_thread(
                migrate, fresh_database_url, directory=directory, lock_timeout_ms=100, give_up_seconds=0.5
            )
        assert await pool.fetch("SELECT FROM befores") == [], "what was done stays done"
    await asyncio.to_thread(migrate, fresh_database_url, directory=directory)
    assert await pool.fetch("SELECT later FROM alerts") == []


async def test_a_wrong_statement_is_no_reason_to_try_again(
    fresh_database_url: str, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (directory / "20990101000002_wrong.sql").write_text("-- migrate:up\nSELECT wrong;\n\n-- migrate:down\n")
    with pytest.raises(MigrationError, match="wrong"):
        await asyncio.to_thread(migrate, fresh_database_url, directory=directory)
    assert "A table is in use" not in caplog.text
