"""What webhooks are told of, and how it gets to them: with the event's way out of the outbox.

The relay publishes an event and, in the transaction that takes it out of the outbox, writes it down for each webhook
that wants it (docs/decisions/0042). So a booking knows nothing of webhooks, and an event is told exactly to those who
listened when it left. Numbers only: the words of donors are read when it is sent.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import asyncpg

from domain import outbox
from domain.events import Actor, EventType
from infra import queries

_sql = queries.webhook_deliveries

ASKED_SECONDS = 30.0
"""For so long a webhook is not asked for again: its message is on the way."""


LOCK_MS = 200
"""For so long a batch of events waits for the rows of webhooks, which are held for a few milliseconds at a time."""


@dataclass(frozen=True)
class Noted:
    has_any: bool
    """Something was written down."""
    left: frozenset[int] = frozenset()
    """Rows of the outbox of which something was not, since somebody is deleting a webhook: to be tried again."""
    unasked: frozenset[int] = frozenset()
    """Webhooks for which something was written while somebody held them: after the commit they are to be settled."""


class WebhookEvent(StrEnum):
    """In the words of the API; the order is that of the form."""

    DONATION_PAID = "donation.paid"
    DONATION_MODERATED = "donation.moderated"
    DONATION_REFUNDED = "donation.refunded"
    DONATION_CHARGED_BACK = "donation.charged_back"
    ALERT_SHOWN = "alert.shown"
    GOAL_REACHED = "goal.reached"


_FIELDS: dict[EventType, tuple[WebhookEvent, tuple[str, ...]]] = {
    EventType.PAYMENT_COMPLETED: (WebhookEvent.DONATION_PAID, ("donation_id",)),
    EventType.PAYMENT_REFUNDED: (WebhookEvent.DONATION_REFUNDED, ("donation_id", "refunded_minor")),
    EventType.PAYMENT_CHARGED_BACK: (
        WebhookEvent.DONATION_CHARGED_BACK,
        ("donation_id", "charged_back_minor", "reversed_minor"),
    ),
    EventType.DONATION_MODERATED: (WebhookEvent.DONATION_MODERATED, ("donation_id", "decision")),
    EventType.ALERT_SHOWN: (WebhookEvent.ALERT_SHOWN, ("alert_id",)),
    EventType.GOAL_REACHED: (WebhookEvent.GOAL_REACHED, ("goal_id",)),
}
TOLD: frozenset[str] = frozenset(_FIELDS)
"""The outbox's names of what webhooks may be told."""


def fact_of(name: str, data: Mapping[str, Any]) -> tuple[WebhookEvent, dict[str, Any]] | None:
    """What webhooks are told of an event of the outbox; None: nothing.

    Money that is not a donation's (paid twice, of another amount) is the streamer's own business. What the rules decide
    while a donation is paid stands in `donation.paid`.
    """
    event, fields = _FIELDS[EventType(name)]
    if data.get("booked_as", "donation") != "donation" or data.get("by") == "rules":
        return None
    return event, {field: data[field] for field in fields}


async def note_events(connection: Any, rows: Sequence[Any]) -> Noted:
    """Write down what webhooks want of these events of the outbox, whose names are in TOLD.

    In the transaction that deletes them, after they were published. Somebody who holds a webhook's row for long (a
    worker that froze) keeps nobody waiting for more than a moment, and swaps nothing: it is written down all the same,
    and the webhook is asked for when it is free.
    """
    streamer_ids = sorted({row["data"]["streamer_id"] for row in rows if "streamer_id" in row["data"]})
    owners = {row["id"]: row["streamer_id"] async for row in _sql.list_listening(connection, streamer_ids=streamer_ids)}
    if not owners:
        return Noted(False)
    listening, held, deleting = await _lock(connection, owners)
    told: list[tuple[int, Any, str, dict[str, Any], datetime]] = []
    left = set()
    for row in sorted(rows, key=lambda row: row["id"]):
        streamer_id = row["data"].get("streamer_id")
        webhooks = listening.get(streamer_id, [])
        fact = fact_of(row["name"], row["data"]) if webhooks or streamer_id in deleting else None
        if fact is not None and streamer_id in deleting:
            left.add(row["id"])
        for webhook in webhooks:
            if fact is not None and fact[0] in webhook["events"]:
                told.append((webhook["id"], row["event_id"], fact[0], fact[1], row["created_at"]))
    if not told:
        return Noted(False, frozenset(left))
    webhook_ids, event_ids, names, data, moments = (list(column) for column in zip(*told, strict=True))
    await _sql.insert_deliveries(
        connection, webhook_ids=webhook_ids, event_ids=event_ids, names=names, data=data, occurred_at=moments
    )
    await ask(connection, sorted(set(webhook_ids) - held))
    return Noted(True, frozenset(left), held & frozenset(webhook_ids))


