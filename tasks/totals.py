"""Keeping totals, and with them goals, true to the ledger."""

from domain import goal_progress
from domain.events import Topic, Wake
from domain.totals import are_behind, recount
from tasks.runtime import Parts


async def update_totals(parts: Parts, streamer_id: int) -> None:
    """Count a streamer's totals anew if the ledger is ahead of them, and tell the dashboards to look."""
    async with parts.pool.acquire() as connection:
        if not await are_behind(connection, streamer_id):
            # Asked after each payment, whose own wake the dashboards have had.
            return
        async with connection.transaction():
            recounted = await recount(connection, streamer_id)
            if recounted:
                await goal_progress.recount(connection, streamer_id)
    if recounted:
        await parts.wake([Wake(streamer_id, frozenset({Topic.TOTALS}))])
