"""Chargebacks: a donor's bank took the money of a donation back. Told by a provider's registry alone, days later.

What the money does is booked as the registry's lines add up (`domain/registry.py`); the streamer is told privately,
never on stream, and finds here what her bank asks for when she objects.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from domain import ledger, outbox, returns
from domain.asides import aside
from domain.errors import NotFoundError
from domain.events import EventType, Topic, Wake
from domain.ledger import BookedAs
from domain.news import Source
from domain.payments import Payment, payment_from
from domain.registry_rows import RegistryKind
from infra import queries


@dataclass(frozen=True)
class Chargeback:
    """A disputed payment in the streamer's list; kopecks. `held_minor` is what the donor's bank still has of it."""

    payment_id: int
    donation_id: int
    happened_at: datetime
    told_at: datetime
    changed_at: datetime
    read_at: datetime | None
    booked_as: BookedAs
    confirmed_minor: int
    confirmed_at: datetime
    donor_name: str | None
    message: str
    charged_back_minor: int
    reversed_minor: int

    @property
    def held_minor(self) -> int:
        return self.charged_back_minor - self.reversed_minor


@dataclass(frozen=True)
class Operation:
    """A line of the registry about the payment; kopecks."""

    operated_at: datetime
    settled_on: date | None
    kind: RegistryKind
    provider_kind: str
    amount_minor: int
    reference: str


@dataclass(frozen=True)
class Showing:
    """An alert of the donation, with the words that were on stream; `shown_at` None when it was not shown."""

    kind: str
    status: str
    donor_name: str | None
    message: str
    amount_minor: int
    shown_at: datetime | None
    interrupted: bool
    in_summary: bool
    finished_at: datetime | None


@dataclass(frozen=True)
class Case:
    """All that is known of a disputed payment, for the bank that asks; kopecks.

    The `written_` texts are the donor's own; the others are what might leave us.
    """

    payment_id: int
    donation_id: int
    public_id: str
    happened_at: datetime
    told_at: datetime
    read_at: datetime | None
    booked_as: BookedAs
    amount_minor: int
    confirmed_minor: int
    confirmed_at: datetime
    created_at: datetime
    method: str
    order_id: str
    provider_payment_id: str
    provider: str
    terminal_key: str
    written_name: str | None
    written_message: str
    donor_name: str | None
    message: str
    consent_version: str
    consented_at: datetime
    refunded_minor: int
    operations: tuple[Operation, ...]
    showings: tuple[Showing, ...]

    @property
    def charged_back_minor(self) -> int:
        return sum(line.amount_minor for line in self.operations if line.kind is RegistryKind.CHARGEBACK)

    @property
    def reversed_minor(self) -> int:
        return sum(line.amount_minor for line in self.operations if line.kind is RegistryKind.CHARGEBACK_REVERSAL)


async def book(connection: Any, payment_id: int) -> Wake | None:
    """Book a payment's chargebacks and reversals up to what the registry's lines say; None when nothing is new.

    A payment that is not booked yet waits. More is never given back than was taken: a reversal whose chargeback no
    file has told yet waits too. The wake is for after the commit.
    """
    payment = payment_from(await queries.payments.lock_payment(connection, payment_id=payment_id))
    if payment.booked_as is None:
        return None
    told = await queries.registry.sum_disputes(connection, payment_id=payment_id)
    taken, taken_minor = await ledger.book_chargeback(
        connection,
        streamer_id=payment.streamer_id,
        payment_id=payment.id,
        charged_back_minor=told["charged_back_minor"],
        booked_as=payment.booked_as,
        moved_at=told["charged_back_at"],
    )
    if taken is not None:
        await returns.settle_return(connection, payment, taken, taken_minor, payment.booked_as)
    given, given_minor = await ledger.book_chargeback_reversal(
        connection,
        streamer_id=payment.streamer_id,
        payment_id=payment.id,
        reversed_minor=min(told["reversed_minor"], told["charged_back_minor"]),
        booked_as=payment.booked_as,
        moved_at=told["reversed_at"],
    )
    if given is not None:
        await returns.settle_return(connection, payment, given, -given_minor, payment.booked_as)
    if taken is None and given is None:
        return None
    await queries.chargebacks.note_chargeback(
        connection, payment_id=payment.id, streamer_id=payment.streamer_id, happened_at=told["happened_at"]
    )
    if payment.booked_as is BookedAs.DONATION:
        async with aside(connection, f"Taking back the replays of donation {payment.donation_id}"):
            await queries.chargebacks.withdraw_replays(connection, donation_id=payment.donation_id)
    await _log(connection, payment, told, taken_minor, given_minor)
    await outbox.add_event(
        connection,
        EventType.PAYMENT_CHARGED_BACK,
        {
            "booked_as": payment.booked_as.value,
            "payment_id": payment.id,
            "donation_id": payment.donation_id,
            "streamer_id": payment.streamer_id,
            "amount_minor": payment.confirmed_minor or payment.amount_minor,
            "charged_back_minor": told["charged_back_minor"],
            "reversed_minor": min(told["reversed_minor"], told["charged_back_minor"]),
            "currency": payment.currency,
        },
    )
    topics = frozenset({Topic.DONATION, Topic.ALERTS, Topic.TOTALS})
    return Wake(payment.streamer_id, topics, payment.donation_id, plays_on=True)


async def _log(connection: Any, payment: Payment, told: Any, taken_minor: int, given_minor: int) -> None:
    parts = [f"{taken_minor} kopecks charged back"] if taken_minor else []
    parts += [f"{given_minor} kopecks of chargebacks reversed"] if given_minor else []
    await queries.payments.insert_news(
        connection,
        payment_id=payment.id,
        source=Source.REGISTRY,
        status_before=payment.status,
        status_after=payment.status,
        provider_status=told["provider_kind"],
        raw=told["raw"].encode(),
        note=", ".join(parts),
        inbox_id=None,
        user_id=None,
    )


async def list_chargebacks(
    connection: Any, streamer_id: int, *, limit: int = 100, only_unread: bool = False
) -> list[Chargeback]:
    """The newest news first."""
    rows = queries.chargebacks.list_chargebacks(
        connection, streamer_id=streamer_id, limit=limit, only_unread=only_unread
    )
    return [Chargeback(**{**row, "booked_as": BookedAs(row["booked_as"])}) async for row in rows]


async def count_unread(connection: Any, streamer_id: int) -> int:
    count: int = await queries.chargebacks.count_unread(connection, streamer_id=streamer_id)
    return count


async def mark_read(connection: Any, streamer_id: int, payment_id: int, user_id: int) -> None:
    """News of the same dispute make it unread again."""
    await queries.chargebacks.mark_read(connection, streamer_id=streamer_id, payment_id=payment_id, user_id=user_id)


async def get_case(connection: Any, streamer_id: int, payment_id: int) -> Case:
    """Raises NotFoundError("chargeback")."""
    row = await queries.chargebacks.get_case(connection, streamer_id=streamer_id, payment_id=payment_id)
    if row is None:
        raise NotFoundError("chargeback")
    operations = [
        Operation(**{**line, "kind": RegistryKind(line["kind"])})
        async for line in queries.chargebacks.list_operations(connection, payment_id=payment_id)
    ]
    showings = queries.chargebacks.list_showings(connection, donation_id=row["donation_id"])
    return Case(
        **{**row, "booked_as": BookedAs(row["booked_as"])},
        operations=tuple(operations),
        showings=tuple([Showing(**showing) async for showing in showings]),
    )
