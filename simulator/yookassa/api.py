"""YooKassa's API on `/yookassa/v3`: HTTP Basic, Idempotence-Key on every POST, errors as HTTP statuses."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from decimal import InvalidOperation
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from quart import Blueprint, Response, current_app, request

from providers.json_body import parse_body
from simulator.api import HTML_ERROR
from simulator.faults import HTTP_ERRORS, Fault, Faults
from simulator.states import WrongStateError
from simulator.yookassa import objects
from simulator.yookassa.bank import YooKassaBank
from simulator.yookassa.records import Payment, Shop
from simulator.yookassa.requests import CancelPayment, CapturePayment, CreatePayment, CreateRefund, Receipt

logger = logging.getLogger(__name__)

blueprint = Blueprint("yookassa_api", __name__, url_prefix="/yookassa/v3")

Body = TypeVar("Body", bound=BaseModel)

KEY_SECONDS = 24 * 3600.0
"""How long a key is known."""

LEAST_AMOUNT_MINOR, LARGEST_AMOUNT_MINOR = 100, 70_000_000
"""One ruble; and the most that SBP takes, which is more than a card's."""


class RefusedError(Exception):
    """YooKassa says no, with this HTTP status."""

    def __init__(self, http_status: int, description: str, parameter: str | None = None) -> None:
        super().__init__(http_status, description)
        self.http_status = http_status
        self.description = description
        self.parameter = parameter


@dataclass(frozen=True)
class Call:
    """A call of a shop that has proved who it is. `subject_id` is the payment's or refund's id in the address."""

    bank: YooKassaBank
    shop: Shop
    subject_id: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    http_status: int
    text: str
    payment_id: str | None = None
    """Whom it is about, for the log of requests."""


@blueprint.post("/payments")
async def on_payments() -> Response:
    return await _answer("payments", create_payment)


@blueprint.get("/payments")
async def on_list() -> Response:
    return await _answer("list", list_payments)


@blueprint.get("/payments/<subject_id>")
async def on_payment(subject_id: str) -> Response:
    return await _answer("payment", show_payment, subject_id)


@blueprint.post("/payments/<subject_id>/capture")
async def on_capture(subject_id: str) -> Response:
    return await _answer("capture", capture_payment, subject_id)


@blueprint.post("/payments/<subject_id>/cancel")
async def on_cancel(subject_id: str) -> Response:
    return await _answer("cancel", cancel_payment, subject_id)


@blueprint.post("/refunds")
async def on_refunds() -> Response:
    return await _answer("refunds", create_refund)


@blueprint.get("/refunds/<subject_id>")
async def on_refund(subject_id: str) -> Response:
    return await _answer("refund", show_refund, subject_id)


Subject = tuple[dict[str, Any], str | None]
"""The object to answer with, and the payment it is about."""


def create_payment(call: Call) -> Subject:
    wishes = _read(CreatePayment, call.body)
    if not LEAST_AMOUNT_MINOR <= wishes.amount.minor <= LARGEST_AMOUNT_MINOR:
        raise RefusedError(400, "The amount is too small or too large", "amount.value")
    _check_receipt(wishes.receipt, wishes.amount.minor)
    payment = call.bank.open_payment(
        call.shop,
        {
            "order_id": wishes.metadata.get("order_id"),
            "amount_minor": wishes.amount.minor,
            "capture": wishes.capture,
            "wished_method": wishes.payment_method_data.type if wishes.payment_method_data else None,
            "description": wishes.description,
            "metadata": wishes.metadata,
            "return_url": wishes.confirmation.return_url,
            "language": wishes.confirmation.locale[:2],
            "has_receipt": wishes.receipt is not None,
        },
    )
    return call.bank.show(payment), payment.id


