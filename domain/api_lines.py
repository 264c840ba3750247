"""Donations as REST API v1 tells of them: its words for their states, who may read what of them, its lists."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from domain import payments
from domain.donations import DonationStatus
from domain.errors import NotAllowedError
from domain.payments import Payment, PaymentStatus
from infra import queries

REACH_MAX = 100_000
"""How far pages may skip: whoever reads on asks for a time."""

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


# Lists of them.


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
