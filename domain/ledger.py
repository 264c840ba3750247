"""The ledger: double entry, append only (DESIGN 5). Debits are positive, a transaction sums to zero.

Money the provider took for us is a debit of `provider_clearing`; whom it belongs to is a credit of `streamer` (a
donation), `surplus` (a donation was paid twice) or `review` (another amount than asked). What goes back to a donor is
a credit of `provider_clearing`, and a debit of `refunds` or `chargebacks` where it was the streamer's, else of the
account that held it. What a streamer has got is `streamer`, `refunds` and `chargebacks` together; `fees` is what the
provider kept.
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
        moved_at=None,
    )
    return None if row is None else LedgerTransaction(**row)


async def book_refund(
    connection: Any, *, streamer_id: int, payment_id: int, refunded_minor: int, booked_as: BookedAs
) -> tuple[LedgerTransaction | None, int]:
    """Book that `refunded_minor` kopecks of a payment have gone back in all.

    Returns the transaction and how much more than before that is; (None, 0) when nothing is new.
    """
    debit_account = "refunds" if booked_as is BookedAs.DONATION else _OWED_TO[booked_as]
    return await _book_up_to(
        connection, "refund", streamer_id, payment_id, refunded_minor, debit_account, "provider_clearing"
    )


async def book_chargeback(
    connection: Any,
    *,
    streamer_id: int,
    payment_id: int,
    charged_back_minor: int,
    booked_as: BookedAs,
    moved_at: datetime | None = None,
) -> tuple[LedgerTransaction | None, int]:
    """Book that donors' banks have taken back `charged_back_minor` kopecks of a payment in all, reversals aside.

    `moved_at`, here and below: when the money moved, where that was before now.
    """
    debit_account = "chargebacks" if booked_as is BookedAs.DONATION else _OWED_TO[booked_as]
    return await _book_up_to(
        connection,
        "chargeback",
        streamer_id,
        payment_id,
        charged_back_minor,
        debit_account,
        "provider_clearing",
        moved_at,
    )


async def book_chargeback_reversal(
    connection: Any,
    *,
    streamer_id: int,
    payment_id: int,
    reversed_minor: int,
    booked_as: BookedAs,
    moved_at: datetime | None = None,
) -> tuple[LedgerTransaction | None, int]:
    """Book that `reversed_minor` kopecks of a payment's chargebacks have come again in all."""
    credit_account = "chargebacks" if booked_as is BookedAs.DONATION else _OWED_TO[booked_as]
    return await _book_up_to(
        connection,
        "chargeback_reversal",
        streamer_id,
        payment_id,
        reversed_minor,
        "provider_clearing",
        credit_account,
        moved_at,
    )


async def book_fee(
    connection: Any, *, streamer_id: int, payment_id: int, fees_minor: int, moved_at: datetime | None = None
) -> tuple[LedgerTransaction | None, int]:
    """Book that the provider kept `fees_minor` kopecks for a payment in all."""
    return await _book_up_to(
        connection, "fee", streamer_id, payment_id, fees_minor, "fees", "provider_clearing", moved_at
    )


async def book_acceptance(
    connection: Any, *, streamer_id: int, payment_id: int, amount_minor: int
) -> LedgerTransaction | None:
    """Book that money under review is the streamer's; None when it was booked before."""
    transaction, _ = await _book_up_to(
        connection, "acceptance", streamer_id, payment_id, amount_minor, "review", "streamer"
    )
    return transaction


async def sum_refunds(connection: Any, payment_id: int) -> int:
    """Kopecks of a payment that have gone back by refunds."""
    reached: int = await queries.ledger.sum_reached(connection, payment_id=payment_id, kind="refund")
    return reached


async def _book_up_to(
    connection: Any,
    kind: str,
    streamer_id: int,
    payment_id: int,
    reached_minor: int,
    debit_account: str,
    credit_account: str,
    moved_at: datetime | None = None,
) -> tuple[LedgerTransaction | None, int]:
    """Book what a payment's total of this kind has grown by. The caller holds the payment's row."""
    delta = reached_minor - await queries.ledger.sum_reached(connection, payment_id=payment_id, kind=kind)
    if delta <= 0:
        return None, 0
    row = await queries.ledger.insert_transaction(
        connection,
        kind=kind,
        streamer_id=streamer_id,
        payment_id=payment_id,
        reached_minor=reached_minor,
        amount_minor=delta,
        debit_account=debit_account,
        credit_account=credit_account,
        moved_at=moved_at,
    )
    return (None, 0) if row is None else (LedgerTransaction(**row), delta)
