"""A simulated bank per test, with a shop and our own client in front of it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from providers.provider import Credentials, OpenedPayment
from providers.tbank.client import TBankClient
from tests.simulator.support import Clock, Shop, Simulator, running_simulator

OpenPayment = Callable[..., Awaitable[OpenedPayment]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "simulator.sqlite3"


@pytest.fixture
async def simulator(database: Path, clock: Clock) -> AsyncGenerator[Simulator, None]:
    async with running_simulator(database, clock) as running:
        yield running


@pytest.fixture
async def shop() -> AsyncGenerator[Shop, None]:
    shop = Shop()
    async with shop.open():
        yield shop


@pytest.fixture
def credentials() -> Credentials:
    return Credentials("TinkoffBankTest", "TinkoffBankTest")


@pytest.fixture
def tbank(simulator: Simulator) -> TBankClient:
    return TBankClient(simulator.http, f"{simulator.url}/v2")


@pytest.fixture
def open_payment(tbank: TBankClient, credentials: Credentials, shop: Shop, clock: Clock) -> OpenPayment:
    """Open a payment of 150.50 ₽ for the next half hour, with whatever a test wants different."""

    async def open_it(**changes: Any) -> OpenedPayment:
        wishes: dict[str, Any] = {
            "order_id": str(uuid4()),
            "amount_minor": 15050,
            "description": "Донат для «Кота» 🎉",
            "due_at": datetime.fromtimestamp(clock(), UTC) + timedelta(minutes=30),
            "notification_url": shop.url,
            "success_url": "https://example.org/done?order=${OrderId}&ok=${Success}",
            "fail_url": "https://example.org/failed?code=${ErrorCode}&why=${Message}&x=${Unknown}",
            "language": "ru",
        }
        return await tbank.init(credentials, **{**wishes, **changes})

    return open_it
