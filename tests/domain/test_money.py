"""Money by days and months: by when it moved, in the streamer's time zone, counted once and never twice."""

from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import pytest

from domain import ledger, money
from domain.ledger import BookedAs
from domain.money import Moved
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.payments import Payment
from domain.registry_rows import RegistryKind as K
from domain.streamers import Streamer, get_streamer
from tests.builders import BuiltStreamer, check_books, hear, latest_payment, make_streamer, open_donation
from tests.registry_files import bring_and_read, line

YEAR = (date(2026, 1, 1), date(2026, 12, 31))


async def confirmed(connection: Any, streamer: BuiltStreamer, amount_minor: int = 30_000) -> Payment:
    _, payment = await open_donation(connection, streamer, amount_minor=amount_minor)
    await hear(connection, payment, N.CONFIRMED)
    return payment


async def move(
    connection: Any, payment: Payment, kind: str, at: datetime, *, booked_at: datetime | None = None
) -> None:
    """As if this had been booked then. The ledger is append only: its guard is off for the tests of the past."""
    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    await connection.execute("ALTER TABLE ledger_transactions DISABLE TRIGGER append_only")
    await connection.execute(
        "UPDATE ledger_transactions SET created_at = $3 WHERE payment_id = $1 AND kind = $2",
        payment.id,
        kind,
        booked_at or at,
    )
    await connection.execute("ALTER TABLE ledger_transactions ENABLE TRIGGER append_only")


async def months(connection: Any, streamer: Streamer) -> dict[int, Moved]:
    return {
        day.month: moved for day, moved in money.by_months(await money.read_days(connection, streamer, *YEAR)).items()
    }


async def test_a_month_ends_by_the_streamers_clocks(connection: asyncpg.Connection) -> None:
    built = await make_streamer(connection, time_zone="Asia/Vladivostok")
    payment = await confirmed(connection, built)
    # Still March in Moscow.
    await move(connection, payment, "payment", datetime(2026, 3, 31, 15, tzinfo=UTC))
    streamer = await get_streamer(connection, built.id)
    assert await months(connection, streamer) == {4: Moved(came_minor=30_000, donations=1, without_fees=1)}

    await connection.execute("UPDATE streamers SET time_zone = 'Europe/Moscow'")
    streamer = await get_streamer(connection, built.id)
    for _ in range(2):
        assert await months(connection, streamer) == {3: Moved(came_minor=30_000, donations=1, without_fees=1)}


async def test_all_that_moves(connection: asyncpg.Connection) -> None:
    built = await make_streamer(connection)
    streamer = await get_streamer(connection, built.id)
    first, second, third = [await confirmed(connection, built) for _ in range(3)]
    for payment in (first, second, third):
        await move(connection, payment, "payment", datetime(2026, 5, 20, tzinfo=UTC))
    await hear(connection, second, N.REFUNDED, source=Source.POLL, amount_minor=0)
    await move(connection, second, "refund", datetime(2026, 6, 2, tzinfo=UTC))
    moments: dict[str, Any] = {"operated_at": datetime(2026, 5, 20, 12, tzinfo=UTC)}
    await bring_and_read(
        connection,
        built,
        line(first, fee_minor=700, **moments),
        line(second, fee_minor=300, **moments),
        line(second, K.REFUND, **moments),
        line(third, **moments),
        line(third, K.CHARGEBACK, operated_at=datetime(2026, 7, 9, tzinfo=UTC)),
        line(third, K.CHARGEBACK_REVERSAL, 10_000, operated_at=datetime(2026, 7, 10, tzinfo=UTC)),
    )
    seen = await months(connection, streamer)
    assert seen == {
        5: Moved(came_minor=90_000, fees_minor=1_000, donations=3),
        6: Moved(refunded_minor=30_000),
        7: Moved(charged_back_minor=20_000),
    }
    total = sum(seen.values(), Moved())
    assert total.net_minor == 90_000 - 1_000 - 30_000 - 20_000
    days = await money.read_days(connection, streamer, date(2026, 7, 1), date(2026, 7, 31))
    assert {day.day: moved.charged_back_minor for day, moved in days.items()} == {9: 30_000, 10: -10_000}
    assert await money.first_day(connection, streamer) == date(2026, 5, 20)
    await check_books(connection)


