"""The actor of the self-check: one run at a time, kept, and loud once when something appears."""

import dataclasses
import logging
from collections.abc import AsyncIterator

import asyncpg
import pytest

from domain import self_check
from domain.payment_status import NewsStatus as N
from domain.self_check import Depth
from infra import queries
from infra.settings import Settings
from tasks.runtime import Parts, close_parts, open_parts
from tasks.self_check import _LOCK, check_self
from tasks.sweeps import ask_for_self_checks
from tests.builders import BOX, hear, make_streamer, open_donation


@pytest.fixture
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    parts = dataclasses.replace(await open_parts(settings, pool_size=3), box=BOX)
    yield parts
    await close_parts(parts)


async def ask(parts: Parts, depth: Depth = Depth.FULL) -> int:
    async with parts.pool.acquire() as connection:
        streamer_id = await connection.fetchval("SELECT min(id) FROM users")
        run_id = await self_check.ask_for_run(connection, depth, streamer_id)
        await connection.execute("DELETE FROM outbox")
    return run_id


async def pay(pool: asyncpg.Pool) -> int:
    """A paid donation; its id."""
    async with pool.acquire() as connection:
        donation, payment = await open_donation(connection, await make_streamer(connection))
        await hear(connection, payment, N.CONFIRMED)
        await connection.execute("DELETE FROM outbox")
        await connection.execute("INSERT INTO relays (id, listening, dead_letters) VALUES (gen_random_uuid(), true, 0)")
    return donation.id


async def test_what_appears_is_said_loudly_once(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    donation_id = await pay(parts.pool)
    with caplog.at_level(logging.INFO, logger="tasks.self_check"):
        await check_self(parts, await ask(parts))
        assert caplog.records == []
        await parts.pool.execute("DELETE FROM alerts")
        await check_self(parts, await ask(parts, Depth.RECENT))
        [record] = caplog.records
        assert record.levelno == logging.ERROR
        assert "A paid donation has no alert." in record.getMessage()
        assert f"donation {donation_id}" in record.getMessage()
        await check_self(parts, await ask(parts))
        assert len(caplog.records) == 1
        await parts.pool.execute("UPDATE relays SET dead_letters = 3")
        await check_self(parts, await ask(parts))
        assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
        await parts.pool.execute("UPDATE relays SET dead_letters = 0")
        await check_self(parts, await ask(parts))
        assert "over" in caplog.records[-1].getMessage()


async def test_a_run_twice_is_one_run(parts: Parts) -> None:
    await pay(parts.pool)
    run_id = await ask(parts)
    await check_self(parts, run_id)
    finished = await parts.pool.fetchval("SELECT finished_at FROM self_checks")
    assert finished is not None
    await check_self(parts, run_id)
    await check_self(parts, run_id + 1)
    assert await parts.pool.fetchval("SELECT finished_at FROM self_checks") == finished


async def test_who_finds_another_at_it_comes_back_later(parts: Parts) -> None:
    await pay(parts.pool)
    run_id = await ask(parts)
    async with parts.pool.acquire() as other:
        assert await queries.self_check_runs.try_hold_runs(other, lock=_LOCK)
        await check_self(parts, run_id)
        row = await other.fetchrow("SELECT name, data, available_at > now() AS is_later FROM outbox")
        assert row is not None
        assert (row["name"], row["data"], row["is_later"]) == ("self_check", {"argument": run_id}, True)
        assert await other.fetchval("SELECT started_at FROM self_checks") is None
        await other.execute("SELECT pg_advisory_unlock($1)", _LOCK)
    await check_self(parts, run_id)
    assert await parts.pool.fetchval("SELECT finished_at IS NOT NULL FROM self_checks")


async def test_two_relays_ask_once(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as one, pool.acquire() as other:
        async with one.transaction():
            assert await ask_for_self_checks(one) == 2
            async with other.transaction():
                assert await ask_for_self_checks(other) == 0
        async with other.transaction():
            assert await ask_for_self_checks(other) == 0
