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
class SignedMessage:
    """Whose a message is and what it is signed with, whatever else is in it."""

    terminal_key: str
    token: str
    """Empty if there is none; two messages with one Token are the same message."""
    order_id: str | None
    """None: it names no order, or none that there could be."""
    fields: Mapping[str, Any] = field(repr=False)
    """Everything that came, as it was signed."""


@dataclass(frozen=True)
class Notification:
    """What a message says: nothing in it is to be believed before `verify`.

    Notifications about linked cards and accounts have no order, payment or sum; messages about
    cheques have `provider_status` RECEIPT. `amount_minor` is the bank's "current" sum and after
    a refund nobody knows which: compare it for AUTHORIZED and CONFIRMED, never calculate with it.
    """

    order_id: str | None
    provider_payment_id: str | None
    status: NewsStatus
    provider_status: str
    """The bank's word; empty if it gave none."""
    amount_minor: int | None
    success: bool
    error_code: str
    error_message: str
    notification_type: str | None
    """LINKCARD, LINKACCOUNT…; None for a payment's own notifications."""


def read(raw: bytes) -> SignedMessage:
    """As much of a request's body as `verify` needs. Raises MalformedNotification, with a reason.

    Fields that are of no type we know make no difference here: what is signed is the bank's, and is kept.
    """
    try:
        return _signed_message(signing.parse_body(raw))
    except ValueError as error:
        raise MalformedNotification(str(error)) from None


def verify(message: SignedMessage, password: str) -> bool:
    """Whether its Token was made with this password, over every root scalar that came (constant time)."""
    return signing.verify(message.fields, password)


def parse(raw: bytes) -> Notification:
    """What the message in a request's body says. Raises MalformedNotification, with a reason."""
    message = read(raw)
    try:
        return _notification(message.fields)
    except ValueError as error:
        raise MalformedNotification(str(error)) from None


def _signed_message(fields: dict[str, Any]) -> SignedMessage:
    terminal_key = _optional_text(fields, "TerminalKey", 20)
    if not terminal_key:
        raise ValueError("TerminalKey is missing")
    try:
        order_id = _order_id(fields)
    except ValueError:
        order_id = None
    # The length is not looked at: a Token of another length is simply a wrong one.
    return SignedMessage(terminal_key, _optional_text(fields, "Token", 2000) or "", order_id, fields)


def _notification(fields: Mapping[str, Any]) -> Notification:
    given = {name: value for name, value in fields.items() if value is not None}
    provider_status = _optional_text(given, "Status", 40) or ""
    return Notification(
        order_id=_order_id(given),
        provider_payment_id=values.payment_id(given["PaymentId"]) if "PaymentId" in given else None,
        status=to_news_status(provider_status),
        provider_status=provider_status,
        amount_minor=values.amount_minor(given["Amount"]) if "Amount" in given else None,
        success=values.flag(given["Success"], "Success") if "Success" in given else False,
        error_code=_optional_text(given, "ErrorCode", 20) or "",
        error_message=_message(_optional_text(given, "Message", 2000), _optional_text(given, "Details", 2000)),
        notification_type=_optional_text(given, "NotificationType", 40) or None,
    )


def _order_id(fields: Mapping[str, Any]) -> str | None:
    # Older terminals of the bank allow 50.
    return _optional_text(fields, "OrderId", 50) or None


def _optional_text(fields: Mapping[str, Any], name: str, limit: int) -> str | None:
    value = fields.get(name)
    return None if value is None else values.text(value, name, limit=limit)


def _message(*parts: str | None) -> str:
    return ": ".join(part.strip() for part in parts if part and part.strip())
