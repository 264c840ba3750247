"""One batch of the outbox: published, written down for webhooks, taken out (DESIGN 8).

claim ──▶ publish, and wait for the confirms ──▶ note for webhooks ──▶ delete
               │ fails alone: later                  │ cannot be noted: stays, and is published once more
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain import webhook_events
from domain.asides import aside
from domain.events import QUEUE_OF, SUBSCRIBERS, Actor, EventType
from infra import queries
from infra.broker import BrokerAwayError, EventMessage, Publisher, TaskMessage, UnroutableError

log = logging.getLogger(__name__)

BATCH = 200
CONFIRM_TIMEOUT_SECONDS = 5.0
NOTING_TRIES = 10
"""So often an event is published again because it could not be noted for webhooks; then they never hear of it."""


@dataclass(frozen=True)
class Published:
    """What became of a batch. `failure` is to be raised after the commit: the rest of the batch is done."""

    is_full: bool
    """There is probably more."""
    has_asked: bool = False
    """There are new wishes in the outbox."""
    unasked: frozenset[int] = frozenset()
    """Webhooks that somebody held: after the commit they are to be settled."""
    failure: BaseException | None = None


async def publish_batch(connection: Any, publisher: Publisher) -> Published:
    """Publish what may be published now, in the caller's transaction.

    The rows stay locked until they are confirmed and deleted: the one place where a transaction spans the
    network. A row that fails alone, for whatever reason, gets its own back-off; a broker that is away keeps the
    others as they are.
    """
    rows = [row async for row in queries.outbox.claim_outbox(connection, limit=BATCH)]
    if not rows:
        return Published(is_full=False)
    away: BaseException | None = None
    unforeseen: BaseException | None = None
    published = []
    for row, result in zip(rows, await _send_all(publisher, rows), strict=True):
        if result is None:
            published.append(row)
        elif isinstance(result, (UnroutableError, PoisonError)):
            log.error("outbox row %d (%s) cannot be published: %s", row["id"], row["name"], result)
            await queries.outbox.postpone_outbox(connection, id=row["id"], error=str(result)[:500])
        elif isinstance(result, (BrokerAwayError, asyncio.CancelledError)):
            away = BrokerAwayError(str(result) or "no confirms in time")
        else:
            unforeseen = result
            await queries.outbox.postpone_outbox(connection, id=row["id"], error=repr(result)[:500])
    noted = await _note_for_webhooks(connection, published)
    await queries.outbox.delete_outbox(connection, ids=[row["id"] for row in published if row["id"] not in noted.left])
    return Published(len(rows) == BATCH, noted.has_any, noted.unasked, unforeseen or away)


async def _send_all(publisher: Publisher, rows: Sequence[Any]) -> list[BaseException | None]:
    """All at once, so that their confirms are pipelined; what became of each."""
    sending = [asyncio.create_task(_send(publisher, row)) for row in rows]
    _, late = await asyncio.wait(sending, timeout=CONFIRM_TIMEOUT_SECONDS)
    for task in late:
        task.cancel()
    return await asyncio.gather(*sending, return_exceptions=True)


async def _send(publisher: Publisher, row: Any) -> None:
    for message in messages_of(row):
        if isinstance(message, TaskMessage):
            await publisher.send_task(message)
        else:
            await publisher.send_event(message)


# Webhooks.


async def _note_for_webhooks(connection: Any, rows: Sequence[Any]) -> webhook_events.Noted:
    """Write down what webhooks want of these. What could not be noted stays, and is published once more."""
    told = [row for row in rows if row["kind"] == "event" and row["name"] in webhook_events.TOLD]
    if not told:
        return webhook_events.Noted(False)
    noted = await _note(connection, told)
    if noted is None:
        # One of them is at fault, and the others do not wait for it.
        each = {row["id"]: await _note(connection, [row]) for row in told}
        left = {id_ for id_, one in each.items() if one is None or one.left}
        done = [one for one in each.values() if one is not None]
        unasked = frozenset[int]().union(*(one.unasked for one in done))
        noted = webhook_events.Noted(any(one.has_any for one in done), frozenset(left), unasked)
    left = {row["id"] for row in told if row["id"] in noted.left and row["tries"] < NOTING_TRIES}
    for id_ in left:
        await queries.outbox.postpone_outbox(connection, id=id_, error="not noted for webhooks")
    if given_up := sorted(noted.left - left):
        log.error("webhooks never hear of outbox rows %s: they could not be noted", given_up)
    return webhook_events.Noted(noted.has_any, frozenset(left), noted.unasked)


async def _note(connection: Any, rows: Sequence[Any]) -> webhook_events.Noted | None:
    """None: it failed, and nothing was noted."""
    noted = None
    async with aside(connection, "Noting events for webhooks") as noting:
        noted = await webhook_events.note_events(connection, rows)
    return None if noting.failed else noted


# Messages.


class PoisonError(Exception):
    """A row nobody could ever publish: an unknown name, data of the wrong shape."""


def messages_of(row: Any) -> list[TaskMessage | EventMessage]:
    """What a row becomes on the wire: a task, or an event and a task for each actor that subscribes to it."""
    event_id = str(row["event_id"])
    try:
        if row["kind"] == "task":
            return [_task(Actor(row["name"]), row["data"]["argument"], event_id)]
        event = EventType(row["name"])
        envelope = {
            "id": event_id,
            "type": event,
            "occurred_at": row["created_at"].isoformat(),
            "data": row["data"],
        }
        body = json.dumps(envelope, ensure_ascii=False).encode()
        found: list[TaskMessage | EventMessage] = [EventMessage(event, body, event_id)]
        for actor, field in SUBSCRIBERS.get(event, ()):
            found.append(_task(actor, row["data"][field], event_id))
        return found
    except (ValueError, TypeError, KeyError) as error:
        raise PoisonError(f"{type(error).__name__}: {error}") from error


def _task(actor: Actor, argument: Any, message_id: str) -> TaskMessage:
    if not isinstance(argument, int):
        raise TypeError(f"the argument of {actor} is not an id")
    return TaskMessage(QUEUE_OF[actor], actor, argument, message_id)
