"""`GET /health`: may requests be served, and what is behind them (contracts: 200 or 503, `status`, `services`)."""

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from quart import Blueprint, Response, jsonify

from infra import queries
from infra.database import DATABASE_AWAY
from infra.redis import REDIS_AWAY
from web.context import Parts, parts

blueprint = Blueprint("health", __name__)

CHECK_SECONDS = 2.0
RABBITMQ_KEEP_SECONDS = 5.0
OUTBOX_LATE_SECONDS = 10.0
"""The oldest row of the outbox is published within a second or two unless the relay or RabbitMQ is away."""

RELAY_SILENT_SECONDS = 15.0
"""A relay renews itself every five seconds."""

_AMQP_HEADER = b"AMQP\x00\x00\x09\x01"
_METHOD_FRAME = 1


@dataclass
class _LastLook:
    at: float = float("-inf")
    connected: bool = False


@blueprint.get("/health")
async def show() -> tuple[Response, int]:
    held = parts()
    looked, redis_connected, rabbitmq_connected = await asyncio.gather(
        _look_at_database(held), _redis_answers(held), _rabbitmq_answers(held)
    )
    database_connected = looked is not None
    rows, oldest_seconds, relays = looked or (None, None, None)
    uses_rabbitmq = held.settings.rabbitmq_url is not None
    relay_late = oldest_seconds is not None and oldest_seconds > OUTBOX_LATE_SECONDS
    listening = None if relays is None else relays["listening"]
    all_well = (
        database_connected
        and redis_connected
        and (rabbitmq_connected or not uses_rabbitmq)
        and not relay_late
        and bool(listening)
    )
    body = {
        "status": "healthy" if all_well else "degraded",
        "services": {
            "database": _word(database_connected),
            "redis": _word(redis_connected),
            "rabbitmq": _word(rabbitmq_connected),
        },
        "broker": "rabbitmq" if uses_rabbitmq else "redis",
        "outbox": {
            "rows": rows,
            "oldest_seconds": None if oldest_seconds is None else round(oldest_seconds, 1),
            "relay": "unknown" if looked is None else "late" if relay_late else "on time",
        },
        # Null is what nobody knows: the database is away, no relay lives, or it does not reach the broker.
        "relays": {
            "running": None if relays is None else relays["running"],
            "listening": listening,
            "dead_letters": None if relays is None else relays["dead_letters"],
        },
    }
    return jsonify(body), 200 if database_connected else 503


def _word(connected: bool) -> str:
    return "connected" if connected else "disconnected"


async def _look_at_database(held: Parts) -> tuple[int, float, Any] | None:
    """How many rows of the outbox wait, for how long the oldest does, and what relays say of themselves; None when
    PostgreSQL is away."""
    try:
        async with asyncio.timeout(CHECK_SECONDS), held.pool.acquire() as connection:
            row = await queries.outbox.read_outbox_age(connection)
            relays = await queries.relays.read_relays(connection, silent_seconds=RELAY_SILENT_SECONDS)
            return row["rows"], row["oldest_seconds"], relays
    except DATABASE_AWAY:
        return None


async def _redis_answers(held: Parts) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return bool(await held.redis.ping())
    except REDIS_AWAY:
        return False


_rabbitmq = _LastLook()


async def _rabbitmq_answers(held: Parts) -> bool:
    """The site itself never talks to RabbitMQ, so it only asks whether a broker greets it, seldom."""
    if held.settings.rabbitmq_url is None:
        return False
    if time.monotonic() - _rabbitmq.at > RABBITMQ_KEEP_SECONDS:
        _rabbitmq.at = time.monotonic()
        _rabbitmq.connected = await amqp_greets(held.settings.rabbitmq_url)
    return _rabbitmq.connected


async def amqp_greets(url: str) -> bool:
    """True when what listens there answers AMQP's header with its first method, connection.start."""
    split = urlsplit(url)
    tls = split.scheme == "amqps"
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            reader, writer = await asyncio.open_connection(
                split.hostname or "localhost", split.port or (5671 if tls else 5672), ssl=tls or None
            )
            try:
                writer.write(_AMQP_HEADER)
                return (await reader.readexactly(7))[0] == _METHOD_FRAME
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
