"""What we make of YooKassa's answers: the good, the refusing and the nonsensical."""

import base64
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from domain.payment_status import NewsStatus
from providers.outcomes import (
    ProviderError,
    ProviderPermanentError,
    ProviderTemporaryError,
    ProviderUnknownOutcomeError,
    RefusalReason,
)
from providers.provider import (
    Credentials,
    MalformedRegistry,
    OpenedPayment,
    Opening,
    Provider,
    Receipt,
    Refund,
    RefundAnswer,
    RefundStatus,
)
from providers.yookassa.provider import DEFAULT_API_URL, create
from tests.providers.canned_bank import CannedBank
from tests.providers.yookassa_answers import (
    CANCELED,
    ORDER_ID,
    PAYMENT_ID,
    PENDING,
    REFUND,
    REFUND_ID,
    SUCCEEDED,
    error,
    rubles,
)

SECRET = "test_s3cr3t_key"
CREDENTIALS = Credentials("100500", SECRET)
OPENING = Opening(
    order_id=ORDER_ID,
    amount_minor=15050,
    description="Донат для «Кота» 🎉",
    due_at=datetime(2026, 12, 1, 9, 0, tzinfo=UTC),
    notification_url="https://example.org/notifications/yookassa",
    return_url="https://example.org/donations/7",
    language="ru",
)
RECEIPT = Receipt("donor@example.org", "Поддержка стримера", "usn_income", "none")


@pytest.fixture
async def yookassa(bank: CannedBank) -> AsyncIterator[Provider]:
    async with httpx.AsyncClient() as http:
        yield create(http, bank.url, 10, 5)


def changed(opening: Opening, **changes: Any) -> Opening:
    return Opening(**{**vars(opening), **changes})


def refund_of(amount_minor: int, receipt: Receipt | None = None) -> Refund:
    return Refund(PAYMENT_ID, amount_minor, 15050, "refund-1", receipt)


async def test_opening_asks_for_a_one_stage_payment_by_redirect(bank: CannedBank, yookassa: Provider) -> None:
    bank.answers(PENDING)
    opened = await yookassa.open(CREDENTIALS, OPENING)
    assert opened == OpenedPayment(PAYMENT_ID, PENDING["confirmation"]["confirmation_url"])
    [(path, body)] = bank.requests
    assert path.endswith("/payments")
    assert body == {
        "amount": {"value": "150.50", "currency": "RUB"},
        "capture": True,
        "confirmation": {
            "type": "redirect",
            "return_url": "https://example.org/donations/7",
            "locale": "ru_RU",
        },
        "description": "Донат для «Кота» 🎉",
        "metadata": {"order_id": ORDER_ID},
    }


async def test_the_key_is_the_order_and_the_shop_gives_its_name_and_secret(
    bank: CannedBank, yookassa: Provider
) -> None:
    bank.answers(PENDING)
    await yookassa.open(CREDENTIALS, OPENING)
    [head] = bank.heads
    headers = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
    assert headers["idempotence-key"] == ORDER_ID
    assert headers["content-type"] == "application/json"
    basic = base64.b64encode(f"100500:{SECRET}".encode()).decode()
    assert headers["authorization"] == f"Basic {basic}".lower()


async def test_a_second_try_sends_the_same_bytes_whatever_the_time(bank: CannedBank, yookassa: Provider) -> None:
    bank.answers(PENDING)
    await yookassa.open(CREDENTIALS, OPENING)
    await yookassa.open(CREDENTIALS, changed(OPENING, due_at=datetime(2026, 12, 2, tzinfo=UTC)))
    assert bank.requests[0] == bank.requests[1]


async def test_the_description_is_cut_to_what_yookassa_takes(bank: CannedBank, yookassa: Provider) -> None:
    bank.answers(PENDING)
    await yookassa.open(CREDENTIALS, changed(OPENING, description="ы" * 200, language="en"))
    body = bank.requests[0][1]
    assert body["description"] == "ы" * 128
    assert body["confirmation"]["locale"] == "en_US"


async def test_a_receipt_goes_with_the_payment(bank: CannedBank, yookassa: Provider) -> None:
    bank.answers(PENDING)
    await yookassa.open(CREDENTIALS, changed(OPENING, receipt=RECEIPT))
    assert bank.requests[0][1]["receipt"] == {
        "customer": {"email": "donor@example.org"},
        "items": [
            {
                "description": "Поддержка стримера",
                "quantity": "1.00",
                "amount": rubles("150.50"),
                "vat_code": 1,
                "payment_mode": "full_payment",
                "payment_subject": "service",
            }
        ],
        "tax_system_code": 2,
    }


