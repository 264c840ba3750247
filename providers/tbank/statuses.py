"""T-Bank's words for the state of a payment, in ours."""

from domain.payment_status import NewsStatus

NEWS_STATUSES = {
    "NEW": NewsStatus.PENDING,
    "FORM_SHOWED": NewsStatus.PENDING,
    "PREAUTHORIZING": NewsStatus.PROCESSING,
    "AUTHORIZING": NewsStatus.PROCESSING,
    "3DS_CHECKING": NewsStatus.PROCESSING,
    "3DS_CHECKED": NewsStatus.PROCESSING,
    "PAY_CHECKING": NewsStatus.PROCESSING,
    "CONFIRMING": NewsStatus.PROCESSING,
    "CONFIRM_CHECKING": NewsStatus.PROCESSING,
    "AUTHORIZED": NewsStatus.AUTHORIZED,
    # A part of the hold was released; the rest is still held and may still be confirmed.
    "PARTIAL_REVERSED": NewsStatus.AUTHORIZED,
    # Ends as REVERSED or, in part, as PARTIAL_REVERSED: not known yet.
    "REVERSING": NewsStatus.PROCESSING,
    "REVERSED": NewsStatus.CANCELLED,
    "CANCELED": NewsStatus.CANCELLED,
    "CONFIRMED": NewsStatus.CONFIRMED,
    "REJECTED": NewsStatus.FAILED,
    "AUTH_FAIL": NewsStatus.FAILED,
    "DEADLINE_EXPIRED": NewsStatus.EXPIRED,
    "ATTEMPTS_EXPIRED": NewsStatus.EXPIRED,
    "REFUNDING": NewsStatus.REFUNDING,
    "ASYNC_REFUNDING": NewsStatus.REFUNDING,
    "CANCEL_CHECKING": NewsStatus.REFUNDING,
    "PARTIAL_REFUNDED": NewsStatus.PARTIALLY_REFUNDED,
    "REFUNDED": NewsStatus.REFUNDED,
}
"""Absent on purpose: RECEIPT (a fiscal message, not a state) and the words of old or other products."""


def to_news_status(provider_status: str) -> NewsStatus:
    """Never raises: a word we do not know is `unknown`, stored as it came and changes nothing."""
    return NEWS_STATUSES.get(provider_status, NewsStatus.UNKNOWN)
