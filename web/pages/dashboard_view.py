"""What the dashboard shows: each part read from the tables in one go, in the words its templates use."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from domain.alerts import AlertStatus, QueueLength, WaitingAlert, list_queue, measure_queue
from domain.attention import count_attention
from domain.chargebacks import count_unread
from domain.donations import DonationStatus, FeedRow
from domain.feed import ManualRow, has_manual, list_all
from domain.inbox import Late, measure_late
from domain.missed import Missed, get_missed
from domain.overlays import Controls, Overlay, away_since, get_controls, list_overlays
from domain.showing import Playing, get_playing
from domain.statistics import USUAL_DAYS, Counted, Period, Sum, count_period, read_days, usual_day
from domain.streamers import Streamer
from domain.terminals import get_active_terminal
from domain.totals import Totals, read_totals
from web.bank_state import Bank, read_bank
from web.i18n import _, format_money, format_time, zone
from web.pages.control_view import Answers, read_answers

NEXT_ALERTS = 5
FEED_STEP = 50
FEED_MAX = 500
MINI_DAYS = 14
AWAY_LONG = timedelta(minutes=10)
"""Alerts that wait so long without an overlay are a reason to alarm."""


@dataclass(frozen=True)
class Bar:
    """The answers to three questions: does OBS hear us, does the bank take money, how long is the queue."""

    overlays: tuple[Overlay, ...]
    controls: Controls
    queue: QueueLength
    bank: Bank
    is_self_signed: bool
    """The site's certificate is one that OBS and the bank refuse."""
    attention: int
    """How much waits for a person."""
    away_since: datetime | None
    """Since when alerts wait with no overlay connected."""
    late: Late
    """Notifications of the bank that wait for minutes."""

    @property
    def obs_sources(self) -> int:
        return sum(overlay.in_obs for overlay in self.overlays)

    @property
    def obs_since(self) -> datetime | None:
        """Since when a source of OBS is connected."""
        return min((overlay.connected_at for overlay in self.overlays if overlay.in_obs), default=None)

    @property
    def is_away_long(self) -> bool:
        return self.away_since is not None and datetime.now(UTC) - self.away_since >= AWAY_LONG

    @property
    def somebody_speaks(self) -> bool:
        return self.controls.speaker_id is not None

    @property
    def only_tab_speaks(self) -> bool:
        return self.somebody_speaks and not any(o.speaks and (o.in_obs or o.is_widget) for o in self.overlays)

    @property
    def queue_seconds(self) -> int:
        return round(self.queue.duration_ms / 1000)


@dataclass(frozen=True)
class Stage:
    """What plays, what comes next, and what holds it back."""

    playing: Playing | None
    next_alerts: tuple[WaitingAlert, ...]
    queue: QueueLength
    controls: Controls
    answers: Answers


@dataclass(frozen=True)
class Chip:
    """What became of a donation, in a word or two; `look` names its colour and icon."""

    look: str
    text: str


@dataclass(frozen=True)
class Feed:
    rows: tuple[FeedRow | ManualRow, ...]
    wanted: int
    """How many rows were asked for; when there are as many, there may be more."""
    has_terminal: bool
    playing: Playing | None

    def playing_in(self, row: FeedRow | ManualRow) -> Playing | None:
        """What plays now, if it is this row's alert; a repeat is its donation's too."""
        if row.is_manual or self.playing is None:
            return None
        return self.playing if self.playing.offer.donation_id == row.id else None

    @property
    def next_wanted(self) -> int | None:
        """How many rows to ask for next, or None when these are all that fit."""
        return self.wanted + FEED_STEP if len(self.rows) == self.wanted < FEED_MAX else None


async def read_bar(connection: Any, streamer: Streamer, *, is_self_signed: bool) -> Bar:
    return Bar(
        overlays=tuple(await list_overlays(connection, streamer.id)),
        controls=await get_controls(connection, streamer.id),
        queue=await measure_queue(connection, streamer.id),
        bank=await read_bank(connection, streamer.id),
        is_self_signed=is_self_signed,
        away_since=await away_since(connection, streamer.id),
        late=await measure_late(connection, streamer.id),
        attention=await count_attention(connection, streamer.id) + await count_unread(connection, streamer.id),
    )


async def read_stage(connection: Any, streamer: Streamer, *, shows_amounts: bool = True) -> Stage:
    """`shows_amounts`: in what is said of the newest press."""
    waiting = await list_queue(connection, streamer.id, limit=NEXT_ALERTS)
    controls = await get_controls(connection, streamer.id)
    return Stage(
        playing=await get_playing(connection, streamer.id),
        next_alerts=tuple(alert for alert in waiting if alert.status is AlertStatus.QUEUED),
        queue=await measure_queue(connection, streamer.id),
        controls=controls,
        answers=await read_answers(connection, streamer, controls, shows_amounts=shows_amounts),
    )


