"""The signed-in browser: a cookie with a random token, and who it belongs to."""

from urllib.parse import urlsplit

from quart import Quart, Response, g, request, url_for
from werkzeug.exceptions import HTTPException

from domain.errors import NotFoundError
from domain.sessions import (
    SESSION_DAYS,
    Session,
    create_session,
    delete_session,
    find_session,
    note_seen,
    renew_session,
)
from domain.streamers import Streamer, find_by_owner, get_by_slug, may_manage
from domain.tokens import hash_token, new_token
from domain.users import User
from web.context import parts
from web.form_pages import page_of_form
from web.known_browsers import remember_browser
from web.security import COOKIELESS, SAFE_METHODS, is_secure, session_cookie_name

SESSION_SECONDS = SESSION_DAYS * 24 * 3600
FRESH_SECONDS = 15 * 60
"""So long after signing in one need not prove again that it is oneself."""


def setup_sessions(app: Quart) -> None:
    app.after_request(_send_cookie)


# Who is here.


async def current_user() -> User | None:
    """The signed-in user, or None. `/api/` and buttons' addresses ignore cookies, so there it is always None."""
    session = await current_session()
    return None if session is None else session.user


async def current_session() -> Session | None:
    """The session of this browser, or None."""
    if "session" not in g:
        g.session = await _load_session()
    session: Session | None = g.session
    return session


async def _load_session() -> Session | None:
    token = request.cookies.get(session_cookie_name())
    if not token or request.path.startswith(COOKIELESS):
        return None
    token_hash = hash_token(token)
    async with parts().pool.acquire() as connection:
        session = await find_session(connection, token_hash)
        if session is not None and session.wants_renewal:
            await renew_session(connection, token_hash)
            g.new_cookie = token
        if session is not None and session.wants_a_look:
            await note_seen(connection, session.id)
    if session is None:
        g.new_cookie = ""
    return session


class SignInRequiredError(HTTPException):
    """Sends a stranger to the sign-in page and, after it, back here."""

    code = 303


async def require_user(*, back: str | None = None) -> User:
    """The signed-in user. Raises SignInRequiredError, which is a redirect; after it one is led to `back`, a path of
    ours, or to the page this request came from."""
    user = await current_user()
    if user is None:
        raise SignInRequiredError(response=_to_sign_in(back or _page_it_came_from()))
    return user


def _page_it_came_from() -> str:
    if "HX-Request" in request.headers:
        shown = urlsplit(request.headers.get("HX-Current-URL", ""))
        return shown._replace(scheme="", netloc="", fragment="").geturl() or url_for("dashboard.show")
    if request.method in SAFE_METHODS:
        return request.full_path.rstrip("?")
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    return page_of_form() + query


def _to_sign_in(back: str) -> Response:
    # Who pressed something is told that it was not done.
    said = None if request.method in SAFE_METHODS else "session-over"
    address = url_for("account.sign_in", next=back, said=said)
    if "HX-Request" in request.headers:
        return Response("", headers={"HX-Redirect": address})
    return Response("", status=303, headers={"Location": address})


class FirstStepsRequiredError(HTTPException):
    """Leads a user who has no page yet to the first steps; an operator to the list of streamers."""

    code = 303


def _to_first_steps(user: User) -> Response:
    address = url_for("dashboard.show" if user.is_superuser else "first_steps.show")
    if "HX-Request" in request.headers:
        return Response("", headers={"HX-Redirect": address})
    return Response("", status=303, headers={"Location": address})


async def require_streamer() -> Streamer:
    """The streamer this request is about: `?streamer=<slug>`, else the user's own.

    Only the owner and superusers get in; to anyone else, another's page does not exist. Raises SignInRequiredError,
    FirstStepsRequiredError and NotFoundError("streamer").
    """
    user = await require_user()
    slug = request.args.get("streamer")
    async with parts().pool.acquire() as connection:
        if slug is None:
            streamer = await find_by_owner(connection, user.id)
        else:
            streamer = await get_by_slug(connection, slug)
    if streamer is None:
        raise FirstStepsRequiredError(response=_to_first_steps(user))
    if not may_manage(user, streamer):
        raise NotFoundError("streamer")
    return streamer


async def require_superuser() -> User:
    """The signed-in operator; to anyone else the page does not exist. Raises NotFoundError("page")."""
    user = await require_user()
    if not user.is_superuser:
        raise NotFoundError("page")
    return user


# In and out.


async def sign_in(user: User) -> None:
    """Sign this browser in; the answer carries the cookie. What session it had before ends."""
    token = new_token()
    former = request.cookies.get(session_cookie_name())
    async with parts().pool.acquire() as connection, connection.transaction():
        if former:
            await delete_session(connection, hash_token(former))
        await create_session(connection, user.id, hash_token(token), request.headers.get("User-Agent", ""))
        await remember_browser(connection, user.id)
    g.new_cookie = token


async def sign_out() -> None:
    """End this browser's session, if it has one."""
    token = request.cookies.get(session_cookie_name())
    if token:
        async with parts().pool.acquire() as connection:
            await delete_session(connection, hash_token(token))
    g.new_cookie = ""


async def _send_cookie(response: Response) -> Response:
    token: str | None = g.get("new_cookie")
    if token is None:
        return response
    if token:
        response.set_cookie(
            session_cookie_name(), token, max_age=SESSION_SECONDS, path="/", secure=is_secure(), httponly=True,
            samesite="Lax",
        )  # fmt: skip
    else:
        response.delete_cookie(session_cookie_name(), path="/", secure=is_secure(), httponly=True, samesite="Lax")
    return response
