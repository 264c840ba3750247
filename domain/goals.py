"""Goals: what a streamer collects for (docs/decisions/0029-goals.md).

    planned ──start──▶ active ──over──▶ reached | ended ──▶ archived

How far a goal is comes from facts alone: what was there before, what the goal before it had too much, the donations
paid while it was active less what went back of them, and what she wrote down by hand meanwhile. It is reached once, and
celebrated by one alert; refunds take money off again, not the celebration.

Here is what she does with them; how money and time move them is in `domain/goal_progress.py`.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.goal_progress import close, hold, settle_held, start_next
from domain.text import clean_message, clean_name
from infra import queries

TITLE_MAX_LENGTH = 60
DESCRIPTION_MAX_LENGTH = 300
TARGET_MIN_MINOR = 1_00
AMOUNT_MAX_MINOR = 99_999_999_99
OPEN_MAX = 50
"""Planned and active together."""
LISTED = 200


class GoalStatus(StrEnum):
    PLANNED = "planned"
    ACTIVE = "active"
    REACHED = "reached"
    """Over, and it was reached while it was active."""
    ENDED = "ended"
    ARCHIVED = "archived"


@dataclass(frozen=True)
class Goal:
    """Kopecks. `raised_minor` is the sum of its sources less `returned_minor`."""

    id: int
    title: str
    description: str
    status: GoalStatus
    target_minor: int
    start_minor: int
    """There before."""
    carried_minor: int
    """What the goal before it has above its target."""
    given_minor: int
    """By donations, as they were paid."""
    returned_minor: int
    """Of these, what went back by refunds and chargebacks."""
    manual_minor: int
    """Written down by hand."""
    raised_minor: int
    starts_at: datetime | None
    ends_at: datetime | None
    started_at: datetime | None
    reached_at: datetime | None
    ended_at: datetime | None
    celebration_waits: bool

    @property
    def is_open(self) -> bool:
        return self.status in (GoalStatus.PLANNED, GoalStatus.ACTIVE)

    @property
    def percent(self) -> int:
        """Whole percent, rounded down: a hundred only when it is really there. Never below zero."""
        return max(0, self.raised_minor * 100 // self.target_minor)

    @property
    def left_minor(self) -> int:
        return max(0, self.target_minor - self.raised_minor)

    @property
    def surplus_minor(self) -> int:
        return max(0, self.raised_minor - self.target_minor)


@dataclass(frozen=True)
class GoalFields:
    """What a streamer says of a goal; kopecks."""

    title: str
    description: str
    target_minor: int
    start_minor: int
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True)
class GoalSettings:
    goes_on: bool
    """The first planned goal starts by itself when the active one is reached or over."""
    carries: bool
    """What a goal has above its target is where the next one starts."""


def clean_fields(fields: GoalFields) -> GoalFields:
    """With texts as they may be kept."""
    return replace(fields, title=clean_name(fields.title), description=clean_message(fields.description))


def find_problems(fields: GoalFields, *, now: datetime) -> list[InvalidInputError]:
    """All that is wrong with cleaned fields: of title, description, target, start, ends_at."""
    problems = []
    if not fields.title:
        problems.append(InvalidInputError("title", "required"))
    for field, text, limit in (
        ("title", fields.title, TITLE_MAX_LENGTH),
        ("description", fields.description, DESCRIPTION_MAX_LENGTH),
    ):
        if len(text) > limit:
            problems.append(InvalidInputError(field, "too_long", limit=limit, over=len(text) - limit))
    for field, amount_minor, least_minor in (
        ("target", fields.target_minor, TARGET_MIN_MINOR),
        ("start", fields.start_minor, 0),
    ):
        if amount_minor < least_minor:
            problems.append(InvalidInputError(field, "too_small", least_minor=least_minor))
        if amount_minor > AMOUNT_MAX_MINOR:
            problems.append(InvalidInputError(field, "too_large", most_minor=AMOUNT_MAX_MINOR))
    if fields.ends_at is not None:
        if fields.ends_at <= now:
            problems.append(InvalidInputError("ends_at", "past"))
        elif fields.starts_at is not None and fields.ends_at <= fields.starts_at:
            problems.append(InvalidInputError("ends_at", "before_start"))
    return problems


# What she does. A goal that is not hers is not found.


async def list_goals(connection: Any, streamer_id: int) -> list[Goal]:
    """The active one, the planned in their order, then those that are over, the newest first; at most LISTED."""
    rows = queries.goals.list_goals(connection, streamer_id=streamer_id, goal_id=None, limit=LISTED)
    return [_goal(row) async for row in rows]


async def get_goal(connection: Any, streamer_id: int, goal_id: int) -> Goal:
    """Raises NotFoundError("goal")."""
    async for row in queries.goals.list_goals(connection, streamer_id=streamer_id, goal_id=goal_id, limit=1):
        return _goal(row)
    raise NotFoundError("goal")


async def get_shown_goal(connection: Any, streamer_id: int) -> Goal | None:
    """The active goal as donors see it; None as soon as its time is over."""
    row = await queries.goals.get_shown_goal(connection, streamer_id=streamer_id)
    return None if row is None else _goal(row)


async def create_goal(connection: Any, streamer_id: int, fields: GoalFields) -> int:
    """A planned goal, behind the others, with fields in which no problem was found; its id. Raises
    NotAllowedError("too_many")."""
    await hold(connection, streamer_id)
    if await queries.goals.count_open(connection, streamer_id=streamer_id) >= OPEN_MAX:
        raise NotAllowedError("too_many", limit=OPEN_MAX)
    goal_id: int = await queries.goals.insert_goal(connection, streamer_id=streamer_id, **vars(fields))
    await settle_held(connection, streamer_id)
    return goal_id


async def update_goal(connection: Any, streamer_id: int, goal_id: int, fields: GoalFields) -> None:
    """A lower target may reach the goal; a higher one takes back nothing. Of a goal that is over only the words change.
    Raises NotFoundError."""
    await hold(connection, streamer_id)
    if (await queries.goals.update_goal(connection, streamer_id=streamer_id, goal_id=goal_id, **vars(fields))) is None:
        raise NotFoundError("goal")
    await settle_held(connection, streamer_id)


async def start(connection: Any, streamer_id: int, goal_id: int) -> None:
    """Start a planned goal now; the active one ends. Raises NotFoundError, NotAllowedError("not_planned" | "over")."""
    await hold(connection, streamer_id)
    goal = await get_goal(connection, streamer_id, goal_id)
    if goal.status is not GoalStatus.PLANNED:
        raise NotAllowedError("not_planned")
    running = await queries.goals.get_running(connection, streamer_id=streamer_id)
    if running is not None:
        await close(connection, streamer_id, running["id"])
    if await queries.goals.start_goal(connection, streamer_id=streamer_id, goal_id=goal_id) is None:
        # Undone by the caller's rollback.
        raise NotAllowedError("over")
    await settle_held(connection, streamer_id)


async def end(connection: Any, streamer_id: int, goal_id: int) -> None:
    """End the active goal; the next starts by itself if that is wished. Raises NotFoundError,
    NotAllowedError("not_active")."""
    await hold(connection, streamer_id)
    await get_goal(connection, streamer_id, goal_id)
    if not await close(connection, streamer_id, goal_id):
        raise NotAllowedError("not_active")
    if (await get_settings(connection, streamer_id)).goes_on:
        await start_next(connection, streamer_id, only_timed=False)
    await settle_held(connection, streamer_id)


async def archive(connection: Any, streamer_id: int, goal_id: int, *, archived: bool) -> None:
    """Put a goal that is over out of sight, or back. Raises NotFoundError, NotAllowedError("not_over")."""
    await get_goal(connection, streamer_id, goal_id)
    changed = await queries.goals.set_archived(connection, streamer_id=streamer_id, goal_id=goal_id, archived=archived)
    if changed is None:
        raise NotAllowedError("not_over")


async def delete(connection: Any, streamer_id: int, goal_id: int) -> None:
    """Raises NotFoundError, NotAllowedError("has_money"): what money or a celebration speaks of stays."""
    await hold(connection, streamer_id)
    await get_goal(connection, streamer_id, goal_id)
    if await queries.goals.delete_goal(connection, streamer_id=streamer_id, goal_id=goal_id) is None:
        raise NotAllowedError("has_money")
    await settle_held(connection, streamer_id)


async def move(connection: Any, streamer_id: int, goal_id: int, *, up: bool) -> None:
    """One place up or down among the planned. At the end of the row nothing changes. Raises NotFoundError."""
    await hold(connection, streamer_id)
    goal = await get_goal(connection, streamer_id, goal_id)
    if goal.status is not GoalStatus.PLANNED:
        return
    ids = [row["id"] async for row in queries.goals.list_planned_ids(connection, streamer_id=streamer_id)]
    here = ids.index(goal_id)
    there = here - 1 if up else here + 1
    if 0 <= there < len(ids):
        ids[here], ids[there] = ids[there], ids[here]
        await queries.goals.order_planned(connection, streamer_id=streamer_id, goal_ids=ids)


async def get_settings(connection: Any, streamer_id: int) -> GoalSettings:
    return GoalSettings(**await queries.goals.get_settings(connection, streamer_id=streamer_id))


async def set_settings(connection: Any, streamer_id: int, settings: GoalSettings) -> None:
    await hold(connection, streamer_id)
    await queries.goals.set_settings(
        connection, streamer_id=streamer_id, goes_on=settings.goes_on, carries=settings.carries
    )
    await settle_held(connection, streamer_id)


def _goal(row: Any) -> Goal:
    return Goal(**{**row, "status": GoalStatus(row["status"])})
