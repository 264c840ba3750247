"""A moderator's browser: a cookie that goes to the pages of one moderation alone, and whose it is.

Each moderation has an address of its own, `/moderate/<public id>`, so whoever helps two streamers has two cookies.
"""

from quart import Quart, Response, g, render_template, request
from werkzeug.exceptions import HTTPException

from domain import moderators
from domain.errors import NotAllowedError
from domain.moderators import Moderator, Right
from web.context import parts
from web.security import is_secure, moderator_cookie_name

COOKIE_SECONDS = 400 * 24 * 3600
"""As long as browsers keep one; how long it lets in stands in the database."""


def setup_moderator_sessions(app: Quart) -> None:
    app.after_request(_send_cookie)


class NoModeratorError(HTTPException):
    """Nobody's session, or one that ended: says so, and what to do."""

    code = 303


async def require_moderator(public_id: str, *needed: Right) -> Moderator:
    """The moderator of this address, who has these rights.

    Raises NoModeratorError, which is a page of its own, and NotAllowedError("right").
    """
    session = request.cookies.get(moderator_cookie_name(), "")
    moderator = None
    if session:
        async with parts().pool.acquire() as connection:
            moderator = await moderators.find_moderator(connection, public_id, session)
    if moderator is None:
        raise NoModeratorError(response=await _gone_page())
    if not moderator.rights.issuperset(needed):
        raise NotAllowedError("right")
    return moderator


async def _gone_page() -> Response:
    """A part that asked for itself makes the whole page say it."""
    if "HX-Request" in request.headers:
        return Response("", 404, headers={"HX-Refresh": "true"})
    return Response(await render_template("pages/moderate_gone.html", is_link=False), 404)


def give_session(public_id: str, token: str) -> None:
    """The answer of this request carries the cookie."""
    g.moderator_cookie = (f"/moderate/{public_id}", token)


def forget_session(public_id: str) -> None:
    g.moderator_cookie = (f"/moderate/{public_id}", "")


async def _send_cookie(response: Response) -> Response:
    given: tuple[str, str] | None = g.get("moderator_cookie")
    if given is None:
        return response
    path, token = given
    response.set_cookie(
        moderator_cookie_name(), token, max_age=COOKIE_SECONDS if token else 0, path=path, secure=is_secure(),
        httponly=True, samesite="Lax",
    )  # fmt: skip
    return response
