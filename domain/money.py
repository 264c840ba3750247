"""What a streamer's ledger says by days and months of her time zone, by when the money moved.

Days are counted once and kept (`ledger_days`), since the ledger only grows; what is newer is added at each look, so a
page of a year costs the same after a million donations.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.streamers import Streamer
from infra import queries

# No statement should take long, whatever has gathered.
_COUNTED_AT_ONCE = 100_000


@dataclass(frozen=True)
class Moved:
    """Kopecks that came in, went back (chargebacks less what came again), and what the provider kept as far as told."""

    came_minor: int = 0
    refunded_minor: int = 0
    charged_back_minor: int = 0
    fees_minor: int = 0
    donations: int = 0
    without_fees: int = 0
    """Donations of days that no registry file has told of: their fees are not known yet."""

    @property
    def net_minor(self) -> int:
        return self.came_minor - self.refunded_minor - self.charged_back_minor - self.fees_minor

    def __add__(self, other: "Moved") -> "Moved":
        return Moved(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Moved)))


@dataclass(frozen=True)
class Held:
    """Kopecks that came and are not the streamer's yet."""

    surplus_minor: int
    review_minor: int


@dataclass(frozen=True)
class LedgerLine:
    """A ledger transaction: what it did to the streamer's accounts, and to what is held; kopecks, below zero: went."""

    id: int
    kind: str
    moved_at: datetime
    booked_at: datetime
    net_minor: int
    held_minor: int
    donation_id: int
    order_id: str
    provider_payment_id: str | None
    method: str
    provider: str
    terminal_key: str
    is_test: bool
    """The terminal is for trying out: no money moved."""
    donor_name: str | None


async def read_days(connection: Any, streamer: Streamer, first: date, last: date) -> dict[date, Moved]:
    """What moved on each day from `first` to `last`; days without movement are left out. Writes what it has counted."""
    counted_id = await _fold(connection, streamer)
    rows = queries.money.list_days(
        connection,
        streamer_id=streamer.id,
        time_zone=streamer.time_zone,
        counted_id=counted_id,
        first_day=first,
        last_day=last,
    )
    days = {row["day"]: Moved(**{name: value for name, value in row.items() if name != "day"}) async for row in rows}
    told = [
        (row["first_day"], row["last_day"])
        async for row in queries.money.list_told_periods(
            connection, streamer_id=streamer.id, first_day=first, last_day=last
        )
    ]
    for day, moved in days.items():
        if not any(since <= day <= until for since, until in told):
            days[day] = replace(moved, without_fees=moved.donations)
    return days


def by_months(days: dict[date, Moved]) -> dict[date, Moved]:
    """Sums of months, by their first days, the newest first."""
    months: dict[date, Moved] = {}
    for day in sorted(days, reverse=True):
        month = day.replace(day=1)
        months[month] = months.get(month, Moved()) + days[day]
    return months


async def _fold(connection: Any, streamer: Streamer) -> int:
    """Count what is old enough into its days; all anew when the streamer has moved to another time zone.

    Returns the transaction up to which days are counted.
    """
    fold = await queries.money.lock_fold(connection, streamer_id=streamer.id, time_zone=streamer.time_zone)
    counted_id: int = fold["ledger_transaction_id"]
    if fold["time_zone"] != streamer.time_zone:
        await queries.money.delete_days(connection, streamer_id=streamer.id)
        counted_id = 0
    while True:
        newest_id = await queries.money.newest_to_fold(
            connection, streamer_id=streamer.id, counted_id=counted_id, limit=_COUNTED_AT_ONCE
        )
        if newest_id is None:
            break
        await queries.money.fold_days(
            connection,
            streamer_id=streamer.id,
            time_zone=streamer.time_zone,
            counted_id=counted_id,
            newest_id=newest_id,
        )
        counted_id = newest_id
    if (counted_id, streamer.time_zone) != (fold["ledger_transaction_id"], fold["time_zone"]):
        await queries.money.note_folded(
            connection, streamer_id=streamer.id, time_zone=streamer.time_zone, counted_id=counted_id
        )
    return counted_id


async def sum_tests(connection: Any, streamer: Streamer, first: date, last: date) -> int:
    """Kopecks of what moved on these days that came through terminals for trying out: no money."""
    zone = ZoneInfo(streamer.time_zone)
    tests_minor: int = await queries.money.sum_tests(
        connection,
        streamer_id=streamer.id,
        since=datetime.combine(first, time(), zone),
        until=datetime.combine(last + timedelta(days=1), time(), zone),
    )
    return tests_minor


async def read_held(connection: Any, streamer_id: int) -> Held:
    return Held(**await queries.money.sum_held(connection, streamer_id=streamer_id))


async def first_day(connection: Any, streamer: Streamer) -> date | None:
    """The day money moved first; None while none did."""
    day: date | None = await queries.money.first_day(connection, streamer_id=streamer.id, time_zone=streamer.time_zone)
    return day


async def list_ledger_of_month(
    pool: Any, streamer: Streamer, month: date, *, page: int = 1_000
) -> AsyncIterator[list[LedgerLine]]:
    """The transactions whose money moved in a month, the oldest first, in pages. `month` is its first day.

    No connection is kept between two pages: whoever reads takes as long as a slow line does.
    """
    zone = ZoneInfo(streamer.time_zone)
    after = datetime(month.year, month.month, 1, tzinfo=zone)
    before = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=zone)
    after_id = -1
    while True:
        async with pool.acquire() as connection:
            rows = queries.money.list_ledger(
                connection,
                streamer_id=streamer.id,
                after_moment=after,
                after_id=after_id,
                before_moment=before,
                limit=page,
            )
            lines = [LedgerLine(**row) async for row in rows]
        if lines:
            yield lines
            after, after_id = lines[-1].moved_at, lines[-1].id
        if len(lines) < page:
            return
