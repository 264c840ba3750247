"""НПД: the year by Moscow's clocks against the limit, and a cheque for what is left of each donation."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from domain import npd
from domain.errors import NotAllowedError
from domain.news import Source
from domain.npd import Closeness, Regime
from domain.payment_status import NewsStatus as N
from domain.payments import Payment
from domain.registry_rows import RegistryKind as K
from tests.builders import BuiltStreamer, check_books, hear, make_streamer, open_donation
from tests.registry_files import bring_and_read, line

REGIME = Regime(is_npd=True, since=None, item="Добровольная поддержка")


async def confirmed(connection: Any, streamer: BuiltStreamer, amount_minor: int = 30_000) -> Payment:
    _, payment = await open_donation(connection, streamer, amount_minor=amount_minor)
    await hear(connection, payment, N.CONFIRMED)
    return payment


async def due(connection: Any, streamer: BuiltStreamer) -> list[tuple[int, int]]:
    found = await npd.list_due(connection, streamer.id, REGIME)
    assert await npd.count_due(connection, streamer.id, REGIME) == (len(found), sum(one.amount_minor for one in found))
    return [(one.donation_id, one.amount_minor) for one in found]


@pytest.mark.parametrize(
    ("income_minor", "expected"),
    [
        (0, Closeness.FAR),
        (191_999_999, Closeness.FAR),
        (192_000_000, Closeness.NEAR),
        (227_999_999, Closeness.NEAR),
        (228_000_000, Closeness.VERY_NEAR),
        (240_000_000, Closeness.VERY_NEAR),
        (240_000_001, Closeness.OVER),
    ],
)
def test_how_near_the_limit_is(income_minor: int, expected: Closeness) -> None:
    assert npd.closeness(income_minor) is expected


async def test_the_regime(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    assert not (await npd.get_regime(connection, streamer.id)).is_npd
    await connection.execute("UPDATE streamers SET receipts = 'npd', receipts_since = now()")
    regime = await npd.get_regime(connection, streamer.id)
    assert regime.is_npd
    assert regime.item == "Добровольная поддержка"


async def test_the_year_is_moscows_and_less_what_went_back(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection, time_zone="Asia/Vladivostok")
    first, second, third = [await confirmed(connection, streamer) for _ in range(3)]
    paid_at = {
        first.donation_id: datetime(2025, 12, 31, 20, 59, tzinfo=UTC),
        second.donation_id: datetime(2025, 12, 31, 21, 0, tzinfo=UTC),
        third.donation_id: datetime(2026, 6, 1, tzinfo=UTC),
    }
    await hear(connection, third, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=20_000)
    await bring_and_read(connection, streamer, line(first), line(first, K.CHARGEBACK, 5_000))
    for donation_id, moment in paid_at.items():
        await connection.execute("UPDATE donations SET paid_at = $2 WHERE id = $1", donation_id, moment)
    assert (await npd.read_year(connection, streamer.id, 2025)).income_minor == 25_000
    assert (await npd.read_year(connection, streamer.id, 2026)).income_minor == 50_000


async def test_what_is_held_is_told_beside(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    payment = await confirmed(connection, streamer)
    await hear(connection, payment, N.CONFIRMED, provider_payment_id="777")
    year = await npd.read_year(connection, streamer.id, npd.current_year())
    assert (year.income_minor, year.held_minor, year.counted_minor) == (30_000, 30_000, 60_000)
    assert (year.left_minor, year.percent) == (npd.YEAR_LIMIT_MINOR - 60_000, 0)


async def test_a_cheque_is_issued_once(connection: asyncpg.Connection) -> None:
    streamer, stranger = await make_streamer(connection), await make_streamer(connection)
    payment = await confirmed(connection, streamer)
    pair = (payment.donation_id, 30_000)
    assert await due(connection, streamer) == [pair]
    assert await npd.mark_issued(connection, stranger.id, [pair], stranger.owner_id) == 0
    assert await npd.mark_issued(connection, streamer.id, [pair], streamer.owner_id) == 1
    assert await npd.mark_issued(connection, streamer.id, [pair], streamer.owner_id) == 0
    assert await due(connection, streamer) == []
    [issued] = await npd.list_issued(connection, streamer.id, npd.current_year())
    assert (issued.donation_id, issued.amount_minor, issued.annulled_at) == (*pair, None)
    # Pressed by mistake.
    with pytest.raises(NotAllowedError):
        await npd.unmark(connection, stranger.id, issued.cheque_id)
    await npd.unmark(connection, streamer.id, issued.cheque_id)
    assert await due(connection, streamer) == [pair]


async def test_a_days_cheques_without_what_changed_meanwhile(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    payments = [await confirmed(connection, streamer) for _ in range(3)]
    shown = await due(connection, streamer)
    await hear(connection, payments[0], N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=20_000)
    await hear(connection, payments[1], N.REFUNDED, source=Source.POLL, amount_minor=0)
    late = await confirmed(connection, streamer)
    assert await npd.mark_issued(connection, streamer.id, shown, streamer.owner_id) == 1
    assert await due(connection, streamer) == [(payments[0].donation_id, 20_000), (late.donation_id, 30_000)]


async def test_money_back_after_the_cheque(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    payment = await confirmed(connection, streamer)
    await npd.mark_issued(connection, streamer.id, await due(connection, streamer), streamer.owner_id)
    assert await npd.list_wrong(connection, streamer.id) == []
    await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=20_000)
    [wrong] = await npd.list_wrong(connection, streamer.id)
    assert (wrong.amount_minor, wrong.left_minor) == (30_000, 20_000)
    # Nothing is due before the wrong one is annulled: two valid cheques would be one too many.
    assert await due(connection, streamer) == []
    await npd.mark_annulled(connection, streamer.id, wrong.cheque_id, streamer.owner_id)
    with pytest.raises(NotAllowedError):
        await npd.mark_annulled(connection, streamer.id, wrong.cheque_id, streamer.owner_id)
    assert await npd.list_wrong(connection, streamer.id) == []
    assert await due(connection, streamer) == [(payment.donation_id, 20_000)]
    await npd.mark_issued(connection, streamer.id, [(payment.donation_id, 20_000)], streamer.owner_id)

    await bring_and_read(connection, streamer, line(payment, K.CHARGEBACK, 20_000))
    [wrong] = await npd.list_wrong(connection, streamer.id)
    assert (wrong.amount_minor, wrong.left_minor) == (20_000, 0)
    await check_books(connection)


async def test_donations_from_before_need_no_cheque(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    await confirmed(connection, streamer)
    paid_at = await connection.fetchval("SELECT paid_at FROM donations")
    later = Regime(is_npd=True, since=paid_at + timedelta(seconds=1), item="")
    assert await npd.list_due(connection, streamer.id, later) == []
    assert await npd.count_due(connection, streamer.id, later) == (0, 0)
