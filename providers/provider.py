"""What every payment provider offers, and the words it is asked in. Each has a folder here (CONTRIBUTING.md).

A provider opens a payment, tells its state, gives money back and reads what it is sent. It knows no database and
repeats nothing by itself: each call raises one of `providers/outcomes.py`, and what a repeat may do is the caller's
to know. Money is kopecks everywhere outside a provider's folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from domain.payment_status import NewsStatus
from domain.registry_rows import RegistryKind as RegistryKind
from domain.registry_rows import RegistryRow as RegistryRow
from providers.outcomes import RefusalReason


@dataclass(frozen=True)
class Credentials:
    """A streamer's account at a provider: T-Bank's TerminalKey and password, YooKassa's shopId and secret key.

    The secret signs or authenticates; it is never shown or logged.
    """

    key: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Receipt:
    """What a fiscal receipt (54-ФЗ) of one item says; sums are the payment's or the refund's own."""

    email: str
    item: str
    taxation: str
    """T-Bank's words: osn, usn_income, usn_income_outcome, esn, patent."""
    vat: str
    """T-Bank's words: none, vat0, vat5, vat7, vat10, vat22, and vat105, vat107, vat110, vat122."""


@dataclass(frozen=True)
class Opening:
    """A payment to open. `order_id` is ours, random, stored before; `due_at` is aware and 1 minute to 90 days ahead."""

    order_id: str
    amount_minor: int
    description: str
    due_at: datetime
    notification_url: str
    return_url: str
    """Where the donor comes back to, paid or not; what the address says then proves nothing."""
    language: str
    receipt: Receipt | None = None


@dataclass(frozen=True)
class OpenedPayment:
    """A payment that waits for its donor at `payment_url`."""

    provider_payment_id: str
    payment_url: str


@dataclass(frozen=True)
class PaymentState:
    """A payment as the provider sees it now.

    `amount_minor` is what remains of the money in kopecks: after a refund, less than was paid; None when not said.
    A refused payment carries the reason in `error_code` and `error_message`, else "0" and "", and sorted in `reason`,
    else None. `method` is how it was paid: "card", "sbp", another word of the provider's in lower case, or "" while
    nobody knows. `raw` is the answer itself.
    """

    provider_payment_id: str
    order_id: str | None
    status: NewsStatus
    provider_status: str
    amount_minor: int | None
    error_code: str
    error_message: str
    raw: bytes = field(repr=False, compare=False)
    method: str = ""
    reason: RefusalReason | None = None
    payer: str = field(default="", repr=False, compare=False)
    """Who paid, masked by the provider: a card, a phone, a wallet. "" when it does not say; at most 64 characters."""


@dataclass(frozen=True)
class Refund:
    """Money to give back. `amount_minor` of the `remaining_minor` that the provider has of this payment now."""

    provider_payment_id: str
    amount_minor: int
    remaining_minor: int
    key: str
    """Ours, random, at most 36 characters: the same key again is the same refund, where the provider can tell."""
    receipt: Receipt | None = None


class RefundStatus(StrEnum):
    DONE = "done"
    PENDING = "pending"
    """On its way; the payment's own state tells when it has ended, and how."""
    REFUSED = "refused"


@dataclass(frozen=True)
class RefundAnswer:
    """What became of a refund. `state` is the payment after it, None when the answer does not say.

    `provider_refund_id` is what `get_refund` needs to find it again; to anybody else it means nothing.
    A refused one carries the provider's code and words, as far as it gives any, and the reason.
    """

    status: RefundStatus
    provider_refund_id: str = ""
    state: PaymentState | None = None
    error_code: str = ""
    error_message: str = ""
    reason: RefusalReason | None = None


class MalformedNotification(Exception):  # noqa: N818 - it is what the message is
    """Not a message the provider could have sent; `str()` is the reason, for the log."""


