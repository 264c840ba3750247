"""The simulated YooKassa's API, call by call: who may ask, what is refused, and what a key is good for."""

import re
from typing import Any

import httpx
import pytest

from domain.payment_status import NewsStatus
from providers.outcomes import (
    ProviderPermanentError,
    ProviderTemporaryError,
    ProviderUnknownOutcomeError,
    RefusalReason,
)
from providers.provider import Credentials, Receipt
from providers.yookassa.provider import create
from tests.simulator.support import Clock, Shop, Simulator
from tests.simulator.yookassa import CREDENTIALS, Kassa, open_kassa

BASIC = httpx.BasicAuth(CREDENTIALS.key, CREDENTIALS.secret)
WISHES: dict[str, Any] = {
    "amount": {"value": "150.50", "currency": "RUB"},
    "capture": True,
    "confirmation": {"type": "redirect", "return_url": "https://example.org/back"},
    "metadata": {"order_id": "don-1"},
}
RECEIPT: dict[str, Any] = {
    "customer": {"email": "a@example.org"},
    "items": [
        {
            "description": "Донат",
            "quantity": "1.00",
            "amount": {"value": "150.50", "currency": "RUB"},
            "vat_code": 1,
            "payment_mode": "full_payment",
            "payment_subject": "service",
        }
    ],
    "tax_system_code": 2,
}


@pytest.fixture
async def kassa(simulator: Simulator, shop: Shop) -> Kassa:
    return await open_kassa(simulator, shop.url)


async def post(simulator: Simulator, path: str, body: Any, key: str | None = "key-1", **options: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotence-Key": key}
    return await simulator.http.post(
        f"{simulator.url}/yookassa/v3/{path}", json=body, headers=headers, auth=options.pop("auth", BASIC), **options
    )


async def get(simulator: Simulator, path: str, auth: httpx.Auth = BASIC) -> httpx.Response:
    return await simulator.http.get(f"{simulator.url}/yookassa/v3/{path}", auth=auth)


def refusal(response: httpx.Response) -> tuple[int, str, str | None]:
    body = response.json()
    assert body["type"] == "error"
    assert body["description"]
    return response.status_code, body["code"], body.get("parameter")


async def test_a_new_payment_waits_for_its_payer(simulator: Simulator) -> None:
    response = await post(simulator, "payments", WISHES)
    payment = response.json()
    assert re.fullmatch(r"[0-9a-f]{8}-000f-5000-[89ab]000-[0-9a-f]{12}", payment["id"])
    assert (payment["status"], payment["paid"], payment["test"]) == ("pending", False, True)
    assert payment["amount"] == {"value": "150.50", "currency": "RUB"}
    assert payment["confirmation"]["confirmation_url"] == f"{simulator.url}/yookassa/pay/{payment['id']}"
    assert payment["recipient"]["account_id"] == "100500"
    assert (await get(simulator, f"payments/{payment['id']}")).json() == payment


async def test_the_same_key_with_the_same_body_is_the_same_payment(simulator: Simulator) -> None:
    first = await post(simulator, "payments", WISHES)
    again = await post(simulator, "payments", dict(reversed(WISHES.items())))
    assert again.content == first.content
    other = await post(simulator, "payments", WISHES, key="key-2")
    assert other.json()["id"] != first.json()["id"]


async def test_the_same_key_with_another_body_is_refused(simulator: Simulator) -> None:
    await post(simulator, "payments", WISHES)
    again = await post(simulator, "payments", {**WISHES, "description": "else"})
    assert refusal(again) == (400, "invalid_request", "Idempotence-Key")


async def test_a_key_is_forgotten_after_a_day(simulator: Simulator, clock: Clock) -> None:
    first = await post(simulator, "payments", WISHES)
    clock.ahead_seconds = 24 * 3600 + 1
    assert (await post(simulator, "payments", WISHES)).json()["id"] != first.json()["id"]


@pytest.mark.parametrize("key", [None, "", "k" * 65])
async def test_a_change_needs_a_key(simulator: Simulator, key: str | None) -> None:
    assert refusal(await post(simulator, "payments", WISHES, key)) == (400, "invalid_request", "Idempotence-Key")


@pytest.mark.parametrize("auth", [httpx.BasicAuth("100500", "wrong"), httpx.BasicAuth("1", "x"), None], ids=repr)
async def test_a_stranger_is_refused(simulator: Simulator, auth: httpx.BasicAuth | None) -> None:
    assert refusal(await post(simulator, "payments", WISHES, auth=auth))[:2] == (401, "invalid_credentials")
    response = await simulator.http.get(f"{simulator.url}/yookassa/v3/payments", auth=auth)
    assert refusal(response)[:2] == (401, "invalid_credentials")


async def test_credentials_can_be_checked(kassa: Kassa) -> None:
    await kassa.provider.check_credentials(CREDENTIALS)
    with pytest.raises(ProviderPermanentError) as caught:
        await kassa.provider.check_credentials(Credentials("100500", "test_another_key"))
    assert caught.value.reason is RefusalReason.CREDENTIALS


async def test_a_shop_sees_its_own_payments_only(simulator: Simulator) -> None:
    payment_id = (await post(simulator, "payments", WISHES)).json()["id"]
    await simulator.control("POST", "yookassa/shops", shop_id="7", secret_key="test_7")
    other = httpx.BasicAuth("7", "test_7")
    assert refusal(await get(simulator, f"payments/{payment_id}", other))[:2] == (404, "not_found")
    assert (await get(simulator, "payments", other)).json() == {"type": "list", "items": []}
    amount = {"value": "1.00", "currency": "RUB"}
    refund = await post(simulator, "refunds", {"payment_id": payment_id, "amount": amount}, auth=other)
    assert refusal(refund) == (400, "invalid_request", "payment_id")


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"amount": {"value": "150.5", "currency": "RUB"}}, "amount.value"),
        ({"amount": {"value": 150.50, "currency": "RUB"}}, "amount.value"),
        ({"amount": {"value": "150.50", "currency": "USD"}}, "amount.currency"),
        ({"amount": {"value": "0.99", "currency": "RUB"}}, "amount.value"),
        ({"amount": {"value": "700000.01", "currency": "RUB"}}, "amount.value"),
        ({"amount": 15050}, "amount"),
        ({"description": "ы" * 129}, "description"),
        ({"confirmation": {"type": "redirect"}}, "confirmation.return_url"),
        ({"confirmation": {"type": "redirect", "return_url": "javascript:1"}}, "confirmation.return_url"),
        ({"confirmation": {"type": "embedded"}}, "confirmation.type"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"metadata": {str(number): "" for number in range(17)}}, "metadata"),
        ({"Amount": "1"}, "Amount"),
        ({"capture": "yes"}, "capture"),
        ({"receipt": {**RECEIPT, "tax_system_code": 7}}, "receipt.tax_system_code"),
        ({"receipt": {**RECEIPT, "customer": {}}}, "receipt.customer"),
        ({"receipt": {**RECEIPT, "items": []}}, "receipt.items"),
        ({"receipt": {**RECEIPT, "items": RECEIPT["items"] * 2}}, "receipt.items"),
        ({"receipt": {**RECEIPT, "items": [{**RECEIPT["items"][0], "quantity": "one"}]}}, "receipt.items"),
        ({"receipt": {**RECEIPT, "items": [{**RECEIPT["items"][0], "vat_code": 13}]}}, "receipt.items.0.vat_code"),
    ],
    ids=repr,
)
async def test_a_wrong_request_is_refused_by_name(simulator: Simulator, change: Any, parameter: str) -> None:
    assert refusal(await post(simulator, "payments", {**WISHES, **change})) == (400, "invalid_request", parameter)


