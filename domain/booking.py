"""What follows when a payment's money is booked: alert, events and totals, whoever booked it (`news`, `review`)."""

from typing import Any

from domain import alerts, goals, judgement, outbox, totals
from domain.events import EventType
from domain.ledger import BookedAs, LedgerTransaction
from domain.payments import Payment


async def follow_booking(
    connection: Any,
    payment: Payment,
    transaction: LedgerTransaction,
    amount_minor: int,
    booked_as: BookedAs,
    paid: Any | None,
) -> None:
    """`amount_minor` kopecks are booked by `transaction`; `paid` is the donation's row if that has paid it."""
    if paid is not None:
        whose = {"streamer_id": payment.streamer_id, "donation_id": payment.donation_id}
        judged = await judgement.judge_paid(
            connection, **whose, amount_minor=amount_minor, name=paid["donor_name"], message=paid["message"]
        )
        await alerts.enqueue_donation(
            connection,
            **whose,
            donor_name=judged.verdict.public_name,
            message=judged.verdict.public_message,
            amount_minor=amount_minor,
            held=judged.is_held,
        )
        await judgement.record(connection, judged, **whose)
    facts = {
        "payment_id": payment.id,
        "donation_id": payment.donation_id,
        "streamer_id": payment.streamer_id,
        "amount_minor": amount_minor,
        "currency": payment.currency,
        "booked_as": booked_as.value,
    }
    events = [(EventType.PAYMENT_COMPLETED, facts)]
    if paid is not None:
        events.append((EventType.NOTIFICATION_SEND, {name: facts[name] for name in ("streamer_id", "donation_id")}))
    events.append((EventType.STATS_UPDATE, {"streamer_id": payment.streamer_id}))
    await outbox.add_events(connection, events)
    await totals.add_to_totals(
        connection,
        streamer_id=payment.streamer_id,
        paid_at=transaction.created_at,
        delta_minor=amount_minor if booked_as is BookedAs.DONATION else 0,
        delta_donations=1 if booked_as is BookedAs.DONATION else 0,
        ledger_transaction_id=transaction.id,
    )
    if booked_as is BookedAs.DONATION:
        await goals.count_donation(connection, payment.streamer_id, payment.donation_id, amount_minor)
