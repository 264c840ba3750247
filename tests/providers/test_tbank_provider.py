"""T-Bank behind the interface that all providers share: what its answers mean for money."""

import json
from collections.abc import AsyncIterator
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
from providers.provider import (
    Credentials,
    MalformedNotification,
    MalformedRegistry,
    OpenedPayment,
    Opening,
    Provider,
    Receipt,
    Refund,
    RefundStatus,
)
from providers.tbank.provider import DEFAULT_API_URL, create
from providers.tbank.signing import sign, verify
from tests.providers.canned_bank import CannedBank
from tests.simulator.support import assert_request_fits

RECEIPT = Receipt(email="anya@example.org", item="Поддержка стримера", taxation="usn_income", vat="none")
OPENING = Opening(
    order_id="don-0198f2c4",
    amount_minor=15050,
    description="Донат для «Кота» 🎉",
    due_at=datetime(2026, 12, 1, 9, 0, tzinfo=UTC),
    notification_url="https://example.org/notifications/tbank",
    return_url="https://example.org/d/1?from=bank",
    language="ru",
    receipt=RECEIPT,
)
PART = Refund("3093639567", amount_minor=5050, remaining_minor=15050, key="refund-1", receipt=RECEIPT)
WHOLE = Refund("3093639567", amount_minor=15050, remaining_minor=15050, key="refund-1", receipt=RECEIPT)


def refused(code: str) -> dict[str, Any]:
    return {"Success": False, "ErrorCode": code, "Message": "Неверные параметры.", "Details": "Причина"}


def state(status: str, amount_minor: int = 15050, source: str = "qrsbp") -> dict[str, Any]:
    """GetState's answer."""
    return {
        "Success": True,
        "ErrorCode": "0",
        "TerminalKey": "1700000000000DEMO",
        "Status": status,
        "PaymentId": "3093639567",
        "OrderId": "don-0198f2c4",
        "Amount": amount_minor,
        "Params": [{"Key": "Route", "Value": "ACQ"}, {"Key": "Source", "Value": source}],
    }


def cancelled(status: str, new_amount_minor: int = 10000) -> dict[str, Any]:
    """Cancel's answer."""
    return {
        "TerminalKey": "1700000000000DEMO",
        "OrderId": "don-0198f2c4",
        "Success": True,
        "Status": status,
        "OriginalAmount": 15050,
        "NewAmount": new_amount_minor,
        "PaymentId": 3093639567,
        "ErrorCode": "0",
    }


def sbp_says(status: str, code: str | None = None) -> dict[str, Any]:
    """GetQrState's answer."""
    reason = {} if code is None else {"QrCancelCode": code, "QrCancelMessage": "Счёт закрыт"}
    return {"Success": True, "ErrorCode": "0", "Status": status, **reason}


@pytest.fixture
async def provider(bank: CannedBank) -> AsyncIterator[Provider]:
    async with httpx.AsyncClient() as http:
        yield create(http, bank.url, 10.0, 5.0)


def methods(bank: CannedBank) -> list[str]:
    return [path.rsplit("/", 1)[-1] for path, _ in bank.requests]


def test_it_says_what_it_is(provider: Provider) -> None:
    assert (provider.name, provider.key_max_length, provider.signs_notifications) == ("tbank", 20, True)
    assert (provider.reopens, provider.repeats_refunds) == (False, False)
    assert provider.offers_sbp_codes
    assert provider.has_registry
    assert DEFAULT_API_URL.endswith("/v2")


async def test_a_payment_is_opened_with_one_way_back(
    bank: CannedBank, provider: Provider, credentials: Credentials
) -> None:
    bank.answers({**state("NEW"), "PaymentURL": "https://securepay.tinkoff.ru/new/fU1ppgqa"})
    opened = await provider.open(credentials, OPENING)
    assert opened == OpenedPayment("3093639567", "https://securepay.tinkoff.ru/new/fU1ppgqa")
    [(path, body)] = bank.requests
    assert path == "/v2/Init"
    assert body["SuccessURL"] == body["FailURL"] == OPENING.return_url
    assert body["Receipt"]["Items"][0]["Price"] == 15050
    assert verify(body, credentials.secret)
    assert_request_fits("Init", body)


async def test_a_state_says_how_it_was_paid(bank: CannedBank, provider: Provider, credentials: Credentials) -> None:
    bank.answers(state("CONFIRMED"))
    found = await provider.get_state(credentials, "3093639567")
    assert (found.status, found.method, found.reason) == (NewsStatus.CONFIRMED, "sbp", None)


