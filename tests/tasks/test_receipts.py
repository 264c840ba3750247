"""Fiscal receipts on their way to the bank, and what is told when it wants one and gets none."""

import json
from typing import Any

import pytest

from domain.donations import NewDonation, create_donation
from domain.payments import Payment, PaymentStatus, get_payment
from domain.receipts import Receipts, set_settings
from domain.terminal_health import read_refusal
from tasks.payments import create_payment
from tests.builders import check_books, latest_payment
from tests.tasks.conftest import World


async def switch(world: World, kind: Receipts) -> None:
    async with world.parts.pool.acquire() as connection, connection.transaction():
        await set_settings(
            connection, world.streamer.id, kind=kind, taxation="usn_income", vat="vat22", item="Добровольная поддержка"
        )


async def open_one(world: World, *, email: str | None, key: str) -> Payment:
    new = NewDonation(
        streamer_id=world.streamer.id,
        form_key=key,
        amount_minor=30_000,
        donor_name=None,
        message="",
        locale="ru",
        consent_version="test",
        donor_email=email,
    )
    async with world.parts.pool.acquire() as connection, connection.transaction():
        payment = await latest_payment(connection, await create_donation(connection, new, link_minutes=30))
    await create_payment(world.parts, payment.id)
    async with world.parts.pool.acquire() as connection:
        opened = await get_payment(connection, payment.id)
        await check_books(connection)
    assert opened is not None
    return opened


async def sent(world: World, payment: Payment) -> dict[str, Any]:
    """The bank's Init as it came."""
    answer = await world.bank._http.get(f"/_sim/payments/{payment.provider_payment_id}")
    request = next(request for request in answer.json()["requests"] if request["method"] == "Init")
    body = request["body"]
    found: dict[str, Any] = json.loads(body) if isinstance(body, str) else body
    return found


async def test_a_receipt_goes_with_the_payment(world: World) -> None:
    await switch(world, Receipts.FISCAL)
    receipt = (await sent(world, await open_one(world, email="anya@mail.ru", key="k" * 32)))["Receipt"]
    assert (receipt["Email"], receipt["Taxation"]) == ("anya@mail.ru", "usn_income")
    [item] = receipt["Items"]
    assert (item["Name"], item["Tax"], item["Amount"]) == ("Добровольная поддержка", "vat22", 30_000)


@pytest.mark.parametrize("kind", [Receipts.NONE, Receipts.NPD])
async def test_none_goes_where_none_is_made(world: World, kind: Receipts) -> None:
    await switch(world, kind)
    init = await sent(world, await open_one(world, email="anya@mail.ru", key="k" * 32))
    assert "Receipt" not in init
    assert "anya@mail.ru" not in json.dumps(init)


async def test_a_terminal_with_a_register_that_gets_no_receipt(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The bank's 309: the streamer is told why, by the reason; the next that is opened ends the worry."""
    await world.bank.fail("Init", "error_code", code="309")
    refused = await open_one(world, email=None, key="k" * 32)
    assert (refused.status, refused.error_reason) == (PaymentStatus.FAILED, "receipt")
    async with world.parts.pool.acquire() as connection:
        refusal = await read_refusal(connection, world.streamer.terminal_id)
    assert refusal is not None
    assert (refusal.reason, refusal.has_opened_since) == ("receipt", False)
    await switch(world, Receipts.FISCAL)
    await open_one(world, email="anya@mail.ru", key="l" * 32)
    async with world.parts.pool.acquire() as connection:
        refusal = await read_refusal(connection, world.streamer.terminal_id)
    assert refusal is not None
    assert refusal.has_opened_since
    assert "anya@mail.ru" not in "\n".join(record.getMessage() for record in caplog.records)
