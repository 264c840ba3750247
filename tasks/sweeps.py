"""Once a minute: what stands still, by its state alone, is asked for again (DESIGN 9).

RabbitMQ may have lost any message; nothing here trusts that one is on its way. Payments have their own times
(`ask_due_payments`), which the relay looks at every second.
"""

import logging
from collections.abc import Mapping
from typing import Any

from domain import (
    blocks,
    erasure,
    exports,
    holds,
    inbox,
    letters,
    outbox,
    refunds,
    registry,
    retention,
    self_check,
)
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
    """Ask for all that stands still, in the caller's transaction; how many wishes. One relay sweeps at a time."""
    if not await queries.sweeps.try_lock(connection, lock=_LOCK):
        return 0
    asked = await inbox.ask_unprocessed(connection)
    asked += await refunds.ask_due(connection)
    asked += await registry.ask_due(connection)
    asked += await letters.ask_due(connection)
    asked += await erasure.ask_due(connection)
    asked += await holds.ask_due(connection)
    asked += await exports.ask_due(connection)
    async for row in queries.sweeps.list_waiting_streamers(connection):
        await outbox.add_task(connection, Actor.WAKE_OVERLAY, row["streamer_id"])
        asked += 1
    async for row in queries.totals.list_stale_totals(connection, limit=100):
        await outbox.add_task(connection, Actor.UPDATE_TOTALS, row["streamer_id"])
        asked += 1
    async for row in queries.goals.list_unsettled(connection, limit=100):
        await outbox.add_task(connection, Actor.SETTLE_GOALS, row["streamer_id"])
        asked += 1
    await queries.donations.delete_old_forms(connection)
    await blocks.forget_expired(connection)
    await queries.relays.delete_dead_relays(connection)
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


async def ask_for_self_checks(connection: Any) -> int:
    """Ask for the runs of `self_check` whose time has come, in the caller's transaction; how many."""
    if not await queries.sweeps.try_lock(connection, lock=_SCHEDULE_LOCK):
        return 0
    return await self_check.ask_due_runs(connection)
