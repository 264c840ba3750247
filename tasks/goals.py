"""Goals whose time has come."""

from domain import goal_progress
from domain.events import Topic, Wake
from tasks.runtime import Parts


async def settle_goals(parts: Parts, streamer_id: int) -> None:
    """Make up for what bookings owe, start, celebrate and end what is due by now, and tell who shows it."""
    async with parts.pool.acquire() as connection:
        async with connection.transaction():
            changed = await goal_progress.catch_up(connection, streamer_id)
        async with connection.transaction():
            changed = await goal_progress.settle(connection, streamer_id) or changed
    if changed:
        await parts.wake([Wake(streamer_id, frozenset({Topic.GOALS, Topic.ALERTS}), plays_on=True)])
