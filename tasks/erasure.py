"""Deleting accounts whose seven days are over (domain/erasure.py)."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from domain import erasure
from domain.events import Topic, Wake
from tasks.runtime import Parts

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.2


async def erase_account(parts: Parts, user_id: int) -> None:
    """Close, then erase in batches, then say that it is done. Stopped anywhere, the next run goes on there."""
    async with parts.pool.acquire() as connection, connection.transaction():
        begun = await erasure.begin(connection, user_id)
    if begun is None:
        return
    if begun.streamer_id is not None:
        # Its overlays and open dashboards leave at once.
        await parts.after_commit([Wake(begun.streamer_id, frozenset({Topic.CONTROLS, Topic.OVERLAYS}))])
        async with parts.pool.acquire() as connection, connection.transaction():
            await erasure.erase_settings(connection, begun.streamer_id)
    is_finished = False
    while not is_finished:
        if begun.streamer_id is not None:
            for step in erasure.STEPS:
                await _erase(parts, step, begun.streamer_id)
        async with parts.pool.acquire() as connection, connection.transaction():
            is_finished = await erasure.finish(connection, user_id, begun.streamer_id)
    log.warning("account %d is erased, as its owner asked", user_id)


async def _erase(parts: Parts, step: Callable[..., Any], streamer_id: int) -> None:
    """One step through all its rows, again and again until nobody was at work on any of them."""
    is_whole = False
    while not is_whole:
        is_whole, after_id = True, 0
        while True:
            async with parts.pool.acquire() as connection, connection.transaction():
                batch = await erasure.erase_batch(connection, step, streamer_id, after_id=after_id)
            if batch.last_id is None:
                break
            after_id, is_whole = batch.last_id, is_whole and batch.erased == batch.found
        if not is_whole:
            await asyncio.sleep(_PAUSE_SECONDS)
