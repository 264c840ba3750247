"""The relay on real RabbitMQ and PostgreSQL: nothing lost, nothing stuck, whatever is away in between."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import asyncpg
import pytest

from domain import outbox
from domain.events import EVENTS_EXCHANGE, Actor, EventType, Queue
from infra.database import DATABASE_AWAY
from infra.settings import Settings
from tasks.relay import Relay
from tests.support.servers import Servers
from tests.tasks.rabbit import Rabbit


@contextlib.asynccontextmanager
async def running_relay(settings: Settings) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(Relay(settings, stop).run())
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


async def add_tasks(pool: asyncpg.Pool, *arguments: int) -> None:
    async with pool.acquire() as connection, connection.transaction():
        for argument in arguments:
            await outbox.add_task(connection, Actor.UPDATE_TOTALS, argument)


async def until_empty(pool: asyncpg.Pool) -> None:
    """Waits until nothing in the outbox may be published now."""
    async with asyncio.timeout(40):
        while True:
            with contextlib.suppress(*DATABASE_AWAY):
                if not await pool.fetchval("SELECT count(*) FROM outbox WHERE available_at <= now()"):
                    return
            await asyncio.sleep(0.05)


async def test_a_relay_before_any_worker_loses_nothing(pool: asyncpg.Pool, rabbit: Rabbit, settings: Settings) -> None:
    await add_tasks(pool, *range(500))
    async with running_relay(settings):
        await until_empty(pool)
    assert await rabbit.arguments_of(Queue.STATS) == list(range(500))


async def test_an_event_goes_to_the_exchange_and_to_its_actors(
    pool: asyncpg.Pool, rabbit: Rabbit, settings: Settings
) -> None:
    async with rabbit.channel() as channel:
        await channel.exchange_declare(exchange=EVENTS_EXCHANGE, exchange_type="topic", durable=True)
        queue = (await channel.queue_declare(exclusive=False, auto_delete=False)).queue
        await channel.queue_bind(queue, EVENTS_EXCHANGE, routing_key="donation.*")
        async with pool.acquire() as connection:
            data = {"donation_id": 5, "payment_id": 7}
            await outbox.add_event(connection, EventType.DONATION_CREATED, data)
            await outbox.add_event(connection, EventType.PAYMENT_COMPLETED, {"payment_id": 7})
            event_id = await connection.fetchval("SELECT event_id FROM outbox ORDER BY id LIMIT 1")
        async with running_relay(settings):
            await until_empty(pool)
        (body,) = await rabbit.take_all(queue)
        await channel.queue_delete(queue)
    envelope = json.loads(body)
    assert set(envelope) == {"id", "type", "occurred_at", "data"}
    assert envelope["id"] == str(event_id)
    assert (envelope["type"], envelope["data"]) == ("donation.created", data)
    assert await rabbit.arguments_of(Queue.PAYMENTS) == [7]


async def test_a_poison_row_blocks_nothing(pool: asyncpg.Pool, rabbit: Rabbit, settings: Settings) -> None:
    async with pool.acquire() as connection:
        for name, kind, data in (
            ("no_such_actor", "task", {"argument": 1}),
            ("update_totals", "task", {"argument": "text"}),
            ("update_totals", "task", []),
            ("donation.created", "event", {"nothing": 1}),
            ("no.such.event", "event", {}),
        ):
            await connection.execute("INSERT INTO outbox (kind, name, data) VALUES ($1, $2, $3)", kind, name, data)
    await add_tasks(pool, 1, 2, 3)
    async with running_relay(settings):
        await until_empty(pool)
    assert await rabbit.arguments_of(Queue.STATS) == [1, 2, 3]
    # Put off once at least; a second later it may be its turn again.
    poison = await pool.fetch("SELECT tries, last_error, available_at > created_at AS later FROM outbox")
    assert len(poison) == 5
    assert all(row["tries"] >= 1 and row["last_error"] and row["later"] for row in poison)


@pytest.mark.parametrize("failure", ["disk_full", "deadlock_detected", "query_canceled", "raise_exception"])
async def test_it_goes_on_after_the_database_refused_a_batch(
    pool: asyncpg.Pool, rabbit: Rabbit, settings: Settings, failure: str
) -> None:
    await pool.execute(
        f"""
        CREATE SEQUENCE refusals;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM nextval('refusals');
            RAISE EXCEPTION USING ERRCODE = '{failure}';
        END $$;
        CREATE TRIGGER refuse BEFORE DELETE ON outbox EXECUTE FUNCTION refuse();
        """
    )
    await add_tasks(pool, 1, 2, 3)
    async with running_relay(settings):
        async with asyncio.timeout(20):
            while await pool.fetchval("SELECT last_value FROM refusals") < 3:
                await asyncio.sleep(0.05)
        await pool.execute("DROP TRIGGER refuse ON outbox")
        await until_empty(pool)
    assert sorted(set(await rabbit.arguments_of(Queue.STATS))) == [1, 2, 3]


async def test_what_is_for_later_waits(pool: asyncpg.Pool, rabbit: Rabbit, settings: Settings) -> None:
    async with pool.acquire() as connection:
        await outbox.add_task(connection, Actor.UPDATE_TOTALS, 9, delay_seconds=3600)
    await add_tasks(pool, 1)
    async with running_relay(settings):
        await until_empty(pool)
    assert await rabbit.arguments_of(Queue.STATS) == [1]
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 1


async def test_two_relays_publish_each_row_once(pool: asyncpg.Pool, rabbit: Rabbit, settings: Settings) -> None:
    await add_tasks(pool, *range(1500))
    async with running_relay(settings), running_relay(settings):
        await until_empty(pool)
    assert sorted(await rabbit.arguments_of(Queue.STATS)) == list(range(1500))


async def test_it_comes_back_after_rabbitmq_was_away(
    pool: asyncpg.Pool, rabbit: Rabbit, settings: Settings, services: Servers
) -> None:
    async with running_relay(settings):
        await add_tasks(pool, 1)
        await until_empty(pool)
        services.rabbitmq.stop()
        await add_tasks(pool, 2, 3)
        await asyncio.sleep(2)
        assert await pool.fetchval("SELECT count(*) FROM outbox") == 2
        services.rabbitmq.start()
        await until_empty(pool)
    assert sorted(set(await rabbit.arguments_of(Queue.STATS))) == [1, 2, 3]


async def test_it_comes_back_after_postgresql_was_away(
    pool: asyncpg.Pool, rabbit: Rabbit, settings: Settings, services: Servers
) -> None:
    async with running_relay(settings):
        await add_tasks(pool, 1)
        await until_empty(pool)
        services.postgres.restart()
        for argument in (2, 3):
            async with asyncio.timeout(20):
                while True:
                    try:
                        await add_tasks(pool, argument)
                        break
                    except DATABASE_AWAY:
                        await asyncio.sleep(0.1)
        await until_empty(pool)
    assert sorted(set(await rabbit.arguments_of(Queue.STATS))) == [1, 2, 3]