async def read_missed(connection: Any, streamer: Streamer) -> Missed | None:
    return await get_missed(connection, streamer.id)


@dataclass(frozen=True)
class Takings:
    """What came in, and how today does against a usual day; what was entered by hand is in none of it."""

    totals: Totals
    usual: str
    """In words; empty while too little is known."""
    days: tuple[tuple[date, Sum], ...]
    """The last two weeks, today at the end."""
    has_manual: bool

    @property
    def most_minor(self) -> int:
        return max(brought.net_minor for _day, brought in self.days)


async def read_takings(connection: Any, streamer: Streamer) -> Takings:
    today = datetime.now(zone(streamer.time_zone)).date()
    totals = await read_totals(connection, streamer.id)
    days = await read_days(connection, streamer.id, Period(today - timedelta(days=USUAL_DAYS), today))
    return Takings(
        totals,
        usual_words(totals.today_minor, usual_day(days, today)),
        tuple(list(days.items())[-MINI_DAYS:]),
        has_manual=await has_manual(connection, streamer.id),
    )


def usual_words(today_minor: int, usual_minor: int | None) -> str:
    """The day is not over: what is less than usual is not yet as much. The usual day is a mean: in whole roubles."""
    if usual_minor is None or usual_minor <= 0:
        return ""
    usual_minor = round(usual_minor, -2)
    if today_minor > usual_minor:
        return _("%(money)s more than on a usual day", money=format_money(today_minor - usual_minor))
    if today_minor == usual_minor:
        return _("As much as on a usual day")
    return _("%(money)s short of a usual day so far", money=format_money(usual_minor - today_minor))


async def read_best(connection: Any, streamer: Streamer) -> Counted:
    """Of this month."""
    today = datetime.now(zone(streamer.time_zone)).date()
    return await count_period(connection, streamer, Period(today.replace(day=1), today))


async def read_feed(connection: Any, streamer: Streamer, wanted: int) -> Feed:
    return Feed(
        tuple(await list_all(connection, streamer.id, limit=wanted)),
        wanted,
        has_terminal=await get_active_terminal(connection, streamer.id) is not None,
        playing=await get_playing(connection, streamer.id),
    )


def chips(row: FeedRow | ManualRow, time_zone: str) -> list[Chip]:
    """The state of a donation as its row shows it: money that went astray first, then the alert."""
    if isinstance(row, ManualRow):
        return [Chip("quiet", _("entered by hand"))]
    found = [test_chip()] if row.is_test else []
    if row.refund_open:
        found.append(Chip("waits", _("refund under way")))
    if row.surplus_minor:
        found.append(Chip("warn", _("paid twice")))
    if row.is_hidden:
        found.append(Chip("quiet", _("hidden")))
    astray = money_chip(row.status, row.charged_back_minor)
    if astray is not None:
        found.append(astray)
    if not is_over(row.status):
        found.append(alert_chip(row.alert_status, row.shown_at, row.interrupted, time_zone))
    return found


def test_chip() -> Chip:
    """Of a donation that came through a terminal for trying out."""
    return Chip("warn", _("test"))


def is_over(status: str) -> bool:
    """Nothing of the money counts (now): what becomes of the alert is not said beside it."""
    return status in (DonationStatus.REFUNDED, DonationStatus.CHARGED_BACK, DonationStatus.REVIEW)


def money_chip(status: str, charged_back_minor: int) -> Chip | None:
    """What became of money that did not simply come and stay."""
    match status:
        case DonationStatus.REFUNDED:
            return Chip("bad", _("refunded"))
        case DonationStatus.CHARGED_BACK:
            return Chip("bad", _("taken back by the donor's bank"))
        case DonationStatus.REVIEW:
            return Chip("warn", _("another amount came"))
        case DonationStatus.PARTIALLY_REFUNDED if charged_back_minor:
            return Chip("bad", _("taken back in part"))
        case DonationStatus.PARTIALLY_REFUNDED:
            return Chip("bad", _("refunded in part"))
    return None


def alert_chip(status: str | None, shown_at: datetime | None, interrupted: bool | None, time_zone: str) -> Chip:
    match status:
        case AlertStatus.QUEUED:
            return Chip("waits", _("waits"))
        case AlertStatus.HELD:
            return Chip("warn", _("being checked"))
        case AlertStatus.PLAYING:
            return Chip("playing", _("on screen"))
        case AlertStatus.SHOWN if shown_at is not None:
            time = format_time(shown_at, time_zone)
            return Chip("good", _("cut short %(time)s", time=time) if interrupted else _("shown %(time)s", time=time))
        case AlertStatus.SKIPPED:
            return Chip("quiet", _("skipped"))
        case _:
            return Chip("quiet", _("not shown"))
