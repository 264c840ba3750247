"""A moderator's page: what waits, one card at a time, for one hand (UX.md, "Control page" 7 and 11).

GET  /moderate/<id>          the page
GET  /moderate/<id>/queue    its cards, as HTMX asks for them when something changed
POST /moderate/<id>/decide   show, show without the message, hide
POST /moderate/<id>/undo     take a decision back, for five seconds
POST /moderate/<id>/allow    a word is fine: an exception, and a new judgement
POST /moderate/<id>/block    block whoever sent it
POST /moderate/<id>/here     the page says that somebody looks at it; who else does
GET  /moderate/<id>/ticket   for the socket
POST /moderate/<id>/leave    sign out of this browser

Nothing here knows money, refunds, settings, e-mails or who paid. The controls are in `moderate_controls.py`.
"""

from typing import Any

from quart import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import holds, moderators, rejudging
from domain.blocks import BlockKind
from domain.errors import InvalidInputError, NotAllowedError
from domain.moderation_settings import get_settings
from domain.moderators import Moderator, Right
from infra.tickets import issue_moderator_ticket
from web import moderation_words, moderator_words
from web.context import parts
from web.i18n import when
from web.moderator_sessions import forget_session, require_moderator
from web.pages.moderate_controls import controls_values
from web.pages.moderation import SHOWN_MAX
from web.pages.moderation_view import (
    decision_in,
    held_alert,
    match_in,
    queue_values,
    say_here,
    tell_decided,
    tell_moderators,
)
from web.security import allow_realtime

blueprint = Blueprint("moderate", __name__)

BLOCKS = {"name": BlockKind.NAME, "address": BlockKind.ADDRESS}
"""By what a moderator may block; by what a donor pays is not theirs to know."""


@blueprint.get("/moderate/<public_id>")
async def show(public_id: str) -> Response:
    moderator = await require_moderator(public_id)
    allow_realtime()
    html = await render_template(
        "pages/moderate.html",
        **_common(moderator),
        **(await _queue_values(moderator) if Right.QUEUE in moderator.rights else {}),
        **(await controls_values(moderator) if Right.CONTROLS in moderator.rights else {}),
        here=await say_here(moderator.streamer_id, moderator.by),
        realtime_url=parts().settings.realtime_url,
        rights=[moderator_words.right_words(right) for right in Right if right in moderator.rights],
        said=request.args.get("said", ""),
        when=when,
    )
    return Response(html)


@blueprint.get("/moderate/<public_id>/queue")
async def show_queue(public_id: str) -> ResponseReturnValue:
    moderator = await require_moderator(public_id, Right.QUEUE)
    if "HX-Request" not in request.headers:
        return redirect(url_for("moderate.show", public_id=public_id), 303)
    return await _queue(moderator)


@blueprint.post("/moderate/<public_id>/decide")
async def decide(public_id: str) -> ResponseReturnValue:
    moderator = await require_moderator(public_id, Right.QUEUE)
    fields = await request.form
    decision, alert_id = decision_in(fields), held_alert(fields)
    async with parts().pool.acquire() as connection, connection.transaction():
        decided = await holds.decide(connection, moderator.streamer_id, alert_id, decision, moderator.by)
    await tell_decided(moderator.streamer_id)
    if decided.won:
        return await _done(moderator)
    who = moderation_words.by_words(decided.by_kind, decided.by_name)
    return await _done(moderator, "hold-taken", moderation_words.taken_words(decided.decision, who))


@blueprint.post("/moderate/<public_id>/undo")
async def undo(public_id: str) -> ResponseReturnValue:
    moderator = await require_moderator(public_id, Right.QUEUE)
    alert_id = held_alert(await request.form)
    async with parts().pool.acquire() as connection, connection.transaction():
        undone = await holds.undo(connection, moderator.streamer_id, alert_id, moderator.by)
    await tell_decided(moderator.streamer_id)
    return await _done(moderator, "hold-undone" if undone else "too-late")


