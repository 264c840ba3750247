"""Donations as REST API v1 makes them: what its clients say beside the wish. How it tells of them: domain/api_lines.py.

A client's order id is its reference: unique among a streamer's, and never the bank's. The same order is the same
donation, also when it is asked for twice at once; who knows its id and not all that was asked for is refused.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain import donations, history, payments
from domain.api_lines import Method
from domain.donations import CreatedDonation, NewDonation
from domain.errors import InvalidInputError, NotAllowedError
from infra import queries

ORDER_ID_MAX_LENGTH = 128
HURRIED_AT_ONCE = 1_000

_sql = queries.api_donations


@dataclass(frozen=True)
class Asked:
    """What a client says of a donation beside the wish itself."""

    method: Method
    user_id: int | None = None
    """Whose signed token came with it."""
    order_id: str | None = None
    digests: tuple[bytes, ...] = field(default=(), repr=False)
    """Of an order: keyed hashes of all that the client said, by the newest key first. The first is kept."""
    is_public: bool = True


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

    Raises InvalidInputError("order_id", "other_request"); NotAllowedError("no_terminal" | "too_many_attempts").
    """
    if asked.order_id is not None:
        known = await _find_ordered(connection, new, asked.order_id, asked.digests)
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
            asked_digest=asked.digests[0] if asked.digests else None,
        )
        if not asked.is_public:
            await history.set_hidden(connection, new.streamer_id, created.id, True)
    return created


def form_key_of(order_id: str) -> str:
    """A form's key for a client's order: who asks for the same order at the same time waits for the first. No form on a
    page may have such a key, so that nobody comes to an order by a form."""
    return "order:" + hashlib.sha256(order_id.encode()).hexdigest()[:56]


async def _find_ordered(
    connection: Any, new: NewDonation, order_id: str, digests: tuple[bytes, ...]
) -> CreatedDonation | None:
    await queries.donations.lock_form(
        connection, streamer_id=new.streamer_id, form_key=new.form_key, fields_digest=new.digest()
    )
    row = await _sql.find_ordered(connection, client_order_id=order_id, streamer_id=new.streamer_id)
    if row is None:
        return None
    if row["asked_digest"] not in digests:
        raise InvalidInputError("order_id", "other_request")
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
        if error.code != "already_paid":
            raise


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
