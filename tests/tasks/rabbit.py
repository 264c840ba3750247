"""Our queues on the tests' RabbitMQ, seen from outside."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiormq
from dramatiq import Message
from dramatiq.common import xq_name

from domain.events import Queue


class Rabbit:
    """What is in our queues, read without disturbing them."""

    def __init__(self, url: str) -> None:
        self._url = url

    @contextlib.asynccontextmanager
    async def channel(self) -> AsyncIterator[Any]:
        connection = await aiormq.connect(self._url)
        try:
            yield await connection.channel()
        finally:
            await connection.close()

    async def purge(self) -> None:
        async with self.channel() as channel:
            for queue in Queue:
                await channel.queue_delete(queue)
                await channel.queue_delete(xq_name(queue))

    async def take_all(self, queue: str) -> list[bytes]:
        found: list[bytes] = []
        async with self.channel() as channel:
            while True:
                message = await channel.basic_get(queue, no_ack=True)
                if message.delivery_tag is None or not message.body:
                    return found
                found.append(bytes(message.body))

    async def until_holds(self, queue: str, messages: int) -> None:
        """Waits until so many wait to be taken."""
        async with self.channel() as channel, asyncio.timeout(20):
            while (await channel.queue_declare(queue, passive=True)).message_count != messages:
                await asyncio.sleep(0.05)

    async def until_consumed(self, queue: str) -> None:
        """Waits until somebody takes what comes into this queue."""
        async with self.channel() as channel, asyncio.timeout(40):
            while True:
                with contextlib.suppress(aiormq.exceptions.ChannelNotFoundEntity):
                    if (await channel.queue_declare(queue, passive=True)).consumer_count:
                        return
                # A queue that is not there closes the channel.
                if channel.is_closed:
                    channel = await channel.connection.channel()
                await asyncio.sleep(0.05)

    async def arguments_of(self, queue: Queue) -> list[int]:
        return [Message.decode(body).args[0] for body in await self.take_all(queue)]
