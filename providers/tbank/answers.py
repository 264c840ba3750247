"""Reading what T-Bank answers: liberal with its types, strict with what decides about money.

The bank answers HTTP 200 with `Success: false` when it refuses; every other status comes from something in between.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from providers.json_body import parse_body
from providers.outcomes import ProviderTemporaryError, ProviderUnknownOutcomeError
from providers.provider import PaymentState
from providers.tbank import values
from providers.tbank.errors import error_for, reason_for
from providers.tbank.statuses import to_news_status

_METHODS = {"cards": "card", "qrsbp": "sbp"}


@contextmanager
def reading(method: str) -> Iterator[None]:
    """Turns "this answer makes no sense" into an unknown outcome: the bank did something, but what?"""
    try:
        yield
    except KeyError as error:
        raise ProviderUnknownOutcomeError("bad_answer", f"{method}: {error} is missing") from error
    except (ValueError, TypeError) as error:
        raise ProviderUnknownOutcomeError("bad_answer", f"{method}: {error}") from error


def read_answer(method: str, response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer, refusals included."""
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise ProviderTemporaryError("http_429", f"{method}: too many requests")
    if response.status_code != httpx.codes.OK:
        raise ProviderUnknownOutcomeError(f"http_{response.status_code}", f"{method}: HTTP {response.status_code}")
    with reading(method):
        return parse_body(response.content)


def raise_if_refused(answer: dict[str, Any], *, changes_something: bool) -> None:
    code = error_code(answer)
    if code == "0" and answer.get("Success") in (True, "true"):
        return
    raise error_for(code, _message(answer) or "no message", changes_something=changes_something)


def payment_state(answer: dict[str, Any]) -> PaymentState:
    """Raises KeyError, ValueError or TypeError for an answer that makes no sense: see `reading`."""
    provider_status = values.text(answer["Status"], "Status", limit=40)
    order_id, amount = answer.get("OrderId"), answer.get("Amount")
    code = error_code(answer)
    return PaymentState(
        provider_payment_id=values.payment_id(answer["PaymentId"]),
        order_id=None if order_id is None else values.text(order_id, "OrderId", limit=50),
        status=to_news_status(provider_status),
        provider_status=provider_status,
        amount_minor=None if amount is None else values.amount_minor(amount),
        error_code=code,
        # A call that worked says "OK" or "None" here, which is no message.
        error_message="" if code == "0" else _message(answer),
        raw=json.dumps(answer, ensure_ascii=False).encode(),
        method=_method(answer),
        reason=reason_for(code),
    )


def require_same_payment(answer: dict[str, Any], provider_payment_id: str) -> None:
    if values.payment_id(answer["PaymentId"]) != provider_payment_id:
        raise ValueError("PaymentId is not the one we asked about")


def error_code(answer: dict[str, Any]) -> str:
    code = answer.get("ErrorCode")
    if code is None:
        return "0" if answer.get("Success") in (True, "true") else "no_code"
    return str(code)[:20]


def web_address(value: Any, field: str, *, schemes: tuple[str, ...], or_at: str = "") -> str:
    """Where to send a donor. Its form differs between the bank's systems: never take it apart.

    `or_at` is a whole address: what has its scheme, host and port passes too.
    """
    address = values.text(value, field, limit=2000)
    parts, own = urlsplit(address), urlsplit(or_at)
    is_own = (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
    if (
        (parts.scheme not in schemes and not is_own)
        or not parts.hostname
        or not address.isprintable()
        or " " in address
    ):
        raise ValueError(f"{field} is not a web address ({' or '.join(schemes)})")
    return address


def _message(answer: dict[str, Any]) -> str:
    """Message is general, Details has the real reason; either may be missing."""
    parts = (answer.get("Message"), answer.get("Details"))
    return ": ".join(part for part in parts if isinstance(part, str) and part.strip() not in ("", "None"))[:500]


def _method(answer: dict[str, Any]) -> str:
    """How it was paid, from the `Source` of GetState's Params. Nothing that we cannot read there spoils the state."""
    params = answer.get("Params")
    pairs = [pair for pair in params if isinstance(pair, dict)] if isinstance(params, list) else []
    source = next((pair.get("Value") for pair in pairs if pair.get("Key") == "Source"), None)
    if not isinstance(source, str) or len(source) > 40:
        return ""
    return _METHODS.get(source.lower(), source.lower())
