"""The database of a process that must outlive its absence: no socket closes because PostgreSQL is away."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from infra.database import DATABASE_AWAY, open_pool

log = logging.getLogger(__name__)

ACQUIRE_SECONDS = 10.0
"""One that is away refuses at once; this is for one that is only busy, and callers have limits of their own."""
RETRY_SECONDS = 1.0
CHECK_SECONDS = 2.0


class DatabaseNotReadyError(OSError):
    """PostgreSQL has not answered since this program started. One of DATABASE_AWAY."""


class Database:
    def __init__(self, database_url: str, pool_size: int) -> None:
        self._database_url = database_url
        self._pool_size = pool_size
        self._pool: asyncpg.Pool | None = None

    async def open(self) -> None:
        """Returns once PostgreSQL has answered, however long that takes."""
        while self._pool is None:
            try:
                self._pool = await open_pool(self._database_url, size=self._pool_size, program="realtime")
            except DATABASE_AWAY as error:
                log.warning("PostgreSQL is away, trying again in %.0f s: %s", RETRY_SECONDS, type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def close(self) -> None:
        if self._pool is None:
            return
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self._pool.close()
        except DATABASE_AWAY:
            self._pool.terminate()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """A connection outside any transaction. Raises one of DATABASE_AWAY."""
        if self._pool is None:
            raise DatabaseNotReadyError
        async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def answers(self) -> bool:
        try:
            async with asyncio.timeout(CHECK_SECONDS), self.connection() as connection:
                return bool(await connection.fetchval("SELECT true"))
        except DATABASE_AWAY:
            return False
