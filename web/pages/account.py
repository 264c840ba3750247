"""Signing in and out."""

from urllib.parse import urlsplit

from quart import Blueprint, Response, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue

from domain.users import EMAIL_MAX_LENGTH, PASSWORD_MAX_LENGTH, verify_password
from web import sessions
from web.context import parts
from web.i18n import _
from web.limits import Limit, address_key
from web.security import client_address

blueprint = Blueprint("account", __name__)

# Many people share the address of a mobile operator; few mistype their password ten times.
TRIES_PER_ADDRESS = Limit("sign-in-address", 60, 5 * 60)
TRIES_PER_ACCOUNT_AND_ADDRESS = Limit("sign-in-account-address", 10, 15 * 60)
TRIES_PER_ACCOUNT = Limit("sign-in-account", 100, 15 * 60)


@blueprint.get("/sign-in")
async def sign_in() -> ResponseReturnValue:
    back = same_site_path(request.args.get("next", ""))
    if await sessions.current_user() is not None:
        return redirect(back, 303)
    return await _sign_in_page(back=back, email="", errors={})


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

    address = address_key(client_address())
    account = email.lower()
    limiter = parts().limiter
    await limiter.take(TRIES_PER_ADDRESS, address)
    await limiter.take(TRIES_PER_ACCOUNT_AND_ADDRESS, f"{account}|{address}")
    await limiter.take(TRIES_PER_ACCOUNT, account)
    async with parts().pool.acquire() as connection:
        user = await verify_password(connection, email, password)
    if user is None:
        # One answer for a wrong password, an unknown e-mail and a closed account.
        errors["password"] = _("The e-mail or the password is wrong.")
        return await _sign_in_page(back=back, email=email, errors=errors, status=422)
    await limiter.forget(TRIES_PER_ACCOUNT_AND_ADDRESS, f"{account}|{address}")
    await limiter.forget(TRIES_PER_ACCOUNT, account)
    await sessions.sign_in(user)
    return redirect(back, 303)


@blueprint.post("/sign-out")
async def sign_out() -> ResponseReturnValue:
    await sessions.sign_out()
    return redirect(url_for("home.show"), 303)


async def _sign_in_page(*, back: str, email: str, errors: dict[str, str], status: int = 200) -> Response:
    page = await render_template("pages/sign_in.html", back=back, email=email, errors=errors)
    return Response(page, status=status)


def same_site_path(address: str) -> str:
    """The address if it is a path of ours, else the dashboard's: no link of a stranger leads away through us."""
    split = urlsplit(address)
    is_path = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    if not is_path or split.scheme or split.netloc or "\\" in address:
        return url_for("dashboard.show")
    return address
