"""What news of a payment do: the one place where a donation becomes paid, whoever brought the news.

`apply_news` is called with a notification, an answer to our question, or an act of our own. It may be called
twice, late or in any order; the payment ends in the state the provider says (DESIGN 3 and 4).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain import ledger, outbox, refunds, returns
from domain.asides import aside
from domain.booking import follow_booking
from domain.events import Actor, EventType, Topic, Wake
from domain.ledger import BookedAs
from domain.payment_status import NewsStatus
from domain.payments import TAKEN, Payment, PaymentStatus, adopt_twin, payment_from
from infra import queries


class Source(StrEnum):
    NOTIFICATION = "notification"
    POLL = "poll"
    OWN = "own"
    REGISTRY = "registry"
    """The provider's file of operations, read afterwards."""


class Outcome(StrEnum):
    """What became of a piece of news; stored with the notification that brought it."""

    APPLIED = "applied"
    NOTHING_NEW = "nothing_new"
    """Known, older than what we know, or a word that says nothing."""
    STALE = "stale"
    """The payment heard other news since this was asked: ask again."""
    ASKED = "asked"
    """Not believed as it came; the provider is asked."""
    UNRESOLVED = "unresolved"
    """A part went back, and the provider, asked, does not say how much: it is asked on, and somebody has to look."""
    OTHER_PAYMENT = "other_payment"
    """The provider's payment id is not the one we know for this order, and it brought no money."""


@dataclass(frozen=True)
class News:
    """What somebody says of a payment; `amount_minor` in kopecks, None when not said."""

    source: Source
    status: NewsStatus
    provider_status: str
    provider_payment_id: str | None = None
    amount_minor: int | None = None
    error_code: str = ""
    error_message: str = ""
    error_reason: str = ""
    """The refusal sorted: a provider's `RefusalReason`."""
    raw: bytes | None = None
    note: str = ""
    inbox_id: int | None = None
    method: str = ""
    """How it was paid, as far as known: card, sbp, …"""
    payer: str = field(default="", repr=False)
    """Who paid, as the provider masks it; "" when it does not say."""
    user_id: int | None = None
    """Who wanted it, for an act of our own."""


@dataclass(frozen=True)
class Applied:
    """`wake` is to be published after the commit, None when nothing changed."""

    outcome: Outcome
    payment: Payment
    wake: Wake | None = None


def next_status(current: PaymentStatus, news: NewsStatus, source: Source) -> PaymentStatus:
    """Where a piece of news takes a payment: the rule, without its consequences.

    Confirmed outranks everything but refunds: a payment that we called failed, expired or cancelled and that is
    confirmed after all is paid. What is taken never becomes less than refunded.
    """
    if news in (NewsStatus.UNKNOWN, NewsStatus.REFUNDING):
        return current
    if current in TAKEN:
        return _after_taken(current, news)
    match news:
        case NewsStatus.CONFIRMED:
            return PaymentStatus.CONFIRMED
        case NewsStatus.PARTIALLY_REFUNDED:
            return PaymentStatus.PARTIALLY_REFUNDED
        case NewsStatus.REFUNDED:
            return PaymentStatus.REFUNDED
        case NewsStatus.AUTHORIZED:
            return PaymentStatus.AUTHORIZED
        case NewsStatus.CANCELLED:
            return PaymentStatus.CANCELLED
        case NewsStatus.EXPIRED:
            return current if current is PaymentStatus.CANCELLED else PaymentStatus.EXPIRED
        case NewsStatus.FAILED:
            # A held payment is not undone by the late word of a card tried before it; the provider, asked, knows.
            if current in (PaymentStatus.CANCELLED, PaymentStatus.EXPIRED):
                return current
            if current is PaymentStatus.AUTHORIZED and source is Source.NOTIFICATION:
                return current
            return PaymentStatus.FAILED
        case NewsStatus.PENDING | NewsStatus.PROCESSING:
            # Declined, and the donor tries another card on the same page: only the provider, asked, may say so.
            # One that has no URL yet stays with who opens it: pending without a URL, it would never get one.
            return PaymentStatus.PENDING if current is PaymentStatus.FAILED and source is Source.POLL else current
    raise AssertionError(news)


