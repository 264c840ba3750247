"""Reading what T-Bank POSTs: liberal with what the bank may mean, strict with garbage."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.payment_status import NewsStatus
from providers.outcomes import RefusalReason
from providers.provider import MalformedNotification, Notification
from providers.tbank.notifications import parse, read, verify
from providers.tbank.signing import sign

PASSWORD = "s3cr3t_pass_20chars!"
CONFIRMED: dict[str, Any] = {
    "TerminalKey": "1700000000000DEMO",
    "OrderId": "don-0198f2c4",
    "Success": True,
    "Status": "CONFIRMED",
    "PaymentId": 3093639567,
    "ErrorCode": "0",
    "Amount": 15050,
    "CardId": 322264,
    "Pan": "430000******0777",
    "ExpDate": "1230",
}


def signed(body: dict[str, Any]) -> bytes:
    return json.dumps({**body, "Token": sign(body, PASSWORD)}, ensure_ascii=False).encode()


def notification_with(**fields: Any) -> Notification:
    """Read from a body with these fields and the bank's signature."""
    raw = signed({**CONFIRMED, **fields})
    assert verify(read(raw), PASSWORD)
    return parse(raw)


def test_a_confirmed_payment() -> None:
    notification = notification_with()
    message = read(signed(CONFIRMED))
    assert not verify(message, "another terminal's password")
    assert (message.account_key, message.order_id) == ("1700000000000DEMO", "don-0198f2c4")
    assert message.provider_payment_id == "3093639567"
    assert message.dedup_key == sign(CONFIRMED, PASSWORD)
    assert notification.order_id == "don-0198f2c4"
    assert notification.provider_payment_id == "3093639567"
    assert notification.status is NewsStatus.CONFIRMED
    assert notification.provider_status == "CONFIRMED"
    assert notification.amount_minor == 15050
    assert notification.error_code == "0"
    assert notification.error_message == ""
    assert notification.is_about_payment
    assert notification.reason is None


@pytest.mark.parametrize(
    ("pan", "method"),
    [("430000******0777", "card"), ("+7 (916) ***-**-21", "sbp"), ("", ""), ("?", ""), (None, ""), ({}, ""), (7, "")],
)
def test_how_it_was_paid_is_read_off_the_masked_number(pan: Any, method: str) -> None:
    assert notification_with(Pan=pan).method == method


def test_a_token_in_upper_case_is_that_of_the_same_message() -> None:
    raw = json.dumps({**CONFIRMED, "Token": sign(CONFIRMED, PASSWORD).upper()}).encode()
    assert verify(read(raw), PASSWORD)
    assert read(raw).dedup_key == read(signed(CONFIRMED)).dedup_key


def test_a_refusal_says_why() -> None:
    notification = notification_with(
        Success=False,
        Status="REJECTED",
        ErrorCode="1051",
        Message="Недостаточно средств на карте",
        Details="Не получилось оплатить. На карте недостаточно средств",
    )
    assert notification.status is NewsStatus.FAILED
    assert notification.error_code == "1051"
    assert notification.reason is RefusalReason.NO_FUNDS
    assert notification.error_message.startswith("Недостаточно средств на карте: ")


def test_unknown_fields_are_signed_and_nested_ones_are_not() -> None:
    message = read(signed({**CONFIRMED, "Unheard": "of", "Data": {"Route": "ACQ"}, "Shops": [{"ShopCode": "1"}]}))
    assert verify(message, PASSWORD)
    assert message.fields["Unheard"] == "of"


def test_text_where_numbers_are_meant_and_the_other_way_round() -> None:
    notification = notification_with(PaymentId="3093639567", Amount="15050", Success="true", ErrorCode=0, OrderId=21090)
    assert (notification.provider_payment_id, notification.amount_minor) == ("3093639567", 15050)
    assert (notification.error_code, notification.order_id) == ("0", "21090")


def test_an_unknown_status_is_kept_and_means_nothing() -> None:
    assert notification_with(Status="BRAND_NEW_WORD").status is NewsStatus.UNKNOWN
    assert notification_with(Status="BRAND_NEW_WORD").provider_status == "BRAND_NEW_WORD"
    assert notification_with(Status="RECEIPT").status is NewsStatus.UNKNOWN
    assert notification_with(Status=None).provider_status == ""


