"""Payments of REST API v1 (contract: contracts/api-v1.md, "Payments"). Providers' own notifications come in through
`web/notifications.py`.

    POST /payments/init, /payments/tbank/init      a donation under the client's own order id
    GET  /payments/tbank/check/<order_id>          how that order is
    GET  /payments/status/<payment_id>             how that payment is
    POST /payments/check-pending                   the operator: ask the banks now
    GET  /payments/pending-payments                the operator: what is open
    POST /payments/webhook/test                    only with the simulator: its donor pays, or is refused

A client's order id may be guessed. So who asks by one learns how the payment is, and neither who gave nor what was
written nor where it can be paid.
"""

import hashlib
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from quart import Response
from quart_schema import hide, validate_querystring, validate_request, validate_response

from domain import api_donations, api_lines
from domain.api_lines import Line, Method
from domain.errors import NotAllowedError
from web.api import wishes
from web.api.access import caller, public, superuser
from web.api.blueprints import old_api
from web.api.errors import Refused
from web.api.openapi import examples, may_refuse
from web.api.schemas.payments import (
    OrderChecked,
    OrderQuery,
    PaymentInit,
    PaymentOpened,
    PaymentStatus,
    PendingChecked,
    PendingDonation,
    PendingPayments,
    TestNotification,
    TestNotified,
    is_order_id,
)
from web.api.wishes import Wish, status_url
from web.bank_state import is_simulated
from web.context import parts
from web.limits import Limit, address_key
from web.security import client_address

log = logging.getLogger(__name__)
blueprint = old_api("payments")

View = TypeVar("View", bound=Callable[..., Awaitable[Any]])

# Many donors behind one address ask each about a payment of his own; who guesses asks about none.
LOOK_LIMIT = Limit("api-payment-look", 120, 60)
GUESS_LIMIT = Limit("api-payment-guess", 30, 60)
SIMULATOR_SECONDS = 15.0

_PAYMENT_ID = re.compile(r"[0-9a-f]{32}")
_ID = "5f0c3a9e4b7d41d2a8e6f3b1c9d07e42"
_INIT = {
    "amount": 150.5,
    "order_id": "order-1764355200",
    "payment_method": "tbank",
    "streamer_id": 2,
    "donor_name": "Аня",
    "message": "Привет из Омска",
}
_OPENED = {
    "success": True,
    "payment_id": _ID,
    "payment_url": "https://securepay.tinkoff.ru/new/fU1ppgqa",
    "confirmation_url": "https://securepay.tinkoff.ru/new/fU1ppgqa",
    "order_id": "order-1764355200",
    "amount": 150.5,
    "donation_id": 17,
    "status_url": "https://example.org/d/dUVq9m0m3bUu4rGzB0m1zA",
}


@blueprint.post("/init")
@public
@examples(request=_INIT, response=_OPENED)
@may_refuse(wishes.ERRORS)
@validate_request(PaymentInit)
@validate_response(PaymentOpened)
async def init(data: PaymentInit) -> PaymentOpened:
    """Open a payment under an order id of your own.

    Send the donor to `payment_url`. The same order id with the same amount is the same payment, also when it comes
    twice at once; with another amount it is refused. 504: the bank is slow to open it; ask again with the same id.
    """
    return await _init(data)


@blueprint.post("/tbank/init")
@public
@examples(request=_INIT, response=_OPENED)
@may_refuse(wishes.ERRORS)
@validate_request(PaymentInit)
@validate_response(PaymentOpened)
async def init_tbank(data: PaymentInit) -> PaymentOpened:
    """Open a payment at T-Bank under an order id of your own.

    As `/payments/init`, for streamers whose payments go through T-Bank.
    """
    return await _init(data, only="tbank")


async def _init(data: PaymentInit, *, only: str | None = None) -> PaymentOpened:
    try:
        method = Method(data.payment_method)
    except ValueError:
        raise Refused(400, "Unknown payment method", code="payment-method") from None
    wish = Wish(
        amount_minor=data.amount,
        method=method,
        donor_name=data.donor_name,
        message=data.message,
        is_anonymous=data.is_anonymous,
        donor_email=data.donor_email,
        order_id=data.order_id,
    )
    line = await wishes.make(data.streamer_id, wish, only=only)
    # One that was found paid at the bank may have no link of its own: its page tells the donor.
    payment_url = line.payment_url or status_url(line)
    return PaymentOpened(
        success=True,
        payment_id=line.payment_id,
        payment_url=payment_url,
        confirmation_url=payment_url,
        order_id=data.order_id,
        amount=data.amount,
        donation_id=line.id,
        status_url=status_url(line),
    )


# How a payment is.


@blueprint.get("/tbank/check/<order_id>")
@public
@examples(
    response={
        "success": True,
        "order_id": "order-1764355200",
        "payment_id": _ID,
        "status": "CONFIRMED",
        "donation_found": True,
        "donation_id": 17,
        "donation_status": "completed",
    },
    path={"order_id": "order-1764355200"},
)
@validate_querystring(OrderQuery)
@validate_response(OrderChecked)
async def check_order(order_id: str, query_args: OrderQuery) -> OrderChecked:
    """Read how an order is.

    `status` is the payment's, in T-Bank's words; only `donation_status` `completed` is money that came.
    """
    line = None
    if is_order_id(order_id):
        await _count_look("order", order_id)
        try:
            async with parts().pool.acquire() as connection:
                line = await api_lines.find_by_order(connection, order_id, streamer_id=query_args.streamer_id)
        except NotAllowedError:
            raise Refused(400, "Several streamers have such an order: say streamer_id", code="order-id") from None
    if line is None:
        await _count_guess()
    return OrderChecked(
        success=line is not None,
        order_id=order_id,
        payment_id=None if line is None else line.payment_id,
        status=None if line is None else line.bank_word,
        donation_found=line is not None,
        donation_id=None if line is None else line.id,
        donation_status=None if line is None else line.told,
    )