async def test_paid_while_its_answer_was_lost_it_leads_back(bank: CannedBank, yookassa: Provider) -> None:
    bank.answers(SUCCEEDED)
    assert await yookassa.open(CREDENTIALS, OPENING) == OpenedPayment(PAYMENT_ID, OPENING.return_url)


async def test_cancelled_at_once_it_is_refused(bank: CannedBank, yookassa: Provider) -> None:
    bank.answers(CANCELED)
    with pytest.raises(ProviderPermanentError) as caught:
        await yookassa.open(CREDENTIALS, OPENING)
    assert (caught.value.code, caught.value.reason) == ("insufficient_funds", RefusalReason.NO_FUNDS)


def without(payment: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in payment.items() if key != name}


NONSENSE = [
    b"<html>maintenance</html>",
    b"",
    b"[]",
    without(PENDING, "id"),
    without(PENDING, "status"),
    without(PENDING, "amount"),
    without(PENDING, "confirmation"),
    {**PENDING, "confirmation": "redirect"},
    {**PENDING, "confirmation": {"type": "redirect"}},
    {**PENDING, "confirmation": {"confirmation_url": "javascript:alert(1)"}},
    {**PENDING, "amount": rubles("150.49")},
    {**PENDING, "amount": {"value": "150.50", "currency": "USD"}},
    {**PENDING, "amount": {"value": 150.5, "currency": "RUB"}},
    {**PENDING, "id": "../../me"},
    {**PENDING, "metadata": {"order_id": "somebody else's"}},
    {**PENDING, "metadata": None},
    {**PENDING, "status": "teleported"},
    {**PENDING, "status": ["pending"]},
]


@pytest.mark.parametrize("body", NONSENSE, ids=repr)
async def test_after_such_an_answer_nobody_knows_whether_a_payment_was_opened(
    bank: CannedBank, yookassa: Provider, body: Any
) -> None:
    bank.answers(body)
    with pytest.raises(ProviderUnknownOutcomeError):
        await yookassa.open(CREDENTIALS, OPENING)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("202 Accepted", {"type": "processing", "description": "Request accepted", "retry_after": 1800}),
        ("500 Internal Server Error", error("internal_server_error")),
        ("500 Internal Server Error", b"<html>oops</html>"),
        ("502 Bad Gateway", b""),
        ("302 Found", b""),
        # Not YooKassa's own words, so not YooKassa's decision.
        ("400 Bad Request", b"<html>no</html>"),
        ("401 Unauthorized", b"{}"),
        ("403 Forbidden", b"<html>your address is not on the list</html>"),
    ],
    ids=repr,
)
async def test_such_a_status_after_a_change_leaves_the_outcome_unknown(
    bank: CannedBank, yookassa: Provider, status: str, body: Any
) -> None:
    bank.answers(body, status)
    with pytest.raises(ProviderUnknownOutcomeError):
        await yookassa.open(CREDENTIALS, OPENING)
    with pytest.raises(ProviderUnknownOutcomeError):
        await yookassa.refund(CREDENTIALS, refund_of(5005))
    # A question is simply asked again.
    with pytest.raises(ProviderTemporaryError):
        await yookassa.get_state(CREDENTIALS, PAYMENT_ID)


async def test_too_many_requests_is_temporary(bank: CannedBank, yookassa: Provider) -> None:
    bank.answers(error("too_many_requests"), "429 Too Many Requests")
    with pytest.raises(ProviderTemporaryError):
        await yookassa.open(CREDENTIALS, OPENING)


async def test_a_dropped_connection_leaves_the_outcome_unknown(bank: CannedBank, yookassa: Provider) -> None:
    bank.drops = True
    with pytest.raises(ProviderUnknownOutcomeError):
        await yookassa.open(CREDENTIALS, OPENING)


async def test_silence_leaves_the_outcome_unknown(bank: CannedBank) -> None:
    bank.is_silent = True
    async with httpx.AsyncClient() as http:
        with pytest.raises(ProviderUnknownOutcomeError):
            await create(http, bank.url, 0.2, 5).open(CREDENTIALS, OPENING)
    assert len(bank.requests) == 1


async def test_what_cannot_be_reached_has_done_nothing() -> None:
    async with httpx.AsyncClient() as http:
        with pytest.raises(ProviderTemporaryError):
            await create(http, "http://127.0.0.1:9/v3", 10, 5).open(CREDENTIALS, OPENING)


