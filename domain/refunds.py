"""Refunds that a streamer or an operator wishes: asked for once at the provider, and known to have happened or not.

    wished ──claim──▶ asking ──the provider says so──▶ done | refused
       ▲                │ │
       └─"nothing done"─┘ └─"under way"──▶ pending ──▶ done | refused

What a refund does to the books comes with the provider's word, like all news (`domain/news.py`); a refund is done when
the payment's books have reached it. A lost answer is settled by what has gone back since (`before_minor`): while that
is noted, the provider may have given the money back.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain import outbox
from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.events import Actor
from domain.payments import Payment, note_act, payment_from
from infra import queries

REASON_MAX_LENGTH = 300

# Why we ask for nothing ourselves, as error codes.
ALREADY_BACK = "already_back"
"""All of the payment's money went back in another way, say from the provider's cabinet."""
TOO_LITTLE_LEFT = "too_little_left"
"""Less than was wished is left of it by now."""


class RefundStatus(StrEnum):
    WISHED = "wished"
    ASKING = "asking"
    """The provider was asked, and its answer is not known."""
    PENDING = "pending"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True)
class Refund:
    """A row of `refunds`; kopecks. `error_reason` is a provider's `RefusalReason`, for the words."""

    id: int
    public_id: str
    payment_id: int
    streamer_id: int
    amount_minor: int
    reason: str
    status: RefundStatus
    before_minor: int | None
    provider_refund_id: str
    error_code: str
    error_reason: str
    error_message: str
    tries: int
    next_try_at: datetime | None
    asked_at: datetime | None
    """When a worker last took it up: who has taken it up before may not write any more."""
    called_at: datetime | None
    """When the provider was last called to give the money back."""
    finished_at: datetime | None
    created_at: datetime
    requested_by_email: str | None = None
    """Where refunds are listed."""

    @property
    def is_open(self) -> bool:
        return self.finished_at is None

    @property
    def may_be_done(self) -> bool:
        """The provider was called, and it is not certain that it did nothing."""
        return self.before_minor is not None


def _refund(row: Any) -> Refund:
    return Refund(**{**row, "status": RefundStatus(row["status"])})


def clean_reason(text: str) -> str:
    """Raises InvalidInputError("reason", "required" | "too_long")."""
    reason = " ".join(text.split())
    if not reason:
        raise InvalidInputError("reason", "required")
    if len(reason) > REASON_MAX_LENGTH:
        raise InvalidInputError("reason", "too_long", limit=REASON_MAX_LENGTH)
    return reason


def check_amount(amount_minor: int, most_minor: int) -> None:
    """Raises InvalidInputError("amount", "too_small" | "too_large")."""
    if amount_minor <= 0:
        raise InvalidInputError("amount", "too_small")
    if amount_minor > most_minor:
        raise InvalidInputError("amount", "too_large", most_minor=most_minor)


async def request_refund(
    connection: Any,
    *,
    streamer_id: int,
    payment_id: int,
    amount_minor: int,
    reason: str,
    user_id: int,
    form_key: str | None = None,
) -> Refund:
    """Wish `amount_minor` kopecks of a booked payment back to its donor. The same form again is the same refund.

    Raises NotFoundError("payment"); InvalidInputError of "reason" ("required", "too_long") or "amount" ("too_small",
    "too_large" with `most_minor`); NotAllowedError("nothing_to_refund" | "refund_under_way", or "form_used" when this
    form has wished another amount before).
    """
    row = await queries.payments.lock_payment(connection, payment_id=payment_id)
    if row is None or row["streamer_id"] != streamer_id:
        raise NotFoundError("payment")
    payment = payment_from(row)
    if form_key is not None:
        known = await queries.refunds.find_refund_of_form(connection, payment_id=payment_id, form_key=form_key)
        if known is not None:
            if known["amount_minor"] != amount_minor:
                raise NotAllowedError("form_used")
            return _refund(known)
    reason = clean_reason(reason)
    most_minor = await refundable_minor(connection, payment)
    if most_minor <= 0:
        raise NotAllowedError("nothing_to_refund")
    check_amount(amount_minor, most_minor)
    inserted = await queries.refunds.insert_refund(
        connection,
        public_id=secrets.token_hex(16),
        payment_id=payment_id,
        streamer_id=streamer_id,
        amount_minor=amount_minor,
        reason=reason,
        requested_by=user_id,
        form_key=form_key,
    )
    if inserted is None:
        raise NotAllowedError("refund_under_way")
    await note_act(connection, payment, f"refund of {amount_minor} kopecks wished: {reason}", user_id=user_id)
    await outbox.add_task(connection, Actor.MAKE_REFUND, inserted["id"])
    return _refund(inserted)


