"""Calls to T-Bank's acquiring API: open a payment, ask about it, call it off.

Facts: the protocol's own page, and what integrations saw in real life. The bank answers HTTP
200 with `Success: false` when it refuses; every other status comes from something in between.
"""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx

from domain.payment_status import NewsStatus
from providers.outcomes import ProviderTemporaryError, ProviderUnknownOutcomeError
from providers.tbank import signing, values
from providers.tbank.errors import NOT_FOUND, error_for
from providers.tbank.statuses import to_news_status

logger = logging.getLogger(__name__)

DESCRIPTION_LIMIT = 140
"""Characters the bank takes; one more and it refuses the whole payment."""


@dataclass(frozen=True)
class Credentials:
    """A streamer's terminal. The password signs; it is never sent, shown or logged."""

    terminal_key: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class OpenedPayment:
    """A payment that waits for its donor at `payment_url`."""

    provider_payment_id: str
    payment_url: str


@dataclass(frozen=True)
class PaymentState:
    """A payment as the bank sees it now.

    `amount_minor` is the bank's current sum in kopecks: after a refund, what remains. A refused
    payment carries the reason in `error_code` and `error_message`; otherwise these are "0" and "".
    `raw` is what the bank said of it, as JSON.
    """

    provider_payment_id: str
    order_id: str | None
    status: NewsStatus
    provider_status: str
    amount_minor: int | None
    error_code: str
    error_message: str
    raw: bytes = field(repr=False, compare=False)


