"""T-Bank's words in ours, and its codes by what can be done about them."""

import pytest

from domain.payment_status import NewsStatus
from providers.outcomes import (
    ProviderPermanentError,
    ProviderTemporaryError,
    ProviderUnknownOutcomeError,
    RefusalReason,
)
from providers.tbank.errors import NOT_FOUND, REASONS, TRY_LATER, error_for
from providers.tbank.statuses import NEWS_STATUSES, to_news_status


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("NEW", NewsStatus.PENDING),
        ("FORM_SHOWED", NewsStatus.PENDING),
        ("3DS_CHECKING", NewsStatus.PROCESSING),
        ("AUTHORIZED", NewsStatus.AUTHORIZED),
        ("CONFIRMED", NewsStatus.CONFIRMED),
        ("REJECTED", NewsStatus.FAILED),
        ("AUTH_FAIL", NewsStatus.FAILED),
        ("CANCELED", NewsStatus.CANCELLED),
        ("REVERSED", NewsStatus.CANCELLED),
        ("DEADLINE_EXPIRED", NewsStatus.EXPIRED),
        ("ASYNC_REFUNDING", NewsStatus.REFUNDING),
        ("PARTIAL_REFUNDED", NewsStatus.PARTIALLY_REFUNDED),
        ("REFUNDED", NewsStatus.REFUNDED),
        ("RECEIPT", NewsStatus.UNKNOWN),
        ("confirmed", NewsStatus.UNKNOWN),
        ("", NewsStatus.UNKNOWN),
    ],
)
def test_words(word: str, status: NewsStatus) -> None:
    assert to_news_status(word) is status


def test_only_one_word_means_money() -> None:
    assert [word for word, status in NEWS_STATUSES.items() if status is NewsStatus.CONFIRMED] == ["CONFIRMED"]


def test_no_code_stands_in_two_rows() -> None:
    rows = [TRY_LATER, *REASONS.values()]
    codes = [code for row in rows for code in row]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("code", sorted(TRY_LATER))
def test_the_banks_own_trouble_is_asked_again_but_never_blindly_repeated(code: str) -> None:
    assert isinstance(error_for(code, "m", changes_something=False), ProviderTemporaryError)
    assert isinstance(error_for(code, "m", changes_something=True), ProviderUnknownOutcomeError)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("204", RefusalReason.CREDENTIALS),
        ("501", RefusalReason.CREDENTIALS),
        ("251", RefusalReason.AMOUNT_OUT_OF_RANGE),
        ("12", RefusalReason.DUE_DATE),
        ("623", RefusalReason.ORDER_TAKEN),
        ("8", RefusalReason.WRONG_STATE),
        ("202", RefusalReason.SHOP_UNAVAILABLE),
        ("1051", RefusalReason.DECLINED),
        ("1099", RefusalReason.SHOP_UNAVAILABLE),
        ("603", RefusalReason.TOO_MANY_ATTEMPTS),
        ("3002", RefusalReason.REFUND_WITHOUT_FUNDS),
        ("3029", RefusalReason.REFUND_LATER),
        ("255", RefusalReason.NOT_FOUND),
        ("212", RefusalReason.BAD_REQUEST),
    ],
)
@pytest.mark.parametrize("changes_something", [True, False])
def test_a_refusal_says_what_can_be_done(code: str, reason: RefusalReason, changes_something: bool) -> None:
    error = error_for(code, "because", changes_something=changes_something)
    assert isinstance(error, ProviderPermanentError)
    assert (error.code, error.message, error.reason) == (code, "because", reason)


def test_an_unheard_of_code_stops_a_change_but_never_a_question() -> None:
    change = error_for("987654", "?", changes_something=True)
    assert isinstance(change, ProviderPermanentError)
    assert change.reason is RefusalReason.UNKNOWN
    assert isinstance(error_for("987654", "?", changes_something=False), ProviderTemporaryError)


def test_not_found_is_one_row_of_the_table() -> None:
    assert REASONS[RefusalReason.NOT_FOUND] == NOT_FOUND
