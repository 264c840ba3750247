"""One donation with everything that happened to its money, for whoever has to explain it a year later."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import payments, refunds
from domain.alerts import AlertKind
from domain.donations import DonationStatus
from domain.payments import Payment
from domain.refunds import Refund
from domain.terms import ELSEWHERE
from infra import queries


@dataclass(frozen=True)
class Donation:
    """Kopecks; name and message as they may leave us, and as they were written. `wished_minor`: what was asked for, if
    another was accepted."""

    id: int
    public_id: str
    status: DonationStatus
    amount_minor: int
    wished_minor: int | None
    refunded_minor: int
    charged_back_minor: int
    donor_name: str | None
    message: str
    consent_version: str
    consented_at: datetime
    created_at: datetime
    paid_at: datetime | None
    hidden_at: datetime | None
    erased_at: datetime | None
    """The donor asked that name and message go."""
    written_name: str | None
    written_message: str
    alert_status: str | None
    shown_at: datetime | None
    interrupted: bool | None
    is_test: bool
    """It came through a terminal for trying out, and is no money."""

    @property
    def consented_elsewhere(self) -> bool:
        """To a program's words, which made the donation through the API."""
        return self.consent_version == ELSEWHERE


@dataclass(frozen=True)
class NewsRow:
    """A line of a payment's log: what was heard, or what we did (then perhaps who wanted it)."""

    id: int
    source: str
    status_before: str
    status_after: str
    provider_status: str
    raw: bytes | None
    note: str
    inbox_id: int | None
    created_at: datetime
    user_email: str | None


@dataclass(frozen=True)
class Attempt:
    """A payment with its story. `left_minor`: kopecks that may still go back."""

    payment: Payment
    provider: str
    terminal_key: str
    left_minor: int
    open_refund: Refund | None
    news: tuple[NewsRow, ...]


@dataclass(frozen=True)
class Showing:
    """An alert of the donation: its own, or a replay."""

    kind: AlertKind
    status: str
    created_at: datetime
    shown_at: datetime | None
    finished_at: datetime | None
    interrupted: bool
    in_summary: bool


@dataclass(frozen=True)
class Details:
    donation: Donation
    attempts: tuple[Attempt, ...]
    """The first first."""
    refunds: tuple[Refund, ...]
    """Oldest first, of all attempts."""
    showings: tuple[Showing, ...]
    """The first first."""

    @property
    def came_at(self) -> datetime | None:
        """Since when it stands in the list; None: its money has not come."""
        if self.donation.status is DonationStatus.REVIEW:
            return min((a.payment.confirmed_at for a in self.attempts if a.payment.confirmed_at), default=None)
        return self.donation.paid_at


async def find_donation(connection: Any, streamer_id: int, public_id: str) -> Donation | None:
    """None: the streamer has no such donation."""
    row = await queries.donations.get_details(connection, streamer_id=streamer_id, public_id=public_id)
    return None if row is None else Donation(**{**row, "status": DonationStatus(row["status"])})


async def read_details(connection: Any, streamer_id: int, public_id: str) -> Details | None:
    """None: the streamer has no such donation."""
    donation = await find_donation(connection, streamer_id, public_id)
    if donation is None:
        return None
    wished = await refunds.list_refunds_of_donation(connection, donation.id)
    under_way = {refund.payment_id: refund for refund in wished if refund.is_open}
    attempts = []
    for payment in await payments.list_payments_of_donation(connection, donation.id):
        terminal = await queries.terminals.get_terminal(connection, terminal_id=payment.terminal_id)
        attempts.append(
            Attempt(
                payment=payment,
                provider=terminal["provider"],
                terminal_key=terminal["terminal_key"],
                left_minor=await refunds.refundable_minor(connection, payment),
                open_refund=under_way.get(payment.id),
                news=tuple(
                    [NewsRow(**row) async for row in queries.payments.list_news(connection, payment_id=payment.id)]
                ),
            )
        )
    showings = [
        Showing(**{**row, "kind": AlertKind(row["kind"])})
        async for row in queries.alerts.list_of_donation(connection, donation_id=donation.id)
    ]
    return Details(donation, tuple(attempts), tuple(wished), tuple(showings))


@dataclass(frozen=True)
class FoundPayment:
    """A payment that a search found, and where it belongs; kopecks."""

    id: int
    order_id: str
    provider_payment_id: str | None
    status: str
    amount_minor: int
    confirmed_minor: int | None
    booked_as: str | None
    created_at: datetime
    provider: str
    terminal_key: str
    donation_public_id: str
    slug: str
    display_name: str
    time_zone: str


SEARCH_MAX_LENGTH = 100
_IDS_BELOW = 2**31


async def search_payments(connection: Any, text: str, *, limit: int = 50) -> list[FoundPayment]:
    """By our order id, the provider's payment id, a donation's public id, or our own id; the newest first."""
    text = text.strip()
    if not text or len(text) > SEARCH_MAX_LENGTH or not text.isprintable():
        return []
    number = int(text) if text.isascii() and text.isdigit() and int(text) < _IDS_BELOW else None
    rows = queries.payments.search_payments(connection, text=text, number=number, limit=limit)
    return [FoundPayment(**row) async for row in rows]
