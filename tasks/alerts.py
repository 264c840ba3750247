"""Waking what shows alerts."""

from domain.events import Topic, Wake
from tasks.runtime import Parts


async def wake_overlay(parts: Parts, streamer_id: int) -> None:
    """Say once more that a streamer's alerts are to be looked at; the certain repeat of a wake-up sent before."""
    wake = Wake(streamer_id, frozenset({Topic.ALERTS, Topic.DONATION}), plays_on=True)
    await parts.wake([wake])
