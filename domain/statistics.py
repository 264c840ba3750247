"""What a period brought: its days, hours, amounts and donors; kopecks, refunds are off (decision 0028).

Days come from `streamer_days`, which is kept with the ledger. The rest is counted from the donations of the period;
what is many to count is kept for a while, so that a page costs the same after a million donations.
"""

import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from typing import Any
from zoneinfo import ZoneInfo

from domain.streamers import Streamer
from infra import queries

BEST_DONORS = 10
DAYS_MAX = 1100
"""A period is at most three years long, and some."""
USUAL_DAYS = 28
USUAL_FROM = 3
"""A usual day is known from so many days with donations on."""

_KEEP_FROM_DONATIONS = 2_000
"""Fewer are counted anew each time, and so are always what they are now."""
_GOOD_FOR = 300
"""What took a second to count is good for so many: counting never takes more than this part of the time."""
_GOOD_SECONDS = 600.0


@dataclass(frozen=True)
class Period:
    """Days of the streamer's time zone, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def former(self) -> "Period":
        """As many days, just before."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    def moments(self, time_zone: str) -> tuple[datetime, datetime]:
        """From the first midnight up to the one after the last day."""
        zone = ZoneInfo(time_zone)
        until = self.last + timedelta(days=1)
        return datetime.combine(self.first, clock(), zone), datetime.combine(until, clock(), zone)


@dataclass(frozen=True)
class Sum:
    net_minor: int = 0
    donations: int = 0

    @property
    def average_minor(self) -> int:
        return round(self.net_minor / self.donations) if self.donations else 0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.net_minor + other.net_minor, self.donations + other.donations)


@dataclass(frozen=True)
class Hour:
    """An hour of the week; weekdays begin with Monday, 1."""

    weekday: int
    hour: int
    donations: int
    net_minor: int


@dataclass(frozen=True)
class Donor:
    name: str
    donations: int
    net_minor: int


@dataclass(frozen=True)
class Counted:
    """What is counted from the donations themselves; wholly refunded ones are not among them."""

    hours: tuple[Hour, ...]
    median_minor: int
    largest_minor: int
    by_sum: tuple[Donor, ...]
    by_count: tuple[Donor, ...]
    """By their public names, which moderation may have masked."""
    named: int
    returning_named: int
    """Names that gave, and those among them that had given before the period."""
    anonymous_donations: int
    anonymous_minor: int
    tests_minor: int = 0
    """What of it all came through terminals for trying out, and is no money."""
    counted_at: datetime | None = field(default=None, compare=False)
    """None: just now."""


async def read_days(connection: Any, streamer_id: int, period: Period) -> dict[date, Sum]:
    """Every day of the period, in order."""
    rows = queries.statistics.list_days(
        connection, streamer_id=streamer_id, first_day=period.first, last_day=period.last
    )
    found = {row["day"]: Sum(row["net_minor"], row["donations"]) async for row in rows}
    days = (period.first + timedelta(days=number) for number in range(period.days))
    return {day: found.get(day, Sum()) for day in days}


async def sum_days(connection: Any, streamer_id: int, period: Period) -> Sum:
    row = await queries.statistics.sum_days(
        connection, streamer_id=streamer_id, first_day=period.first, last_day=period.last
    )
    return Sum(**row)


def usual_day(days: dict[date, Sum], today: date) -> int | None:
    """Kopecks of a usual day: the average of those of the last four weeks on which something came. None: too few."""
    begin = today - timedelta(days=USUAL_DAYS)
    sums = [brought.net_minor for day, brought in days.items() if begin <= day < today and brought.donations > 0]
    return round(sum(sums) / len(sums)) if len(sums) >= USUAL_FROM else None


async def count_period(connection: Any, streamer: Streamer, period: Period) -> Counted:
    """Counted now, or a while ago where there are many. Keeps what took long."""
    asked = {"streamer_id": streamer.id, "first_day": period.first, "last_day": period.last}
    kept = await queries.statistics.get_count(connection, **asked, time_zone=streamer.time_zone)
    if kept is not None:
        return _restored(kept["counted"], kept["counted_at"])
    began = time.perf_counter()
    counted = await _count(connection, streamer, period)
    took_seconds = time.perf_counter() - began
    if sum(hour.donations for hour in counted.hours) >= _KEEP_FROM_DONATIONS:
        values = {name: value for name, value in asdict(counted).items() if name != "counted_at"}
        await queries.statistics.keep_count(
            connection,
            **asked,
            time_zone=streamer.time_zone,
            counted=values,
            good_seconds=min(took_seconds * _GOOD_FOR, _GOOD_SECONDS),
        )
    return counted


async def _count(connection: Any, streamer: Streamer, period: Period) -> Counted:
    since, until = period.moments(streamer.time_zone)
    asked = {"streamer_id": streamer.id, "since": since.astimezone(UTC), "until": until.astimezone(UTC)}
    hours = queries.statistics.count_hours(connection, **asked, time_zone=streamer.time_zone)
    amounts = await queries.statistics.count_amounts(connection, **asked)
    best: dict[str, list[Donor]] = {"sum": [], "count": []}
    async for row in queries.statistics.rank_donors(connection, **asked, limit=BEST_DONORS):
        best[row["list"]].append(Donor(row["name"], row["donations"], row["net_minor"]))
    donors = await queries.statistics.count_donors(connection, **asked)
    return Counted(
        hours=tuple([Hour(**row) async for row in hours]),
        by_sum=tuple(best["sum"]),
        by_count=tuple(best["count"]),
        tests_minor=await queries.statistics.sum_tests(connection, **asked),
        **amounts,
        **donors,
    )


def _restored(values: dict[str, Any], counted_at: datetime) -> Counted:
    return Counted(
        **{
            **values,
            "hours": tuple(Hour(**hour) for hour in values["hours"]),
            "by_sum": tuple(Donor(**donor) for donor in values["by_sum"]),
            "by_count": tuple(Donor(**donor) for donor in values["by_count"]),
            "counted_at": counted_at,
        }
    )
