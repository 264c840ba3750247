"""What follows when a payment's money is booked: alert, events and totals, whoever booked it (`news`, `review`).

Totals and events are part of the booking. Alert, moderation and goal stand beside it: where they fail the money is
booked, the alert waits for a person, and the goal is made up for (docs/decisions/0034).
"""

from typing import Any

from domain import alerts, goal_progress, judgement, outbox, totals
from domain.asides import aside
from domain.events import Actor, EventType, Topic, Wake
from domain.judgement import Judged
from domain.ledger import BookedAs, LedgerTransaction
from domain.payments import Payment
from infra import queries


async def follow_booking(
    connection: Any,
    payment: Payment,
    transaction: LedgerTransaction,
    amount_minor: int,
    booked_as: BookedAs,
    paid: Any | None,
) -> None:
    """`amount_minor` kopecks are booked by `transaction`; `paid` is the donation's row if that has paid it."""
    texts: dict[str, Any] = {}
    if paid is not None:
        texts = await _give_alert(
            connection,
            streamer_id=payment.streamer_id,
            donation_id=payment.donation_id,
            amount_minor=amount_minor,
            donor_name=paid["donor_name"],
            message=paid["message"],
        )
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
        told = ("streamer_id", "donation_id", "amount_minor", "currency")
        events.append((EventType.NOTIFICATION_SEND, {**{name: facts[name] for name in told}, **texts}))
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
        await goal_progress.count_donation(connection, payment.streamer_id, payment.donation_id, amount_minor)


async def give_missing_alert(connection: Any, donation_id: int) -> Wake | None:
    """Of a paid donation that has none, since its booking could make none. To be published after the commit."""
    await queries.donations.lock_donation_by_id(connection, donation_id=donation_id)
    row = await queries.donations.get_alertless(connection, donation_id=donation_id)
    if row is None:
        return None
    name, message = row["donor_name"], row["message"]
    # As it was when it was paid: until it is judged the transaction is open.
    await queries.moderation.set_public_texts(connection, donation_id=donation_id, donor_name=name, message=message)
    await _give_alert(connection, donation_id=donation_id, **row)
    await queries.donations.tell_again(connection, donation_id=donation_id)
    return Wake(row["streamer_id"], frozenset({Topic.ALERTS, Topic.DONATION}), donation_id, plays_on=True)


async def ask_missing_alerts(connection: Any, *, limit: int = 100) -> int:
    """Ask for the alerts of donations booked lately that have none; how many."""
    rows = [row async for row in queries.donations.list_alertless(connection, limit=limit)]
    for row in rows:
        await outbox.add_task(connection, Actor.GIVE_ALERT, row["donation_id"])
    return len(rows)


async def _give_alert(
    connection: Any, *, streamer_id: int, donation_id: int, amount_minor: int, donor_name: str | None, message: str
) -> dict[str, Any]:
    """With its texts judged. Where that fails the alert waits for a person, as one that nobody could judge.

    Returns what an event may say of it: whether it is held, and its texts if they may leave us.
    """
    whose = {"streamer_id": streamer_id, "donation_id": donation_id}
    judged = await judgement.judge_paid(
        connection, **whose, amount_minor=amount_minor, name=donor_name, message=message
    )
    async with aside(connection, f"The alert of donation {donation_id}") as showing:
        await _enqueue(connection, judged, amount_minor, **whose)
        await judgement.record(connection, judged, **whose)
    if not showing.failed:
        return judgement.texts_of(judged)
    unjudged = judgement.unjudged(donor_name, message)
    # Each by itself: text that nobody has judged leaves in no case, and what is missing is made by the next sweeps.
    async with aside(connection, f"Keeping the texts of donation {donation_id} back"):
        await judgement.keep_texts_back(connection, donation_id)
    async with aside(connection, f"The held alert of donation {donation_id}"):
        await _enqueue(connection, unjudged, amount_minor, **whose)
    async with aside(connection, f"The hold of donation {donation_id}"):
        await judgement.record(connection, unjudged, **whose)
    return judgement.texts_of(unjudged)


async def _enqueue(connection: Any, judged: Judged, amount_minor: int, *, streamer_id: int, donation_id: int) -> None:
    await alerts.enqueue_donation(
        connection,
        streamer_id=streamer_id,
        donation_id=donation_id,
        donor_name=judged.verdict.public_name,
        message=judged.verdict.public_message,
        amount_minor=amount_minor,
        held=judged.is_held,
    )
