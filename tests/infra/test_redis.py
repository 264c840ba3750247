"""Redis serves a crowd: whoever finds all connections in use waits for one."""

import asyncio
from typing import Any

from infra.redis import MAX_CONNECTIONS, open_redis, publish

CHANNEL = "streamcash:test-crowd"


async def test_wake_ups_of_a_crowd_are_all_published(redis_url: str) -> None:
    redis, ears = open_redis(redis_url), open_redis(redis_url)
    texts = [str(number) for number in range(MAX_CONNECTIONS * 4)]
    async with ears.pubsub(ignore_subscribe_messages=True) as heard, asyncio.timeout(20):
        await heard.subscribe(CHANNEL)
        await asyncio.gather(*(publish(redis, CHANNEL, [text]) for text in texts))
        found: set[str] = set()
        while len(found) < len(texts):
            message = await heard.get_message(timeout=1)
            if message is not None:
                found.add(message["data"].decode())
    await redis.aclose()
    await ears.aclose()


async def test_whoever_stops_waiting_takes_no_connection_away(redis_url: str) -> None:
    redis = open_redis(redis_url)
    calls: list[asyncio.Future[Any]] = [
        asyncio.ensure_future(redis.blpop(["streamcash:test-nothing"], timeout=30)) for _ in range(100)
    ]
    await asyncio.sleep(0.2)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert await asyncio.gather(*(redis.ping() for _ in range(100))) == [True] * 100
    await redis.aclose()
