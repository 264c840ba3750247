"""Requisites: what is a right number, what is missing, and what the database refuses whatever the program thinks."""

from typing import Any

import asyncpg
import pytest

from domain.errors import InvalidInputError
from domain.requisites import (
    Kind,
    RefundRule,
    Requisites,
    clean_inn,
    clean_ogrn,
    clean_phone,
    clean_registry_url,
    clean_requisites,
    get_requisites,
    save_requisites,
)
from tests.builders import make_streamer

# Numbers of well-known organisations and made-up ones with right check digits.
COMPANY_INN, PERSON_INN = "7707083893", "500100732259"
OGRN, OGRNIP = "1027700132195", "304500116000157"

GOOD = {
    "kind": "entrepreneur",
    "full_name": "Иванова Анна Сергеевна",
    "inn": PERSON_INN,
    "ogrn": OGRNIP,
    "postal_address": "644000, Омск, а/я 12",
    "email": "anna@example.org",
    "phone": "8 (916) 123-45-67",
    "refund_rule": "request",
    "refund_days": "10",
    "purpose": "На продолжение трансляций",
}


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        (COMPANY_INN, Kind.COMPANY, COMPANY_INN),
        (" 77 07-083893 ", Kind.COMPANY, COMPANY_INN),
        (PERSON_INN, Kind.NPD, PERSON_INN),
        (PERSON_INN, Kind.ENTREPRENEUR, PERSON_INN),
        ("", Kind.NPD, ""),
        (COMPANY_INN, Kind.NPD, "length"),
        (PERSON_INN, Kind.COMPANY, "length"),
        ("7707083894", Kind.COMPANY, "checksum"),
        ("500100732258", Kind.NPD, "checksum"),
        ("500100732269", Kind.NPD, "checksum"),
        ("000000000000", Kind.NPD, "checksum"),
        ("0000000000", Kind.COMPANY, "checksum"),
        ("٧٧٠٧٠٨٣٨٩٣", Kind.COMPANY, "length"),
        ("<script>alert", Kind.NPD, "length"),
        ("5" * 5000, Kind.NPD, "length"),
    ],
)
def test_inn(text: str, kind: Kind, expected: str) -> None:
    try:
        assert clean_inn(text, kind) == expected
    except InvalidInputError as error:
        assert (error.field, error.code) == ("inn", expected)  # noqa: PT017


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        (OGRN, Kind.COMPANY, OGRN),
        (OGRNIP, Kind.ENTREPRENEUR, OGRNIP),
        ("anything", Kind.NPD, ""),
        (OGRN, Kind.ENTREPRENEUR, "length"),
        (OGRNIP, Kind.COMPANY, "length"),
        ("1027700132196", Kind.COMPANY, "checksum"),
        ("304500116000158", Kind.ENTREPRENEUR, "checksum"),
    ],
)
def test_ogrn(text: str, kind: Kind, expected: str) -> None:
    try:
        assert clean_ogrn(text, kind) == expected
    except InvalidInputError as error:
        assert (error.field, error.code) == ("ogrn", expected)  # noqa: PT017


def test_phones_become_one_form() -> None:
    for text in ("8 (916) 123-45-67", "+7 916 123 45 67", "79161234567", "+7.916.123.45.67"):
        assert clean_phone(text) == "+79161234567"
    assert clean_phone("") == ""
    for text in ("123", "звоните", "+7916123456789012", "8916123456x"):
        with pytest.raises(InvalidInputError):
            clean_phone(text)


def test_only_an_https_link_is_a_badge() -> None:
    assert clean_registry_url(" https://www.gosuslugi.ru/snet/1a2b ") == "https://www.gosuslugi.ru/snet/1a2b"
    bad = (
        "http://gosuslugi.ru/snet/1", "javascript:alert(1)", "//gosuslugi.ru", "https://", "https://localhost", "HTTPS://a.ru",
        "https://user:pass@evil.example", 'https://a.ru/"onclick="x', "https://a.ru/<b>", "https://а.рф", "https://[::1",
        "https://a.ru/" + "x" * 300, "data:text/html,x",
    )  # fmt: skip
    for url in bad:
        with pytest.raises(InvalidInputError):
            clean_registry_url(url)


def test_unfinished_is_fine_and_says_what_is_missing() -> None:
    typed, errors = clean_requisites({"kind": "company", "refund_rule": "mistake", "refund_days": "3"})
    assert errors == {}
    assert typed.missing == ("full_name", "inn", "ogrn", "postal_address", "email", "purpose")
    typed, errors = clean_requisites(GOOD)
    assert errors == {}
    assert typed.is_complete
    assert typed.phone == "+79161234567"
    # The self-employed have neither ОГРН nor an obligatory address.
    npd, _errors = clean_requisites({**GOOD, "kind": "npd", "postal_address": ""})
    assert npd.is_complete
    assert npd.ogrn == ""


def test_every_wrong_field_is_said_at_once() -> None:
    bad = {
        "inn": "1",
        "ogrn": "1",
        "email": "no",
        "phone": "no",
        "refund_days": "0",
        "purpose": "x" * 301,
        "full_name": "x" * 201,
        "registry_number": "1",
        "is_foreign_agent": "yes",
    }
    _typed, errors = clean_requisites({**GOOD, **bad})
    assert set(errors) == set(bad) - {"registry_number", "is_foreign_agent"} | {"registry_url", "foreign_agent_label"}


@pytest.mark.parametrize("choice", [{"kind": "king"}, {"refund_rule": "never"}, {"age_mark": "99+"}])
def test_what_no_form_offers_is_refused(choice: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        clean_requisites({**GOOD, **choice})


async def test_kept_and_read(connection: Any) -> None:
    streamer = await make_streamer(connection)
    assert await get_requisites(connection, streamer.id) is None
    typed, _errors = clean_requisites(GOOD)
    await save_requisites(connection, streamer.id, typed)
    await save_requisites(connection, streamer.id, typed)
    assert await get_requisites(connection, streamer.id) == typed


@pytest.mark.parametrize(
    "wrong",
    [
        {"inn": COMPANY_INN},
        {"ogrn": OGRN},
        {"registry_url": "http://a.ru"},
        {"registry_number": "5"},
        {"is_foreign_agent": True},
        {"phone": "звоните"},
        {"age_mark": "99+"},
    ],
)
async def test_the_database_is_the_last_guard(connection: Any, wrong: dict[str, Any]) -> None:
    streamer = await make_streamer(connection)
    good = {"kind": Kind.ENTREPRENEUR, "inn": PERSON_INN, "ogrn": OGRNIP, "refund_rule": RefundRule.REQUEST}
    with pytest.raises(asyncpg.CheckViolationError):
        await save_requisites(connection, streamer.id, Requisites(**{**good, **wrong}))
