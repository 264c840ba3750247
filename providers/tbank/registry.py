"""T-Bank's daily registry of operations: the only place where fees and chargebacks are told.

Its form is in the bank's OpenAPI document 1.80, «Формат реестра»; what each type of operation does to the money in
«Правила расчета возмещений по операционному реестру». CP1251, a line per operation, fields apart by `;`, no header.
"""

import re
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

from providers.provider import MalformedRegistry, RegistryKind, RegistryRow

MAX_FILE_BYTES = 16 * 1024 * 1024
"""Some sixty thousand operations, more than a streamer has in a day."""

FIELDS = (
    "number", "card or phone", "payment system", "order", "operation date", "operation time", "time zone",
    "authorisation code", "terminal number", "processing date", "settlement date", "amount", "bank fee",
    "net amount", "operation type", "RRN", "PaymentId", "terminal", "card type", "DATA", "description",
)  # fmt: skip
"""In the bank's order. After the bank's fee there may be a fee for receipts (13.1), where a register is rented."""

MSK = timezone(timedelta(hours=3), "MSK")

_KINDS = {
    "debit": RegistryKind.PAYMENT,
    "credit": RegistryKind.REFUND,
    "chargeback": RegistryKind.CHARGEBACK,
    "2chargeback": RegistryKind.CHARGEBACK,
    # A representment that was itself undone: the money is gone again.
    "representment_reversal": RegistryKind.CHARGEBACK,
    "chargeback_reversal": RegistryKind.CHARGEBACK_REVERSAL,
    "2chargeback_reversal": RegistryKind.CHARGEBACK_REVERSAL,
    "representment": RegistryKind.CHARGEBACK_REVERSAL,
    "servicefee": RegistryKind.FEE,
    # A refused authorisation: no money of its own, only what the bank takes for it.
    "auth_fail": RegistryKind.FEE,
}
"""Absent on purpose: refunds that came back (CancelRefund, CR_Chargeback) and corrections by hand, for somebody to
look at; every `*_Fee` is a fee."""

_SUM = re.compile(r"[+-]?[0-9]{1,10}(\.[0-9]{1,2})?")
_DATE = re.compile(r"[0-9]{2}\.[0-9]{2}\.[0-9]{4}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}")
_DIGITS = re.compile(r"[0-9]{1,20}")
_WORD = re.compile(r"2?[A-Za-z_]{1,40}")
_NUMBER = re.compile(r"[0-9]{1,9}")


def parse_registry(raw: bytes) -> list[RegistryRow]:
    """The operations of a file, in its order. Raises MalformedRegistry for the first line that makes no sense.

    All or nothing: half a registry would look like a day with less money.
    """
    rows: list[RegistryRow] = []
    lines_by_number: dict[int, int] = {}
    for line, text in enumerate(_lines(raw), start=1):
        try:
            row = _row(text)
            first = lines_by_number.setdefault(row.number, line)
            if first != line:
                raise ValueError(f"number {row.number} is that of line {first} too")
        except ValueError as error:
            raise MalformedRegistry(line, str(error)) from None
        rows.append(row)
    return rows


def _lines(raw: bytes) -> list[str]:
    if len(raw) > MAX_FILE_BYTES:
        raise MalformedRegistry(0, f"the file is larger than {MAX_FILE_BYTES // 1024 // 1024} MB")
    if b"\0" in raw:
        raise MalformedRegistry(raw[: raw.index(b"\0")].count(b"\n") + 1, "a NUL byte: this is not a text file")
    if _is_utf8(raw):
        raise MalformedRegistry(
            0, "the file is UTF-8, not CP1251: take it as the bank gives it, without saving it anew"
        )
    try:
        text = raw.decode("cp1251")
    except UnicodeDecodeError as error:
        raise MalformedRegistry(raw[: error.start].count(b"\n") + 1, "a byte that CP1251 does not have") from None
    text = text.rstrip(" \t\r\n")
    if not text:
        raise MalformedRegistry(0, "the file is empty")
    return text.split("\r\n")


