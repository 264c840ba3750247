"""Payments, refunds, errors and notifications as YooKassa writes them."""

import json
import secrets
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from simulator.yookassa.records import Payment, Refund

FEE_PER_MILLE = 35
"""YooKassa's share, as `income_amount` shows it."""

CARD = {
    "first6": "555555",
    "last4": "4444",
    "expiry_month": "12",
    "expiry_year": "2030",
    "card_type": "MasterCard",
    "issuer_country": "RU",
}

CODES = {
    400: "invalid_request",
    401: "invalid_credentials",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    415: "unsupported_media_type",
    429: "too_many_requests",
    500: "internal_server_error",
}

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC).timestamp()


def new_id(middle: str, now: float) -> str:
    """Like `23d93cac-000f-5000-8000-126628f15141`: seconds since 2000, a word of ours for the kind, chance."""
    return f"{int(now - _EPOCH):08x}-{middle}-5000-{secrets.choice('89ab')}000-{secrets.token_hex(6)}"


def rubles(amount_minor: int) -> dict[str, str]:
    return {"value": f"{amount_minor // 100}.{amount_minor % 100:02}", "currency": "RUB"}


def payment_object(payment: Payment, page_url: str) -> dict[str, Any]:
    """The payment as its status now has it; `page_url` is where it can be paid."""
    is_paid = payment.status in ("waiting_for_capture", "succeeded")
    shown: dict[str, Any] = {
        "id": payment.id,
        "status": payment.status,
        "amount": rubles(payment.amount_minor),
        "description": payment.description,
        "recipient": {"account_id": payment.shop_id, "gateway_id": "100700"},
        "created_at": _time(payment.created_at),
        "test": True,
        "paid": is_paid,
        "refundable": payment.status == "succeeded" and payment.refunded_minor < payment.amount_minor,
        "metadata": payment.metadata,
    }
    if payment.method is not None:
        shown["payment_method"] = _payment_method(payment, is_paid=is_paid)
    if payment.has_receipt:
        shown["receipt_registration"] = {"succeeded": "succeeded", "canceled": "canceled"}.get(
            payment.status, "pending"
        )
    match payment.status:
        case "pending":
            shown["confirmation"] = {
                "type": "redirect",
                "return_url": payment.return_url,
                "confirmation_url": page_url,
            }
        case "waiting_for_capture":
            shown["expires_at"] = _time(payment.expires_at)
        case "succeeded":
            shown["captured_at"] = _time(payment.captured_at or payment.created_at)
            shown["income_amount"] = rubles(payment.amount_minor - payment.amount_minor * FEE_PER_MILLE // 1000)
            shown["refunded_amount"] = rubles(payment.refunded_minor)
        case "canceled":
            shown["cancellation_details"] = {"party": payment.cancel_party, "reason": payment.cancel_reason}
    return shown


def refund_object(refund: Refund) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": refund.id,
        "payment_id": refund.payment_id,
        "status": refund.status,
        "created_at": _time(refund.created_at),
        "amount": rubles(refund.amount_minor),
    }
    if refund.status == "canceled":
        shown["cancellation_details"] = {"party": "yoo_money", "reason": refund.reason}
    return shown


def error_object(http_status: int, description: str, parameter: str | None = None) -> dict[str, Any]:
    """An error; for 202, which is none, what YooKassa says instead."""
    if http_status == 202:
        return {"type": "processing", "description": description, "retry_after": 1800}
    shown = {
        "type": "error",
        "id": str(uuid4()),
        "code": CODES.get(http_status, "internal_server_error"),
        "description": description,
    }
    return shown if parameter is None else {**shown, "parameter": parameter}


def notification(event: str, subject: dict[str, Any]) -> bytes:
    """The bytes to send. Nothing signs them."""
    return json.dumps({"type": "notification", "event": event, "object": subject}, ensure_ascii=False).encode()


def _payment_method(payment: Payment, *, is_paid: bool) -> dict[str, Any]:
    method: dict[str, Any] = {"type": payment.method, "id": payment.id, "saved": False}
    if payment.method == "bank_card":
        return {**method, "title": "Bank card *4444", "card": CARD}
    if is_paid:
        method |= {"sbp_operation_id": "1027088AE4CB48CB81287833347A8777", "payer_bank_details": {"bic": "044525593"}}
    return method


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
