"""Wakes the relays after a commit (DESIGN 8): coalesced, and never inside the transaction that wrote the rows."""

import asyncio
import logging
from collections.abc import Callable

import asyncpg

from infra import queries
from infra.database import DATABASE_AWAY

log = logging.getLogger(__name__)


class RelayWaker:
    """`wake()` returns at once; while one NOTIFY is on its way, further calls become one more.

    `get_pool` may answer None while the database has not been reached yet: then there is nothing to wake for.
    """

    def __init__(self, get_pool: Callable[[], asyncpg.Pool | None]) -> None:
        self._get_pool = get_pool
        self._again = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        self._again = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._notify(), name="wake-relays")

    async def _notify(self) -> None:
        while self._again:
            self._again = False
            pool = self._get_pool()
            if pool is None:
                return
            try:
                async with pool.acquire() as connection:
                    await queries.outbox.notify_outbox(connection)
            except DATABASE_AWAY as error:
                # The relay looks by itself every second.
                log.warning("could not wake the relay: %s", type(error).__name__)

    async def close(self) -> None:
        if self._task is not None:
            await self._task
