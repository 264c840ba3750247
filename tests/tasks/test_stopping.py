"""SIGTERM in the middle of the work: a program ends what it has in hand or gives it back, and says that all is well."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg

from domain import outbox
from domain.events import Actor, Queue
from domain.payments import Payment
from tests.builders import check_books, make_streamer, notification_body, open_donation
from tests.support.programs import ProgramProcess, Stack
from tests.tasks.rabbit import Rabbit
from tests.tasks.test_relay import add_tasks, until_empty


async def until_somebody_waits(pool: asyncpg.Pool) -> None:
    """Waits until a program's statement hangs on a lock that this test holds."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(40):
        while not await pool.fetchval(waiting):
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def stopping(program: ProgramProcess) -> AsyncIterator[None]:
    """Sends SIGTERM, and expects exit status 0 after the block."""
    stopped = asyncio.create_task(asyncio.to_thread(program.terminate))
    yield
    assert await stopped == 0, program.log


async def test_a_relay_ends_its_batch(pool: asyncpg.Pool, rabbit: Rabbit, stack: Stack) -> None:
    """Published and not yet deleted: stopped here, another relay would publish it all again."""
    await pool.execute(
        """
        CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END $$;
        CREATE TRIGGER wait BEFORE DELETE ON outbox EXECUTE FUNCTION wait();
        """
    )
    await add_tasks(pool, *range(1000))
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_advisory_lock(1)")
        stack.start("relay")
        await until_somebody_waits(pool)
        async with stopping(stack["relay"]):
            await connection.execute("SELECT pg_advisory_unlock(1)")
    left = await pool.fetchval("SELECT count(*) FROM outbox")
    assert left < 1000
    stack.start("relay")
    await until_empty(pool)
    assert await rabbit.arguments_of(Queue.STATS) == list(range(1000))


async def confirmed(pool: asyncpg.Pool) -> Payment:
    """A payment whose notification of money waits for its actor."""
    async with pool.acquire() as connection, connection.transaction():
        streamer = await make_streamer(connection)
        _, payment = await open_donation(connection, streamer)
        inbox_id = await connection.fetchval(
            "INSERT INTO inbox (terminal_id, dedup_key, body, order_id) VALUES ($1, 'token', $2, $3) RETURNING id",
            streamer.terminal_id,
            notification_body(streamer.terminal_key, payment, "CONFIRMED"),
            payment.order_id,
        )
        await connection.execute("DELETE FROM outbox")
        await outbox.add_task(connection, Actor.APPLY_NOTIFICATION, inbox_id)
    return payment


@contextlib.asynccontextmanager
async def hanging_in_the_middle(pool: asyncpg.Pool, stack: Stack, payment: Payment) -> AsyncIterator[None]:
    """The worker's actor waits for the payment's row until the block ends."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM payments WHERE id = $1 FOR UPDATE", payment.id)
        stack.start("relay", "worker")
        await until_somebody_waits(pool)
        # What the money brings stays in the outbox: only the actor in hand is looked at.
        assert stack["relay"].terminate() == 0
        yield


async def applied(pool: asyncpg.Pool) -> tuple[int, int]:
    """How often the notification was applied, and how many alerts it made."""
    async with pool.acquire() as connection:
        await check_books(connection)
        news = await connection.fetchval("SELECT count(*) FROM payment_news WHERE source = 'notification'")
        return news, await connection.fetchval("SELECT count(*) FROM alerts")


async def test_a_worker_ends_its_actor(pool: asyncpg.Pool, rabbit: Rabbit, stack: Stack) -> None:
    payment = await confirmed(pool)
    async with contextlib.AsyncExitStack() as middle:
        await middle.enter_async_context(hanging_in_the_middle(pool, stack, payment))
        async with stopping(stack["worker"]):
            await middle.aclose()
    assert await applied(pool) == (1, 1)
    await rabbit.until_holds(Queue.ALERTS, 0)


async def test_a_worker_gives_back_what_does_not_end(pool: asyncpg.Pool, rabbit: Rabbit, stack: Stack) -> None:
    payment = await confirmed(pool)
    async with hanging_in_the_middle(pool, stack, payment), stopping(stack["worker"]):
        pass
    assert await applied(pool) == (0, 0)
    await rabbit.until_holds(Queue.ALERTS, 1)

    stack.start("worker")
    async with asyncio.timeout(40):
        while not await pool.fetchval("SELECT processed_at FROM inbox"):
            await asyncio.sleep(0.05)
    await rabbit.until_holds(Queue.ALERTS, 0)
    async with stopping(stack["worker"]):
        pass
    assert await applied(pool) == (1, 1)
