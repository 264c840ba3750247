"""A worker that starts before PostgreSQL does."""

import asyncio

import asyncpg

from domain import outbox
from domain.events import Actor, Queue
from tests.builders import make_streamer
from tests.support.programs import Stack
from tests.support.servers import Servers
from tests.tasks.rabbit import Rabbit


async def test_a_worker_that_came_up_while_postgresql_was_away_works_once_it_is_back(
    pool: asyncpg.Pool, rabbit: Rabbit, stack: Stack, services: Servers
) -> None:
    """Dramatiq goes on when a worker's boot fails, and then every message would fail until somebody starts it anew."""
    services.postgres.kill()
    stack.start("worker")
    await rabbit.until_consumed(Queue.ALERTS)
    services.postgres.start()

    await pool.expire_connections()
    async with pool.acquire() as connection, connection.transaction():
        streamer = await make_streamer(connection)
        inbox_id = await connection.fetchval(
            "INSERT INTO inbox (terminal_id, dedup_key, body) VALUES ($1, 'token', 'no JSON') RETURNING id",
            streamer.terminal_id,
        )
        await outbox.add_task(connection, Actor.APPLY_NOTIFICATION, inbox_id)
    stack.start("relay")
    async with asyncio.timeout(40):
        while await pool.fetchval("SELECT processed_at FROM inbox WHERE id = $1", inbox_id) is None:
            await asyncio.sleep(0.05)
