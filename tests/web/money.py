"""A streamer's money for tests of pages: donations paid, paid twice, paid with another amount."""

from typing import Any

from domain import refunds
from domain.donations import CreatedDonation
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.payments import Payment, get_payment
from domain.streamers import Streamer
from tests.builders import BuiltStreamer, hear, latest_payment, open_donation, open_payment
from tests.support.site import Site


async def built(site: Site, streamer: Streamer) -> BuiltStreamer:
    """As `tests.builders` knows a streamer."""
    row = await site.pool.fetchrow("SELECT id, terminal_key FROM terminals WHERE streamer_id = $1", streamer.id)
    assert row is not None
    return BuiltStreamer(streamer.id, streamer.owner_id, streamer.slug, row["id"], row["terminal_key"])


async def add_paid(
    site: Site, streamer: Streamer, came_minor: int = 30_000, **fields: Any
) -> tuple[CreatedDonation, Payment]:
    """A donation of 300 ₽ (unless said otherwise) for which `came_minor` kopecks came."""
    async with site.pool.acquire() as connection, connection.transaction():
        donation, payment = await open_donation(connection, await built(site, streamer), **fields)
        await hear(connection, payment, N.CONFIRMED, source=Source.POLL, amount_minor=came_minor, method="card")
    return donation, await read(site, payment)


async def add_second(site: Site, streamer: Streamer, donation: CreatedDonation, came_minor: int = 30_000) -> Payment:
    """A second attempt of a paid donation that brought money, too."""
    terminal_id = (await built(site, streamer)).terminal_id
    async with site.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO payments (donation_id, streamer_id, terminal_id, attempt, order_id, amount_minor, due_at)"
            " VALUES ($1, $2, $3, 2, 'order-of-the-second-' || $4::text, 30000, now())",
            donation.id, streamer.id, terminal_id, str(donation.id),
        )  # fmt: skip
        payment = await open_payment(connection, await latest_payment(connection, donation))
        await hear(connection, payment, N.CONFIRMED, source=Source.POLL, amount_minor=came_minor)
    return await read(site, payment)


async def read(site: Site, payment: Payment) -> Payment:
    async with site.pool.acquire() as connection:
        found = await get_payment(connection, payment.id)
    assert found is not None
    return found


async def wish_back(site: Site, payment: Payment, streamer: Streamer, amount_minor: int = 10_000) -> int:
    """A refund that waits for its actor; its id."""
    async with site.pool.acquire() as connection, connection.transaction():
        refund = await refunds.request_refund(
            connection,
            streamer_id=streamer.id,
            payment_id=payment.id,
            amount_minor=amount_minor,
            reason="Просил вернуть",
            user_id=streamer.owner_id,
        )
    return refund.id


async def refuse(site: Site, refund_id: int, code: str = "3002", reason: str = "refund_without_funds") -> None:
    async with site.pool.acquire() as connection, connection.transaction():
        claimed = await refunds.claim_refund(connection, refund_id)
        assert claimed is not None
        assert await refunds.refuse(
            connection, claimed, error_code=code, error_reason=reason, error_message="Мало денег"
        )


async def go_back(site: Site, payment: Payment, left_minor: int) -> None:
    """The bank says that so much is left."""
    status = N.PARTIALLY_REFUNDED if left_minor else N.REFUNDED
    async with site.pool.acquire() as connection, connection.transaction():
        await hear(connection, payment, status, source=Source.POLL, amount_minor=left_minor)
