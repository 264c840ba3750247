"""Receipts in Init and Cancel, and shops with a cash register, where they are a must."""

from typing import Any

import pytest

from tests.simulator.support import Simulator, call, refusal_of

ITEM: dict[str, Any] = {
    "Name": "Донат",
    "Price": 15050,
    "Quantity": 1,
    "Amount": 15050,
    "Tax": "none",
    "PaymentMethod": "full_payment",
    "PaymentObject": "service",
}


def receipt(item: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {"Email": "donor@example.org", "Taxation": "usn_income", "Items": [{**ITEM, **(item or {})}], **changes}


def opening(given: dict[str, Any] | None, order_id: str = "don-1") -> dict[str, Any]:
    return {"Amount": 15050, "OrderId": order_id} | ({} if given is None else {"Receipt": given})


@pytest.fixture
async def register(simulator: Simulator) -> None:
    await simulator.control(
        "POST", "terminals", terminal_key="TinkoffBankTest", password="TinkoffBankTest", cash_register=True
    )


@pytest.mark.usefixtures("register")
async def test_with_a_register_init_needs_a_receipt(simulator: Simulator) -> None:
    assert await refusal_of(simulator, "Init", opening(None)) == "309"
    assert (await call(simulator, "Init", opening(receipt())))["ErrorCode"] == "0"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (receipt({"Tax": "vat22"}), "0"),
        (receipt({"Price": 150500, "Quantity": 0.1}), "0"),
        (receipt(Payments={"Electronic": 15050}), "0"),
        (receipt(Payments={"Electronic": 15000, "Cash": 50}), "308"),
        (receipt(Payments={"Electronic": 15051}), "308"),
        (receipt({"Amount": 15000, "Price": 15000}), "334"),
        (receipt({"Quantity": 0.1234}), "310"),
        (receipt({"Quantity": 100000, "Price": 0}), "310"),
        (receipt({"Quantity": 2}), "1"),
        (receipt({"Quantity": "many"}), "1"),
        (receipt({"Name": "н" * 129}), "1"),
        (receipt({"Tax": "vat18"}), "1"),
        (receipt(Taxation="envd"), "1"),
        (receipt(FfdVersion="1.2"), "1"),
        (receipt({"Amount": 15049.5}), "334"),
        (receipt(Items=[]), "334"),
        (receipt(Email=""), "329"),
        (receipt(Email="", Phone="+79160000021"), "0"),
    ],
    ids=repr,
)
async def test_a_receipt_is_looked_at(simulator: Simulator, given: dict[str, Any], code: str) -> None:
    answer = await call(simulator, "Init", opening(given))
    assert answer["ErrorCode"] == code


@pytest.mark.usefixtures("register")
async def test_a_partial_refund_needs_a_receipt_and_a_full_one_does_not(simulator: Simulator) -> None:
    payment_id = (await call(simulator, "Init", opening(receipt())))["PaymentId"]
    await simulator.control("POST", f"payments/{payment_id}/pay")
    part = {"PaymentId": payment_id, "Amount": 5050}
    assert await refusal_of(simulator, "Cancel", part) == "309"
    assert await refusal_of(simulator, "Cancel", {**part, "Receipt": receipt()}) == "334"
    given = receipt({"Amount": 5050, "Price": 5050})
    assert (await call(simulator, "Cancel", {**part, "Receipt": given}))["Status"] == "PARTIAL_REFUNDED"
    assert (await call(simulator, "Cancel", {"PaymentId": payment_id}))["Status"] == "REFUNDED"


@pytest.mark.usefixtures("register")
async def test_what_nobody_paid_is_called_off_without_a_receipt(simulator: Simulator) -> None:
    payment_id = (await call(simulator, "Init", opening(receipt())))["PaymentId"]
    assert (await call(simulator, "Cancel", {"PaymentId": payment_id}))["Status"] == "CANCELED"
