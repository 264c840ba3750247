"""The bank's registry of a day, field by field as T-Bank's document has it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from simulator.registry import MOSCOW, bank_fee
from tests.simulator.conftest import OpenPayment
from tests.simulator.support import Clock, Simulator, call


async def registry(simulator: Simulator, clock: Clock, **changes: str) -> httpx.Response:
    day = f"{datetime.fromtimestamp(clock(), MOSCOW):%Y-%m-%d}"
    arguments = {"terminal_key": "TinkoffBankTest", "day": day, **changes}
    return await simulator.http.get(f"{simulator.url}/_sim/registry", params=arguments)


async def rows(simulator: Simulator, clock: Clock, **changes: str) -> list[list[str]]:
    text = (await registry(simulator, clock, **changes)).content.decode("cp1251")
    assert text.endswith("\r\n") or not text
    return [line.split(";") for line in text.split("\r\n") if line]


@pytest.fixture(autouse=True)
def noon(clock: Clock) -> None:
    """No test runs over a midnight."""
    now = datetime.now(MOSCOW)
    clock.ahead_seconds = (now.replace(hour=12, minute=0) + timedelta(days=1) - now).total_seconds()


async def test_a_card_payment_has_every_field(simulator: Simulator, open_payment: OpenPayment, clock: Clock) -> None:
    opened = await open_payment(order_id="don-1", description="Донат; для\n«Кота» 🎉")
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay")
    answer = await registry(simulator, clock)
    assert answer.headers["Content-Type"] == "text/csv; charset=windows-1251"
    [row] = await rows(simulator, clock)
    today = datetime.fromtimestamp(clock(), MOSCOW)
    assert row[:7] == ["1", "4300 00** **** 0777", "Visa", "don-1", f"{today:%d.%m.%Y}", row[5], "MSK"]
    assert len(row[7]) == 6
    assert len(row[8]) == 8
    assert row[9:11] == [f"{today:%d.%m.%Y}", f"{today + timedelta(days=1):%d.%m.%Y}"]
    assert row[11:15] == ["150.50", "3.76", "146.74", "Debit"]
    assert row[15].isdigit()
    assert row[16:] == [opened.provider_payment_id, "TinkoffBankTest", "Dom", "", "Донат, для «Кота» ?"]


async def test_sbp_has_a_phone_and_a_long_code(simulator: Simulator, open_payment: OpenPayment, clock: Clock) -> None:
    opened = await open_payment()
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay", source="qrsbp")
    [row] = await rows(simulator, clock)
    assert row[1:3] == ["+7(916)XXX-XX-21", "SBP"]
    assert len(row[7]) == 32
    assert row[11:14] == ["150.50", "1.05", "149.45"]
    assert row[15] == ""


async def test_data_of_init_is_passed_on(simulator: Simulator, clock: Clock) -> None:
    data = {"Email": "donor@example.org", "Phone": "+79160000021", "Secret": "no"}
    opened = await call(simulator, "Init", {"Amount": 15050, "OrderId": "don-1", "DATA": data})
    await simulator.control("POST", f"payments/{opened['PaymentId']}/pay")
    [row] = await rows(simulator, clock)
    assert row[19] == "Email:donor@example.org, Phone:+79160000021"


async def test_with_a_register_there_is_one_more_fee(
    simulator: Simulator, open_payment: OpenPayment, clock: Clock
) -> None:
    opened = await open_payment()
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay")
    await simulator.control(
        "POST", "terminals", terminal_key="TinkoffBankTest", password="TinkoffBankTest", cash_register=True
    )
    [row] = await rows(simulator, clock)
    assert len(row) == 22
    assert row[11:16] == ["150.50", "3.76", "1.00", "145.74", "Debit"]


async def test_all_that_may_happen_to_the_money(simulator: Simulator, open_payment: OpenPayment, clock: Clock) -> None:
    payment_id = (await open_payment()).provider_payment_id
    path = f"payments/{payment_id}"
    await simulator.control("POST", f"{path}/pay")
    await simulator.control("POST", f"{path}/refund", amount_minor=5000)
    disputed = await simulator.control("POST", f"{path}/chargeback", amount_minor=4000, fee_minor=25000)
    assert (disputed["status"], disputed["charged_back_minor"]) == ("PARTIAL_REFUNDED", 4000)
    await simulator.control("POST", f"{path}/chargeback_reversal")
    assert [(row[14], row[11], row[12], row[13]) for row in await rows(simulator, clock)] == [
        ("Debit", "150.50", "3.76", "146.74"),
        ("Credit", "50.00", "0.00", "50.00"),
        ("Chargeback", "40.00", "0.00", "40.00"),
        ("Chargeback_Fee", "250.00", "0.00", "250.00"),
        ("Chargeback_Reversal", "40.00", "0.00", "40.00"),
    ]


async def test_a_refund_through_sbp_counts_when_it_arrives(
    simulator: Simulator, open_payment: OpenPayment, clock: Clock
) -> None:
    payment_id = (await open_payment()).provider_payment_id
    await simulator.control("POST", f"payments/{payment_id}/pay", source="qrsbp")
    for code, kinds in (("I05043", ["Debit"]), (None, ["Debit", "Credit"])):
        await simulator.control("POST", f"payments/{payment_id}/refund")
        await simulator.control("POST", f"payments/{payment_id}/finish_refund", code=code)
        assert [row[14] for row in await rows(simulator, clock)] == kinds


async def test_a_hold_is_no_money_until_it_is_confirmed(simulator: Simulator, clock: Clock) -> None:
    opened = await call(simulator, "Init", {"Amount": 15050, "OrderId": "two", "PayType": "T"})
    await simulator.control("POST", f"payments/{opened['PaymentId']}/pay")
    assert await rows(simulator, clock) == []
    await call(simulator, "Confirm", {"PaymentId": opened["PaymentId"], "Amount": 5000})
    assert [row[11] for row in await rows(simulator, clock)] == ["50.00"]


async def test_a_day_is_one_of_moscow(simulator: Simulator, open_payment: OpenPayment, clock: Clock) -> None:
    """What happens at 21:30 UTC belongs to the next day."""
    payment_id = (await open_payment()).provider_payment_id
    now = datetime.fromtimestamp(clock(), UTC)
    clock.ahead_seconds += (now.replace(hour=21, minute=30) - now).total_seconds()
    await simulator.control("POST", f"payments/{payment_id}/pay", force=True)
    assert await rows(simulator, clock, day=f"{now:%Y-%m-%d}") == []
    tomorrow = now + timedelta(days=1)
    [row] = await rows(simulator, clock, day=f"{tomorrow:%Y-%m-%d}")
    assert row[4] == f"{tomorrow:%d.%m.%Y}"
    assert row[5].startswith("00:3")


async def test_a_registry_is_a_terminals_own(simulator: Simulator, open_payment: OpenPayment, clock: Clock) -> None:
    opened = await open_payment()
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay")
    await simulator.control("POST", "terminals", terminal_key="Another", password="secret")
    assert await rows(simulator, clock, terminal_key="Another") == []
    assert (await registry(simulator, clock, terminal_key="Unknown")).status_code == 404
    assert (await registry(simulator, clock, day="yesterday")).status_code == 422


@pytest.mark.parametrize(
    ("amount_minor", "source", "fee_minor"),
    [
        (15050, "cards", 376),
        (100, "cards", 100),
        (1000, "cards", 349),
        (100_000, "cards", 2500),
        (1000, "qrsbp", 7),
        (15050, "qrsbp", 105),
        (1500, "qrsbp", 11),
    ],
)
def test_fees(amount_minor: int, source: Any, fee_minor: int) -> None:
    assert bank_fee(amount_minor, source) == fee_minor
