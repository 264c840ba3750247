"""T-Bank's words for a payment's state, in ours."""

import pytest

from domain.payment_status import NewsStatus
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
