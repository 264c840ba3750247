"""Donations: what a donor wishes, and what the donor's own page says of it."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from domain import outbox, payments, terminals
from domain.errors import NotAllowedError, NotFoundError
from domain.events import Actor, EventType
from domain.payments import UNOPENED, PaymentStatus
from infra import queries


class DonationStatus(StrEnum):
    PENDING = "pending"
    FAILED = "failed"
    """The newest attempt failed; another may be made, and a late confirmation still pays."""
    PAID = "paid"
    REVIEW = "review"
    """Money came, but another amount than asked for."""
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"
    """The donor's bank took the money back."""


@dataclass(frozen=True)
class NewDonation:
    """A checked form: amount in kopecks within the streamer's limits, texts cleaned; name None is anonymous."""

    streamer_id: int
    form_key: str
    amount_minor: int
    donor_name: str | None
    message: str
    locale: str
    consent_version: str
    donor_email: str | None = field(default=None, repr=False)
    """For the fiscal receipt, and only where one is made. It goes to the provider and nowhere else."""
    address_hash: bytes | None = field(default=None, repr=False)
    """Where the form came from, as a keyed hash: kept for a week, so that the streamer may block it."""
    terms_id: int | None = None
    """The words agreed to, of `domain.terms.keep_terms`; None where none were shown."""

    def digest(self) -> bytes:
        """What must be equal for a repeated form to mean the same wish."""
        fields = [self.streamer_id, self.amount_minor, self.donor_name, self.message, self.donor_email]
        return hashlib.sha256(json.dumps(fields).encode()).digest()


@dataclass(frozen=True)
class CreatedDonation:
    id: int
    public_id: str
    is_new: bool


async def create_donation(connection: Any, new: NewDonation, *, link_minutes: int) -> CreatedDonation:
    """Write a donation, its first payment and the event, or find the one this form has already made (DESIGN 17).

    The same key with the same fields, unpaid and younger than 15 minutes, is the same donation.
    Raises NotAllowedError("no_terminal") when the streamer cannot take money yet.
    """
    digest = new.digest()
    form = await queries.donations.lock_form(
        connection, streamer_id=new.streamer_id, form_key=new.form_key, fields_digest=digest
    )
    if form["donation_id"] is not None and form["same_fields"]:
        known = await queries.donations.find_reusable_donation(connection, donation_id=form["donation_id"])
        if known is not None:
            return CreatedDonation(known["id"], known["public_id"], is_new=False)

    terminal = await terminals.get_active_terminal(connection, new.streamer_id)
    if terminal is None:
        raise NotAllowedError("no_terminal")
    donation = await queries.donations.insert_donation(
        connection,
        public_id=secrets.token_urlsafe(16),
        streamer_id=new.streamer_id,
        amount_minor=new.amount_minor,
        donor_name=new.donor_name,
        message=new.message,
        public_donor_name=new.donor_name,
        public_message=new.message,
        locale=new.locale,
        consent_version=new.consent_version,
        donor_email=new.donor_email,
        terms_id=new.terms_id,
    )
    if new.address_hash is not None:
        await queries.blocks.insert_address(connection, donation_id=donation["id"], address_hash=new.address_hash)
    await queries.donations.point_form(
        connection,
        streamer_id=new.streamer_id,
        form_key=new.form_key,
        fields_digest=digest,
        donation_id=donation["id"],
    )
    payment = await payments.add_attempt(
        connection,
        donation_id=donation["id"],
        streamer_id=new.streamer_id,
        terminal_id=terminal.id,
        amount_minor=new.amount_minor,
        link_minutes=link_minutes,
    )
    await outbox.add_event(
        connection,
        EventType.DONATION_CREATED,
        {
            "donation_id": donation["id"],
            "payment_id": payment.id,
            "streamer_id": new.streamer_id,
            "amount_minor": new.amount_minor,
            "currency": donation["currency"],
        },
    )
    return CreatedDonation(donation["id"], donation["public_id"], is_new=True)


