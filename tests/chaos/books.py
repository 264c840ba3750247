"""Our side: payments, donations and alerts as our tables have them in the end."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.chaos.house import House


@dataclass(frozen=True)
class OurPayment:
    """Kopecks. `booked_minor`, `bookings`, `returned_minor` and `clearing_minor` are the ledger's."""

    id: int
    provider: str
    provider_payment_id: str | None
    donation_id: int
    status: str
    confirmed_minor: int | None
    booked_as: str | None
    bookings: int
    booked_minor: int
    returned_minor: int
    clearing_minor: int


@dataclass(frozen=True)
class OurDonation:
    """`shown` counts leases that were seen to be readable, as the service heard it."""

    id: int
    provider: str
    message: str
    status: str
    amount_minor: int
    refunded_minor: int


@dataclass(frozen=True)
class OurAlert:
    """Of a donation. `offered_at`: when it was first offered; None: never."""

    alert_id: uuid.UUID
    donation_id: int
    status: str
    place: int
    playable_at: datetime
    offered_at: datetime | None


@dataclass(frozen=True)
class Totals:
    provider: str
    net_minor: int
    donations: int


@dataclass(frozen=True)
class Books:
    payments: list[OurPayment]
    donations: list[OurDonation]
    alerts: list[OurAlert]
    totals: list[Totals]
    refunds: Mapping[str, int]
    """How many ended how."""


async def read_books(house: House) -> Books:
    async def rows(query: str, shape: type[Any]) -> list[Any]:
        return [shape(**row) for row in await house.fetch(query)]

    refunds = await house.fetch("SELECT status, count(*)::integer AS count FROM refunds GROUP BY 1 ORDER BY 1")
    return Books(
        payments=await rows(_PAYMENTS, OurPayment),
        donations=await rows(_DONATIONS, OurDonation),
        alerts=await rows(_ALERTS, OurAlert),
        totals=await rows(_TOTALS, Totals),
        refunds={row["status"]: row["count"] for row in refunds},
    )


# A streamer is known by the provider: the terminal chosen last.
_PROVIDERS = """
    WITH providers AS (
        SELECT DISTINCT ON (streamer_id) streamer_id, provider FROM terminals
        WHERE retired_at IS NULL ORDER BY streamer_id, chosen_at DESC, id DESC
    )
"""
_PAYMENTS = """
    SELECT payments.id, terminals.provider, provider_payment_id, donation_id, status, confirmed_minor, booked_as,
           count(booking.id)::integer AS bookings, coalesce(sum(booking.reached_minor), 0)::bigint AS booked_minor,
           coalesce((SELECT max(reached_minor) FROM ledger_transactions AS refund
                     WHERE refund.payment_id = payments.id AND refund.kind = 'refund'), 0)::bigint AS returned_minor,
           coalesce((SELECT sum(entry.amount_minor)
                     FROM ledger_entries AS entry JOIN ledger_transactions AS booked ON booked.id = entry.transaction_id
                     WHERE booked.payment_id = payments.id AND entry.account = 'provider_clearing'),
                    0)::bigint AS clearing_minor
    FROM payments JOIN terminals ON terminals.id = payments.terminal_id
    LEFT JOIN ledger_transactions AS booking ON booking.payment_id = payments.id AND booking.kind = 'payment'
    GROUP BY payments.id, terminals.provider ORDER BY payments.id
"""
_DONATIONS = (
    _PROVIDERS
    + """
    SELECT id, provider, message, status, amount_minor, refunded_minor
    FROM donations JOIN providers USING (streamer_id) ORDER BY id
"""
)
_ALERTS = """
    SELECT alert_id, donation_id, status, place, playable_at,
           (SELECT min(offered_at) FROM alert_leases WHERE alert_leases.alert_id = alerts.alert_id) AS offered_at
    FROM alerts WHERE kind = 'donation' ORDER BY id
"""
_TOTALS = (
    _PROVIDERS
    + """
    SELECT provider, coalesce(net_minor, 0) AS net_minor, coalesce(donations, 0) AS donations
    FROM providers LEFT JOIN streamer_totals USING (streamer_id) ORDER BY provider
"""
)
