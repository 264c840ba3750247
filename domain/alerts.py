"""Alerts: what the overlay shows (DESIGN 11, 12). An alert is a row and moves by conditional updates:

    held ──approve──▶ queued ──pick──▶ playing ──finished after seen──▶ shown
      │                 │ ▲               │ │
      │                 │ └─lease ended───┘ └──skip──▶ skipped
      └────drop─────────┴──▶ dropped   (also when the donation is refunded or deleted before it was shown, and at once
                                        when its streamer shows no such donations: `wants_alert` in the database)

Here are the queue and its states; offers, leases and what overlays say of them are in `domain/showing.py`,
what becomes of alerts missed in a long absence is in `domain/missed.py`.

Who locks several rows locks the payment first, then the donation, then its alerts: a summary before its parts, others
in the order of their ids.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.errors import NotFoundError
from infra import queries


class AlertStatus(StrEnum):
    HELD = "held"
    QUEUED = "queued"
    PLAYING = "playing"
    SHOWN = "shown"
    SKIPPED = "skipped"
    DROPPED = "dropped"


class AlertKind(StrEnum):
    DONATION = "donation"
    REPLAY = "replay"
    TEST = "test"
    SUMMARY = "summary"
    GOAL = "goal"
    """A goal is reached: its title is the message, its target the amount."""
    MANUAL = "manual"
    """Money received elsewhere that the streamer wrote down (domain/manual_donations.py)."""
    CUSTOM = "custom"
    """Made by a program of the streamer's own (domain/custom_alerts.py); its amount may be 0, which is none."""


KNOWN_KINDS = tuple(kind.value for kind in AlertKind)
"""What this version can show. While a server is updated, a newer program may queue what an older one does not know: it
waits for the newer one."""


class AlertLevel(StrEnum):
    """How loud an alert is; every theme shares these four steps."""

    QUIET = "quiet"
    GLOW = "glow"
    SPARKS = "sparks"
    RIBBON = "ribbon"


def alert_level(amount_minor: int) -> AlertLevel:
    if amount_minor >= 5_000_00:
        return AlertLevel.RIBBON
    if amount_minor >= 1_000_00:
        return AlertLevel.SPARKS
    return AlertLevel.GLOW if amount_minor >= 300_00 else AlertLevel.QUIET


