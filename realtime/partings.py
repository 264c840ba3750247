"""Connections that are being ended, each by itself: one that reads nothing keeps nobody else waiting."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

PARTING_SECONDS = 5.0
"""So long a connection may take to hear why it is ended; then it is left to its pings."""


class Partings:
    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, show_out: Callable[[], Awaitable[None]]) -> None:
        """Returns at once."""
        task = asyncio.create_task(_part(show_out))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _part(show_out: Callable[[], Awaitable[None]]) -> None:
    try:
        async with asyncio.timeout(PARTING_SECONDS):
            await show_out()
    except TimeoutError:
        log.info("A connection that reads nothing was ended without a word")
    except Exception:
        log.exception("A connection could not be told why it is ended")
