"""The bank's registry of a day: what moved, what the bank took, what the shop gets.

The form is T-Bank's ("Формат реестра" in its OpenAPI document): CP1251, `;`, CRLF, no header, fields by
position. All sums are without a sign, the type of an operation says whether it is a plus or a minus.
Field 13.1, the fee of the register, is there only for terminals that have one.
"""

import hashlib
import json
import zlib
from datetime import date, datetime, time, timedelta, timezone

from simulator.messages import CARD_PAN
from simulator.records import Operation, Payment, Terminal
from simulator.store import Store

MOSCOW = timezone(timedelta(hours=3), "MSK")

LEAST_CARD_FEE_MINOR = 349
FISCAL_FEE_MINOR = 100

DATA_KEYS = (
    "Paymentpurpose",
    "Order_number",
    "Email",
    "Name",
    "Phone",
    "S_lastname",
    "S_firstname",
    "S_middlename",
    "Number",
    "Mfo_agreement",
)
"""The only keys of DATA that come into the registry."""


def registry(store: Store, terminal: Terminal, day: date) -> bytes:
    """The file of one terminal for a day by Moscow time; empty if nothing moved."""
    since = datetime.combine(day, time(), MOSCOW)
    operations = store.list_operations_between(
        terminal.terminal_key, since.timestamp(), (since + timedelta(days=1)).timestamp()
    )
    lines = []
    for number, operation in enumerate(operations, 1):
        payment = store.find_payment(operation.payment_id)
        assert payment is not None
        lines.append(";".join(_field(value) for value in _row(number, operation, payment, terminal)) + "\r\n")
    # The encoding has no emoji, and the bank's file has no way to say them.
    return "".join(lines).encode("cp1251", errors="replace")


def bank_fee(amount_minor: int, source: str | None) -> int:
    """What the bank keeps of a payment, in kopecks: 0.7 % of SBP, 2.5 % of cards but 3.49 ₽ at least."""
    if source == "qrsbp":
        return (amount_minor * 7 + 500) // 1000
    return min(amount_minor, max(LEAST_CARD_FEE_MINOR, (amount_minor * 25 + 500) // 1000))


def _row(number: int, operation: Operation, payment: Payment, terminal: Terminal) -> list[str]:
    is_debit, is_sbp = operation.kind == "Debit", payment.source == "qrsbp"
    happened = datetime.fromtimestamp(operation.happened_at, MOSCOW)
    fee_minor = bank_fee(operation.amount_minor, payment.source) if is_debit else 0
    is_fiscal = is_debit and terminal.cash_register
    fiscal_minor = min(FISCAL_FEE_MINOR, operation.amount_minor - fee_minor) if is_fiscal else 0
    fiscal = [_rubles(fiscal_minor)] if terminal.cash_register else []
    # The same for every operation of a payment: what the payer's bank knows it by.
    reference = hashlib.sha256(payment.code.encode()).hexdigest().upper()
    return [
        str(number),
        "+7(916)XXX-XX-21" if is_sbp else CARD_PAN,
        "SBP" if is_sbp else "Visa",
        payment.order_id,
        f"{happened:%d.%m.%Y}",
        f"{happened:%H:%M:%S}",
        "MSK",
        reference[:32] if is_sbp else reference[:6],
        f"{zlib.crc32(payment.terminal_key.encode()) % 10**8:08}",
        f"{happened:%d.%m.%Y}",
        f"{happened + timedelta(days=1):%d.%m.%Y}",
        _rubles(operation.amount_minor),
        _rubles(fee_minor),
        *fiscal,
        _rubles(operation.amount_minor - fee_minor - fiscal_minor),
        operation.kind,
        "" if is_sbp else f"{payment.id % 10**12:012}",
        str(payment.id),
        payment.terminal_key,
        "" if is_sbp else "Dom",
        _data(payment),
        payment.description,
    ]


def _data(payment: Payment) -> str:
    data = json.loads(payment.data)
    return ", ".join(f"{key}:{data[key]}" for key in DATA_KEYS if key in data)


def _field(value: str) -> str:
    """A field cannot hold what ends one."""
    return " ".join(value.replace(";", ",").split())


def _rubles(amount_minor: int) -> str:
    return f"{amount_minor // 100}.{amount_minor % 100:02}"
