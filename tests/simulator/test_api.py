"""The simulated bank's API against T-Bank's own document, and its refusals against the fact sheet."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.payment_status import NewsStatus
from providers.outcomes import ProviderPermanentError, RefusalReason
from providers.provider import Credentials
from providers.tbank.client import TBankClient
from providers.tbank.signing import sign
from simulator.api import METHODS
from tests.simulator.conftest import OpenPayment
from tests.simulator.support import (
    PASSWORD,
    Clock,
    Simulator,
    assert_exchanges_fit,
    call,
    refusal_of,
    running_simulator,
)

GIFT_CARD = "Подарочная карта на 1000 рублей"


async def test_every_answer_in_every_state_fits_the_banks_document(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment
) -> None:
    """What passes is compared with the document when the simulator stops, as in every test of this folder."""

    async def ask(payment_id: str, order_id: str) -> None:
        await tbank.get_state(credentials, payment_id)
        assert await tbank.check_order(credentials, order_id)

    for source in ("cards", "qrsbp"):
        payment_id = (await open_payment(order_id=source)).provider_payment_id
        await ask(payment_id, source)
        for status in ("REJECTED", "AUTH_FAIL"):
            await simulator.control("POST", f"payments/{payment_id}/decline", status=status, source=source)
            await ask(payment_id, source)
        with pytest.raises(ProviderPermanentError):
            await tbank.cancel(credentials, payment_id)
        await simulator.control("POST", f"payments/{payment_id}/authorize", source=source)
        await ask(payment_id, source)
        await simulator.control("POST", f"payments/{payment_id}/pay", source=source)
        await ask(payment_id, source)
        await tbank.cancel(credentials, payment_id, amount_minor=5050)
        await ask(payment_id, source)
    for order_id, end in (("called-off", "cancel"), ("run-out", "expire")):
        payment_id = (await open_payment(order_id=order_id)).provider_payment_id
        if end == "cancel":
            await tbank.cancel(credentials, payment_id)
        else:
            await simulator.control("POST", f"payments/{payment_id}/expire")
        await ask(payment_id, order_id)
    two_stage = await call(simulator, "Init", {"Amount": 1000, "OrderId": "two-stage", "PayType": "T"})
    await simulator.control("POST", f"payments/{two_stage['PaymentId']}/pay")
    await call(simulator, "Confirm", {"PaymentId": two_stage["PaymentId"]})
    assert await refusal_of(simulator, "Confirm", {"PaymentId": two_stage["PaymentId"]}) == "8"
    await ask(two_stage["PaymentId"], "two-stage")


@pytest.mark.parametrize(
    ("method", "request_", "answer"),
    [
        ("GetState", {"PaymentId": "1", "Unheard": "of"}, {"Success": False, "ErrorCode": "255"}),
        ("GetState", {"PaymentId": "1" * 21}, {"Success": False, "ErrorCode": "255"}),
        ("GetState", {"PaymentId": "1"}, {"Success": False, "ErrorCode": 255}),
        ("CheckOrder", {"OrderId": "1"}, {"Success": True, "ErrorCode": "0"}),
    ],
    ids=repr,
)
async def test_what_does_not_fit_fails_the_test(
    database: Path, clock: Clock, method: str, request_: dict[str, Any], answer: dict[str, Any]
) -> None:
    request_ = {"TerminalKey": "TinkoffBankTest", "Token": "0" * 64, **request_}
    answer = {"Message": "Неверные параметры.", "Details": "", **answer}
    async with running_simulator(database, clock):
        # Its file is there now.
        pass
    with closing(sqlite3.connect(database)) as connection:
        added = "INSERT INTO requests (method, body, answer, received_at) VALUES (?, ?, ?, 0)"
        connection.execute(added, (method, json.dumps(request_).encode(), json.dumps(answer)))
        connection.commit()
    with pytest.raises(AssertionError, match=f"{method} .* was answered"):
        assert_exchanges_fit(database)


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        (
            "Init",
            {
                "Amount": 140000,
                "OrderId": "21090",
                "Description": GIFT_CARD,
                "Token": "68711168852240a2f34b6a8b19d2cfbd296c7d2a6dff8b23eda6278985959346",
                "DATA": {"Phone": "+71234567890", "Email": "a@test.com"},
                "Receipt": {
                    "Email": "a@test.ru",
                    "Taxation": "osn",
                    "Items": [
                        {"Name": GIFT_CARD, "Price": 140000, "Quantity": 1, "Amount": 140000, "Tax": "vat10"},
                    ],
                },
            },
        ),
        (
            "CheckOrder",
            {
                "OrderId": "21057",
                "Token": "4c4c36adf9936b011879fa26f60759e7b47e57f7968283129b0ae9ac457486ab",
            },
        ),
        (
            "Cancel",
            {
                "PaymentId": "2304882",
                "Token": "c0ad1dfc4e94ed44715c5ed0e84f8ec439695b9ac219a7a19555a075a3c3ed24",
            },
        ),
    ],
)  # fmt: skip
async def test_the_banks_published_examples_are_signed_correctly(
    simulator: Simulator, method: str, fields: dict[str, Any]
) -> None:
    answer = await call(simulator, method, {k: v for k, v in fields.items() if k != "Token"}, fields["Token"])
    assert answer["ErrorCode"] == {"Init": "0", "CheckOrder": "335", "Cancel": "255"}[method]


@pytest.mark.parametrize("method", METHODS)
async def test_every_method_checks_the_token(simulator: Simulator, method: str) -> None:
    fields = {"Amount": 1000, "OrderId": "1", "PaymentId": "1"}
    assert await refusal_of(simulator, method, fields, token="0" * 64) == "204"
    assert await refusal_of(simulator, method, fields, token="") == "204"
    assert await refusal_of(simulator, method, {**fields, "TerminalKey": "Stranger"}) == "205"
    assert await refusal_of(simulator, method, {**fields, "Password": PASSWORD}) == "1"


async def test_a_slash_at_the_end_is_fine_and_an_unknown_method_is_not(simulator: Simulator) -> None:
    body = {"TerminalKey": "TinkoffBankTest", "OrderId": "1"}
    signed = {**body, "Token": sign(body, PASSWORD)}
    for path, status in (("CheckOrder", 200), ("CheckOrder/", 200), ("checkorder", 404), ("Charge", 404)):
        response = await simulator.http.post(f"{simulator.url}/v2/{path}", json=signed)
        assert response.status_code == status


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"TerminalKey=a&Token=b", b'{"a":1,"a":2}', b"\xff"])
async def test_garbage_is_refused_with_code_1(simulator: Simulator, body: bytes) -> None:
    response = await simulator.http.post(f"{simulator.url}/v2/Init", content=body)
    assert (response.status_code, response.json()["ErrorCode"]) == (200, "1")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Amount": None}, "201"),
        ({"Amount": 99}, "251"),
        ({"Amount": "15050"}, "247"),
        ({"Amount": 150.5}, "247"),
        ({"Amount": True}, "247"),
        ({"Amount": 10**10}, "240"),
        ({"OrderId": None}, "201"),
        ({"OrderId": ""}, "201"),
        ({"OrderId": "o" * 37}, "212"),
        ({"OrderId": 5}, "1"),
        ({"Description": "d" * 141}, "213"),
        ({"Description": 5}, "1"),
        ({"PayType": "X"}, "1"),
        ({"Language": "fr"}, "1"),
        ({"SuccessURL": "javascript:alert(1)"}, "1"),
        ({"FailURL": "https://example.org/" + "x" * 250}, "1"),
        ({"CustomerKey": "c" * 37}, "216"),
        ({"Recurrent": "Y"}, "201"),
        ({"RedirectDueDate": "tomorrow"}, "12"),
        ({"RedirectDueDate": "2026-12-01T12:00:00"}, "12"),
        ({"DATA": "text"}, "250"),
        ({"DATA": {str(n): "" for n in range(21)}}, "207"),
        ({"DATA": {"k" * 21: "v"}}, "208"),
        ({"DATA": {"k": "v" * 101}}, "209"),
        ({"Receipt": {"Email": "a@test.ru", "Items": [{"Amount": 1}]}}, "334"),
        ({"Receipt": {"Items": [{"Amount": 15050}]}}, "329"),
        ({"Receipt": {"Email": "a@test.ru"}}, "1"),
    ],
    ids=repr,
)
async def test_init_has_the_banks_limits(simulator: Simulator, change: dict[str, Any], code: str) -> None:
    assert await refusal_of(simulator, "Init", {"Amount": 15050, "OrderId": "don-1", **change}) == code


@pytest.mark.parametrize(("ahead", "code"), [(-60, "12"), (30, "12"), (90, "0"), (89 * 86400, "0"), (91 * 86400, "12")])
async def test_the_due_date_is_a_minute_to_ninety_days_ahead(simulator: Simulator, ahead: int, code: str) -> None:
    due = (datetime.now(UTC) + timedelta(seconds=ahead)).isoformat(timespec="seconds")
    answer = await call(simulator, "Init", {"Amount": 15050, "OrderId": "don-1", "RedirectDueDate": due})
    assert answer["ErrorCode"] == code


async def test_an_order_may_be_tried_again_until_it_is_paid(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment
) -> None:
    first = await open_payment(order_id="don-1")
    second = await open_payment(order_id="don-1")
    states = await tbank.check_order(credentials, "don-1")
    assert [state.provider_payment_id for state in states] == [first.provider_payment_id, second.provider_payment_id]
    await simulator.control("POST", f"payments/{first.provider_payment_id}/pay")
    with pytest.raises(ProviderPermanentError) as caught:
        await open_payment(order_id="don-1")
    assert caught.value.reason is RefusalReason.ORDER_TAKEN


async def test_a_terminal_sees_only_its_own(
    simulator: Simulator, tbank: TBankClient, open_payment: OpenPayment
) -> None:
    opened = await open_payment(order_id="don-1")
    await simulator.control("POST", "terminals", terminal_key="1700000000000DEMO", password="another")
    stranger = Credentials("1700000000000DEMO", "another")
    with pytest.raises(ProviderPermanentError) as caught:
        await tbank.get_state(stranger, opened.provider_payment_id)
    assert caught.value.reason is RefusalReason.NOT_FOUND
    assert await tbank.check_order(stranger, "don-1") == ()


@pytest.mark.parametrize("payment_id", ["1", "9" * 20, 7])
async def test_a_payment_nobody_opened_is_not_found(simulator: Simulator, payment_id: Any) -> None:
    assert await refusal_of(simulator, "GetState", {"PaymentId": payment_id}) == "255"


@pytest.mark.parametrize(("payment_id", "code"), [(None, "201"), ("", "201"), ("x1", "217"), (True, "217")])
async def test_a_payment_id_is_a_number(simulator: Simulator, payment_id: Any, code: str) -> None:
    assert await refusal_of(simulator, "GetState", {"PaymentId": payment_id}) == code


async def test_the_wrong_password_is_a_matter_of_credentials(tbank: TBankClient) -> None:
    with pytest.raises(ProviderPermanentError) as caught:
        await tbank.check_order(Credentials("TinkoffBankTest", "mistyped"), "don-1")
    assert caught.value.reason is RefusalReason.CREDENTIALS


async def test_a_terminal_for_trying_out_is_there_once_it_is_named(tbank: TBankClient) -> None:
    for _ in range(2):
        assert await tbank.check_order(Credentials("1000000000042DEMO", "simulator-trial"), "don-1") == ()
    for key, password in (("1000000000043DEMO", "mistyped"), ("2000000000042DEMO", "simulator-trial")):
        with pytest.raises(ProviderPermanentError) as caught:
            await tbank.check_order(Credentials(key, password), "don-1")
        assert caught.value.reason is RefusalReason.CREDENTIALS


async def test_a_payment_page_lives_until_its_due_date(
    tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment, clock: Clock
) -> None:
    opened = await open_payment()
    assert (await tbank.get_state(credentials, opened.provider_payment_id)).status is NewsStatus.PENDING
    clock.ahead_seconds = 31 * 60
    assert (await tbank.get_state(credentials, opened.provider_payment_id)).status is NewsStatus.EXPIRED
