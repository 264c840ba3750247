"""Actors' functions with real parts: database, Redis, and the simulator as the bank."""

import dataclasses
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from infra.crypto import SecretBox
from infra.settings import Settings
from providers.tbank.client import TBankClient
from providers.tbank.provider import TBank
from tasks.runtime import Parts, close_parts, open_parts
from tests.builders import TERMINAL_PASSWORD, BuiltStreamer, make_streamer
from tests.simulator.support import assert_exchanges_fit
from tests.support.programs import ProgramProcess, Stack
from tests.support.receiver import Receiver, receiving
from tests.tasks.rabbit import Rabbit
from tests.tasks.webhook_house import House


class Bank:
    """The simulator's control API."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.AsyncClient(base_url=url, timeout=20)

    async def close(self) -> None:
        await self._http.aclose()

    async def add_terminal(self, terminal_key: str, password: str = TERMINAL_PASSWORD) -> None:
        await self._post("/_sim/terminals", {"terminal_key": terminal_key, "password": password})

    async def payments(self, order_id: str) -> list[dict[str, Any]]:
        response = await self._http.get("/_sim/payments", params={"order_id": order_id})
        response.raise_for_status()
        found: list[dict[str, Any]] = response.json()["payments"]
        return found

    async def act(self, provider_payment_id: str | None, action: str, **options: Any) -> None:
        await self._post(f"/_sim/payments/{provider_payment_id}/{action}", options)

    async def fail(self, method: str, kind: str, *, times: int = 1, **options: Any) -> None:
        await self._post("/_sim/faults", {"method": method, "kind": kind, "times": times, **options})

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        response = await self._http.post(path, json=body)
        assert response.status_code < 300, response.text


@dataclass(frozen=True)
class World:
    """A streamer whose terminal the bank knows, and an actor's parts."""

    parts: Parts
    bank: Bank
    streamer: BuiltStreamer
    simulator: ProgramProcess


@pytest.fixture
async def rabbit(rabbitmq_url: str) -> Rabbit:
    rabbit = Rabbit(rabbitmq_url)
    await rabbit.purge()
    return rabbit


def with_tbank(parts: Parts, client: type[TBankClient]) -> Parts:
    """The same parts, speaking to T-Bank through another client."""
    bank = TBank(parts.http, parts.settings.provider_api_urls["tbank"])
    bank._client = client(parts.http, parts.settings.provider_api_urls["tbank"])
    return dataclasses.replace(parts, providers={**parts.providers, "tbank": bank})


@pytest.fixture
def settings(fresh_database_url: str, redis_url: str, rabbitmq_url: str) -> Settings:
    return Settings(
        database_url=fresh_database_url,
        redis_url=redis_url,
        rabbitmq_url=rabbitmq_url,
        secret_keys=Fernet.generate_key().decode(),
        web_url="http://127.0.0.1:1",
        realtime_url="http://127.0.0.1:1",
    )


@pytest.fixture
def simulator(stack: Stack) -> Iterator[Stack]:
    stack.start("simulator")
    yield stack
    stack.stop()


@pytest.fixture
async def world(simulator: Stack) -> AsyncIterator[World]:
    values: dict[str, Any] = {name.lower(): value for name, value in simulator.environment.items()}
    for name in ("provider_api_urls", "identity_clients", "identity_urls"):
        values[name] = json.loads(values[name])
    settings = Settings(**{**values, "provider_timeout_seconds": "3"})
    parts = await open_parts(settings, pool_size=6)
    bank = Bank(simulator.simulator_url)
    box = SecretBox(settings.secret_keys.get_secret_value())
    async with parts.pool.acquire() as connection:
        streamer = await make_streamer(connection, box=box)
    await bank.add_terminal(streamer.terminal_key)
    yield World(parts, bank, streamer, simulator["simulator"])
    await bank.close()
    await close_parts(parts)
    assert_exchanges_fit(settings.data_dir / "simulator.sqlite3")


@pytest.fixture
async def house(settings: Settings) -> AsyncIterator[House]:
    more = {"environment": "development", "webhooks_to_loopback": True, "smtp_host": "127.0.0.1"}
    parts = await open_parts(settings.model_copy(update=more), pool_size=6)
    async with parts.pool.acquire() as connection:
        streamer = await make_streamer(connection, box=parts.box)
    yield House(parts, streamer)
    await close_parts(parts)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver
