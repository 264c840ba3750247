"""Streamers, donations and payments for tests, made through the domain's own functions."""

import itertools
import json
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet

from domain import payments
from domain.donations import CreatedDonation, NewDonation, create_donation
from domain.news import Applied, News, Source, apply_news
from domain.payment_status import NewsStatus
from domain.payments import Payment
from domain.terminals import set_terminal
from infra.crypto import SecretBox
from providers.tbank import signing

BOX = SecretBox(Fernet.generate_key().decode())
TERMINAL_PASSWORD = "terminal-password"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class BuiltStreamer:
    id: int
    owner_id: int
    slug: str
    terminal_id: int
    terminal_key: str


async def make_streamer(
    connection: Any, *, slug: str | None = None, time_zone: str = "Europe/Moscow", box: SecretBox = BOX
) -> BuiltStreamer:
    """A streamer with an owner and a terminal whose password is TERMINAL_PASSWORD."""
    number = next(_numbers)
    slug = slug or f"streamer-{number}"
    owner_id = await connection.fetchval(
        "INSERT INTO users (email, password_hash) VALUES ($1, 'none') RETURNING id", f"{slug}@example.org"
    )
    streamer_id = await connection.fetchval(
        "INSERT INTO streamers (owner_id, slug, display_name, time_zone) VALUES ($1, $2, $3, $4) RETURNING id",
        owner_id,
        slug,
        "Кот Учёный",
        time_zone,
    )
    terminal_key = f"TEST{number}DEMO"
    terminal = await set_terminal(connection, box, streamer_id, "tbank", terminal_key, TERMINAL_PASSWORD)
    return BuiltStreamer(streamer_id, owner_id, slug, terminal.id, terminal_key)


async def make_donation(
    connection: Any,
    streamer: BuiltStreamer,
    *,
    amount_minor: int = 30_000,
    donor_name: str | None = "Аня",
    message: str = "Привет из Омска",
    form_key: str | None = None,
) -> CreatedDonation:
    new = NewDonation(
        streamer_id=streamer.id,
        form_key=form_key or f"form-key-{next(_numbers):08d}",
        amount_minor=amount_minor,
        donor_name=donor_name,
        message=message,
        locale="ru",
        consent_version="2026-11-22",
    )
    return await create_donation(connection, new, link_minutes=30)


async def latest_payment(connection: Any, donation: CreatedDonation) -> Payment:
    return await payments.get_latest_payment(connection, donation.id)


async def open_payment(connection: Any, payment: Payment, provider_payment_id: str | None = None) -> Payment:
    """As after the bank's answer to Init: pending, with a URL."""
    provider_payment_id = provider_payment_id or str(3_000_000_000 + next(_numbers))
    claimed = await payments.claim_opening(connection, payment.id, link_minutes=30)
    assert claimed is not None
    opened = await payments.record_opened(
        connection,
        claimed,
        provider_payment_id=provider_payment_id,
        payment_url=f"https://bank.example/pay/{provider_payment_id}",
    )
    assert opened is not None
    return opened


async def open_donation(connection: Any, streamer: BuiltStreamer, **fields: Any) -> tuple[CreatedDonation, Payment]:
    donation = await make_donation(connection, streamer, **fields)
    return donation, await open_payment(connection, await latest_payment(connection, donation))


async def hear(
    connection: Any,
    payment: Payment,
    status: NewsStatus,
    *,
    source: Source = Source.NOTIFICATION,
    amount_minor: int | None = None,
    **fields: Any,
) -> Applied:
    """Apply news with the payment's own id and amount, unless said otherwise."""
    given = {"provider_payment_id": payment.provider_payment_id, "provider_status": status.upper(), **fields}
    news = News(
        source=source,
        status=status,
        amount_minor=payment.amount_minor if amount_minor is None else amount_minor,
        **given,
    )
    return await apply_news(connection, payment.id, news)


def notification_body(
    terminal_key: str,
    payment: Payment,
    status: str,
    *,
    password: str = TERMINAL_PASSWORD,
    success: bool = True,
    **overrides: Any,
) -> bytes:
    """T-Bank's notification as it would come, signed; `overrides` replace or add fields before signing."""
    fields: dict[str, Any] = {
        "TerminalKey": terminal_key,
        "OrderId": payment.order_id,
        "Success": success,
        "Status": status,
        "PaymentId": int(payment.provider_payment_id or "3999999999"),
        "ErrorCode": "0",
        "Amount": payment.amount_minor,
        "CardId": 322264,
        "Pan": "430000******0777",
        "ExpDate": "1230",
        **overrides,
    }
    fields["Token"] = signing.sign(fields, password)
    return json.dumps(fields, ensure_ascii=False).encode()


async def check_books(connection: Any) -> None:
    """What must hold at all times: the ledger balances, and totals, payments and donations agree with it."""
    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert await connection.fetchval("SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries") == 0
    wrong_totals = await connection.fetch(
        """
        SELECT streamers.id, coalesce(totals.net_minor, 0) AS totals, coalesce(ledger.net, 0) AS ledger,
               coalesce(days.net, 0) AS days
        FROM streamers
        LEFT JOIN streamer_totals AS totals ON totals.streamer_id = streamers.id
        LEFT JOIN (SELECT streamer_id, -sum(amount_minor) AS net FROM ledger_entries
                   WHERE account IN ('streamer', 'refunds', 'chargebacks') GROUP BY 1) AS ledger
            ON ledger.streamer_id = streamers.id
        LEFT JOIN (SELECT streamer_id, sum(net_minor) AS net FROM streamer_days GROUP BY 1) AS days
            ON days.streamer_id = streamers.id
        WHERE coalesce(totals.net_minor, 0) <> coalesce(ledger.net, 0)
           OR coalesce(totals.net_minor, 0) <> coalesce(days.net, 0)
        """
    )
    assert wrong_totals == []
    unbooked = await connection.fetch(
        """
        SELECT id FROM payments
        WHERE (status IN ('confirmed', 'partially_refunded', 'refunded'))
           <> EXISTS (SELECT FROM ledger_transactions WHERE payment_id = payments.id AND kind = 'payment')
        """
    )
    assert unbooked == []
    alertless = await connection.fetch(
        """
        SELECT id FROM donations
        WHERE (paid_at IS NOT NULL)
           <> EXISTS (SELECT FROM alerts WHERE donation_id = donations.id AND kind = 'donation')
        """
    )
    assert alertless == []