@blueprint.get("/status/<payment_id>")
@public
@examples(
    response={"payment_id": _ID, "status": "completed", "donation_id": 17, "provider_status": "CONFIRMED"},
    path={"payment_id": _ID},
)
@validate_response(PaymentStatus)
async def show_status(payment_id: str) -> PaymentStatus:
    """Read how a payment is, by the `payment_id` that its making answered."""
    line = await _find_payment(payment_id)
    return PaymentStatus(payment_id=payment_id, status=line.told, donation_id=line.id, provider_status=line.bank_word)


async def _find_payment(payment_id: str) -> Line:
    """Raises Refused(404)."""
    line = None
    if _PAYMENT_ID.fullmatch(payment_id):
        await _count_look("payment", payment_id)
        async with parts().pool.acquire() as connection:
            line = await api_lines.find_by_payment(connection, payment_id)
    if line is None:
        await _count_guess()
        raise Refused(404, "Payment not found")
    return line


async def _count_look(kind: str, name: str) -> None:
    await parts().limiter.take(LOOK_LIMIT, f"{kind}:{hashlib.sha256(name.encode()).hexdigest()}")


async def _count_guess() -> None:
    await parts().limiter.take(GUESS_LIMIT, address_key(client_address()))


# The operator's.


@blueprint.post("/check-pending")
@superuser
@may_refuse({400: "You are no operator"})
@examples(
    response={"success": True, "message": "3 open payments will be asked about now", "task_id": "9f2c41d07ab35e68"}
)
@validate_response(PendingChecked)
async def check_pending() -> PendingChecked:
    """Ask the banks about open payments now.

    They are asked about anyway, each in its time; this makes it soon. No bank is asked about all of them at once.
    """
    async with parts().pool.acquire() as connection, connection.transaction():
        hurried = await api_donations.hurry_pending(connection)
    task_id = secrets.token_hex(8)
    log.info("%s: user %d wants %d open payments to be asked about now", task_id, caller().user.id, hurried)
    return PendingChecked(success=True, message=f"{hurried} open payments will be asked about now", task_id=task_id)


@blueprint.get("/pending-payments")
@superuser
@may_refuse({400: "You are no operator"})
@examples(
    response={
        "success": True,
        "count": 1,
        "donations": [
            {
                "id": 17,
                "payment_id": _ID,
                "amount": 150.5,
                "created_at": "2026-11-28T18:40:00Z",
                "donor_name": None,
                "is_anonymous": False,
                "streamer_id": 2,
            }
        ],
    }
)
@validate_response(PendingPayments)
async def list_pending() -> PendingPayments:
    """List donations whose payment is open at a bank, the oldest first; 1,000 at most."""
    async with parts().pool.acquire() as connection:
        found = await api_donations.list_pending(connection)
    return PendingPayments(
        success=True,
        count=len(found),
        donations=[
            PendingDonation(
                id=pending.id,
                payment_id=pending.payment_id,
                amount=pending.amount_minor,
                created_at=pending.created_at,
                donor_name=None,
                is_anonymous=pending.is_anonymous,
                streamer_id=pending.streamer_id,
            )
            for pending in found
        ],
    )


# The simulator's donor.


def simulator_only(view: View) -> View:
    """Where no bank is simulated there is no such address."""

    @wraps(view)
    async def asked(*arguments: Any, **named: Any) -> Any:
        settings = parts().settings
        if not any(is_simulated(settings, name) for name in parts().providers):
            raise Refused(404, "Not found")
        return await view(*arguments, **named)

    return asked  # type: ignore[return-value]


@blueprint.post("/webhook/test", provide_automatic_options=False)
@public
@simulator_only
@examples(
    request={"payment_id": _ID, "status": "completed"},
    response={"success": True, "payment_id": _ID, "status": "completed"},
)
@may_refuse({404: "There is no such payment, or no bank is simulated here"})
@validate_request(TestNotification)
@validate_response(TestNotified)
async def notify_test(data: TestNotification) -> TestNotified:
    """Let the simulated bank's donor pay, or be refused; only where a bank is simulated.

    Nothing is paid by this call: the simulated bank tells of the payment as a real one would.
    """
    line = await _find_payment(data.payment_id)
    async with parts().pool.acquire() as connection:
        payment = await api_lines.get_attempt(connection, line)
    if not is_simulated(parts().settings, line.provider) or payment.provider_payment_id is None:
        raise Refused(400, "This payment is not open at a simulated bank")
    split = urlsplit(parts().settings.provider_api_urls[line.provider])
    part = "" if line.provider == "tbank" else f"/{line.provider}"
    act = "pay" if data.status == "completed" else "decline"
    url = f"{split.scheme}://{split.netloc}/_sim{part}/payments/{payment.provider_payment_id}/{act}"
    try:
        answer = await parts().http.post(url, json={}, timeout=SIMULATOR_SECONDS)
    except httpx.HTTPError:
        raise Refused(503, "The simulated bank does not answer") from None
    if not answer.is_success:
        raise Refused(400, "The simulated bank does not do this to the payment as it is now")
    return TestNotified(success=True, payment_id=data.payment_id, status=data.status)


@blueprint.route("/webhook/test", methods=["OPTIONS"], provide_automatic_options=False)
@hide
@public
@simulator_only
async def ask_test() -> Response:
    """Ask what may be sent to this address."""
    return Response(status=200, headers={"Allow": "POST, OPTIONS"})
