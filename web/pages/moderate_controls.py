"""The controls of the stream on a moderator's page, for who has the right to press them.

GET  /moderate/<id>/controls   what plays, and the buttons, as HTMX asks for them
POST /moderate/<id>/skip       end what plays now, by its id
POST /moderate/<id>/pause      hold the queue back, or let it go on
POST /moderate/<id>/mute       alerts without sound, or with it
POST /moderate/<id>/replay     the last one once more
"""

import uuid
from typing import Any

from quart import Blueprint, Response, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import control
from domain.control import Outcome, Pressed
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.moderators import Moderator, Right
from domain.pressers import Presser
from domain.streamers import get_streamer
from infra.redis import publish
from web.context import parts
from web.control_words import line
from web.limits import Limit
from web.moderator_sessions import require_moderator
from web.pages.control_view import Press
from web.pages.dashboard_view import read_stage

blueprint = Blueprint("moderate_controls", __name__)

PRESSES = Limit("moderator-press", 60, 60)


@blueprint.get("/moderate/<public_id>/controls")
async def show(public_id: str) -> ResponseReturnValue:
    moderator = await require_moderator(public_id, Right.CONTROLS)
    if "HX-Request" not in request.headers:
        return redirect(url_for("moderate.show", public_id=public_id), 303)
    return await _part(moderator)


@blueprint.post("/moderate/<public_id>/skip")
async def skip(public_id: str) -> ResponseReturnValue:
    moderator, by = await _who(public_id)
    try:
        alert_id = uuid.UUID((await request.form).get("alert_id", ""))
    except ValueError:
        raise UnprocessableEntity from None
    async with parts().pool.acquire() as connection, connection.transaction():
        pressed = await control.skip(connection, moderator.streamer_id, by, alert_id)
    return await _done(moderator, pressed)


@blueprint.post("/moderate/<public_id>/pause")
async def pause(public_id: str) -> ResponseReturnValue:
    """`paused` says what is wanted, so that two people do not undo each other."""
    moderator, by = await _who(public_id)
    wanted = await _wanted("paused")
    async with parts().pool.acquire() as connection, connection.transaction():
        pressed = await control.pause(connection, moderator.streamer_id, by, wanted)
    return await _done(moderator, pressed)


@blueprint.post("/moderate/<public_id>/mute")
async def mute(public_id: str) -> ResponseReturnValue:
    moderator, by = await _who(public_id)
    wanted = await _wanted("muted")
    async with parts().pool.acquire() as connection, connection.transaction():
        pressed = await control.mute(connection, moderator.streamer_id, by, wanted)
    return await _done(moderator, pressed)


@blueprint.post("/moderate/<public_id>/replay")
async def replay(public_id: str) -> ResponseReturnValue:
    moderator, by = await _who(public_id)
    async with parts().pool.acquire() as connection, connection.transaction():
        pressed = await control.replay_last(connection, moderator.streamer_id, by)
    return await _done(moderator, pressed)


async def controls_values(moderator: Moderator, note: str = "") -> dict[str, Any]:
    """What `partials/moderate/controls.html` needs beside the moderator; `note` is about a press that did nothing."""
    shows_amounts = Right.AMOUNTS in moderator.rights
    async with parts().pool.acquire() as connection:
        streamer = await get_streamer(connection, moderator.streamer_id)
        stage = await read_stage(connection, streamer, shows_amounts=shows_amounts)
    return {"stage": stage, "press": Press("note", note) if note else stage.answers.press}


async def _who(public_id: str) -> tuple[Moderator, Presser]:
    moderator = await require_moderator(public_id, Right.CONTROLS)
    await parts().limiter.take(PRESSES, str(moderator.id))
    return moderator, moderator.by


async def _wanted(field: str) -> bool:
    wanted = (await request.form).get(field)
    if wanted not in ("yes", "no"):
        raise UnprocessableEntity
    return bool(wanted == "yes")


async def _done(moderator: Moderator, pressed: Pressed) -> ResponseReturnValue:
    topics = frozenset({Topic.CONTROLS, Topic.ALERTS})
    await publish(parts().redis, WAKE_CHANNEL, [Wake(moderator.streamer_id, topics).encode()])
    if "HX-Request" not in request.headers:
        return redirect(url_for("moderate.show", public_id=moderator.public_id), 303)
    note = "" if pressed.outcome is Outcome.DONE else line(pressed, shows_amounts=Right.AMOUNTS in moderator.rights)
    return await _part(moderator, note)


async def _part(moderator: Moderator, note: str = "") -> Response:
    html = await render_template(
        "partials/moderate/controls.html", moderator=moderator, Right=Right, **await controls_values(moderator, note)
    )
    return Response(html)
