"""Goals: what a streamer collects for, one at a time."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from quart_schema import validate_request, validate_response

from domain import goals
from domain.errors import InvalidInputError, NotAllowedError
from domain.goal_progress import hold
from domain.goals import Goal, GoalFields, GoalStatus, clean_fields, find_problems
from domain.scopes import Scope
from domain.streamers import Streamer
from web.api.access import callers_streamer, needs
from web.api.acting import GOALS, tell
from web.api.blueprints import new_api
from web.api.errors import Fault, Refused
from web.api.etags import tagged
from web.api.idempotency import writing
from web.api.openapi import examples
from web.api.problems import problem
from web.api.schemas import goals as schemas
from web.context import parts

blueprint = new_api("goals")

_ID = "/<id(besides='settings'):goal_id>"
_FIELDS = {"target": "target_minor", "start": "start_minor"}
"""What the domain's fields are called here."""
_REFUSED = {
    "too_many": "too-many-goals",
    "not_planned": "goal-not-planned",
    "not_active": "goal-not-active",
    "not_over": "goal-not-over",
    "over": "goal-time-over",
    "has_money": "goal-has-money",
}
_EXAMPLE = {
    "id": 5,
    "title": "Новый микрофон",
    "description": "Чтобы было слышно даже чайник.",
    "status": "active",
    "currency": "RUB",
    "target_minor": 1500000,
    "raised_minor": 420000,
    "percent": 28,
    "start_minor": 0,
    "carried_minor": 20000,
    "given_minor": 430000,
    "returned_minor": 30000,
    "manual_minor": 0,
    "starts_at": None,
    "ends_at": "2026-12-31T18:00:00Z",
    "started_at": "2026-11-20T15:00:00Z",
    "reached_at": None,
    "ended_at": None,
}
_NEW = {"title": "Новый микрофон", "target_minor": 1500000, "ends_at": "2027-12-31T21:00:00+03:00"}
_PLANNED = {
    **_EXAMPLE, "status": "planned", "raised_minor": 0, "percent": 0, "carried_minor": 0, "given_minor": 0,
    "returned_minor": 0, "started_at": None,
}  # fmt: skip


@blueprint.get("")
@needs(Scope.GOALS_READ)
@tagged
@examples(response={"goals": [_EXAMPLE], "goes_on": True, "carries": True})
@validate_response(schemas.Goals)
async def show_all() -> schemas.Goals:
    """All goals with their progress

    At most two hundred. The answer has an `ETag`.
    """
    return await _all(await callers_streamer())


@blueprint.post("")
@needs(Scope.GOALS_WRITE)
@validate_request(schemas.NewGoal)
@examples(request=_NEW, response=_PLANNED)
@validate_response(schemas.Goal, 201)
async def create(data: schemas.NewGoal) -> tuple[schemas.Goal, int]:
    """Plan a goal

    Behind those that are planned already. It starts at `starts_at`, when you say so, or after the one before it if
    `goes_on` is set.
    """
    streamer = await callers_streamer()
    fields = _checked(GoalFields(**data.model_dump()))
    try:
        async with writing() as connection:
            goal_id = await goals.create_goal(connection, streamer.id, fields)
            made = await goals.get_goal(connection, streamer.id, goal_id)
    except NotAllowedError as error:
        raise _refused(error) from None
    await _tell(streamer)
    return _answer(made), 201


@blueprint.patch("/settings")
@needs(Scope.GOALS_WRITE)
@validate_request(schemas.GoalSettings)
@examples(request={"goes_on": True}, response={"goals": [_EXAMPLE], "goes_on": True, "carries": True})
@validate_response(schemas.Goals)
async def change_settings(data: schemas.GoalSettings) -> schemas.Goals:
    """Say what follows a goal that is over

    Whether the next one starts by itself, and whether it begins with what the one before had too much.
    """
    streamer = await callers_streamer()
    async with writing() as connection:
        await hold(connection, streamer.id)
        settings = await goals.get_settings(connection, streamer.id)
        await goals.set_settings(connection, streamer.id, replace(settings, **data.model_dump(exclude_none=True)))
    await _tell(streamer)
    return await _all(streamer)


