"""The control API under `/_sim/`: what a test or a developer does to payments and notifications.

Bodies are JSON. Described for its users in `docs/simulator.md`.
"""

import asyncio
from dataclasses import asdict
from typing import Any, Literal

from pydantic import Field
from quart import Response, jsonify, request

from simulator import messages
from simulator.bank import NO_FUNDS, Bank, Order, Refusal, describe
from simulator.control_parts import Body, control_blueprint, find_payment, read_json, the_bank, the_courier
from simulator.records import Delivery, Notification, Payment

blueprint = control_blueprint("control")


class PayBody(Body):
    notify: bool = True
    """False: the shop is not told and has to ask."""
    order: Order = "random"
    source: Literal["cards", "qrsbp"] = "cards"
    force: bool = False
    """Pay from any state, even an expired or cancelled one."""
    wait: bool = True
    """Answer only after the shop has answered the first tries (10 seconds at most)."""


class DeclineBody(Body):
    notify: bool = True
    source: Literal["cards", "qrsbp"] = "cards"
    status: Literal["REJECTED", "AUTH_FAIL"] = "REJECTED"
    code: str = Field(default=NO_FUNDS.code, pattern=r"^\d{1,5}$")
    message: str = NO_FUNDS.message
    details: str = NO_FUNDS.details
    wait: bool = True


class ExpireBody(Body):
    status: Literal["DEADLINE_EXPIRED", "ATTEMPTS_EXPIRED"] = "DEADLINE_EXPIRED"


class NotifyBody(Body):
    status: str | None = None
    """What the notification says; the payment itself does not change. None: its status now."""
    fields: dict[str, Any] = Field(default_factory=dict)
    """Root fields to add or replace; null removes one."""
    password: str | None = None
    """Sign with this instead of the password of the terminal named in the body."""
    token: str | None = None
    """Send this Token instead of a computed one."""
    raw: str | None = None
    """Send exactly this and nothing computed."""
    url: str | None = None
    times: int = Field(default=1, ge=1, le=1000)
    together: bool = False
    """All at the same time instead of one after the other."""


class RefundBody(Body):
    amount_minor: int | None = Field(default=None, ge=1)
    """None: all that is left."""
    wait: bool = True


class FinishBody(Body):
    code: str | None = Field(default=None, pattern=r"^I?\d{1,5}$")
    """The refund is refused with it; None: it goes as it was to go."""
    wait: bool = True


class ChargebackBody(Body):
    amount_minor: int | None = Field(default=None, ge=1)
    fee_minor: int = Field(default=0, ge=0)
    """What the bank takes from the shop for it."""


class TwinBody(Body):
    pay: bool = True
    notify: bool = True
    source: Literal["cards", "qrsbp"] = "cards"
    wait: bool = True


class ResendBody(Body):
    notification_id: int | None = None
    """None: the latest."""
    times: int = Field(default=1, ge=1, le=1000)


@blueprint.get("/payments")
async def list_payments() -> Response:
    bank = the_bank()
    bank.let_time_pass()
    payments = bank.store.list_recent_payments(request.args.get("order_id"), 500)
    return jsonify({"payments": [describe(payment) for payment in payments]})


@blueprint.get("/payments/<int:payment_id>")
async def show_payment(payment_id: int) -> Response:
    """The payment with the money that moved, every request about it and every notification sent."""
    bank, payment = find_payment(payment_id)
    return jsonify(
        {
            **describe(payment),
            "operations": [asdict(operation) for operation in bank.store.list_operations(payment.id)],
            "requests": bank.store.list_requests(payment.id),
            "notifications": [
                _describe_notification(notification, bank.store.list_deliveries(notification.id))
                for notification in bank.store.list_notifications(payment.id)
            ],
        }
    )


@blueprint.post("/payments/<int:payment_id>/pay")
async def pay(payment_id: int) -> Response:
    bank, payment = find_payment(payment_id)
    body = PayBody.model_validate(await read_json())
    payment = bank.pay(payment, body.source, notify=body.notify, order=body.order, force=body.force)
    return await _changed(payment, wait=body.wait)


@blueprint.post("/payments/<int:payment_id>/authorize")
async def authorize(payment_id: int) -> Response:
    """Hold the money and stop there; `pay` completes it."""
    bank, payment = find_payment(payment_id)
    body = PayBody.model_validate(await read_json())
    payment = bank.authorize(payment, body.source, notify=body.notify, force=body.force)
    return await _changed(payment, wait=body.wait)


@blueprint.post("/payments/<int:payment_id>/decline")
async def decline(payment_id: int) -> Response:
    bank, payment = find_payment(payment_id)
    body = DeclineBody.model_validate(await read_json())
    refusal = Refusal(body.status, body.code, body.message, body.details)
    payment = bank.decline(payment, refusal, body.source, notify=body.notify)
    return await _changed(payment, wait=body.wait)


