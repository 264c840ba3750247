"""A streamer changes keys while money is under way: what was begun is heard of, checked and refunded all the same."""

import dataclasses
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from domain import refunds
from domain.payments import Payment, PaymentStatus, get_payment
from domain.refunds import RefundStatus
from domain.terminals import FORMER_SECRET_DAYS, Terminal, find_terminal, retire_terminal, set_terminal
from domain.totals import read_totals
from infra.settings import Settings
from tasks.checks import check_payment
from tasks.notifications import apply_notification
from tasks.payments import create_payment
from tasks.refunds import make_refund
from tasks.runtime import Parts
from tests.builders import (
    TERMINAL_PASSWORD,
    check_books,
    latest_payment,
    make_donation,
    make_streamer,
    notification_body,
)
from tests.support.site import Site, open_site
from tests.tasks.conftest import World

SHOP, SHOP_SECRET = "100600", "live_shop_of_the_cat"


@pytest.fixture
async def site(world: World) -> AsyncIterator[Site]:
    settings = world.parts.settings
    async with open_site(
        settings.database_url,
        settings.redis_url,
        secret_keys=settings.secret_keys,
        provider_api_urls=settings.provider_api_urls,
    ) as site:
        yield site


@pytest.fixture
def parts(world: World, site: Site) -> Parts:
    """Workers whose payments name the site's address to the bank."""
    # Not a copy: that would keep the addresses that were made of the former one.
    settings = Settings(**{**world.parts.settings.model_dump(), "web_url": site.url})
    return dataclasses.replace(world.parts, settings=settings)


async def open_one(world: World, parts: Parts) -> Payment:
    async with parts.pool.acquire() as connection, connection.transaction():
        payment = await latest_payment(connection, await make_donation(connection, world.streamer))
    await create_payment(parts, payment.id)
    return await read(parts, payment)


async def read(parts: Parts, payment: Payment) -> Payment:
    async with parts.pool.acquire() as connection:
        found = await get_payment(connection, payment.id)
        await check_books(connection)
    assert found is not None
    return found


async def hear_all(parts: Parts) -> None:
    """What the relay and the worker do with stored notifications."""
    for row in await parts.pool.fetch("DELETE FROM outbox WHERE name = 'apply_notification' RETURNING data"):
        await apply_notification(parts, row["data"]["argument"])


async def connect(world: World, parts: Parts, key: str, secret: str, provider: str = "tbank") -> Terminal:
    async with parts.pool.acquire() as connection, connection.transaction():
        return await set_terminal(connection, parts.box, world.streamer.id, provider, key, secret)


async def give_back(world: World, parts: Parts, payment: Payment, amount_minor: int) -> RefundStatus:
    async with parts.pool.acquire() as connection, connection.transaction():
        refund = await refunds.request_refund(
            connection,
            streamer_id=world.streamer.id,
            payment_id=payment.id,
            amount_minor=amount_minor,
            reason="по просьбе",
            user_id=world.streamer.owner_id,
        )
    await make_refund(parts, refund.id)
    async with parts.pool.acquire() as connection:
        done = await refunds.get_refund(connection, refund.id)
    assert done is not None
    return done.status


async def add_shop(world: World, notification_url: str = "") -> None:
    async with httpx.AsyncClient(base_url=world.bank.url) as http:
        body = {"shop_id": SHOP, "secret_key": SHOP_SECRET, "notification_url": notification_url or None}
        (await http.post("/_sim/yookassa/shops", json=body)).raise_for_status()


async def test_another_terminal_while_payments_are_open(world: World, parts: Parts) -> None:
    notified, polled = await open_one(world, parts), await open_one(world, parts)
    await world.bank.add_terminal("NEW1DEMO", "another-secret")
    new = await connect(world, parts, "NEW1DEMO", "another-secret")
    following = await open_one(world, parts)
    assert (following.terminal_id, notified.terminal_id) == (new.id, world.streamer.terminal_id)

    # The old one's notification is signed with the old secret, and the old one is asked with it.
    await world.bank.act(notified.provider_payment_id, "pay")
    await hear_all(parts)
    assert (await read(parts, notified)).status is PaymentStatus.CONFIRMED
    await world.bank.act(polled.provider_payment_id, "pay", notify=False)
    await check_payment(parts, polled.id)
    assert (await read(parts, polled)).status is PaymentStatus.CONFIRMED
    await world.bank.act(following.provider_payment_id, "pay")
    await hear_all(parts)
    assert (await read(parts, following)).status is PaymentStatus.CONFIRMED

    assert await give_back(world, parts, notified, notified.amount_minor) is RefundStatus.DONE
    assert (await read(parts, notified)).status is PaymentStatus.REFUNDED
    async with parts.pool.acquire() as connection:
        assert (await read_totals(connection, world.streamer.id)).all_minor == 60_000


async def test_another_secret_of_the_same_terminal(world: World, parts: Parts) -> None:
    """The bank may still send what it had signed with the secret before; for three days it is believed."""
    before, late = await open_one(world, parts), await open_one(world, parts)
    await connect(world, parts, world.streamer.terminal_key, "another-secret")
    await world.bank.act(before.provider_payment_id, "pay")
    await hear_all(parts)
    assert (await read(parts, before)).status is PaymentStatus.CONFIRMED

    await world.bank.add_terminal(world.streamer.terminal_key, "another-secret")
    assert await give_back(world, parts, before, 10_000) is RefundStatus.DONE
    after = await open_one(world, parts)
    await world.bank.act(after.provider_payment_id, "pay")
    await hear_all(parts)
    assert (await read(parts, after)).status is PaymentStatus.CONFIRMED

    # Later only the new secret counts. The bank is asked, so the money is found all the same.
    await parts.pool.execute(
        "UPDATE terminals SET secret_replaced_at = now() - make_interval(days => $1)", FORMER_SECRET_DAYS
    )
    await world.bank.act(late.provider_payment_id, "pay", notify=False)
    answer = await world.bank._http.post(
        f"/_sim/payments/{late.provider_payment_id}/notify", json={"password": TERMINAL_PASSWORD}
    )
    assert answer.json()["deliveries"][0]["http_status"] == 403
    await hear_all(parts)
    assert (await read(parts, late)).status is PaymentStatus.PENDING
    await check_payment(parts, late.id)
    assert (await read(parts, late)).status is PaymentStatus.CONFIRMED


