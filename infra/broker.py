"""The broker of work and events: RabbitMQ, or Dramatiq's Redis broker where there is none (DESIGN 21).

Workers get a Dramatiq broker; the relay gets a `Publisher`, the only thing that publishes (DESIGN 8).
"""

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import Any, Protocol

import aiormq
import dramatiq
import uvloop
from aiormq.abc import AbstractConnection
from aiormq.channel import Channel
from dramatiq.asyncio import EventLoopThread, set_event_loop_thread
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import dq_name, xq_name
from dramatiq.middleware import AgeLimit, AsyncIO, Middleware, Retries, ShutdownNotifications, TimeLimit
from pamqp.commands import Basic

from infra.settings import Settings

log = logging.getLogger(__name__)

# Dead letters are kept for a week, as Dramatiq does.
_DEAD_MESSAGE_TTL_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True)
class TaskMessage:
    """A wish for one actor; `message_id` is the same when it is published again."""

    queue: str
    actor: str
    argument: int
    message_id: str

    def as_dramatiq(self) -> dramatiq.Message[None]:
        return dramatiq.Message(
            queue_name=self.queue,
            actor_name=self.actor,
            args=(self.argument,),
            kwargs={},
            options={},
            message_id=self.message_id,
        )


@dataclass(frozen=True)
class EventMessage:
    """A fact for the exchange, already encoded."""

    routing_key: str
    body: bytes
    message_id: str


class BrokerAwayError(Exception):
    """The broker cannot be reached now: nothing is wrong with the message."""


class UnroutableError(Exception):
    """The broker took the message and had no queue for it."""


class Publisher(Protocol):
    """Publishes with confirmation; raises BrokerAwayError or UnroutableError."""

    async def send_task(self, message: TaskMessage) -> None: ...
    async def send_event(self, message: EventMessage, /) -> None: ...
    async def count_dead_letters(self) -> dict[str, int]:
        """By queue, those that have any: messages that were tried as often as they may be. Raises BrokerAwayError."""

    async def close(self) -> None: ...


