"""What bots are told of a streamer, read from the facts (docs/decisions/0043).

Donations and alerts are found by the time they last changed at; goals, totals and controls are told as they are. For
bots nothing is written when money comes. Since a change bears the time its transaction began at, and may be seen later
than younger ones, a reader goes back to a *horizon*, before which nothing new can appear, and passes over what it told.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.alerts import KNOWN_KINDS, AlertKind, AlertStatus
from domain.donations import DonationStatus
from domain.goals import GoalStatus
from domain.totals import Totals, list_totals
from infra import queries

MISSED_MAX = 1_000
MISSED_TIME = timedelta(hours=24)
"""What a bot missed is told it up to so many donations, and so many alerts, and for so long."""
WAITING_MAX = 100
"""Of the queue, the first ones."""

# A transaction's time is known to others a moment after it began; clocks are set right by less than this.
_MARGIN_SECONDS = 2.0
# What is read again and again because somebody's transaction stays open (a backup) is not more than this.
_WAIT_SECONDS = 300.0


@dataclass(frozen=True)
class ToldDonation:
    """A donation that was released: paid, and let through by moderation. Kopecks; texts as they may leave us."""

    at: datetime
    """When the last of it happened."""
    released_at: datetime
    id: int
    public_id: str
    status: DonationStatus
    amount_minor: int
    refunded_minor: int
    charged_back_minor: int
    currency: str
    donor_name: str | None
    message: str
    is_hidden: bool
    was_taken_back: bool
    """Hidden after it was released."""
    is_test: bool
    paid_at: datetime

    @property
    def is_good(self) -> bool:
        """Money that is there, and a donation to speak of: one that was kept out of lists from the first plays, too."""
        return self.status in (DonationStatus.PAID, DonationStatus.PARTIALLY_REFUNDED) and not self.was_taken_back

    @property
    def told_name(self) -> str | None:
        """Of what is hidden no words are told: it is to disappear where it was shown."""
        return None if self.is_hidden else self.donor_name

    @property
    def told_message(self) -> str:
        return "" if self.is_hidden else self.message


@dataclass(frozen=True)
class ToldAlert:
    at: datetime
    alert_id: uuid.UUID
    donation_id: int | None
    kind: AlertKind
    status: AlertStatus
    """`playing` once it is on a screen; offered to an overlay it is `queued` still."""
    has_shown: bool
    """Its text was readable: it is not played again."""
    interrupted: bool
    donor_name: str | None
    message: str
    amount_minor: int
    currency: str
    donations: int
    duration_ms: int
    in_summary: bool
    """It is part of a summary, which is shown for it."""


@dataclass(frozen=True)
class ToldGoal:
    id: int
    title: str
    status: GoalStatus
    currency: str
    target_minor: int
    raised_minor: int
    is_reached: bool
    ended_at: datetime | None


ToldStats = Totals


@dataclass(frozen=True)
class ToldControls:
    is_paused: bool
    is_muted: bool
    has_overlay: bool
    """Somebody would play what waits."""


async def read_horizon(connection: Any) -> datetime:
    """What happened before it is visible to every later statement. To be read before them, outside a transaction."""
    horizon: datetime = await queries.bot_feed.read_horizon(
        connection, margin_seconds=_MARGIN_SECONDS, wait_seconds=_WAIT_SECONDS
    )
    return horizon


async def list_donations(connection: Any, sinces: Mapping[int, datetime]) -> dict[int, list[ToldDonation]]:
    """By streamer, what changed since the moment given for her, the oldest change first; of more than MISSED_MAX the
    newest and one more."""
    rows = queries.bot_feed.list_donations(connection, **_asked(sinces), limit=MISSED_MAX + 1)
    found: dict[int, list[ToldDonation]] = {streamer_id: [] for streamer_id in sinces}
    async for row in rows:
        fields = _fields(row, of=ToldDonation, status=DonationStatus(row["status"]))
        found[row["streamer_id"]].append(ToldDonation(**fields))
    return found


async def list_alerts(connection: Any, sinces: Mapping[int, datetime]) -> dict[int, list[ToldAlert]]:
    """By streamer, what waits, plays or ended since the moment given for her, the oldest change first."""
    rows = queries.bot_feed.list_alerts(
        connection, **_asked(sinces), waiting=WAITING_MAX, limit=MISSED_MAX + 1, kinds=KNOWN_KINDS
    )
    found: dict[int, list[ToldAlert]] = {streamer_id: [] for streamer_id in sinces}
    async for row in rows:
        fields = _fields(row, of=ToldAlert, kind=AlertKind(row["kind"]), status=AlertStatus(row["status"]))
        found[row["streamer_id"]].append(ToldAlert(**fields))
    return found


async def list_goals(connection: Any, sinces: Mapping[int, datetime]) -> dict[int, list[ToldGoal]]:
    """By streamer, those over since the moment given for her, and the active one."""
    found: dict[int, list[ToldGoal]] = {streamer_id: [] for streamer_id in sinces}
    async for row in queries.bot_feed.list_goals(connection, **_asked(sinces)):
        found[row["streamer_id"]].append(ToldGoal(**_fields(row, of=ToldGoal, status=GoalStatus(row["status"]))))
    return found


async def list_stats(connection: Any, streamer_ids: set[int]) -> dict[int, ToldStats]:
    return await list_totals(connection, streamer_ids)


async def list_controls(connection: Any, streamer_ids: set[int]) -> dict[int, ToldControls]:
    rows = queries.bot_feed.list_controls(connection, streamer_ids=list(streamer_ids))
    return {row["streamer_id"]: ToldControls(**_fields(row, of=ToldControls)) async for row in rows}


def _asked(sinces: Mapping[int, datetime]) -> dict[str, Any]:
    return {"streamer_ids": list(sinces), "sinces": list(sinces.values())}


def _fields(row: Any, *, of: Any, **instead: Any) -> dict[str, Any]:
    return {**{name: row[name] for name in of.__dataclass_fields__}, **instead}
