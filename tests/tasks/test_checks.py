"""Asking the bank about payments, and what the operator is told of its answers."""

import dataclasses

import pytest

from domain.payments import PaymentStatus
from providers.provider import Credentials, PaymentState, Refund
from providers.tbank.client import TBankClient
from tasks.checks import check_payment
from tasks.payments import create_payment
from tests.builders import TERMINAL_PASSWORD
from tests.tasks.conftest import World, with_tbank
from tests.tasks.test_payments import books, read, wish


class TellsTheOriginalAmount(TBankClient):
    """What the bank's documents leave open: the sum of a payment that went back in part."""

    async def get_state(self, credentials: Credentials, provider_payment_id: str) -> PaymentState:
        state = await super().get_state(credentials, provider_payment_id)
        return dataclasses.replace(state, amount_minor=30_000)


async def test_a_refund_of_unknown_size_is_an_error_and_is_asked_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    _, payment = await wish(world)
    await create_payment(world.parts, payment.id)
    opened = await read(world, payment)
    assert opened.provider_payment_id is not None
    await world.bank.act(opened.provider_payment_id, "pay", notify=False)
    await check_payment(world.parts, payment.id)
    credentials = Credentials(world.streamer.terminal_key, TERMINAL_PASSWORD)
    refund = Refund(opened.provider_payment_id, 10_000, remaining_minor=30_000, key="cabinet")
    await world.parts.providers["tbank"].refund(credentials, refund)

    parts = with_tbank(world.parts, TellsTheOriginalAmount)
    await check_payment(parts, payment.id)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert f"payment {payment.id}: the bank says PARTIAL_REFUNDED" in record.getMessage()
    after = await read(world, payment)
    assert (after.status, after.next_check_at is None) == (PaymentStatus.CONFIRMED, False)

    await check_payment(world.parts, payment.id)
    after = await read(world, payment)
    assert (after.status, after.next_check_at) == (PaymentStatus.PARTIALLY_REFUNDED, None)
    await books(world)
