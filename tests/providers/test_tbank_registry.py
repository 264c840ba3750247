"""The bank's registry of operations: each line understood to the kopeck, or the whole file refused with a reason."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.provider import MalformedRegistry, RegistryKind, RegistryRow
from providers.tbank.registry import FIELDS, MAX_FILE_BYTES, parse_registry

DEBIT = {
    "number": "1",
    "card or phone": "4300 00** **** 0777",
    "payment system": "Mir",
    "order": "0198f2c4-6ae6-7c9a-8a0b-3f3c5e6f7a8b",
    "operation date": "01.12.2026",
    "operation time": "00:30:15",
    "time zone": "MSK",
    "authorisation code": "A1B2C3",
    "terminal number": "30123456",
    "processing date": "02.12.2026",
    "settlement date": "03.12.2026",
    "amount": "150.50",
    "bank fee": "4.07",
    "net amount": "146.43",
    "operation type": "Debit",
    "RRN": "835508576879",
    "PaymentId": "3093639567",
    "terminal": "1700000000000",
    "card type": "Dom",
    "DATA": "",
    "description": "Донат для «Кота»",
}


def line(**changes: str) -> str:
    """A line as the bank writes it, with some fields different; names are ours, with `_` for spaces."""
    fields = DEBIT | {name.replace("_", " "): value for name, value in changes.items()}
    return ";".join(fields.values())


def file_of(*lines: str) -> bytes:
    return "".join(f"{text}\r\n" for text in lines).encode("cp1251")


def row(**changes: str) -> RegistryRow:
    [found] = parse_registry(file_of(line(**changes)))
    return found


def refusal(raw: bytes) -> MalformedRegistry:
    with pytest.raises(MalformedRegistry) as caught:
        parse_registry(raw)
    return caught.value


def test_a_payment_is_read_to_the_kopeck() -> None:
    assert list(DEBIT) == list(FIELDS)
    assert row() == RegistryRow(
        number=1,
        kind=RegistryKind.PAYMENT,
        provider_kind="Debit",
        order_id="0198f2c4-6ae6-7c9a-8a0b-3f3c5e6f7a8b",
        provider_payment_id="3093639567",
        terminal="1700000000000",
        operated_at=datetime(2026, 11, 30, 21, 30, 15, tzinfo=UTC),
        settled_on=date(2026, 12, 3),
        amount_minor=15050,
        fee_minor=407,
        net_minor=14643,
        reference="835508576879",
        raw=line(),
    )


def test_a_file_keeps_its_order_and_its_last_line_may_lack_an_end() -> None:
    raw = file_of(line(number="7"), line(number="2"), line(number="3"))
    for variant in (raw, raw.removesuffix(b"\r\n"), raw + b"\r\n  \r\n"):
        assert [found.number for found in parse_registry(variant)] == [7, 2, 3]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Debit", RegistryKind.PAYMENT),
        ("Credit", RegistryKind.REFUND),
        ("Chargeback", RegistryKind.CHARGEBACK),
        ("2Chargeback", RegistryKind.CHARGEBACK),
        ("Representment_Reversal", RegistryKind.CHARGEBACK),
        ("Chargeback_Reversal", RegistryKind.CHARGEBACK_REVERSAL),
        ("2Chargeback_Reversal", RegistryKind.CHARGEBACK_REVERSAL),
        ("Representment", RegistryKind.CHARGEBACK_REVERSAL),
        ("Chargeback_Fee", RegistryKind.FEE),
        ("CR_Chargeback_Fee", RegistryKind.FEE),
        ("Chargeback_Reversal_Fee", RegistryKind.FEE),
        ("Representment_Fee", RegistryKind.FEE),
        ("ServiceFee", RegistryKind.FEE),
        ("AUTH_FAIL", RegistryKind.FEE),
        ("CancelRefund", RegistryKind.OTHER),
        ("CR_Chargeback", RegistryKind.OTHER),
        ("CreditCorrection", RegistryKind.OTHER),
        ("DebitClientCorrection", RegistryKind.OTHER),
        ("Something_New", RegistryKind.OTHER),
    ],
)
def test_types_of_operations(word: str, kind: RegistryKind) -> None:
    found = row(operation_type=word)
    assert (found.kind, found.provider_kind) == (kind, word)


@pytest.mark.parametrize(
    ("text", "amount_minor"),
    [
        ("0", 0), ("0.00", 0), ("150", 15000), ("150.5", 15050), ("0.01", 1), ("-150.50", 15050), ("-0.07", 7),
        ("0.29", 29), ("9999999999.99", 999999999999),
    ],
)  # fmt: skip
def test_sums_are_kopecks_without_a_sign(text: str, amount_minor: int) -> None:
    assert row(amount=text).amount_minor == amount_minor


@given(st.integers(min_value=0, max_value=10**12 - 1))
def test_no_kopeck_is_lost(amount_minor: int) -> None:
    text = f"{amount_minor // 100}.{amount_minor % 100:02}"
    assert row(amount=text, bank_fee=text, net_amount=f"-{text}").net_minor == amount_minor


def test_a_refund_with_its_sign() -> None:
    found = row(operation_type="Credit", amount="-150.50", bank_fee="0.00", net_amount="-150.50")
    assert (found.kind, found.amount_minor, found.fee_minor, found.net_minor) == (RegistryKind.REFUND, 15050, 0, 15050)


def test_the_fee_for_receipts_is_a_fee_too() -> None:
    fields = line(number="1").split(";")
    fields[13:13] = ["1.50"]
    [found] = parse_registry(file_of(";".join(fields)))
    assert (found.fee_minor, found.net_minor, found.provider_kind) == (557, 14643, "Debit")


def test_a_semicolon_in_the_description_harms_nothing() -> None:
    assert row(description="Донат; для; «Кота»").provider_payment_id == "3093639567"


def test_sbp_has_no_rrn_and_a_service_no_payment() -> None:
    assert row(RRN="", payment_system="SBP").reference == ""
    found = row(operation_type="ServiceFee", order="", PaymentId="", settlement_date="")
    assert (found.order_id, found.provider_payment_id, found.settled_on) == ("", "", None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"number": ""}, "number is not"),
        ({"number": "№"}, "number is not"),
        ({"number": "1" * 30}, "number is not"),
        ({"number": "-1"}, "number is not"),
        ({"order": "o" * 257}, "order is longer"),
        ({"operation_date": "2026-12-01"}, "operation date is not a date"),
        ({"operation_date": "31.02.2026"}, "operation date is not a date"),
        ({"operation_date": "01.12.0001"}, "another century"),
        ({"operation_date": ""}, "operation date is not a date"),
        ({"settlement_date": "soon"}, "settlement date is not a date"),
        ({"operation_time": "24:00:00"}, "operation time is not a time"),
        ({"operation_time": "9:00"}, "operation time is not a time"),
        ({"time_zone": "UTC"}, "time zone is not MSK"),
        ({"amount": "150,50"}, "amount is not a sum"),
        ({"amount": "1 150.50"}, "amount is not a sum"),
        ({"amount": "150.505"}, "amount is not a sum"),
        ({"amount": "1e9"}, "amount is not a sum"),
        ({"amount": "NaN"}, "amount is not a sum"),
        ({"amount": "Infinity"}, "amount is not a sum"),
        ({"amount": "9" * 400}, "amount is not a sum"),
        ({"amount": "--1"}, "amount is not a sum"),
        ({"amount": ""}, "amount is not a sum"),
        ({"bank_fee": "free"}, "bank fee is not a sum"),
        ({"net_amount": "="}, "net amount is not a sum"),
        ({"operation_type": ""}, "operation type is not a word"),
        ({"operation_type": "12,50"}, "operation type is not a word"),
        ({"operation_type": "12.50"}, "with the receipt fee"),
        ({"PaymentId": "12x"}, "PaymentId is not a number"),
        ({"PaymentId": "1" * 21}, "PaymentId is not a number"),
        ({"terminal": "t" * 21}, "terminal is longer"),
        ({"RRN": "r" * 41}, "RRN is longer"),
    ],
    ids=repr,
)
def test_a_line_that_makes_no_sense_is_named(changes: dict[str, str], reason: str) -> None:
    found = refusal(file_of(line(), line(**({"number": "2"} | changes))))
    assert found.line == 2
    assert reason in found.reason
    assert len(found.reason) < 200


@pytest.mark.parametrize(
    ("raw", "line_number", "reason"),
    [
        (b"", 0, "empty"),
        (b" \r\n\r\n", 0, "empty"),
        (b"hello", 1, "1 fields instead of 21"),
        (b"{}\r\n", 1, "fields"),
        (b"<html>;</html>", 1, "fields"),
        (file_of("№;Номер карты;ПС"), 1, "3 fields"),
        (file_of(";".join(FIELDS)), 1, "operation type is not a word"),
        (file_of(line(), "", line(number="2")), 2, "fields"),
        (file_of(line(), line(number="2"), line(number="1")), 3, "number 1 is that of line 1 too"),
        (file_of(line(), line(number="01")), 2, "number 1 is that of line 1 too"),
        (file_of(line(), line(number="2")).replace(b"\r\n", b"\n"), 1, "CR LF"),
        (file_of(line(description="a\n2;b"), line(number="2")), 1, "CR LF"),
        (file_of(line(), line(number="2", description="a\0b")), 2, "NUL"),
        (file_of(line()) + b"\x98", 2, "CP1251 does not have"),
        (b"\xef\xbb\xbf" + file_of(line(description="")), 0, "UTF-8"),
        (file_of(line()).decode("cp1251").encode(), 0, "UTF-8"),
        (file_of(line()).decode("cp1251").encode("utf-16"), 1, "NUL"),
        (b"PK\x03\x04\x14\x00", 1, "NUL"),
        (b";" * 21, 1, "operation type is not a word"),
        (b"1" * (MAX_FILE_BYTES + 1), 0, "larger than 16 MB"),
    ],
    ids=range(20),
)
def test_a_file_that_is_no_registry_is_refused_as_a_whole(raw: bytes, line_number: int, reason: str) -> None:
    found = refusal(raw)
    assert found.line == line_number
    assert reason in found.reason


@given(st.binary(max_size=400))
def test_any_bytes_are_refused(raw: bytes) -> None:
    refusal(raw)


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(alphabet="0123456789.-;:\r\n MSKDebit№я", max_size=12)))
def test_any_line_is_read_or_refused(changes: dict[str, Any]) -> None:
    try:
        rows = parse_registry(file_of(";".join((DEBIT | changes).values())))
    except MalformedRegistry:
        return
    for found in rows:
        assert min(found.amount_minor, found.fee_minor, found.net_minor) >= 0
        assert found.operated_at.tzinfo is not None


@pytest.mark.parametrize(
    ("kind", "bank_fee", "fee_minor"),
    [
        ("Chargeback_Fee", "0.00", 15_050),
        ("Chargeback_Fee", "150.50", 15_050),
        ("ServiceFee", "99.00", 9_900),
        ("AUTH_FAIL", "0.00", 0),
        ("AUTH_FAIL", "1.00", 100),
    ],
)
def test_a_fee_of_its_own_is_a_fee_whichever_field_it_stands_in(kind: str, bank_fee: str, fee_minor: int) -> None:
    assert row(operation_type=kind, bank_fee=bank_fee).fee_minor == fee_minor
