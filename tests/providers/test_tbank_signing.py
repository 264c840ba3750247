"""T-Bank's Token: the bank's own published examples (B) and ours (V)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.json_body import MAX_BODY_BYTES, parse_body
from providers.tbank.signing import sign, verify

GIFT_CARD = "Подарочная карта на 1000 рублей"

BANK_VECTORS: dict[str, tuple[str, dict[str, Any], str]] = {
    "B1": (
        "usaf8fw8fsw21g",
        {"TerminalKey": "MerchantTerminalKey", "Amount": 19200, "OrderId": "21090", "Description": GIFT_CARD},
        "0024a00af7c350a3a67ca168ce06502aa72772456662e38696d48b56ee9c97d9",
    ),
    "B2": (
        "TinkoffBankTest",
        {
            "TerminalKey": "TinkoffBankTest",
            "Amount": 140000,
            "OrderId": "21090",
            "Description": GIFT_CARD,
            "DATA": {"Phone": "+71234567890", "Email": "a@test.com"},
            "Receipt": {"Email": "a@test.ru", "Taxation": "osn", "Items": []},
        },
        "68711168852240a2f34b6a8b19d2cfbd296c7d2a6dff8b23eda6278985959346",
    ),
    "B3": (
        "Dfsfh56dgKl",
        {
            "TerminalKey": "1321054611234DEMO",
            "OrderId": "201709",
            "Success": True,
            "Status": "AUTHORIZED",
            "PaymentId": 8742591,
            "ErrorCode": "0",
            "Amount": 9855,
            "RebillId": 101709,
            "CardId": 322264,
            "Pan": "430000******0777",
            "ExpDate": "1122",
        },
        "b906d28e76c6428e37b25fcf86c0adc52c63d503013fdd632e300593d165766b",
    ),
    "B4": (
        "TinkoffBankTest",
        {"TerminalKey": "TinkoffBankTest", "OrderId": "21057"},
        "4c4c36adf9936b011879fa26f60759e7b47e57f7968283129b0ae9ac457486ab",
    ),
    "B5": (
        "TinkoffBankTest",
        {"TerminalKey": "TinkoffBankTest", "PaymentId": "2304882"},
        "c0ad1dfc4e94ed44715c5ed0e84f8ec439695b9ac219a7a19555a075a3c3ed24",
    ),
    "B6": (
        "11111111111111",
        {"TerminalKey": "MerchantTerminalKey", "Amount": 19200, "OrderId": "00000", "Description": GIFT_CARD},
        "72dd466f8ace0a37a1f740ce5fb78101712bc0665d91a8108c7c8a0ccd426db2",
    ),
    "B7": (
        "123456",
        {
            "TerminalKey": "TinkoffBankTest",
            "Amount": 100000,
            "OrderId": "TokenExample",
            "Description": "test",
        },
        "597c160c8c348fb14c63c820c54b712468923a74fd111ac6b0ecda01fb5f4716",
    ),
}

OUR_PASSWORD = "s3cr3t_pass_20chars!"
PAID = {"PaymentId": 3093639567, "ErrorCode": "0", "Amount": 15050}
OUR_VECTORS: dict[str, tuple[dict[str, Any], str]] = {
    "V1": (
        {
            "Amount": 15050,
            "OrderId": "don-0198f2c4",
            "Description": "Донат для «Кота» 🎉",
            "PayType": "O",
            "Language": "ru",
            "NotificationURL": "https://example.org/hooks/tbank",
            "SuccessURL": "https://example.org/ok?o=${OrderId}",
            "FailURL": "https://example.org/fail",
            "RedirectDueDate": "2026-12-01T12:00:00+03:00",
            "DATA": {"donation": "42"},
            "Receipt": {"Taxation": "osn"},
        },
        "f17d75213d99a20a0ebdf370ddf51493f5334616d44d8fc88dcddcede807bcf0",
    ),
    "V2 as text": (
        {"PaymentId": "3093639567"},
        "d44af6c56595b78d08fb167c02f643e8073cbe1b46c499c5c992de8d1ad14548",
    ),
    "V2 as number": (
        {"PaymentId": 3093639567},
        "d44af6c56595b78d08fb167c02f643e8073cbe1b46c499c5c992de8d1ad14548",
    ),
    "V3": (
        {"PaymentId": "3093639567", "Amount": 5050, "ExternalRequestId": "refund-1"},
        "54be2b1cf90113bf254a3e775ac99043e61d5f651c606363504f9c19ffd7e1a8",
    ),
    "V4": (
        {"PaymentId": "3093639567", "Amount": 15050},
        "afb61f18766a5cd8e131dc4f87964e62e139763fd527c3cbf482fe45815432b8",
    ),
    "V5": (
        {"OrderId": "don-0198f2c4"},
        "5257bf0f0a9473587af88511b9775f4d10e08ede7aba71c2743a5ea7ea3acfa0",
    ),
    "V6": (
        {"PaymentId": 3093639567, "DataType": "PAYLOAD"},
        "c7cc8be075297e4ff0649c7e5e061a25e5822588b71d90e10b1b451ff4dfb687",
    ),
    "V7": (
        {"PaymentId": "3093639567", "IsDeadlineExpired": True, "IsRejected": False},
        "7665f0a12bd4df1859f1c7f4cc9c7845b1bcb9a3599a4453aff5c0f22d253365",
    ),
    "V8": ({}, "59eed3163ef3cd96d87a1c7dace3580ec67dd5ffc87e9d050c27588e1db6b074"),
    "V9": (
        {
            **PAID,
            "OrderId": "don-0198f2c4",
            "Success": True,
            "Status": "CONFIRMED",
            "CardId": 322264,
            "Pan": "430000******0777",
            "ExpDate": "1230",
            "Data": {"Route": "ACQ", "Source": "cards"},
        },
        "05af723bc56ed61f09571972ee3ebea7b1b6290659d194bf5e89bf9c31dea05b",
    ),
    "V10": (
        {
            **PAID,
            "OrderId": "don-0198f2c4",
            "Success": False,
            "Status": "REJECTED",
            "ErrorCode": "1051",
            "Message": "Недостаточно средств на карте",
            "Details": "Не получилось оплатить. На карте недостаточно средств",
            "Pan": "430000******0777",
            "ExpDate": "1230",
        },
        "852f0619dd8405b5cf3e22676e5633c878bbf21131fe10ab486d54478612e3cb",
    ),
    "V11": (
        {
            **PAID,
            "OrderId": "don-0198f2c4",
            "Success": True,
            "Status": "CONFIRMED",
            "Pan": "+7 (916) ***-**-21",
        },
        "04545b68d0a8dfc0dbaf37e14a72b295af886a3ce6add034f673ddf8245da0b1",
    ),
    "V12": (
        {"PaymentId": "1", "IP": None},
        "ccaff706bd47d4f5d9974cdc0f0512a0f3f36e319c065f370322aeffc7e570c8",
    ),
}


@pytest.mark.parametrize("name", BANK_VECTORS)
def test_the_banks_published_tokens_are_ours_too(name: str) -> None:
    password, fields, token = BANK_VECTORS[name]
    assert sign(fields, password) == token
    assert verify({**fields, "Token": token}, password)


@pytest.mark.parametrize("name", OUR_VECTORS)
def test_our_own_vectors(name: str) -> None:
    fields, token = OUR_VECTORS[name]
    assert sign({"TerminalKey": "1700000000000DEMO", **fields}, OUR_PASSWORD) == token


def test_an_upper_case_token_is_accepted_and_a_wrong_missing_or_odd_one_is_not() -> None:
    password, fields, token = BANK_VECTORS["B4"]
    assert verify({**fields, "Token": token.upper()}, password)
    assert not verify({**fields, "Token": token}, "another password")
    assert not verify({**fields, "Token": token, "Unknown": "signed too"}, password)
    assert not verify(fields, password)
    assert not verify({**fields, "Token": 5}, password)
    assert not verify({**fields, "Token": "ключ"}, password)


def test_a_password_inside_a_body_is_refused() -> None:
    with pytest.raises(ValueError, match="password"):
        sign({"TerminalKey": "x", "Password": "leaked"}, "p")
    assert not verify({"TerminalKey": "x", "Password": "p", "Token": sign({"TerminalKey": "x"}, "p")}, "p")


def test_numbers_keep_the_form_they_were_signed_in() -> None:
    fields = parse_body(b'{"Amount": 9007199254740993, "Rate": 1.10, "Tiny": 1e3}')
    assert fields == {"Amount": 9007199254740993, "Rate": "1.10", "Tiny": "1e3"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": "\\u0000"}',
        b'{"a": ["\\ud800"]}',
        b'{"\\ud800": 1}',
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a": ' + b"9" * 10_000 + b"}",
        b'{"a": "' + b"x" * MAX_BODY_BYTES + b'"}',
    ],
    ids=lambda raw: repr(raw[:24]),
)
def test_what_is_not_a_body_is_refused_with_a_reason(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_body(raw)


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_value_error(raw: bytes) -> None:
    try:
        assert isinstance(parse_body(raw), dict)
    except ValueError:
        pass