class FastAsyncIO(AsyncIO):
    """Dramatiq's AsyncIO middleware with a loop of uvloop: an actor's many small waits cost about a third less."""

    def before_worker_boot(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        thread = EventLoopThread(self.logger)
        thread.loop.close()
        thread.loop = uvloop.new_event_loop()
        thread.start(timeout=1.0)
        set_event_loop_thread(thread)


class WorkerRabbitmqBroker(RabbitmqBroker):
    """Dramatiq's, without the connections it keeps for publishing in each thread.

    A worker publishes seldom, a retry now and then, and meanwhile nothing would answer their heartbeats: RabbitMQ cuts
    them off, and the next retry begins with an error.
    """

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> dramatiq.Consumer:
        try:
            return super().consume(queue_name, prefetch, timeout)
        finally:
            del self.connection

    def enqueue(self, message: dramatiq.Message[Any], *, delay: int | None = None) -> dramatiq.Message[Any]:
        try:
            return super().enqueue(message, delay=delay)
        finally:
            del self.connection


def make_worker_broker(settings: Settings, middleware: list[Middleware]) -> dramatiq.Broker:
    """Dramatiq's broker for a worker process; `middleware` comes after AsyncIO, so its hooks have a loop."""
    stack: list[Middleware] = [
        AgeLimit(),
        TimeLimit(),
        ShutdownNotifications(),
        Retries(),
        FastAsyncIO(),
        *middleware,
    ]
    if settings.rabbitmq_url is not None:
        return WorkerRabbitmqBroker(url=settings.rabbitmq_url, middleware=stack, confirm_delivery=True)
    return RedisBroker(url=settings.redis_url, middleware=stack)  # type: ignore[no-untyped-call]


async def open_publisher(settings: Settings, *, queues: list[str], exchange: str) -> Publisher:
    """Connect the relay's end and declare what it publishes to. Raises BrokerAwayError."""
    if settings.rabbitmq_url is not None:
        return await RabbitPublisher.open(settings.rabbitmq_url, queues=queues, exchange=exchange)
    return RedisPublisher(settings.redis_url, queues)


_AWAY = (aiormq.exceptions.AMQPError, OSError, asyncio.TimeoutError, RuntimeError)


class RabbitPublisher:
    """One connection and channel with confirms; calls may overlap, so that confirms are pipelined."""

    def __init__(self, connection: AbstractConnection, channel: Channel, exchange: str, queues: list[str]) -> None:
        self._connection = connection
        self._channel = channel
        self._exchange = exchange
        self._queues = queues

    @classmethod
    async def open(cls, url: str, *, queues: list[str], exchange: str) -> "RabbitPublisher":
        """Declare each queue exactly as Dramatiq does: RabbitMQ confirms, and drops, what no queue takes."""
        connection: AbstractConnection | None = None
        try:
            connection = await asyncio.wait_for(aiormq.connect(url), 10)
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            assert isinstance(channel, Channel), "its `wait` option is not in the abstract class"
            await channel.exchange_declare(exchange=exchange, exchange_type="topic", durable=True)
            for queue in queues:
                dead = xq_name(queue)
                arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}
                await channel.queue_declare(queue=queue, durable=True, arguments=arguments)  # type: ignore[arg-type]
                await channel.queue_declare(queue=dq_name(queue), durable=True, arguments=arguments)  # type: ignore[arg-type]
                await channel.queue_declare(queue=dead, durable=True, arguments={"x-message-ttl": _DEAD_MESSAGE_TTL_MS})
        except _AWAY as error:
            if connection is not None:
                with contextlib.suppress(*_AWAY):
                    await asyncio.wait_for(connection.close(), 5)
            raise BrokerAwayError(f"RabbitMQ is away: {type(error).__name__}") from error
        return cls(connection, channel, exchange, queues)

    async def send_task(self, message: TaskMessage) -> None:
        await self._publish("", message.queue, message.as_dramatiq().encode(), message.message_id, mandatory=True)

    async def send_event(self, message: EventMessage) -> None:
        """Nobody needs to have bound a queue to events."""
        await self._publish(self._exchange, message.routing_key, message.body, message.message_id, mandatory=False)

    async def _publish(self, exchange: str, routing_key: str, body: bytes, message_id: str, *, mandatory: bool) -> None:
        properties = Basic.Properties(
            delivery_mode=2, content_type="application/json", message_id=f"{message_id}:{routing_key}"
        )
        try:
            confirmed = await self._channel.basic_publish(
                body,
                exchange=exchange,
                routing_key=routing_key,
                properties=properties,
                mandatory=mandatory,
                wait=False,
            )
        except aiormq.exceptions.PublishError as error:
            raise UnroutableError(f"no queue takes {routing_key}") from error
        except _AWAY as error:
            raise BrokerAwayError(f"RabbitMQ is away: {type(error).__name__}") from error
        if not isinstance(confirmed, Basic.Ack):
            raise BrokerAwayError("RabbitMQ did not confirm")

    async def count_dead_letters(self) -> dict[str, int]:
        counts = {}
        try:
            async with asyncio.timeout(5):
                for queue in self._queues:
                    # A channel of its own: asking for a queue that somebody deleted closes it.
                    channel = await self._connection.channel()
                    with contextlib.suppress(aiormq.exceptions.ChannelNotFoundEntity):
                        counts[queue] = (await channel.queue_declare(xq_name(queue), passive=True)).message_count or 0
                        await channel.close()
        except _AWAY as error:
            raise BrokerAwayError(f"RabbitMQ is away: {type(error).__name__}") from error
        return {queue: count for queue, count in counts.items() if count}

    async def close(self) -> None:
        with contextlib.suppress(*_AWAY):
            await asyncio.wait_for(self._connection.close(), 5)


class RedisPublisher:
    """Dramatiq's Redis broker; it has no exchange, so events reach only our own actors."""

    def __init__(self, redis_url: str, queues: list[str]) -> None:
        self._queues = queues
        self._broker = RedisBroker(url=redis_url, middleware=[])  # type: ignore[no-untyped-call]

    async def send_task(self, message: TaskMessage) -> None:
        try:
            await asyncio.to_thread(self._broker.enqueue, message.as_dramatiq())
        except Exception as error:
            raise BrokerAwayError(f"Redis is away: {type(error).__name__}") from error

    async def send_event(self, _message: EventMessage) -> None:
        return

    async def count_dead_letters(self) -> dict[str, int]:
        try:
            return await asyncio.to_thread(self._count_dead_letters)
        except Exception as error:
            raise BrokerAwayError(f"Redis is away: {type(error).__name__}") from error

    def _count_dead_letters(self) -> dict[str, int]:
        # Dramatiq keeps them in a sorted set for each queue.
        names = {queue: f"{self._broker.namespace}:{xq_name(queue)}" for queue in self._queues}
        counts = {queue: int(self._broker.client.zcard(name)) for queue, name in names.items()}
        return {queue: count for queue, count in counts.items() if count}

    async def close(self) -> None:
        await asyncio.to_thread(self._broker.close)
