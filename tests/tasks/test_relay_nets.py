"""The relay's other loops may fail without stopping it, and share what they open."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from cryptography.fernet import Fernet

from domain import outbox
from domain.events import Actor
from infra.broker import EventMessage, TaskMessage
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


async def take_too_long(connection: asyncpg.Connection) -> None:
    await connection.execute("SET LOCAL statement_timeout = 50")
    await connection.execute("SELECT pg_sleep(5)")


async def have_a_bug(_connection: asyncpg.Connection) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("fail", [take_too_long, have_a_bug])
async def test_a_sweep_that_fails_comes_again(
    relay: Relay, fail: Callable[[asyncpg.Connection], Awaitable[None]]
) -> None:
    looks = 0
    seen_twice = asyncio.Event()

    async def ask(connection: asyncpg.Connection) -> int:
        nonlocal looks
        looks += 1
        if looks == 1:
            await fail(connection)
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


class ChokesOnTwo:
    """A broker's end that fails at one message as nobody foresaw."""

    def __init__(self) -> None:
        self.sent: list[int] = []

    async def send_task(self, message: TaskMessage) -> None:
        if message.argument == 2:
            raise KeyError("nobody foresaw this")
        self.sent.append(message.argument)

    async def send_event(self, message: EventMessage, /) -> None:
        raise AssertionError(message)

    async def count_dead_letters(self) -> dict[str, int]:
        return {}

    async def close(self) -> None:
        pass


async def test_a_row_that_fails_as_nobody_foresaw_blocks_nothing(relay: Relay) -> None:
    pool, publisher = await relay._open_pool(), ChokesOnTwo()
    for argument in (1, 2, 3):
        await outbox.add_task(pool, Actor.UPDATE_TOTALS, argument)
    with pytest.raises(KeyError):
        await relay._publish_batch(publisher)
    assert await relay._publish_batch(publisher) is False
    assert publisher.sent == [1, 3]
    (row,) = await pool.fetch("SELECT data, tries, last_error, available_at > now() AS later FROM outbox")
    assert (row["data"], row["tries"], row["later"]) == ({"argument": 2}, 1, True)
    assert "nobody foresaw this" in row["last_error"]
    await pool.close()
