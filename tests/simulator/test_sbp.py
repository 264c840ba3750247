"""SBP at the simulated bank: codes, the page behind them, tests of payments, refunds and their refusals."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from domain.payment_status import NewsStatus
from providers.provider import Credentials
from providers.tbank.client import TBankClient
from simulator.sbp import CANCEL_MESSAGES
from tests.simulator.conftest import OpenPayment
from tests.simulator.support import Clock, Shop, Simulator, call, refusal_of


async def paid_through_sbp(simulator: Simulator, open_payment: OpenPayment) -> str:
    payment_id = (await open_payment()).provider_payment_id
    await simulator.control("POST", f"payments/{payment_id}/pay", source="qrsbp")
    return payment_id


async def press(simulator: Simulator, url: str, button: str) -> str:
    """Press a button that the bank app really has, and return the page it leads to."""
    page = await simulator.http.get(url)
    [action] = [a for a in re.findall(r'<form method="post" action="([^"]+)">', page.text) if f"/{button}" in a]
    answer = await simulator.http.post(f"{simulator.url}{action}")
    assert answer.status_code == 303
    return (await simulator.http.get(f"{simulator.url}{answer.headers['Location']}")).text


async def test_a_payment_has_one_code(simulator: Simulator, open_payment: OpenPayment) -> None:
    opened = await open_payment(order_id="don-1")
    answer = await call(simulator, "GetQr", {"PaymentId": int(opened.provider_payment_id)})
    assert (answer["PaymentId"], answer["OrderId"]) == (int(opened.provider_payment_id), "don-1")
    address = urlsplit(answer["Data"])
    assert f"{address.scheme}://{address.netloc}" == simulator.url
    assert re.fullmatch(r"/qr/[A-Z0-9]{32}", address.path)
    query = {name: value for name, [value] in parse_qs(address.query).items()}
    crc = query.pop("crc")
    assert query == {"type": "01", "bank": "100000000001", "sum": "15050", "cur": "RUB"}
    assert re.fullmatch(r"[0-9A-F]{4}", crc)
    again = await call(simulator, "GetQr", {"PaymentId": opened.provider_payment_id, "DataType": "PAYLOAD"})
    assert again == answer


async def test_an_image_is_svg(simulator: Simulator, open_payment: OpenPayment) -> None:
    opened = await open_payment()
    answer = await call(simulator, "GetQr", {"PaymentId": opened.provider_payment_id, "DataType": "IMAGE"})
    assert ElementTree.fromstring(answer["Data"]).tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize(
    ("wishes", "fields", "code"),
    [
        ({"Amount": 999}, {}, "3016"),
        ({"Amount": 1000}, {}, "0"),
        ({"Amount": 100_000_000}, {}, "0"),
        ({"Amount": 100_000_001}, {}, "3016"),
        ({"PayType": "T"}, {}, "3016"),
        ({}, {"DataType": "PICTURE"}, "1"),
        ({}, {"BankId": "3fa85f64-5717-4562-b3fc-2c963f66afa6"}, "3044"),
        ({}, {"PaymentId": 1}, "255"),
    ],
    ids=repr,
)
async def test_codes_have_limits(
    simulator: Simulator, wishes: dict[str, Any], fields: dict[str, Any], code: str
) -> None:
    opened = await call(simulator, "Init", {"Amount": 15050, "OrderId": "don-1", **wishes})
    answer = await call(simulator, "GetQr", {"PaymentId": int(opened["PaymentId"]), **fields})
    assert answer["ErrorCode"] == code


async def test_only_an_unpaid_payment_has_a_code(simulator: Simulator, open_payment: OpenPayment, clock: Clock) -> None:
    paid, late = (await open_payment()).provider_payment_id, (await open_payment()).provider_payment_id
    await simulator.control("POST", f"payments/{paid}/pay")
    assert await refusal_of(simulator, "GetQr", {"PaymentId": paid}) == "8"
    clock.ahead_seconds = 31 * 60
    assert await refusal_of(simulator, "GetQr", {"PaymentId": late}) == "8"


async def test_a_shop_may_have_no_sbp(simulator: Simulator, open_payment: OpenPayment) -> None:
    opened = await open_payment(language="en")
    terminal = {"terminal_key": "TinkoffBankTest", "password": "TinkoffBankTest"}
    await simulator.control("POST", "terminals", **terminal, sbp=False)
    assert await refusal_of(simulator, "GetQr", {"PaymentId": opened.provider_payment_id}) == "3001"
    page = (await simulator.http.get(opened.payment_url)).text
    assert 'data-attempt="sbp" disabled' in page
    assert "the shop does not take SBP" in page
    await simulator.control("POST", "terminals", **terminal)
    [known] = (await simulator.control("GET", "terminals"))["terminals"]
    assert known["sbp"] is False, "what a request does not mention stays"
    assert "password" not in known


async def test_the_donor_pays_in_the_app_behind_the_code(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop
) -> None:
    opened = await open_payment()
    payload = (await call(simulator, "GetQr", {"PaymentId": opened.provider_payment_id}))["Data"]
    page = (await simulator.http.get(payload)).text
    assert "150,50\N{NO-BREAK SPACE}₽" in page
    assert "<script" not in page
    assert (await simulator.payment(opened.provider_payment_id))["status"] == "NEW", "looking changes nothing"
    assert "Оплачено" in await press(simulator, payload, "pay")
    await simulator.until(opened.provider_payment_id, lambda _: len(shop.received) == 2)
    assert shop.received[0]["Pan"].startswith("+7")
    again = await simulator.http.post(f"{payload.partition('?')[0]}/pay")
    assert again.status_code == 303
    assert (await simulator.payment(opened.provider_payment_id))["status"] == "CONFIRMED"


async def test_the_donor_declines_and_pays_all_the_same(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment
) -> None:
    opened = await open_payment(language="en")
    payload = (await call(simulator, "GetQr", {"PaymentId": opened.provider_payment_id}))["Data"]
    page = await press(simulator, payload, "decline")
    assert "There is not enough money on the account." in page
    assert not re.search("[а-яё]{3}", page.replace(opened_description(page), "").replace("Русский", ""), re.IGNORECASE)
    state = await tbank.get_state(credentials, opened.provider_payment_id)
    assert (state.status, state.error_code) == (NewsStatus.FAILED, "5060")
    assert "Paid" in await press(simulator, payload, "pay")


def opened_description(page: str) -> str:
    [description] = re.findall(r'<p class="description">(.*?)</p>', page)
    return str(description)


async def test_a_code_nobody_made_leads_nowhere(simulator: Simulator, open_payment: OpenPayment) -> None:
    opened = await open_payment()
    payload = (await call(simulator, "GetQr", {"PaymentId": opened.provider_payment_id}))["Data"]
    assert (await simulator.http.get(f"{simulator.url}/qr/{'A' * 32}")).status_code == 404
    assert (await simulator.http.post(f"{payload.partition('?')[0]}/steal")).status_code == 404


@pytest.mark.parametrize(
    ("flags", "status"),
    [
        ({}, "CONFIRMED"),
        ({"IsDeadlineExpired": False, "IsRejected": False}, "CONFIRMED"),
        ({"IsDeadlineExpired": True}, "DEADLINE_EXPIRED"),
        ({"IsRejected": True, "IsDeadlineExpired": False}, "REJECTED"),
    ],
    ids=repr,
)
async def test_the_banks_test_of_a_payment_by_code(
    simulator: Simulator, open_payment: OpenPayment, flags: dict[str, bool], status: str
) -> None:
    payment_id = (await open_payment()).provider_payment_id
    assert await refusal_of(simulator, "SbpPayTest", {"PaymentId": payment_id, **flags}) == "8"
    await call(simulator, "GetQr", {"PaymentId": payment_id})
    both = {"IsDeadlineExpired": True, "IsRejected": True}
    assert await refusal_of(simulator, "SbpPayTest", {"PaymentId": payment_id, **both}) == "1"
    answer = await call(simulator, "SbpPayTest", {"PaymentId": payment_id, **flags})
    assert answer == {"Success": True, "ErrorCode": "0", "Message": "OK", "Details": "0"}
    assert (await simulator.payment(payment_id))["status"] == status


async def test_a_refused_refund_says_why(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment, shop: Shop
) -> None:
    payment_id = await paid_through_sbp(simulator, open_payment)
    assert "Amount" not in await call(simulator, "GetQrState", {"PaymentId": payment_id})
    await simulator.control("POST", "faults", method="Refund", kind="error_code", code="I05043")
    assert (await tbank.cancel(credentials, payment_id, amount_minor=5000)).status is NewsStatus.REFUNDING
    state = await call(simulator, "GetQrState", {"PaymentId": payment_id})
    assert (state["Status"], state["Amount"]) == ("ASYNC_REFUNDING", 5000)
    assert "QrCancelCode" not in state
    await simulator.control("POST", "clock", advance_seconds=60)
    state = await call(simulator, "GetQrState", {"PaymentId": payment_id})
    assert (state["Status"], state["QrCancelCode"]) == ("CONFIRMED", "I05043")
    assert state["QrCancelMessage"] == CANCEL_MESSAGES["I05043"]
    assert (await tbank.get_state(credentials, payment_id)).amount_minor == 15050
    assert len(shop.received) == 2, "the shop has to ask"


async def test_a_refund_is_ended_at_will(simulator: Simulator, open_payment: OpenPayment) -> None:
    payment_id = await paid_through_sbp(simulator, open_payment)
    for code, amount_minor, status in ((None, 5000, "PARTIAL_REFUNDED"), ("3029", 1000, "PARTIAL_REFUNDED")):
        await simulator.control("POST", f"payments/{payment_id}/refund", amount_minor=amount_minor)
        ended = await simulator.control("POST", f"payments/{payment_id}/finish_refund", code=code)
        assert (ended["status"], ended["remaining_minor"]) == (status, 10050)
    assert (await call(simulator, "GetQrState", {"PaymentId": payment_id}))["QrCancelCode"] == "3029"
    url = f"{simulator.url}/_sim/payments/{payment_id}/finish_refund"
    assert (await simulator.http.post(url)).status_code == 409


async def test_a_refund_may_take_long(simulator: Simulator, open_payment: OpenPayment) -> None:
    payment_id = await paid_through_sbp(simulator, open_payment)
    await simulator.control("POST", "faults", method="Refund", kind="delay", seconds=600)
    await call(simulator, "Cancel", {"PaymentId": payment_id})
    await simulator.control("POST", "clock", advance_seconds=500)
    assert (await simulator.payment(payment_id))["status"] == "ASYNC_REFUNDING"
    await simulator.control("POST", "clock", advance_seconds=101)
    assert (await simulator.payment(payment_id))["status"] == "REFUNDED"


async def test_refunds_may_be_limited(simulator: Simulator, open_payment: OpenPayment) -> None:
    await simulator.control(
        "POST", "terminals", terminal_key="TinkoffBankTest", password="TinkoffBankTest", refund_limits=True
    )
    payment_id = await paid_through_sbp(simulator, open_payment)
    wish = {"PaymentId": payment_id, "Amount": 1000}
    for _ in range(5):
        assert (await call(simulator, "Cancel", wish))["ErrorCode"] == "0"
        await simulator.control("POST", f"payments/{payment_id}/finish_refund")
        assert await refusal_of(simulator, "Cancel", wish) in ("3029", "3030")
        await simulator.control("POST", "clock", advance_seconds=3601)
    assert await refusal_of(simulator, "Cancel", wish) == "3030"
    await simulator.control("POST", "clock", advance_seconds=86400)
    assert (await call(simulator, "Cancel", wish))["ErrorCode"] == "0"


async def test_a_repeated_refund_is_another_refund(simulator: Simulator, open_payment: OpenPayment) -> None:
    """The bank's protection by ExternalRequestId does not work for SBP."""
    payment_id = await paid_through_sbp(simulator, open_payment)
    for left in (10050, 5050):
        wish = {"PaymentId": payment_id, "Amount": 5000, "ExternalRequestId": "refund-1"}
        assert (await call(simulator, "Cancel", wish))["NewAmount"] == left
        await simulator.control("POST", f"payments/{payment_id}/finish_refund")
    assert (await simulator.payment(payment_id))["remaining_minor"] == 5050


async def test_banks_that_a_refund_may_go_to(simulator: Simulator, open_payment: OpenPayment) -> None:
    payment_id = await paid_through_sbp(simulator, open_payment)
    [member] = (await call(simulator, "QrMembersList", {"PaymentId": payment_id}))["Members"]
    assert member["IsPayee"] is True
    by_card = (await open_payment()).provider_payment_id
    for method in ("QrMembersList", "GetQrState"):
        assert await refusal_of(simulator, method, {"PaymentId": by_card}) == "8"
