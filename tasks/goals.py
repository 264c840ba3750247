"""Goals whose time has come."""

from domain import goals
from domain.events import Topic, Wake
from tasks.runtime import Parts


async def settle_goals(parts: Parts, streamer_id: int) -> None:
    """Start, celebrate and end what is due by now, and tell who shows it."""
    async with parts.pool.acquire() as connection, connection.transaction():
        changed = await goals.settle(connection, streamer_id)
    if changed:
        await parts.wake([Wake(streamer_id, frozenset({Topic.GOALS, Topic.ALERTS}), plays_on=True)])
