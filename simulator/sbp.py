"""SBP in the bank's API: a code for a payment, its test, and what became of a refund."""

import binascii
import io
import secrets
from typing import Any

import segno

from simulator import states
from simulator.bank import NO_SBP_FUNDS
from simulator.calls import Answer, Call
from simulator.checks import LEAST_SBP_AMOUNT_MINOR, MOST_SBP_AMOUNT_MINOR, RefusedError, require, require_payment
from simulator.records import Payment, Terminal

CODE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
HOUR_SECONDS, DAY_SECONDS = 3600.0, 86400.0
MOST_REFUNDS_A_DAY = 5

CANCEL_MESSAGES = {
    "I05036": "Банк покупателя счёл возврат подозрительным",
    "I05038": "Банк покупателя отклонил возврат по закону",
    "I05043": "У покупателя нет счёта в этом банке",
    "3028": "Банк покупателя отклонил возврат",
    "3029": "Слишком много попыток возврата за час",
    "3030": "Слишком много попыток возврата за сутки",
}
REFUND_REFUSALS = tuple(CANCEL_MESSAGES)


def refusal_to_pay(terminal: Terminal, payment: Payment) -> RefusedError | None:
    """Why this payment cannot be paid through SBP, if so."""
    if not terminal.sbp:
        return RefusedError("3001", "Оплата через СБП недоступна")
    if not LEAST_SBP_AMOUNT_MINOR <= payment.amount_minor <= MOST_SBP_AMOUNT_MINOR or payment.pay_type != "O":
        return RefusedError("3016", "Невозможно создать QR")
    return None


def get_qr(call: Call) -> Answer:
    payment = call.bank.current(require_payment(call.bank.store, call.terminal, call.fields))
    kind = call.fields.get("DataType", "PAYLOAD")
    require(kind in ("PAYLOAD", "IMAGE"), "1", "DataType может быть только PAYLOAD или IMAGE")
    require(not call.fields.get("BankId"), "3044", "BankId неизвестен")
    if refusal := refusal_to_pay(call.terminal, payment):
        raise refusal
    require(payment.status in states.UNPAID, "8", f"Платёж в статусе {payment.status}")
    payload = _payload(call, payment)
    return {
        "TerminalKey": payment.terminal_key,
        "OrderId": payment.order_id,
        "Success": True,
        "Data": _image(payload) if kind == "IMAGE" else payload,
        # A number here, unlike in most answers.
        "PaymentId": payment.id,
        "ErrorCode": "0",
        "Message": "OK",
    }, payment.id


def sbp_pay_test(call: Call) -> Answer:
    """Pay by the code that GetQr gave, or let it be refused or run out."""
    bank = call.bank
    payment = bank.current(require_payment(bank.store, call.terminal, call.fields))
    is_expired, is_rejected = _flag(call, "IsDeadlineExpired"), _flag(call, "IsRejected")
    require(not (is_expired and is_rejected), "1", "IsDeadlineExpired и IsRejected нельзя передавать вместе")
    has_code = bank.store.find_qr_code(payment.id) is not None
    require(has_code and payment.status in states.UNPAID, "8", "QR для платежа не создан или уже не действует")
    if is_expired:
        bank.expire(payment)
    elif is_rejected:
        bank.decline(payment, NO_SBP_FUNDS, "qrsbp")
    else:
        bank.pay(payment, "qrsbp")
    return {"Success": True, "ErrorCode": "0", "Message": "OK", "Details": "0"}, payment.id


def get_qr_state(call: Call) -> Answer:
    """Where a refund is, and why it was refused if it was."""
    payment = require_payment(call.bank.store, call.terminal, call.fields)
    require(payment.source == "qrsbp", "8", "Платёж не по СБП")
    answer: dict[str, Any] = {
        "Success": True,
        "ErrorCode": "0",
        "Status": payment.status,
        "OrderId": payment.order_id,
        "Message": "OK",
    }
    if attempts := call.bank.store.list_refund_attempts(payment.id):
        answer["Amount"] = attempts[-1].amount_minor
        if attempts[-1].code and payment.status != "ASYNC_REFUNDING":
            answer["QrCancelCode"] = attempts[-1].code
            answer["QrCancelMessage"] = CANCEL_MESSAGES.get(attempts[-1].code, "Возврат отклонён")
    return answer, payment.id


def qr_members_list(call: Call) -> Answer:
    payment = require_payment(call.bank.store, call.terminal, call.fields)
    require(payment.source == "qrsbp", "8", "Платёж не по СБП")
    answer: dict[str, Any] = {"OrderId": payment.order_id, "Success": True, "ErrorCode": "0", "Message": "OK"}
    if payment.status in states.PAID:
        answer["Members"] = [{"MemberId": "100000000001", "MemberName": "Учебный банк", "IsPayee": True}]
    return answer, payment.id


def check_refund_limits(call: Call, payment: Payment) -> None:
    """Where they are switched on for the terminal: one attempt an hour, five a day. Raises RefusedError."""
    if not call.terminal.refund_limits or payment.source != "qrsbp":
        return
    now = call.bank.now()
    ages = [now - attempt.asked_at for attempt in call.bank.store.list_refund_attempts(payment.id)]
    require(
        sum(age < DAY_SECONDS for age in ages) < MOST_REFUNDS_A_DAY,
        "3030",
        "Слишком много попыток возврата за сутки",
    )
    require(not any(age < HOUR_SECONDS for age in ages), "3029", "Слишком много попыток возврата за час")


def _payload(call: Call, payment: Payment) -> str:
    """Where SBP's own address would be stands ours; asked again, a payment has the same code."""
    store = call.bank.store
    code = store.find_qr_code(payment.id)
    if code is None:
        code = "AS" + "".join(secrets.choice(CODE_ALPHABET) for _ in range(30))
        store.save_qr_code(payment.id, code)
    address = f"{call.base_url}qr/{code}?type=01&bank=100000000001&sum={payment.amount_minor}&cur=RUB"
    return f"{address}&crc={binascii.crc_hqx(address.encode(), 0):04X}"


def _image(payload: str) -> str:
    """An SVG document."""
    image = io.BytesIO()
    segno.make(payload, error="m", micro=False).save(image, kind="svg", scale=4, border=4, xmldecl=False, light="#fff")
    return image.getvalue().decode()


def _flag(call: Call, name: str) -> bool:
    value = call.fields.get(name, False)
    require(isinstance(value, bool), "1", f"{name} должен быть true или false")
    return bool(value)