class TBankClient:
    """T-Bank over somebody else's `httpx.AsyncClient`, which decides on pools and certificates.

    Every method raises one of `providers.outcomes`. Nothing is repeated here: what a repeat may
    do is the caller's to know.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        base_url: str,
        *,
        timeout_seconds: float = 15.0,
        connect_timeout_seconds: float = 5.0,
    ) -> None:
        """`base_url` ends in `/v2`; `timeout_seconds` bounds a whole call, connecting included."""
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._timeout = httpx.Timeout(timeout_seconds, connect=connect_timeout_seconds)

    async def init(
        self,
        credentials: Credentials,
        *,
        order_id: str,
        amount_minor: int,
        description: str,
        due_at: datetime,
        notification_url: str,
        success_url: str,
        fail_url: str,
        language: str,
    ) -> OpenedPayment:
        """Open a one-stage payment that dies unpaid at `due_at` (aware; 1 minute to 90 days ahead).

        `order_id` must be stored before: the bank has no idempotency key, so after
        ProviderUnknownOutcomeError the way on is `check_order`, not a second Init. The
        description is cut to what the bank takes.
        """
        if due_at.tzinfo is None:
            raise ValueError("due_at needs a time zone")
        answer = await self._call(
            "Init",
            credentials,
            {
                "Amount": amount_minor,
                "OrderId": order_id,
                "Description": description[:DESCRIPTION_LIMIT],
                "PayType": "O",
                "Language": language,
                "NotificationURL": notification_url,
                "SuccessURL": success_url,
                "FailURL": fail_url,
                "RedirectDueDate": due_at.isoformat(timespec="seconds"),
            },
        )
        _raise_if_refused(answer, changes_something=True)
        with _reading("Init"):
            if values.text(answer["OrderId"], "OrderId", limit=50) != order_id:
                raise ValueError("OrderId is not the one we sent")
            if values.amount_minor(answer["Amount"]) != amount_minor:
                raise ValueError("Amount is not the one we sent")
            return OpenedPayment(values.payment_id(answer["PaymentId"]), _web_address(answer["PaymentURL"]))

    async def get_state(self, credentials: Credentials, provider_payment_id: str) -> PaymentState:
        """What became of a payment.

        Success only tells whether the call worked, and a refused payment may answer with its own
        code there: an answer with a Status is an answer.
        """
        answer = await self._call("GetState", credentials, {"PaymentId": provider_payment_id})
        if answer.get("Status") is None:
            _raise_if_refused(answer, changes_something=False)
        with _reading("GetState"):
            state = _payment_state(answer)
            _require_same_payment(state, provider_payment_id)
            return state

    async def check_order(self, credentials: Credentials, order_id: str) -> tuple[PaymentState, ...]:
        """All payments the bank knows for an order; none if it does not know the order."""
        answer = await self._call("CheckOrder", credentials, {"OrderId": order_id})
        if _error_code(answer) in NOT_FOUND:
            return ()
        _raise_if_refused(answer, changes_something=False)
        with _reading("CheckOrder"):
            return tuple(_payment_state({"OrderId": order_id, **payment}) for payment in answer["Payments"])

    async def cancel(
        self, credentials: Credentials, provider_payment_id: str, *, amount_minor: int | None = None
    ) -> PaymentState:
        """Call off an unpaid payment, or give a paid one back: the bank decides which by its state.

        `amount_minor` (kopecks) gives back only a part. The state's `amount_minor` is what remains.
        """
        fields: dict[str, Any] = {"PaymentId": provider_payment_id}
        if amount_minor is not None:
            fields["Amount"] = amount_minor
        answer = await self._call("Cancel", credentials, fields)
        _raise_if_refused(answer, changes_something=True)
        with _reading("Cancel"):
            state = _payment_state({**answer, "Amount": answer.get("NewAmount")})
            _require_same_payment(state, provider_payment_id)
            return state

    async def _call(self, method: str, credentials: Credentials, fields: dict[str, Any]) -> dict[str, Any]:
        """POST one signed body and return the JSON object of the answer, refusals included."""
        body = {"TerminalKey": credentials.terminal_key, **fields}
        body["Token"] = signing.sign(body, credentials.password)
        subject = fields.get("OrderId") or fields.get("PaymentId")
        started = monotonic()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                response = await self._http.post(
                    f"{self._base_url}/{method}",
                    content=json.dumps(body, ensure_ascii=False).encode(),
                    headers={"Content-Type": "application/json", "Accept": "application/json"},
                    timeout=self._timeout,
                    follow_redirects=False,
                )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            # Not a byte of the request has left, so nothing can have happened there.
            logger.warning("T-Bank %s %s: not reached (%s)", method, subject, type(error).__name__)
            raise ProviderTemporaryError("unreachable", f"{type(error).__name__}: {error}") from error
        except (httpx.RequestError, TimeoutError) as error:
            logger.warning("T-Bank %s %s: no answer (%s)", method, subject, type(error).__name__)
            raise ProviderUnknownOutcomeError("no_answer", f"{type(error).__name__}: {error}") from error
        milliseconds = (monotonic() - started) * 1000
        answer = _read_answer(method, response)
        logger.info(
            "T-Bank %s %s: %s, code %s, %.0f ms",
            method, subject, answer.get("Status", "no status"), _error_code(answer), milliseconds,
        )  # fmt: skip
        return answer


@contextmanager
def _reading(method: str) -> Iterator[None]:
    """Turns "this answer makes no sense" into an unknown outcome: the bank did something, but what?"""
    try:
        yield
    except KeyError as error:
        raise ProviderUnknownOutcomeError("bad_answer", f"{method}: {error} is missing") from error
    except (ValueError, TypeError) as error:
        raise ProviderUnknownOutcomeError("bad_answer", f"{method}: {error}") from error


def _read_answer(method: str, response: httpx.Response) -> dict[str, Any]:
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise ProviderTemporaryError("http_429", f"{method}: too many requests")
    if response.status_code != httpx.codes.OK:
        raise ProviderUnknownOutcomeError(f"http_{response.status_code}", f"{method}: HTTP {response.status_code}")
    with _reading(method):
        return signing.parse_body(response.content)


def _raise_if_refused(answer: dict[str, Any], *, changes_something: bool) -> None:
    code = _error_code(answer)
    if code == "0" and answer.get("Success") in (True, "true"):
        return
    raise error_for(code, _message(answer) or "no message", changes_something=changes_something)


def _payment_state(answer: dict[str, Any]) -> PaymentState:
    provider_status = values.text(answer["Status"], "Status", limit=40)
    order_id, amount = answer.get("OrderId"), answer.get("Amount")
    code = _error_code(answer)
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
    )


def _require_same_payment(state: PaymentState, provider_payment_id: str) -> None:
    if state.provider_payment_id != provider_payment_id:
        raise ValueError("PaymentId is not the one we asked about")


def _error_code(answer: dict[str, Any]) -> str:
    code = answer.get("ErrorCode")
    if code is None:
        return "0" if answer.get("Success") in (True, "true") else "no_code"
    return str(code)[:20]


def _message(answer: dict[str, Any]) -> str:
    """Message is general, Details has the real reason; either may be missing."""
    parts = (answer.get("Message"), answer.get("Details"))
    return ": ".join(part for part in parts if isinstance(part, str) and part.strip() not in ("", "None"))[:500]


def _web_address(value: Any) -> str:
    """A payment page to send a donor to. Its form differs between the bank's systems: never take it apart."""
    address = values.text(value, "PaymentURL", limit=2000)
    parts = urlsplit(address)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("PaymentURL is not a web address")
    return address
