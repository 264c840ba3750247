"""What YooKassa's payment object says of a payment, in our words.

A refund does not change the payment's status: it stays `succeeded`, and `refunded_amount` grows.
"""

import json
from dataclasses import dataclass
from typing import Any

from domain.payment_status import NewsStatus
from providers.outcomes import RefusalReason
from providers.provider import PaymentState
from providers.yookassa import values

NEWS_STATUSES = {
    "pending": NewsStatus.PENDING,
    "waiting_for_capture": NewsStatus.AUTHORIZED,
    "succeeded": NewsStatus.CONFIRMED,
    "canceled": NewsStatus.CANCELLED,
}

EXPIRED = "expired_on_confirmation"
"""The donor did not pay within the hour that YooKassa gives."""

NOT_REFUSALS = frozenset({EXPIRED, "expired_on_capture", "canceled_by_merchant"})
"""Reasons of `canceled` for which nobody declined anything; every other, known or not, is a refusal."""

REASONS = {
    "3d_secure_failed": RefusalReason.CONFIRMATION_FAILED,
    "card_expired": RefusalReason.CARD_DETAILS,
    "country_forbidden": RefusalReason.CARD_NOT_ACCEPTED,
    "identification_required": RefusalReason.PAYER_LIMIT,
    "insufficient_funds": RefusalReason.NO_FUNDS,
    "internal_timeout": RefusalReason.PROVIDER_TROUBLE,
    "invalid_card_number": RefusalReason.CARD_DETAILS,
    "invalid_csc": RefusalReason.CARD_DETAILS,
    "issuer_unavailable": RefusalReason.DECLINED_FOR_NOW,
    "payment_method_limit_exceeded": RefusalReason.PAYER_LIMIT,
    "payment_method_restricted": RefusalReason.CARD_NOT_ACCEPTED,
    "rejected_by_timeout": RefusalReason.PROVIDER_TROUBLE,
}
"""Why a payment was declined, sorted; what is not here (the list is open) is a decline without a reason."""

REFUND_REASONS = {"insufficient_funds": RefusalReason.REFUND_WITHOUT_FUNDS}
"""Why a refund was cancelled; everything else is the donor's bank that does not take the money."""

METHODS = {"bank_card": "card"}
"""Payment methods that we have a word of our own for; the others, `sbp` among them, keep theirs."""


@dataclass(frozen=True)
class Cancellation:
    """Why a payment or a refund was cancelled: `reason` from an open list, `party` who did it."""

    party: str
    reason: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.party})"


def to_news_status(provider_status: str) -> NewsStatus:
    """Never raises: a word we do not know is `unknown`, stored as it came and changes nothing."""
    return NEWS_STATUSES.get(provider_status, NewsStatus.UNKNOWN)


def cancellation(fields: dict[str, Any]) -> Cancellation:
    """Raises ValueError if what is there makes no sense; if nothing is there, the reason is `canceled`."""
    given = fields.get("cancellation_details")
    details = values.fields(given, "cancellation_details") if given is not None else {}
    return Cancellation(
        values.text(details.get("party", "unknown"), "cancellation_details.party", limit=100),
        values.text(details.get("reason", "canceled"), "cancellation_details.reason", limit=100),
    )


def payment_state(payment: dict[str, Any]) -> PaymentState:
    """A payment object as a state. Raises ValueError or KeyError for what no payment looks like.

    `canceled` is final at YooKassa: nobody can pay such a payment any more, so a card that was declined makes it
    CANCELLED with the reason as its error code, not FAILED, which says that the same payment may still be paid.
    """
    provider_status = values.text(payment["status"], "status", limit=40)
    status = to_news_status(provider_status)
    amount_minor = values.amount_minor(payment["amount"], "amount")
    error_code, error_message, reason = "0", "", None
    if status is NewsStatus.CONFIRMED:
        refunded = payment.get("refunded_amount")
        refunded_minor = 0 if refunded is None else values.amount_minor(refunded, "refunded_amount")
        if refunded_minor > amount_minor:
            raise ValueError("refunded_amount is more than amount")
        amount_minor -= refunded_minor
        if refunded_minor:
            status = NewsStatus.PARTIALLY_REFUNDED if amount_minor else NewsStatus.REFUNDED
    elif status is NewsStatus.CANCELLED:
        why = cancellation(payment)
        if why.reason == EXPIRED:
            status = NewsStatus.EXPIRED
        if why.reason not in NOT_REFUSALS:
            error_code, error_message = why.reason, str(why)
            reason = REASONS.get(why.reason, RefusalReason.DECLINED)
    return PaymentState(
        provider_payment_id=values.object_id(payment["id"], "id"),
        order_id=values.order_id(payment),
        status=status,
        provider_status=provider_status,
        amount_minor=amount_minor,
        error_code=error_code,
        error_message=error_message,
        raw=json.dumps(payment, ensure_ascii=False).encode(),
        method=_method(payment),
        payer=_payer(payment),
        reason=reason,
    )


def _method(payment: dict[str, Any]) -> str:
    given = payment.get("payment_method")
    if given is None:
        return ""
    kind = values.text(values.fields(given, "payment_method").get("type", ""), "payment_method.type", limit=40)
    return METHODS.get(kind, kind)


def _payer(payment: dict[str, Any]) -> str:
    """The card by its first and last figures, or the end of a wallet's number; unreadable ones spoil nothing."""
    method = payment.get("payment_method")
    if not isinstance(method, dict):
        return ""
    card = method.get("card")
    if isinstance(card, dict):
        first, last = card.get("first6", ""), card.get("last4", "")
        if isinstance(first, str) and isinstance(last, str) and last.isdecimal() and len(first) <= 6 and len(last) == 4:
            return f"{first:*<6}******{last}"
    wallet = method.get("account_number")
    if isinstance(wallet, str) and wallet.isdecimal() and len(wallet) >= 8:
        return f"{method.get('type', '')}:***{wallet[-4:]}"[:64]
    return ""
