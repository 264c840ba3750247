"""What the relay knows and `/health` shows: dead letters, and whether it is woken."""

import asyncio
import contextlib
from typing import Any

import asyncpg
import pytest
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import xq_name

from domain.events import EVENTS_EXCHANGE, Queue
from infra.broker import open_publisher
from infra.settings import Settings
from tasks.relay import LISTENER_NAME, Relay
from tests.tasks.rabbit import Rabbit
from tests.tasks.test_relay import running_relay


async def die(rabbit: Rabbit, queue: Queue, messages: int = 1) -> None:
    """As Dramatiq leaves messages whose retries are used up."""
    async with rabbit.channel() as channel:
        for _ in range(messages):
            await channel.basic_publish(b"{}", routing_key=xq_name(queue))


async def until_relays_say(pool: asyncpg.Pool, expected: list[tuple[Any, ...]]) -> None:
    """Waits for these pairs of `listening` and `dead_letters`."""
    async with asyncio.timeout(40):
        while [tuple(row) for row in await pool.fetch("SELECT listening, dead_letters FROM relays")] != expected:
            await asyncio.sleep(0.05)


async def test_a_relay_says_what_it_knows_as_long_as_it_lives(
    pool: asyncpg.Pool, rabbit: Rabbit, settings: Settings
) -> None:
    async with running_relay(settings):
        await until_relays_say(pool, [(True, 0)])
    assert await pool.fetchval("SELECT count(*) FROM relays") == 0
    await die(rabbit, Queue.STATS)
    await die(rabbit, Queue.PAYMENTS, 2)
    async with running_relay(settings):
        await until_relays_say(pool, [(True, 3)])


@pytest.mark.usefixtures("rabbit")
async def test_a_lost_listener_is_shown_and_comes_back(
    pool: asyncpg.Pool, settings: Settings, database_url: str
) -> None:
    name = await pool.fetchval("SELECT current_database()")
    elsewhere = await asyncpg.connect(database_url)
    async with running_relay(settings):
        await until_relays_say(pool, [(True, 0)])
        await elsewhere.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await elsewhere.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", LISTENER_NAME
        )
        await until_relays_say(pool, [(False, 0)])
        await elsewhere.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await until_relays_say(pool, [(True, 0)])
    await elsewhere.close()


async def test_only_new_dead_letters_are_an_error(
    rabbit: Rabbit, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    relay = Relay(settings, asyncio.Event())
    relay._publisher = await open_publisher(settings, queues=[*Queue], exchange=EVENTS_EXCHANGE)
    said: list[list[str]] = []
    for messages in (2, 0, 1):
        await die(rabbit, Queue.STATS, messages)
        await rabbit.until_holds(xq_name(Queue.STATS), messages if not said else 2 + messages)
        await relay._count()
        said.append([record.getMessage() for record in caplog.records if record.levelname == "ERROR"])
        caplog.clear()
    assert said == [
        ["2 dead letters of the queue stats, 2 of them new"],
        [],
        ["3 dead letters of the queue stats, 1 of them new"],
    ]
    assert relay._dead_letters == 3
    await relay._publisher.close()
    await relay._count()
    assert relay._dead_letters is None


async def test_a_queue_that_somebody_deleted_has_none(rabbit: Rabbit, settings: Settings) -> None:
    publisher = await open_publisher(settings, queues=[*Queue], exchange=EVENTS_EXCHANGE)
    await die(rabbit, Queue.PAYMENTS)
    await rabbit.until_holds(xq_name(Queue.PAYMENTS), 1)
    async with rabbit.channel() as channel:
        await channel.queue_delete(xq_name(Queue.ALERTS))
    for _ in range(2):
        assert await publisher.count_dead_letters() == {"payments": 1}
    await publisher.close()


async def test_the_redis_broker_has_them_too(settings: Settings) -> None:
    redis_only = settings.model_copy(update={"rabbitmq_url": None})
    publisher = await open_publisher(redis_only, queues=[*Queue], exchange=EVENTS_EXCHANGE)
    broker = RedisBroker(url=settings.redis_url, middleware=[])  # type: ignore[no-untyped-call]
    with contextlib.closing(broker):
        broker.declare_queue(Queue.STATS)
        assert await publisher.count_dead_letters() == {}
        broker.enqueue(Message(queue_name=Queue.STATS, actor_name="update_totals", args=(1,), kwargs={}, options={}))
        consumer = broker.consume(Queue.STATS)
        message = next(consumer)
        assert message is not None
        consumer.nack(message)
        assert await publisher.count_dead_letters() == {"stats": 1}
    await publisher.close()
