"""Who watches the watchmen: each broken promise is found, and kept ones are not complained of."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.chaos.bank import BankPayment
from tests.chaos.books import OurAlert, OurDonation, OurPayment, Totals
from tests.chaos.browsers import Journal, Sight
from tests.chaos.donors import message_of
from tests.chaos.plan import make_plan
from tests.chaos.verdict import (
    check_donations,
    check_forms,
    check_order,
    check_showings,
    compare_payments,
    compare_sums,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
THEIRS = BankPayment("tbank", "700", "order", "CONFIRMED", 30_000, 0, is_taken=True)
OURS = OurPayment(1, "tbank", "700", 5, "confirmed", 30_000, "donation", 1, 30_000, 0, 30_000)
DONATION = OurDonation(5, "tbank", message_of(0), "paid", 30_000, 0)
ALERT = OurAlert(uuid.uuid4(), 5, "shown", 1, NOON, NOON)
SIGHT = Sight(ALERT.alert_id, 5, message_of(0), 30_000)
UNPAID = replace(THEIRS, status="DEADLINE_EXPIRED", is_taken=False)
UNBOOKED = OurPayment(1, "tbank", "700", 5, "expired", None, None, 0, 0, 0, 0)


def payments(theirs: Sequence[BankPayment], ours: Sequence[OurPayment]) -> str:
    return "; ".join(compare_payments(theirs, ours))


def test_money_that_came_and_is_booked_is_well() -> None:
    assert payments([THEIRS], [OURS]) == ""
    assert payments([UNPAID], [UNBOOKED]) == ""
    assert list(compare_sums([THEIRS], [OURS], [Totals("tbank", 30_000, 1)])) == []


def test_a_payment_that_was_never_paid_need_not_be_known() -> None:
    assert payments([UNPAID], []) == ""


def test_lost_money_is_found() -> None:
    assert "LOST" in payments([THEIRS], [])
    assert "LOST" in payments([THEIRS], [UNBOOKED])
    assert "30000 kopecks, the ledger 0" in "".join(compare_sums([THEIRS], [UNBOOKED], []))


def test_money_that_never_came_is_found() -> None:
    assert "COUNTED WITHOUT MONEY" in payments([UNPAID], [OURS])
    assert "unknown at the bank" in payments([], [OURS])


def test_money_booked_twice_is_found() -> None:
    assert "COUNTED TWICE" in payments([THEIRS], [replace(OURS, bookings=2, booked_minor=60_000)])
    assert "one payment at the bank" in payments([THEIRS], [OURS, replace(OURS, id=2)])
    assert "totals" in "".join(compare_sums([THEIRS], [OURS], [Totals("tbank", 60_000, 2)]))


def test_a_refund_that_the_books_do_not_know_is_found() -> None:
    returned = replace(THEIRS, returned_minor=10_000)
    assert "10000 kopecks went back, 0 are booked" in payments([returned], [OURS])
    known = replace(OURS, status="partially_refunded", returned_minor=10_000, clearing_minor=20_000)
    assert payments([returned], [known]) == ""
    assert "should be partially_refunded" in payments([returned], [replace(known, status="refunded")])
    assert "went back" in payments([THEIRS], [known])


def test_one_payment_pays_a_donation_and_the_next_is_surplus() -> None:
    surplus = replace(OURS, id=2, provider_payment_id="701", booked_as="surplus")
    assert list(check_donations([DONATION], [OURS, surplus])) == []
    assert "2 of them pay it" in "".join(check_donations([DONATION], [OURS, replace(surplus, booked_as="donation")]))
    assert "0 of them pay it" in "".join(check_donations([DONATION], [surplus]))
    assert "is paid by 0 payments" in "".join(check_donations([DONATION], [UNBOOKED]))
    assert "was paid with" in "".join(check_donations([replace(DONATION, amount_minor=1)], [OURS]))


def test_one_form_is_one_donation() -> None:
    plan = make_plan(1, payments=1, kills=0)
    assert list(check_forms(plan, [DONATION])) == []
    assert "MADE TWICE" in "".join(check_forms(plan, [DONATION, replace(DONATION, id=6)]))
    assert "nobody made" in "".join(check_forms(plan, [replace(DONATION, message="кто это?")]))


def showings(donation: OurDonation, alerts: Sequence[OurAlert], sights: Sequence[Sight]) -> str:
    return "; ".join(check_showings([donation], alerts, Journal(list(sights))))


def test_a_paid_donation_is_shown_once() -> None:
    assert showings(DONATION, [ALERT], [SIGHT]) == ""
    assert "SHOWN TWICE" in showings(DONATION, [ALERT], [SIGHT, SIGHT])
    assert "NOT SHOWN" in showings(DONATION, [ALERT], [])
    assert "has no alert" in showings(DONATION, [], [])
    assert "other words" in showings(DONATION, [ALERT], [replace(SIGHT, amount_minor=1)])


def test_what_was_returned_before_it_was_shown_need_not_be() -> None:
    returned = replace(DONATION, status="refunded", refunded_minor=30_000)
    assert showings(returned, [replace(ALERT, status="dropped")], []) == ""
    assert "NOT SHOWN" in showings(
        replace(DONATION, status="partially_refunded"), [replace(ALERT, status="dropped")], []
    )


def test_nobody_sees_what_was_not_paid() -> None:
    assert "is not paid" in showings(replace(DONATION, status="failed"), [ALERT], [SIGHT])


def test_the_order_is_that_of_the_places() -> None:
    later = replace(ALERT, donation_id=6, place=2, playable_at=NOON + timedelta(minutes=1))
    long_before = replace(later, offered_at=NOON + timedelta(minutes=2))
    assert list(check_order([ALERT, long_before])) == []
    assert "OUT OF ORDER" in "".join(check_order([long_before, ALERT]))
    # Both were being booked at the same moment, and the later place was there for all to see first.
    assert list(check_order([replace(later, offered_at=NOON + timedelta(seconds=1)), ALERT])) == []