async def test_a_form_and_garbage_are_refused(simulator: Simulator) -> None:
    url = f"{simulator.url}/yookassa/v3/payments"
    headers = {"Idempotence-Key": "k"}
    form = await simulator.http.post(url, data={"amount": "1"}, headers=headers, auth=BASIC)
    assert refusal(form)[0] == 415
    headers["Content-Type"] = "application/json"
    assert refusal(await simulator.http.post(url, content=b"{", headers=headers, auth=BASIC))[0] == 400


async def test_our_receipts_are_taken(kassa: Kassa) -> None:
    receipt = Receipt("a@example.org", "Поддержка стримера", "osn", "vat22")
    opened = await kassa.open(receipt=receipt)
    payment = await kassa.payment(opened.provider_payment_id)
    assert payment["has_receipt"]
    assert '"vat_code": 11' in payment["requests"][0]["body"]


async def test_two_stages_hold_then_take_a_part(simulator: Simulator, kassa: Kassa) -> None:
    payment_id = (await post(simulator, "payments", {**WISHES, "capture": False})).json()["id"]
    await kassa.control(payment_id, "pay")
    held = await kassa.provider.get_state(CREDENTIALS, payment_id)
    assert (held.status, held.method) == (NewsStatus.AUTHORIZED, "card")
    part = {"amount": {"value": "100.00", "currency": "RUB"}}
    taken = (await post(simulator, f"payments/{payment_id}/capture", part, "capture-1")).json()
    assert (taken["status"], taken["amount"]["value"]) == ("succeeded", "100.00")
    paid = await kassa.provider.get_state(CREDENTIALS, payment_id)
    assert (paid.status, paid.amount_minor) == (NewsStatus.CONFIRMED, 10000)


