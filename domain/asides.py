"""What is done beside something that matters more, above all beside the booking of money, and must not keep it back."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

log = logging.getLogger(__name__)


@dataclass
class Aside:
    failed: bool = False


@asynccontextmanager
async def aside(connection: Any, what: str) -> AsyncIterator[Aside]:
    """A savepoint in the caller's transaction: what fails within is undone, logged with `what`, and goes no further.

    The caller reads `failed` afterwards and leaves a mark by which it is made up for. A deadlock and a lost connection
    go through: they say nothing against what was done, and the whole transaction is tried again.
    """
    result = Aside()
    try:
        async with connection.transaction():
            yield result
    except asyncpg.TransactionRollbackError:
        raise
    except Exception:
        if connection.is_closed():
            raise
        # A bug, or a row nobody had thought of. What this stands beside is done all the same.
        log.exception("%s failed; the rest is done without it", what)
        result.failed = True
