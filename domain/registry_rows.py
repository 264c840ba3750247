"""What a provider's registry of operations says, in our words; each provider's folder reads its own files into it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class RegistryKind(StrEnum):
    PAYMENT = "payment"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    CHARGEBACK_REVERSAL = "chargeback_reversal"
    """Money of a chargeback that came back to the streamer (a reversal, a won dispute)."""
    FEE = "fee"
    """A fee of its own: its sum is in `fee_minor`."""
    OTHER = "other"


@dataclass(frozen=True)
class RegistryRow:
    """A line of the provider's registry of operations; kopecks, none below zero. `fee_minor` is for this operation."""

    number: int
    kind: RegistryKind
    provider_kind: str
    order_id: str
    provider_payment_id: str
    terminal: str
    operated_at: datetime
    settled_on: date | None
    amount_minor: int
    fee_minor: int
    net_minor: int
    reference: str
    raw: str
