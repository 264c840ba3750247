"""The notifications the bank signs and sends, field by field as they were seen in real life."""

import json
from typing import Any

from providers.json_body import parse_body
from providers.tbank.signing import sign, verify
from simulator.records import Payment

STRANGERS_PASSWORD = "-"  # noqa: S105 - it opens nothing
"""What signs a forged notification."""

CARD_PAN = "4300 00** **** 0777"
"""The same card as the registry writes it."""

CARD = {"CardId": 322264, "Pan": "430000******0777", "ExpDate": "1230"}
PHONE = {"Pan": "+7 (916) ***-**-21"}


def notification_fields(payment: Payment, status: str) -> dict[str, Any]:
    """The body for this status, unsigned. PaymentId and Amount are numbers, ErrorCode is text.

    After a full refund Amount is the whole sum, after a partial one what remains: nobody outside
    the bank knows the rule, so whoever calculates with it shall be wrong here already.
    """
    refused = status == "REJECTED"
    body: dict[str, Any] = {
        "TerminalKey": payment.terminal_key,
        "OrderId": payment.order_id,
        "Success": not refused,
        "Status": status,
        "PaymentId": payment.id,
        "ErrorCode": payment.error_code if refused else "0",
        "Amount": payment.remaining_minor or payment.amount_minor,
    }
    if refused:
        body |= {"Message": payment.error_message, "Details": payment.error_details}
    if payment.source == "cards":
        body |= CARD
    elif payment.source == "qrsbp":
        body |= PHONE
    return body


def signed(body: dict[str, Any], password: str) -> bytes:
    """The bytes to send: `body` with its Token."""
    return with_token(body, sign(body, password))


def forged(body: bytes) -> bytes:
    """The bytes of a notification with a Token that nobody's password makes."""
    fields = {name: value for name, value in json.loads(body).items() if name != "Token"}
    return signed(fields, STRANGERS_PASSWORD)


def is_genuine(body: bytes, password: str) -> bool:
    """Whether these bytes are a notification that the password signed."""
    try:
        return verify(parse_body(body), password)
    except ValueError:
        return False


def with_token(body: dict[str, Any], token: str) -> bytes:
    """The bytes to send with any Token, right or wrong."""
    return json.dumps({**body, "Token": token}, ensure_ascii=False).encode()
