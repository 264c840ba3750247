"""The fiscal receipt of a request, as far as the bank looks at it before its register does."""

from decimal import Decimal, InvalidOperation
from typing import Any

from simulator.checks import RefusedError, require

MOST_ITEMS = 100
TAXATIONS = frozenset({"osn", "usn_income", "usn_income_outcome", "esn", "patent"})
TAXES = frozenset(
    {
        *("none", "vat0", "vat5", "vat7", "vat10", "vat20", "vat22"),
        *("vat105", "vat107", "vat110", "vat120", "vat122"),
    }
)
PAYMENT_KINDS = ("Cash", "Electronic", "AdvancePayment", "Credit", "Provision")


def check_receipt(receipt: Any, amount_minor: int | None) -> None:
    """Whether it is one, and adds up to `amount_minor` (kopecks). Raises RefusedError."""
    items = receipt.get("Items") if isinstance(receipt, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise RefusedError("1", "Receipt не разобран")
    require(bool(receipt.get("Email") or receipt.get("Phone")), "329", "В чеке нужны Email или Phone")
    amounts = [item.get("Amount") for item in items]
    fits = all(_is_sum(amount) for amount in amounts) and sum(amounts) == amount_minor
    require(fits, "334", "Сумма позиций чека не равна Amount")
    _check_payments(receipt.get("Payments"), sum(amounts))
    require(receipt.get("Taxation") in TAXATIONS, "1", "Taxation не из списка")
    require(1 <= len(items) <= MOST_ITEMS, "1", f"В чеке может быть от 1 до {MOST_ITEMS} позиций")
    for item in items:
        _check_item(item)
        is_marked = receipt.get("FfdVersion") != "1.2" or bool(item.get("MeasurementUnit"))
        require(is_marked, "1", "Для ФФД 1.2 нужно поле MeasurementUnit")


def _check_payments(payments: Any, total_minor: int) -> None:
    if payments is None:
        return
    require(isinstance(payments, dict), "1", "Payments не разобраны")
    sums = [payments.get(kind, 0) for kind in PAYMENT_KINDS]
    fits = all(_is_sum(one) for one in sums) and sum(sums) == total_minor == payments.get("Electronic")
    require(fits, "308", "Сумма позиций чека не равна сумме видов оплаты")


def _check_item(item: dict[str, Any]) -> None:
    name, price, quantity = item.get("Name"), item.get("Price"), _quantity(item.get("Quantity"))
    require(isinstance(name, str) and 1 <= len(name) <= 128, "1", "Длина Name должна быть от 1 до 128")
    require(_is_sum(price), "1", "Price должна быть целым числом копеек")
    require(item.get("Tax") in TAXES, "1", "Tax не из списка")
    # A kopeck's part may be lost: ten rubles for three is a price too.
    require(abs(quantity * int(price or 0) - item["Amount"]) <= 1, "1", "Amount не равен Price × Quantity")


def _quantity(value: Any) -> Decimal:
    """A number; a fraction comes as the text it was written as. Raises RefusedError."""
    try:
        quantity = Decimal(str(value))
    except InvalidOperation:
        raise RefusedError("1", "Quantity должно быть числом") from None
    require(quantity.is_finite() and quantity > 0, "1", "Quantity должно быть больше нуля")
    require(quantity < 100_000, "310", "Целая часть Quantity не больше 5 знаков")
    require(quantity == round(quantity, 3), "310", "Дробная часть Quantity не больше 3 знаков")
    return quantity


def _is_sum(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
