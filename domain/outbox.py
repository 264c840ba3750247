"""The outbox: facts and wishes written in the transaction they belong to; the relay publishes them (DESIGN 8)."""

from collections.abc import Sequence
from typing import Any

from domain.events import Actor, EventType
from infra import queries


async def add_event(connection: Any, event: EventType, data: dict[str, Any]) -> None:
    """Record a fact. `data` is JSON: ids, kopecks, and only text that may leave us."""
    await queries.outbox.insert_event(connection, name=event, data=data)


async def add_events(connection: Any, facts: Sequence[tuple[EventType, dict[str, Any]]]) -> None:
    """Record several facts in one statement, to be published in this order."""
    await queries.outbox.insert_events(
        connection, names=[event for event, _ in facts], data=[data for _, data in facts]
    )


async def add_task(connection: Any, actor: Actor, argument: int, *, delay_seconds: float = 0) -> None:
    """Ask an actor to act on a row, at once or once after `delay_seconds`."""
    await queries.outbox.insert_task(
        connection, name=actor, data={"argument": argument}, delay_seconds=float(delay_seconds)
    )
