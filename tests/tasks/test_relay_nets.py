"""The relay's other loops may fail without stopping it, and share what they open."""

import asyncio
import contextlib
from typing import Any

import asyncpg
import pytest
from cryptography.fernet import Fernet

from infra.settings import Settings
from tasks.relay import Relay


@pytest.fixture
def relay(fresh_database_url: str) -> Relay:
    settings = Settings(
        database_url=fresh_database_url,
        redis_url="redis://127.0.0.1:1/0",
        secret_keys=Fernet.generate_key().decode(),
        web_url="http://127.0.0.1:1",
        realtime_url="http://127.0.0.1:1",
    )
    return Relay(settings, asyncio.Event())


async def test_the_loops_share_one_pool(relay: Relay) -> None:
    pools = await asyncio.gather(*(relay._open_pool() for _ in range(3)))
    assert len({id(pool) for pool in pools}) == 1
    await pools[0].close()


async def test_a_sweep_that_fails_comes_again(relay: Relay) -> None:
    looks = 0
    seen_twice = asyncio.Event()

    async def ask(connection: asyncpg.Connection) -> int:
        nonlocal looks
        looks += 1
        if looks == 1:
            await connection.execute("SET LOCAL statement_timeout = 50")
            await connection.execute("SELECT pg_sleep(5)")
        seen_twice.set()
        return 0

    task: asyncio.Task[Any] = asyncio.create_task(relay._repeat(0.05, ask))
    try:
        await asyncio.wait_for(seen_twice.wait(), 20)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await (await relay._open_pool()).close()
