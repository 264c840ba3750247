"""Making an account.

GET  /register              the form, or who may have one here
POST /register              a letter with a code, or, by a link on a site without mail, the account
GET  /register/code         where the code is typed
POST /register/code         the account
POST /register/code/again   another code
GET  /register/consent      what one agrees to
"""

from quart import Blueprint, Response, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue

from domain import confirmations
from domain.confirmations import Purpose, Tried
from domain.errors import InvalidInputError, NotAllowedError
from domain.one_time_links import LinkPurpose, OneTimeLink, use_link
from domain.passwords import check_new_password
from domain.users import User, add_user, clean_email, hash_password
from web import sessions
from web.account_limits import take_code, take_letter
from web.code_form import CodeForm
from web.context import parts
from web.field_words import field_words
from web.i18n import _, current_locale
from web.letter_post import mailer
from web.pages.account import first_page
from web.pages.links import find_given_link, forget_given_link
from web.registering import CONSENT_VERSION, may_register

blueprint = Blueprint("register", __name__)

CODE = CodeForm(Purpose.REGISTER, "pages/register_code.html", "register.show_code", "register.show")


@blueprint.get("/register")
async def show() -> ResponseReturnValue:
    user = await sessions.current_user()
    if user is not None:
        return redirect(await first_page(user), 303)
    link = await find_given_link(LinkPurpose.FIRST, LinkPurpose.INVITE)
    if not may_register(link):
        return await _closed_page()
    return await _form_page(link)


@blueprint.post("/register")
async def register() -> ResponseReturnValue:
    link = await find_given_link(LinkPurpose.FIRST, LinkPurpose.INVITE)
    if not may_register(link):
        return await _closed_page()
    fields = await request.form
    password = fields.get("password", "")
    errors: dict[str, str] = {}
    email = fields.get("email", "").strip()
    try:
        email = clean_email(email)
    except InvalidInputError as error:
        errors["email"] = field_words(error)
    try:
        check_new_password(password, "" if "email" in errors else email)
    except InvalidInputError as error:
        errors["password"] = field_words(error)
    if fields.get("consent") != CONSENT_VERSION:
        errors["consent"] = _("Without this consent we may not keep your e-mail.")
    if errors:
        return await _form_page(link, email=email, errors=errors)

    await take_letter(email, Purpose.REGISTER)
    password_hash = await hash_password(password)
    if link is not None and (link.purpose is LinkPurpose.FIRST or not parts().settings.sends_mail):
        return await _make_by_link(link, email, password_hash)
    async with parts().pool.acquire() as connection, connection.transaction():
        token = await confirmations.begin_registration(
            connection,
            mailer(),
            email,
            password_hash=password_hash,
            consent_version=CONSENT_VERSION,
            locale=current_locale(),
            link_id=None if link is None else link.id,
        )
    parts().relay.wake()
    CODE.remember(token)
    return redirect(url_for("register.show_code"), 303)


async def _make_by_link(link: OneTimeLink, email: str, password_hash: str) -> ResponseReturnValue:
    """The account at once: who holds the link is trusted with the address."""
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            user = await add_user(
                connection,
                email,
                password_hash,
                is_superuser=link.purpose is LinkPurpose.FIRST,
                locale=current_locale(),
                consent_version=CONSENT_VERSION,
            )
            if user is not None and not await use_link(connection, link.id):
                raise NotAllowedError("link_used")
    except NotAllowedError:
        return await _closed_page()
    if user is None:
        return await _form_page(link, email=email, errors={"email": field_words(InvalidInputError("email", "taken"))})
    forget_given_link()
    return await _welcome(user)


@blueprint.get("/register/code")
async def show_code() -> ResponseReturnValue:
    asked = await CODE.find()
    if asked is None:
        return redirect(url_for("register.show"), 303)
    return await CODE.page(asked)


@blueprint.post("/register/code")
async def confirm() -> ResponseReturnValue:
    await take_code()
    typed = (await request.form).get("code", "")
    user: User | None = None
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            answer = await confirmations.answer(connection, CODE.token, Purpose.REGISTER, typed)
            if not isinstance(answer, Tried):
                assert answer.password_hash is not None, "the table says so"
                user = await add_user(
                    connection,
                    answer.email,
                    answer.password_hash,
                    locale=answer.locale,
                    consent_version=answer.consent_version,
                    is_confirmed=True,
                )
                if user is not None and answer.link_id is not None and not await use_link(connection, answer.link_id):
                    raise NotAllowedError("link_used")
    except NotAllowedError:
        CODE.forget()
        return await _closed_page()
    if isinstance(answer, Tried):
        return await CODE.refused(answer)
    CODE.forget()
    if user is None:
        # Two registrations at once: the other one was first, by the same mailbox.
        return redirect(url_for("account.sign_in", said="account-exists"), 303)
    forget_given_link()
    return await _welcome(user)


@blueprint.post("/register/code/again")
async def send_again() -> ResponseReturnValue:
    await CODE.send_again()
    return redirect(url_for("register.show_code"), 303)


@blueprint.get("/register/consent")
async def show_consent() -> str:
    return await render_template("pages/register_consent.html", consent_version=CONSENT_VERSION)


async def _welcome(user: User) -> ResponseReturnValue:
    await sessions.sign_in(user)
    page = await first_page(user)
    return redirect(f"{page}?said=welcome", 303)


async def _form_page(
    link: OneTimeLink | None, *, email: str = "", errors: dict[str, str] | None = None
) -> ResponseReturnValue:
    html = await render_template(
        "pages/register.html",
        email=email,
        errors=errors or {},
        consent_version=CONSENT_VERSION,
        is_first=link is not None and link.purpose is LinkPurpose.FIRST,
        sends_mail=parts().settings.sends_mail,
    )
    return Response(html, 422 if errors else 200)


async def _closed_page() -> ResponseReturnValue:
    return Response(await render_template("pages/register_closed.html", mode=parts().settings.registration_mode), 403)