def list_payments(call: Call) -> Subject:
    """Newest first; `limit`, `cursor` and `status` are known, other filters are refused."""
    filters = request.args.to_dict()
    limit, cursor, status = filters.pop("limit", "10"), filters.pop("cursor", None), filters.pop("status", None)
    if filters:
        raise RefusedError(400, "A filter the simulator does not know", next(iter(filters)))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:4]) <= 100):
        raise RefusedError(400, "From 1 to 100", "limit")
    before = _require_payment(call, cursor, 400).number if cursor else 2**63 - 1
    found = call.bank.store.list_payments_of_shop(call.shop.shop_id, status, before, int(limit) + 1)
    items = found[: int(limit)]
    listed: dict[str, Any] = {"type": "list", "items": [call.bank.show(payment) for payment in items]}
    if len(found) > len(items):
        listed["next_cursor"] = items[-1].id
    return listed, None


def show_payment(call: Call) -> Subject:
    payment = _require_payment(call, call.subject_id, 404)
    return call.bank.show(payment), payment.id


def capture_payment(call: Call) -> Subject:
    wishes = _read(CapturePayment, call.body)
    payment = _require_payment(call, call.subject_id, 404)
    if payment.status != "waiting_for_capture":
        raise RefusedError(400, f"Incorrect payment status: {payment.status}")
    amount_minor = wishes.amount.minor if wishes.amount else payment.amount_minor
    if not LEAST_AMOUNT_MINOR <= amount_minor <= payment.amount_minor:
        raise RefusedError(400, "More than is held, or too little", "amount.value")
    _check_receipt(wishes.receipt, amount_minor)
    return call.bank.show(call.bank.capture(payment, amount_minor)), payment.id


def cancel_payment(call: Call) -> Subject:
    _read(CancelPayment, call.body)
    payment = _require_payment(call, call.subject_id, 404)
    return call.bank.show(call.bank.cancel(payment)), payment.id


def create_refund(call: Call) -> Subject:
    wishes = _read(CreateRefund, call.body)
    payment = _require_payment(call, wishes.payment_id, 400)
    _check_receipt(wishes.receipt, wishes.amount.minor)
    if wishes.amount.minor == 0:
        raise RefusedError(400, "Nothing to give back", "amount.value")
    if payment.status == "succeeded" and wishes.amount.minor > call.bank.left_minor(payment):
        raise RefusedError(400, "More than is left of the payment", "amount.value")
    refund = call.bank.refund(payment, wishes.amount.minor, call.shop.refunds)
    return objects.refund_object(refund), payment.id


def show_refund(call: Call) -> Subject:
    call.bank.let_time_pass()
    refund = call.bank.store.find_refund(call.subject_id)
    if refund is None:
        raise RefusedError(404, "No such refund", "refund_id")
    payment = _require_payment(call, refund.payment_id, 404)
    return objects.refund_object(refund), payment.id


async def _answer(name: str, carry_out: Callable[[Call], Subject], subject_id: str = "") -> Response:
    """Answer one call: faults first, then who calls, then the call itself."""
    bank: YooKassaBank = current_app.extensions["yookassa_bank"]
    faults: Faults = current_app.extensions["faults"]
    body = await request.get_data()
    assert isinstance(body, bytes)
    bank.base_url = request.host_url
    fault = faults.take(f"yookassa.{name}")
    if fault and fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
    if fault and fault.kind == "error_code":
        http_status = int(fault.code) if 200 < int(fault.code) < 600 else 500
        answer = Answer(http_status, _text(objects.error_object(http_status, "An error set in the simulator")))
    elif fault and not fault.carried_out:
        answer = Answer(200, _text({"fault": fault.kind}))
    else:
        with bank.store.transaction():
            answer = _perform(bank, carry_out, subject_id, body)
    key = request.headers.get("Idempotence-Key")
    bank.store.save_request(answer.payment_id, name, key, body, answer.http_status, answer.text, bank.now())
    if fault:
        return await _spoil(fault, answer)
    return Response(answer.text, answer.http_status, content_type="application/json; charset=utf-8")


