"""Waking what shows alerts."""

from domain import booking, holds
from domain.events import Topic, Wake
from tasks.runtime import Parts


async def wake_overlay(parts: Parts, streamer_id: int) -> None:
    """Say once more that a streamer's alerts are to be looked at; the certain repeat of a wake-up sent before."""
    wake = Wake(streamer_id, frozenset({Topic.ALERTS, Topic.DONATION}), plays_on=True)
    await parts.wake([wake])


async def settle_hold(parts: Parts, hold_id: int) -> None:
    """What was decided about a held alert takes effect, or its deadline does; too early it changes nothing."""
    async with parts.pool.acquire() as connection, connection.transaction():
        wake = await holds.settle(connection, hold_id)
    await parts.after_commit([wake])


async def give_alert(parts: Parts, donation_id: int) -> None:
    """A paid donation whose booking could not make its alert gets it now."""
    async with parts.pool.acquire() as connection, connection.transaction():
        wake = await booking.give_missing_alert(connection, donation_id)
    await parts.after_commit([wake])