async def retry(connection: Any, public_id: str, *, link_minutes: int) -> None:
    """The donor wants to try again: a link that lives is kept, an attempt on its way is hurried, else a new one.

    Raises NotFoundError; NotAllowedError("already_paid" | "no_terminal" | "too_many_attempts").
    """
    donation = await queries.donations.lock_donation(connection, public_id=public_id)
    if donation is None:
        raise NotFoundError("donation")
    if donation["status"] not in (DonationStatus.PENDING, DonationStatus.FAILED):
        raise NotAllowedError("already_paid")
    latest = await payments.get_latest_payment(connection, donation["id"])
    if latest.status in UNOPENED:
        await outbox.add_task(connection, Actor.CREATE_PAYMENT, latest.id)
        return
    if latest.status is PaymentStatus.AUTHORIZED:
        return
    if latest.status is PaymentStatus.PENDING and not await queries.donations.is_overdue(
        connection, payment_id=latest.id
    ):
        return
    terminal = await terminals.get_active_terminal(connection, donation["streamer_id"])
    if terminal is None:
        raise NotAllowedError("no_terminal")
    await queries.donations.reopen(connection, donation_id=donation["id"])
    payment = await payments.add_attempt(
        connection,
        donation_id=donation["id"],
        streamer_id=donation["streamer_id"],
        terminal_id=terminal.id,
        amount_minor=donation["amount_minor"],
        link_minutes=link_minutes,
    )
    await outbox.add_task(connection, Actor.CREATE_PAYMENT, payment.id)


class DonorState(StrEnum):
    """What a donor's page says; the truth of our tables, never of an address the donor came by."""

    CREATING = "creating"
    UNAVAILABLE = "unavailable"
    """The bank did not answer; we go on trying, and the donor may hurry us."""
    OPEN = "open"
    CHECKING = "checking"
    DECLINED = "declined"
    EXPIRED = "expired"
    REFUSED = "refused"
    """The bank does not take payments for this streamer now: trying again at once will not help."""
    PAID_HELD = "paid_held"
    QUEUED = "queued"
    PLAYING = "playing"
    SHOWN = "shown"
    DROPPED = "dropped"
    """Not shown and will not be; the money is with the streamer."""
    REVIEW = "review"
    RETURNED = "returned"
    """Another amount than asked for came and went back: nothing is paid, and the donor may try again."""
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


FINAL_STATES = frozenset({DonorState.SHOWN, DonorState.DROPPED, DonorState.REFUNDED, DonorState.PARTIALLY_REFUNDED})


@dataclass(frozen=True)
class DonorView:
    """A donation as its donor sees it. Amounts in kopecks; `position` counts from 1; times of now in seconds."""

    donation_id: int
    public_id: str
    streamer_id: int
    slug: str
    display_name: str
    time_zone: str
    amount_minor: int
    refunded_minor: int
    surplus_minor: int
    """What the donor paid beyond the donation, by paying two attempts of it."""
    donor_name: str | None
    """As others may read it; the page's address may be shared."""
    is_name_hidden: bool
    """A name was written, and may not be shown, or not yet."""
    message: str
    state: DonorState
    payment_url: str | None
    sbp_payload: str | None
    """The link inside the SBP code, while the payment is open and its bank gives codes."""
    error_reason: str
    """Why the last attempt was refused, sorted: a provider's `RefusalReason`, or empty."""
    since_seconds: float
    left_seconds: float
    """Until the link ends; below zero afterwards."""
    position: int
    wait_seconds: int
    is_held_back: bool
    """The queue stands still: when its turn comes nobody knows."""
    shown_at: datetime | None
    is_test: bool
    """Through a terminal for trying out: no money moves."""
    version: str
    """Changes when anything shown changes."""


async def read_donor_view(connection: Any, public_id: str) -> DonorView | None:
    row = await queries.donations.get_donor_view(connection, public_id=public_id)
    if row is None:
        return None
    state = donor_state(row)
    refunded_minor = row["refunded_minor"] + row["charged_back_minor"]
    position = (row["alerts_ahead"] or 0) + 1 if state is DonorState.QUEUED else 0
    is_held_back = state is DonorState.QUEUED and bool(row["is_held_back"])
    shown = [
        state,
        row["payment_url"],
        row["attempt"],
        row["error_reason"],
        position,
        is_held_back,
        refunded_minor,
        row["surplus_minor"],
        str(row["shown_at"]),
    ]
    return DonorView(
        donation_id=row["id"],
        public_id=row["public_id"],
        streamer_id=row["streamer_id"],
        slug=row["slug"],
        display_name=row["display_name"],
        time_zone=row["time_zone"],
        amount_minor=row["amount_minor"],
        refunded_minor=refunded_minor,
        surplus_minor=row["surplus_minor"],
        donor_name=row["public_donor_name"],
        is_name_hidden=row["is_name_hidden"],
        message=row["public_message"],
        state=state,
        payment_url=row["payment_url"] if state is DonorState.OPEN else None,
        sbp_payload=row["sbp_payload"] if state is DonorState.OPEN else None,
        error_reason=row["error_reason"],
        since_seconds=row["since_seconds"],
        left_seconds=row["left_seconds"],
        position=position,
        is_held_back=is_held_back,
        wait_seconds=int((row["milliseconds_ahead"] or 0) / 1000) if position else 0,
        shown_at=row["shown_at"],
        is_test=row["is_test"],
        version=hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16],
    )


