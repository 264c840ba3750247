"""Moderators, as the streamer lets them in and out.

GET  /dashboard/moderators               who they are, and the form for a new one
GET  /dashboard/moderators/list          the list, as HTMX asks for it when something changed
POST /dashboard/moderators               invite one: their link is shown on this page for five minutes, and never again
POST /dashboard/moderators/link          that link, for the copy button
POST /dashboard/moderators/<id>          nick, rights, how long
POST /dashboard/moderators/<id>/renew    another link; the browser that came by the former is out
POST /dashboard/moderators/<id>/revoke   out at once
"""

from dataclasses import dataclass
from typing import Any

from quart import Blueprint, Response, jsonify, redirect, render_template, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import Gone, UnprocessableEntity

from domain import moderators
from domain.errors import InvalidInputError, NotAllowedError
from domain.moderators import DAYS, LINK_DAYS, MAX_MODERATORS, NewLink, Right
from domain.streamers import Streamer
from domain.text import NAME_MAX_LENGTH
from web import moderator_words
from web.context import parts
from web.i18n import ngettext, when
from web.pages import desk
from web.pages.moderation_view import tell_moderators
from web.secret_cookies import keep_cookie, read_cookie
from web.security import allow_realtime
from web.sessions import require_streamer

blueprint = Blueprint("moderators", __name__)

_COOKIE = "new-moderator"
SHOWN_SECONDS = 300
_KEEP = "keep"
_DAYS = {"never" if days is None else str(days): days for days in DAYS}


@dataclass(frozen=True)
class FreshLink:
    """A link that was made a moment ago by this browser, and is not used yet."""

    nick: str
    address: str


@dataclass(frozen=True)
class Typed:
    """What stands in the form for a new one, and what is wrong with it."""

    nick: str = ""
    rights: frozenset[str] = frozenset({Right.QUEUE})
    days: str = "7"
    errors: dict[str, str] | None = None


@blueprint.get("/dashboard/moderators")
async def show() -> Response:
    return await _page(await require_streamer())


@blueprint.get("/dashboard/moderators/list")
async def show_list() -> ResponseReturnValue:
    streamer = await require_streamer()
    if "HX-Request" not in request.headers:
        return redirect(desk.address("moderators.show"), 303)
    values = await _list_values(streamer)
    return Response(
        await render_template("partials/moderators/list.html", streamer=streamer, address=desk.address, **values)
    )


@blueprint.post("/dashboard/moderators")
async def invite() -> ResponseReturnValue:
    streamer = await require_streamer()
    fields = await request.form
    nick, rights, days = fields.get("nick", ""), fields.getlist("rights"), fields.get("days", "")
    if days not in _DAYS:
        raise UnprocessableEntity
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            link = await moderators.invite(connection, streamer.id, nick=nick, rights=rights, days=_DAYS[days])
    except InvalidInputError as error:
        errors = {error.field: moderator_words.error_words(error)}
    except NotAllowedError:
        errors = {"nick": _too_many_words()}
    else:
        return _show_link(link)
    return await _page(streamer, typed=Typed(nick, frozenset(rights), days, errors))


@blueprint.post("/dashboard/moderators/link")
async def give_link() -> Response:
    """A POST, so that no link shows it; only to the browser that made it, and only while it is fresh."""
    streamer = await require_streamer()
    found = await _fresh_link(streamer)
    if found is None:
        raise Gone
    return jsonify({"address": found.address})


@blueprint.post("/dashboard/moderators/<int(max=2147483647):moderator_id>")
async def change(moderator_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    fields = await request.form
    days = fields.get("days", _KEEP)
    if days != _KEEP and days not in _DAYS:
        raise UnprocessableEntity
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await moderators.change(
                connection,
                streamer.id,
                moderator_id,
                nick=fields.get("nick", ""),
                rights=fields.getlist("rights"),
                keeps_expiry=days == _KEEP,
                days=None if days == _KEEP else _DAYS[days],
            )
    except InvalidInputError as error:
        return await _page(streamer, changed_id=moderator_id, changed_error=moderator_words.error_words(error))
    await tell_moderators(streamer.id)
    return desk.go_to("moderators.show", said="moderator-saved", _anchor=f"moderator-{moderator_id}")


@blueprint.post("/dashboard/moderators/<int(max=2147483647):moderator_id>/renew")
async def renew(moderator_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        link = await moderators.renew_link(connection, streamer.id, moderator_id)
    await tell_moderators(streamer.id)
    return _show_link(link)


@blueprint.post("/dashboard/moderators/<int(max=2147483647):moderator_id>/revoke")
async def revoke(moderator_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        await moderators.revoke(connection, streamer.id, moderator_id)
    await tell_moderators(streamer.id)
    return desk.go_to("moderators.show", said="moderator-revoked")


def _show_link(link: NewLink) -> ResponseReturnValue:
    keep_cookie(_COOKIE, f"{link.moderator_id}:{link.token}", seconds=SHOWN_SECONDS)
    return desk.go_to("moderators.show", said="moderator-link", _anchor="new-link")


async def _fresh_link(streamer: Streamer) -> FreshLink | None:
    moderator_id, _, token = read_cookie(_COOKIE).partition(":")
    if not token:
        return None
    async with parts().pool.acquire() as connection:
        invitation = await moderators.find_invitation(connection, token)
        mine = {str(one.id) for one in await moderators.list_moderators(connection, streamer.id)}
    if invitation is None or moderator_id != str(invitation.id) or moderator_id not in mine:
        return None
    return FreshLink(invitation.nick, f"{parts().settings.web_url}/moderate/join/{token}")


async def _list_values(streamer: Streamer) -> dict[str, Any]:
    async with parts().pool.acquire() as connection:
        found = await moderators.list_moderators(connection, streamer.id)
    return {
        "moderators": found,
        "words": moderator_words,
        "Right": Right,
        "nick_max_length": NAME_MAX_LENGTH,
        "changed_id": None,
        "changed_error": "",
        "when": when,
    }


async def _page(
    streamer: Streamer, *, typed: Typed | None = None, changed_id: int | None = None, changed_error: str = ""
) -> Response:
    """`changed_id`: the moderator whose own form had the error."""
    allow_realtime()
    values = await _list_values(streamer)
    if changed_id is not None:
        values |= {"changed_id": changed_id, "changed_error": changed_error}
    return await desk.render(
        "pages/moderators.html",
        streamer,
        current="moderators.show",
        status=422 if changed_error or (typed is not None and typed.errors) else 200,
        fresh=await _fresh_link(streamer),
        link_days=LINK_DAYS,
        typed=typed or Typed(),
        errors=(typed and typed.errors) or {},
        realtime_url=parts().settings.realtime_url,
        **values,
    )


def _too_many_words() -> str:
    return ngettext(
        "There may be at most %(num)s moderator. Revoke one who does not help any more.",
        "There may be at most %(num)s moderators. Revoke those who do not help any more.",
        MAX_MODERATORS,
    )
