"""T-Bank's API on `/v2/<Method>`: HTTP 200 for refusals too, every Token checked, types as at the bank."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

from quart import Blueprint, Response, current_app, request

from providers.json_body import parse_body
from simulator import sbp, states
from simulator.bank import Bank
from simulator.calls import Answer, Call, envelope
from simulator.checks import (
    RefusedError,
    optional_amount,
    read_init,
    require,
    require_order_id,
    require_payment,
    require_terminal,
)
from simulator.courier import RETRIES
from simulator.faults import HTTP_ERRORS, Fault, Faults
from simulator.receipts import check_receipt
from simulator.records import Payment

logger = logging.getLogger(__name__)

blueprint = Blueprint("api", __name__, url_prefix="/v2")

HTML_ERROR = b"<html><head><title>502</title></head><body><h1>Something went wrong</h1></body></html>"


@blueprint.post("/<method>")
@blueprint.post("/<method>/")
async def answer_call(method: str) -> Response:
    """Answer one call: faults first, then the method."""
    if method not in METHODS:
        return Response("Not Found", 404)
    bank: Bank = current_app.extensions["bank"]
    faults: Faults = current_app.extensions["faults"]
    body = await request.get_data()
    assert isinstance(body, bytes)
    try:
        fields = parse_body(body)
    except ValueError as error:
        logger.warning("%s: not a request (%s)", method, error)
        fields = None
    fault = faults.take(method, _payment_id(fields or {}))
    if fault and fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
    if fault and fault.kind == "error_code":
        answer, payment_id = refusal(fault.code, "Ошибка задана в симуляторе"), None
    elif fault and not fault.carried_out:
        answer, payment_id = {"fault": fault.kind}, None
    else:
        answer, payment_id = carry_out(bank, method, fields, request.host_url)
    text = json.dumps(answer, ensure_ascii=False)
    bank.store.save_request(payment_id, method, body, text, bank.now(), fault.kind if fault else None)
    if fault:
        return await _spoil(fault, text)
    return Response(text, content_type="application/json; charset=utf-8")


def carry_out(bank: Bank, method: str, fields: dict[str, Any] | None, base_url: str) -> Answer:
    """What the method answers; refusals are answers too. `fields` None: the body was no request at all."""
    if fields is None:
        return refusal("1", "Запрос не разобран"), None
    try:
        terminal = require_terminal(bank.store, fields)
        return METHODS[method](Call(bank, terminal, fields, base_url))
    except RefusedError as refused:
        level = logging.ERROR if "Password" in fields else logging.WARNING
        logger.log(level, "%s refused with %s: %s", method, refused.code, refused.details)
        return refusal(refused.code, refused.details), _payment_id(fields)


def refusal(code: str, details: str) -> dict[str, Any]:
    """A general Message and the real reason in Details, without the other keys: as seen in real life."""
    return {"Success": False, "ErrorCode": code, "Message": "Неверные параметры.", "Details": details}


def init(call: Call) -> Answer:
    bank = call.bank
    wishes = read_init(bank.store, call.terminal, call.fields, bank.now())
    _require_receipt(call, wishes["amount_minor"], needed=True)
    payment = bank.open_payment(call.terminal, wishes)
    return {
        **envelope(payment),
        "PaymentId": str(payment.id),
        "Amount": payment.amount_minor,
        "PaymentURL": f"{call.base_url}pay/{payment.code}",
    }, payment.id


def get_state(call: Call) -> Answer:
    payment = call.bank.current(require_payment(call.bank.store, call.terminal, call.fields))
    answer = {
        **envelope(payment),
        "PaymentId": str(payment.id),
        "Amount": payment.remaining_minor,
        "Params": _params(payment),
        "Message": "OK",
    }
    if payment.status in states.REFUSED:
        # The call worked; code and words are those of the payment.
        answer |= {
            "Success": False,
            "ErrorCode": payment.error_code,
            "Message": payment.error_message,
            "Details": payment.error_details,
        }
    return answer, payment.id


def check_order(call: Call) -> Answer:
    order_id, terminal_key = require_order_id(call.fields), call.terminal.terminal_key
    known = call.bank.store.list_payments_of_order(terminal_key, order_id)
    payments = [call.bank.current(payment) for payment in known]
    if not payments:
        raise RefusedError("335", f"OrderId {order_id} не найден для TerminalKey {terminal_key}")
    return {
        "TerminalKey": terminal_key,
        "OrderId": order_id,
        "Success": True,
        "ErrorCode": "0",
        "Message": "OK",
        "Details": "None",
        "Payments": [_order_entry(payment) for payment in payments],
    }, payments[-1].id


def confirm(call: Call) -> Answer:
    payment = require_payment(call.bank.store, call.terminal, call.fields)
    amount_minor = optional_amount(call.fields) or payment.remaining_minor
    if payment.status not in states.HELD:
        raise RefusedError("8" if payment.status == "CONFIRMED" else "4", f"Платёж в статусе {payment.status}")
    if amount_minor > payment.remaining_minor:
        raise RefusedError("100", "Сумма больше зарезервированной")
    payment = call.bank.confirm(payment, amount_minor)
    return {
        **envelope(payment),
        "PaymentId": str(payment.id),
        "Params": _params(payment),
        "Message": "OK",
    }, payment.id


def cancel(call: Call) -> Answer:
    payment = call.bank.current(require_payment(call.bank.store, call.terminal, call.fields))
    amount_minor = optional_amount(call.fields) or payment.remaining_minor
    external_id = call.fields.get("ExternalRequestId")
    # A repeat with the same id changes nothing. The bank does not do this for SBP.
    repeatable = isinstance(external_id, str) and external_id != "" and payment.source != "qrsbp"
    if repeatable and (earlier := call.bank.store.find_cancellation(payment.id, str(external_id))):
        return earlier, payment.id
    if payment.status in states.UNPAID:
        amount_minor = payment.remaining_minor
    elif payment.status not in states.HELD | states.PAID:
        over = payment.status in ("CANCELED", "REVERSED", "REFUNDED")
        raise RefusedError("8" if over else "4", f"Платёж в статусе {payment.status}")
    if amount_minor > payment.remaining_minor:
        raise RefusedError("100", "Укажите сумму не больше оставшейся")
    if amount_minor > payment.remaining_minor - payment.charged_back_minor:
        raise RefusedError("100", "Покупатель опротестовал платёж")
    is_part_of_paid = payment.status in states.PAID and amount_minor < payment.remaining_minor
    _require_receipt(call, amount_minor, needed=is_part_of_paid)
    sbp.check_refund_limits(call, payment)
    original_minor = payment.remaining_minor
    payment = call.bank.cancel(payment, amount_minor)
    answer = {
        **envelope(payment),
        "OriginalAmount": original_minor,
        "NewAmount": original_minor - amount_minor,
        # A number here, alone among the methods we have.
        "PaymentId": payment.id,
        "Message": "OK",
    }
    if isinstance(external_id, str):
        answer["ExternalRequestId"] = external_id
    if repeatable:
        call.bank.store.save_cancellation(payment.id, str(external_id), answer)
    return answer, payment.id


def resend(call: Call) -> Answer:
    """What the shop has not accepted yet goes out again. In no document of the bank, but in use."""
    payment = require_payment(call.bank.store, call.terminal, call.fields) if "PaymentId" in call.fields else None
    payment_id, key = payment.id if payment else None, call.terminal.terminal_key
    count = call.bank.store.revive_notifications(key, payment_id, RETRIES, call.bank.now())
    return {"Success": True, "ErrorCode": "0", "TerminalKey": key, "Count": count}, payment_id


METHODS: dict[str, Callable[[Call], Answer]] = {
    "Init": init,
    "GetState": get_state,
    "CheckOrder": check_order,
    "Confirm": confirm,
    "Cancel": cancel,
    "Resend": resend,
    "GetQr": sbp.get_qr,
    "GetQrState": sbp.get_qr_state,
    "QrMembersList": sbp.qr_members_list,
    "SbpPayTest": sbp.sbp_pay_test,
}


def _require_receipt(call: Call, amount_minor: int, *, needed: bool) -> None:
    """A receipt that adds up, if there is one; `needed` with a register. Raises RefusedError."""
    receipt = call.fields.get("Receipt")
    if receipt is not None:
        check_receipt(receipt, amount_minor)
    else:
        require(not (needed and call.terminal.cash_register), "309", "Поле Receipt не должно быть пустым")


def _params(payment: Payment) -> list[dict[str, str]]:
    if payment.source is None:
        return []
    return [{"Key": "Route", "Value": "ACQ"}, {"Key": "Source", "Value": payment.source}]


def _order_entry(payment: Payment) -> dict[str, Any]:
    refused = payment.status in states.REFUSED
    entry = {
        "PaymentId": str(payment.id),
        "Amount": payment.remaining_minor,
        "Status": payment.status,
        # Text and a number, the other way round than everywhere else.
        "Success": "false" if refused else "true",
        "ErrorCode": int(payment.error_code),
        "Message": payment.error_message or "None",
    }
    if payment.status in states.PAID:
        entry["RRN"] = f"{payment.id % 10**12:012}"
    return entry


def _payment_id(fields: dict[str, Any]) -> int | None:
    """For the log of requests only: whatever was asked about, if it is a number at all."""
    value = str(fields.get("PaymentId"))[:18]
    return int(value) if value.isascii() and value.isdigit() else None


async def _spoil(fault: Fault, text: str) -> Response:
    """The answer as the fault leaves it."""
    match fault.kind:
        case kind if kind in HTTP_ERRORS:
            response = Response(HTML_ERROR, HTTP_ERRORS[kind], content_type="text/html")
            if kind == "error_429":
                response.headers["Retry-After"] = str(round(fault.seconds))
            return response
        case "invalid_json":
            return Response(HTML_ERROR, 200, content_type="text/html")
        case "reset":
            # Promises more than it sends, so the server must cut the connection.
            response = Response(text[: len(text) // 2], content_type="application/json")
            response.headers["Content-Length"] = str(len(text.encode()) + 1)
            return response
        case "timeout_after":
            await asyncio.sleep(fault.seconds)
            return Response(HTML_ERROR, 504, content_type="text/html")
        case _:
            return Response(text, content_type="application/json; charset=utf-8")
