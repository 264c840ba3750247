"""Signing in and out."""

from urllib.parse import urlsplit

from quart import Blueprint, Response, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from domain.passwords import MAX_LENGTH as PASSWORD_MAX_LENGTH
from domain.streamers import find_by_owner
from domain.users import EMAIL_MAX_LENGTH, User, verify_password
from web import sessions
from web.account_limits import take_sign_in
from web.context import parts
from web.i18n import _
from web.identity.providers import configured
from web.limits import retry_after, wait_words

blueprint = Blueprint("account", __name__)


@blueprint.get("/sign-in")
async def sign_in() -> ResponseReturnValue:
    user = await sessions.current_user()
    if user is not None:
        return redirect(same_site_path(request.args.get("next", "")) or await first_page(user), 303)
    return await _sign_in_page(back=same_site_path(request.args.get("next", "")), email="", errors={})


@blueprint.post("/sign-in")
async def try_sign_in() -> ResponseReturnValue:
    form = await request.form
    email, password = form.get("email", "").strip(), form.get("password", "")
    back = same_site_path(form.get("next", ""))
    errors = {}
    if not email or len(email) > EMAIL_MAX_LENGTH:
        errors["email"] = _("Enter your e-mail.")
    if not password or len(password) > PASSWORD_MAX_LENGTH:
        errors["password"] = _("Enter your password.")
    if errors:
        return await _sign_in_page(back=back, email=email, errors=errors, status=422)

    try:
        counted = await take_sign_in(email)
    except TooManyRequests as refused:
        return await _sign_in_page(back=back, email=email, errors={}, refused=refused)
    async with parts().pool.acquire() as connection:
        user = await verify_password(connection, email, password)
    if user is None:
        # One answer for a wrong password, an unknown e-mail and a closed account.
        errors["password"] = _("The e-mail or the password is wrong.")
        return await _sign_in_page(back=back, email=email, errors=errors, status=422)
    await counted.forget()
    await sessions.sign_in(user)
    return redirect(back or await first_page(user), 303)


@blueprint.post("/sign-out")
async def sign_out() -> ResponseReturnValue:
    await sessions.sign_out()
    return redirect(url_for("home.show"), 303)


async def _sign_in_page(
    *, back: str, email: str, errors: dict[str, str], status: int = 200, refused: TooManyRequests | None = None
) -> Response:
    page = await render_template(
        "pages/sign_in.html",
        back=back,
        email=email,
        errors=errors,
        is_open=parts().settings.registration_mode == "open",
        said=request.args.get("said", ""),
        sends_mail=parts().settings.sends_mail,
        wait="" if refused is None else wait_words(retry_after(refused)),
        ways=[one for one in configured(parts().settings).values() if one.signs_in],
    )
    if refused is not None:
        return Response(page, 429, headers=retry_after(refused))
    return Response(page, status=status)


async def first_page(user: User) -> str:
    """Where somebody goes who wanted nowhere else: the dashboard, or, without a page yet, the first steps."""
    async with parts().pool.acquire() as connection:
        streamer = await find_by_owner(connection, user.id)
    return url_for("dashboard.show" if streamer is not None or user.is_superuser else "first_steps.show")


def same_site_path(address: str) -> str:
    """The address if it is a path of ours, else nothing: no link of a stranger leads away through us."""
    try:
        split = urlsplit(address)
    except ValueError:
        return ""
    is_path = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    if not is_path or split.scheme or split.netloc or "\\" in address:
        return ""
    return address
