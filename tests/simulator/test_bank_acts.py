"""What a bank does of its own will: refunds in its cabinet, chargebacks, second payments, news told again."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from domain.payment_status import NewsStatus
from providers.outcomes import ProviderPermanentError
from providers.provider import Credentials
from providers.tbank.client import TBankClient
from simulator.courier import RETRIES
from simulator.store import ADDED_COLUMNS
from tests.simulator.conftest import OpenPayment
from tests.simulator.support import Clock, Shop, Simulator, call, refusal_of, running_simulator


async def paid(simulator: Simulator, open_payment: OpenPayment, **wishes: Any) -> str:
    payment_id = (await open_payment(**wishes)).provider_payment_id
    await simulator.control("POST", f"payments/{payment_id}/pay")
    return payment_id


async def status_of(simulator: Simulator, path: str, **body: Any) -> int:
    return (await simulator.http.post(f"{simulator.url}/_sim/{path}", json=body)).status_code


async def test_a_refund_in_the_banks_cabinet(simulator: Simulator, open_payment: OpenPayment, shop: Shop) -> None:
    payment_id = await paid(simulator, open_payment)
    part = await simulator.control("POST", f"payments/{payment_id}/refund", amount_minor=5000)
    assert (part["status"], part["remaining_minor"]) == ("PARTIAL_REFUNDED", 10050)
    assert await status_of(simulator, f"payments/{payment_id}/refund", amount_minor=10051) == 409
    rest = await simulator.control("POST", f"payments/{payment_id}/refund")
    assert rest["status"] == "REFUNDED"
    assert shop.statuses[2:] == ["PARTIAL_REFUNDED", "REFUNDED"]
    assert await status_of(simulator, f"payments/{payment_id}/refund") == 409


async def test_a_hold_is_released_in_the_cabinet(simulator: Simulator, open_payment: OpenPayment) -> None:
    payment_id = (await open_payment()).provider_payment_id
    assert await status_of(simulator, f"payments/{payment_id}/refund") == 409
    await simulator.control("POST", f"payments/{payment_id}/authorize")
    assert (await simulator.control("POST", f"payments/{payment_id}/refund"))["status"] == "REVERSED"


async def test_a_chargeback_is_told_nowhere_but_in_the_registry(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment, shop: Shop
) -> None:
    payment_id = await paid(simulator, open_payment)
    disputed = await simulator.control("POST", f"payments/{payment_id}/chargeback")
    assert disputed["charged_back_minor"] == 15050
    state = await tbank.get_state(credentials, payment_id)
    assert (state.status, state.amount_minor) == (NewsStatus.CONFIRMED, 15050)
    assert len(shop.received) == 2
    assert await refusal_of(simulator, "Cancel", {"PaymentId": payment_id, "Amount": 100}) == "100"
    for act in ("chargeback", "refund"):
        assert await status_of(simulator, f"payments/{payment_id}/{act}") == 409
    won = await simulator.control("POST", f"payments/{payment_id}/chargeback_reversal")
    assert won["charged_back_minor"] == 0
    assert await status_of(simulator, f"payments/{payment_id}/chargeback_reversal") == 409
    kinds = [one["kind"] for one in (await simulator.payment(payment_id))["operations"]]
    assert kinds == ["Debit", "Chargeback", "Chargeback_Reversal"]
    await tbank.cancel(credentials, payment_id)


async def test_only_paid_money_is_charged_back(simulator: Simulator, open_payment: OpenPayment) -> None:
    payment_id = (await open_payment()).provider_payment_id
    assert await status_of(simulator, f"payments/{payment_id}/chargeback") == 409
    await simulator.control("POST", f"payments/{payment_id}/pay")
    assert await status_of(simulator, f"payments/{payment_id}/chargeback", amount_minor=15051) == 409


async def test_an_order_may_be_paid_twice(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment, shop: Shop
) -> None:
    first = await paid(simulator, open_payment, order_id="don-1")
    with pytest.raises(ProviderPermanentError):
        await open_payment(order_id="don-1")
    twin = await simulator.control("POST", f"payments/{first}/twin")
    assert (twin["order_id"], twin["amount_minor"], twin["status"]) == ("don-1", 15050, "CONFIRMED")
    states = await tbank.check_order(credentials, "don-1")
    assert [state.status for state in states] == [NewsStatus.CONFIRMED, NewsStatus.CONFIRMED]
    assert {one["PaymentId"] for one in shop.received} == {int(first), twin["id"]}
    third = await simulator.control("POST", f"payments/{first}/twin", pay=False)
    assert third["status"] == "NEW"


async def test_a_notification_is_sent_again_as_it_was(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop
) -> None:
    payment_id = (await open_payment()).provider_payment_id
    path = f"payments/{payment_id}/resend"
    assert await status_of(simulator, path) == 409
    await simulator.control("POST", f"payments/{payment_id}/pay", order="authorized_first")
    [first, _] = (await simulator.payment(payment_id))["notifications"]
    await simulator.control("POST", path)
    await simulator.control("POST", path, notification_id=first["id"], times=2)
    assert shop.statuses[2:] == ["CONFIRMED", "AUTHORIZED", "AUTHORIZED"]
    assert len(set(shop.bodies)) == 2
    assert await status_of(simulator, path, notification_id=first["id"] - 1) == 409


async def test_the_shop_asks_for_what_the_bank_gave_up(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop
) -> None:
    """Resend is in no document of the bank, so its answer is compared here."""
    payment_id = (await open_payment()).provider_payment_id
    await simulator.control("POST", "clock", unit_seconds=0.001)
    shop.answers = [(503, b"busy")] * (RETRIES + 1)
    await simulator.control("POST", f"payments/{payment_id}/decline")
    await simulator.until(payment_id, lambda payment: payment["notifications"][0]["next_try_at"] is None)
    await simulator.control("POST", f"payments/{payment_id}/notify", password="wrong")
    count = len(shop.received)
    assert await call(simulator, "Resend", {}) == {
        "Success": True,
        "ErrorCode": "0",
        "TerminalKey": "TinkoffBankTest",
        "Count": 1,
    }
    await simulator.until(payment_id, lambda payment: bool(payment["notifications"][0]["delivered_at"]))
    assert shop.statuses[count:] == ["REJECTED"]
    assert (await call(simulator, "Resend", {"PaymentId": payment_id}))["Count"] == 0
    assert await refusal_of(simulator, "Resend", {"PaymentId": "1"}) == "255"


async def test_time_may_be_put_forward(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment
) -> None:
    opened = await open_payment()
    before = await simulator.control("GET", "clock")
    assert before["ahead_seconds"] == 0
    after = await simulator.control("POST", "clock", advance_seconds=31 * 60)
    assert after["ahead_seconds"] == 31 * 60
    assert after["now"] - before["now"] >= 31 * 60
    assert (await tbank.get_state(credentials, opened.provider_payment_id)).status is NewsStatus.EXPIRED


async def test_the_banks_hour_may_change_while_it_runs(
    clock: Clock, open_payment: OpenPayment, simulator: Simulator, shop: Shop
) -> None:
    shop.answers = [(503, b"busy")] * 2
    await simulator.control("POST", "clock", unit_seconds=3600)
    payment_id = (await open_payment()).provider_payment_id
    await simulator.control("POST", f"payments/{payment_id}/decline")
    assert (await simulator.payment(payment_id))["notifications"][0]["next_try_at"] > clock() + 3500
    for tries, hours in ((2, 1), (3, 2)):
        await simulator.control("POST", "clock", advance_seconds=hours * 3600)
        await simulator.until(payment_id, lambda payment: payment["notifications"][0]["tries"] == tries)  # noqa: B023
    assert len(shop.received) == 3


async def test_a_file_of_an_earlier_version_is_taken_over(database: Path, clock: Clock) -> None:
    async with running_simulator(database, clock):
        # Its file is there now.
        pass
    with closing(sqlite3.connect(database)) as connection:
        for table, column, _ in ADDED_COLUMNS:
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    async with running_simulator(database, clock) as simulator:
        assert (await call(simulator, "Init", {"Amount": 15050, "OrderId": "don-1"}))["Success"]
        [terminal] = (await simulator.control("GET", "terminals"))["terminals"]
        assert (terminal["sbp"], terminal["cash_register"], terminal["refund_limits"]) == (True, False, False)
