"""What must be true in the end, whatever was killed: each function returns what is not, in words.

The bank's records are the truth about money, the browsers' journal about what people saw.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from tests.chaos.bank import BankPayment
from tests.chaos.books import Books, OurAlert, OurDonation, OurPayment, Totals
from tests.chaos.browsers import Journal, Sight
from tests.chaos.donors import message_of
from tests.chaos.plan import Plan

TAKEN = frozenset({"confirmed", "partially_refunded", "refunded"})
PAID = frozenset({"paid", "partially_refunded", "refunded"})
BOOKING_SECONDS = 20.0
"""A place is drawn a moment before its alert is there for all to see; no statement of ours takes longer than 15 s."""


def judge(plan: Plan, bank: Sequence[BankPayment], books: Books, journals: Mapping[str, Journal]) -> list[str]:
    """Everything that is wrong."""
    problems = [
        *compare_payments(bank, books.payments),
        *compare_sums(bank, books.payments, books.totals),
        *check_donations(books.donations, books.payments),
        *check_forms(plan, books.donations),
    ]
    for provider, journal in journals.items():
        donations = [donation for donation in books.donations if donation.provider == provider]
        problems += check_showings(donations, books.alerts, journal)
    return problems


def compare_payments(bank: Iterable[BankPayment], ours: Iterable[OurPayment]) -> Iterator[str]:
    """Taken there is booked here, once and as much; not taken there is not booked here; what went back is the same."""
    known: dict[tuple[str, str | None], OurPayment] = {}
    for payment in ours:
        key = (payment.provider, payment.provider_payment_id)
        if payment.provider_payment_id is not None and key in known:
            yield f"payments {known[key].id} and {payment.id} are one payment at the bank"
        known[key] = payment
        if payment.provider_payment_id is None and payment.booked_as is not None:
            yield f"payment {payment.id} is booked and no bank has it"
    at_bank = set()
    for theirs in bank:
        at_bank.add((theirs.provider, theirs.id))
        yield from _compare(theirs, known.get((theirs.provider, theirs.id)))
    for key, payment in known.items():
        if payment.provider_payment_id is not None and key not in at_bank:
            yield f"payment {payment.id} is unknown at the bank ({key})"


def _compare(theirs: BankPayment, payment: OurPayment | None) -> Iterator[str]:
    name = f"{theirs.provider} payment {theirs.id} ({theirs.status}, {theirs.amount_minor} kopecks)"
    if payment is None:
        if theirs.is_taken:
            yield f"{name} was taken and we do not know it: LOST"
        return
    name += f", ours {payment.id} ({payment.status})"
    if not theirs.is_taken:
        if payment.status in TAKEN or payment.bookings or payment.clearing_minor:
            yield f"{name} was not taken and is booked: COUNTED WITHOUT MONEY"
        return
    if payment.status not in TAKEN or payment.bookings == 0:
        yield f"{name} was taken and is not booked: LOST"
        return
    if payment.bookings != 1:
        yield f"{name} is booked {payment.bookings} times: COUNTED TWICE"
    if payment.booked_minor != theirs.amount_minor or payment.confirmed_minor != theirs.amount_minor:
        yield f"{name} is booked with {payment.booked_minor} kopecks, confirmed {payment.confirmed_minor}"
    if payment.returned_minor != theirs.returned_minor:
        yield f"{name}: {theirs.returned_minor} kopecks went back, {payment.returned_minor} are booked"
    expected = "confirmed"
    if theirs.returned_minor:
        expected = "refunded" if theirs.returned_minor == theirs.amount_minor else "partially_refunded"
    if payment.status != expected:
        yield f"{name} should be {expected}"


def compare_sums(bank: Iterable[BankPayment], ours: Sequence[OurPayment], totals: Iterable[Totals]) -> Iterator[str]:
    """What each terminal has of the money, by the bank and by the ledger; what streamers are told they have got."""
    theirs: Counter[str] = Counter()
    for one in bank:
        if one.is_taken:
            theirs[one.provider] += one.amount_minor - one.returned_minor
    cleared: Counter[str] = Counter()
    given: Counter[str] = Counter()
    donations: Counter[str] = Counter()
    for payment in ours:
        cleared[payment.provider] += payment.clearing_minor
        if payment.booked_as == "donation":
            left_minor = payment.booked_minor - payment.returned_minor
            given[payment.provider] += left_minor
            donations[payment.provider] += left_minor > 0
    for provider in theirs | cleared:
        if theirs[provider] != cleared[provider]:
            yield f"{provider} has {theirs[provider]} kopecks, the ledger {cleared[provider]}"
    for total in totals:
        expected = (given[total.provider], donations[total.provider])
        if (total.net_minor, total.donations) != expected:
            yield f"totals of {total.provider}: {(total.net_minor, total.donations)}, payments say {expected}"


def check_donations(donations: Iterable[OurDonation], payments: Iterable[OurPayment]) -> Iterator[str]:
    """Money came: one payment pays the donation, and any further one is surplus."""
    booked: dict[int, list[OurPayment]] = defaultdict(list)
    for payment in payments:
        if payment.booked_as is not None:
            booked[payment.donation_id].append(payment)
    for donation in donations:
        paying = [payment for payment in booked[donation.id] if payment.booked_as == "donation"]
        name = f"donation {donation.id} ({donation.message}, {donation.status})"
        if len(paying) != (1 if booked[donation.id] else 0):
            yield f"{name}: {len(booked[donation.id])} payments brought money, {len(paying)} of them pay it"
        if (donation.status in PAID) != bool(paying):
            yield f"{name} is paid by {len(paying)} payments"
        if paying and donation.refunded_minor != paying[0].returned_minor:
            yield f"{name}: {donation.refunded_minor} went back, its payment says {paying[0].returned_minor}"
        if paying and paying[0].booked_minor != donation.amount_minor:
            yield f"{name} of {donation.amount_minor} kopecks was paid with {paying[0].booked_minor}"


def check_forms(plan: Plan, donations: Iterable[OurDonation]) -> Iterator[str]:
    """A form sent again and again is one donation."""
    written = Counter(donation.message for donation in donations)
    for donor in plan.donors:
        count = written.pop(message_of(donor.number), 0)
        if count > 1:
            yield f"donor {donor.number} sent one form and has {count} donations: MADE TWICE"
    if written:
        yield f"donations that nobody made: {sorted(written)}"


def check_showings(donations: Iterable[OurDonation], alerts: Iterable[OurAlert], journal: Journal) -> Iterator[str]:
    """Each paid donation was readable exactly once, with its own words; what was returned before may stay unseen."""
    alert_of = {alert.donation_id: alert for alert in alerts}
    seen: dict[int, list[Sight]] = defaultdict(list)
    for sight in journal.seen:
        seen[sight.donation_id].append(sight)
    by_id = {donation.id: donation for donation in donations}
    for donation in by_id.values():
        sights, alert = seen[donation.id], alert_of.get(donation.id)
        name = f"donation {donation.id} ({donation.message}, {donation.status})"
        if len(sights) > 1:
            yield f"{name} was shown {len(sights)} times: SHOWN TWICE"
        if donation.status not in PAID:
            if sights or alert is not None:
                yield f"{name} has an alert and is not paid"
            continue
        if not sights and donation.status != "refunded":
            yield f"{name} was not shown: NOT SHOWN (alert {alert.status if alert else 'missing'})"
        if alert is None:
            yield f"{name} has no alert"
        elif (alert.status == "shown") != bool(sights) and donation.status != "refunded":
            yield f"{name}: its alert is {alert.status}, people saw it {len(sights)} times"
        if any((sight.message, sight.amount_minor) != (donation.message, donation.amount_minor) for sight in sights):
            yield f"{name} was shown with other words or another amount: {sights}"
    if strangers := seen.keys() - by_id.keys():
        yield f"alerts of other streamers' donations: {strangers}"
    yield from check_order([alert_of[sight.donation_id] for sight in journal.seen if sight.donation_id in alert_of])


def check_order(shown: Sequence[OurAlert]) -> Iterator[str]:
    """In the order of places. One that could be played only after a later place was offered was overtaken rightly."""
    for number, alert in enumerate(shown):
        for earlier in shown[:number]:
            if alert.place < earlier.place and _could_play(alert, earlier.offered_at):
                yield (
                    f"donation {alert.donation_id} (place {alert.place}) was shown after donation"
                    f" {earlier.donation_id} (place {earlier.place}): OUT OF ORDER"
                )
                break


def _could_play(alert: OurAlert, when: datetime | None) -> bool:
    return when is not None and alert.playable_at + timedelta(seconds=BOOKING_SECONDS) < when
