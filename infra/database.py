"""PostgreSQL: the pool of a program."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg


async def _prepare_connection(connection: Any) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _keep_session(_connection: Any) -> None:
    """Nothing of ours changes a session's settings, so a connection needs no round trip to undo them when it is
    released; asyncpg itself still ends a transaction that was left open."""


async def open_pool(
    database_url: str, *, size: int, program: str, repeatable: bool = False, least: int = 1
) -> asyncpg.Pool:
    """A pool of up to `size` connections. Raises OSError or asyncpg.PostgresError when the database is away; with
    `least` 0 it opens all the same, and each use of it raises.

    A statement that takes over 15 s is an error of ours and is ended by the server. `repeatable`: all that is written
    may be lost in a crash and is then done again, so commits do not wait for the disk.
    """
    return await asyncpg.create_pool(
        database_url,
        min_size=least,
        max_size=size,
        init=_prepare_connection,
        reset=_keep_session,
        timeout=10,
        command_timeout=20,
        server_settings={
            "application_name": f"streamcash-{program}",
            "statement_timeout": "15s",
            "idle_in_transaction_session_timeout": "60s",
            "timezone": "UTC",
            "jit": "off",
            "synchronous_commit": "off" if repeatable else "on",
        },
    )


async def connect_patiently(database_url: str, *, program: str) -> Any:
    """A connection for reading much, whose statements may take ten minutes; raises as `open_pool` does.

    The caller closes it. Not from a pool: it would be missing there.
    """
    connection = await asyncpg.connect(
        database_url,
        timeout=10,
        server_settings={
            "application_name": f"streamcash-{program}",
            "statement_timeout": "600s",
            "idle_in_transaction_session_timeout": "60s",
            "timezone": "UTC",
            "jit": "off",
        },
    )
    await _prepare_connection(connection)
    return connection


@contextlib.asynccontextmanager
async def look_at_one_moment(connection: Any) -> AsyncIterator[None]:
    """All statements inside see the database as it was at the first of them, and none may write."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield


# What a statement raises when PostgreSQL is away, restarting, or cut the connection: worth another try later.
DATABASE_AWAY: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # A server that shuts down says so between two messages, and the client believes itself in the middle of one.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)