async def test_what_is_booked_late_for_a_day_counted_already(connection: asyncpg.Connection) -> None:
    built = await make_streamer(connection)
    streamer = await get_streamer(connection, built.id)
    payment = await confirmed(connection, built)
    await move(connection, payment, "payment", datetime(2026, 5, 20, tzinfo=UTC))
    assert (await months(connection, streamer))[5].fees_minor == 0
    await ledger.book_fee(
        connection,
        streamer_id=built.id,
        payment_id=payment.id,
        fees_minor=700,
        moved_at=datetime(2026, 5, 20, 9, tzinfo=UTC),
    )
    for booked_at in (None, datetime(2026, 6, 1, tzinfo=UTC)):
        if booked_at:
            await move(connection, payment, "fee", booked_at)
        for _ in range(2):
            assert await months(connection, streamer) == {
                5: Moved(came_minor=30_000, fees_minor=700, donations=1, without_fees=1)
            }
    # It was counted into its day at last, once.
    assert await connection.fetchval("SELECT fees_minor FROM ledger_days") == 700


async def test_what_is_new_is_counted_at_each_look_and_kept_only_when_old(connection: asyncpg.Connection) -> None:
    built = await make_streamer(connection)
    streamer = await get_streamer(connection, built.id)
    today = datetime.now(UTC).date()
    for number in (1, 2):
        await confirmed(connection, built)
        days = await money.read_days(connection, streamer, date(today.year - 1, 1, 1), date(today.year + 1, 1, 1))
        assert [moved.donations for moved in days.values()] == [number]
    assert await connection.fetchval("SELECT count(*) FROM ledger_days") == 0


async def test_days_whose_fees_are_not_known(connection: asyncpg.Connection) -> None:
    built = await make_streamer(connection)
    streamer = await get_streamer(connection, built.id)
    first, second = await confirmed(connection, built), await confirmed(connection, built)
    await move(connection, second, "payment", datetime(2026, 5, 20, 12, tzinfo=UTC))
    await move(connection, first, "payment", datetime(2026, 5, 22, 12, tzinfo=UTC))
    assert (await months(connection, streamer))[5].without_fees == 2
    await bring_and_read(connection, built, line(first, fee_minor=700, operated_at=datetime(2026, 5, 22, tzinfo=UTC)))
    assert (await months(connection, streamer))[5].without_fees == 1


async def test_what_is_held(connection: asyncpg.Connection) -> None:
    built = await make_streamer(connection)
    donation, first = await open_donation(connection, built)
    await hear(connection, first, N.CONFIRMED)
    await hear(connection, first, N.CONFIRMED, provider_payment_id="777")
    _, other = await open_donation(connection, built)
    await hear(connection, other, N.CONFIRMED, source=Source.POLL, amount_minor=12_300)
    held = await money.read_held(connection, built.id)
    assert (held.surplus_minor, held.review_minor) == (30_000, 12_300)
    twin = await latest_payment(connection, donation)
    await hear(connection, twin, N.REFUNDED, source=Source.POLL, amount_minor=0)
    assert (await money.read_held(connection, built.id)).surplus_minor == 0


@pytest.mark.parametrize("page", [1, 2, 100])
async def test_the_ledger_of_a_month_line_by_line(pool: asyncpg.Pool, page: int) -> None:
    moment = datetime(2026, 5, 20, tzinfo=UTC)
    async with pool.acquire() as connection:
        built = await make_streamer(connection)
        streamer = await get_streamer(connection, built.id)
        first, second = await confirmed(connection, built), await confirmed(connection, built)
        for payment in (first, second):
            await move(connection, payment, "payment", moment)
        await ledger.book_fee(connection, streamer_id=built.id, payment_id=first.id, fees_minor=700, moved_at=moment)
        await ledger.book_chargeback(
            connection,
            streamer_id=built.id,
            payment_id=second.id,
            charged_back_minor=500,
            booked_as=BookedAs.DONATION,
            moved_at=datetime(2026, 6, 1, tzinfo=UTC),
        )

    async def lines(month: date) -> list[tuple[str, int]]:
        found = []
        async for read in money.list_ledger_of_month(pool, streamer, month, page=page):
            found += [(one.kind, one.net_minor) for one in read]
            assert pool.get_idle_size() == pool.get_size(), "a slow reader keeps no connection"
        return found

    assert await lines(date(2026, 5, 1)) == [("payment", 30_000), ("payment", 30_000), ("fee", -700)]
    assert await lines(date(2026, 6, 1)) == [("chargeback", -500)]
    assert await lines(date(2026, 12, 1)) == []
