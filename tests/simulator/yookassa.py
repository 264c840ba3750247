"""A shop of the simulated YooKassa and our own client in front of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from providers.provider import Credentials, OpenedPayment, Opening, Provider
from providers.yookassa.provider import create
from tests.simulator.support import Simulator

CREDENTIALS = Credentials("100500", "test_not_a_real_key")
"""The shop that is always there."""


@dataclass(frozen=True)
class Kassa:
    """The demo shop, told of its payments at the address given."""

    simulator: Simulator
    provider: Provider

    async def open(self, **changes: Any) -> OpenedPayment:
        """A payment of 150.50 ₽, with whatever a test wants different."""
        wishes: dict[str, Any] = {
            "order_id": str(uuid4()),
            "amount_minor": 15050,
            "description": "Донат для «Кота» 🎉",
            "due_at": datetime.now(UTC) + timedelta(minutes=30),
            "notification_url": "https://example.org/not-used",
            "return_url": "https://example.org/donations/7",
            "language": "ru",
        }
        return await self.provider.open(CREDENTIALS, Opening(**{**wishes, **changes}))

    async def control(self, payment_id: str, action: str, **body: Any) -> dict[str, Any]:
        return await self.simulator.control("POST", f"yookassa/payments/{payment_id}/{action}", **body)

    async def payment(self, payment_id: str) -> dict[str, Any]:
        return await self.simulator.control("GET", f"yookassa/payments/{payment_id}")

    async def set_shop(self, **fields: Any) -> None:
        await self.simulator.control(
            "POST", "yookassa/shops", shop_id=CREDENTIALS.key, secret_key=CREDENTIALS.secret, **fields
        )


async def open_kassa(simulator: Simulator, notification_url: str) -> Kassa:
    kassa = Kassa(simulator, create(simulator.http, f"{simulator.url}/yookassa/v3", 15, 5))
    await kassa.set_shop(notification_url=notification_url)
    return kassa