async def refundable_minor(connection: Any, payment: Payment) -> int:
    """Kopecks of a payment that may still go back: what came, less refunds and chargebacks."""
    if payment.confirmed_minor is None:
        return 0
    gone: int = await queries.ledger.sum_gone(connection, payment_id=payment.id)
    return payment.confirmed_minor - gone


async def get_refund(connection: Any, refund_id: int) -> Refund | None:
    row = await queries.refunds.get_refund(connection, refund_id=refund_id)
    return None if row is None else _refund(row)


async def list_refunds_of_donation(connection: Any, donation_id: int) -> list[Refund]:
    """Oldest first, of all the donation's payments."""
    return [_refund(row) async for row in queries.refunds.list_refunds_of_donation(connection, donation_id=donation_id)]


async def claim_refund(connection: Any, refund_id: int) -> Refund | None:
    """Hold a refund to ask the provider; None when it is over, or not its time."""
    row = await queries.refunds.claim_refund(connection, refund_id=refund_id)
    return None if row is None else _refund(row)


async def note_call(connection: Any, claimed: Refund, before_minor: int) -> bool:
    """Write, right before the provider is called, what has gone back by now. False: the claim was lost, do not call."""
    row = await queries.refunds.note_call(
        connection, refund_id=claimed.id, asked_at=claimed.asked_at, before_minor=before_minor
    )
    return row is not None


async def get_called_seconds(connection: Any, refund_id: int) -> float | None:
    """For how long the provider's last call is over; None when it was never called."""
    seconds: float | None = await queries.refunds.get_called_seconds(connection, refund_id=refund_id)
    return seconds


async def postpone(
    connection: Any,
    claimed: Refund,
    status: RefundStatus,
    seconds: float,
    *,
    provider_refund_id: str = "",
    error_code: str = "",
    error_reason: str = "",
    error_message: str = "",
) -> bool:
    """Not decided yet: looked at again after `seconds`. Back to `wished` means that the provider did nothing.

    False: it is over, or somebody else's, and stays as it is.
    """
    row = await queries.refunds.postpone_refund(
        connection,
        refund_id=claimed.id,
        asked_at=claimed.asked_at,
        status=status,
        seconds=float(seconds),
        provider_refund_id=provider_refund_id,
        error_code=error_code,
        error_reason=error_reason,
        error_message=error_message[:500],
    )
    if row is None:
        return False
    await outbox.add_task(connection, Actor.MAKE_REFUND, claimed.id, delay_seconds=seconds)
    return True


async def refuse(
    connection: Any, claimed: Refund, *, error_code: str, error_reason: str = "", error_message: str = ""
) -> bool:
    """The provider gives nothing back; why is kept for the streamer, and written into the payment's log.

    False: it is over, or somebody else's, and stays as it is.
    """
    # The payment's row is locked before the refund's, as news do.
    payment = payment_from(await queries.payments.lock_payment(connection, payment_id=claimed.payment_id))
    row = await queries.refunds.refuse_refund(
        connection,
        refund_id=claimed.id,
        asked_at=claimed.asked_at,
        error_code=error_code,
        error_reason=error_reason,
        error_message=error_message[:500],
    )
    if row is None:
        return False
    note = f"refund of {claimed.amount_minor} kopecks refused: {error_code} {error_message}"
    await note_act(connection, payment, note.strip()[:500])
    if row["called_at"] is not None:
        # It was called for: should money go back after all, the next looks find it.
        await queries.payments.check_soon(connection, payment_id=payment.id, delay_seconds=60.0)
    return True


async def dismiss_refusal(connection: Any, streamer_id: int, refund_id: int, user_id: int) -> bool:
    """A person has read why it was refused. False: it is not this streamer's, not refused, or was dismissed."""
    dismissed = await queries.refunds.dismiss_refusal(
        connection, streamer_id=streamer_id, refund_id=refund_id, user_id=user_id
    )
    return bool(dismissed == "UPDATE 1")


async def finish_covered(connection: Any, payment_id: int, refunded_minor: int) -> None:
    """A payment's refunds have reached `refunded_minor` kopecks: what was asked for up to there is done."""
    await queries.refunds.finish_covered(connection, payment_id=payment_id, refunded_minor=refunded_minor)


async def ask_due(connection: Any, *, limit: int = 100) -> int:
    """Ask the actor about refunds whose time has come; how many."""
    rows = [row async for row in queries.refunds.list_due_refunds(connection, limit=limit)]
    for row in rows:
        await outbox.add_task(connection, Actor.MAKE_REFUND, row["id"])
    return len(rows)
