"""The ledger: double entry, append only (DESIGN 5). Debits are positive, a transaction sums to zero.

Money the provider took for us is a debit of `provider_clearing`; whom it belongs to is a credit of
`streamer` (a donation), `surplus` (a donation was paid twice) or `review` (another amount than asked).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from infra import queries


class BookedAs(StrEnum):
    """What a confirmed payment turned out to be."""

    DONATION = "donation"
    SURPLUS = "surplus"
    REVIEW = "review"


_OWED_TO = {BookedAs.DONATION: "streamer", BookedAs.SURPLUS: "surplus", BookedAs.REVIEW: "review"}


@dataclass(frozen=True)
class LedgerTransaction:
    id: int
    created_at: datetime


async def book_payment(
    connection: Any, *, streamer_id: int, payment_id: int, amount_minor: int, booked_as: BookedAs
) -> LedgerTransaction | None:
    """Book a confirmed payment of `amount_minor` kopecks; None when it was booked before."""
    row = await queries.ledger.insert_transaction(
        connection,
        kind="payment",
        streamer_id=streamer_id,
        payment_id=payment_id,
        reached_minor=amount_minor,
        amount_minor=amount_minor,
        debit_account="provider_clearing",
        credit_account=_OWED_TO[booked_as],
    )
    return None if row is None else LedgerTransaction(**row)


async def book_refund(
    connection: Any, *, streamer_id: int, payment_id: int, refunded_minor: int, booked_as: BookedAs
) -> tuple[LedgerTransaction | None, int]:
    """Book that `refunded_minor` kopecks of a payment have gone back in all.

    Returns the transaction and how much more than before that is; (None, 0) when nothing is new.
    """
    before = await queries.ledger.sum_refunds(connection, payment_id=payment_id)
    delta = refunded_minor - before
    if delta <= 0:
        return None, 0
    row = await queries.ledger.insert_transaction(
        connection,
        kind="refund",
        streamer_id=streamer_id,
        payment_id=payment_id,
        reached_minor=refunded_minor,
        amount_minor=delta,
        debit_account=_OWED_TO[booked_as],
        credit_account="provider_clearing",
    )
    return (None, 0) if row is None else (LedgerTransaction(**row), delta)