@blueprint.post("/payments/<int:payment_id>/expire")
async def expire(payment_id: int) -> Response:
    bank, payment = find_payment(payment_id)
    body = ExpireBody.model_validate(await read_json())
    return await _changed(bank.expire(payment, body.status), wait=False)


@blueprint.post("/payments/<int:payment_id>/notify")
async def notify(payment_id: int) -> Response | tuple[Response, int]:
    """Send any notification, true or forged, and say how each was answered. Nothing is retried."""
    bank, payment = find_payment(payment_id)
    body = NotifyBody.model_validate(await read_json())
    deliveries = await send_any(bank, payment, body)
    if deliveries is None:
        return jsonify({"error": "the payment has no NotificationURL"}), 409
    return jsonify({"deliveries": [_describe_delivery(delivery) for delivery in deliveries]})


async def send_any(bank: Bank, payment: Payment, body: NotifyBody) -> list[Delivery] | None:
    """How the shop answered; None if nobody knows its address."""
    terminal = bank.store.find_terminal(payment.terminal_key)
    url = body.url or payment.notification_url or (terminal.notification_url if terminal else None)
    if not url:
        return None
    status = body.status or payment.status
    raw = _forged(bank, payment, status, body)
    sent = [
        bank.store.find_notification(bank.store.insert_notification(payment.id, status, url, raw, None))
        for _ in range(body.times)
    ]
    tries = [the_courier().try_once(notification) for notification in sent if notification]
    return await asyncio.gather(*tries) if body.together else [await one for one in tries]


@blueprint.post("/payments/<int:payment_id>/refund")
async def refund(payment_id: int) -> Response:
    """As the shop does it in the bank's cabinet; a hold is released."""
    bank, payment = find_payment(payment_id)
    body = RefundBody.model_validate(await read_json())
    return await _changed(bank.refund(payment, body.amount_minor), wait=body.wait)


@blueprint.post("/payments/<int:payment_id>/finish_refund")
async def finish_refund(payment_id: int) -> Response:
    """End at once the refund through SBP that is on its way."""
    bank, payment = find_payment(payment_id)
    body = FinishBody.model_validate(await read_json())
    return await _changed(bank.finish_refund(payment, body.code), wait=body.wait)


@blueprint.post("/payments/<int:payment_id>/chargeback")
async def charge_back(payment_id: int) -> Response:
    """Only the registry tells of it."""
    bank, payment = find_payment(payment_id)
    body = ChargebackBody.model_validate(await read_json())
    return await _changed(bank.charge_back(payment, body.amount_minor, body.fee_minor), wait=False)


@blueprint.post("/payments/<int:payment_id>/chargeback_reversal")
async def reverse_charge_back(payment_id: int) -> Response:
    bank, payment = find_payment(payment_id)
    return await _changed(bank.reverse_charge_back(payment), wait=False)


@blueprint.post("/payments/<int:payment_id>/twin")
async def open_twin(payment_id: int) -> Response:
    """Another payment of the same order, paid unless the body says otherwise; answers with it."""
    bank, payment = find_payment(payment_id)
    body = TwinBody.model_validate(await read_json())
    twin = bank.open_twin(payment)
    if body.pay:
        twin = bank.pay(twin, body.source, notify=body.notify, force=True)
    return await _changed(twin, wait=body.wait)


@blueprint.post("/payments/<int:payment_id>/resend")
async def send_again(payment_id: int) -> Response | tuple[Response, int]:
    """Send a notification of this payment again with the same bytes, and say how it was answered."""
    bank, payment = find_payment(payment_id)
    body = ResendBody.model_validate(await read_json())
    sent = bank.store.list_notifications(payment.id)
    wished = [one for one in sent if body.notification_id in (None, one.id)]
    if not wished:
        return jsonify({"error": "no such notification"}), 409
    deliveries = [await the_courier().try_once(wished[-1]) for _ in range(body.times)]
    return jsonify({"deliveries": [_describe_delivery(delivery) for delivery in deliveries]})


async def _changed(payment: Payment, *, wait: bool) -> Response:
    if wait:
        await the_courier().wait_for_first_tries(payment.id)
    return jsonify(describe(payment))


def _forged(bank: Bank, payment: Payment, status: str, body: NotifyBody) -> bytes:
    if body.raw is not None:
        return body.raw.encode()
    fields = {**messages.notification_fields(payment, status), **body.fields}
    fields = {name: value for name, value in fields.items() if value is not None}
    if body.token is not None:
        return messages.with_token(fields, body.token)
    signer = bank.store.find_terminal(str(fields.get("TerminalKey"))) or bank.store.find_terminal(payment.terminal_key)
    return messages.signed(fields, body.password or (signer.password if signer else ""))


def _describe_notification(notification: Notification, deliveries: list[Delivery]) -> dict[str, Any]:
    return {
        **asdict(notification),
        "body": notification.body.decode(errors="replace"),
        "deliveries": [_describe_delivery(delivery) for delivery in deliveries],
    }


def _describe_delivery(delivery: Delivery) -> dict[str, Any]:
    return {**asdict(delivery), "accepted": delivery.accepted}