async def _lock(
    connection: Any, owners: Mapping[int, int]
) -> tuple[dict[int, list[Any]], frozenset[int], frozenset[int]]:
    """Those that are still on, by streamer; which of them somebody else holds; the streamers of whom somebody is
    deleting one."""
    webhook_ids = list(owners)
    try:
        async with connection.transaction():
            await _sql.wait_shortly(connection, timeout=f"{LOCK_MS}ms")
            locked = [row async for row in _sql.lock_listening(connection, webhook_ids=webhook_ids)]
            await _sql.wait_shortly(connection, timeout="0")
        shared: list[Any] = []
        deleting: frozenset[int] = frozenset()
    except asyncpg.LockNotAvailableError:
        locked = [row async for row in _sql.lock_free_listening(connection, webhook_ids=webhook_ids)]
        others = sorted(owners.keys() - {row["id"] for row in locked})
        shared = [row async for row in _sql.share_held_listening(connection, webhook_ids=others)]
        still_on = _sql.list_listening(connection, streamer_ids=sorted(set(owners.values())))
        refused = set(others) - {row["id"] for row in shared}
        deleting = frozenset({row["streamer_id"] async for row in still_on if row["id"] in refused})
    listening: dict[int, list[Any]] = {}
    for row in (*locked, *shared):
        listening.setdefault(row["streamer_id"], []).append(row)
    return listening, frozenset(row["id"] for row in shared), deleting


async def ask(connection: Any, webhook_ids: Sequence[int], *, at_once: bool = False) -> None:
    """There is something to send to these; those that nobody was asked for yet are asked for. `at_once`: whatever they
    wait for."""
    rows = _sql.make_due(connection, webhook_ids=list(webhook_ids), seconds=ASKED_SECONDS, at_once=at_once)
    for row in [row async for row in rows]:
        await outbox.add_task(connection, Actor.SEND_WEBHOOK, row["id"])


async def ask_due(connection: Any, *, limit: int = 100) -> int:
    """Ask for the webhooks whose time has come; how many. The relay looks each second."""
    rows = [row async for row in _sql.claim_due(connection, seconds=ASKED_SECONDS, limit=limit)]
    for row in rows:
        await outbox.add_task(connection, Actor.SEND_WEBHOOK, row["id"])
    return len(rows)


async def ask_forgotten(connection: Any) -> int:
    """Where something waits and no time is written, it is due: the sweep's net under all that."""
    return await _wake_forgotten(connection, None)


async def settle(connection: Any, webhook_ids: Collection[int]) -> frozenset[int]:
    """What was written for these while somebody held them is due, or dropped where that was to switch it off. Those
    that are still held."""
    held = frozenset([row["id"] async for row in _sql.list_held(connection, webhook_ids=sorted(webhook_ids))])
    if free := sorted(set(webhook_ids) - held):
        await _wake_forgotten(connection, free)
    return held


async def _wake_forgotten(connection: Any, webhook_ids: list[int] | None) -> int:
    await _sql.drop_forgotten(connection, webhook_ids=webhook_ids)
    woken: str = await _sql.wake_forgotten(connection, webhook_ids=webhook_ids)
    return int(woken.rpartition(" ")[2])