async def test_a_former_secret_that_is_lost_stops_no_news(world: World, parts: Parts) -> None:
    payment = await open_one(world, parts)
    await connect(world, parts, world.streamer.terminal_key, "another-secret")
    await world.bank.add_terminal(world.streamer.terminal_key, "another-secret")
    await parts.pool.execute("UPDATE terminals SET former_secret_encrypted = 'encrypted with a key that is gone'")
    await world.bank.act(payment.provider_payment_id, "pay")
    await hear_all(parts)
    assert (await read(parts, payment)).status is PaymentStatus.CONFIRMED


async def test_disconnecting_leaves_open_payments_at_work(world: World, parts: Parts) -> None:
    payment = await open_one(world, parts)
    async with parts.pool.acquire() as connection, connection.transaction():
        assert await retire_terminal(connection, world.streamer.id, payment.terminal_id)
    await world.bank.act(payment.provider_payment_id, "pay")
    await hear_all(parts)
    assert (await read(parts, payment)).status is PaymentStatus.CONFIRMED
    assert await give_back(world, parts, payment, payment.amount_minor) is RefundStatus.DONE


async def test_another_provider_while_a_payment_is_open(world: World, parts: Parts, site: Site) -> None:
    at_the_bank = await open_one(world, parts)
    await add_shop(world, f"{site.url}/api/v1/payments/webhook/yookassa")
    shop = await connect(world, parts, SHOP, SHOP_SECRET, "yookassa")
    at_the_shop = await open_one(world, parts)
    assert at_the_shop.terminal_id == shop.id
    await world.bank.act(at_the_bank.provider_payment_id, "pay")
    await hear_all(parts)
    assert (await read(parts, at_the_bank)).status is PaymentStatus.CONFIRMED
    assert (await read(parts, at_the_shop)).status is PaymentStatus.PENDING
    # The terminal at the other provider is still there, in reserve.
    async with parts.pool.acquire() as connection:
        kept = await find_terminal(connection, "tbank", world.streamer.terminal_key)
    assert kept is not None
    assert kept.retired_at is None


class TestNobodyElsesPayments:
    async def test_a_terminal_that_names_anothers_order(self, world: World, parts: Parts) -> None:
        """Signed rightly, by a terminal of ours: and still no word about another's payment counts."""
        hers = await open_one(world, parts)
        async with parts.pool.acquire() as connection:
            stranger = await make_streamer(connection, box=parts.box)
        await world.bank.add_terminal(stranger.terminal_key)
        answer = await world.bank._http.post(
            f"/_sim/payments/{hers.provider_payment_id}/notify",
            json={"status": "CONFIRMED", "fields": {"TerminalKey": stranger.terminal_key}},
        )
        assert answer.json()["deliveries"][0]["http_status"] == 200
        await hear_all(parts)
        assert (await read(parts, hers)).status is PaymentStatus.PENDING
        assert await parts.pool.fetchval("SELECT outcome FROM inbox") == "unknown_order"

    async def test_a_shop_that_names_a_payment_of_the_bank(self, world: World, parts: Parts, site: Site) -> None:
        """YooKassa's notifications are unsigned: one that names T-Bank's ids is nobody's, and nothing is asked."""
        hers = await open_one(world, parts)
        await add_shop(world)
        await connect(world, parts, SHOP, SHOP_SECRET, "yookassa")
        body = {
            "type": "notification",
            "event": "payment.succeeded",
            "object": {
                "id": hers.provider_payment_id,
                "status": "succeeded",
                "amount": {"value": "300.00", "currency": "RUB"},
                "metadata": {"order_id": hers.order_id},
            },
        }
        for named in (hers.provider_payment_id, "23d93cac-000f-5000-8000-126628f15141"):
            body["object"]["id"] = named  # type: ignore[index]
            answer = await site.client.post("/api/v1/payments/webhook/yookassa", content=json.dumps(body))
            assert answer.status_code in (200, 400)
        await hear_all(parts)
        assert (await read(parts, hers)).status is PaymentStatus.PENDING
        assert await parts.pool.fetchval("SELECT count(*) FROM inbox") == 0
        assert await parts.pool.fetchval("SELECT count(*) FROM outbox WHERE name = 'check_payment'") == 0

    async def test_a_terminal_that_names_a_payment_of_the_shop(self, world: World, parts: Parts, site: Site) -> None:
        await add_shop(world)
        await connect(world, parts, SHOP, SHOP_SECRET, "yookassa")
        hers = await open_one(world, parts)
        async with parts.pool.acquire() as connection:
            stranger = await make_streamer(connection, box=parts.box)
        told = dataclasses.replace(hers, provider_payment_id="4242")
        body = notification_body(stranger.terminal_key, told, "CONFIRMED")
        answer = await site.client.post("/api/v1/payments/webhook/tbank", content=body)
        assert answer.status_code == 200
        await hear_all(parts)
        assert (await read(parts, hers)).status is PaymentStatus.PENDING
