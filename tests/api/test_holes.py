"""What was wrong with the first version's money: each hole is tried, and is closed."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from domain.payments import Payment, get_latest_payment
from domain.streamers import Streamer
from tasks.notifications import apply_notification
from tasks.runtime import Parts, close_parts, open_parts
from tests.api.conftest import calling, jwt_of
from tests.api.money import (
    DONATIONS,
    INIT,
    TBANK_INIT,
    bank_that_opens,
    order,
    read,
    send,
    wish,
)
from tests.builders import check_books, notification_body
from tests.support.site import Site

pytestmark = pytest.mark.usefixtures("ledger_site")

WEBHOOK = "/payments/webhook/tbank"
STATS = "/api/v1/donations/stats/{user_id}"


@pytest.fixture
async def workers(site: Site) -> AsyncIterator[Parts]:
    """What actors work with."""
    parts = await open_parts(site.settings, pool_size=4)
    yield parts
    await close_parts(parts)


@pytest.fixture
async def opened(site: Site, nobody: httpx.AsyncClient, streamer: Streamer) -> dict[str, Any]:
    """A donation of 150.50 ₽ that waits to be paid."""
    async with bank_that_opens(site):
        answer = (await send(nobody, TBANK_INIT, order(streamer))).json()
    assert answer["success"]
    return dict(answer)


async def payment_of(site: Site, opened: dict[str, Any]) -> Payment:
    async with site.pool.acquire() as connection:
        return await get_latest_payment(connection, opened["donation_id"])


def told(payment: Payment, status: str, **more: Any) -> bytes:
    """T-Bank's notification, signed with the terminal's password unless said otherwise."""
    return notification_body("anna-terminal", payment, status, **{"password": "secret", **more})


async def notify(client: httpx.AsyncClient, body: bytes) -> httpx.Response:
    return await client.post(WEBHOOK, content=body, headers={"Content-Type": "application/json"})


async def apply_all(workers: Parts, *, at_once: bool = False) -> None:
    rows = await workers.pool.fetch("DELETE FROM outbox WHERE name = 'apply_notification' RETURNING id, data")
    arguments = [row["data"]["argument"] for row in sorted(rows, key=lambda row: row["id"])]
    if at_once:
        await asyncio.gather(*(apply_notification(workers, argument) for argument in arguments))
    for argument in () if at_once else arguments:
        await apply_notification(workers, argument)
    async with workers.pool.acquire() as connection, connection.transaction():
        await check_books(connection)


async def status_of(client: httpx.AsyncClient, opened: dict[str, Any]) -> str:
    answer = await read(client, "/api/v1/payments/status/{payment_id}", opened["payment_id"])
    return str(answer.json()["status"])


async def total(site: Site, streamer: Streamer) -> float:
    async with calling(site, await jwt_of(site, streamer.owner_id)) as hers:
        return float((await read(hers, STATS, streamer.owner_id)).json()["total_amount"])


async def test_a_notification_without_the_right_token_is_not_believed(
    site: Site, nobody: httpx.AsyncClient, workers: Parts, opened: dict[str, Any]
) -> None:
    payment = await payment_of(site, opened)
    forged = told(payment, "CONFIRMED", password="guessed")
    raised = json.loads(told(payment, "CONFIRMED"))
    unsigned = {name: value for name, value in raised.items() if name != "Token"}
    raised["Amount"] = 1_000_000
    for body in (forged, json.dumps(raised).encode(), json.dumps(unsigned).encode()):
        assert (await notify(nobody, body)).status_code == 403
    assert await site.rows("SELECT FROM inbox") == []
    await apply_all(workers)
    assert await status_of(nobody, opened) == "pending"


async def test_new_is_not_paid(
    site: Site, nobody: httpx.AsyncClient, workers: Parts, streamer: Streamer, opened: dict[str, Any]
) -> None:
    payment = await payment_of(site, opened)
    for status in ("NEW", "FORM_SHOWED", "AUTHORIZING", "AUTHORIZED"):
        assert (await notify(nobody, told(payment, status))).text == "OK"
        await apply_all(workers)
        assert await status_of(nobody, opened) == "pending"
    assert await site.rows("SELECT FROM alerts") == []
    assert await total(site, streamer) == 0


async def test_a_repeated_notification_adds_nothing_and_is_answered_ok(
    site: Site, nobody: httpx.AsyncClient, workers: Parts, streamer: Streamer, opened: dict[str, Any]
) -> None:
    body = told(await payment_of(site, opened), "CONFIRMED")
    for address in (WEBHOOK, WEBHOOK, "/payments/webhook/tinkoff"):
        answer = await nobody.post(address, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.content) == (200, b"OK")
        await apply_all(workers)
    assert await status_of(nobody, opened) == "completed"
    assert await total(site, streamer) == 150.5
    assert len(await site.rows("SELECT FROM alerts")) == 1


async def test_two_notifications_at_once_count_once(
    site: Site, nobody: httpx.AsyncClient, workers: Parts, streamer: Streamer, opened: dict[str, Any]
) -> None:
    payment = await payment_of(site, opened)
    bodies = [told(payment, "CONFIRMED", CardId=number) for number in range(4)]
    answers = await asyncio.gather(*(notify(nobody, body) for body in bodies))
    assert {answer.content for answer in answers} == {b"OK"}
    await apply_all(workers, at_once=True)
    assert await total(site, streamer) == 150.5
    assert len(await site.rows("SELECT FROM alerts")) == 1


async def test_nobody_completes_a_payment_by_the_test_address(
    nobody: httpx.AsyncClient, operators: httpx.AsyncClient, opened: dict[str, Any]
) -> None:
    for client in (nobody, operators):
        for body in ({"payment_id": opened["payment_id"], "status": "completed"}, {"order_id": "order-1"}, {}):
            assert (await client.post("/payments/webhook/test", json=body)).status_code == 404
    assert (await nobody.request("OPTIONS", "/payments/webhook/test")).status_code == 404
    assert await status_of(nobody, opened) == "pending"


@pytest.mark.usefixtures("opened")
async def test_open_payments_are_the_operators_business(
    site: Site, nobody: httpx.AsyncClient, operators: httpx.AsyncClient, streamer: Streamer
) -> None:
    async with calling(site, await jwt_of(site, streamer.owner_id)) as hers:
        for client, status in ((nobody, 403), (hers, 400), (operators, 200)):
            pending = await read(client, "/api/v1/payments/pending-payments")
            checked = await client.post("/payments/check-pending")
            assert (pending.status_code, checked.status_code) == (status, status)
            if status != 200:
                assert set(pending.json()) == set(checked.json()) == {"detail"}


@pytest.mark.usefixtures("opened")
async def test_the_donors_name_and_message_are_kept(site: Site) -> None:
    [donation] = await site.rows("SELECT donor_name, message FROM donations")
    assert donation == {"donor_name": "Аня", "message": "Привет из Омска"}


async def test_money_is_whole_kopecks(site: Site) -> None:
    columns = await site.rows(
        "SELECT table_name, column_name, data_type, udt_name FROM information_schema.columns"
        " WHERE table_schema = 'public'"
    )
    money = [column for column in columns if "minor" in column["column_name"]]
    assert {"donations", "payments", "ledger_entries"} <= {column["table_name"] for column in money}
    assert {column["udt_name"] for column in money} <= {"int8", "_int8"}
    fractions = [
        column for column in columns if column["data_type"] in ("real", "double precision", "numeric", "money")
    ]
    assert {column["column_name"] for column in fractions} == {"seconds", "sound_volume"}


async def test_no_signature_comes_back(
    site: Site, nobody: httpx.AsyncClient, operators: httpx.AsyncClient, streamer: Streamer, opened: dict[str, Any]
) -> None:
    async with bank_that_opens(site):
        answers = [
            await send(nobody, INIT, order(streamer, order_id="order-2")),
            await send(nobody, DONATIONS, wish(streamer)),
            await read(nobody, "/api/v1/payments/tbank/check/{order_id}", "order-1"),
            await read(nobody, "/api/v1/payments/status/{payment_id}", opened["payment_id"]),
            await read(operators, "/api/v1/payments/pending-payments"),
            await operators.post("/payments/check-pending"),
        ]
    for answer in answers:
        assert answer.status_code == 200
        for secret in ("token", "secret", "anna-terminal"):
            assert secret not in answer.text.lower()


async def test_who_tries_the_address_out_is_told_that_it_is_there(
    site: Site, nobody: httpx.AsyncClient, opened: dict[str, Any]
) -> None:
    body = told(await payment_of(site, opened), "CONFIRMED")
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = await nobody.request(method, WEBHOOK, content=body)
        assert answer.status_code == 200
        assert "POST" in answer.json()["message"]
    assert (await nobody.options(WEBHOOK)).status_code == 200
    assert await site.rows("SELECT FROM inbox") == []