async def test_a_refused_payment_says_why(bank: CannedBank, provider: Provider, credentials: Credentials) -> None:
    bank.answers({**state("REJECTED", source="cards"), "Success": False, "ErrorCode": "1054"})
    found = await provider.get_state(credentials, "3093639567")
    assert (found.status, found.reason) == (NewsStatus.FAILED, RefusalReason.CARD_DETAILS)


async def test_an_order_nobody_knows_has_no_payments(
    bank: CannedBank, provider: Provider, credentials: Credentials
) -> None:
    bank.answers(refused("335"))
    assert await provider.list_order(credentials, "don-0198f2c4") == ()


async def test_an_sbp_code_is_offered_where_there_is_one(
    bank: CannedBank, provider: Provider, credentials: Credentials
) -> None:
    bank.answers({"Success": True, "ErrorCode": "0", "Data": "https://qr.nspk.ru/A", "PaymentId": 3093639567})
    assert await provider.get_sbp_payload(credentials, "3093639567") == "https://qr.nspk.ru/A"
    bank.answers(refused("3016"))
    assert await provider.get_sbp_payload(credentials, "3093639567") is None
    bank.answers(refused("204"))
    with pytest.raises(ProviderPermanentError):
        await provider.get_sbp_payload(credentials, "3093639567")


# Calling off.


async def test_an_unpaid_payment_is_called_off(bank: CannedBank, provider: Provider, credentials: Credentials) -> None:
    bank.answers(cancelled("CANCELED", 0))
    assert (await provider.call_off(credentials, "3093639567")).status is NewsStatus.CANCELLED
    assert methods(bank) == ["Cancel"]
    assert not {"Amount", "ExternalRequestId", "Receipt"} & bank.requests[0][1].keys()


async def test_what_cannot_be_called_off_is_told_as_it_is(
    bank: CannedBank, provider: Provider, credentials: Credentials
) -> None:
    bank.answers_to("Cancel", refused("8"))
    bank.answers_to("GetState", state("REJECTED"))
    assert (await provider.call_off(credentials, "3093639567")).status is NewsStatus.FAILED
    assert methods(bank) == ["Cancel", "GetState"]


@pytest.mark.parametrize(("code", "error"), [("204", ProviderPermanentError), ("9999", ProviderUnknownOutcomeError)])
async def test_other_refusals_to_call_off_are_not_hidden(
    bank: CannedBank, provider: Provider, credentials: Credentials, code: str, error: type[Exception]
) -> None:
    bank.answers(refused(code))
    with pytest.raises(error):
        await provider.call_off(credentials, "3093639567")
    assert methods(bank) == ["Cancel"]


# Giving back.


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("REFUNDED", RefundStatus.DONE),
        ("PARTIAL_REFUNDED", RefundStatus.DONE),
        ("REVERSED", RefundStatus.DONE),
        ("PARTIAL_REVERSED", RefundStatus.DONE),
        ("CANCELED", RefundStatus.DONE),
        ("REFUNDING", RefundStatus.PENDING),
        ("ASYNC_REFUNDING", RefundStatus.PENDING),
        ("CANCEL_CHECKING", RefundStatus.PENDING),
        ("REVERSING", RefundStatus.PENDING),
        ("CONFIRMED", RefundStatus.PENDING),
        ("AUTHORIZED", RefundStatus.PENDING),
        ("TELEPORTED", RefundStatus.PENDING),
    ],
)
async def test_a_refund_is_done_or_on_its_way(
    bank: CannedBank, provider: Provider, credentials: Credentials, word: str, status: RefundStatus
) -> None:
    bank.answers(cancelled(word))
    answer = await provider.refund(credentials, PART)
    assert answer.status is status
    assert answer.state is not None
    assert (answer.state.provider_status, answer.state.amount_minor) == (word, 10000)
    assert answer.provider_refund_id


async def test_a_part_goes_back_with_a_receipt_of_the_part(
    bank: CannedBank, provider: Provider, credentials: Credentials
) -> None:
    bank.answers(cancelled("PARTIAL_REFUNDED"))
    await provider.refund(credentials, PART)
    [(path, body)] = bank.requests
    assert path == "/v2/Cancel"
    assert (body["Amount"], body["ExternalRequestId"]) == (5050, "refund-1")
    assert body["Receipt"]["Items"][0]["Amount"] == 5050
    assert verify(body, credentials.secret)
    assert_request_fits("Cancel", body)