def seen_after_ms(duration_ms: int) -> int:
    """How long the text must have been readable for the alert to count as shown: 3 s, or half a short one."""
    return min(3_000, duration_ms // 2)


CELEBRATION_MS = 7_000
"""How long a reached goal is shown, before the streamer's limits."""


@dataclass(frozen=True)
class WaitingAlert:
    """An alert that was not shown yet; amounts in kopecks, text as it may leave us."""

    alert_id: uuid.UUID
    donation_id: int | None
    kind: AlertKind
    status: AlertStatus
    donor_name: str | None
    message: str
    amount_minor: int
    currency: str
    donations: int
    duration_ms: int
    created_at: datetime
    playable_at: datetime | None


@dataclass(frozen=True)
class QueueLength:
    """Alerts that wait, how many of them brought money, how long they will play together, and how many are held for a
    moderator."""

    waiting: int
    paid: int
    duration_ms: int
    held: int


async def enqueue_donation(
    connection: Any,
    *,
    streamer_id: int,
    donation_id: int,
    donor_name: str | None,
    message: str,
    amount_minor: int,
    held: bool = False,
) -> bool:
    """Give a paid donation its alert, with the text that may leave us. False: it has one already.

    If the streamer shows no alerts now, or none of such a donation, it is dropped at once: a replay can still show it.
    """
    alert = await queries.alerts.insert_donation_alert(
        connection,
        streamer_id=streamer_id,
        donation_id=donation_id,
        donor_name=donor_name,
        message=message,
        amount_minor=amount_minor,
        held=held,
    )
    return alert is not None


async def enqueue_test(
    connection: Any, streamer_id: int, amount_minor: int, donor_name: str | None, message: str
) -> uuid.UUID:
    """Queue a test alert: played like any other, counted nowhere. Returns its alert_id."""
    alert_id = await queries.alerts.insert_test_alert(
        connection,
        streamer_id=streamer_id,
        amount_minor=amount_minor,
        donor_name=donor_name,
        message=message,
    )
    if alert_id is None:
        raise NotFoundError("streamer")
    return uuid.UUID(str(alert_id))


async def enqueue_goal(connection: Any, goal_id: int) -> bool:
    """Queue a reached goal's celebration, behind the alert that reached it. False: it has one already."""
    alert = await queries.alerts.insert_goal_alert(connection, goal_id=goal_id, duration_ms=CELEBRATION_MS)
    return alert is not None


async def replay(connection: Any, streamer_id: int, donation_id: int) -> uuid.UUID | None:
    """Show a paid donation once more, as it may leave us; no total changes and bots hear of no donation.

    None: it is not paid, was charged back, or is not this streamer's; or a replay of it waits or plays already, so that
    two presses show it once.
    """
    donation = await queries.alerts.get_replayed_donation(connection, streamer_id=streamer_id, donation_id=donation_id)
    if donation is None:
        return None
    alert_id = await queries.alerts.insert_replay_alert(
        connection,
        streamer_id=streamer_id,
        donation_id=donation_id,
    )
    return None if alert_id is None else uuid.UUID(str(alert_id))


async def approve(connection: Any, streamer_id: int, alert_id: uuid.UUID) -> bool:
    """Let a held alert into the queue, at its end. False: it is not held, or its donation was refunded."""
    row = await queries.alerts.approve_alert(connection, streamer_id=streamer_id, alert_id=alert_id)
    return row is not None


async def drop(connection: Any, streamer_id: int, alert_id: uuid.UUID) -> bool:
    """Decide that a waiting alert is never shown. False: it does not wait (any more)."""
    row = await queries.alerts.drop_alert(connection, streamer_id=streamer_id, alert_id=alert_id)
    return await _settle(connection, row)


@dataclass(frozen=True)
class Skipped:
    lease_id: uuid.UUID | None
    """The showing that was cut short; None: it was not on a screen."""


async def skip(connection: Any, streamer_id: int, alert_id: uuid.UUID) -> Skipped | None:
    """End the alert that plays, or was about to. None: this very alert neither plays nor waits."""
    row = await queries.alerts.skip_alert(connection, streamer_id=streamer_id, alert_id=alert_id)
    return Skipped(row["lease_id"]) if await _settle(connection, row) else None


async def take_off(connection: Any, streamer_id: int, donation_id: int) -> bool:
    """Show nothing more of this donation: what waits is dropped, what plays is ended. What waits in a summary stays in
    it. True: there was something."""
    rows = queries.alerts.list_unshown_alerts_of(connection, streamer_id=streamer_id, donation_id=donation_id)
    unshown = [row async for row in rows]
    for row in unshown:
        if not await drop(connection, streamer_id, row["alert_id"]):
            await skip(connection, streamer_id, row["alert_id"])
    return bool(unshown)


async def withdraw_for_refund(connection: Any, donation_id: int) -> bool:
    """Take back a refunded donation's alerts that were not shown yet; what plays may finish."""
    await queries.alerts.lock_summaries_of_donation(connection, donation_id=donation_id)
    rows = [row async for row in queries.alerts.drop_refunded_alerts(connection, donation_id=donation_id)]
    await _refresh_summaries(connection, rows)
    return bool(rows)


async def withdraw_manual(connection: Any, manual_donation_id: int) -> None:
    """Take back the alerts of a deleted line written by hand; after the deletion, whose row keeps others out."""
    await queries.alerts.lock_summaries_of_manual(connection, manual_donation_id=manual_donation_id)
    rows = queries.alerts.drop_manual_alerts(connection, manual_donation_id=manual_donation_id)
    await _refresh_summaries(connection, [row async for row in rows])


async def _refresh_summaries(connection: Any, parts: Iterable[Any]) -> None:
    for part in parts:
        if part["summary_id"] is not None:
            await refresh_summary(connection, part["summary_id"])


async def list_queue(connection: Any, streamer_id: int, *, limit: int = 50) -> list[WaitingAlert]:
    """What waits, in the order it will play, then what is held."""
    rows = queries.alerts.list_queue(connection, streamer_id=streamer_id, kinds=KNOWN_KINDS, limit=limit)
    return [
        WaitingAlert(**{**row, "kind": AlertKind(row["kind"]), "status": AlertStatus(row["status"])})
        async for row in rows
    ]


async def measure_queue(connection: Any, streamer_id: int) -> QueueLength:
    return QueueLength(**await queries.alerts.measure_queue(connection, streamer_id=streamer_id))


# Names on a summary's plate; more would not fit.
SUMMARY_NAMES = 12


async def refresh_summary(connection: Any, summary_id: int) -> None:
    """Make a waiting summary say what its parts still are; without parts it is dropped."""
    await queries.alerts.drop_refunded_parts(connection, summary_id=summary_id)
    parts = await queries.alerts.measure_parts(connection, summary_id=summary_id, names_limit=SUMMARY_NAMES)
    if parts["donations"] == 0:
        await queries.alerts.drop_empty_summary(connection, summary_id=summary_id)
        return
    message = ", ".join(parts["names"])
    await queries.alerts.update_summary(
        connection,
        summary_id=summary_id,
        amount_minor=parts["amount_minor"],
        donations=parts["donations"],
        message=message,
    )


async def settle_summary(connection: Any, summary_id: int) -> None:
    """Give a summary's parts its own end, if it has come to one."""
    await queries.alerts.settle_parts(connection, summary_id=summary_id)


async def _settle(connection: Any, row: Any) -> bool:
    if row is None:
        return False
    if row["kind"] == AlertKind.SUMMARY:
        await settle_summary(connection, row["id"])
    return True
