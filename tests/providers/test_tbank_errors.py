"""T-Bank's codes, all of them, by what can be done about them."""

import re

import pytest

from providers.outcomes import (
    ProviderPermanentError,
    ProviderTemporaryError,
    ProviderUnknownOutcomeError,
    RefusalReason,
)
from providers.tbank.errors import NO_SBP, REASONS, TRY_LATER, error_for, reason_for
from tests.simulator.support import openapi


def documented_codes() -> set[str]:
    """Every code of the bank's own table but success; a few of its rows have a dash instead of a code."""
    [table] = [tag["description"] for tag in openapi()["tags"] if tag["name"] == "Коды ошибок"]
    cells = re.findall(r"^\| *([^ |]+) *\|", table, flags=re.MULTILINE)
    return {cell for cell in cells if cell.strip("-")} - {"CODE", "0"}


def test_every_documented_code_is_sorted_and_no_other() -> None:
    codes = documented_codes()
    assert len(codes) > 300
    assert all(code.isdigit() for code in codes)
    assert {code for row in REASONS.values() for code in row} == codes


def test_every_reason_has_codes_but_the_one_for_codes_unheard_of() -> None:
    assert set(RefusalReason) - {reason for reason, codes in REASONS.items() if codes} == {RefusalReason.UNKNOWN}


def test_what_means_no_sbp_stands_in_the_table_too() -> None:
    assert {reason_for(code) for code in NO_SBP} == {
        RefusalReason.SHOP_UNAVAILABLE,
        RefusalReason.AMOUNT_OUT_OF_RANGE,
    }


def test_no_code_stands_in_two_rows() -> None:
    codes = [code for row in REASONS.values() for code in row]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("code", sorted(TRY_LATER))
def test_the_banks_own_trouble_is_asked_again_but_never_blindly_repeated(code: str) -> None:
    assert isinstance(error_for(code, "m", changes_something=False), ProviderTemporaryError)
    assert isinstance(error_for(code, "m", changes_something=True), ProviderUnknownOutcomeError)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("204", RefusalReason.CREDENTIALS),
        ("501", RefusalReason.CREDENTIALS),
        ("251", RefusalReason.AMOUNT_OUT_OF_RANGE),
        ("12", RefusalReason.DUE_DATE),
        ("623", RefusalReason.ORDER_TAKEN),
        ("8", RefusalReason.WRONG_STATE),
        ("202", RefusalReason.SHOP_UNAVAILABLE),
        ("1051", RefusalReason.NO_FUNDS),
        ("1005", RefusalReason.DECLINED),
        ("1091", RefusalReason.DECLINED_FOR_NOW),
        ("1054", RefusalReason.CARD_DETAILS),
        ("76", RefusalReason.CARD_NOT_ACCEPTED),
        ("101", RefusalReason.CONFIRMATION_FAILED),
        ("5062", RefusalReason.PAYER_LIMIT),
        ("1204", RefusalReason.SHOP_LIMIT),
        ("309", RefusalReason.RECEIPT),
        ("5043", RefusalReason.REFUND_REFUSED),
        ("412", RefusalReason.OTHER_PRODUCT),
        ("1099", RefusalReason.SHOP_UNAVAILABLE),
        ("603", RefusalReason.TOO_MANY_ATTEMPTS),
        ("3002", RefusalReason.REFUND_WITHOUT_FUNDS),
        ("3029", RefusalReason.REFUND_LATER),
        ("255", RefusalReason.NOT_FOUND),
        ("212", RefusalReason.BAD_REQUEST),
    ],
)
@pytest.mark.parametrize("changes_something", [True, False])
def test_a_refusal_says_what_can_be_done(code: str, reason: RefusalReason, changes_something: bool) -> None:
    error = error_for(code, "because", changes_something=changes_something)
    assert isinstance(error, ProviderPermanentError)
    assert (error.code, error.message, error.reason) == (code, "because", reason)


def test_an_unheard_of_code_stops_a_change_but_never_a_question() -> None:
    change = error_for("987654", "?", changes_something=True)
    assert isinstance(change, ProviderPermanentError)
    assert change.reason is RefusalReason.UNKNOWN
    assert isinstance(error_for("987654", "?", changes_something=False), ProviderTemporaryError)


def test_a_card_issuers_new_code_is_a_refusal() -> None:
    assert "1042" not in documented_codes()
    assert reason_for("1042") is RefusalReason.DECLINED


def test_success_is_refused_for_no_reason() -> None:
    assert reason_for("0") is None
    assert reason_for("") is None


def test_an_error_is_stored_by_its_reason() -> None:
    error = error_for("1502", "?", changes_something=True)
    assert RefusalReason(str(error.reason)) is RefusalReason.REFUND_WITHOUT_FUNDS
    assert ProviderUnknownOutcomeError("no_answer", "?").reason is RefusalReason.PROVIDER_TROUBLE
