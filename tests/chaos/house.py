"""Where it happens: the programs, two streamers, the simulated bank's control API, patient hands on the database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx

from domain.overlay_tokens import rotate_overlay_token
from domain.terminals import set_terminal
from infra.crypto import SecretBox
from infra.database import DATABASE_AWAY, open_pool
from tests.builders import TERMINAL_PASSWORD, BuiltStreamer, make_streamer
from tests.chaos.plan import PROGRAMS, TBANK, YOOKASSA
from tests.support.programs import ProgramProcess, Stack

T = TypeVar("T")

ENVIRONMENT = {
    # Donors come through "our nginx", each from an address of their own.
    "TRUSTED_PROXIES": "127.0.0.0/8",
    "LOG_LEVEL": "WARNING",
    # A bank that is silent for seconds is silent for long; its "hour" between two tries to tell us is a second.
    "PROVIDER_TIMEOUT_SECONDS": "3",
    "SIMULATOR_RETRY_SECONDS": "1",
    # The least there is: links die within a run.
    "PAYMENT_LINK_MINUTES": "5",
}
SHOP_ID, SHOP_SECRET = "chaos-shop", "chaos-shop-secret"
AGAIN_SECONDS = 0.3
AWAY: tuple[type[BaseException], ...] = (*DATABASE_AWAY, asyncpg.PostgresError)
"""What a statement of ours may end with while PostgreSQL is killed under it."""


@dataclass(frozen=True)
class Streamer:
    built: BuiltStreamer
    provider: str
    token: str

    @property
    def id(self) -> int:
        return self.built.id


class Programs:
    """All of `make run`, and a second relay."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self._second = ProgramProcess("relay-2", ["-m", "tasks.relay"], stack.environment, log_dir=folder)

    def __getitem__(self, name: str) -> ProgramProcess:
        return self._second if name == "relay-2" else self.stack[name]

    def start(self) -> None:
        self.stack.start()
        self._second.start()

    def wait_until_ready(self) -> None:
        for name in PROGRAMS:
            if not self[name].running:
                self[name].start(wait=False)
        for name in PROGRAMS:
            self[name].wait_until_ready(timeout_seconds=90)

    def stop(self) -> None:
        self._second.kill()
        self.stack.stop()


@dataclass(frozen=True)
class House:
    stack: Stack
    pool: asyncpg.Pool
    http: httpx.AsyncClient
    streamers: Mapping[str, Streamer]
    """By provider."""

    async def patiently(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """`work(connection)` in a transaction, again while PostgreSQL is away: it may have been done before."""
        while True:
            try:
                async with self.pool.acquire() as connection, connection.transaction():
                    return await work(connection)
            except AWAY:
                await asyncio.sleep(AGAIN_SECONDS)

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self.patiently(lambda connection: connection.fetch(query, *arguments))
        return rows

    async def value(self, query: str, *arguments: Any) -> Any:
        return await self.patiently(lambda connection: connection.fetchval(query, *arguments))

    async def control(self, method: str, path: str, /, **body: Any) -> dict[str, Any] | None:
        """The simulator's control API; None: the payment cannot do that (any more)."""
        address = f"{self.stack.simulator_url}/_sim/{path}"
        answer = await self.http.request(method, address, json=None if method == "GET" else body)
        if answer.status_code == httpx.codes.CONFLICT:
            return None
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        told: dict[str, Any] = answer.json()
        return told

    async def act(self, provider: str, provider_payment_id: str, action: str, /, **body: Any) -> dict[str, Any] | None:
        """At the bank: `pay`, `refund`, …"""
        folder = "payments" if provider == TBANK else "yookassa/payments"
        return await self.control("POST", f"{folder}/{provider_payment_id}/{action}", **body)


@asynccontextmanager
async def open_house(stack: Stack) -> AsyncIterator[House]:
    """The programs run already. The streamers are made anew and known to the bank."""
    pool = await open_pool(stack.environment["DATABASE_URL"], size=12, program="chaos")
    try:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
        async with httpx.AsyncClient(timeout=60, limits=limits, trust_env=False) as http:
            house = House(stack, pool, http, await _make_streamers(stack, pool))
            await _tell_the_bank(house)
            yield house
    finally:
        pool.terminate()


async def _make_streamers(stack: Stack, pool: asyncpg.Pool) -> dict[str, Streamer]:
    box = SecretBox(stack.environment["SECRET_KEYS"])
    streamers = {}
    async with pool.acquire() as connection, connection.transaction():
        for provider in (TBANK, YOOKASSA):
            built = await make_streamer(connection, box=box)
            if provider == YOOKASSA:
                await set_terminal(connection, box, built.id, YOOKASSA, SHOP_ID, SHOP_SECRET)
            token = await rotate_overlay_token(connection, box, built.id)
            streamers[provider] = Streamer(built, provider, token)
        # Thousands of alerts in minutes: each as short as may be, and none waits for a broadcast to come back.
        await connection.execute(
            "UPDATE streamers SET alert_min_seconds = 3, alert_max_seconds = 3, overlay_return_seconds = 0"
        )
    return streamers


async def _tell_the_bank(house: House) -> None:
    terminal_key = house.streamers[TBANK].built.terminal_key
    await house.control("POST", "terminals", terminal_key=terminal_key, password=TERMINAL_PASSWORD)
    webhook = f"{house.stack.web_url}/api/v1/payments/webhook/yookassa"
    # Its refunds take a moment, too.
    await house.control(
        "POST",
        "yookassa/shops",
        shop_id=SHOP_ID,
        secret_key=SHOP_SECRET,
        notification_url=webhook,
        refunds={"seconds": 2.0},
    )
