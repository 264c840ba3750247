"""One Python type for each field of T-Bank's messages.

The bank's documents and the bank itself disagree on types: PaymentId is text in some answers
and a number in others, Amount and Success are sometimes text. Each function raises ValueError
for what cannot be meant.
"""

from typing import Any

AMOUNT_DIGITS = 10
"""The bank's own limit for a sum in kopecks."""


def text(value: Any, field: str, *, limit: int) -> str:
    """Text, or a whole number as text."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
        value = str(value)
    if isinstance(value, str) and len(value) <= limit:
        return value
    raise ValueError(f"{field} is not a text of at most {limit} characters")


def payment_id(value: Any) -> str:
    """The bank's id of a payment, always as text; a number of at most 20 digits."""
    digits = text(value, "PaymentId", limit=20)
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("PaymentId is not a number")
    return digits


def amount_minor(value: Any, field: str = "Amount") -> int:
    """Kopecks."""
    digits = text(value, field, limit=AMOUNT_DIGITS)
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{field} is not a whole number of kopecks")
    return int(digits)


def flag(value: Any, field: str) -> bool:
    """A boolean, or its name in quotes."""
    if value is True or value == "true":
        return True
    if value is False or value == "false":
        return False
    raise ValueError(f"{field} is neither true nor false")