async def test_everything_goes_back_with_its_sum_and_no_receipt(
    bank: CannedBank, provider: Provider, credentials: Credentials
) -> None:
    bank.answers(cancelled("REFUNDED", 0))
    answer = await provider.refund(credentials, WHOLE)
    assert (answer.status, answer.state and answer.state.status) == (RefundStatus.DONE, NewsStatus.REFUNDED)
    [(_, body)] = bank.requests
    assert body["Amount"] == 15050
    assert "Receipt" not in body


@pytest.mark.parametrize("amount_minor", [0, -1, 15051])
async def test_nobody_gives_back_what_is_not_there(
    bank: CannedBank, provider: Provider, credentials: Credentials, amount_minor: int
) -> None:
    with pytest.raises(ValueError, match="refund"):
        await provider.refund(credentials, Refund("3093639567", amount_minor, 15050, "refund-1"))
    assert bank.requests == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("3029", RefusalReason.REFUND_LATER),
        ("3030", RefusalReason.REFUND_LATER),
        ("3002", RefusalReason.REFUND_WITHOUT_FUNDS),
        ("1502", RefusalReason.REFUND_WITHOUT_FUNDS),
        ("3028", RefusalReason.REFUND_REFUSED),
        ("3038", RefusalReason.SHOP_UNAVAILABLE),
        ("4", RefusalReason.WRONG_STATE),
        ("100", RefusalReason.WRONG_STATE),
        ("330", RefusalReason.WRONG_STATE),
        ("309", RefusalReason.RECEIPT),
        ("255", RefusalReason.NOT_FOUND),
        ("987654", RefusalReason.UNKNOWN),
    ],
)
async def test_a_refund_refused_for_good_says_why(
    bank: CannedBank, provider: Provider, credentials: Credentials, code: str, reason: RefusalReason
) -> None:
    bank.answers(refused(code))
    with pytest.raises(ProviderPermanentError) as caught:
        await provider.refund(credentials, PART)
    assert caught.value.reason is reason


@pytest.mark.parametrize("change", [{"PaymentId": 1}, {"Status": None}, {"NewAmount": "half"}, {"Success": "maybe"}])
async def test_a_refund_answered_with_nonsense_may_have_been_made(
    bank: CannedBank, provider: Provider, credentials: Credentials, change: dict[str, Any]
) -> None:
    bank.answers({**cancelled("REFUNDED"), **change, "ErrorCode": "9999" if "Success" in change else "0"})
    with pytest.raises(ProviderUnknownOutcomeError):
        await provider.refund(credentials, PART)


async def refund_by_sbp(bank: CannedBank, provider: Provider, credentials: Credentials, refund: Refund) -> str:
    """Begin a refund that ends later; what `get_refund` finds it by."""
    bank.answers_to("Cancel", cancelled("ASYNC_REFUNDING", refund.remaining_minor - refund.amount_minor))
    answer = await provider.refund(credentials, refund)
    assert answer.status is RefundStatus.PENDING
    return answer.provider_refund_id


@pytest.mark.parametrize(
    ("refund", "told", "reason", "status"),
    [
        (WHOLE, state("ASYNC_REFUNDING"), None, RefundStatus.PENDING),
        (WHOLE, state("REFUNDING"), "I05043", RefundStatus.PENDING),
        (WHOLE, state("TELEPORTED"), "I05043", RefundStatus.PENDING),
        (WHOLE, state("REFUNDED", 0), "I05043", RefundStatus.DONE),
        (WHOLE, state("CONFIRMED"), "I05043", RefundStatus.REFUSED),
        (WHOLE, state("CONFIRMED"), None, RefundStatus.REFUSED),
        # A part is back when no more remains than should; an old reason does not count then.
        (PART, state("PARTIAL_REFUNDED", 10000), None, RefundStatus.DONE),
        (PART, state("PARTIAL_REFUNDED", 10000), "I05043", RefundStatus.DONE),
        (PART, state("PARTIAL_REFUNDED", 4000), None, RefundStatus.DONE),
        # An earlier part is back, this one is not.
        (PART, state("PARTIAL_REFUNDED", 15050), "I05043", RefundStatus.REFUSED),
        (PART, state("PARTIAL_REFUNDED", 15050), None, RefundStatus.PENDING),
        (PART, state("REVERSED", 0), None, RefundStatus.DONE),
    ],
    ids=repr,
)
async def test_how_a_pending_refund_ended(
    bank: CannedBank,
    provider: Provider,
    credentials: Credentials,
    refund: Refund,
    told: dict[str, Any],
    reason: str | None,
    status: RefundStatus,
) -> None:
    refund_id = await refund_by_sbp(bank, provider, credentials, refund)
    bank.answers_to("GetState", told)
    bank.answers_to("GetQrState", sbp_says(told["Status"], reason))
    answer = await provider.get_refund(credentials, "3093639567", refund_id)
    assert answer.status is status
    assert answer.provider_refund_id == refund_id
    assert answer.state is not None
    assert answer.state.provider_status == told["Status"]
    if status is RefundStatus.REFUSED:
        assert (answer.error_code, answer.reason) == (reason or "", RefusalReason.REFUND_REFUSED)
    else:
        assert (answer.error_code, answer.reason) == ("", None)


