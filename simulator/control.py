"""The control API under `/_sim/`: what a test or a developer does to the bank.

Bodies are JSON. Described for its users in `docs/simulator.md`.
"""

import asyncio
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from quart import Blueprint, Response, abort, current_app, jsonify, request

from simulator import messages
from simulator.bank import NO_FUNDS, Bank, Order, Refusal, describe
from simulator.courier import SimulatedCourier
from simulator.faults import Fault, FaultKind, Faults
from simulator.records import Delivery, Notification, Payment, Terminal
from simulator.states import WrongStateError

blueprint = Blueprint("control", __name__, url_prefix="/_sim")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TerminalBody(_Body):
    terminal_key: str = Field(min_length=1, max_length=20)
    password: str = Field(min_length=1, max_length=20)
    notification_url: str | None = None


class PayBody(_Body):
    notify: bool = True
    """False: the shop is not told and has to ask."""
    order: Order = "random"
    source: Literal["cards", "qrsbp"] = "cards"
    force: bool = False
    """Pay from any state, even an expired or cancelled one."""
    wait: bool = True
    """Answer only after the shop has answered the first tries (10 seconds at most)."""


class DeclineBody(_Body):
    notify: bool = True
    source: Literal["cards", "qrsbp"] = "cards"
    status: Literal["REJECTED", "AUTH_FAIL"] = "REJECTED"
    code: str = Field(default=NO_FUNDS.code, pattern=r"^\d{1,5}$")
    message: str = NO_FUNDS.message
    details: str = NO_FUNDS.details
    wait: bool = True


class ExpireBody(_Body):
    status: Literal["DEADLINE_EXPIRED", "ATTEMPTS_EXPIRED"] = "DEADLINE_EXPIRED"


class NotifyBody(_Body):
    status: str | None = None
    """What the notification says; the payment itself does not change. None: its status now."""
    fields: dict[str, Any] = {}
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


class FaultBody(_Body):
    method: str = "*"
    kind: FaultKind
    times: int = Field(default=1, ge=1)
    seconds: float = Field(default=60.0, ge=0)
    code: str = Field(default="9999", pattern=r"^\d{1,5}$")
    carried_out: bool | None = None


@blueprint.errorhandler(ValidationError)
async def on_bad_body(error: ValidationError) -> tuple[Response, int]:
    """What is wrong with a body, field by field."""
    return jsonify({"error": "bad body", "details": error.errors(include_url=False, include_context=False)}), 422


@blueprint.errorhandler(WrongStateError)
async def on_wrong_state(error: WrongStateError) -> tuple[Response, int]:
    """The payment cannot do that from where it is."""
    return jsonify({"error": str(error)}), 409


@blueprint.get("/health")
async def health() -> Response:
    return jsonify({"status": "ok", "waiting_notifications": _bank().store.count_waiting_notifications()})


@blueprint.post("/terminals")
async def save_terminal() -> Response:
    body = TerminalBody.model_validate(await _json())
    _bank().store.save_terminal(Terminal(body.terminal_key, body.password, body.notification_url))
    return jsonify({"terminal_key": body.terminal_key})


@blueprint.get("/payments")
async def list_payments() -> Response:
    bank = _bank()
    bank.let_time_pass()
    payments = bank.store.list_recent_payments(request.args.get("order_id"), 500)
    return jsonify({"payments": [describe(payment) for payment in payments]})


@blueprint.get("/payments/<int:payment_id>")
async def show_payment(payment_id: int) -> Response:
    """The payment with every request about it and every notification sent."""
    bank, payment = _find(payment_id)
    return jsonify(
        {
            **describe(payment),
            "requests": bank.store.list_requests(payment.id),
            "notifications": [
                _describe_notification(notification, bank.store.list_deliveries(notification.id))
                for notification in bank.store.list_notifications(payment.id)
            ],
        }
    )


@blueprint.post("/payments/<int:payment_id>/pay")
async def pay(payment_id: int) -> Response:
    bank, payment = _find(payment_id)
    body = PayBody.model_validate(await _json())
    payment = bank.pay(payment, body.source, notify=body.notify, order=body.order, force=body.force)
    return await _changed(payment, wait=body.wait)


@blueprint.post("/payments/<int:payment_id>/authorize")
async def authorize(payment_id: int) -> Response:
    """Hold the money and stop there; `pay` completes it."""
    bank, payment = _find(payment_id)
    body = PayBody.model_validate(await _json())
    payment = bank.authorize(payment, body.source, notify=body.notify, force=body.force)
    return await _changed(payment, wait=body.wait)


@blueprint.post("/payments/<int:payment_id>/decline")
async def decline(payment_id: int) -> Response:
    bank, payment = _find(payment_id)
    body = DeclineBody.model_validate(await _json())
    refusal = Refusal(body.status, body.code, body.message, body.details)
    payment = bank.decline(payment, refusal, body.source, notify=body.notify)
    return await _changed(payment, wait=body.wait)


@blueprint.post("/payments/<int:payment_id>/expire")
async def expire(payment_id: int) -> Response:
    bank, payment = _find(payment_id)
    body = ExpireBody.model_validate(await _json())
    return await _changed(bank.expire(payment, body.status), wait=False)


@blueprint.post("/payments/<int:payment_id>/notify")
async def notify(payment_id: int) -> Response | tuple[Response, int]:
    """Send any notification, true or forged, and say how each was answered. Nothing is retried."""
    bank, payment = _find(payment_id)
    courier: SimulatedCourier = current_app.extensions["courier"]
    body = NotifyBody.model_validate(await _json())
    terminal = bank.store.find_terminal(payment.terminal_key)
    url = body.url or payment.notification_url or (terminal.notification_url if terminal else None)
    if not url:
        return jsonify({"error": "the payment has no NotificationURL"}), 409
    status = body.status or payment.status
    raw = _forged(bank, payment, status, body)
    sent = [
        bank.store.find_notification(bank.store.insert_notification(payment.id, status, url, raw, None))
        for _ in range(body.times)
    ]
    tries = [courier.try_once(notification) for notification in sent if notification]
    deliveries = await asyncio.gather(*tries) if body.together else [await one for one in tries]
    return jsonify({"deliveries": [_describe_delivery(delivery) for delivery in deliveries]})


@blueprint.post("/faults")
async def add_fault() -> Response:
    body = FaultBody.model_validate(await _json())
    # A server that breaks down usually does so before it did anything; silence and cut lines come after.
    carried_out = body.carried_out if body.carried_out is not None else body.kind != "error_500"
    fault = Fault(body.method, body.kind, body.times, body.seconds, body.code, carried_out)
    _faults().add(fault)
    return jsonify(asdict(fault))


@blueprint.get("/faults")
async def list_faults() -> Response:
    return jsonify({"faults": [asdict(fault) for fault in _faults().all()]})


@blueprint.delete("/faults")
async def clear_faults() -> Response:
    _faults().clear()
    return jsonify({"faults": []})


def _bank() -> Bank:
    bank: Bank = current_app.extensions["bank"]
    return bank


def _faults() -> Faults:
    faults: Faults = current_app.extensions["faults"]
    return faults


def _find(payment_id: int) -> tuple[Bank, Payment]:
    bank = _bank()
    bank.let_time_pass()
    payment = bank.store.find_payment(payment_id) if payment_id < 2**63 else None
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
    courier: SimulatedCourier = current_app.extensions["courier"]
    if wait:
        await courier.wait_for_first_tries(payment.id)
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
