"""What one does to one's own account. Each act that a stranger at an open laptop could misuse asks for the password.

POST /account/password              another password; the other browsers are signed out
POST /account/email                 a code to another address (without mail: the address at once)
POST /account/email/code            the other address, by its code
POST /account/email/code/again      another code
POST /account/sessions/<id>/end     one browser out
POST /account/sessions/end-others   all but this one
POST /account/delete                the account goes in seven days
POST /account/keep                  it stays after all
"""

import asyncpg
from quart import Blueprint, redirect, request, url_for
from quart.typing import ResponseReturnValue

from domain import access_tokens, confirmations, erasure, grants
from domain.confirmations import Purpose, Tried
from domain.errors import InvalidInputError, NotAllowedError
from domain.letters import Kind
from domain.passwords import check_new_password
from domain.sessions import delete_session_of
from domain.streamers import find_by_owner
from domain.users import (
    User,
    clean_email,
    hash_password,
    set_email,
    set_password_hash,
    sign_out_elsewhere,
)
from web import sessions
from web.account_limits import take_code, take_letter
from web.confirmation import wrong_password
from web.context import parts
from web.field_words import field_words
from web.i18n import _, current_locale, format_date, use_locale
from web.known_browsers import remember_browser
from web.letter_post import mailer, post_letter, take_new_address
from web.pages.desk import go_to
from web.pages.my_account import CODE, account_page, zone_of
from web.sessions import current_session, require_user

blueprint = Blueprint("my_account_acts", __name__)


@blueprint.post("/account/password")
async def change_password() -> ResponseReturnValue:
    user = await require_user()
    fields = await request.form
    password = fields.get("new_password", "")
    errors = await wrong_password(user, fields.get("old_password", ""), "old_password")
    try:
        check_new_password(password, user.email)
    except InvalidInputError as error:
        errors["new_password"] = field_words(error)
    if errors:
        return await account_page(user, errors=errors)
    password_hash = await hash_password(password)
    session = await current_session()
    assert session is not None, "the user has one"
    async with parts().pool.acquire() as connection, connection.transaction():
        await set_password_hash(connection, user.id, password_hash, keep_session_id=session.id)
        await remember_browser(connection, user.id)
        if fields.get("revoke_keys") == "yes":
            await access_tokens.revoke_keys(connection, user.id)
            await grants.revoke_all(connection, user.id)
        await post_letter(connection, Kind.PASSWORD_CHANGED, user)
    parts().relay.wake()
    return go_to("my_account.show", said="password-changed")


# Another address.


@blueprint.post("/account/email")
async def change_email() -> ResponseReturnValue:
    user = await require_user()
    fields = await request.form
    typed = fields.get("email", "").strip()
    errors = await wrong_password(user, fields.get("email_password", ""), "email_password")
    email = ""
    try:
        email = clean_email(typed)
        if email == user.email:
            errors["email"] = _("This is the address you have.")
    except InvalidInputError as error:
        errors["email"] = field_words(error)
    if errors:
        return await account_page(user, errors=errors, new_email=typed)
    await take_letter(email, Purpose.EMAIL)
    if not parts().settings.sends_mail:
        return await _take_address(user, email)
    async with parts().pool.acquire() as connection, connection.transaction():
        token = await confirmations.begin_email(connection, mailer(), user, email, locale=current_locale())
    parts().relay.wake()
    CODE.remember(token)
    return redirect(url_for("my_account.show_code"), 303)


async def _take_address(user: User, email: str) -> ResponseReturnValue:
    """Without mail nobody can prove an address; it is only a name to sign in with."""
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            taken = not await set_email(connection, user.id, email, is_confirmed=False)
    except asyncpg.UniqueViolationError:
        taken = True
    if taken:
        words = field_words(InvalidInputError("email", "taken"))
        return await account_page(user, errors={"email": words}, new_email=email)
    return go_to("my_account.show", said="email-changed")


@blueprint.post("/account/email/code")
async def confirm_email() -> ResponseReturnValue:
    user = await require_user()
    await take_code()
    typed = (await request.form).get("code", "")
    is_changed = False
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            asked = await confirmations.find(connection, CODE.token, Purpose.EMAIL)
            if asked is None or asked.user_id != user.id:
                CODE.forget()
                return redirect(url_for("my_account.show"), 303)
            answer = await confirmations.answer(connection, CODE.token, Purpose.EMAIL, typed)
            if not isinstance(answer, Tried):
                is_changed = await take_new_address(connection, user.id, answer.email)
    except asyncpg.UniqueViolationError:
        is_changed, answer = False, Tried.OVER
    if isinstance(answer, Tried):
        return await CODE.refused(answer)
    CODE.forget()
    parts().relay.wake()
    return go_to("my_account.show", said="email-changed" if is_changed else "email-not-changed")


@blueprint.post("/account/email/code/again")
async def send_again() -> ResponseReturnValue:
    await require_user()
    await CODE.send_again()
    return redirect(url_for("my_account.show_code"), 303)


# Browsers.


@blueprint.post("/account/sessions/<int:session_id>/end")
async def end_session(session_id: int) -> ResponseReturnValue:
    user = await require_user()
    session = await current_session()
    if session is not None and session.id == session_id:
        await sessions.sign_out()
        return redirect(url_for("home.show"), 303)
    ended = False
    if session_id < 2**31:
        async with parts().pool.acquire() as connection:
            ended = await delete_session_of(connection, user.id, session_id)
    return go_to("my_account.show", said="signed-out" if ended else "nothing-to-do")


@blueprint.post("/account/sessions/end-others")
async def end_other_sessions() -> ResponseReturnValue:
    user = await require_user()
    session = await current_session()
    assert session is not None, "the user has one"
    async with parts().pool.acquire() as connection, connection.transaction():
        await sign_out_elsewhere(connection, user.id, session.id)
    return go_to("my_account.show", said="signed-out-everywhere")


# Leaving.


@blueprint.post("/account/delete")
async def delete() -> ResponseReturnValue:
    user = await require_user()
    errors = await wrong_password(user, (await request.form).get("delete_password", ""), "delete_password")
    if errors:
        return await account_page(user, errors=errors)
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            is_new = user.delete_at is None
            delete_at = await erasure.ask_for(connection, user.id)
            streamer = await find_by_owner(connection, user.id)
            if is_new:
                with use_locale(user.locale):
                    day = format_date(delete_at, zone_of(streamer))
                await post_letter(connection, Kind.DELETION, user, {"day": day})
    except NotAllowedError:
        words = _("You are the only superuser: make somebody else one first.")
        return await account_page(user, errors={"delete_password": words})
    parts().relay.wake()
    return go_to("my_account.show", said="deletion-wished")


@blueprint.post("/account/keep")
async def keep() -> ResponseReturnValue:
    user = await require_user()
    async with parts().pool.acquire() as connection, connection.transaction():
        kept = await erasure.think_again(connection, user.id)
    return go_to("my_account.show", said="account-kept" if kept else "nothing-to-do")
