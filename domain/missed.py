"""Missed alerts: after an overlay's long absence nothing plays until the streamer says how (DESIGN 12).

Asked about is what brought money, money written down by hand too. Tests go with it; a reached goal is celebrated
afterwards, whatever the answer.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.alerts import AlertKind, refresh_summary, settle_summary
from infra import queries


class Answer(StrEnum):
    PLAY = "play"
    """All of them, in order."""
    SUMMARY = "summary"
    """One alert that stands for all of them, and replays by themselves."""
    DROP = "drop"
    """None of them; the money is not touched."""
    LATER = "later"
    """They go on waiting; what comes from now on plays."""


@dataclass(frozen=True)
class Missed:
    """What the streamer is asked about: the alerts that waited at `asking_since` and still do, so at least one;
    `amount_minor` in kopecks.

    `postponed`: the answer was "later"; the same answers may still be given.
    """

    asking_since: datetime
    postponed: bool
    alerts: int
    amount_minor: int
    duration_ms: int


async def get_missed(connection: Any, streamer_id: int) -> Missed | None:
    """None while nobody is asked, or when none of what was asked about is left."""
    row = await queries.missed.get_missed(connection, streamer_id=streamer_id)
    return None if row is None else Missed(**row)


async def answer_missed(connection: Any, streamer_id: int, answer: Answer) -> bool:
    """Do with the missed alerts as the streamer says. False: nobody was asking, nothing changed.

    Alerts that came after the question are never dropped or summed up: nobody was asked about them.
    """
    asked_at = await queries.missed.answer_missed(connection, streamer_id=streamer_id, postponed=answer is Answer.LATER)
    if asked_at is None:
        return False
    if answer is Answer.DROP:
        await _drop(connection, streamer_id, asked_at, only_tests=False)
    elif answer is Answer.SUMMARY:
        await _drop(connection, streamer_id, asked_at, only_tests=True)
        await _sum_up(connection, streamer_id, asked_at)
    return True


async def _drop(connection: Any, streamer_id: int, asked_at: datetime, *, only_tests: bool) -> None:
    rows = queries.missed.drop_missed(connection, streamer_id=streamer_id, asked_at=asked_at, only_tests=only_tests)
    for row in [row async for row in rows]:
        if row["kind"] == AlertKind.SUMMARY:
            await settle_summary(connection, row["id"])


async def _sum_up(connection: Any, streamer_id: int, asked_at: datetime) -> None:
    summary_id = await queries.missed.insert_summary(connection, streamer_id=streamer_id, asked_at=asked_at)
    if summary_id is None:
        return
    await queries.missed.join_summary(connection, streamer_id=streamer_id, asked_at=asked_at, summary_id=summary_id)
    await queries.missed.move_goals_back(connection, streamer_id=streamer_id, asked_at=asked_at)
    await refresh_summary(connection, summary_id)