async def test_a_hold_can_be_released_and_runs_out(simulator: Simulator, kassa: Kassa, clock: Clock) -> None:
    ids = [(await post(simulator, "payments", {**WISHES, "capture": False}, key)).json()["id"] for key in ("a", "b")]
    for payment_id in ids:
        await kassa.control(payment_id, "pay")
    released = await kassa.provider.call_off(CREDENTIALS, ids[0])
    assert (released.status, released.error_code) == (NewsStatus.CANCELLED, "0")
    clock.ahead_seconds = 7 * 24 * 3600 + 60
    assert (await kassa.provider.get_state(CREDENTIALS, ids[1])).status is NewsStatus.CANCELLED
    assert (await kassa.payment(ids[1]))["cancel_reason"] == "expired_on_capture"


async def test_what_is_not_held_is_not_cancelled_or_captured(simulator: Simulator) -> None:
    payment_id = (await post(simulator, "payments", WISHES)).json()["id"]
    for call in ("cancel", "capture"):
        assert refusal(await post(simulator, f"payments/{payment_id}/{call}", {}, call))[:2] == (400, "invalid_request")
    assert refusal(await post(simulator, "payments/none/cancel", {}, "x"))[0] == 404


async def test_payments_are_listed_page_by_page(simulator: Simulator) -> None:
    ids = [(await post(simulator, "payments", WISHES, f"k{number}")).json()["id"] for number in range(3)]
    first = (await get(simulator, "payments?limit=2&status=pending")).json()
    assert [payment["id"] for payment in first["items"]] == [ids[2], ids[1]]
    rest = (await get(simulator, f"payments?limit=2&cursor={first['next_cursor']}")).json()
    assert [payment["id"] for payment in rest["items"]] == [ids[0]]
    assert "next_cursor" not in rest
    assert refusal(await get(simulator, "payments?limit=0"))[2] == "limit"
    assert refusal(await get(simulator, "payments?color=red"))[2] == "color"


@pytest.mark.parametrize(
    ("fault", "is_opened"),
    [
        ({"kind": "error_500"}, False),
        ({"kind": "error_500", "carried_out": True}, True),
        ({"kind": "invalid_json"}, True),
        ({"kind": "reset"}, True),
        ({"kind": "reset", "carried_out": False}, False),
        ({"kind": "timeout_after", "seconds": 0.2}, True),
        ({"kind": "error_code", "code": "500"}, False),
        ({"kind": "error_code", "code": "202"}, False),
    ],
    ids=repr,
)
async def test_after_a_fault_opening_again_gives_the_same_payment(
    simulator: Simulator, kassa: Kassa, fault: dict[str, Any], is_opened: bool
) -> None:
    await simulator.control("POST", "faults", method="yookassa.payments", **fault)
    with pytest.raises(ProviderUnknownOutcomeError):
        await kassa.open(order_id="don-1")
    before = (await simulator.control("GET", "yookassa/payments?order_id=don-1"))["payments"]
    assert len(before) == is_opened
    opened = await kassa.open(order_id="don-1")
    [payment] = (await simulator.control("GET", "yookassa/payments?order_id=don-1"))["payments"]
    assert payment["id"] == opened.provider_payment_id


@pytest.mark.parametrize(("code", "kind"), [("429", ProviderTemporaryError), ("403", ProviderPermanentError)])
async def test_an_error_can_be_ordered(simulator: Simulator, kassa: Kassa, code: str, kind: type[Exception]) -> None:
    await simulator.control("POST", "faults", method="yookassa.payments", kind="error_code", code=code)
    with pytest.raises(kind):
        await kassa.open()
    await kassa.open()


async def test_a_client_loses_patience(simulator: Simulator, kassa: Kassa) -> None:
    opened = await kassa.open()
    await simulator.control("POST", "faults", method="yookassa.payment", kind="delay", seconds=1)
    hasty = create(simulator.http, f"{simulator.url}/yookassa/v3", 0.1, 5)
    with pytest.raises(ProviderUnknownOutcomeError):
        await hasty.get_state(CREDENTIALS, opened.provider_payment_id)


async def test_a_strange_payment_is_not_found(kassa: Kassa) -> None:
    with pytest.raises(ProviderPermanentError) as caught:
        await kassa.provider.get_state(CREDENTIALS, "23d93cac-000f-5000-8000-126628f15141")
    assert caught.value.reason is RefusalReason.NOT_FOUND
