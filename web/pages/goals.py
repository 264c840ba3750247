"""Goals: what a streamer collects for, one at a time (docs/decisions/0029-goals.md).

GET  /dashboard/goals             the active one, the planned, those that are over
POST /dashboard/goals             a new one; with `then=start` it starts at once, if none is active
GET  /dashboard/goals/new         its form
GET  /dashboard/goals/<id>        one goal: where its money came from, and its form
POST /dashboard/goals/<id>        keep the form
POST /dashboard/goals/<id>/<act>  start, end, up, down, archive, unarchive, delete
POST /dashboard/goals/settings    does the next start by itself, is a surplus carried over
"""

from collections.abc import Awaitable, Callable
from typing import Any

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from domain import goals
from domain.errors import NotAllowedError
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.goals import Goal, GoalSettings, GoalStatus
from domain.streamers import Streamer
from infra.redis import publish
from web.context import parts
from web.pages import desk
from web.pages.goals_form import NEW, Typed, check_form, error_words, typed_from, typed_of
from web.sessions import require_streamer

blueprint = Blueprint("goals", __name__)

# Beyond that PostgreSQL's integer has no number, so there is no goal either.
_ID = "<int(max=2147483647):goal_id>"


@blueprint.get("/dashboard/goals")
async def show() -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        found = await goals.list_goals(connection, streamer.id)
        settings = await goals.get_settings(connection, streamer.id)
    return await desk.render(
        "pages/goals.html",
        streamer,
        current="goals.show",
        active=next((goal for goal in found if goal.status is GoalStatus.ACTIVE), None),
        planned=[goal for goal in found if goal.status is GoalStatus.PLANNED],
        over=[goal for goal in found if goal.status in (GoalStatus.REACHED, GoalStatus.ENDED)],
        archived=[goal for goal in found if goal.status is GoalStatus.ARCHIVED],
        settings=settings,
    )


@blueprint.get("/dashboard/goals/new")
async def show_new() -> ResponseReturnValue:
    return await _new_page(await require_streamer(), NEW, {})


@blueprint.post("/dashboard/goals")
async def create() -> ResponseReturnValue:
    streamer = await require_streamer()
    form = await request.form
    typed = typed_from(form)
    fields = check_form(typed, streamer.time_zone)
    if isinstance(fields, dict):
        return await _new_page(streamer, typed, fields, status=422)
    said = "goal-planned"
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            goal_id = await goals.create_goal(connection, streamer.id, fields)
            if form.get("then") == "start" and await goals.get_shown_goal(connection, streamer.id) is None:
                await goals.start(connection, streamer.id, goal_id)
            if (await goals.get_goal(connection, streamer.id, goal_id)).started_at is not None:
                said = "goal-started"
    except NotAllowedError as error:
        return await _new_page(streamer, typed, error_words(error), status=409)
    await _wake(streamer)
    return desk.go_to("goals.show", said=said)


@blueprint.get(f"/dashboard/goals/{_ID}")
async def show_one(goal_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        goal = await goals.get_goal(connection, streamer.id, goal_id)
    return await _goal_page(streamer, goal, typed_of(goal, streamer.time_zone), {})


@blueprint.post(f"/dashboard/goals/{_ID}")
async def save(goal_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        goal = await goals.get_goal(connection, streamer.id, goal_id)
    typed = typed_from(await request.form)
    fields = check_form(typed, streamer.time_zone, goal)
    if isinstance(fields, dict):
        return await _goal_page(streamer, goal, typed, fields, status=422)
    async with parts().pool.acquire() as connection, connection.transaction():
        await goals.update_goal(connection, streamer.id, goal_id, fields)
    await _wake(streamer)
    return desk.go_to("goals.show", said="goal-saved")


@blueprint.post("/dashboard/goals/settings")
async def save_settings() -> ResponseReturnValue:
    streamer = await require_streamer()
    form = await request.form
    settings = GoalSettings(goes_on=form.get("goes_on") == "yes", carries=form.get("carries") == "yes")
    async with parts().pool.acquire() as connection, connection.transaction():
        await goals.set_settings(connection, streamer.id, settings)
    await _wake(streamer)
    return desk.go_to("goals.show", said="goal-saved")


@blueprint.post(f"/dashboard/goals/{_ID}/<act>")
async def do(goal_id: int, act: str) -> ResponseReturnValue:
    streamer = await require_streamer()
    if act not in _ACTS:
        raise NotFound
    change, said = _ACTS[act]
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await change(connection, streamer.id, goal_id)
    except NotAllowedError as error:
        return desk.go_to("goals.show", said=_REFUSED.get(error.code, "too-late"))
    await _wake(streamer)
    return desk.go_to("goals.show", said=said)


async def _up(connection: Any, streamer_id: int, goal_id: int) -> None:
    await goals.move(connection, streamer_id, goal_id, up=True)


async def _down(connection: Any, streamer_id: int, goal_id: int) -> None:
    await goals.move(connection, streamer_id, goal_id, up=False)


async def _archive(connection: Any, streamer_id: int, goal_id: int) -> None:
    await goals.archive(connection, streamer_id, goal_id, archived=True)


async def _unarchive(connection: Any, streamer_id: int, goal_id: int) -> None:
    await goals.archive(connection, streamer_id, goal_id, archived=False)


# What each button does, and the word of desk_said.html for it.
_ACTS: dict[str, tuple[Callable[[Any, int, int], Awaitable[None]], str]] = {
    "start": (goals.start, "goal-started"),
    "end": (goals.end, "goal-ended"),
    "up": (_up, "goal-moved"),
    "down": (_down, "goal-moved"),
    "archive": (_archive, "goal-archived"),
    "unarchive": (_unarchive, "goal-unarchived"),
    "delete": (goals.delete, "goal-deleted"),
}
_REFUSED = {"has_money": "goal-has-money", "over": "goal-time-over"}


async def _new_page(streamer: Streamer, typed: Typed, errors: dict[str, str], *, status: int = 200) -> Response:
    async with parts().pool.acquire() as connection:
        active = await goals.get_shown_goal(connection, streamer.id)
    return await desk.render(
        "pages/goal_new.html",
        streamer,
        current="goals.show",
        status=status,
        typed=typed,
        errors=errors,
        active=active,
        goal=None,
    )


async def _goal_page(
    streamer: Streamer, goal: Goal, typed: Typed, errors: dict[str, str], *, status: int = 200
) -> Response:
    return await desk.render(
        "pages/goal.html", streamer, current="goals.show", status=status, goal=goal, typed=typed, errors=errors
    )


async def _wake(streamer: Streamer) -> None:
    wake = Wake(streamer.id, frozenset({Topic.GOALS, Topic.ALERTS}), plays_on=True)
    await publish(parts().redis, WAKE_CHANNEL, [wake.encode()])
