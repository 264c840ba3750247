"""Moderation: what waits for a decision (UX.md, "Control page" 7).

    GET  /dashboard/moderation           the page
    GET  /dashboard/moderation/queue     its list, as HTMX asks for it when something changed
    POST /dashboard/moderation/decide    show, show without the message, hide
    POST /dashboard/moderation/undo      take a decision back, for five seconds
    POST /dashboard/moderation/allow     what was caught is no violation: an exception, and a new judgement

Settings have a page of their own (`moderation_settings.py`).
"""

import uuid
from typing import Any

from quart import Blueprint, Response, redirect, render_template, request
from quart.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import UnprocessableEntity

from domain import holds
from domain.errors import InvalidInputError
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.holds import By, Decision
from domain.moderation import Part, Rule
from domain.moderation_settings import get_settings
from domain.streamers import Streamer
from infra.redis import publish
from web import moderation_words
from web.context import parts
from web.pages import control, desk
from web.security import allow_realtime
from web.sessions import require_streamer, require_user

blueprint = Blueprint("moderation", __name__)

SHOWN_MAX = 50


@blueprint.get("/dashboard/moderation")
async def show() -> Response:
    streamer = await require_streamer()
    allow_realtime()
    return await desk.render(
        "pages/moderation.html",
        streamer,
        current="moderation.show",
        realtime_url=parts().settings.realtime_url,
        **await _values(streamer),
    )


@blueprint.get("/dashboard/moderation/queue")
async def show_queue() -> ResponseReturnValue:
    streamer = await require_streamer()
    if "HX-Request" not in request.headers:
        # Opened as a page, say from the browser's history.
        return redirect(desk.address("moderation.show"), 303)
    return await _queue(streamer)


@blueprint.post("/dashboard/moderation/decide")
async def decide() -> ResponseReturnValue:
    streamer = await require_streamer()
    fields = await request.form
    try:
        decision = Decision(fields.get("decision", ""))
    except ValueError:
        raise UnprocessableEntity from None
    by = await _by()
    async with parts().pool.acquire() as connection, connection.transaction():
        decided = await holds.decide(connection, streamer.id, _alert_id(fields), decision, by)
    return await _done(streamer, "hold-decided" if decided.won else "hold-taken")


@blueprint.post("/dashboard/moderation/undo")
async def undo() -> ResponseReturnValue:
    streamer = await require_streamer()
    by = await _by()
    async with parts().pool.acquire() as connection, connection.transaction():
        undone = await holds.undo(connection, streamer.id, _alert_id(await request.form), by)
    return await _done(streamer, "hold-undone" if undone else "too-late")


@blueprint.post("/dashboard/moderation/allow")
async def allow() -> ResponseReturnValue:
    streamer = await require_streamer()
    fields = await request.form
    index = fields.get("match", type=int)
    if index is None:
        raise UnprocessableEntity
    by = await _by()
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            allowed = await holds.allow(connection, streamer.id, _alert_id(fields), index, by)
    except InvalidInputError as error:
        return await _done(streamer, "words-full" if error.code == "too_many" else "not-a-word")
    return await _done(streamer, "exception-added" if allowed else "hold-taken")


def _alert_id(fields: MultiDict[str, str]) -> uuid.UUID:
    try:
        return uuid.UUID(fields.get("alert_id", ""))
    except ValueError:
        raise UnprocessableEntity from None


async def _by() -> By:
    user = await require_user()
    return By("owner", user.id, user.email)


async def _values(streamer: Streamer) -> dict[str, Any]:
    async with parts().pool.acquire() as connection:
        found = await holds.list_holds(connection, streamer.id, limit=SHOWN_MAX)
        settings = await get_settings(connection, streamer.id)
    return {"holds": found, "settings": settings, **queue_values()}


def queue_values() -> dict[str, Any]:
    """What `partials/moderation/queue.html` needs beside the holds, for the streamer's own page."""
    return {
        "shows_amounts": True,
        "ends": {name: f"moderation.{name}" for name in ("show_queue", "decide", "undo", "allow")},
        "words": moderation_words,
        "Part": Part,
        "allowable": (Rule.WORDS, Rule.OWN_WORDS, Rule.LINKS, Rule.MENTIONS),
        "undo_seconds": holds.UNDO_SECONDS,
    }


async def _queue(streamer: Streamer, said: str = "") -> Response:
    values = await _values(streamer)
    html = await render_template(
        "partials/moderation/answer.html", streamer=streamer, address=desk.address, said=said, **values
    )
    return Response(html, content_type="text/html; charset=utf-8")


async def _done(streamer: Streamer, said: str) -> ResponseReturnValue:
    parts().relay.wake()
    wake = Wake(streamer.id, frozenset({Topic.ALERTS, Topic.DONATION}), plays_on=True)
    await publish(parts().redis, WAKE_CHANNEL, [wake.encode()])
    if (await request.form).get("page") == "control":
        return await control.answer_moderation(streamer, said)
    if "HX-Request" in request.headers:
        return await _queue(streamer, said)
    return desk.go_to("moderation.show", said=said)
