"""Donations as REST API v1 makes and tells of them: what its clients say beside the wish, and who may read what.

A client's order id is its reference: unique among a streamer's, and never the bank's. The same order is the same
donation, also when it is asked for twice at once; with another amount it is refused.
"""

import hashlib
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from domain import donations, history, payments
from domain.donations import CreatedDonation, DonationStatus, NewDonation
from domain.errors import InvalidInputError, NotAllowedError
from domain.payments import Payment, PaymentStatus
from infra import queries

ORDER_ID_MAX_LENGTH = 128
REACH_MAX = 100_000
"""How far pages may skip: whoever reads on asks for a time."""
HURRIED_AT_ONCE = 1_000
_RETRY_DONE = "already_paid"

_sql = queries.api_donations


class Method(StrEnum):
    """What clients of the first version call ways to pay."""

    TEST = "test"
    YOOKASSA = "yookassa"
    SBERBANK = "sberbank"
    TINKOFF = "tinkoff"
    TBANK = "tbank"
    CARD = "card"


class Told(StrEnum):
    """A donation's state in the words of the first version."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    REFUNDED = "refunded"


STATUSES_OF: dict[Told, tuple[DonationStatus, ...]] = {
    # Money of another amount than asked for is nobody's until its streamer decides.
    Told.PENDING: (DonationStatus.PENDING, DonationStatus.REVIEW),
    Told.COMPLETED: (DonationStatus.PAID, DonationStatus.PARTIALLY_REFUNDED),
    Told.FAILED: (DonationStatus.FAILED,),
    Told.REFUNDED: (DonationStatus.REFUNDED, DonationStatus.CHARGED_BACK),
}
_TOLD = {status: told for told, statuses in STATUSES_OF.items() for status in statuses}

# What a payment is called in T-Bank's words while the bank itself has said nothing, or another provider has it.
_BANK_WORDS = {
    PaymentStatus.NEW: "NEW",
    PaymentStatus.OPENING: "NEW",
    PaymentStatus.PENDING: "NEW",
    PaymentStatus.AUTHORIZED: "AUTHORIZED",
    PaymentStatus.CONFIRMED: "CONFIRMED",
    PaymentStatus.FAILED: "REJECTED",
    PaymentStatus.EXPIRED: "DEADLINE_EXPIRED",
    PaymentStatus.CANCELLED: "CANCELED",
    PaymentStatus.PARTIALLY_REFUNDED: "PARTIAL_REFUNDED",
    PaymentStatus.REFUNDED: "REFUNDED",
}


@dataclass(frozen=True)
class Asked:
    """What a client says of a donation beside the wish itself."""

    method: Method
    user_id: int | None = None
    """Whose signed token came with it."""
    order_id: str | None = None
    is_public: bool = True


@dataclass(frozen=True)
class Line:
    """A donation as the API tells of it; kopecks. Its `original_` texts are as written."""

    id: int
    public_id: str
    streamer_id: int
    status: DonationStatus
    amount_minor: int
    original_name: str | None
    original_message: str
    donor_name: str | None
    message: str
    created_at: datetime
    paid_at: datetime | None
    is_hidden: bool
    recipient_id: int
    recipient_username: str
    donor_id: int | None
    donor_username: str | None
    client_order_id: str | None
    payment_method: Method
    attempt_id: int
    payment_id: str
    """The order that the bank knows it by, random: who has it may ask how the payment is, and no more."""
    payment_status: PaymentStatus
    provider_status: str
    payment_url: str | None
    provider: str
    is_alert_shown: bool

    @property
    def told(self) -> Told:
        return _TOLD[self.status]

    @property
    def bank_word(self) -> str:
        """The payment's state in T-Bank's words."""
        if self.provider == "tbank" and self.provider_status:
            return self.provider_status
        return _BANK_WORDS[self.payment_status]

    @property
    def is_judged(self) -> bool:
        """Texts are moderated once the money is there; before that nobody but the donor reads them."""
        return self.paid_at is not None


_LINE_FIELDS = tuple(field.name for field in fields(Line))


def _line(row: Any) -> Line:
    values = {name: row[name] for name in _LINE_FIELDS}
    values["status"] = DonationStatus(values["status"])
    values["payment_method"] = Method(values["payment_method"])
    values["payment_status"] = PaymentStatus(values["payment_status"])
    return Line(**values)


# Making one.


async def find_recipient(connection: Any, recipient_id: int) -> int | None:
    """Whose page a `recipient_id` means: the user's of this id; the streamer's of this id if that user has none.

    An id may be both, of two people. The contract says "user id", so that is what it is then; a client that knows
    streamers' ids says `streamer_id`, which is never taken for anything else.
    """
    found: int | None = await _sql.find_recipient(connection, recipient_id=recipient_id)
    return found


async def make_donation(connection: Any, new: NewDonation, asked: Asked, *, link_minutes: int) -> CreatedDonation:
    """A donation with its first payment; or the one that this order has become, with a payment that can be paid.

    Raises InvalidInputError("order_id", "other_amount"); NotAllowedError("no_terminal" | "too_many_attempts").
    """
    if asked.order_id is not None:
        known = await _find_ordered(connection, new, asked.order_id)
        if known is not None:
            await _keep_payable(connection, known, link_minutes=link_minutes)
            return known
    created = await donations.create_donation(connection, new, link_minutes=link_minutes)
    if created.is_new:
        await _sql.insert_api_donation(
            connection,
            donation_id=created.id,
            streamer_id=new.streamer_id,
            user_id=asked.user_id,
            payment_method=asked.method,
            client_order_id=asked.order_id,
        )
        if not asked.is_public:
            await history.set_hidden(connection, new.streamer_id, created.id, True)
    return created


def form_key_of(order_id: str) -> str:
    """A form's key for a client's order: who asks for the same order at the same time waits for the first."""
    return "order-" + hashlib.sha256(order_id.encode()).hexdigest()[:56]


async def _find_ordered(connection: Any, new: NewDonation, order_id: str) -> CreatedDonation | None:
    await queries.donations.lock_form(
        connection, streamer_id=new.streamer_id, form_key=new.form_key, fields_digest=new.digest()
    )
    row = await _sql.find_ordered(connection, client_order_id=order_id, streamer_id=new.streamer_id)
    if row is None:
        return None
    if row["asked_minor"] != new.amount_minor:
        raise InvalidInputError("order_id", "other_amount")
    return CreatedDonation(row["id"], row["public_id"], is_new=False)


async def _keep_payable(connection: Any, known: CreatedDonation, *, link_minutes: int) -> None:
    """An order whose link has died unpaid gets another; one that can be paid, or is paid, stays as it is."""
    latest = await payments.get_latest_payment(connection, known.id)
    is_overdue = await queries.donations.is_overdue(connection, payment_id=latest.id)
    if latest.payment_url is not None and not latest.is_closed and not is_overdue:
        return
    try:
        await donations.retry(connection, known.public_id, link_minutes=link_minutes)
    except NotAllowedError as error:
        if error.code != _RETRY_DONE:
            raise


# Reading them.


class OrderBy(StrEnum):
    CREATED_AT = "created_at"
    AMOUNT = "amount"
    ID = "id"


FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Selection:
    """Donations received by a streamer, those sent by a user, or both; kopecks and times from least to most, both
    included. None: whatever it is."""

    received_by: int | None = None
    sent_by: int | None = None
    sent_to: int | None = None
    """Of what `sent_by` sent: to this streamer."""
    named_only: bool = False
    """Of what `sent_by` sent: what is not anonymous."""
    since: datetime | None = None
    until: datetime | None = None
    least_minor: int | None = None
    most_minor: int | None = None
    told: Told | None = None
    is_anonymous: bool | None = None


async def list_lines(
    connection: Any,
    selection: Selection,
    *,
    order_by: OrderBy = OrderBy.CREATED_AT,
    is_ascending: bool = False,
    skip: int = 0,
    limit: int = 100,
) -> list[Line]:
    """A page. `skip` is at most REACH_MAX."""
    rows = _sql.list_ids(
        connection,
        by=order_by,
        ascending=is_ascending,
        received_by=selection.received_by,
        sent_by=selection.sent_by,
        sent_to=selection.sent_to,
        named_only=selection.named_only,
        since=selection.since or FIRST,
        until=selection.until or LAST,
        statuses=None if selection.told is None else list(STATUSES_OF[selection.told]),
        least_minor=selection.least_minor,
        most_minor=selection.most_minor,
        is_anonymous=selection.is_anonymous,
        reach=skip + limit,
        limit=limit,
    )
    ids = [row["id"] async for row in rows]
    lines = {row["id"]: _line(row) async for row in _sql.list_lines(connection, ids=ids)}
    return [lines[donation_id] for donation_id in ids if donation_id in lines]


async def get_line(connection: Any, donation_id: int) -> Line | None:
    row = await _sql.get_line(connection, donation_id=donation_id)
    return None if row is None else _line(row)


async def find_by_payment(connection: Any, payment_id: str) -> Line | None:
    """By a `payment_id` that the API gave, of any attempt."""
    donation_id = await _sql.find_by_payment(connection, order_id=payment_id)
    return None if donation_id is None else await get_line(connection, donation_id)


async def find_by_order(connection: Any, order_id: str, *, streamer_id: int | None) -> Line | None:
    """By a client's order id. Raises NotAllowedError("several") when clients of several streamers use it."""
    found = [
        row["donation_id"]
        async for row in _sql.list_of_order(connection, client_order_id=order_id, streamer_id=streamer_id)
    ]
    if len(found) > 1:
        raise NotAllowedError("several")
    return await get_line(connection, found[0]) if found else None


async def get_attempt(connection: Any, line: Line) -> Payment:
    """The payment that the line tells of."""
    payment = await payments.get_payment(connection, line.attempt_id)
    assert payment is not None
    return payment


# For the operator.


@dataclass(frozen=True)
class Pending:
    """A donation whose payment is open at the bank. Its texts are not moderated yet, so they are not here."""

    id: int
    payment_id: str
    amount_minor: int
    created_at: datetime
    is_anonymous: bool
    streamer_id: int


async def list_pending(connection: Any, *, limit: int = HURRIED_AT_ONCE) -> list[Pending]:
    return [Pending(**row) async for row in _sql.list_pending(connection, limit=limit)]


async def hurry_pending(connection: Any, *, limit: int = HURRIED_AT_ONCE) -> int:
    """Open payments are asked about as soon as the scheduler of checks gets to them; how many. Its pace stays: no bank
    is asked about all of them at once, and one that does not answer is left alone."""
    hurried: int = await _sql.hurry_pending(connection, limit=limit)
    return hurried
