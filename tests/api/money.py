"""Money for tests of the API: a bank that opens what is asked for, and donations that were paid."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from redis.asyncio import Redis

from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.payment_status import NewsStatus
from domain.payments import get_payment
from domain.streamers import Streamer
from tests.api.conftest import contract
from tests.api.fits import assert_fits, assert_request_fits
from tests.builders import hear, open_payment
from tests.support.site import Site

INIT = "/api/v1/payments/init"
TBANK_INIT = "/api/v1/payments/tbank/init"
DONATIONS = "/api/v1/donations/"


@asynccontextmanager
async def bank_that_opens(site: Site) -> AsyncIterator[None]:
    """As the relay, the worker and the bank would: each new payment gets its link at once."""

    is_over = asyncio.Event()

    async def keep_opening() -> None:
        async with Redis.from_url(site.settings.redis_url) as redis:
            while not is_over.is_set():
                opened = []
                async with site.pool.acquire() as connection, connection.transaction():
                    for row in await connection.fetch("SELECT id FROM payments WHERE status = 'new'"):
                        payment = await get_payment(connection, row["id"])
                        assert payment is not None
                        opened.append(await open_payment(connection, payment))
                for payment in opened:
                    wake = Wake(payment.streamer_id, frozenset({Topic.DONATION}), payment.donation_id)
                    await redis.publish(WAKE_CHANNEL, wake.encode())
                await asyncio.sleep(0.02)

    opening = asyncio.create_task(keep_opening())
    try:
        yield
    finally:
        is_over.set()
        await opening


async def confirm(site: Site, donation_id: int, **fields: Any) -> None:
    """The money of a donation's newest attempt has come."""
    async with site.pool.acquire() as connection, connection.transaction():
        payment = await get_payment(
            connection, await connection.fetchval("SELECT max(id) FROM payments WHERE donation_id = $1", donation_id)
        )
        assert payment is not None
        await hear(connection, payment, NewsStatus.CONFIRMED, **fields)


def wish(streamer: Streamer, **changed: Any) -> dict[str, Any]:
    """What a front end of the first version sends to make a donation."""
    return {
        "recipient_id": streamer.owner_id,
        "amount": 150.5,
        "payment_method": "tbank",
        "donor_name": "Аня",
        "message": "Привет из Омска",
        **changed,
    }


def order(streamer: Streamer, **changed: Any) -> dict[str, Any]:
    """What a front end of the first version sends to open a payment."""
    return {
        "amount": 150.5,
        "order_id": "order-1",
        "payment_method": "tbank",
        "description": "Донат",
        "streamer_id": streamer.id,
        "donor_name": "Аня",
        "message": "Привет из Омска",
        **changed,
    }


async def send(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> httpx.Response:
    """A POST whose request and answer fit the contract; `path` as the contract writes it."""
    assert_request_fits(contract(), "POST", path, body)
    answer = await client.post(path.removeprefix("/api/v1"), json=body)
    assert_fits(contract(), "POST", path, answer.status_code, answer.json())
    return answer


async def read(client: httpx.AsyncClient, path: str, *ids: Any, **query: Any) -> httpx.Response:
    """A GET whose answer fits the contract; `path` as the contract writes it, `ids` what stands in it."""
    address = path.removeprefix("/api/v1")
    for value in ids:
        address = address[: address.index("{")] + str(value) + address[address.index("}") + 1 :]
    answer = await client.get(address, params=query)
    assert_fits(contract(), "GET", path, answer.status_code, answer.json())
    return answer
