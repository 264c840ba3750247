"""Payments: attempts to collect a donation through a provider.

What a provider's news do to a payment is in `domain/news.py`; here is how one is opened (DESIGN 2):

    new ──claim──▶ opening ──the provider answered──▶ pending ──news──▶ …
     ▲                │
     └──"not done"────┘      "perhaps done": stays opening, settled by looking the order up
"""

import secrets
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain import outbox
from domain.errors import NotAllowedError
from domain.events import Actor, EventType
from domain.ledger import BookedAs
from infra import queries

# A call to the provider may take 15 s and the claim is renewed before each; an opening this old has lost its worker.
STALE_OPENING_SECONDS = 20.0
# After this long without a URL nobody waits any more.
GIVE_UP_MINUTES = 10
MAX_ATTEMPTS = 20


class PaymentStatus(StrEnum):
    NEW = "new"
    OPENING = "opening"
    PENDING = "pending"
    AUTHORIZED = "authorized"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    """Declined; the same payment may still be paid while its link lives."""
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


UNOPENED = frozenset({PaymentStatus.NEW, PaymentStatus.OPENING})
TAKEN = frozenset({PaymentStatus.CONFIRMED, PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED})


@dataclass(frozen=True)
class Payment:
    """A row of `payments`; amounts in kopecks."""

    id: int
    donation_id: int
    streamer_id: int
    terminal_id: int
    attempt: int
    order_id: str
    provider_payment_id: str | None
    provider_status: str
    status: PaymentStatus
    amount_minor: int
    currency: str
    confirmed_minor: int | None
    booked_as: BookedAs | None
    payment_url: str | None
    error_code: str
    error_message: str
    due_at: datetime
    opening_at: datetime | None
    opened_at: datetime | None
    confirmed_at: datetime | None
    closed_at: datetime | None
    next_check_at: datetime | None
    checks: int
    version: int
    created_at: datetime
    sbp_payload: str | None
    twin_of: int | None
    method: str
    accepted_at: datetime | None
    error_reason: str

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None


_FIELDS = tuple(field.name for field in fields(Payment))


def payment_from(row: Any) -> Payment:
    """From any row that has the columns of a payment, and perhaps others."""
    values = {name: row[name] for name in _FIELDS}
    values["status"] = PaymentStatus(values["status"])
    values["booked_as"] = None if values["booked_as"] is None else BookedAs(values["booked_as"])
    return Payment(**values)


async def get_payment(connection: Any, payment_id: int) -> Payment | None:
    row = await queries.payments.get_payment(connection, payment_id=payment_id)
    return None if row is None else payment_from(row)


async def get_latest_payment(connection: Any, donation_id: int) -> Payment:
    return payment_from(await queries.payments.get_latest_payment(connection, donation_id=donation_id))


async def add_attempt(
    connection: Any, *, donation_id: int, streamer_id: int, terminal_id: int, amount_minor: int, link_minutes: int
) -> Payment:
    """A new attempt with an order id of its own. The caller holds the donation's row.

    Raises NotAllowedError("too_many_attempts").
    """
    row = await queries.payments.insert_payment(
        connection,
        donation_id=donation_id,
        streamer_id=streamer_id,
        terminal_id=terminal_id,
        order_id=secrets.token_hex(16),
        amount_minor=amount_minor,
        link_minutes=link_minutes,
        max_attempts=MAX_ATTEMPTS,
    )
    if row is None:
        raise NotAllowedError("too_many_attempts", attempts=MAX_ATTEMPTS)
    return payment_from(row)


async def adopt_twin(connection: Any, payment: Payment, provider_payment_id: str) -> int:
    """The second payment that the provider made of one order, as an attempt of its own: its id, new or known.

    The caller holds the first one's row.
    """
    twin_id = await queries.payments.insert_twin(
        connection, payment_id=payment.id, provider_payment_id=provider_payment_id
    )
    if twin_id is None:
        twin_id = await queries.payments.find_twin(
            connection, terminal_id=payment.terminal_id, provider_payment_id=provider_payment_id
        )
    assert twin_id is not None, "the conflict was with it"
    return int(twin_id)


async def list_payments_of_donation(connection: Any, donation_id: int) -> list[Payment]:
    """All attempts, the first first."""
    rows = queries.payments.list_payments_of_donation(connection, donation_id=donation_id)
    return [payment_from(row) async for row in rows]


async def list_open_predecessors(connection: Any, payment: Payment) -> list[Payment]:
    """Earlier attempts of the same donation that the donor might still pay."""
    rows = queries.payments.list_open_predecessors(connection, donation_id=payment.donation_id, attempt=payment.attempt)
    return [payment_from(row) async for row in rows]


async def claim_opening(connection: Any, payment_id: int, *, link_minutes: int) -> Payment | None:
    """new → opening; None when somebody else has it."""
    row = await queries.payments.claim_opening(connection, payment_id=payment_id, link_minutes=link_minutes)
    return None if row is None else payment_from(row)


