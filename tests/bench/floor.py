"""The floor under "notification → alert": what no program on these servers and libraries can be faster than.

    here ─commit─▶ PostgreSQL, ─publish with confirm─▶ RabbitMQ ▶ worker ─commit─▶ PostgreSQL, ─publish─▶ Redis
                                                                   ▶ socket process ─one WebSocket message─▶ here

Three processes without a line of ours on the way: `python -m tests.bench.floor worker|socket URL…`.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import aiormq
import asyncpg
import uvloop
import websockets
from aiormq.abc import AbstractChannel, DeliveredMessage
from pamqp.commands import Basic
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve

from infra.embedded import free_port
from tests.bench.pace import paced
from tests.support.programs import ProgramProcess, Stack

QUEUE = "bench-floor"
CHANNEL = "bench:floor"
BODY = "x" * 400
"""About the size of a notification."""
READY = "ready"
COMMIT = "INSERT INTO bench_floor (body) VALUES ($1)"
ALL_SECONDS = 30.0


class Floor:
    """This end of it: sends at a pace, and hears what comes back over the WebSocket."""

    def __init__(self, connection: asyncpg.Pool, channel: AbstractChannel, socket: ClientConnection) -> None:
        self._pool = connection
        self._channel = channel
        self._socket = socket
        self._heard_at: dict[int, float] = {}
        self._count = 0

    async def measure(self, count: int, *, per_second: float) -> list[float]:
        """Seconds from the beginning of each to its WebSocket message."""
        numbers = range(self._count, self._count + count)
        self._count += count
        hearing = asyncio.create_task(self._hear(count))
        began_at = await paced([partial(self._send, number) for number in numbers], per_second)
        async with asyncio.timeout(ALL_SECONDS):
            await hearing
        return [self._heard_at[number] - at for number, at in zip(numbers, began_at, strict=True)]

    async def _send(self, number: int) -> float:
        began_at = time.perf_counter()
        await self._pool.execute(COMMIT, BODY)
        body = json.dumps({"number": number, "body": BODY}).encode()
        await self._channel.basic_publish(body, routing_key=QUEUE, properties=Basic.Properties(delivery_mode=2))
        return began_at

    async def _hear(self, count: int) -> None:
        for _ in range(count):
            text = await self._socket.recv()
            self._heard_at[json.loads(text)["number"]] = time.perf_counter()


@asynccontextmanager
async def open_floor(stack: Stack) -> AsyncIterator[Floor]:
    """The two other processes, on the stack's servers, and what connects us to them."""
    database_url, redis_url = stack.environment["DATABASE_URL"], stack.environment["REDIS_URL"]
    rabbitmq_url = stack.environment["RABBITMQ_URL"]
    folder = Path(stack.environment["DATA_DIR"])
    port = free_port()
    async with AsyncExitStack() as opened:
        pool = await opened.enter_async_context(asyncpg.create_pool(database_url, min_size=4, max_size=4))
        await pool.execute("CREATE TABLE IF NOT EXISTS bench_floor (body text NOT NULL)")
        rabbitmq = await opened.enter_async_context(await aiormq.connect(rabbitmq_url))
        channel = await rabbitmq.channel(publisher_confirms=True)
        await channel.queue_declare(queue=QUEUE, durable=True)
        for name, arguments in (
            ("floor-worker", ["worker", database_url, rabbitmq_url, redis_url]),
            ("floor-socket", ["socket", redis_url, str(port)]),
        ):
            program = ["-m", "tests.bench.floor", *arguments]
            opened.enter_context(ProgramProcess(name, program, {}, log_dir=folder, ready_text=READY))
        address = f"ws://127.0.0.1:{port}"
        socket = await opened.enter_async_context(websockets.connect(address, proxy=None, compression=None))
        yield Floor(pool, channel, socket)


async def work(database_url: str, rabbitmq_url: str, redis_url: str) -> None:
    """Consume, commit, wake."""
    redis = Redis.from_url(redis_url)
    async with asyncpg.create_pool(database_url, min_size=4, max_size=4) as pool:
        rabbitmq = await aiormq.connect(rabbitmq_url)
        channel = await rabbitmq.channel()
        await channel.basic_qos(prefetch_count=16)

        async def act(message: DeliveredMessage) -> None:
            await pool.execute(COMMIT, BODY)
            await redis.publish(CHANNEL, message.body)
            assert message.delivery_tag is not None
            await channel.basic_ack(message.delivery_tag)

        await channel.basic_consume(QUEUE, act)
        print(READY, flush=True)
        await asyncio.Event().wait()


async def push(redis_url: str, port: str) -> None:
    """Hear from Redis, send to every WebSocket."""
    redis = Redis.from_url(redis_url)
    sockets: set[ServerConnection] = set()

    async def hold(socket: ServerConnection) -> None:
        sockets.add(socket)
        await socket.wait_closed()
        sockets.discard(socket)

    async with redis.pubsub(ignore_subscribe_messages=True) as pubsub, serve(hold, "127.0.0.1", int(port)):
        await pubsub.subscribe(CHANNEL)
        print(READY, flush=True)
        async for message in pubsub.listen():
            for socket in sockets:
                await socket.send(message["data"], text=True)


if __name__ == "__main__":
    role, *arguments = sys.argv[1:]
    uvloop.run(work(*arguments) if role == "worker" else push(*arguments))
