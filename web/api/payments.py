"""Payments of REST API v1 (contract: contracts/api-v1.md, "Payments"). Providers' own notifications come in through
`web/notifications.py`.

    POST /payments/init, /payments/tbank/init      a donation under the client's own order id
    GET  /payments/tbank/check/<order_id>          how that order is
    GET  /payments/status/<payment_id>             how that payment is

A client's order id may be guessed. So who asks by one learns how the payment is, and neither who gave nor what was
written; where it can be paid learns who sends the whole order again.
"""

from quart_schema import validate_querystring, validate_request, validate_response

from domain import api_lines
from domain.api_lines import Method
from domain.errors import NotAllowedError
from web.api import wishes
from web.api.access import public
from web.api.blueprints import old_api
from web.api.errors import Refused
from web.api.openapi import examples, may_refuse
from web.api.payment_looks import count_guess, count_look, find_payment
from web.api.schemas.payments import (
    OrderChecked,
    OrderQuery,
    PaymentInit,
    PaymentOpened,
    PaymentStatus,
    is_order_id,
)
from web.api.wishes import Wish, payment_url, status_url
from web.context import parts

blueprint = old_api("payments")

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

    Send the donor to `payment_url`. The same order again is the same payment, also when it comes twice at once; the
    same order id with another amount, or anything else that differs, is refused. 504: the bank is slow to open it; send
    the same again.
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
    return PaymentOpened(
        success=True,
        payment_id=line.payment_id,
        payment_url=payment_url(line),
        confirmation_url=payment_url(line),
        order_id=data.order_id,
        amount=data.amount,
        donation_id=line.id,
        status_url=status_url(line),
    )


# How a payment is.


@blueprint.get("/tbank/check/<path:order_id>")
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
    # Addresses answer with a slash at their end, too, and no order id has one there.
    order_id = order_id.removesuffix("/")
    line = None
    if is_order_id(order_id):
        await count_look("order", order_id)
        try:
            async with parts().pool.acquire() as connection:
                line = await api_lines.find_by_order(connection, order_id, streamer_id=query_args.streamer_id)
        except NotAllowedError:
            raise Refused(400, "Several streamers have such an order: say streamer_id", code="order-id") from None
    if line is None:
        await count_guess()
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
    line = await find_payment(payment_id)
    return PaymentStatus(payment_id=payment_id, status=line.told, donation_id=line.id, provider_status=line.bank_word)