@pytest.mark.parametrize(
    ("status", "code", "parameter", "reason"),
    [
        ("400 Bad Request", "invalid_request", "metadata", RefusalReason.BAD_REQUEST),
        ("400 Bad Request", "invalid_request", None, RefusalReason.BAD_REQUEST),
        ("400 Bad Request", "invalid_request", "amount.value", RefusalReason.AMOUNT_OUT_OF_RANGE),
        ("401 Unauthorized", "invalid_credentials", None, RefusalReason.CREDENTIALS),
        ("403 Forbidden", "forbidden", None, RefusalReason.CREDENTIALS),
        ("404 Not Found", "not_found", None, RefusalReason.NOT_FOUND),
        ("405 Method Not Allowed", "method_not_allowed", None, RefusalReason.BAD_REQUEST),
        ("410 Gone", "gone", None, RefusalReason.BAD_REQUEST),
        ("415 Unsupported Media Type", "unsupported", None, RefusalReason.BAD_REQUEST),
    ],
)
async def test_a_refusal_carries_code_reason_and_words(
    bank: CannedBank, yookassa: Provider, status: str, code: str, parameter: str | None, reason: RefusalReason
) -> None:
    bank.answers(error(code, description="So it is", parameter=parameter), status)
    with pytest.raises(ProviderPermanentError) as caught:
        await yookassa.open(CREDENTIALS, OPENING)
    assert (caught.value.code, caught.value.reason) == (code, reason)
    assert "So it is" in caught.value.message
    assert status[:3] in caught.value.message


async def test_the_state_of_a_paid_payment(bank: CannedBank, yookassa: Provider) -> None:
    bank.answers(SUCCEEDED)
    state = await yookassa.get_state(CREDENTIALS, PAYMENT_ID)
    assert bank.requests == [(f"/v2/payments/{PAYMENT_ID}", {})]
    assert (state.status, state.provider_status) == (NewsStatus.CONFIRMED, "succeeded")
    assert (state.provider_payment_id, state.order_id, state.amount_minor) == (PAYMENT_ID, ORDER_ID, 15050)
    assert (state.error_code, state.error_message, state.method) == ("0", "", "card")
    assert b"income_amount" in state.raw


@pytest.mark.parametrize("answer", [{**SUCCEEDED, "id": REFUND_ID}, {**SUCCEEDED, "amount": None}, b"<html>"], ids=repr)
async def test_a_state_that_makes_no_sense_is_not_believed(bank: CannedBank, yookassa: Provider, answer: Any) -> None:
    bank.answers(answer)
    with pytest.raises(ProviderUnknownOutcomeError):
        await yookassa.get_state(CREDENTIALS, PAYMENT_ID)


async def test_a_strangers_id_never_becomes_an_address(bank: CannedBank, yookassa: Provider) -> None:
    for stranger in ("../me", "a/cancel", "a?b", "", "a" * 51, "é"):
        with pytest.raises(ProviderPermanentError):
            await yookassa.get_state(CREDENTIALS, stranger)
    assert bank.requests == []


async def test_an_unpaid_payment_cannot_be_called_off(bank: CannedBank, yookassa: Provider) -> None:
    bank.answers(PENDING)
    state = await yookassa.call_off(CREDENTIALS, PAYMENT_ID)
    assert state.status is NewsStatus.PENDING
    assert [path for path, _ in bank.requests] == [f"/v2/payments/{PAYMENT_ID}"]


async def test_a_held_payment_is_released(bank: CannedBank, yookassa: Provider) -> None:
    bank.answers({**SUCCEEDED, "status": "waiting_for_capture"})
    await yookassa.call_off(CREDENTIALS, PAYMENT_ID)
    assert [path for path, _ in bank.requests][1:] == [f"/v2/payments/{PAYMENT_ID}/cancel"]
    assert f"idempotence-key: cancel-{PAYMENT_ID}" in bank.heads[1].lower()


async def test_an_order_is_not_looked_up(bank: CannedBank, yookassa: Provider) -> None:
    assert await yookassa.list_order(CREDENTIALS, ORDER_ID) == ()
    assert await yookassa.get_sbp_payload(CREDENTIALS, PAYMENT_ID) is None
    assert bank.requests == []


