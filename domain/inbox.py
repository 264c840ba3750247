"""The inbox: providers' notifications, stored as they came before anyone acts on them (DESIGN 3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import outbox
from domain.events import Actor
from infra import queries


@dataclass(frozen=True)
class StoredNotification:
    id: int
    terminal_id: int
    provider: str
    body: bytes
    order_id: str | None
    processed_at: datetime | None
    payment_id: int | None
    """None: this terminal has no payment with that order id."""


# What a repeat may find changed: the order may have been written since, a newer version may understand, and a second
# refund of the same sum is told in the very words of the first.
_OPEN_OUTCOMES = ["unknown_order", "malformed", "asked"]


async def store_notification(
    connection: Any,
    *,
    terminal_id: int,
    dedup_key: str,
    body: bytes,
    order_id: str | None,
    provider_payment_id: str | None,
) -> int:
    """Keep a verified notification and ask the actor to act on it; returns how often it came before.

    `dedup_key` is equal for the same notification sent again, and for another that says exactly the same.
    """
    row = await queries.inbox.store_notification(
        connection,
        terminal_id=terminal_id,
        dedup_key=dedup_key,
        body=body,
        order_id=order_id,
        provider_payment_id=provider_payment_id,
        open_outcomes=_OPEN_OUTCOMES,
        actor=Actor.APPLY_NOTIFICATION,
    )
    return int(row["repeats"])


@dataclass(frozen=True)
class ToldPayment:
    """The payment of ours that an unsigned notification names."""

    id: int
    terminal_id: int


async def find_told_payment(
    connection: Any, *, provider: str, provider_payment_id: str | None, order_id: str | None
) -> ToldPayment | None:
    """By the provider's id, else by our order; None when no payment of ours is meant."""
    row = await queries.inbox.find_told_payment(
        connection, provider=provider, provider_payment_id=provider_payment_id, order_id=order_id
    )
    return None if row is None else ToldPayment(**row)


# The same wish again within so long is left to the sweeper.
_WISH_PAUSE_SECONDS = 10.0


async def store_wish(
    connection: Any,
    told: ToldPayment,
    *,
    dedup_key: str,
    body: bytes,
    order_id: str | None,
    provider_payment_id: str | None,
) -> int:
    """Keep an unsigned notification, which is only the wish to look at a payment; how often it came before."""
    row = await queries.inbox.store_wish(
        connection,
        terminal_id=told.terminal_id,
        dedup_key=dedup_key,
        body=body,
        order_id=order_id,
        provider_payment_id=provider_payment_id,
        pause_seconds=_WISH_PAUSE_SECONDS,
        actor=Actor.APPLY_NOTIFICATION,
    )
    return int(row["repeats"])


async def lock_unprocessed(connection: Any, inbox_id: int) -> StoredNotification | None:
    """The notification, locked; None when it is gone or everything was done about it."""
    row = await queries.inbox.lock_notification(connection, inbox_id=inbox_id)
    if row is None or row["processed_at"] is not None:
        return None
    return StoredNotification(**row)


async def finish(connection: Any, inbox_id: int, outcome: str, payment_id: int | None = None) -> None:
    await queries.inbox.finish_notification(connection, inbox_id=inbox_id, outcome=outcome, payment_id=payment_id)


async def ask_unprocessed(connection: Any, *, limit: int = 1000) -> int:
    """Ask again about notifications nobody has acted on; how many."""
    rows = [row async for row in queries.inbox.ask_unprocessed(connection, limit=limit)]
    for row in rows:
        await outbox.add_task(connection, Actor.APPLY_NOTIFICATION, row["id"])
    return len(rows)


NOTE_MAX_LENGTH = 500


async def ask_again(connection: Any, streamer_id: int, inbox_id: int) -> bool:
    """Look once more at a notification that nobody could place. False: it is not this streamer's, or was settled."""
    if await queries.inbox.ask_again(connection, streamer_id=streamer_id, inbox_id=inbox_id) is None:
        return False
    await outbox.add_task(connection, Actor.APPLY_NOTIFICATION, inbox_id)
    return True


async def settle(connection: Any, streamer_id: int, inbox_id: int, user_id: int, note: str) -> bool:
    """A person has dealt with it, and says how in up to NOTE_MAX_LENGTH characters. False: as with `ask_again`."""
    found = await queries.inbox.settle(
        connection,
        streamer_id=streamer_id,
        inbox_id=inbox_id,
        user_id=user_id,
        note=" ".join(note.split())[:NOTE_MAX_LENGTH],
    )
    return found is not None


LATE_SECONDS = 180
"""A notification that nobody has acted on for so long is worth a warning: the sweeper has asked more than once."""
HURRIED_AT_ONCE = 100


@dataclass(frozen=True)
class Late:
    """Notifications that wait for minutes: the worker does not run, or cannot process them."""

    late: int
    since: datetime | None


async def measure_late(connection: Any, streamer_id: int) -> Late:
    return Late(**await queries.inbox.measure_late(connection, streamer_id=streamer_id, late_seconds=LATE_SECONDS))


async def hurry_late(connection: Any, streamer_id: int) -> int:
    """Ask the actor once more about all that waits, up to a hundred; returns about how many."""
    rows = queries.inbox.hurry_late(connection, streamer_id=streamer_id, limit=HURRIED_AT_ONCE)
    ids = [row["id"] async for row in rows]
    for inbox_id in ids:
        await outbox.add_task(connection, Actor.APPLY_NOTIFICATION, inbox_id)
    return len(ids)


async def count_dead_letters(connection: Any) -> int:
    """Messages of the whole site that no retry will try again, as the relays last saw them; 0 while nobody knows."""
    row = await queries.relays.read_relays(connection, silent_seconds=60.0)
    return int(row["dead_letters"] or 0)