@dataclass(frozen=True)
class Incoming:
    """A notification as it came, as far as one must read it to know whose it is; nothing in it is verified yet.

    Two with one `dedup_key` (of one account) say the same.
    """

    account_key: str | None
    """T-Bank's TerminalKey; None where a notification does not name its account (YooKassa)."""
    dedup_key: str
    order_id: str | None
    provider_payment_id: str | None
    fields: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Notification:
    """What a notification says: nothing in it is to be believed before `verify`, or without asking back.

    `amount_minor` may be compared for money that came; after a refund it is never used in arithmetic (DESIGN 3).
    `is_about_payment` is False for receipts, linked cards and the like.
    """

    order_id: str | None
    provider_payment_id: str | None
    status: NewsStatus
    provider_status: str
    amount_minor: int | None
    error_code: str
    error_message: str
    is_about_payment: bool
    reason: RefusalReason | None = None
    method: str = ""
    """As `PaymentState.method`."""
    payer: str = field(default="", repr=False, compare=False)
    """As `PaymentState.payer`."""
    """Of a refused payment, sorted."""


class MalformedRegistry(Exception):  # noqa: N818 - it is what the file is
    """Not a registry of this provider. `line` counts from 1, 0 when it is the file as a whole."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason


class Provider(Protocol):
    """A provider, over somebody else's `httpx.AsyncClient`."""

    name: str
    """As in `terminals.provider` and in addresses: "tbank"."""
    title: str
    """As people know it; a msgid."""
    key_title: str
    secret_title: str
    """What the provider calls an account's two secrets, msgids: "Terminal key" and "Password"."""
    key_max_length: int
    signs_notifications: bool
    """Unsigned notifications are only the wish to look at the payment now."""
    notification_networks: tuple[str, ...]
    """Where unsigned notifications come from; empty: from anywhere."""
    reopens: bool
    """Whether opening again with the same order id gives the same payment (an idempotency key), so that a lost
    answer is simply asked for again. Without it a lost opening is looked up by its order."""
    repeats_refunds: bool
    """Whether a refund with the same key is never made twice, however the payment was paid."""
    offers_sbp_codes: bool
    """Whether `get_sbp_payload` may give a payload."""
    has_registry: bool

    async def open(self, credentials: Credentials, opening: Opening) -> OpenedPayment: ...

    async def get_state(self, credentials: Credentials, provider_payment_id: str) -> PaymentState: ...

    async def list_order(self, credentials: Credentials, order_id: str) -> tuple[PaymentState, ...]:
        """All payments known for an order; none where a provider that `reopens` cannot look orders up."""
        ...

    async def call_off(self, credentials: Credentials, provider_payment_id: str) -> PaymentState:
        """End an unpaid payment. Where that cannot be done at once: its state as it is."""
        ...

    async def get_sbp_payload(self, credentials: Credentials, provider_payment_id: str) -> str | None:
        """The link inside an SBP QR code of an opened payment; None when this account or sum has no SBP."""
        ...

    async def refund(self, credentials: Credentials, refund: Refund) -> RefundAnswer: ...

    async def get_refund(
        self, credentials: Credentials, provider_payment_id: str, provider_refund_id: str
    ) -> RefundAnswer:
        """What became of a refund that was pending; the reason when it was refused."""
        ...

    async def check_credentials(self, credentials: Credentials) -> None:
        """A harmless real call. Raises ProviderPermanentError with CREDENTIALS when key and secret do not fit."""
        ...

    def is_test(self, credentials: Credentials) -> bool:
        """Whether this account is for trying out: payments on it bring no money."""
        ...

    def read(self, raw: bytes) -> Incoming:
        """Raises MalformedNotification."""
        ...

    def verify(self, incoming: Incoming, secret: str) -> bool:
        """In constant time; always False where notifications are not signed."""
        ...

    def parse(self, raw: bytes) -> Notification:
        """Raises MalformedNotification."""
        ...

    def parse_registry(self, raw: bytes) -> list[RegistryRow]:
        """Raises MalformedRegistry."""
        ...
