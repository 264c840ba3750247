"""The link that a streamer gave to a moderator: it works once, for whoever presses the button on its page.

GET  /moderate/join/<token>   takes the link out of the address bar into a cookie; looking alone uses nothing
GET  /moderate/join           who invites to what, and the button
POST /moderate/join           the link becomes a session of this browser
"""

from quart import Blueprint, Response, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue

from domain import moderators
from domain.errors import InvalidInputError
from domain.moderators import Invitation, Right
from domain.text import NAME_MAX_LENGTH
from web import moderator_words
from web.account_limits import take_code
from web.context import parts
from web.i18n import when
from web.moderator_sessions import give_session
from web.pages.moderation_view import tell_moderators
from web.secret_cookies import forget_cookie, keep_cookie, read_cookie

blueprint = Blueprint("moderator_join", __name__)

_COOKIE = "moderator-link"
_COOKIE_SECONDS = 60 * 60


@blueprint.get("/moderate/join/<token>")
async def follow(token: str) -> ResponseReturnValue:
    """Messengers look at links by themselves."""
    await take_code()
    if await _find(token) is None:
        return await _dead_page()
    keep_cookie(_COOKIE, token, seconds=_COOKIE_SECONDS)
    return redirect(url_for("moderator_join.show"), 303)


@blueprint.get("/moderate/join")
async def show() -> ResponseReturnValue:
    invitation = await _find(read_cookie(_COOKIE))
    return await _dead_page() if invitation is None else await _page(invitation)


@blueprint.post("/moderate/join")
async def join() -> ResponseReturnValue:
    await take_code()
    token = read_cookie(_COOKIE)
    invitation = await _find(token)
    if invitation is None:
        return await _dead_page()
    nick = (await request.form).get("nick", "")
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            joined = await moderators.join(connection, token, nick=nick)
    except InvalidInputError as error:
        return await _page(invitation, nick=nick, error=moderator_words.error_words(error))
    if joined is None:
        return await _dead_page()
    streamer_id, session = joined
    await tell_moderators(streamer_id)
    forget_cookie(_COOKIE)
    give_session(invitation.public_id, session)
    return redirect(url_for("moderate.show", public_id=invitation.public_id, said="joined"), 303)


async def _find(token: str) -> Invitation | None:
    if not token:
        return None
    async with parts().pool.acquire() as connection:
        return await moderators.find_invitation(connection, token)


async def _page(invitation: Invitation, *, nick: str = "", error: str = "") -> Response:
    html = await render_template(
        "pages/moderate_join.html",
        invitation=invitation,
        rights=[(moderator_words.right_words(right), right) for right in Right if right in invitation.rights],
        nick=nick,
        error=error,
        nick_max_length=NAME_MAX_LENGTH,
        when=when,
    )
    return Response(html, 422 if error else 200)


async def _dead_page() -> Response:
    return Response(await render_template("pages/moderate_gone.html", is_link=True), 404)
