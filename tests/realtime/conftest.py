"""A realtime service as a process of its own, a streamer with an overlay token, and donations that are paid."""

import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis as blocking_redis
from redis.asyncio import Redis

from domain import alerts
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.overlay_tokens import rotate_overlay_token
from infra.crypto import SecretBox
from infra.embedded import free_port
from infra.redis import open_redis, publish
from tests.builders import BuiltStreamer, latest_payment, make_donation, make_streamer
from tests.realtime.overlay_client import Overlay
from tests.support.programs import ProgramProcess

SECRET_KEY = "0123456789abcdef0123456789abcdef0123456789a="


@dataclass
class Scene:
    """A streamer and all that happens around her, committed."""

    pool: asyncpg.Pool
    redis: Redis
    streamer: BuiltStreamer
    token: str

    async def donate(self, message: str = "Привет", *, amount_minor: int = 30_000, held: bool = False) -> int:
        """A paid donation with its alert, and the wake-up that follows it; returns the donation's id."""
        async with self.pool.acquire() as connection, connection.transaction():
            donation = await make_donation(connection, self.streamer, amount_minor=amount_minor, message=message)
            payment = await latest_payment(connection, donation)
            await connection.execute("UPDATE payments SET next_check_at = NULL WHERE id = $1", payment.id)
            await connection.execute("UPDATE donations SET status = 'paid', paid_at = now() WHERE id = $1", donation.id)
            await alerts.enqueue_donation(
                connection,
                streamer_id=self.streamer.id,
                donation_id=donation.id,
                donor_name="Аня",
                message=message,
                amount_minor=amount_minor,
                held=held,
            )
        await self.wake(Topic.ALERTS)
        return donation.id

    async def wake(self, *topics: Topic) -> None:
        await publish(self.redis, WAKE_CHANNEL, [Wake(self.streamer.id, frozenset(topics)).encode()])

    async def rotate_token(self) -> str:
        async with self.pool.acquire() as connection, connection.transaction():
            token = await rotate_overlay_token(connection, SecretBox(SECRET_KEY), self.streamer.id)
        await self.wake(Topic.CONTROLS)
        return token

    async def skip(self, alert_id: str) -> bool:
        async with self.pool.acquire() as connection, connection.transaction():
            skipped = await alerts.skip(connection, self.streamer.id, uuid.UUID(alert_id))
        await self.wake(Topic.ALERTS)
        return skipped is not None

    async def status(self, donation_id: int) -> str:
        status = await self.pool.fetchval("SELECT status FROM alerts WHERE donation_id = $1", donation_id)
        return str(status)

    async def alert(self, donation_id: int) -> Any:
        return await self.pool.fetchrow("SELECT * FROM alerts WHERE donation_id = $1", donation_id)

    @asynccontextmanager
    async def locked(self, table: str) -> AsyncIterator[None]:
        """Within, whoever reads this table waits."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield

    async def waits_for(self, table: str) -> bool:
        """Whether somebody does."""
        return bool(
            await self.pool.fetchval(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = $1::text::regclass AND NOT granted)", table
            )
        )

    async def set(self, **fields: Any) -> None:
        """Change the streamer's settings."""
        for name, value in fields.items():
            await self.pool.execute(f"UPDATE streamers SET {name} = $1 WHERE id = $2", value, self.streamer.id)


@dataclass
class Service:
    """One realtime process."""

    url: str
    process: ProgramProcess

    def overlay(self, scene: Scene, **hello: Any) -> Overlay:
        return Overlay(self.url, scene.token, **hello)


@pytest.fixture
async def scene(pool: asyncpg.Pool, redis_url: str) -> AsyncIterator[Scene]:
    redis = open_redis(redis_url)
    async with pool.acquire() as connection, connection.transaction():
        streamer = await make_streamer(connection)
        token = await rotate_overlay_token(connection, SecretBox(SECRET_KEY), streamer.id)
    yield Scene(pool, redis, streamer, token)
    await redis.aclose()


@pytest.fixture
def environment(tmp_path: Path, fresh_database_url: str, redis_url: str) -> dict[str, str]:
    """What web and realtime are started with; REALTIME_URL is the first realtime process."""
    web_port, realtime_port = free_port(), free_port()
    return {
        "ENVIRONMENT": "development",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": fresh_database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEYS": SECRET_KEY,
        "WEB_URL": f"http://127.0.0.1:{web_port}",
        "WEB_PORT": str(web_port),
        "REALTIME_URL": f"http://127.0.0.1:{realtime_port}",
    }


@pytest.fixture
def start_service(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[[], Service]]:
    """Starts one realtime process more. It hears what is said on Redis, too: what it missed it would only find by its
    next look, and some things never."""
    services: list[Service] = []

    def listeners() -> int:
        with blocking_redis.Redis.from_url(environment["REDIS_URL"]) as client:
            ((_channel, count),) = client.pubsub_numsub(WAKE_CHANNEL)
        return int(count)

    def start() -> Service:
        listening = listeners()
        port = free_port() if services else int(environment["REALTIME_URL"].rpartition(":")[2])
        url = f"http://127.0.0.1:{port}"
        process = ProgramProcess(
            f"realtime-{len(services)}",
            ["-m", "realtime"],
            {**environment, "REALTIME_PORT": str(port)},
            log_dir=tmp_path,
            ready_url=f"{url}/health",
        )
        services.append(Service(url, process.start()))
        while listeners() <= listening:
            time.sleep(0.01)
        return services[-1]

    yield start
    for service in services:
        service.process.kill()


@pytest.fixture
def service(start_service: Callable[[], Service]) -> Service:
    return start_service()
