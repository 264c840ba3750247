"""Keeping totals true to the ledger."""

from domain.events import Topic, Wake
from domain.totals import recount_if_stale
from tasks.runtime import Parts


async def update_totals(parts: Parts, streamer_id: int) -> None:
    """Count a streamer's totals anew if the ledger is ahead of them, and tell the dashboards to look."""
    async with parts.pool.acquire() as connection, connection.transaction():
        await recount_if_stale(connection, streamer_id)
    await parts.wake([Wake(streamer_id, frozenset({Topic.TOTALS}))])
