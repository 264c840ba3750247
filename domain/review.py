"""Money of another amount than its donor had chosen: the streamer takes it as it came, or gives it back (DESIGN 3)."""

from typing import Any

from domain import ledger
from domain.booking import follow_booking
from domain.errors import NotAllowedError, NotFoundError
from domain.events import Topic, Wake
from domain.ledger import BookedAs
from domain.payments import note_act, payment_from
from infra import queries


async def accept(connection: Any, *, streamer_id: int, payment_id: int, user_id: int) -> Wake | None:
    """Take a payment under review as the donation, with the amount that came. To be published after the commit.

    What was asked for stays written down as wished; everything else is as if the donor had chosen this amount: totals,
    alert, events. None: it was accepted before. Raises NotFoundError("payment"); NotAllowedError("not_in_review" |
    "refund_under_way" | "partly_returned" | "several_payments" | "already_paid").
    """
    row = await queries.payments.lock_payment(connection, payment_id=payment_id)
    if row is None or row["streamer_id"] != streamer_id:
        raise NotFoundError("payment")
    payment = payment_from(row)
    if payment.accepted_at is not None:
        return None
    if payment.booked_as is not BookedAs.REVIEW or payment.confirmed_minor is None:
        raise NotAllowedError("not_in_review")
    if await queries.refunds.find_open_refund(connection, payment_id=payment_id) is not None:
        raise NotAllowedError("refund_under_way")
    if await queries.ledger.sum_gone(connection, payment_id=payment_id) > 0:
        raise NotAllowedError("partly_returned")
    # After the payment's row, as news do; whoever books another payment of the donation waits here.
    await queries.donations.lock_donation_by_id(connection, donation_id=payment.donation_id)
    if await queries.payments.count_other_reviews(connection, payment_id=payment_id, donation_id=payment.donation_id):
        raise NotAllowedError("several_payments")
    paid = await queries.donations.accept_review(
        connection, donation_id=payment.donation_id, amount_minor=payment.confirmed_minor
    )
    if paid is None:
        raise NotAllowedError("already_paid")
    await queries.payments.accept_payment(connection, payment_id=payment_id, user_id=user_id)
    transaction = await ledger.book_acceptance(
        connection, streamer_id=streamer_id, payment_id=payment_id, amount_minor=payment.confirmed_minor
    )
    assert transaction is not None, "a payment is accepted under its lock, once"
    await follow_booking(connection, payment, transaction, payment.confirmed_minor, BookedAs.DONATION, paid)
    await note_act(connection, payment, f"{payment.confirmed_minor} kopecks accepted as they came", user_id=user_id)
    topics = frozenset({Topic.DONATION, Topic.ALERTS, Topic.TOTALS})
    return Wake(streamer_id, topics, payment.donation_id, plays_on=True)
