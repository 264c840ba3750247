"""Two at once on one donation: nobody waits for the other for ever, whichever came first."""

import asyncio
from types import SimpleNamespace
from typing import Any

import asyncpg

from domain import payments, totals
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.payments import MAX_ATTEMPTS, PaymentStatus
from infra import queries
from tasks.payments import _open_next
from tests.builders import check_books, hear, latest_payment, make_donation, make_streamer, open_donation

PARTS: Any = SimpleNamespace(settings=SimpleNamespace(payment_link_minutes=30))


async def wait_for_a_lock(pool: asyncpg.Pool) -> None:
    """Until some statement waits for another's row."""
    async with asyncio.timeout(10):
        while not await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)


async def test_news_of_a_lost_opening_while_the_next_is_made(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        streamer = await make_streamer(connection)
        donation = await make_donation(connection, streamer)
        lost = await latest_payment(connection, donation)
        await payments.claim_opening(connection, lost.id, link_minutes=30)

    async def settle() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await _open_next(PARTS, connection, lost)

    async with pool.acquire() as connection:
        async with connection.transaction():
            # As apply_news does: the payment's row first, then its donation's.
            await queries.payments.lock_payment(connection, payment_id=lost.id)
            settling = asyncio.create_task(settle())
            await wait_for_a_lock(pool)
            await hear(connection, lost, N.CONFIRMED, provider_payment_id="777")
        await settling
        assert (await latest_payment(connection, donation)).status is PaymentStatus.CONFIRMED
        await check_books(connection)


async def test_totals_counted_anew_while_a_refund_comes(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        streamer = await make_streamer(connection)
        _, payment = await open_donation(connection, streamer)
        await hear(connection, payment, N.CONFIRMED)
        await connection.execute("UPDATE streamer_totals SET ledger_transaction_id = 0")

    async def refund() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)

    async with pool.acquire() as connection:
        async with connection.transaction():
            await queries.totals.lock_totals(connection, streamer_id=streamer.id)
            refunding = asyncio.create_task(refund())
            await wait_for_a_lock(pool)
            assert await totals.recount(connection, streamer.id)
        await refunding
        await check_books(connection)


async def test_the_last_attempt_is_the_last(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation = await make_donation(connection, streamer)
    lost = await latest_payment(connection, donation)
    await connection.execute("UPDATE payments SET attempt = $1, status = 'opening', opening_at = now()", MAX_ATTEMPTS)
    await _open_next(PARTS, connection, lost)
    assert await connection.fetchval("SELECT count(*) FROM payments") == 1
    assert await connection.fetchval("SELECT status FROM donations") == "failed"