async def test_a_cards_refused_refund_has_no_reason_at_sbp(
    bank: CannedBank, provider: Provider, credentials: Credentials
) -> None:
    bank.answers(state("CONFIRMED", source="cards"))
    assert (await provider.get_refund(credentials, "3093639567", "k:0")).status is RefundStatus.REFUSED
    assert methods(bank) == ["GetState"]


async def test_a_reason_the_bank_will_not_tell_is_none(
    bank: CannedBank, provider: Provider, credentials: Credentials
) -> None:
    bank.answers_to("GetState", state("CONFIRMED"))
    bank.answers_to("GetQrState", refused("255"))
    answer = await provider.get_refund(credentials, "3093639567", "k:0")
    assert (answer.status, answer.error_code, answer.error_message) == (RefundStatus.REFUSED, "", "")


async def test_a_reason_the_bank_cannot_tell_now_is_asked_for_again(
    bank: CannedBank, provider: Provider, credentials: Credentials
) -> None:
    bank.answers_to("GetState", state("CONFIRMED"))
    bank.answers_to("GetQrState", refused("9999"))
    with pytest.raises(ProviderTemporaryError):
        await provider.get_refund(credentials, "3093639567", "k:0")


# Key and password.


@pytest.mark.parametrize("code", ["335", "407", "255"])
async def test_a_terminal_that_knows_no_such_order_has_the_right_password(
    bank: CannedBank, provider: Provider, credentials: Credentials, code: str
) -> None:
    bank.answers(refused(code))
    await provider.check_credentials(credentials)
    [(path, body)] = bank.requests
    assert path == "/v2/CheckOrder"
    assert_request_fits("CheckOrder", body)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("204", RefusalReason.CREDENTIALS),
        ("205", RefusalReason.CREDENTIALS),
        ("501", RefusalReason.CREDENTIALS),
        ("202", RefusalReason.SHOP_UNAVAILABLE),
    ],
)
async def test_a_pair_that_does_not_fit_is_named(
    bank: CannedBank, provider: Provider, credentials: Credentials, code: str, reason: RefusalReason
) -> None:
    bank.answers(refused(code))
    with pytest.raises(ProviderPermanentError) as caught:
        await provider.check_credentials(credentials)
    assert caught.value.reason is reason


async def test_a_bank_in_trouble_says_nothing_about_a_pair(
    bank: CannedBank, provider: Provider, credentials: Credentials
) -> None:
    bank.answers(refused("9999"))
    with pytest.raises(ProviderTemporaryError):
        await provider.check_credentials(credentials)
    bank.answers(b"<html>", "502 Bad Gateway")
    with pytest.raises(ProviderUnknownOutcomeError):
        await provider.check_credentials(credentials)


# What it is sent.


def test_a_notification_is_read_verified_and_understood(provider: Provider, credentials: Credentials) -> None:
    body = {**state("CONFIRMED"), "Params": None, "PaymentId": 3093639567}
    raw = json.dumps({**body, "Token": sign(body, credentials.secret)}).encode()
    incoming = provider.read(raw)
    assert provider.verify(incoming, credentials.secret)
    assert not provider.verify(incoming, "another")
    assert (incoming.account_key, incoming.order_id) == (credentials.key, "don-0198f2c4")
    notification = provider.parse(raw)
    assert (notification.status, notification.is_about_payment) == (NewsStatus.CONFIRMED, True)
    with pytest.raises(MalformedNotification):
        provider.read(b"OK")


def test_a_file_that_is_no_registry_is_refused(provider: Provider) -> None:
    with pytest.raises(MalformedRegistry):
        provider.parse_registry(b"OK")
