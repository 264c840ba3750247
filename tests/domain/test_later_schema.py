"""A later migration adds columns while this version still runs (DESIGN 18)."""

from typing import Any

import asyncpg

from domain import alerts, donations, payments, streamers, terminals, users
from domain.donations import DonorState
from domain.payment_status import NewsStatus
from tests.builders import BuiltStreamer, check_books, hear, make_streamer, open_donation


async def live_through(connection: Any, streamer: BuiltStreamer) -> None:
    """From the wish to the money, with all that is read on the way."""
    async with connection.transaction():
        assert (await streamers.get_streamer(connection, streamer.id)).slug == streamer.slug
        assert await users.find_user(connection, f"{streamer.slug}@example.org") is not None
        assert (await terminals.get_terminal(connection, streamer.terminal_id)).streamer_id == streamer.id
        donation, first = await open_donation(connection, streamer)
        await hear(connection, first, NewsStatus.FAILED)
        await donations.retry(connection, donation.public_id, link_minutes=30)
        second = await payments.get_latest_payment(connection, donation.id)
        assert [payment.id for payment in await payments.list_open_predecessors(connection, second)] == [first.id]
        await hear(connection, first, NewsStatus.CONFIRMED)
        view = await donations.read_donor_view(connection, donation.public_id)
        assert view is not None
        assert view.state is DonorState.QUEUED
        assert (await donations.list_feed(connection, streamer.id))[0].id == donation.id
        assert (await alerts.list_queue(connection, streamer.id))[0].donor_name == "Аня"
        await check_books(connection)


async def test_columns_come_while_it_runs(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection, pool.acquire() as migration:
        streamer = await make_streamer(connection)
        await live_through(connection, streamer)
        for row in await migration.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
            await migration.execute(f"ALTER TABLE {row['tablename']} ADD COLUMN of_a_later_version text")
        await live_through(connection, streamer)


async def test_a_payments_row_may_have_more(connection: asyncpg.Connection) -> None:
    _, payment = await open_donation(connection, await make_streamer(connection))
    row = await connection.fetchrow("SELECT *, 'more' AS of_a_later_version FROM payments WHERE id = $1", payment.id)
    assert payments.payment_from(row) == payment
