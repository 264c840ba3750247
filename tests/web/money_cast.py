"""A streamer with donations that brought money, for the pages about it."""

from typing import Any

from domain.payment_status import NewsStatus
from domain.payments import Payment
from domain.streamers import Streamer
from tasks.registry import read_registry
from tests.builders import BuiltStreamer, hear, open_donation
from tests.registry_files import parts_of
from tests.support.site import Site
from tests.web.registry_file import bank_file, bank_line


async def built(site: Site, streamer: Streamer) -> BuiltStreamer:
    row = await site.pool.fetchrow(
        "SELECT id, terminal_key FROM terminals WHERE streamer_id = $1 ORDER BY retired_at DESC NULLS FIRST",
        streamer.id,
    )
    assert row is not None
    return BuiltStreamer(streamer.id, streamer.owner_id, streamer.slug, row["id"], row["terminal_key"])


async def give(site: Site, streamer: Streamer, **fields: Any) -> Payment:
    """A donation that was paid just now."""
    async with site.pool.acquire() as connection, connection.transaction():
        _, payment = await open_donation(connection, await built(site, streamer), **fields)
        await hear(connection, payment, NewsStatus.CONFIRMED)
    return payment


async def payment_row(site: Site, payment: Payment) -> dict[str, Any]:
    [row] = await site.rows("SELECT * FROM payments WHERE id = $1", payment.id)
    return row


async def lines_of(site: Site, streamer: Streamer, *payments: tuple[Payment, str]) -> list[str]:
    """The bank's lines about these payments, each with the type of its operation."""
    key = (await built(site, streamer)).terminal_key
    return [
        bank_line(number, key, await payment_row(site, payment), kind)
        for number, (payment, kind) in enumerate(payments, start=1)
    ]


async def file_of(site: Site, streamer: Streamer, *payments: tuple[Payment, str]) -> bytes:
    return bank_file(*await lines_of(site, streamer, *payments))


async def read_files(site: Site) -> None:
    """As the worker does with all that was brought."""
    for row in await site.rows("SELECT id FROM registry_files ORDER BY id"):
        async with site.pool.acquire() as connection:
            await read_registry(parts_of(connection), row["id"])
