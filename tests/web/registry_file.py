"""T-Bank's registry as a file, made by hand."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

MOSCOW = ZoneInfo("Europe/Moscow")


def bank_line(number: int, terminal_key: str, payment: Any, kind: str = "Debit", /, **changes: str) -> str:
    """A line about a payment (a row or a `Payment`): over its sum, a fee of 2.5 % for a Debit."""
    at: datetime = payment["created_at"].astimezone(MOSCOW)
    amount_minor = payment["amount_minor"]
    fee_minor = amount_minor * 25 // 1000 if kind == "Debit" else 0
    fields = {
        "number": str(number),
        "card": "4300 00** **** 0777",
        "system": "Mir",
        "order": payment["order_id"],
        "date": f"{at:%d.%m.%Y}",
        "time": f"{at:%H:%M:%S}",
        "zone": "MSK",
        "code": "A1B2C3",
        "terminal number": "30123456",
        "processed": f"{at:%d.%m.%Y}",
        "settled": f"{at:%d.%m.%Y}",
        "amount": f"{amount_minor // 100}.{amount_minor % 100:02}",
        "fee": f"{fee_minor // 100}.{fee_minor % 100:02}",
        "net": f"{(amount_minor - fee_minor) // 100}.{(amount_minor - fee_minor) % 100:02}",
        "kind": kind,
        "reference": "835508576879",
        "payment": payment["provider_payment_id"],
        "terminal": terminal_key,
        "type": "Dom",
        "data": "",
        "description": "Поддержка",
    }
    return ";".join({**fields, **changes}.values())


def bank_file(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("cp1251")