def _after_taken(current: PaymentStatus, news: NewsStatus) -> PaymentStatus:
    if news is NewsStatus.REFUNDED:
        return PaymentStatus.REFUNDED
    if news is NewsStatus.PARTIALLY_REFUNDED and current is not PaymentStatus.REFUNDED:
        return PaymentStatus.PARTIALLY_REFUNDED
    return current


_MONEY_NEWS = frozenset({NewsStatus.AUTHORIZED, NewsStatus.CONFIRMED})
_REFUND_NEWS = frozenset({NewsStatus.REFUNDING, NewsStatus.PARTIALLY_REFUNDED, NewsStatus.REFUNDED})
# Told of a refund, we may ask before the bank's answers know of it: half a minute later, then twice more.
_LOOKS_AFTER_REFUND_NEWS = 3
# A hold given back in part ends as cancelled only when the provider, asked, says that nothing is left of it.
_FINAL = TAKEN | {PaymentStatus.CANCELLED, PaymentStatus.EXPIRED}


async def apply_news(connection: Any, payment_id: int, news: News, *, expected_version: int | None = None) -> Applied:
    """Apply news to a payment, with all that follows, in the caller's transaction.

    Steps: lock the payment; refuse what cannot be believed; move the status; book money; pay the donation; queue
    the alert; write the log and the outbox. With `expected_version`, nothing is done when the payment has heard
    other news since.
    """
    payment = payment_from(await queries.payments.lock_payment(connection, payment_id=payment_id))
    if expected_version is not None and payment.version != expected_version:
        return Applied(Outcome.STALE, payment)
    if (
        news.provider_payment_id is not None
        and payment.provider_payment_id is not None
        and news.provider_payment_id != payment.provider_payment_id
    ):
        return await _apply_to_twin(connection, payment, news, news.provider_payment_id)

    # An amount that is not said agrees with nothing.
    amount_differs = news.amount_minor != payment.amount_minor
    is_nameless = news.provider_payment_id is None and payment.provider_payment_id is None
    if news.source is Source.NOTIFICATION and (
        news.status in _REFUND_NEWS or (news.status in _MONEY_NEWS and (amount_differs or is_nameless))
    ):
        return await _ask_instead(connection, payment, news)

    if news.payer:
        # Before the booking: whom the streamer has blocked is known by it.
        async with aside(connection, f"Noting who paid payment {payment.id}"):
            await queries.blocks.note_payer(connection, payment_id=payment.id, payer=news.payer)

    is_unresolved = _is_unresolved(payment, news)
    if is_unresolved and payment.status in TAKEN:
        if news.provider_status != payment.provider_status:
            await _log(connection, payment, payment.status, news, note="how much went back is not known")
        await queries.payments.keep_asking(connection, payment_id=payment.id, provider_status=news.provider_status)
        return Applied(Outcome.UNRESOLVED, payment)

    # What can be refunded has been taken; more than that is not known while it is unresolved.
    known = NewsStatus.CONFIRMED if is_unresolved else news.status
    status = next_status(payment.status, known, news.source)
    refunded_minor = _refunded_minor(payment, news, status)
    is_new = status is not payment.status or (payment.provider_payment_id is None and news.provider_payment_id)
    if not is_new and refunded_minor is None:
        is_same_word = news.provider_status == payment.provider_status
        # The same answer to the same question, forty times for a link nobody pays, explains nothing.
        if not (news.source is Source.POLL and is_same_word):
            await _log(connection, payment, status, news)
        tells_method = bool(news.method) and not payment.method
        if news.source is Source.POLL and (not is_same_word or tells_method or _is_settled(payment, news)):
            await _write(connection, payment, news, status, payment.booked_as, payment.confirmed_minor)
        return Applied(Outcome.NOTHING_NEW, payment)

    booked_as, confirmed_minor = payment.booked_as, payment.confirmed_minor
    if status in TAKEN and payment.booked_as is None:
        confirmed_minor = payment.amount_minor
        if news.status is NewsStatus.CONFIRMED and news.amount_minor is not None:
            confirmed_minor = news.amount_minor
        booked_as = await _book(connection, payment, confirmed_minor)
    # The bank's word of a refund may overtake that of the payment, and is asked about all the same.
    keep_looks = news.status is NewsStatus.CONFIRMED
    await _write(connection, payment, news, status, booked_as, confirmed_minor, keep_looks=keep_looks)
    await _log(connection, payment, status, news)
    if is_unresolved:
        await queries.payments.keep_asking(connection, payment_id=payment.id, provider_status=news.provider_status)
    if refunded_minor is not None and booked_as is not None:
        await _refund(connection, payment, booked_as, refunded_minor)
    if status in (PaymentStatus.FAILED, PaymentStatus.EXPIRED, PaymentStatus.CANCELLED):
        await _fail(connection, payment, news)

    topics = {Topic.DONATION}
    if status in TAKEN:
        topics |= {Topic.ALERTS, Topic.TOTALS}
    wake = Wake(payment.streamer_id, frozenset(topics), payment.donation_id, plays_on=True)
    return Applied(Outcome.APPLIED, payment, wake)