async def test_a_part_given_back(bank: CannedBank, yookassa: Provider) -> None:
    bank.answers(REFUND)
    answer = await yookassa.refund(CREDENTIALS, refund_of(5005, RECEIPT))
    assert answer == RefundAnswer(RefundStatus.DONE, REFUND_ID)
    [(path, body)] = bank.requests
    assert path.endswith("/refunds")
    assert (body["payment_id"], body["amount"]) == (PAYMENT_ID, rubles("50.05"))
    assert body["receipt"]["items"][0]["amount"] == rubles("50.05")
    assert "idempotence-key: refund-1" in bank.heads[0].lower()


async def test_a_refund_on_its_way_and_a_refused_one(bank: CannedBank, yookassa: Provider) -> None:
    bank.answers({**REFUND, "status": "pending"})
    assert (await yookassa.refund(CREDENTIALS, refund_of(5005))).status is RefundStatus.PENDING
    details = {"party": "refund_network", "reason": "rejected_by_payee"}
    bank.answers({**REFUND, "status": "canceled", "cancellation_details": details})
    refused = await yookassa.get_refund(CREDENTIALS, PAYMENT_ID, REFUND_ID)
    assert refused == RefundAnswer(
        RefundStatus.REFUSED,
        REFUND_ID,
        None,
        "rejected_by_payee",
        "rejected_by_payee (refund_network)",
        RefusalReason.REFUND_REFUSED,
    )
    assert bank.requests[1][0] == f"/v2/refunds/{REFUND_ID}"


@pytest.mark.parametrize(
    "answer",
    [
        {**REFUND, "amount": rubles("50.04")},
        {**REFUND, "payment_id": REFUND_ID},
        {**REFUND, "id": 5},
        {**REFUND, "status": "wandering"},
        without(REFUND, "status"),
    ],
    ids=repr,
)
async def test_a_refund_that_makes_no_sense_has_an_unknown_outcome(
    bank: CannedBank, yookassa: Provider, answer: Any
) -> None:
    bank.answers(answer)
    with pytest.raises(ProviderUnknownOutcomeError):
        await yookassa.refund(CREDENTIALS, refund_of(5005))


async def test_another_payments_refund_is_not_believed(bank: CannedBank, yookassa: Provider) -> None:
    bank.answers({**REFUND, "id": PAYMENT_ID})
    with pytest.raises(ProviderUnknownOutcomeError):
        await yookassa.get_refund(CREDENTIALS, PAYMENT_ID, REFUND_ID)
    bank.answers({**REFUND, "payment_id": REFUND_ID})
    with pytest.raises(ProviderUnknownOutcomeError):
        await yookassa.get_refund(CREDENTIALS, PAYMENT_ID, REFUND_ID)


@pytest.mark.parametrize("parameter", ["amount.value", "payment_id", None])
async def test_giving_back_what_is_not_there_asks_to_reconcile(
    bank: CannedBank, yookassa: Provider, parameter: str | None
) -> None:
    bank.answers(error("invalid_request", parameter=parameter), "400 Bad Request")
    with pytest.raises(ProviderPermanentError) as caught:
        await yookassa.refund(CREDENTIALS, refund_of(5005))
    assert caught.value.reason is RefusalReason.WRONG_STATE


async def test_credentials_are_tried_on_a_list(bank: CannedBank, yookassa: Provider) -> None:
    bank.answers({"type": "list", "items": [SUCCEEDED]})
    await yookassa.check_credentials(CREDENTIALS)
    assert bank.requests == [("/v2/payments?limit=1", {})]
    bank.answers(error("invalid_credentials"), "401 Unauthorized")
    with pytest.raises(ProviderPermanentError) as caught:
        await yookassa.check_credentials(CREDENTIALS)
    assert caught.value.reason is RefusalReason.CREDENTIALS


async def test_the_secret_is_nowhere_to_be_read(
    bank: CannedBank, yookassa: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bank.answers(error("invalid_credentials", description="Wrong"), "401 Unauthorized")
    with pytest.raises(ProviderError) as caught:
        await yookassa.open(CREDENTIALS, OPENING)
    basic = base64.b64encode(f"100500:{SECRET}".encode()).decode()
    seen = f"{CREDENTIALS!r} {caught.value!r} {caught.value} {caplog.text}"
    assert SECRET not in seen
    assert basic not in seen


async def test_what_it_is_known_by(yookassa: Provider) -> None:
    assert DEFAULT_API_URL == "https://api.yookassa.ru/v3"
    assert (yookassa.name, yookassa.reopens, yookassa.repeats_refunds) == ("yookassa", True, True)
    assert (yookassa.signs_notifications, yookassa.offers_sbp_codes, yookassa.has_registry) == (False, False, False)
    with pytest.raises(MalformedRegistry):
        yookassa.parse_registry(b"")
