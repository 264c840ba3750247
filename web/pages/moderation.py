"""Moderation: what waits for a decision (UX.md, "Control page" 7).

    GET  /dashboard/moderation           the page
    GET  /dashboard/moderation/queue     its list, as HTMX asks for it when something changed
    POST /dashboard/moderation/decide    show, show without the message, hide
    POST /dashboard/moderation/undo      take a decision back, for five seconds
    POST /dashboard/moderation/allow     what was caught is no violation: an exception, and a new judgement
    POST /dashboard/moderation/here      the page says that somebody looks at it; who else does

Settings, moderators and the log have pages of their own (`moderation_settings.py`, `moderators.py`,
`moderation_log.py`); what moderators see is in `moderate.py`.
"""

from typing import Any

from quart import Blueprint, Response, redirect, render_template, request
from quart.typing import ResponseReturnValue

from domain import holds, rejudging
from domain.errors import InvalidInputError
from domain.moderation_settings import get_settings
from domain.streamers import Streamer
from web.context import parts
from web.pages import control, desk
from web.pages.moderation_view import (
    decision_in,
    held_alert,
    match_in,
    queue_values,
    say_here,
    tell_decided,
    who_decides,
)
from web.security import allow_realtime
from web.sessions import require_streamer

blueprint = Blueprint("moderation", __name__)

SHOWN_MAX = 50
"""Of what waits; the rest comes when these are decided."""


@blueprint.get("/dashboard/moderation")
async def show() -> Response:
    streamer = await require_streamer()
    allow_realtime()
    return await desk.render(
        "pages/moderation.html",
        streamer,
        current="moderation.show",
        realtime_url=parts().settings.realtime_url,
        here=await say_here(streamer.id, await who_decides(streamer)),
        here_address=desk.address("moderation.here"),
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
    decision, alert_id, by = decision_in(fields), held_alert(fields), await who_decides(streamer)
    async with parts().pool.acquire() as connection, connection.transaction():
        decided = await holds.decide(connection, streamer.id, alert_id, decision, by)
    return await _done(streamer, "hold-decided" if decided.won else "hold-taken")


@blueprint.post("/dashboard/moderation/undo")
async def undo() -> ResponseReturnValue:
    streamer = await require_streamer()
    alert_id, by = held_alert(await request.form), await who_decides(streamer)
    async with parts().pool.acquire() as connection, connection.transaction():
        undone = await holds.undo(connection, streamer.id, alert_id, by)
    return await _done(streamer, "hold-undone" if undone else "too-late")


@blueprint.post("/dashboard/moderation/allow")
async def allow() -> ResponseReturnValue:
    streamer = await require_streamer()
    fields = await request.form
    index, alert_id, by = match_in(fields), held_alert(fields), await who_decides(streamer)
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            allowed = await rejudging.allow(connection, streamer.id, alert_id, index, by)
    except InvalidInputError as error:
        return await _done(streamer, "words-full" if error.code == "too_many" else "not-a-word")
    return await _done(streamer, "exception-added" if allowed else "hold-taken")


@blueprint.post("/dashboard/moderation/here")
async def here() -> Response:
    streamer = await require_streamer()
    return Response(
        await render_template(
            "partials/moderation/here.html",
            here=await say_here(streamer.id, await who_decides(streamer)),
            here_address=desk.address("moderation.here"),
        )
    )


async def _values(streamer: Streamer) -> dict[str, Any]:
    async with parts().pool.acquire() as connection:
        found = await holds.list_holds(connection, streamer.id, limit=SHOWN_MAX)
        settings = await get_settings(connection, streamer.id)
    return {"holds": found, "settings": settings, **queue_values()}


async def _queue(streamer: Streamer, said: str = "") -> Response:
    values = await _values(streamer)
    html = await render_template(
        "partials/moderation/answer.html", streamer=streamer, address=desk.address, said=said, **values
    )
    return Response(html, content_type="text/html; charset=utf-8")


async def _done(streamer: Streamer, said: str) -> ResponseReturnValue:
    await tell_decided(streamer.id)
    if (await request.form).get("page") == "control":
        return await control.answer_moderation(streamer, said)
    if "HX-Request" in request.headers:
        return await _queue(streamer, said)
    return desk.go_to("moderation.show", said=said)
