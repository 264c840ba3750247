"""What T-Bank POSTs to us: read, checked against the terminal's password, never acted on here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.payment_status import NewsStatus
from providers.tbank import signing, values
from providers.tbank.statuses import to_news_status


class MalformedNotification(Exception):  # noqa: N818 - it is what the message is
    """Not a message the bank could have sent; `str()` is the reason, for the log."""


@dataclass(frozen=True)
class Notification:
    """A notification as it came: nothing in it is to be believed before `verify`.

    Notifications about linked cards and accounts have no order, payment or sum; messages about
    cheques have `provider_status` RECEIPT. `amount_minor` is the bank's "current" sum and after
    a refund nobody knows which: compare it for AUTHORIZED and CONFIRMED, never calculate with it.
    """

    terminal_key: str
    order_id: str | None
    provider_payment_id: str | None
    status: NewsStatus
    provider_status: str
    """The bank's word; empty if it gave none."""
    amount_minor: int | None
    success: bool
    error_code: str
    error_message: str
    token: str
    """Empty if there is none; two messages with one Token are the same message."""
    notification_type: str | None
    """LINKCARD, LINKACCOUNT…; None for a payment's own notifications."""
    fields: Mapping[str, Any] = field(repr=False)
    """Everything that came, as it was signed."""


def parse(raw: bytes) -> Notification:
    """The notification in a request's body. Raises MalformedNotification, with a reason."""
    try:
        return _from_fields(signing.parse_body(raw))
    except ValueError as error:
        raise MalformedNotification(str(error)) from None


def verify(notification: Notification, password: str) -> bool:
    """Whether its Token was made with this password, over every root scalar that came (constant time)."""
    return signing.verify(notification.fields, password)


def _from_fields(fields: dict[str, Any]) -> Notification:
    given = {name: value for name, value in fields.items() if value is not None}

    def optional_text(name: str, limit: int) -> str | None:
        return values.text(given[name], name, limit=limit) if name in given else None

    terminal_key = optional_text("TerminalKey", 20)
    if not terminal_key:
        raise ValueError("TerminalKey is missing")
    provider_status = optional_text("Status", 40) or ""
    return Notification(
        terminal_key=terminal_key,
        # Older terminals of the bank allow 50.
        order_id=optional_text("OrderId", 50) or None,
        provider_payment_id=values.payment_id(given["PaymentId"]) if "PaymentId" in given else None,
        status=to_news_status(provider_status),
        provider_status=provider_status,
        amount_minor=values.amount_minor(given["Amount"]) if "Amount" in given else None,
        success=values.flag(given["Success"], "Success") if "Success" in given else False,
        error_code=optional_text("ErrorCode", 20) or "",
        error_message=_message(optional_text("Message", 2000), optional_text("Details", 2000)),
        # The length is not looked at: a Token of another length is simply a wrong one.
        token=optional_text("Token", 2000) or "",
        notification_type=optional_text("NotificationType", 40) or None,
        fields=fields,
    )


def _message(*parts: str | None) -> str:
    return ": ".join(part.strip() for part in parts if part and part.strip())