_ALERT_STATES = {
    "held": DonorState.PAID_HELD,
    "queued": DonorState.QUEUED,
    "playing": DonorState.PLAYING,
    "shown": DonorState.SHOWN,
    "skipped": DonorState.DROPPED,
    "dropped": DonorState.DROPPED,
}

# The code under which we close an attempt that never got a URL, after the bank was away too long.
GAVE_UP = "unavailable"


def donor_state(row: Any) -> DonorState:
    """The rule behind the page: the donation first, then its alert, then the attempt that matters."""
    match DonationStatus(row["status"]):
        case DonationStatus.REVIEW:
            return DonorState.REVIEW
        case DonationStatus.REFUNDED | DonationStatus.CHARGED_BACK:
            return DonorState.REFUNDED
        case DonationStatus.PARTIALLY_REFUNDED:
            return DonorState.PARTIALLY_REFUNDED
        case DonationStatus.PAID:
            return _ALERT_STATES[row["alert_status"] or "dropped"]
        case _:
            return _unpaid_state(row)


def _unpaid_state(row: Any) -> DonorState:
    match PaymentStatus(row["payment_status"]):
        case PaymentStatus.NEW | PaymentStatus.OPENING:
            return DonorState.UNAVAILABLE if row["error_code"] else DonorState.CREATING
        case PaymentStatus.PENDING:
            if row["payment_url"] is None:
                return DonorState.CHECKING
            return DonorState.EXPIRED if row["payment_overdue"] else DonorState.OPEN
        case PaymentStatus.FAILED if row["payment_closed"]:
            return DonorState.UNAVAILABLE if row["error_code"] == GAVE_UP else DonorState.REFUSED
        case PaymentStatus.FAILED:
            return DonorState.DECLINED
        case PaymentStatus.CANCELLED if row["payment_url"] is not None and row["error_code"]:
            return DonorState.DECLINED
        case PaymentStatus.EXPIRED | PaymentStatus.CANCELLED:
            return DonorState.UNAVAILABLE if row["payment_url"] is None else DonorState.EXPIRED
        case PaymentStatus.CONFIRMED | PaymentStatus.REFUNDED if row["status"] == DonationStatus.FAILED:
            return DonorState.RETURNED
        case _:
            # Authorized, or confirmed a moment ago: the money is on its way.
            return DonorState.CHECKING


@dataclass(frozen=True)
class FeedRow:
    """A donation in the dashboard's feed; amounts in kopecks. `paid_at`: when its money came, under review too."""

    is_manual: ClassVar[bool] = False

    id: int
    public_id: str
    status: DonationStatus
    amount_minor: int
    refunded_minor: int
    charged_back_minor: int
    surplus_minor: int
    refund_open: bool
    """A refund of one of its payments is under way."""
    donor_name: str | None
    message: str
    paid_at: datetime
    is_hidden: bool
    alert_id: Any
    alert_status: str | None
    shown_at: datetime | None
    interrupted: bool | None
    is_test: bool
    """It came through a terminal for trying out, and is no money."""


async def list_feed(
    connection: Any, streamer_id: int, *, limit: int = 50, before: FeedRow | None = None
) -> list[FeedRow]:
    """Donations that brought money, the newest money first; `before` pages on from a row."""
    rows = queries.donations.list_feed(
        connection,
        streamer_id=streamer_id,
        limit=limit,
        before_at=before and before.paid_at,
        before_id=before and before.id,
    )
    return [FeedRow(**{**row, "status": DonationStatus(row["status"])}) async for row in rows]
