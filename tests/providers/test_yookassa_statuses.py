"""YooKassa's payment object in our words, its sums in kopecks, and our receipts in its codes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.payment_status import NewsStatus
from providers.provider import Receipt
from providers.yookassa import values
from providers.yookassa.receipts import TAX_SYSTEM_CODES, VAT_CODES, receipt_fields
from providers.yookassa.statuses import NEWS_STATUSES, payment_state, to_news_status
from tests.providers.yookassa_answers import CANCELED, PENDING, SUCCEEDED, rubles


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", NewsStatus.PENDING),
        ("waiting_for_capture", NewsStatus.AUTHORIZED),
        ("succeeded", NewsStatus.CONFIRMED),
        ("canceled", NewsStatus.CANCELLED),
        ("cancelled", NewsStatus.UNKNOWN),
        ("SUCCEEDED", NewsStatus.UNKNOWN),
        ("", NewsStatus.UNKNOWN),
    ],
)
def test_words(word: str, status: NewsStatus) -> None:
    assert to_news_status(word) is status
    assert payment_state({**PENDING, "status": word}).provider_status == word


def test_only_one_word_means_money() -> None:
    assert [word for word, status in NEWS_STATUSES.items() if status is NewsStatus.CONFIRMED] == ["succeeded"]


@pytest.mark.parametrize(
    ("refunded", "status", "left_minor"),
    [
        (None, NewsStatus.CONFIRMED, 15050),
        ("0.00", NewsStatus.CONFIRMED, 15050),
        ("0.01", NewsStatus.PARTIALLY_REFUNDED, 15049),
        ("150.49", NewsStatus.PARTIALLY_REFUNDED, 1),
        ("150.50", NewsStatus.REFUNDED, 0),
    ],
)
def test_a_refund_shows_in_what_is_left(refunded: str | None, status: NewsStatus, left_minor: int) -> None:
    state = payment_state({**SUCCEEDED, "refunded_amount": refunded and rubles(refunded)})
    assert (state.status, state.amount_minor, state.provider_status) == (status, left_minor, "succeeded")


def test_more_given_back_than_was_paid_is_nonsense() -> None:
    with pytest.raises(ValueError, match="more than"):
        payment_state({**SUCCEEDED, "refunded_amount": rubles("150.51")})


@pytest.mark.parametrize(
    ("reason", "status", "is_refusal"),
    [
        ("expired_on_confirmation", NewsStatus.EXPIRED, False),
        ("canceled_by_merchant", NewsStatus.CANCELLED, False),
        ("expired_on_capture", NewsStatus.CANCELLED, False),
        ("insufficient_funds", NewsStatus.CANCELLED, True),
        ("3d_secure_failed", NewsStatus.CANCELLED, True),
        ("a_reason_of_next_year", NewsStatus.CANCELLED, True),
    ],
)
def test_a_cancelled_payment_says_why(reason: str, status: NewsStatus, is_refusal: bool) -> None:
    state = payment_state({**CANCELED, "cancellation_details": {"party": "yoo_money", "reason": reason}})
    assert state.status is status
    expected = (reason, f"{reason} (yoo_money)") if is_refusal else ("0", "")
    assert (state.error_code, state.error_message) == expected


def test_a_cancelled_payment_may_keep_its_reason_to_itself() -> None:
    state = payment_state({**CANCELED, "cancellation_details": None})
    assert (state.status, state.error_code) == (NewsStatus.CANCELLED, "canceled")


@pytest.mark.parametrize(
    ("method", "word"),
    [
        (None, ""),
        ({"type": "bank_card"}, "card"),
        ({"type": "sbp"}, "sbp"),
        ({"type": "sberbank"}, "sberbank"),
        ({}, ""),
    ],
)
def test_how_it_was_paid(method: Any, word: str) -> None:
    assert payment_state({**SUCCEEDED, "payment_method": method}).method == word


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "150.50"},
        {"amount": {"value": "150.50"}},
        {"refunded_amount": {"value": "1.00", "currency": "EUR"}},
        {"refunded_amount": 1},
        {"status": None},
        {"id": "a/b"},
        {"payment_method": "card"},
        {"payment_method": {"type": 1}},
    ],
    ids=repr,
)
def test_wrong_types_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        payment_state({**SUCCEEDED, **change})


@pytest.mark.parametrize(
    "metadata", [None, {}, [], {"order_id": 7}, {"order_id": ""}, {"order_id": "o" * 51}], ids=repr
)
def test_a_payment_of_another_program_has_no_order_of_ours(metadata: Any) -> None:
    assert payment_state({**SUCCEEDED, "metadata": metadata}).order_id is None


@given(st.integers(min_value=0, max_value=9_999_999_999))
def test_kopecks_become_rubles_and_back(amount_minor: int) -> None:
    money = values.amount(amount_minor)
    assert money["value"] == f"{amount_minor // 100}.{amount_minor % 100:02}"
    assert values.amount_minor(money, "amount") == amount_minor


@pytest.mark.parametrize(
    "value",
    ["1", "1.5", "1.500", "1,50", "-1.00", "1e2", " 1.00", "1.00\n", "٣.٠٠", "", "NaN", "1234567890.00", 1, None],
)
def test_only_rubles_with_two_decimals_are_a_sum(value: Any) -> None:
    with pytest.raises(ValueError, match="two decimals"):
        values.amount_minor({"value": value, "currency": "RUB"}, "amount")


def test_every_tax_word_has_its_own_code() -> None:
    assert set(TAX_SYSTEM_CODES) == {"osn", "usn_income", "usn_income_outcome", "esn", "patent"}
    assert set(VAT_CODES) == {
        "none", "vat0", "vat5", "vat7", "vat10", "vat22", "vat105", "vat107", "vat110", "vat122"
    }  # fmt: skip
    assert len(set(VAT_CODES.values())) == len(VAT_CODES)
    # 20 % is no rate any more.
    assert not {4, 6} & set(VAT_CODES.values())


def test_a_receipt_has_one_item_for_the_whole_sum() -> None:
    receipt = receipt_fields(Receipt("a@example.org", "ы" * 200, "osn", "vat22"), 5)
    [item] = receipt["items"]
    assert (item["description"], item["amount"], item["vat_code"]) == ("ы" * 128, rubles("0.05"), 11)
    assert receipt["tax_system_code"] == 1
