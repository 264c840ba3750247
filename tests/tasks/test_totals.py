"""Totals follow the ledger; who is told of it."""

from collections.abc import AsyncGenerator

from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.payment_status import NewsStatus as N
from domain.totals import read_totals
from infra.redis import listen
from tasks.totals import update_totals
from tests.builders import check_books, hear, open_donation
from tests.tasks.conftest import World


async def next_wake(wakes: AsyncGenerator[bytes | None, None]) -> Wake | None:
    heard = await anext(wakes)
    assert heard is not None, "the subscription was not lost"
    return Wake.decode(heard)


async def test_totals_behind_the_ledger_are_counted_and_dashboards_told(world: World) -> None:
    streamer = world.streamer
    async with world.parts.pool.acquire() as connection, connection.transaction():
        _, payment = await open_donation(connection, streamer)
        await hear(connection, payment, N.CONFIRMED)
        right = await read_totals(connection, streamer.id)
        await connection.execute("UPDATE streamer_totals SET net_minor = 1, ledger_transaction_id = 0")
    wakes = listen(world.parts.settings.redis_url, WAKE_CHANNEL)
    assert await anext(wakes) is None

    await update_totals(world.parts, streamer.id)
    assert await next_wake(wakes) == Wake(streamer.id, frozenset({Topic.TOTALS}))

    # Up to date: nothing is written and nobody is told, so the next that is heard is another streamer's.
    await update_totals(world.parts, streamer.id)
    await world.parts.wake([Wake(streamer.id + 1, frozenset({Topic.TOTALS}))])
    assert await next_wake(wakes) == Wake(streamer.id + 1, frozenset({Topic.TOTALS}))
    await wakes.aclose()
    async with world.parts.pool.acquire() as connection:
        assert await read_totals(connection, streamer.id) == right
        await check_books(connection)
