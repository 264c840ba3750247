"""The site served in this process on a free port, for tests of pages: its own database, its own Valkey, no workers."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
from cryptography.fernet import Fernet
from hypercorn.asyncio import serve
from jinja2.bccache import Bucket, BytecodeCache
from pydantic import SecretStr
from redis.asyncio import Redis

from domain.streamers import Streamer, create_streamer
from domain.terminals import set_terminal
from infra.crypto import SecretBox
from infra.database import open_pool
from infra.embedded import free_port
from infra.settings import Settings
from tests.support.accounts import add_account
from tests.support.servers import TEMPLATE, Servers
from web.__main__ import hypercorn_config
from web.app import create_app

EMPTIED = """
    outbox control_buttons speakers overlays overlay_tokens alert_actions alert_leases alerts payments donation_forms
    api_donations
    donations manual_donations goals streamer_totals terminals streamers users
"""
"""Tables that `Site.empty` empties, each before those that its rows hang on."""


@dataclass
class Site:
    url: str
    settings: Settings
    pool: asyncpg.Pool
    client: httpx.AsyncClient
    """A visitor without scripts, who follows no redirect by himself."""

    async def add_streamer(self, slug: str = "anna", name: str = "Анна", *, terminal: bool = True) -> Streamer:
        async with self.pool.acquire() as connection, connection.transaction():
            user = await add_account(connection, f"{slug}@example.org")
            streamer = await create_streamer(connection, user.id, slug, name)
            if terminal:
                box = SecretBox(self.settings.secret_keys.get_secret_value())
                await set_terminal(connection, box, streamer.id, "tbank", f"{slug}-terminal", "secret")
        return streamer

    async def empty(self) -> None:
        """Forget everybody, so that the next test may use the same site. Not for tests that write the ledger."""
        async with self.pool.acquire() as connection, connection.transaction():
            for table in EMPTIED.split():
                await connection.execute(f"DELETE FROM {table}")
        async with Redis.from_url(self.settings.redis_url) as redis:
            await redis.flushall()

    async def empty_with_books(self) -> None:
        """All accounts and all that hangs on them, the books too, which nobody else may empty."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute("TRUNCATE users, outbox RESTART IDENTITY CASCADE")
        async with Redis.from_url(self.settings.redis_url) as redis:
            await redis.flushall()

    async def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.pool.fetch(sql, *values)]


class _Compiled(BytecodeCache):
    """Templates compiled once for all sites of this process; Jinja looks whether their source is still the same."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


_compiled = _Compiled()


@asynccontextmanager
async def open_site(database_url: str, redis_url: str, **more: Any) -> AsyncIterator[Site]:
    """`more` adds or overrides settings."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    values: dict[str, Any] = {
        "environment": "development",
        "database_url": database_url,
        "redis_url": redis_url,
        "secret_keys": SecretStr(Fernet.generate_key().decode()),
        "web_url": url,
        "realtime_url": url,
        "web_port": port,
    }
    settings = Settings(**{**values, **more})
    config = hypercorn_config(settings)
    config.graceful_timeout = 1.0
    stopped = asyncio.Event()
    app = create_app(settings)
    app.jinja_env.bytecode_cache = _compiled
    serving = asyncio.create_task(serve(app, config, shutdown_trigger=stopped.wait))
    pool = await open_pool(database_url, size=4, program="tests")
    try:
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            await _wait_until_up(client, serving)
            yield Site(url, settings, pool, client)
    finally:
        stopped.set()
        await serving
        pool.terminate()


_numbers = itertools.count(1)


@asynccontextmanager
async def keep_site(servers: Servers, **more: Any) -> AsyncIterator[Site]:
    """A site with a database of its own, for fixtures that outlive a test. What earlier tests counted is forgotten."""
    async with Redis.from_url(servers.valkey.url()) as redis:
        await redis.flushall()
    async with keep_database(servers) as database_url, open_site(database_url, servers.valkey.url(), **more) as site:
        yield site


@asynccontextmanager
async def keep_database(servers: Servers) -> AsyncIterator[str]:
    name = f"kept_{next(_numbers)}"
    yield await servers.postgres.create_database(name, template=TEMPLATE)
    await servers.postgres.drop_database(name)


async def _wait_until_up(client: httpx.AsyncClient, serving: "asyncio.Task[None]") -> None:
    while True:
        try:
            await client.get("/health")
            return
        except httpx.TransportError:
            assert not serving.done(), serving.result()
            await asyncio.sleep(0.02)
