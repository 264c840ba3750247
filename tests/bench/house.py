"""What is measured: all the programs, streamers with terminals at the simulated bank, and their overlays."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import httpx

from domain.overlay_tokens import rotate_overlay_token
from infra.crypto import SecretBox
from infra.database import open_pool
from simulator.overlay import Overlay
from tests.builders import TERMINAL_PASSWORD, BuiltStreamer, make_streamer
from tests.support.programs import Stack

# Donors come through "our nginx", each from an address of his own, so that no limit of one address is in the way.
ENVIRONMENT = {"TRUSTED_PROXIES": "127.0.0.0/8", "LOG_LEVEL": "WARNING"}
WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class BenchStreamer:
    built: BuiltStreamer
    token: str


@dataclass(frozen=True)
class House:
    stack: Stack
    pool: asyncpg.Pool
    http: httpx.AsyncClient

    async def add_streamers(self, count: int, *, at_the_bank: bool) -> list[BenchStreamer]:
        """Streamers with an overlay token; `at_the_bank`: the simulated bank knows their terminals."""
        box = SecretBox(self.stack.environment["SECRET_KEYS"])
        added = []
        async with self.pool.acquire() as connection, connection.transaction():
            for _ in range(count):
                built = await make_streamer(connection, box=box)
                added.append(BenchStreamer(built, await rotate_overlay_token(connection, box, built.id)))
        for streamer in added if at_the_bank else []:
            terminal = {"terminal_key": streamer.built.terminal_key, "password": TERMINAL_PASSWORD}
            answer = await self.http.post(f"{self.stack.simulator_url}/_sim/terminals", json=terminal)
            answer.raise_for_status()
        return added

    def overlay(self, streamer: BenchStreamer) -> Overlay:
        return Overlay(self.stack.realtime_url, streamer.token, in_obs=True)

    async def until_empty_outbox(self) -> None:
        async def is_empty() -> bool:
            return not await self.pool.fetchval("SELECT EXISTS (SELECT FROM outbox WHERE available_at <= now())")

        await until(is_empty, "everything is published")


@asynccontextmanager
async def open_house(stack: Stack) -> AsyncIterator[House]:
    """The programs started, and a pool on their database."""
    pool = await open_pool(stack.environment["DATABASE_URL"], size=8, program="bench")
    try:
        stack.start()
        async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
            yield House(stack, pool, http)
    finally:
        pool.terminate()


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while not await condition():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"waited {WAIT_SECONDS:.0f} s in vain until {what}") from None