def _is_utf8(raw: bytes) -> bool:
    """Whether it has letters beyond ASCII that are those of UTF-8, or the mark that some editors put in front."""
    if raw.isascii():
        return False
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _row(line: str) -> RegistryRow:
    if "\n" in line or "\r" in line:
        # Two operations in one line would lose the second.
        raise ValueError("a line does not end with CR LF")
    parts = [part.strip() for part in line.split(";")]
    if len(parts) < len(FIELDS):
        raise ValueError(f"{len(parts)} fields instead of {len(FIELDS)} or more")
    # 13.1 is there or not for the whole terminal, and nothing says so: then a sum stands where the type should.
    receipt_fee_minor = 0
    if _SUM.fullmatch(parts[FIELDS.index("operation type")]):
        receipt_fee_minor = _kopecks(parts.pop(FIELDS.index("net amount")), "receipt fee")
        if len(parts) < len(FIELDS):
            raise ValueError(f"{len(parts) + 1} fields instead of {len(FIELDS) + 1} or more, with the receipt fee")
    # A `;` inside the last fields makes more of them, which we do not need apart.
    fields = dict(zip(FIELDS, parts, strict=False))
    provider_kind = _matching(_WORD, fields, "operation type", "a word")
    kind, settled = _kind(provider_kind), fields["settlement date"]
    amount_minor = _kopecks(fields["amount"], "amount")
    fee_minor = _kopecks(fields["bank fee"], "bank fee") + receipt_fee_minor
    if kind is RegistryKind.FEE and fee_minor == 0 and provider_kind.lower() != "auth_fail":
        # Which field a fee of its own stands in the bank does not say; the sum of a refused authorisation is none.
        fee_minor = amount_minor
    return RegistryRow(
        number=int(_matching(_NUMBER, fields, "number", "a whole number")),
        kind=kind,
        provider_kind=provider_kind,
        order_id=_text(fields, "order", 256),
        # A fee for a service may belong to no payment.
        provider_payment_id=fields["PaymentId"] and _matching(_DIGITS, fields, "PaymentId", "a number"),
        terminal=_text(fields, "terminal", 20),
        operated_at=_moment(fields),
        settled_on=_date(fields, "settlement date") if settled else None,
        amount_minor=amount_minor,
        fee_minor=fee_minor,
        net_minor=_kopecks(fields["net amount"], "net amount"),
        reference=_text(fields, "RRN", 40),
        raw=line,
    )


def _kind(provider_kind: str) -> RegistryKind:
    word = provider_kind.lower()
    if word.endswith("_fee"):
        return RegistryKind.FEE
    return _KINDS.get(word, RegistryKind.OTHER)


def _kopecks(text: str, field: str) -> int:
    """Without its sign: whether money comes or goes, the type of the operation says."""
    if not _SUM.fullmatch(text):
        raise ValueError(f"{field} is not a sum in rubles like 123.45: {text[:40]!r}")
    return abs(int(Decimal(text) * 100))


def _moment(fields: dict[str, str]) -> datetime:
    zone = fields["time zone"]
    if zone != "MSK":
        raise ValueError(f"time zone is not MSK: {zone[:40]!r}")
    day = _date(fields, "operation date")
    clock = _matching(_TIME, fields, "operation time", "a time like 23:59:59")
    try:
        return datetime.combine(day, time.fromisoformat(clock), MSK)
    except ValueError:
        raise ValueError(f"operation time is not a time like 23:59:59: {clock!r}") from None


def _date(fields: dict[str, str], field: str) -> date:
    text = _matching(_DATE, fields, field, "a date like 31.12.2026")
    day, month, year = (int(part) for part in text.split("."))
    try:
        found = date(year, month, day)
    except ValueError:
        raise ValueError(f"{field} is not a date like 31.12.2026: {text!r}") from None
    if not 2000 <= year < 2100:
        raise ValueError(f"{field} is of another century: {text!r}")
    return found


def _matching(pattern: re.Pattern[str], fields: dict[str, str], field: str, what: str) -> str:
    text = fields[field]
    if not pattern.fullmatch(text):
        raise ValueError(f"{field} is not {what}: {text[:40]!r}")
    return text


def _text(fields: dict[str, str], field: str, limit: int) -> str:
    text = fields[field]
    if len(text) > limit:
        raise ValueError(f"{field} is longer than {limit} characters")
    return text