async def renew_opening(connection: Any, claimed: Payment, *, link_minutes: int) -> Payment | None:
    """Hold a claimed opening for one more call to the provider; None when it was lost."""
    row = await queries.payments.renew_opening(
        connection, payment_id=claimed.id, opening_at=claimed.opening_at, link_minutes=link_minutes
    )
    return None if row is None else payment_from(row)


async def reclaim_opening(connection: Any, lost: Payment) -> Payment | None:
    """Take over an opening whose worker was lost; None when somebody else did, or it is over."""
    row = await queries.payments.reclaim_opening(connection, payment_id=lost.id, opening_at=lost.opening_at)
    return None if row is None else payment_from(row)


async def get_opening_age(connection: Any, payment_id: int) -> float | None:
    """For how many seconds a payment has been opening; infinite when in doubt, None when it is not opening."""
    age: float | None = await queries.payments.get_opening_age(connection, payment_id=payment_id)
    return age


async def record_opened(
    connection: Any, claimed: Payment, *, provider_payment_id: str, payment_url: str, sbp_payload: str | None = None
) -> Payment | None:
    """Write the provider's answer. None: the opening was lost, and the caller cancels its payment at the bank."""
    row = await queries.payments.record_opened(
        connection,
        payment_id=claimed.id,
        opening_at=claimed.opening_at,
        provider_payment_id=provider_payment_id,
        payment_url=payment_url,
        sbp_payload=sbp_payload,
    )
    if row is None:
        return None
    payment = payment_from(row)
    await note_act(connection, payment, "opened", status_before=claimed.status)
    await outbox.add_event(
        connection,
        EventType.PAYMENT_CREATED,
        {
            "payment_id": payment.id,
            "donation_id": payment.donation_id,
            "streamer_id": payment.streamer_id,
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
        },
    )
    return payment


async def release_opening(connection: Any, claimed: Payment, *, error_code: str, error_message: str) -> None:
    """The provider certainly did nothing: the same attempt may be opened later."""
    await queries.payments.release_opening(
        connection,
        payment_id=claimed.id,
        opening_at=claimed.opening_at,
        error_code=error_code,
        error_message=error_message[:500],
    )


async def doubt_opening(connection: Any, claimed: Payment, *, error_code: str, error_message: str) -> None:
    """The provider may have opened it: look the order up before anything else."""
    await queries.payments.doubt_opening(
        connection,
        payment_id=claimed.id,
        opening_at=claimed.opening_at,
        error_code=error_code,
        error_message=error_message[:500],
    )


async def close_unopened(
    connection: Any,
    payment_id: int,
    status: PaymentStatus,
    *,
    error_code: str = "",
    error_message: str = "",
    error_reason: str = "",
) -> Payment | None:
    """End an attempt that never got a URL (`cancelled` or `failed`). None when it got one meanwhile."""
    row = await queries.payments.close_unopened(
        connection,
        payment_id=payment_id,
        status=status,
        error_code=error_code,
        error_message=error_message[:500],
        error_reason=error_reason,
    )
    if row is None:
        return None
    payment = payment_from(row)
    note = error_code or "closed without a link"
    await note_act(connection, payment, note, status_before=PaymentStatus.OPENING)
    return payment


async def note_act(
    connection: Any,
    payment: Payment,
    note: str,
    *,
    status_before: PaymentStatus | None = None,
    raw: bytes | None = None,
    user_id: int | None = None,
) -> None:
    """Write an act of our own into the payment's log; `user_id` is who wanted it, None for the program itself."""
    await queries.payments.insert_news(
        connection,
        payment_id=payment.id,
        source="own",
        status_before=status_before or payment.status,
        status_after=payment.status,
        provider_status=payment.provider_status,
        raw=raw,
        note=note,
        inbox_id=None,
        user_id=user_id,
    )


FAILURES_TO_REST = 3
"""Failures in a row after which a provider is left alone for a while."""
PER_TERMINAL = 10
"""Payments of one terminal that are asked about in one look: no bank publishes how much it bears."""


async def ask_due_payments(connection: Any, *, limit: int = 100) -> int:
    """Ask the actors about payments whose time has come; how many. The only scheduler of checks (DESIGN 9).

    A provider that does not answer rests ever longer, and is then asked about one payment until it answers.
    """
    rows = [
        row
        async for row in queries.payments.claim_due_payments(
            connection, limit=limit, per_terminal=PER_TERMINAL, failures_to_rest=FAILURES_TO_REST
        )
    ]
    for row in rows:
        actor = Actor.CREATE_PAYMENT if row["unopened"] else Actor.CHECK_PAYMENT
        await outbox.add_task(connection, actor, row["id"])
    return len(rows)


async def check_now(connection: Any, payment: Payment, user_id: int) -> None:
    """Somebody wants to know at once what the provider says; it is asked whatever its times are."""
    await note_act(connection, payment, "check now", user_id=user_id)
    actor = Actor.CREATE_PAYMENT if payment.status in UNOPENED else Actor.CHECK_PAYMENT
    await outbox.add_task(connection, actor, payment.id)
