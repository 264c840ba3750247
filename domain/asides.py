"""What is done beside something that matters more, above all beside the booking of money, and must not keep it back."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import asyncpg

log = logging.getLogger(__name__)

_has_savepoints: ContextVar[bool] = ContextVar("has_savepoints", default=True)


class AsideFailedError(Exception):
    """Raised `without_savepoints` only: the caller's transaction is lost, and is to be done anew with them."""


@contextmanager
def without_savepoints() -> Iterator[None]:
    """Within, asides cost no round trips, and one that fails raises AsideFailedError out of the whole transaction."""
    token = _has_savepoints.set(False)
    try:
        yield
    finally:
        _has_savepoints.reset(token)


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
    has_savepoint = _has_savepoints.get()
    try:
        async with connection.transaction() if has_savepoint else nullcontext():
            yield result
    except asyncpg.TransactionRollbackError:
        raise
    except Exception as error:
        if connection.is_closed():
            raise
        if not has_savepoint:
            raise AsideFailedError(what) from error
        # A bug, or a row nobody had thought of. What this stands beside is done all the same.
        log.exception("%s failed; the rest is done without it", what)
        result.failed = True
