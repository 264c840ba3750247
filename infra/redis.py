"""Redis (or Valkey): wake-ups and short-lived counters. It may be away at any moment; nothing waits for it long."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Iterable

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

REDIS_AWAY: tuple[type[BaseException], ...] = (RedisError, OSError, TimeoutError)


MAX_CONNECTIONS = 32
CALL_SECONDS = 1
"""For a free connection, for connecting, for each of the two tries of a call."""


def open_redis(redis_url: str) -> Redis:
    """A client that connects when first used and gives up on a call within a few seconds.

    Of more calls at once than it has connections the others wait for one: a crowd is no sign that Redis is away.
    """
    pool = BlockingConnectionPool.from_url(
        redis_url,
        max_connections=MAX_CONNECTIONS,
        timeout=CALL_SECONDS,
        socket_connect_timeout=CALL_SECONDS,
        socket_timeout=CALL_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
    return Redis.from_pool(pool)


async def publish(redis: Redis, channel: str, texts: Iterable[str]) -> None:
    """Publish, best effort: who missed a wake-up looks at the database by itself within two seconds."""
    for text in texts:
        try:
            await redis.publish(channel, text)
        except REDIS_AWAY as error:
            log.warning("Redis is away, a wake-up was not published: %s", type(error).__name__)
            return


async def listen(redis_url: str, channel: str) -> AsyncGenerator[bytes | None, None]:
    """What comes on a channel, for ever, reconnecting by itself.

    Yields None once the server has taken each (re)subscription: something may have been missed before it, and nothing
    is after it.
    """
    delay = 0.1
    while True:
        client = Redis.from_url(redis_url, socket_connect_timeout=1, health_check_interval=5)
        try:
            async with client.pubsub() as pubsub:
                await pubsub.subscribe(channel)
                async for message in pubsub.listen():
                    if message["type"] == "subscribe":
                        delay = 0.1
                        yield None
                    elif message["type"] == "message":
                        yield message["data"]
        except REDIS_AWAY as error:
            log.warning("Redis is away, listening again in %.1f s: %s", delay, type(error).__name__)
        finally:
            with contextlib.suppress(*REDIS_AWAY):
                await client.aclose()
        await asyncio.sleep(delay)
        delay = min(delay * 2, 2.0)