@blueprint.get(_ID)
@needs(Scope.GOALS_READ)
@tagged
@examples(path={"goal_id": 5}, response=_EXAMPLE)
@validate_response(schemas.Goal)
async def show(goal_id: int) -> schemas.Goal:
    """One goal with its progress"""
    streamer = await callers_streamer()
    async with parts().pool.acquire() as connection:
        return _answer(await goals.get_goal(connection, streamer.id, goal_id))


@blueprint.patch(_ID)
@needs(Scope.GOALS_WRITE)
@validate_request(schemas.GoalChanges)
@examples(path={"goal_id": 5}, request={"target_minor": 2000000}, response={**_EXAMPLE, "target_minor": 2000000})
@validate_response(schemas.Goal)
async def change(goal_id: int, data: schemas.GoalChanges) -> schemas.Goal:
    """Change a goal

    A lower target may reach it; a higher one takes no celebration back. `null` takes a time away.
    """
    streamer = await callers_streamer()
    async with writing() as connection:
        await hold(connection, streamer.id)
        goal = await goals.get_goal(connection, streamer.id, goal_id)
        await goals.update_goal(connection, streamer.id, goal_id, _changed(goal, data))
        goal = await goals.get_goal(connection, streamer.id, goal_id)
    await _tell(streamer)
    return _answer(goal)


@blueprint.delete(_ID)
@needs(Scope.GOALS_WRITE)
@examples(path={"goal_id": 5}, response={"goals": [], "goes_on": False, "carries": True})
@validate_response(schemas.Goals)
async def delete(goal_id: int) -> schemas.Goals:
    """Delete a goal

    Only one that no money and no celebration speaks of; others can be ended and archived. Answers with those left.
    """
    streamer = await callers_streamer()
    await _do(streamer, goal_id, goals.delete)
    return await _all(streamer)


@blueprint.post(f"{_ID}/start")
@needs(Scope.GOALS_WRITE)
@examples(path={"goal_id": 5}, response=_EXAMPLE)
@validate_response(schemas.Goal)
async def start(goal_id: int) -> schemas.Goal:
    """Start a planned goal now

    The active one ends.
    """
    return await _done(goal_id, goals.start)


@blueprint.post(f"{_ID}/end")
@needs(Scope.GOALS_WRITE)
@examples(path={"goal_id": 5}, response={**_EXAMPLE, "status": "ended", "ended_at": "2026-11-28T18:00:00Z"})
@validate_response(schemas.Goal)
async def end(goal_id: int) -> schemas.Goal:
    """End the active goal

    The next one starts by itself if `goes_on` is set.
    """
    return await _done(goal_id, goals.end)


@blueprint.post(f"{_ID}/archive")
@needs(Scope.GOALS_WRITE)
@examples(path={"goal_id": 5}, response={**_EXAMPLE, "status": "archived", "ended_at": "2026-11-28T18:00:00Z"})
@validate_response(schemas.Goal)
async def archive(goal_id: int) -> schemas.Goal:
    """Put a goal that is over out of sight"""
    return await _done(goal_id, _archive)


@blueprint.post(f"{_ID}/unarchive")
@needs(Scope.GOALS_WRITE)
@examples(path={"goal_id": 5}, response={**_EXAMPLE, "status": "ended", "ended_at": "2026-11-28T18:00:00Z"})
@validate_response(schemas.Goal)
async def unarchive(goal_id: int) -> schemas.Goal:
    """Take a goal out of the archive"""
    return await _done(goal_id, _unarchive)


@blueprint.post(f"{_ID}/up")
@needs(Scope.GOALS_WRITE)
@examples(path={"goal_id": 5}, response=_PLANNED)
@validate_response(schemas.Goal)
async def move_up(goal_id: int) -> schemas.Goal:
    """Move a planned goal one place up

    The first one stays where it is, and so does one that is not planned.
    """
    return await _done(goal_id, _up)