async def _apply_to_twin(connection: Any, payment: Payment, news: News, provider_payment_id: str) -> Applied:
    """The provider made two payments of one order. Every confirmed payment is booked, so money makes the second a
    payment of its own; without money it is no more than a line in the log."""
    if news.status not in _MONEY_NEWS | _REFUND_NEWS:
        await _log(connection, payment, payment.status, news, note="another payment id for this order")
        return Applied(Outcome.OTHER_PAYMENT, payment)
    twin_id = await adopt_twin(connection, payment, provider_payment_id)
    if twin_id not in (payment.id, payment.twin_of):
        await _log(connection, payment, payment.status, news, note=f"another payment id, kept as payment {twin_id}")
    return await apply_news(connection, twin_id, news)


def _is_settled(payment: Payment, news: News) -> bool:
    """The bank was asked often enough about a payment that is over, and has nothing to add: no further looks."""
    return (
        payment.is_closed
        and payment.next_check_at is not None
        and payment.checks >= _LOOKS_AFTER_REFUND_NEWS
        and news.status is not NewsStatus.REFUNDING
    )


def _is_unresolved(payment: Payment, news: News) -> bool:
    """The provider says that a part went back, and no smaller amount: T-Bank leaves open which one it tells."""
    if news.status is not NewsStatus.PARTIALLY_REFUNDED or payment.status is PaymentStatus.REFUNDED:
        return False
    return news.amount_minor is None or not 0 < news.amount_minor < _taken_minor(payment)


def _taken_minor(payment: Payment) -> int:
    return payment.confirmed_minor or payment.amount_minor


def _refunded_minor(payment: Payment, news: News, status: PaymentStatus) -> int | None:
    """How much has gone back in all, as the provider says when asked; None when that is not known or nothing."""
    if news.status not in (NewsStatus.REFUNDED, NewsStatus.PARTIALLY_REFUNDED) or status not in TAKEN:
        return None
    taken_minor = _taken_minor(payment)
    if news.status is NewsStatus.REFUNDED:
        return taken_minor if payment.status is not PaymentStatus.REFUNDED else None
    if news.amount_minor is None or not 0 < news.amount_minor < taken_minor:
        return None
    return taken_minor - news.amount_minor


async def _ask_instead(connection: Any, payment: Payment, news: News) -> Applied:
    """Refunds, amounts that are not ours, and money without the provider's id are settled by asking the provider."""
    amount = "not said" if news.amount_minor is None else news.amount_minor
    note = "asked: refund" if news.status in _REFUND_NEWS else f"asked: amount {amount}"
    if payment.provider_payment_id is None and news.provider_payment_id is not None:
        # The terminal's signature vouches for the id; without it we could only ask about the order.
        await _write(connection, payment, news, payment.status, payment.booked_as, payment.confirmed_minor)
    await _log(connection, payment, payment.status, news, note=note)
    await outbox.add_task(connection, Actor.CHECK_PAYMENT, payment.id)
    await queries.payments.check_soon(connection, payment_id=payment.id, delay_seconds=30.0)
    return Applied(Outcome.ASKED, payment)


