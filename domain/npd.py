"""НПД, the tax of the self-employed: the year's income against its limit, and the cheques of "Мой налог".

Cheques are made by the streamer in the tax service's own program; here she sees which are due and marks them. The year
is counted by Moscow's clocks, a donation in the year it was paid, less whatever went back of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from domain.errors import NotAllowedError
from infra import queries

YEAR_LIMIT_MINOR = 2_400_000_00
CLOCK = "Europe/Moscow"
_WARN_SHARE = 0.80
_ALARM_SHARE = 0.95


class Closeness(StrEnum):
    """How near the year's income is to the limit."""

    FAR = "far"
    NEAR = "near"
    """Over 80 %."""
    VERY_NEAR = "very_near"
    """Over 95 %."""
    OVER = "over"


@dataclass(frozen=True)
class Regime:
    is_npd: bool
    since: datetime | None
    """Donations before it need no cheque."""
    item: str
    """What a cheque says it is for."""


@dataclass(frozen=True)
class YearIncome:
    """Kopecks of a calendar year. `held_minor` came too and is nobody's yet: it counts once it is kept.

    `test_minor` came through terminals for trying out: it is no income, and counts nowhere here.
    """

    year: int
    income_minor: int
    held_minor: int
    test_minor: int = 0

    @property
    def counted_minor(self) -> int:
        """What is held counts here too: better to be warned early."""
        return self.income_minor + self.held_minor

    @property
    def left_minor(self) -> int:
        return max(0, YEAR_LIMIT_MINOR - self.counted_minor)

    @property
    def percent(self) -> int:
        return self.counted_minor * 100 // YEAR_LIMIT_MINOR

    @property
    def closeness(self) -> Closeness:
        return closeness(self.counted_minor)


@dataclass(frozen=True)
class DueCheque:
    """A donation without a cheque; `amount_minor` is what is left of it."""

    donation_id: int
    paid_at: datetime
    day: date
    amount_minor: int
    donor_name: str | None


@dataclass(frozen=True)
class WrongCheque:
    """A cheque for another sum than is left of its donation."""

    cheque_id: int
    donation_id: int
    paid_at: datetime
    amount_minor: int
    issued_at: datetime
    left_minor: int
    donor_name: str | None


@dataclass(frozen=True)
class IssuedCheque:
    cheque_id: int
    donation_id: int
    paid_at: datetime
    amount_minor: int
    issued_at: datetime
    annulled_at: datetime | None
    donor_name: str | None


def closeness(income_minor: int) -> Closeness:
    if income_minor > YEAR_LIMIT_MINOR:
        return Closeness.OVER
    if income_minor >= YEAR_LIMIT_MINOR * _ALARM_SHARE:
        return Closeness.VERY_NEAR
    return Closeness.NEAR if income_minor >= YEAR_LIMIT_MINOR * _WARN_SHARE else Closeness.FAR


def current_year() -> int:
    return datetime.now(ZoneInfo(CLOCK)).year


async def get_regime(connection: Any, streamer_id: int) -> Regime:
    row = await queries.npd.get_regime(connection, streamer_id=streamer_id)
    return Regime(is_npd=row["receipts"] == "npd", since=row["receipts_since"], item=row["receipt_item"])


async def read_year(connection: Any, streamer_id: int, year: int) -> YearIncome:
    return YearIncome(year, **await queries.npd.sum_income(connection, streamer_id=streamer_id, year=year))


async def list_due(connection: Any, streamer_id: int, regime: Regime, *, limit: int = 500) -> list[DueCheque]:
    """Cheques to issue, the oldest donation first."""
    rows = queries.npd.list_to_issue(connection, streamer_id=streamer_id, since=regime.since, limit=limit)
    return [DueCheque(**row) async for row in rows]


async def count_due(connection: Any, streamer_id: int, regime: Regime) -> tuple[int, int]:
    """How many cheques are to be issued, and for how many kopecks."""
    row = await queries.npd.count_to_issue(connection, streamer_id=streamer_id, since=regime.since)
    return row["cheques"], row["amount_minor"]


async def list_wrong(connection: Any, streamer_id: int) -> list[WrongCheque]:
    """Cheques to annul: money went back after they were issued."""
    return [WrongCheque(**row) async for row in queries.npd.list_to_annul(connection, streamer_id=streamer_id)]


async def list_issued(connection: Any, streamer_id: int, year: int, *, limit: int = 100) -> list[IssuedCheque]:
    """Cheques of a year's donations, the newest first."""
    zone = ZoneInfo(CLOCK)
    rows = queries.npd.list_issued(
        connection,
        streamer_id=streamer_id,
        since=datetime(year, 1, 1, tzinfo=zone),
        until=datetime(year + 1, 1, 1, tzinfo=zone),
        limit=limit,
    )
    return [IssuedCheque(**row) async for row in rows]


async def mark_issued(connection: Any, streamer_id: int, cheques: Sequence[tuple[int, int]], user_id: int) -> int:
    """She has issued these cheques, each a donation's id and the kopecks it was shown with; how many are marked now.

    Left out is what changed meanwhile: a refund came, or somebody marked it.
    """
    issued = await queries.npd.issue_cheques(
        connection,
        streamer_id=streamer_id,
        donation_ids=[donation_id for donation_id, _ in cheques],
        amounts=[amount_minor for _, amount_minor in cheques],
        user_id=user_id,
    )
    return int(issued.rsplit(" ", 1)[1])


async def mark_annulled(connection: Any, streamer_id: int, cheque_id: int, user_id: int) -> None:
    """She has annulled the cheque; what is left of the donation needs a new one.

    Raises NotAllowedError("changed") when it was annulled already.
    """
    annulled = await queries.npd.annul_cheque(connection, streamer_id=streamer_id, cheque_id=cheque_id, user_id=user_id)
    if annulled != "UPDATE 1":
        raise NotAllowedError("changed")


async def unmark(connection: Any, streamer_id: int, cheque_id: int) -> None:
    """It was marked by mistake. Raises NotAllowedError("changed") when there is no such mark any more."""
    if await queries.npd.delete_cheque(connection, streamer_id=streamer_id, cheque_id=cheque_id) != "DELETE 1":
        raise NotAllowedError("changed")
