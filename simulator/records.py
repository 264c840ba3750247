"""What the simulated bank remembers. Sums are kopecks, times unix seconds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Terminal:
    """A shop's key and password, and what the bank has switched on for it."""

    terminal_key: str
    password: str
    notification_url: str | None
    """Used where Init gives none."""
    sbp: bool = True
    cash_register: bool = False
    """An online cash register is bound: Init and a partial refund need a Receipt."""
    refund_limits: bool = False
    """Refunds through SBP are limited as in real life: one attempt an hour, five a day."""


@dataclass(frozen=True)
class Payment:
    """One payment of a terminal; `code` is the unguessable end of its page's address."""

    id: int
    code: str
    terminal_key: str
    order_id: str
    amount_minor: int
    remaining_minor: int
    """What is left after reversals and refunds: the bank's "current" Amount."""
    status: str
    history: tuple[tuple[str, float], ...]
    """Every status it went through, with its time."""
    pay_type: str
    """O: one stage; T: two stages, the shop confirms."""
    source: str | None
    """`cards` or `qrsbp` once somebody tried to pay."""
    description: str
    language: str
    notification_url: str | None
    success_url: str | None
    fail_url: str | None
    due_at: float
    error_code: str
    """"0", or why the payer's last try was refused."""
    error_message: str
    error_details: str
    refund_minor: int
    """A refund through SBP that is on its way, until `refund_done_at`."""
    refund_done_at: float | None
    created_at: float
    data: str
    """Init's DATA as JSON, for the registry."""
    charged_back_minor: int
    """What the payer got back through their bank against the shop's will. No method of the API tells it."""


@dataclass(frozen=True)
class Operation:
    """A movement of money, as the registry names it: Debit, Credit, Chargeback, …"""

    id: int
    payment_id: int
    kind: str
    amount_minor: int
    happened_at: float


@dataclass(frozen=True)
class RefundAttempt:
    """One try to refund through SBP; `code` says why it is refused, "" if it is not."""

    payment_id: int
    amount_minor: int
    asked_at: float
    code: str


@dataclass(frozen=True)
class Notification:
    """A signed message to the shop, sent again with the same bytes until it is answered with OK."""

    id: int
    payment_id: int
    status: str
    url: str
    body: bytes
    tries: int
    next_try_at: float | None
    delivered_at: float | None


@dataclass(frozen=True)
class Delivery:
    """One try to deliver a notification, and what came back."""

    sent_at: float
    http_status: int | None
    answer: str
    error: str | None

    @property
    def accepted(self) -> bool:
        """Only HTTP 200 with exactly these two bytes counts."""
        return self.http_status == 200 and self.answer == "OK"
