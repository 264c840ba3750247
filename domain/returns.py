"""What money that went back does to its donation: totals, its goal, top lists and alerts follow (DESIGN 5, 11).

Two ways lead here: refunds, ours or of the provider's cabinet (`domain/news.py`), and chargebacks, which a provider
tells by its registry alone.
"""

from typing import Any

from domain import alerts, goal_progress, outbox, totals
from domain.asides import aside
from domain.events import EventType
from domain.ledger import BookedAs, LedgerTransaction
from domain.payments import Payment
from infra import queries

# A donation of which nothing is left is none any more.
_GONE = frozenset({"refunded", "charged_back"})


async def settle_return(
    connection: Any, payment: Payment, transaction: LedgerTransaction, delta_minor: int, booked_as: BookedAs
) -> None:
    """After `delta_minor` kopecks more of a booked payment went back (below zero: came again), the rest follows.

    The donation's sums are counted from the ledger; totals and its goal move by the difference; an alert not shown yet
    is withdrawn when nothing is left, and one that plays may finish. A donation under review of which nothing is left
    has failed: its donor may try again.
    """
    paid_at, net_minor, donations, returned_minor = transaction.created_at, 0, 0, 0
    if booked_as is BookedAs.DONATION:
        row = await queries.donations.settle_returns(connection, donation_id=payment.donation_id, payment_id=payment.id)
        paid_at, net_minor = row["paid_at"], -delta_minor
        returned_minor = row["returned_minor"] - row["returned_before"]
        donations = (row["status_before"] in _GONE) - (row["status"] in _GONE)
        if row["status"] in _GONE:
            # Should it fail, the alert is not played all the same, and the rule `unpaid_alert` speaks of it.
            async with aside(connection, f"Taking back the alerts of donation {payment.donation_id}"):
                await alerts.withdraw_for_refund(connection, payment.donation_id)
    elif booked_as is BookedAs.REVIEW:
        await queries.donations.lock_donation_by_id(connection, donation_id=payment.donation_id)
        await queries.donations.settle_review(connection, donation_id=payment.donation_id)
    await totals.add_to_totals(
        connection,
        streamer_id=payment.streamer_id,
        paid_at=paid_at,
        delta_minor=net_minor,
        delta_donations=donations,
        ledger_transaction_id=transaction.id,
    )
    if returned_minor:
        await goal_progress.count_return(connection, payment.streamer_id, payment.donation_id, returned_minor)
    await outbox.add_event(connection, EventType.STATS_UPDATE, {"streamer_id": payment.streamer_id})
