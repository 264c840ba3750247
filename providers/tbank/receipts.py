"""The fiscal receipt (54-ФЗ) that goes with a payment or a refund: the bank's OpenAPI document, `Receipt_FFD_105`."""

from typing import Any

from providers.provider import Receipt

ITEM_LIMIT = 128
"""Characters of an item's name."""


def receipt_fields(receipt: Receipt, amount_minor: int) -> dict[str, Any]:
    """One item that costs the whole sum. `Payments` is left out: the register then writes it all as cashless.

    A refund's item may differ from the one that was paid (`Cancel`, `Receipt`), so a part is an item of that price:
    a fraction of the whole, at three digits after the point, could not say every sum.
    """
    return {
        "FfdVersion": "1.05",
        "Email": receipt.email,
        "Taxation": receipt.taxation,
        "Items": [
            {
                "Name": receipt.item[:ITEM_LIMIT],
                "Price": amount_minor,
                "Quantity": 1,
                "Amount": amount_minor,
                "Tax": receipt.vat,
                "PaymentMethod": "full_payment",
                "PaymentObject": "service",
            }
        ],
    }
