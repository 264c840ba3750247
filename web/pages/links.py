"""One-time links: an operator handed them out, or the letter of a forgotten password.

GET  /link/<token>   takes the link out of the address bar into a cookie, and leads to what it is for
GET  /new-password   the form of a link for a new password
POST /new-password   sets it; every browser is signed out but this one, other sites are unlinked
"""

from quart import Blueprint, Response, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue

from domain.errors import InvalidInputError, NotAllowedError
from domain.letters import Kind
from domain.one_time_links import LinkPurpose, OneTimeLink, find_link, use_link
from domain.passwords import check_new_password
from domain.users import User, get_user, hash_password, reset_password_hash
from web import sessions
from web.account_limits import take_code
from web.context import parts
from web.field_words import field_words
from web.letter_post import post_letter
from web.pages.account import first_page
from web.secret_cookies import forget_cookie, keep_cookie, read_cookie

blueprint = Blueprint("links", __name__)

_COOKIE = "link"
_COOKIE_SECONDS = 60 * 60


@blueprint.get("/link/<token>")
async def follow(token: str) -> ResponseReturnValue:
    """A look alone uses nothing: messengers look at links by themselves."""
    await take_code()
    async with parts().pool.acquire() as connection:
        link = await find_link(connection, token)
    if link is None:
        return await _dead_page()
    keep_cookie(_COOKIE, token, seconds=_COOKIE_SECONDS)
    is_password = link.purpose is LinkPurpose.PASSWORD
    return redirect(url_for("links.show_password" if is_password else "register.show"), 303)


async def find_given_link(*purposes: LinkPurpose) -> OneTimeLink | None:
    """The link this browser came by, if it is for one of these and still good."""
    token = read_cookie(_COOKIE)
    if not token:
        return None
    async with parts().pool.acquire() as connection:
        link = await find_link(connection, token)
    return link if link is not None and link.purpose in purposes else None


def forget_given_link() -> None:
    if read_cookie(_COOKIE):
        forget_cookie(_COOKIE)


@blueprint.get("/new-password")
async def show_password() -> ResponseReturnValue:
    link = await find_given_link(LinkPurpose.PASSWORD)
    user = None if link is None else await _user_of(link)
    return await _dead_page() if user is None else await _password_page(user)


@blueprint.post("/new-password")
async def set_it() -> ResponseReturnValue:
    link = await find_given_link(LinkPurpose.PASSWORD)
    user = None if link is None else await _user_of(link)
    if link is None or user is None:
        return await _dead_page()
    password = (await request.form).get("password", "")
    try:
        check_new_password(password, user.email)
    except InvalidInputError as error:
        return await _password_page(user, field_words(error))
    password_hash = await hash_password(password)
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            if not await use_link(connection, link.id):
                raise NotAllowedError("link_used")
            await reset_password_hash(connection, user.id, password_hash)
            await post_letter(connection, Kind.PASSWORD_RESET, user)
    except NotAllowedError:
        return await _dead_page()
    parts().relay.wake()
    forget_given_link()
    await sessions.sign_in(user)
    return redirect(f"{await first_page(user)}?said=password-reset", 303)


async def _user_of(link: OneTimeLink) -> User | None:
    """Whose new password it is for; None when the account is closed."""
    assert link.user_id is not None, "the table says so"
    async with parts().pool.acquire() as connection:
        user = await get_user(connection, link.user_id)
    return user if user is not None and user.is_active else None


async def _password_page(user: User, error: str = "") -> ResponseReturnValue:
    """It names the account: a link that somebody else sent may be of theirs."""
    html = await render_template("pages/new_password.html", email=user.email, error=error)
    return Response(html, 422 if error else 200)


async def _dead_page() -> ResponseReturnValue:
    return Response(await render_template("pages/link_dead.html"), 404)