def _perform(bank: YooKassaBank, carry_out: Callable[[Call], Subject], subject_id: str, raw: bytes) -> Answer:
    """What the call answers; refusals are answers too. A key known for 24 hours gets its answer again."""
    try:
        shop = _require_shop(bank)
        if request.method == "GET":
            return _success(*carry_out(Call(bank, shop, subject_id, {})))
        key, body = _require_key(), _json(raw)
        asked = f"{request.path} {json.dumps(body, sort_keys=True)}"
        earlier = bank.store.find_answer(shop.shop_id, key, bank.now() - KEY_SECONDS)
        if earlier is not None:
            if earlier[0] != asked:
                raise RefusedError(400, "The key was used for another request", "Idempotence-Key")
            return Answer(earlier[1], earlier[2], _payment_of(json.loads(earlier[2])) or subject_id or None)
        try:
            answer = _success(*carry_out(Call(bank, shop, subject_id, body)))
        except WrongStateError as error:
            answer = _refusal(RefusedError(400, f"Incorrect payment status: {error}"), subject_id)
        except RefusedError as refused:
            answer = _refusal(refused, subject_id)
        bank.store.save_answer(shop.shop_id, key, asked, answer.http_status, answer.text, bank.now())
        return answer
    except RefusedError as refused:
        return _refusal(refused, subject_id)


def _success(subject: dict[str, Any], payment_id: str | None) -> Answer:
    return Answer(200, _text(subject), payment_id)


def _payment_of(answered: dict[str, Any]) -> str | None:
    if answered.get("type") == "error":
        return None
    payment_id: str = answered.get("payment_id") or answered["id"]
    return payment_id


def _refusal(refused: RefusedError, subject_id: str) -> Answer:
    logger.warning("%s %s refused: %s", request.method, request.path, refused)
    error = objects.error_object(refused.http_status, refused.description, refused.parameter)
    return Answer(refused.http_status, _text(error), subject_id or None)


def _require_shop(bank: YooKassaBank) -> Shop:
    given = request.authorization
    shop = bank.store.find_shop(given.username or "") if given and given.type == "basic" else None
    if given is None or shop is None or given.password != shop.secret_key:
        raise RefusedError(401, "Basic authentication failed", "Authorization")
    return shop


def _require_key() -> str:
    key = request.headers.get("Idempotence-Key", "")
    if not 0 < len(key) <= 64:
        raise RefusedError(400, "Idempotence key is missing or too long", "Idempotence-Key")
    return key


def _require_payment(call: Call, payment_id: str, http_status: int) -> Payment:
    """The shop's own payment; other shops' payments do not exist for it."""
    payment = call.bank.find_payment(payment_id)
    if payment is None or payment.shop_id != call.shop.shop_id:
        raise RefusedError(http_status, "No such payment", "payment_id")
    return payment


def _json(raw: bytes) -> dict[str, Any]:
    """Calls without fields may come without a body."""
    if not raw:
        return {}
    if not request.is_json:
        raise RefusedError(415, "Not application/json")
    try:
        return parse_body(raw)
    except ValueError as error:
        raise RefusedError(400, f"Not JSON: {error}") from None


def _read(model: type[Body], body: dict[str, Any]) -> Body:
    try:
        return model.model_validate(body)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_context=False)[0]
        raise RefusedError(400, first["msg"], ".".join(str(part) for part in first["loc"])) from None


def _check_receipt(receipt: Receipt | None, amount_minor: int) -> None:
    if receipt is None:
        return
    try:
        fits = receipt.total_minor == amount_minor
    except InvalidOperation:
        fits = False
    if not fits:
        raise RefusedError(400, "The items do not make up the amount", "receipt.items")


def _text(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)


async def _spoil(fault: Fault, answer: Answer) -> Response:
    """The answer as the fault leaves it."""
    match fault.kind:
        case kind if kind in HTTP_ERRORS:
            return Response(HTML_ERROR, HTTP_ERRORS[kind], content_type="text/html")
        case "invalid_json":
            return Response(HTML_ERROR, 200, content_type="text/html")
        case "reset":
            # Promises more than it sends, so the server must cut the connection.
            response = Response(answer.text[: len(answer.text) // 2], content_type="application/json")
            response.headers["Content-Length"] = str(len(answer.text.encode()) + 1)
            return response
        case "timeout_after":
            await asyncio.sleep(fault.seconds)
            return Response(HTML_ERROR, 504, content_type="text/html")
        case _:
            return Response(answer.text, answer.http_status, content_type="application/json; charset=utf-8")
