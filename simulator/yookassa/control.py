"""The control API under `/_sim/yookassa/`: what a test, a developer or a shop's owner in the dashboard does.

Bodies are JSON. Described for its users in `docs/simulator.md`.
"""

import asyncio
from dataclasses import asdict, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from quart import Blueprint, Response, abort, current_app, jsonify, request

from simulator.control_parts import on_bad_body, on_wrong_state
from simulator.courier import SimulatedCourier
from simulator.records import Delivery, Notification
from simulator.states import WrongStateError
from simulator.yookassa import objects
from simulator.yookassa.bank import YooKassaBank
from simulator.yookassa.records import Payment, Refund, RefundPlan, RefundResult, Shop

blueprint = Blueprint("yookassa_control", __name__, url_prefix="/_sim/yookassa")
blueprint.register_error_handler(ValidationError, on_bad_body)
blueprint.register_error_handler(WrongStateError, on_wrong_state)

Method = Literal["bank_card", "sbp"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _RefundPlanBody(_Body):
    seconds: float = Field(default=0.0, ge=0)
    """How long a refund stays `pending`."""
    result: RefundResult = "succeeded"
    reason: str = "insufficient_funds"
    """Why, when the result is `canceled`."""

    @property
    def plan(self) -> RefundPlan:
        return RefundPlan(self.seconds, self.result, self.reason)


class ShopBody(_Body):
    shop_id: str = Field(min_length=1, max_length=20)
    secret_key: str = Field(min_length=1, max_length=100)
    notification_url: str | None = None
    refunds: _RefundPlanBody = _RefundPlanBody()


class PayBody(_Body):
    method: Method = "bank_card"
    notify: bool = True
    """False: the shop is not told and has to ask."""
    wait: bool = True
    """Answer only after the shop has answered the first try (10 seconds at most)."""


class DeclineBody(PayBody):
    reason: str = Field(default="insufficient_funds", pattern=r"^[a-z0-9_]{1,100}$")
    party: Literal["yoo_money", "payment_network"] = "payment_network"


class ExpireBody(_Body):
    notify: bool = True
    wait: bool = True


class RefundBody(_RefundPlanBody):
    amount_minor: int | None = Field(default=None, ge=1)
    """None: all that is left."""
    notify: bool = True
    wait: bool = True


class NotifyBody(_Body):
    event: str | None = None
    """None: the event of the payment's status."""
    status: Literal["pending", "waiting_for_capture", "succeeded", "canceled"] | None = None
    """What the notification says; the payment itself does not change. None: its status now."""
    fields: dict[str, Any] = {}
    """Fields of the object to add or replace; null removes one."""
    raw: str | None = None
    """Send exactly this."""
    url: str | None = None
    times: int = Field(default=1, ge=1, le=1000)
    together: bool = False
    """All at the same time instead of one after the other."""


@blueprint.post("/shops")
async def save_shop() -> Response:
    body = ShopBody.model_validate(await _json())
    _bank().store.save_shop(Shop(body.shop_id, body.secret_key, body.notification_url, body.refunds.plan))
    return jsonify({"shop_id": body.shop_id})


@blueprint.get("/payments")
async def list_payments() -> Response:
    bank = _bank()
    bank.let_time_pass()
    payments = bank.store.list_recent_payments(request.args.get("order_id"), 500)
    return jsonify({"payments": [_describe(payment) for payment in payments]})


@blueprint.get("/payments/<payment_id>")
async def show_payment(payment_id: str) -> Response:
    """The payment with its refunds, every request about it and every notification sent."""
    bank, payment = _find(payment_id)
    return jsonify(
        {
            **_describe(payment),
            "refunds": [asdict(refund) for refund in bank.store.list_refunds(payment.id)],
            "requests": bank.store.list_requests(payment.id),
            "notifications": [
                _describe_notification(notification, bank.store.list_deliveries(notification.id))
                for notification in bank.store.list_notifications(payment.number)
            ],
        }
    )


@blueprint.post("/payments/<payment_id>/pay")
async def pay(payment_id: str) -> Response:
    bank, payment = _find(payment_id)
    body = PayBody.model_validate(await _json())
    return await _changed(bank.pay(payment, body.method, notify=body.notify), wait=body.wait)


@blueprint.post("/payments/<payment_id>/decline")
async def decline(payment_id: str) -> Response:
    bank, payment = _find(payment_id)
    body = DeclineBody.model_validate(await _json())
    payment = bank.decline(payment, body.method, reason=body.reason, party=body.party, notify=body.notify)
    return await _changed(payment, wait=body.wait)


@blueprint.post("/payments/<payment_id>/expire")
async def expire(payment_id: str) -> Response:
    bank, payment = _find(payment_id)
    body = ExpireBody.model_validate(await _json())
    return await _changed(bank.expire(payment, notify=body.notify), wait=body.wait)


@blueprint.post("/payments/<payment_id>/refund")
async def refund(payment_id: str) -> Response:
    """What the shop's owner does in the dashboard: the shop's programs hear of it only by the notification."""
    bank, payment = _find(payment_id)
    body = RefundBody.model_validate(await _json())
    made = bank.refund(payment, body.amount_minor or bank.left_minor(payment), body.plan, notify=body.notify)
    if body.wait:
        await _courier().wait_for_first_tries(payment.number)
    return jsonify(asdict(made))


@blueprint.post("/payments/<payment_id>/notify")
async def notify(payment_id: str) -> Response | tuple[Response, int]:
    """Send any notification, true or forged, and say how each was answered. Nothing is retried."""
    bank, payment = _find(payment_id)
    body = NotifyBody.model_validate(await _json())
    shop = bank.store.find_shop(payment.shop_id)
    url = body.url or (shop.notification_url if shop else None)
    if not url:
        return jsonify({"error": "the shop has no notification address"}), 409
    event = body.event or f"payment.{body.status or payment.status}"
    raw = body.raw.encode() if body.raw is not None else _forged(bank, payment, event, body)
    sent = [
        bank.store.find_notification(bank.store.insert_notification(payment.number, event, url, raw, None))
        for _ in range(body.times)
    ]
    tries = [_courier().try_once(notification) for notification in sent if notification]
    deliveries = await asyncio.gather(*tries) if body.together else [await one for one in tries]
    return jsonify({"deliveries": [_describe_delivery(delivery) for delivery in deliveries]})


def _bank() -> YooKassaBank:
    bank: YooKassaBank = current_app.extensions["yookassa_bank"]
    return bank


def _courier() -> SimulatedCourier:
    courier: SimulatedCourier = current_app.extensions["yookassa_courier"]
    return courier


def _find(payment_id: str) -> tuple[YooKassaBank, Payment]:
    bank = _bank()
    payment = bank.find_payment(payment_id)
    if payment is None:
        abort(404)
    return bank, payment


async def _json() -> Any:
    """The body, empty if there is none. A form is refused: any web page could make a browser send one."""
    if not await request.get_data():
        return {}
    if not request.is_json:
        abort(415)
    return await request.get_json()


async def _changed(payment: Payment, *, wait: bool) -> Response:
    if wait:
        await _courier().wait_for_first_tries(payment.number)
    return jsonify(_describe(payment))


def _forged(bank: YooKassaBank, payment: Payment, event: str, body: NotifyBody) -> bytes:
    """A notification about what may never have happened, else as it would look."""
    if event.startswith("refund."):
        refunds = bank.store.list_refunds(payment.id)
        subject = objects.refund_object(refunds[-1] if refunds else _made_up_refund(bank, payment))
    else:
        subject = bank.show(replace(payment, status=body.status or payment.status))
    subject = {name: value for name, value in {**subject, **body.fields}.items() if value is not None}
    return objects.notification(event, subject)


def _made_up_refund(bank: YooKassaBank, payment: Payment) -> Refund:
    now = bank.now()
    return Refund(
        objects.new_id("0015", now), payment.id, payment.amount_minor, "succeeded", "succeeded", "", None, now
    )


def _describe(payment: Payment) -> dict[str, Any]:
    return {**asdict(payment), "history": [list(step) for step in payment.history]}


def _describe_notification(notification: Notification, deliveries: list[Any]) -> dict[str, Any]:
    return {
        **asdict(notification),
        "body": notification.body.decode(errors="replace"),
        "deliveries": [_describe_delivery(delivery) for delivery in deliveries],
    }


def _describe_delivery(delivery: Delivery) -> dict[str, Any]:
    return {**asdict(delivery), "accepted": delivery.accepted}