async def _book(connection: Any, payment: Payment, confirmed_minor: int) -> BookedAs:
    """Every confirmed payment is booked, always; the first with the right amount pays the donation."""
    paid = None
    if confirmed_minor == payment.amount_minor:
        paid = await queries.donations.pay(connection, donation_id=payment.donation_id)
        booked_as = BookedAs.DONATION if paid is not None else BookedAs.SURPLUS
    else:
        booked_as = BookedAs.REVIEW
        await queries.donations.mark_review(connection, donation_id=payment.donation_id)
    transaction = await ledger.book_payment(
        connection,
        streamer_id=payment.streamer_id,
        payment_id=payment.id,
        amount_minor=confirmed_minor,
        booked_as=booked_as,
    )
    assert transaction is not None, "a payment is booked under its lock, once"
    await follow_booking(connection, payment, transaction, confirmed_minor, booked_as, paid)
    return booked_as


async def _refund(connection: Any, payment: Payment, booked_as: BookedAs, refunded_minor: int) -> None:
    transaction, delta_minor = await ledger.book_refund(
        connection,
        streamer_id=payment.streamer_id,
        payment_id=payment.id,
        refunded_minor=refunded_minor,
        booked_as=booked_as,
    )
    await refunds.finish_covered(connection, payment.id, refunded_minor)
    if transaction is None:
        return
    await returns.settle_return(connection, payment, transaction, delta_minor, booked_as)
    await outbox.add_event(
        connection,
        EventType.PAYMENT_REFUNDED,
        {
            "booked_as": booked_as.value,
            "payment_id": payment.id,
            "donation_id": payment.donation_id,
            "streamer_id": payment.streamer_id,
            "amount_minor": payment.confirmed_minor or payment.amount_minor,
            "refunded_minor": refunded_minor,
            "currency": payment.currency,
        },
    )


async def _fail(connection: Any, payment: Payment, news: News) -> None:
    """The donation has failed when its newest open attempt has, until another is opened or one is confirmed."""
    failed = await queries.donations.fail(connection, donation_id=payment.donation_id, attempt=payment.attempt)
    if failed != "UPDATE 1":
        return
    await outbox.add_event(
        connection,
        EventType.PAYMENT_FAILED,
        {
            "payment_id": payment.id,
            "donation_id": payment.donation_id,
            "streamer_id": payment.streamer_id,
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
            "error_code": news.error_code,
        },
    )


async def _write(
    connection: Any,
    payment: Payment,
    news: News,
    status: PaymentStatus,
    booked_as: BookedAs | None,
    confirmed_minor: int | None,
    *,
    keep_looks: bool = False,
) -> None:
    # At YooKassa a decline ends the payment: it is cancelled, and says why.
    is_refused = status is PaymentStatus.FAILED or (status is PaymentStatus.CANCELLED and news.error_code != "0")
    await queries.payments.update_payment(
        connection,
        payment_id=payment.id,
        status=status,
        provider_payment_id=news.provider_payment_id,
        provider_status=news.provider_status,
        error_code=news.error_code if is_refused else "",
        error_message=news.error_message[:500] if is_refused else "",
        error_reason=news.error_reason if is_refused else "",
        confirmed_minor=confirmed_minor,
        booked_as=booked_as,
        method=news.method,
        closed=status in _FINAL,
        check_again=status not in _FINAL or news.status is NewsStatus.REFUNDING,
        keep_looks=keep_looks,
    )


async def _log(
    connection: Any, payment: Payment, status: PaymentStatus, news: News, *, note: str | None = None
) -> None:
    await queries.payments.insert_news(
        connection,
        payment_id=payment.id,
        source=news.source,
        status_before=payment.status,
        status_after=status,
        provider_status=news.provider_status,
        raw=news.raw,
        note=news.note if note is None else note,
        inbox_id=news.inbox_id,
        user_id=news.user_id,
    )
