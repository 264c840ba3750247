"""YooKassa's objects as its documents show them, for the tests."""

import json
from typing import Any

PAYMENT_ID = "23d93cac-000f-5000-8000-126628f15141"
REFUND_ID = "216749f7-0016-50be-b000-078d43a63ae4"
ORDER_ID = "don-0198f2c4"

PENDING: dict[str, Any] = {
    "id": PAYMENT_ID,
    "status": "pending",
    "paid": False,
    "amount": {"value": "150.50", "currency": "RUB"},
    "confirmation": {
        "type": "redirect",
        "return_url": "https://example.org/donations/7",
        "confirmation_url": f"https://yoomoney.ru/checkout/payments/v2/contract?orderId={PAYMENT_ID}",
    },
    "created_at": "2026-11-22T14:30:45.129Z",
    "description": "Донат для «Кота» 🎉",
    "metadata": {"order_id": ORDER_ID},
    "recipient": {"account_id": "100500", "gateway_id": "100700"},
    "refundable": False,
    "test": False,
}
SUCCEEDED: dict[str, Any] = {
    **{name: value for name, value in PENDING.items() if name != "confirmation"},
    "status": "succeeded",
    "paid": True,
    "captured_at": "2026-11-22T14:31:10.000Z",
    "income_amount": {"value": "145.23", "currency": "RUB"},
    "payment_method": {"type": "bank_card", "id": PAYMENT_ID, "saved": False, "card": {"last4": "4444"}},
    "refundable": True,
    "refunded_amount": {"value": "0.00", "currency": "RUB"},
}
CANCELED: dict[str, Any] = {
    **{name: value for name, value in PENDING.items() if name != "confirmation"},
    "status": "canceled",
    "cancellation_details": {"party": "payment_network", "reason": "insufficient_funds"},
}
REFUND: dict[str, Any] = {
    "id": REFUND_ID,
    "payment_id": PAYMENT_ID,
    "status": "succeeded",
    "created_at": "2026-11-23T10:00:00.000Z",
    "amount": {"value": "50.05", "currency": "RUB"},
}


def rubles(value: str) -> dict[str, str]:
    return {"value": value, "currency": "RUB"}


def error(code: str, **fields: Any) -> dict[str, Any]:
    return {"type": "error", "id": "ecf255db-cce8-4f15-8fc2-3d7a4678c867", "code": code, **fields}


def notification(event: str, subject: Any) -> bytes:
    return json.dumps({"type": "notification", "event": event, "object": subject}, ensure_ascii=False).encode()
