"""A fiscal receipt (54-ФЗ) in YooKassa's codes (yookassa.ru/developers/54fz/parameters-values)."""

from typing import Any

from providers.provider import Receipt
from providers.yookassa import values

ITEM_LIMIT = 128
"""Characters of an item's description."""

# 4 was ЕНВД, which ended in 2021.
TAX_SYSTEM_CODES = {"osn": 1, "usn_income": 2, "usn_income_outcome": 3, "esn": 5, "patent": 6}

# 4 and 6 were 20 % and 20/120, which became 22 % and 22/122 on 01.01.2026.
VAT_CODES = {
    "none": 1, "vat0": 2, "vat10": 3, "vat110": 5, "vat5": 7, "vat7": 8, "vat105": 9, "vat107": 10,
    "vat22": 11, "vat122": 12,
}  # fmt: skip


def receipt_fields(receipt: Receipt, amount_minor: int) -> dict[str, Any]:
    """The `receipt` of a payment or a refund: one service, paid in full. KeyError: a word there is no code for."""
    return {
        "customer": {"email": receipt.email},
        "items": [
            {
                "description": receipt.item[:ITEM_LIMIT],
                "quantity": "1.00",
                "amount": values.amount(amount_minor),
                "vat_code": VAT_CODES[receipt.vat],
                "payment_mode": "full_payment",
                "payment_subject": "service",
            }
        ],
        "tax_system_code": TAX_SYSTEM_CODES[receipt.taxation],
    }
