"""What the simulated YooKassa remembers. Sums are kopecks, times unix seconds."""

from dataclasses import dataclass
from typing import Literal

from simulator.records import Delivery

RefundResult = Literal["succeeded", "canceled"]


@dataclass(frozen=True)
class RefundPlan:
    """How a shop's refunds go: `seconds` in `pending`, then `result`; 0 means at once."""

    seconds: float = 0.0
    result: RefundResult = "succeeded"
    reason: str = "insufficient_funds"
    """Why, if it is `canceled`."""


@dataclass(frozen=True)
class Shop:
    """A shop with what its owner set in the dashboard: one notification address for all its payments."""

    shop_id: str
    secret_key: str
    notification_url: str | None
    refunds: RefundPlan = RefundPlan()


@dataclass(frozen=True)
class Payment:
    """One payment of a shop; `number` is our own short name of it."""

    number: int
    id: str
    shop_id: str
    order_id: str | None
    """`order_id` of the metadata, for those who look a payment up in tests."""
    amount_minor: int
    refunded_minor: int
    status: str
    history: tuple[tuple[str, float], ...]
    """Every status it went through, with its time."""
    capture: bool
    """False: two stages, the shop captures."""
    wished_method: str | None
    """The only method the shop allows, None: the payer chooses."""
    method: str | None
    """`bank_card` or `sbp` once somebody tried to pay."""
    description: str
    metadata: dict[str, str]
    return_url: str
    language: str
    has_receipt: bool
    cancel_party: str
    cancel_reason: str
    """Empty unless `canceled`."""
    expires_at: float
    """When it is cancelled if nobody pays, or nobody captures."""
    captured_at: float | None
    created_at: float


@dataclass(frozen=True)
class Refund:
    """Money on its way back. `done_at` is None once `status` is final; until then it becomes `result`."""

    id: str
    payment_id: str
    amount_minor: int
    status: str
    result: str
    reason: str
    done_at: float | None
    created_at: float


@dataclass(frozen=True)
class AcceptedByStatus(Delivery):
    """YooKassa looks only at the HTTP status of an answer."""

    @property
    def accepted(self) -> bool:
        return self.http_status == 200
