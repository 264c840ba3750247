"""What T-Bank POSTs to us: read, checked against the terminal's password, never acted on here."""

from collections.abc import Callable, Mapping
from typing import Any

from providers.json_body import parse_body
from providers.provider import Incoming, MalformedNotification, Notification
from providers.tbank import signing, values
from providers.tbank.errors import reason_for
from providers.tbank.statuses import to_news_status


def read(raw: bytes) -> Incoming:
    """As much of a request's body as `verify` needs. Raises MalformedNotification, with a reason.

    Fields that are of no type we know make no difference here: what is signed is the bank's, and is kept.
    """
    try:
        return _incoming(parse_body(raw))
    except ValueError as error:
        raise MalformedNotification(str(error)) from None


def verify(incoming: Incoming, password: str) -> bool:
    """Whether its Token was made with this password, over every root scalar that came (constant time)."""
    return signing.verify(incoming.fields, password)


def parse(raw: bytes) -> Notification:
    """What the message in a request's body says. Raises MalformedNotification, with a reason.

    `amount_minor` is the bank's "current" sum and after a refund nobody knows which.
    """
    incoming = read(raw)
    try:
        return _notification(incoming.fields)
    except ValueError as error:
        raise MalformedNotification(str(error)) from None


def _incoming(fields: dict[str, Any]) -> Incoming:
    terminal_key = _optional_text(fields, "TerminalKey", 20)
    if not terminal_key:
        raise ValueError("TerminalKey is missing")
    # The length is not looked at: a Token of another length is simply a wrong one.
    token = _optional_text(fields, "Token", 2000) or ""
    return Incoming(
        account_key=terminal_key,
        # The bank signs in either case of hex, and one message may come in both.
        dedup_key=token.lower(),
        order_id=_readable(_order_id, fields),
        provider_payment_id=_readable(_payment_id, fields),
        fields=fields,
    )


def _notification(fields: Mapping[str, Any]) -> Notification:
    given = {name: value for name, value in fields.items() if value is not None}
    order_id = _order_id(given)
    provider_status = _optional_text(given, "Status", 40) or ""
    error_code = _optional_text(given, "ErrorCode", 20) or ""
    # LINKCARD, LINKACCOUNT…; a payment's own notifications have no type, a cheque's (RECEIPT) only its status.
    notification_type = _optional_text(given, "NotificationType", 40)
    if "Success" in given:
        values.flag(given["Success"], "Success")
    return Notification(
        order_id=order_id,
        provider_payment_id=_payment_id(given),
        status=to_news_status(provider_status),
        provider_status=provider_status,
        amount_minor=values.amount_minor(given["Amount"]) if "Amount" in given else None,
        error_code=error_code,
        error_message=_message(_optional_text(given, "Message", 2000), _optional_text(given, "Details", 2000)),
        is_about_payment=order_id is not None and not notification_type and provider_status != "RECEIPT",
        reason=reason_for(error_code),
        method=_method(given.get("Pan")),
        payer=_payer(given.get("Pan")),
    )


def _method(pan: Any) -> str:
    """A masked card, or for SBP a masked phone (contracts/tbank-protocol.md 6). What is neither says nothing."""
    text = pan if isinstance(pan, str) else ""
    return "sbp" if text.startswith("+") else "card" if text[:1].isdecimal() else ""


def _payer(pan: Any) -> str:
    """The masked card or phone itself. One without a mask would be a secret of the donor's, and is not kept."""
    text = pan if isinstance(pan, str) else ""
    return text if "*" in text and len(text) <= 64 and text.isascii() and text.isprintable() else ""


def _readable(read_field: Callable[[Mapping[str, Any]], str | None], fields: Mapping[str, Any]) -> str | None:
    try:
        return read_field(fields)
    except ValueError:
        return None


def _order_id(fields: Mapping[str, Any]) -> str | None:
    # Older terminals of the bank allow 50.
    return _optional_text(fields, "OrderId", 50) or None


def _payment_id(fields: Mapping[str, Any]) -> str | None:
    value = fields.get("PaymentId")
    return None if value is None else values.payment_id(value)


def _optional_text(fields: Mapping[str, Any], name: str, limit: int) -> str | None:
    value = fields.get(name)
    return None if value is None else values.text(value, name, limit=limit)


def _message(*parts: str | None) -> str:
    return ": ".join(part.strip() for part in parts if part and part.strip())
