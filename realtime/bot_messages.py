"""What bots say to us, checked, and what we say to them (namespace `/events`). `docs/realtime.md` describes it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from domain.bot_feed import ToldAlert, ToldControls, ToldDonation, ToldGoal, ToldStats
from domain.goals import GoalStatus
from domain.scopes import Scope
from realtime.feed import News, Told
from realtime.keys import Key

BOT_PROTOCOL = 1

EVENTS_OF = {
    Scope.DONATIONS_READ: (Told.DONATION,),
    Scope.ALERTS_READ: (Told.ALERT, Told.CONTROLS),
    Scope.GOALS_READ: (Told.GOAL,),
    Scope.STATS_READ: (Told.STATS,),
}

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"t([0-9]{1,17})", re.ASCII)


class BotHello(BaseModel):
    """What a bot connects with."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    token: str = Field(min_length=1, max_length=2_000)
    streamer: str | None = Field(default=None, min_length=1, max_length=60)
    after: str | None = Field(default=None, max_length=40)


def write_cursor(place: datetime) -> str:
    return f"t{(place - _EPOCH) // timedelta(microseconds=1)}"


def read_cursor(text: str) -> datetime | None:
    """None for what we did not write."""
    found = _CURSOR.fullmatch(text)
    try:
        return None if found is None else _EPOCH + timedelta(microseconds=int(found[1]))
    except OverflowError:
        return None


def bot_message(news: News, key: Key) -> dict[str, Any]:
    """The data of the event that tells a bot."""
    match news.item:
        case ToldDonation() as donation:
            data = _donation(donation, is_release=news.is_release)
        case ToldAlert() as alert:
            data = _alert(alert)
        case ToldGoal() as goal:
            data = _goal(goal)
        case ToldStats() as stats:
            data = {
                "currency": stats.currency,
                "today_minor": stats.today_minor,
                "today_donations": stats.today_donations,
                "month_minor": stats.month_minor,
                "all_minor": stats.all_minor,
                "all_donations": stats.donations,
            }
        case ToldControls() as controls:
            data = {"paused": controls.is_paused, "muted": controls.is_muted, "overlay": controls.has_overlay}
        case _ if news.told is Told.WELCOME:
            events = [event.value for scope, told in EVENTS_OF.items() if scope in key.scopes for event in told]
            data = {
                "protocol": BOT_PROTOCOL,
                "streamer": {"id": key.streamer_id, "slug": key.slug},
                "events": sorted(events),
            }
        case _:
            data = {}
    return {**data, "cursor": write_cursor(news.place)}


def _donation(donation: ToldDonation, *, is_release: bool) -> dict[str, Any]:
    return {
        "donation_id": donation.id,
        "public_id": donation.public_id,
        "change": "released" if is_release else "changed",
        "status": donation.status.value,
        "amount_minor": donation.amount_minor,
        "refunded_minor": donation.refunded_minor,
        "charged_back_minor": donation.charged_back_minor,
        "currency": donation.currency,
        "donor_name": donation.told_name,
        "message": donation.told_message,
        "is_hidden": donation.is_hidden,
        "is_test": donation.is_test,
        "paid_at": donation.paid_at.isoformat(),
    }


def _alert(alert: ToldAlert) -> dict[str, Any]:
    return {
        "alert_id": str(alert.alert_id),
        "donation_id": alert.donation_id,
        "kind": alert.kind.value,
        "status": alert.status.value,
        "is_shown": alert.has_shown,
        "interrupted": alert.interrupted,
        "in_summary": alert.in_summary,
        "donor_name": alert.donor_name,
        "message": alert.message,
        "amount_minor": alert.amount_minor,
        "currency": alert.currency,
        "donations": alert.donations,
        "duration_ms": alert.duration_ms,
    }


def _goal(goal: ToldGoal) -> dict[str, Any]:
    return {
        "goal_id": goal.id,
        "title": goal.title,
        "is_active": goal.status is GoalStatus.ACTIVE,
        "is_reached": goal.is_reached,
        "target_minor": goal.target_minor,
        "raised_minor": goal.raised_minor,
        "currency": goal.currency,
    }
