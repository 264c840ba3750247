"""Deleting accounts whose seven days are over (domain/erasure.py)."""

import logging

from domain import erasure
from domain.events import Topic, Wake
from tasks.runtime import Parts

log = logging.getLogger(__name__)


async def erase_account(parts: Parts, user_id: int) -> None:
    """Close, then erase in batches, then say that it is done. Stopped anywhere, the next run goes on there."""
    async with parts.pool.acquire() as connection, connection.transaction():
        begun = await erasure.begin(connection, user_id)
    if begun is None:
        return
    if begun.streamer_id is not None:
        # Its overlays and open dashboards leave at once.
        await parts.after_commit([Wake(begun.streamer_id, frozenset({Topic.CONTROLS, Topic.OVERLAYS}))])
        more = True
        while more:
            async with parts.pool.acquire() as connection, connection.transaction():
                more = await erasure.erase_texts(connection, begun.streamer_id)
    async with parts.pool.acquire() as connection, connection.transaction():
        await erasure.finish(connection, user_id)
    log.warning("account %d is erased, as its owner asked", user_id)
