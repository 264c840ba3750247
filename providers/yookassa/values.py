"""YooKassa's types, and ours. Each reading function raises ValueError for what cannot be meant."""

import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

CURRENCY = "RUB"

_ID = re.compile(r"[0-9A-Za-z-]{1,50}")
_RUBLES = re.compile(r"[0-9]{1,8}\.[0-9]{2}")


def text(value: Any, field: str, *, limit: int) -> str:
    if isinstance(value, str) and len(value) <= limit:
        return value
    raise ValueError(f"{field} is not a text of at most {limit} characters")


def object_id(value: Any, field: str) -> str:
    """The id of a payment or a refund, like `23d93cac-000f-5000-8000-126628f15141`; fit for an address as it is."""
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise ValueError(f"{field} is not an id")


def fields(value: Any, field: str) -> dict[str, Any]:
    """An object inside an object."""
    if isinstance(value, dict):
        return value
    raise ValueError(f"{field} is not an object")


def amount(amount_minor: int) -> dict[str, str]:
    """Kopecks as YooKassa writes money: rubles with exactly two decimals, as a text."""
    return {"value": f"{Decimal(amount_minor).scaleb(-2):.2f}", "currency": CURRENCY}


def amount_minor(value: Any, field: str) -> int:
    """Kopecks of an amount in rubles; no other currency can be meant."""
    money = fields(value, field)
    if money.get("currency") != CURRENCY:
        raise ValueError(f"{field} is not in rubles")
    rubles = money.get("value")
    if isinstance(rubles, str) and _RUBLES.fullmatch(rubles):
        return int(Decimal(rubles).scaleb(2))
    raise ValueError(f"{field} is not a sum with two decimals")


def order_id(payment: dict[str, Any]) -> str | None:
    """The order id that we gave as metadata; None where there is none of ours.

    Other programs may open payments in the same shop, with metadata of their own.
    """
    metadata = payment.get("metadata")
    found = metadata.get("order_id") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) and 0 < len(found) <= 50 else None


def web_address(value: Any, field: str) -> str:
    """A page to send a donor to."""
    address = text(value, field, limit=2000)
    parts = urlsplit(address)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(f"{field} is not a web address")
    return address
