"""Once a minute: what stands still, by its state alone, is asked for again (DESIGN 9).

RabbitMQ may have lost any message; nothing here trusts that one is on its way. Payments have their own times
(`ask_due_payments`), which the relay looks at every second.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from domain import (
    blocks,
    booking,
    erasure,
    exports,
    holds,
    inbox,
    letters,
    media_files,
    outbox,
    refunds,
    registry,
    retention,
    self_check,
    webhook_events,
)
from domain.asides import aside
from domain.events import Actor
from domain.overlays import bury_dead_processes
from infra import queries

log = logging.getLogger(__name__)

_LOCK = 0x5377656570  # "Sweep"
_FORGET_LOCK = 0x466F72676574  # "Forget"
_SCHEDULE_LOCK = 0x536368  # "Sch"
# Realtime processes bury each other sooner, and tell dashboards of it; this is for when none of them lives.
_SILENT_PROCESS_SECONDS = 60.0


async def sweep(connection: Any) -> int:
    """Ask for all that stands still, in the caller's transaction; how many wishes. One relay sweeps at a time.

    What one part of it fails at, the others do not wait for: this is the net under everything else.
    """
    if not await queries.sweeps.try_lock(connection, lock=_LOCK):
        return 0
    asked = 0
    for ask in _ASKING:
        async with aside(connection, f"Sweeping, {ask.__module__}.{ask.__qualname__},"):
            asked += await ask(connection)
    for tidy in _TIDYING:
        async with aside(connection, f"Tidying, {tidy.__module__}.{tidy.__qualname__},"):
            await tidy(connection)
    # Last: it holds rows that realtime processes want.
    async with aside(connection, "Burying dead realtime processes"):
        await bury_dead_processes(connection, silent_seconds=_SILENT_PROCESS_SECONDS)
    if asked:
        log.info("asked again for %d things that stood still", asked)
    return asked


async def forget(connection: Any, keep_days: Mapping[str, int]) -> int:
    """Forget a batch of what was kept long enough, in the caller's transaction; how many rows."""
    if not await queries.sweeps.try_lock(connection, lock=_FORGET_LOCK):
        return 0
    forgotten = await retention.forget_old(connection, keep_days)
    if forgotten:
        log.info("forgot %d rows that were kept long enough", forgotten)
    return forgotten


async def ask_waiting_overlays(connection: Any) -> int:
    return await _ask(connection, Actor.WAKE_OVERLAY, queries.sweeps.list_waiting_streamers(connection))


async def ask_stale_totals(connection: Any) -> int:
    return await _ask(connection, Actor.UPDATE_TOTALS, queries.totals.list_stale_totals(connection, limit=100))


async def ask_unsettled_goals(connection: Any) -> int:
    return await _ask(connection, Actor.SETTLE_GOALS, queries.goals.list_unsettled(connection, limit=100))


async def _ask(connection: Any, actor: Actor, rows: AsyncIterator[Any]) -> int:
    streamer_ids = [row["streamer_id"] async for row in rows]
    for streamer_id in streamer_ids:
        await outbox.add_task(connection, actor, streamer_id)
    return len(streamer_ids)


async def delete_old_rows(connection: Any) -> None:
    await queries.donations.delete_old_forms(connection)
    await queries.relays.delete_dead_relays(connection)


_ASKING: tuple[Callable[[Any], Awaitable[int]], ...] = (
    inbox.ask_unprocessed,
    booking.ask_missing_alerts,
    refunds.ask_due,
    registry.ask_due,
    letters.ask_due,
    erasure.ask_due,
    holds.ask_due,
    exports.ask_due,
    media_files.ask_due,
    webhook_events.ask_forgotten,
    ask_waiting_overlays,
    ask_stale_totals,
    ask_unsettled_goals,
)
_TIDYING: tuple[Callable[[Any], Awaitable[None]], ...] = (
    delete_old_rows,
    blocks.forget_expired,
)


async def ask_for_self_checks(connection: Any) -> int:
    """Ask for the runs of `self_check` whose time has come, in the caller's transaction; how many."""
    if not await queries.sweeps.try_lock(connection, lock=_SCHEDULE_LOCK):
        return 0
    return await self_check.ask_due_runs(connection)