@blueprint.post("/moderate/<public_id>/allow")
async def allow(public_id: str) -> ResponseReturnValue:
    moderator = await require_moderator(public_id, Right.QUEUE, Right.BLOCK)
    fields = await request.form
    index, alert_id = match_in(fields), held_alert(fields)
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            allowed = await rejudging.allow(connection, moderator.streamer_id, alert_id, index, moderator.by)
    except InvalidInputError as error:
        return await _done(moderator, "words-full" if error.code == "too_many" else "not-a-word")
    await tell_decided(moderator.streamer_id)
    return await _done(moderator, "exception-added" if allowed else "hold-taken")


@blueprint.post("/moderate/<public_id>/block")
async def block(public_id: str) -> ResponseReturnValue:
    moderator = await require_moderator(public_id, Right.QUEUE, Right.BLOCK)
    fields = await request.form
    kind = BLOCKS.get(fields.get("kind", ""))
    if kind is None:
        raise UnprocessableEntity
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await holds.block_donor(connection, moderator.streamer_id, held_alert(fields), kind, moderator.by)
    except NotAllowedError:
        return await _done(moderator, "nothing-to-block")
    return await _done(moderator, "blocked")


@blueprint.post("/moderate/<public_id>/here")
async def here(public_id: str) -> Response:
    moderator = await require_moderator(public_id)
    found = await say_here(moderator.streamer_id, moderator.by)
    html = await render_template(
        "partials/moderation/here.html",
        here=found,
        here_address=url_for("moderate.here", public_id=public_id),
        rights_key=_rights_key(moderator),
    )
    return Response(html)


@blueprint.get("/moderate/<public_id>/ticket")
async def give_ticket(public_id: str) -> Response:
    moderator = await require_moderator(public_id)
    return jsonify({"ticket": issue_moderator_ticket(parts().box, moderator.streamer_id, moderator.session_id)})


@blueprint.post("/moderate/<public_id>/leave")
async def leave(public_id: str) -> ResponseReturnValue:
    moderator = await require_moderator(public_id)
    async with parts().pool.acquire() as connection, connection.transaction():
        await moderators.leave(connection, moderator)
    await tell_moderators(moderator.streamer_id)
    forget_session(public_id)
    return redirect(url_for("home.show"), 303)


def _common(moderator: Moderator) -> dict[str, Any]:
    return {
        "moderator": moderator,
        "Right": Right,
        "here_address": url_for("moderate.here", public_id=moderator.public_id),
        "rights_key": _rights_key(moderator),
    }


def _rights_key(moderator: Moderator) -> str:
    """Changes with the rights, so that an open page sees that it is to be drawn anew."""
    return " ".join(sorted(moderator.rights))


async def _queue_values(moderator: Moderator) -> dict[str, Any]:
    async with parts().pool.acquire() as connection:
        found = await holds.list_holds(connection, moderator.streamer_id, limit=SHOWN_MAX)
        settings = await get_settings(connection, moderator.streamer_id)
    waiting = [hold for hold in found if hold.decision is None]
    undoable = [hold for hold in found if hold.undo_seconds is not None]
    return {
        "waiting": waiting,
        "undoable": sorted(undoable, key=lambda hold: hold.undo_seconds or 0.0),
        "outcome": settings.outcome,
        "is_off": settings.mode == "off",
        **queue_values(),
    }


async def _queue(moderator: Moderator, said: str = "", note: str = "") -> Response:
    html = await render_template(
        "partials/moderate/answer.html",
        **_common(moderator),
        **await _queue_values(moderator),
        said=said,
        note=note,
    )
    return Response(html)


async def _done(moderator: Moderator, said: str = "", note: str = "") -> ResponseReturnValue:
    """`note` says more than the word `said`, where there is a script to show it."""
    if "HX-Request" in request.headers:
        return await _queue(moderator, said, note)
    return redirect(url_for("moderate.show", public_id=moderator.public_id, said=said or None), 303)
