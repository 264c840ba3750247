"""Listening on Redis: whoever listens is told from when on it misses nothing, and of every gap."""

import asyncio
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from infra.redis import listen
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
