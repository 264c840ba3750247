"""Where our books and a provider's registry do not agree.

Computed each time, so a difference vanishes when it is mended: the payment became known, the refund was booked, the
missing file came. A person may mark one as settled, with a note; with other sums it is another difference.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.errors import InvalidInputError
from infra import queries

NOTE_MAX_LENGTH = 500
GRACE_DAYS = 2
"""How old a payment or refund of ours is before a file without it is strange: banks list some on the next day."""
KEY_MAX_LENGTH = 200

_SETTLED_AT_ONCE = 5_000


class DifferenceKind(StrEnum):
    UNKNOWN_PAYMENT = "unknown_payment"
    """A payment that is not ours: perhaps of another shop on the same terminal."""
    UNLINKED = "unlinked"
    """An operation of no payment, such as a fee for a service: in no account of ours."""
    OTHER = "other"
    """A correction or the like; what it means for the books a person has to decide."""
    NOT_BOOKED = "not_booked"
    """Paid, says the registry; the provider is asked."""
    AMOUNT = "amount"
    MISSING = "missing"
    """Our payment, inside a file's days, which the file lacks."""
    REFUND = "refund"
    """More went back than our books know; the provider is asked."""
    REFUND_MISSING = "refund_missing"
    CHARGEBACK = "chargeback"
    """Not booked yet: its payment is not."""
    CHARGEBACK_REVERSAL = "chargeback_reversal"
    """More came again than was taken, as far as the files say."""


@dataclass(frozen=True)
class Difference:
    """Sums in kopecks, None where a side has nothing; `key` names the difference with its sums."""

    key: str
    kind: DifferenceKind
    payment_id: int | None
    file_id: int | None
    provider_payment_id: str | None
    order_id: str
    provider_kind: str
    ours_minor: int | None
    theirs_minor: int | None
    happened_at: datetime
    donation_public_id: str | None
    donor_name: str | None
    note: str | None
    settled_at: datetime | None
    settled_by: str | None


async def list_differences(
    connection: Any, streamer_id: int, *, settled: bool = False, limit: int = 200
) -> list[Difference]:
    """The newest first: those that nobody has settled, or those that somebody has."""
    rows = queries.differences.list_differences(
        connection, streamer_id=streamer_id, settled=settled, grace_days=GRACE_DAYS, limit=limit
    )
    found = []
    async for row in rows:
        values = dict(row)
        found.append(Difference(key=values.pop("difference"), kind=DifferenceKind(values.pop("kind")), **values))
    return found


async def settle(connection: Any, streamer_id: int, key: str, note: str, user_id: int) -> None:
    """Raises InvalidInputError: "note" ("required", "too_long") or "difference" ("malformed")."""
    note = " ".join(note.split())
    if not note:
        raise InvalidInputError("note", "required")
    if len(note) > NOTE_MAX_LENGTH:
        raise InvalidInputError("note", "too_long", limit=NOTE_MAX_LENGTH)
    if not 1 <= len(key) <= KEY_MAX_LENGTH:
        raise InvalidInputError("difference", "malformed")
    await queries.differences.settle(connection, streamer_id=streamer_id, difference=key, note=note, user_id=user_id)


async def settle_unknown(connection: Any, streamer_id: int, note: str, user_id: int) -> int:
    """Settle all payments that we do not know, where the terminal serves another shop too; how many."""
    found = await list_differences(connection, streamer_id, limit=_SETTLED_AT_ONCE)
    keys = [one.key for one in found if one.kind is DifferenceKind.UNKNOWN_PAYMENT]
    for key in keys:
        await settle(connection, streamer_id, key, note, user_id)
    return len(keys)


async def unsettle(connection: Any, streamer_id: int, key: str) -> None:
    """Look at it again."""
    await queries.differences.unsettle(connection, streamer_id=streamer_id, difference=key)