@blueprint.post(f"{_ID}/down")
@needs(Scope.GOALS_WRITE)
@examples(path={"goal_id": 5}, response=_PLANNED)
@validate_response(schemas.Goal)
async def move_down(goal_id: int) -> schemas.Goal:
    """Move a planned goal one place down"""
    return await _done(goal_id, _down)


async def _archive(connection: Any, streamer_id: int, goal_id: int) -> None:
    await goals.archive(connection, streamer_id, goal_id, archived=True)


async def _unarchive(connection: Any, streamer_id: int, goal_id: int) -> None:
    await goals.archive(connection, streamer_id, goal_id, archived=False)


async def _up(connection: Any, streamer_id: int, goal_id: int) -> None:
    await goals.move(connection, streamer_id, goal_id, up=True)


async def _down(connection: Any, streamer_id: int, goal_id: int) -> None:
    await goals.move(connection, streamer_id, goal_id, up=False)


_Act = Callable[[Any, int, int], Awaitable[None]]


async def _do(streamer: Streamer, goal_id: int, act: _Act) -> None:
    try:
        async with writing() as connection:
            await act(connection, streamer.id, goal_id)
    except NotAllowedError as error:
        raise _refused(error) from None
    await _tell(streamer)


async def _done(goal_id: int, act: _Act) -> schemas.Goal:
    streamer = await callers_streamer()
    await _do(streamer, goal_id, act)
    async with parts().pool.acquire() as connection:
        return _answer(await goals.get_goal(connection, streamer.id, goal_id))


async def _all(streamer: Streamer) -> schemas.Goals:
    async with parts().pool.acquire() as connection:
        found = await goals.list_goals(connection, streamer.id)
        settings = await goals.get_settings(connection, streamer.id)
    return schemas.Goals(goals=[_answer(goal) for goal in found], goes_on=settings.goes_on, carries=settings.carries)


def _answer(goal: Goal) -> schemas.Goal:
    taken = {name: getattr(goal, name) for name in schemas.Goal.model_fields if name != "currency"}
    return schemas.Goal(**taken, currency="RUB")


def _changed(goal: Goal, data: schemas.GoalChanges) -> GoalFields:
    """As the form has it: the further a goal is, the less of it changes."""
    said = {name: getattr(data, name) for name in data.model_fields_set}
    words = {"title", "description"}
    # Only times may be taken away.
    said = {name: value for name, value in said.items() if value is not None or name in ("starts_at", "ends_at")}
    if not goal.is_open:
        said = {name: value for name, value in said.items() if name in words}
    elif goal.status is not GoalStatus.PLANNED:
        said.pop("starts_at", None)
    now = {name: getattr(goal, name) for name in GoalFields.__dataclass_fields__}
    if not goal.is_open:
        now |= {"starts_at": None, "ends_at": None}
    return _checked(GoalFields(**{**now, **said}), kept_end=goal.ends_at)


def _checked(fields: GoalFields, *, kept_end: datetime | None = None) -> GoalFields:
    """Cleaned. Raises Refused(422). `kept_end`: an end that stays as it was is not asked about."""
    cleaned = clean_fields(fields)
    faults = [
        fault
        for found in find_problems(cleaned, now=datetime.now(UTC))
        if not (found.code == "past" and cleaned.ends_at == kept_end)
        for fault in [_fault(found)]
    ]
    if faults:
        raise Refused(422, "Some field is not right", faults=faults)
    return cleaned


def _fault(error: InvalidInputError) -> Fault:
    words = {
        "required": "Say what it is for",
        "too_long": f"{error.data.get('over')} characters too many",
        "too_small": f"{error.data.get('least_minor')} at least",
        "too_large": f"{error.data.get('most_minor')} at most",
        "past": "That moment has passed",
        "before_start": "It would end before it starts",
    }
    return {"loc": ["body", _FIELDS.get(error.field, error.field)], "msg": words[error.code], "type": error.code}


def _refused(error: NotAllowedError) -> Refused:
    return problem(_REFUSED[error.code])


async def _tell(streamer: Streamer) -> None:
    await tell(streamer, GOALS, plays_on=True)
