"""Calls to T-Bank's acquiring API, one method each, in the bank's own words.

Facts: the protocol's own page, and what integrations saw in real life.
"""

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

import httpx

from providers.outcomes import ProviderTemporaryError, ProviderUnknownOutcomeError
from providers.provider import Credentials, OpenedPayment, PaymentState, Receipt
from providers.tbank import signing, values
from providers.tbank.answers import (
    error_code,
    payment_state,
    raise_if_refused,
    read_answer,
    reading,
    require_same_payment,
    web_address,
)
from providers.tbank.errors import NO_SBP, NOT_FOUND
from providers.tbank.receipts import receipt_fields

logger = logging.getLogger(__name__)

DESCRIPTION_LIMIT = 140
"""Characters the bank takes; one more and it refuses the whole payment."""


@dataclass(frozen=True)
class QrRefusal:
    """Why SBP refused a refund: NSPK's code (like I05043) and words; both empty when it did not, or does not say."""

    code: str
    message: str


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
        receipt: Receipt | None = None,
    ) -> OpenedPayment:
        """Open a one-stage payment that dies unpaid at `due_at` (aware; 1 minute to 90 days ahead).

        `order_id` must be stored before: the bank has no idempotency key, so after
        ProviderUnknownOutcomeError the way on is `check_order`, not a second Init. The
        description is cut to what the bank takes.
        """
        if due_at.tzinfo is None:
            raise ValueError("due_at needs a time zone")
        fields = {
            "Amount": amount_minor,
            "OrderId": order_id,
            "Description": description[:DESCRIPTION_LIMIT],
            "PayType": "O",
            "Language": language,
            "NotificationURL": notification_url,
            "SuccessURL": success_url,
            "FailURL": fail_url,
            "RedirectDueDate": due_at.isoformat(timespec="seconds"),
        }
        if receipt is not None:
            fields["Receipt"] = receipt_fields(receipt, amount_minor)
        answer = await self._call("Init", credentials, fields)
        raise_if_refused(answer, changes_something=True)
        with reading("Init"):
            if values.text(answer["OrderId"], "OrderId", limit=50) != order_id:
                raise ValueError("OrderId is not the one we sent")
            if values.amount_minor(answer["Amount"]) != amount_minor:
                raise ValueError("Amount is not the one we sent")
            payment_url = web_address(answer["PaymentURL"], "PaymentURL", schemes=("https", "http"))
            return OpenedPayment(values.payment_id(answer["PaymentId"]), payment_url)

    async def get_state(self, credentials: Credentials, provider_payment_id: str) -> PaymentState:
        """What became of a payment.

        Success only tells whether the call worked, and a refused payment may answer with its own
        code there: an answer with a Status is an answer.
        """
        answer = await self._call("GetState", credentials, {"PaymentId": provider_payment_id})
        if answer.get("Status") is None:
            raise_if_refused(answer, changes_something=False)
        with reading("GetState"):
            require_same_payment(answer, provider_payment_id)
            return payment_state(answer)

    async def check_order(self, credentials: Credentials, order_id: str) -> tuple[PaymentState, ...]:
        """All payments the bank knows for an order; none if it does not know the order."""
        answer = await self._call("CheckOrder", credentials, {"OrderId": order_id})
        if error_code(answer) in NOT_FOUND:
            return ()
        raise_if_refused(answer, changes_something=False)
        with reading("CheckOrder"):
            return tuple(payment_state({"OrderId": order_id, **payment}) for payment in answer["Payments"])

    async def cancel(
        self,
        credentials: Credentials,
        provider_payment_id: str,
        *,
        amount_minor: int | None = None,
        external_request_id: str | None = None,
        receipt: Receipt | None = None,
    ) -> PaymentState:
        """Call off an unpaid payment, or give a paid one back: the bank decides which by its state.

        `amount_minor` (kopecks) gives back only a part; the bank ignores it while nothing is paid. The state's
        `amount_minor` is what remains. The same `external_request_id` again gives nothing back twice, except by SBP,
        which ignores it; the answer is then the payment's state now.
        """
        fields: dict[str, Any] = {"PaymentId": provider_payment_id}
        if amount_minor is not None:
            fields["Amount"] = amount_minor
        if external_request_id is not None:
            fields["ExternalRequestId"] = external_request_id
        if receipt is not None and amount_minor is not None:
            fields["Receipt"] = receipt_fields(receipt, amount_minor)
        answer = await self._call("Cancel", credentials, fields)
        raise_if_refused(answer, changes_something=True)
        with reading("Cancel"):
            require_same_payment(answer, provider_payment_id)
            return payment_state({**answer, "Amount": answer.get("NewAmount")})

    async def get_qr(self, credentials: Credentials, provider_payment_id: str) -> str | None:
        """The link to put into an SBP QR code; None where SBP is off, or does not take this payment's sum.

        Asking again changes nothing about money. The PaymentId is a number here, alone among the methods.
        """
        answer = await self._call("GetQr", credentials, {"PaymentId": int(provider_payment_id), "DataType": "PAYLOAD"})
        if error_code(answer) in NO_SBP:
            return None
        raise_if_refused(answer, changes_something=False)
        with reading("GetQr"):
            require_same_payment(answer, provider_payment_id)
            # SBP's are https. The simulated bank has no TLS, and its codes lead to itself.
            return web_address(answer["Data"], "Data", schemes=("https",), or_at=self._base_url)

    async def get_qr_state(self, credentials: Credentials, provider_payment_id: str) -> QrRefusal:
        """Why SBP refused the payment's refund. The answer does not repeat the PaymentId."""
        answer = await self._call("GetQrState", credentials, {"PaymentId": provider_payment_id})
        raise_if_refused(answer, changes_something=False)
        with reading("GetQrState"):
            values.text(answer["Status"], "Status", limit=40)
            code, message = answer.get("QrCancelCode"), answer.get("QrCancelMessage")
            return QrRefusal(
                code="" if code is None else values.text(code, "QrCancelCode", limit=20),
                message="" if message is None else values.text(message, "QrCancelMessage", limit=1000)[:500],
            )

    async def _call(self, method: str, credentials: Credentials, fields: dict[str, Any]) -> dict[str, Any]:
        """POST one signed body and return the JSON object of the answer, refusals included."""
        body = {"TerminalKey": credentials.key, **fields}
        body["Token"] = signing.sign(body, credentials.secret)
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
        answer = read_answer(method, response)
        logger.info(
            "T-Bank %s %s: %s, code %s, %.0f ms",
            method, subject, answer.get("Status", "no status"), error_code(answer), milliseconds,
        )  # fmt: skip
        return answer
