"""What our client makes of a bank's answers: the good, the refusing and the nonsensical."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
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
from providers.provider import Credentials, OpenedPayment, Receipt
from providers.tbank.client import QrRefusal, TBankClient
from providers.tbank.errors import NO_SBP
from providers.tbank.signing import verify
from tests.providers.canned_bank import CannedBank
from tests.simulator.support import assert_request_fits, openapi

OPENED = {
    "Success": True,
    "ErrorCode": "0",
    "TerminalKey": "1700000000000DEMO",
    "Status": "NEW",
    "PaymentId": "3093639567",
    "OrderId": "don-0198f2c4",
    "Amount": 15050,
    "PaymentURL": "https://securepay.tinkoff.ru/new/fU1ppgqa",
}
REFUSED = {
    "Success": False,
    "ErrorCode": "204",
    "Message": "Неверные параметры.",
    "Details": "Неверный токен. Проверьте пару TerminalKey/SecretKey.",
}
QR = {
    "TerminalKey": "1700000000000DEMO",
    "OrderId": "don-0198f2c4",
    "Success": True,
    "Data": "https://qr.nspk.ru/AS1000670LSS7DN18SJQDNP4B05KLJL2?type=01&bank=100000000001&sum=15050&cur=RUB&crc=C08B",
    "PaymentId": 3093639567,
    "ErrorCode": "0",
    "Message": "OK",
}
QR_STATE = {
    "Success": True,
    "ErrorCode": "0",
    "Status": "CONFIRMED",
    "QrCancelCode": "I05043",
    "QrCancelMessage": "У клиента нет счёта в этом банке",
    "OrderId": "don-0198f2c4",
    "Amount": 15050,
    "Message": "OK",
}
RECEIPT = Receipt(email="anya@example.org", item="Поддержка стримера", taxation="usn_income", vat="none")
STATE = {**OPENED, "Status": "CONFIRMED", "Message": "OK", "Params": [{"Key": "Route", "Value": "ACQ"}]}
CANCELLED = {
    "TerminalKey": "1700000000000DEMO",
    "OrderId": "don-0198f2c4",
    "Success": True,
    "Status": "PARTIAL_REFUNDED",
    "OriginalAmount": 15050,
    "NewAmount": 5000,
    "PaymentId": 3093639567,
    "ErrorCode": "0",
}


async def open_payment(tbank: TBankClient, credentials: Credentials, **changes: Any) -> OpenedPayment:
    wishes: dict[str, Any] = {
        "order_id": "don-0198f2c4",
        "amount_minor": 15050,
        "description": "Донат для «Кота» 🎉",
        "due_at": datetime(2026, 12, 1, 9, 0, tzinfo=UTC),
        "notification_url": "https://example.org/notifications/tbank",
        "success_url": "https://example.org/donations/ok",
        "fail_url": "https://example.org/donations/failed",
        "language": "ru",
    }
    return await tbank.init(credentials, **{**wishes, **changes})


async def test_init_sends_a_signed_one_stage_payment_with_a_due_date(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials
) -> None:
    bank.answers(OPENED)
    opened = await open_payment(tbank, credentials)
    assert opened == OpenedPayment("3093639567", "https://securepay.tinkoff.ru/new/fU1ppgqa")
    [(path, body)] = bank.requests
    assert path == "/v2/Init"
    assert verify(body, credentials.secret)
    assert body["PayType"] == "O"
    assert body["RedirectDueDate"] == "2026-12-01T09:00:00+00:00"
    assert body["Amount"] == 15050
    assert "Password" not in body
    assert credentials.secret not in str(body)


async def test_init_cuts_the_description_to_what_the_bank_takes(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials
) -> None:
    bank.answers(OPENED)
    await open_payment(tbank, credentials, description="ы" * 200)
    assert bank.requests[0][1]["Description"] == "ы" * 140


async def test_init_needs_a_due_date_with_a_time_zone(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials
) -> None:
    with pytest.raises(ValueError, match="time zone"):
        await open_payment(tbank, credentials, due_at=datetime(2026, 12, 1))  # noqa: DTZ001
    assert bank.requests == []


@pytest.mark.parametrize("change", [{"PaymentId": 3093639567}, {"Amount": "15050"}, {"Success": "true"}], ids=repr)
async def test_the_banks_types_are_normalised(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials, change: dict[str, Any]
) -> None:
    bank.answers({**OPENED, **change})
    assert (await open_payment(tbank, credentials)).provider_payment_id == "3093639567"


async def test_a_refusal_carries_code_reason_and_words(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials
) -> None:
    bank.answers(REFUSED)
    with pytest.raises(ProviderPermanentError) as caught:
        await open_payment(tbank, credentials)
    assert caught.value.code == "204"
    assert caught.value.reason is RefusalReason.CREDENTIALS
    assert "Неверный токен" in caught.value.message


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("500 Internal Server Error", b"<html>oops</html>"),
        ("502 Bad Gateway", b""),
        ("403 Forbidden", b"<html>your address is not on the list</html>"),
        ("302 Found", b""),
        ("200 OK", b"<html>maintenance</html>"),
        ("200 OK", b""),
        ("200 OK", b"[]"),
        ("200 OK", {k: v for k, v in OPENED.items() if k != "PaymentId"}),
        ("200 OK", {k: v for k, v in OPENED.items() if k != "PaymentURL"}),
        ("200 OK", {**OPENED, "PaymentURL": "javascript:alert(1)"}),
        ("200 OK", {**OPENED, "PaymentURL": None}),
        ("200 OK", {**OPENED, "Amount": 1}),
        ("200 OK", {**OPENED, "OrderId": "somebody else's"}),
        ("200 OK", {**REFUSED, "ErrorCode": "9999"}),
    ],
    ids=repr,
)
async def test_after_such_an_answer_nobody_knows_whether_a_payment_was_opened(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials, status: str, body: Any
) -> None:
    bank.answers(body, status)
    with pytest.raises(ProviderUnknownOutcomeError):
        await open_payment(tbank, credentials)


async def test_a_dropped_connection_leaves_the_outcome_unknown(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials
) -> None:
    bank.drops = True
    with pytest.raises(ProviderUnknownOutcomeError):
        await open_payment(tbank, credentials)


async def test_silence_leaves_the_outcome_unknown(bank: CannedBank, credentials: Credentials) -> None:
    bank.is_silent = True
    async with httpx.AsyncClient() as http:
        with pytest.raises(ProviderUnknownOutcomeError):
            await open_payment(TBankClient(http, bank.url, timeout_seconds=0.2), credentials)
    assert len(bank.requests) == 1


async def test_a_bank_that_cannot_be_reached_has_done_nothing(credentials: Credentials) -> None:
    async with httpx.AsyncClient() as http:
        with pytest.raises(ProviderTemporaryError):
            await open_payment(TBankClient(http, "http://127.0.0.1:9/v2"), credentials)


async def test_too_many_requests_is_temporary(bank: CannedBank, tbank: TBankClient, credentials: Credentials) -> None:
    bank.answers(b"", "429 Too Many Requests")
    with pytest.raises(ProviderTemporaryError):
        await tbank.get_state(credentials, "3093639567")


async def test_the_state_of_a_paid_payment(bank: CannedBank, tbank: TBankClient, credentials: Credentials) -> None:
    bank.answers(STATE)
    state = await tbank.get_state(credentials, "3093639567")
    assert state.status is NewsStatus.CONFIRMED
    assert (state.provider_payment_id, state.order_id, state.amount_minor) == (
        "3093639567",
        "don-0198f2c4",
        15050,
    )
    assert (state.error_code, state.error_message) == ("0", "")
    assert verify(bank.requests[0][1], credentials.secret)


async def test_the_state_of_a_refused_payment_is_its_status_not_success(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials
) -> None:
    bank.answers({**STATE, "Success": False, "Status": "REJECTED", "ErrorCode": "1051", "Message": "Мало средств"})
    state = await tbank.get_state(credentials, "3093639567")
    assert state.status is NewsStatus.FAILED
    assert (state.error_code, state.error_message) == ("1051", "Мало средств")


async def test_a_status_nobody_heard_of_is_no_error(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials
) -> None:
    bank.answers({**STATE, "Status": "TELEPORTED"})
    state = await tbank.get_state(credentials, "3093639567")
    assert (state.status, state.provider_status) == (NewsStatus.UNKNOWN, "TELEPORTED")


@pytest.mark.parametrize("code", ["9999", "999", "424242"])
async def test_a_question_may_be_asked_again(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials, code: str
) -> None:
    bank.answers({**REFUSED, "ErrorCode": code})
    with pytest.raises(ProviderTemporaryError):
        await tbank.get_state(credentials, "3093639567")


@pytest.mark.parametrize(
    "change", [{"PaymentId": "1"}, {"PaymentId": None}, {"Amount": 1.5}, {"Status": ["CONFIRMED"]}], ids=repr
)
async def test_a_state_that_makes_no_sense_is_not_believed(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials, change: dict[str, Any]
) -> None:
    bank.answers({**STATE, **change})
    with pytest.raises(ProviderUnknownOutcomeError):
        await tbank.get_state(credentials, "3093639567")


async def test_an_order_may_have_several_payments(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials
) -> None:
    bank.answers(
        {
            "TerminalKey": "1700000000000DEMO",
            "OrderId": "don-0198f2c4",
            "Success": True,
            "ErrorCode": "0",
            "Payments": [
                {
                    "PaymentId": "1",
                    "Amount": 15050,
                    "Status": "REJECTED",
                    "Success": "false",
                    "ErrorCode": 1051,
                },
                {"PaymentId": 2, "Amount": 15050, "Status": "NEW", "Success": True, "ErrorCode": "0"},
            ],
        }
    )
    rejected, new = await tbank.check_order(credentials, "don-0198f2c4")
    assert (rejected.provider_payment_id, rejected.status, rejected.error_code) == (
        "1",
        NewsStatus.FAILED,
        "1051",
    )
    assert (new.provider_payment_id, new.status, new.order_id) == ("2", NewsStatus.PENDING, "don-0198f2c4")


@pytest.mark.parametrize("code", ["335", "407", "255"])
async def test_an_order_the_bank_never_heard_of_has_no_payments(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials, code: str
) -> None:
    bank.answers({**REFUSED, "ErrorCode": code})
    assert await tbank.check_order(credentials, "don-0198f2c4") == ()


@pytest.mark.parametrize("payments", [None, "none", [1], [{"PaymentId": "1"}]], ids=repr)
async def test_an_order_that_makes_no_sense_is_not_taken_for_an_empty_one(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials, payments: Any
) -> None:
    bank.answers({"Success": True, "ErrorCode": "0", "OrderId": "don-0198f2c4", "Payments": payments})
    with pytest.raises(ProviderUnknownOutcomeError):
        await tbank.check_order(credentials, "don-0198f2c4")


async def test_a_part_given_back(bank: CannedBank, tbank: TBankClient, credentials: Credentials) -> None:
    bank.answers(CANCELLED)
    state = await tbank.cancel(credentials, "3093639567", amount_minor=10050)
    assert (state.status, state.amount_minor) == (NewsStatus.PARTIALLY_REFUNDED, 5000)
    assert bank.requests[0][1]["Amount"] == 10050


async def test_cancelling_what_cannot_be_cancelled_asks_to_reconcile(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials
) -> None:
    bank.answers({**REFUSED, "ErrorCode": "8"})
    with pytest.raises(ProviderPermanentError) as caught:
        await tbank.cancel(credentials, "3093639567")
    assert caught.value.reason is RefusalReason.WRONG_STATE
    assert "Amount" not in bank.requests[0][1]


async def test_a_refund_carries_its_own_number_and_a_receipt(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials
) -> None:
    bank.answers(CANCELLED)
    await tbank.cancel(credentials, "3093639567", amount_minor=10050, external_request_id="refund-1", receipt=RECEIPT)
    [(path, body)] = bank.requests
    assert path == "/v2/Cancel"
    assert verify(body, credentials.secret)
    assert body["ExternalRequestId"] == "refund-1"
    assert [item["Amount"] for item in body["Receipt"]["Items"]] == [10050]
    assert_request_fits("Cancel", body)


async def test_a_receipt_is_one_service_that_costs_the_whole_sum(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials
) -> None:
    bank.answers(OPENED)
    await open_payment(tbank, credentials, receipt=RECEIPT)
    [(_, body)] = bank.requests
    assert body["Receipt"] == {
        "FfdVersion": "1.05",
        "Email": "anya@example.org",
        "Taxation": "usn_income",
        "Items": [
            {
                "Name": "Поддержка стримера",
                "Price": 15050,
                "Quantity": 1,
                "Amount": 15050,
                "Tax": "none",
                "PaymentMethod": "full_payment",
                "PaymentObject": "service",
            }
        ],
    }
    assert verify(body, credentials.secret)
    assert_request_fits("Init", body)


async def test_a_payment_without_a_receipt_says_nothing_of_one(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials
) -> None:
    bank.answers(OPENED)
    await open_payment(tbank, credentials)
    assert not {"Receipt", "DATA"} & bank.requests[0][1].keys()
    assert_request_fits("Init", bank.requests[0][1])


async def test_a_long_items_name_is_cut_to_what_a_receipt_takes(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials
) -> None:
    bank.answers(OPENED)
    await open_payment(tbank, credentials, receipt=replace(RECEIPT, item="ы" * 200))
    assert bank.requests[0][1]["Receipt"]["Items"][0]["Name"] == "ы" * 128


@pytest.mark.parametrize(
    ("params", "method"),
    [
        ([{"Key": "Route", "Value": "ACQ"}, {"Key": "Source", "Value": "cards"}], "card"),
        ([{"Key": "Source", "Value": "qrsbp"}], "sbp"),
        ([{"Key": "Source", "Value": "TinkoffPay"}], "tinkoffpay"),
        ([{"Key": "Source", "Value": None}], ""),
        ([{"Key": "Source", "Value": ["cards"]}], ""),
        ([{"Key": "Source", "Value": "x" * 41}], ""),
        ([{"Key": "Route", "Value": "ACQ"}], ""),
        (["Source"], ""),
        ({"Source": "cards"}, ""),
        (None, ""),
        ([], ""),
    ],
    ids=repr,
)
async def test_how_it_was_paid_is_told_as_far_as_it_can_be_read(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials, params: Any, method: str
) -> None:
    bank.answers({**STATE, "Params": params})
    assert (await tbank.get_state(credentials, "3093639567")).method == method


async def test_the_link_inside_an_sbp_code(bank: CannedBank, tbank: TBankClient, credentials: Credentials) -> None:
    bank.answers(QR)
    assert await tbank.get_qr(credentials, "3093639567") == QR["Data"]
    [(path, body)] = bank.requests
    assert path == "/v2/GetQr"
    assert (body["PaymentId"], body["DataType"]) == (3093639567, "PAYLOAD")
    assert verify(body, credentials.secret)
    # Not by `assert_request_fits`, which takes a PaymentId for text: it is a number in this method alone.
    assert body.keys() <= openapi()["components"]["schemas"]["GetQr"]["properties"].keys()


async def test_the_simulated_banks_code_leads_to_itself(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials
) -> None:
    own = f"{bank.url.removesuffix('/v2')}/qr/AS1?type=01"
    bank.answers({**QR, "Data": own})
    assert await tbank.get_qr(credentials, "3093639567") == own


@pytest.mark.parametrize("code", sorted(NO_SBP))
async def test_where_there_is_no_sbp_there_is_no_code(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials, code: str
) -> None:
    bank.answers({**REFUSED, "ErrorCode": code})
    assert await tbank.get_qr(credentials, "3093639567") is None


@pytest.mark.parametrize(
    "change",
    [
        {"Data": None},
        {"Data": ""},
        {"Data": 1},
        {"Data": ["https://qr.nspk.ru/A"]},
        {"Data": "<svg xmlns='http://www.w3.org/2000/svg'/>"},
        {"Data": "http://qr.nspk.ru/A"},
        {"Data": "javascript:alert(1)"},
        {"Data": "https://"},
        {"Data": "https://qr.nspk.ru/A\nB"},
        {"Data": "https://qr.nspk.ru/A B"},
        {"Data": "https://qr.nspk.ru/" + "A" * 2000},
        {"PaymentId": 1},
        {"PaymentId": None},
    ],
    ids=repr,
)
async def test_a_link_that_is_none_is_not_shown_to_a_donor(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials, change: dict[str, Any]
) -> None:
    bank.answers({**QR, **change})
    with pytest.raises(ProviderUnknownOutcomeError):
        await tbank.get_qr(credentials, "3093639567")


async def test_why_sbp_refused_a_refund(bank: CannedBank, tbank: TBankClient, credentials: Credentials) -> None:
    bank.answers(QR_STATE)
    refusal = await tbank.get_qr_state(credentials, "3093639567")
    assert refusal == QrRefusal("I05043", "У клиента нет счёта в этом банке")
    [(path, body)] = bank.requests
    assert path == "/v2/GetQrState"
    assert_request_fits("GetQrState", body)


async def test_a_refund_that_sbp_did_not_refuse(bank: CannedBank, tbank: TBankClient, credentials: Credentials) -> None:
    bank.answers({"Success": True, "ErrorCode": "0", "Status": "ASYNC_REFUNDING", "QrCancelCode": None})
    assert await tbank.get_qr_state(credentials, "3093639567") == QrRefusal("", "")


@pytest.mark.parametrize(
    "change",
    [{"Status": None}, {"QrCancelCode": ["I"]}, {"QrCancelCode": "I" * 21}, {"QrCancelMessage": True}],
    ids=repr,
)
async def test_a_reason_that_makes_no_sense_is_none(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials, change: dict[str, Any]
) -> None:
    bank.answers({**QR_STATE, **change})
    with pytest.raises(ProviderUnknownOutcomeError):
        await tbank.get_qr_state(credentials, "3093639567")


# What may go wrong with every call.

Call = Callable[[TBankClient, Credentials], Awaitable[object]]
CALLS: dict[str, Call] = {
    "Init": lambda tbank, credentials: open_payment(tbank, credentials),
    "GetState": lambda tbank, credentials: tbank.get_state(credentials, "3093639567"),
    "CheckOrder": lambda tbank, credentials: tbank.check_order(credentials, "don-0198f2c4"),
    "Cancel": lambda tbank, credentials: tbank.cancel(credentials, "3093639567", amount_minor=100),
    "GetQr": lambda tbank, credentials: tbank.get_qr(credentials, "3093639567"),
    "GetQrState": lambda tbank, credentials: tbank.get_qr_state(credentials, "3093639567"),
}
CHANGING = {"Init", "Cancel"}


@pytest.fixture(params=CALLS)
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("500 Internal Server Error", b"<html>oops</html>"),
        ("502 Bad Gateway", b""),
        ("302 Found", b""),
        ("200 OK", b"<html>maintenance</html>"),
        ("200 OK", b"[]"),
        ("200 OK", {"Success": True, "ErrorCode": "0"}),
    ],
    ids=repr,
)
async def test_an_answer_that_is_none_tells_nothing(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials, method: str, status: str, body: Any
) -> None:
    bank.answers(body, status)
    with pytest.raises(ProviderUnknownOutcomeError):
        await CALLS[method](tbank, credentials)
    assert len(bank.requests) == 1


async def test_a_connection_that_breaks_tells_nothing(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials, method: str
) -> None:
    bank.drops = True
    with pytest.raises(ProviderUnknownOutcomeError) as caught:
        await CALLS[method](tbank, credentials)
    assert caught.value.code == "no_answer"


async def test_a_silent_bank_is_not_waited_for(bank: CannedBank, credentials: Credentials, method: str) -> None:
    bank.is_silent = True
    async with httpx.AsyncClient() as http:
        with pytest.raises(ProviderUnknownOutcomeError):
            await CALLS[method](TBankClient(http, bank.url, timeout_seconds=0.2), credentials)
    assert len(bank.requests) == 1


async def test_a_bank_that_takes_no_more_may_be_asked_again(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials, method: str
) -> None:
    bank.answers(b"", "429 Too Many Requests")
    with pytest.raises(ProviderTemporaryError):
        await CALLS[method](tbank, credentials)


async def test_the_banks_own_trouble_leaves_only_changes_in_doubt(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials, method: str
) -> None:
    bank.answers({**REFUSED, "ErrorCode": "9999"})
    expected = ProviderUnknownOutcomeError if method in CHANGING else ProviderTemporaryError
    with pytest.raises(expected) as caught:
        await CALLS[method](tbank, credentials)
    assert caught.value.reason is RefusalReason.PROVIDER_TROUBLE


async def test_a_refusal_is_sorted(bank: CannedBank, tbank: TBankClient, credentials: Credentials, method: str) -> None:
    bank.answers({**REFUSED, "ErrorCode": "202"})
    with pytest.raises(ProviderPermanentError) as caught:
        await CALLS[method](tbank, credentials)
    assert caught.value.reason is RefusalReason.SHOP_UNAVAILABLE


async def test_the_password_is_nowhere_to_be_read(
    bank: CannedBank, tbank: TBankClient, credentials: Credentials, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bank.answers(REFUSED)
    with pytest.raises(ProviderPermanentError) as caught:
        await open_payment(tbank, credentials)
    seen = f"{credentials!r} {credentials} {caught.value!r} {caught.value} {caplog.text}"
    assert credentials.secret not in seen
    assert bank.requests[0][1]["Token"] not in seen
