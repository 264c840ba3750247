"""Redis: whoever listens is told from when on it misses nothing, and of every gap; a crowd waits for a connection."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from infra.redis import MAX_CONNECTIONS, listen, open_redis, publish
from tests.support.servers import Servers

CHANNEL = "news"


@pytest.fixture
async def redis(redis_url: str) -> AsyncGenerator[Redis, None]:
    async with Redis.from_url(redis_url) as redis:
        yield redis


async def heard(wakes: AsyncGenerator[bytes | None, None]) -> bytes | None:
    async with asyncio.timeout(30):
        return await anext(wakes)


async def test_who_is_told_that_it_listens_misses_nothing(redis: Redis, redis_url: str) -> None:
    """Asking to listen is not yet listening: the server may have other things to do first."""
    address = urlsplit(redis_url)
    asked, let_go = asyncio.Event(), asyncio.Event()
    tasks: set[asyncio.Task[None]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, holds: bool) -> None:
        while data := await reader.read(65_536):
            if holds and b"SUBSCRIBE" in data:
                asked.set()
                await let_go.wait()
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(address.hostname, address.port)
        tasks.add(asyncio.create_task(pass_on(there, writer, holds=False)))
        await pass_on(reader, back, holds=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        wakes = listen(address._replace(netloc=f":{address.password}@127.0.0.1:{port}").geturl(), CHANNEL)
        told = asyncio.create_task(heard(wakes))
        await asked.wait()
        await asyncio.sleep(0.1)
        assert not told.done()
        let_go.set()
        assert await told is None
        assert await redis.publish(CHANNEL, "one") == 1
        assert await heard(wakes) == b"one"
        await wakes.aclose()
        await asyncio.gather(*tasks)


async def test_a_connection_that_was_lost_is_a_gap(redis: Redis, redis_url: str) -> None:
    wakes = listen(redis_url, CHANNEL)
    assert await heard(wakes) is None
    await redis.client_kill_filter(_type="pubsub")
    assert await heard(wakes) is None
    await redis.publish(CHANNEL, "two")
    assert await heard(wakes) == b"two"
    await wakes.aclose()


async def test_a_server_that_was_away_is_a_gap(redis: Redis, redis_url: str, services: Servers) -> None:
    wakes = listen(redis_url, CHANNEL)
    assert await heard(wakes) is None
    services.valkey.restart()
    assert await heard(wakes) is None
    await redis.publish(CHANNEL, "three")
    assert await heard(wakes) == b"three"
    await wakes.aclose()


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