def test_a_linked_account_has_neither_order_nor_payment() -> None:
    body = {
        "TerminalKey": "1700000000000DEMO",
        "NotificationType": "LINKACCOUNT",
        "RequestKey": "0b1d6cfc-6ae6-4c9a-8a0b-3f3c5e6f7a8b",
        "Status": "ACTIVE",
        "Success": True,
        "ErrorCode": "0",
        "AccountToken": "t",
    }
    assert verify(read(signed(body)), PASSWORD)
    notification = parse(signed(body))
    assert not notification.is_about_payment
    assert (notification.order_id, notification.provider_payment_id, notification.amount_minor) == (None,) * 3
    assert notification.status is NewsStatus.UNKNOWN


@pytest.mark.parametrize(
    "change", [{"Status": "RECEIPT"}, {"NotificationType": "LINKCARD"}, {"OrderId": None}, {"OrderId": ""}], ids=repr
)
def test_what_is_not_about_a_payment_says_so(change: dict[str, Any]) -> None:
    assert not notification_with(**change).is_about_payment


def test_a_missing_token_is_a_wrong_token() -> None:
    message = read(json.dumps(CONFIRMED).encode())
    assert message.dedup_key == ""
    assert not verify(message, PASSWORD)


@pytest.mark.parametrize(
    "change",
    [
        {"TerminalKey": None},
        {"TerminalKey": ""},
        {"TerminalKey": []},
        {"TerminalKey": "k" * 21},
        {"Token": {"not": "text"}},
        {"Message": "a\0b"},
    ],
    ids=repr,
)
def test_what_nobody_could_have_signed_is_malformed(change: dict[str, Any]) -> None:
    raw = json.dumps({**CONFIRMED, "Token": "0" * 64, **change}).encode()
    for understand in (read, parse):
        with pytest.raises(MalformedNotification, match=r".+"):
            understand(raw)


@pytest.mark.parametrize(
    "change",
    [
        {"PaymentId": "12x"},
        {"PaymentId": -1},
        {"PaymentId": 10**21},
        {"PaymentId": True},
        {"PaymentId": {"id": 1}},
        {"PaymentId": "٣"},
        {"Amount": 150.5},
        {"Amount": -1},
        {"Amount": 10**10},
        {"Amount": "many"},
        {"Amount": [100]},
        {"Success": "yes"},
        {"Success": 1},
        {"Status": {"S": 1}},
        {"OrderId": False},
        {"OrderId": "o" * 51},
        {"ErrorCode": {}},
        {"Message": ["no"]},
    ],
    ids=repr,
)
def test_wrong_types_are_malformed_and_signed_all_the_same(change: dict[str, Any]) -> None:
    # A number with a fraction is signed as the text it was written as.
    body = {**CONFIRMED, **{name: str(v) if isinstance(v, float) else v for name, v in change.items()}}
    raw = json.dumps({**CONFIRMED, **change, "Token": sign(body, PASSWORD)}).encode()
    message = read(raw)
    assert verify(message, PASSWORD)
    assert message.order_id == (None if "OrderId" in change else "don-0198f2c4")
    assert message.provider_payment_id == (None if "PaymentId" in change else "3093639567")
    with pytest.raises(MalformedNotification, match=r".+"):
        parse(raw)


@pytest.mark.parametrize(
    "raw",
    [b"", b"OK", b"[]", b"{}", b"\x00", b"{'TerminalKey': 1}", b'{"TerminalKey":"a","TerminalKey":"b"}'],
    ids=repr,
)
def test_garbage_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedNotification):
        parse(raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*CONFIRMED, "Token", "Message", "Extra"]), json_values))
def test_any_json_is_read_or_malformed(fields: dict[str, Any]) -> None:
    raw = json.dumps({**CONFIRMED, **fields}).encode("utf-8", "surrogatepass")
    try:
        assert not verify(read(raw), PASSWORD)
        notification = parse(raw)
    except MalformedNotification:
        return
    assert isinstance(notification.order_id, str | None)
    assert notification.amount_minor is None or 0 <= notification.amount_minor < 10**10


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedNotification):
        parse(raw)


@given(st.dictionaries(st.text(max_size=8).filter(lambda name: name not in ("Password", "Token")), json_values))
def test_what_the_bank_signed_is_verified(extra: dict[str, Any]) -> None:
    """Whatever root scalars the bank adds one day, as long as we can read them."""
    body = {**{name: value for name, value in extra.items() if not isinstance(value, float)}, **CONFIRMED}
    try:
        message = read(signed(body))
    except (ValueError, MalformedNotification):
        return
    assert verify(message, PASSWORD)
