"""Calls that have all begun before any of them is done."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from tests.support.site import Site

_WAITING = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def at_once(site: Site, rows: str, *calls: Awaitable[Any]) -> list[Any]:
    """What they answer. Each waits for these rows of a table, or for another that does."""
    async with site.pool.acquire() as connection, connection.transaction():
        await connection.execute(f"SELECT FROM {rows} FOR UPDATE")
        begun = [asyncio.ensure_future(call) for call in calls]
        while await site.pool.fetchval(_WAITING) < len(calls):
            await asyncio.sleep(0.02)
    return await asyncio.gather(*begun)
