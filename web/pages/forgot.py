"""A forgotten password.

GET  /forgot              which address, or how the operator helps on a site without mail
POST /forgot              a letter with a code and a link, if the address has an account; the answer never says
GET  /forgot/code         where the code and a new password are typed
POST /forgot/code         the new password; every browser is signed out but this one, other sites are unlinked
POST /forgot/code/again   another code
"""

from quart import Blueprint, Response, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from domain import confirmations
from domain.confirmations import Purpose, Tried
from domain.errors import InvalidInputError
from domain.letters import Kind
from domain.passwords import check_new_password
from domain.users import clean_email, get_user, hash_password, reset_password_hash
from web import sessions
from web.account_limits import take_code, take_letter
from web.code_form import CodeForm
from web.context import parts
from web.field_words import field_words
from web.i18n import current_locale
from web.letter_post import mailer, post_letter
from web.limits import retry_after, wait_words
from web.pages.account import first_page

blueprint = Blueprint("forgot", __name__)

CODE = CodeForm(Purpose.PASSWORD, "pages/forgot_code.html", "forgot.show_code", "forgot.show")


@blueprint.get("/forgot")
async def show() -> ResponseReturnValue:
    return await _page()


@blueprint.post("/forgot")
async def ask() -> ResponseReturnValue:
    if not parts().settings.sends_mail:
        return await _page()
    typed = (await request.form).get("email", "").strip()
    try:
        email = clean_email(typed)
    except InvalidInputError as error:
        return await _page(email=typed, errors={"email": field_words(error)})
    try:
        await take_letter(email, Purpose.PASSWORD)
    except TooManyRequests as refused:
        return await _page(email=typed, refused=refused)
    async with parts().pool.acquire() as connection, connection.transaction():
        token = await confirmations.begin_password(connection, mailer(), email, locale=current_locale())
    parts().relay.wake()
    CODE.remember(token)
    return redirect(url_for("forgot.show_code"), 303)


@blueprint.get("/forgot/code")
async def show_code() -> ResponseReturnValue:
    asked = await CODE.find()
    if asked is None:
        return redirect(url_for("forgot.show"), 303)
    return await CODE.page(asked)


@blueprint.post("/forgot/code")
async def change() -> ResponseReturnValue:
    await take_code()
    asked = await CODE.find()
    if asked is None:
        return redirect(url_for("forgot.show"), 303)
    fields = await request.form
    password = fields.get("password", "")
    try:
        check_new_password(password, asked.email)
    except InvalidInputError as error:
        # Not a try: the code stays as good as it was.
        return await CODE.page(asked, errors={"password": field_words(error)}, code=fields.get("code", "")[:20])
    password_hash = await hash_password(password)
    user = None
    async with parts().pool.acquire() as connection, connection.transaction():
        answer = await confirmations.answer(connection, CODE.token, Purpose.PASSWORD, fields.get("code", ""))
        if not isinstance(answer, Tried):
            assert answer.user_id is not None, "a code fits only where there is an account"
            user = await get_user(connection, answer.user_id)
            if user is not None and user.is_active:
                await reset_password_hash(connection, user.id, password_hash)
                await post_letter(connection, Kind.PASSWORD_RESET, user)
    if isinstance(answer, Tried):
        return await CODE.refused(answer)
    CODE.forget()
    parts().relay.wake()
    if user is None or not user.is_active:
        return redirect(url_for("account.sign_in"), 303)
    await sessions.sign_in(user)
    return redirect(f"{await first_page(user)}?said=password-reset", 303)


@blueprint.post("/forgot/code/again")
async def send_again() -> ResponseReturnValue:
    await CODE.send_again()
    return redirect(url_for("forgot.show_code"), 303)


async def _page(
    *, email: str = "", errors: dict[str, str] | None = None, refused: TooManyRequests | None = None
) -> ResponseReturnValue:
    html = await render_template(
        "pages/forgot.html",
        email=email,
        errors=errors or {},
        sends_mail=parts().settings.sends_mail,
        wait="" if refused is None else wait_words(retry_after(refused)),
    )
    if refused is not None:
        return Response(html, 429, headers=retry_after(refused))
    return Response(html, 422 if errors else 200)
