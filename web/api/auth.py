"""Ways in, as the first version had them: signing in, registering, codes by mail (docs/decisions/0044)."""

from typing import Any

import asyncpg
from quart import request
from quart_schema import DataSource, validate_request, validate_response

from domain import mailbox_codes, registrations
from domain.confirmations import Purpose
from domain.errors import InvalidInputError
from domain.letters import Kind
from domain.mailbox_codes import Registration
from domain.one_time_links import LinkPurpose, OneTimeLink, find_link, use_link
from domain.registrations import Confirmed, NewAccount
from domain.user_profiles import UserProfile, get_person
from domain.users import get_user, hash_password, reset_password_hash, try_sign_in
from infra.jwt import issue_jwt
from web.account_limits import take_code, take_letter, take_sign_in
from web.api.access import caller, needs_person, person_id_if_any, public
from web.api.blueprints import old_api
from web.api.errors import Refused
from web.api.idempotency import unnamed
from web.api.openapi import examples, may_refuse
from web.api.people import (
    EMAIL_TAKEN,
    USERNAME_TAKEN,
    answering_alike,
    changed_profile,
    check_password,
    user_answer,
)
from web.api.schemas.auth import (
    EmailVerificationCode,
    EmailVerificationRequest,
    LoginForm,
    PasswordResetConfirm,
    PasswordResetRequest,
    Token,
)
from web.api.schemas.common import Message
from web.api.schemas.users import User, UserCreate
from web.context import parts
from web.i18n import current_locale
from web.known_browsers import remember_browser
from web.letter_post import mailer, post_letter, take_new_address
from web.registering import CONSENT_VERSION, may_register
from web.security import is_own_origin

blueprint = old_api("auth")

EMAIL = "anna@example.org"
USER_EXAMPLE = {
    "id": 7,
    "email": EMAIL,
    "username": "anna",
    "full_name": None,
    "is_active": True,
    "is_streamer": True,
    "avatar_url": None,
    "bio": None,
    "email_verified": True,
    "created_at": "2026-11-28T10:00:00Z",
    "updated_at": None,
}


# Signing in.


@blueprint.post("/login")
@public
@examples(
    request={"username": EMAIL, "password": "correct horse battery"},
    response={"access_token": "eyJhbGciOiJIUzI1NiJ9…", "token_type": "bearer"},
)
@validate_request(LoginForm, source=DataSource.FORM)
@validate_response(Token)
async def log_in(data: LoginForm) -> Token:
    """Sign in with an e-mail and a password.

    The token is good for eight days unless the site says otherwise, and ends with the next change of the password or
    when its owner signs out everywhere. An account whose e-mail is not verified gets another code by mail.
    """
    counted = await take_sign_in(data.username)
    async with parts().pool.acquire() as connection:
        tried = await try_sign_in(connection, data.username, data.password)
    if tried is None:
        raise Refused(400, "Incorrect email or password")
    await counted.forget()
    user = tried.holder.user
    if not user.is_active:
        raise Refused(400, "Inactive user")
    if tried.awaits_code:
        await _send_code_for(user.email, user.id, tried.password_hash)
        raise Refused(400, "Email not verified. New verification code sent to your email.")
    origin = request.headers.get("Origin")
    if origin is None or is_own_origin(origin):
        # Another site's page could put its own account in the place of hers.
        async with parts().pool.acquire() as connection:
            await remember_browser(connection, user.id)
    lifetime_seconds = parts().settings.jwt_days * 24 * 3600
    token = issue_jwt(parts().box, user.id, tried.holder.token_version, lifetime_seconds=lifetime_seconds)
    return Token(access_token=token)


@blueprint.post("/test-token")
@needs_person
@unnamed
@examples(response=USER_EXAMPLE)
@validate_response(User)
async def test_token() -> User:
    """Whose token this is."""
    async with parts().pool.acquire() as connection:
        return user_answer(await get_person(connection, caller().user.id))


# Registering.


@blueprint.post("/register")
@public
@may_refuse({403: "The site does not let you register, or sends no mail"})
@examples(
    request={"email": EMAIL, "username": "anna", "password": "correct horse battery", "is_streamer": True},
    response={**USER_EXAMPLE, "email_verified": False},
)
@validate_request(UserCreate)
@validate_response(User)
async def register(data: UserCreate) -> User:
    """Make an account.

    A six-digit code is mailed to the address; until it comes back by `verify-email`, nobody can sign in, and after a
    day the account is gone. Until then the address may be registered again: each code confirms what it was mailed for.
    The letter names what its owner agrees to by entering the code; show her `/register/consent` before. Where the site
    invites its users, `invite` is the end of an invitation's link.
    """
    link = await _invitation(data.invite)
    settings = parts().settings
    if not may_register(link, is_proved=not settings.awaits_code):
        mode = settings.registration_mode
        raise Refused(403, "Registration is closed" if mode == "closed" else "An invitation is needed to register")
    if settings.awaits_code:
        _demand_mail("Registering works in a browser only")
    profile = changed_profile(UserProfile(is_streamer=data.is_streamer), data)
    check_password(data.password, data.email)
    await take_letter(data.email, Purpose.REGISTER)
    async with parts().pool.acquire() as connection:
        password_hash = await registrations.hash_registered(connection, data.email, data.password)
    new = NewAccount(data.email, Registration(password_hash, profile), current_locale(), settings.awaits_code)
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            person = await registrations.register(connection, new)
            if link is not None and not await use_link(connection, link.id):
                raise Refused(403, "This invitation was used already")
            if settings.sends_mail:
                await mailbox_codes.begin_verification(
                    connection,
                    mailer(),
                    person.id,
                    data.email,
                    locale=new.locale,
                    registration=new.registration,
                )
    except InvalidInputError as error:
        raise Refused(400, EMAIL_TAKEN if error.field == "email" else USERNAME_TAKEN) from None
    except asyncpg.UniqueViolationError:
        raise Refused(400, USERNAME_TAKEN) from None
    parts().relay.wake()
    return user_answer(person)


async def _invitation(token: str | None) -> OneTimeLink | None:
    """A good one. The first account's link is for its page alone."""
    if not token:
        return None
    await take_code()
    async with parts().pool.acquire() as connection:
        link = await find_link(connection, token)
    return link if link is not None and link.purpose is LinkPurpose.INVITE else None


@blueprint.post("/verify-email")
@public
@examples(
    request={"email": EMAIL, "code": "204816"},
    response={"message": "Email verified successfully"},
)
@validate_request(EmailVerificationCode)
@validate_response(Message)
async def verify_email(data: EmailVerificationCode) -> Message:
    """Give back the code from a letter, after registering or after asking for another address.

    The code is good for a quarter of an hour and for five tries. For another address, call with the token that asked
    for it. Where codes were asked for with different passwords, or by `resend-verification` without one, or the call
    comes with another account's token, nobody knows which password is the owner's: then none is kept, and another
    letter lets her choose one.
    """
    await take_code()
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            verified = await _take_code_of_address(connection, data)
    except asyncpg.UniqueViolationError:
        # The address or the username became somebody else's in this very moment.
        verified = Confirmed.NOTHING
    if verified is Confirmed.NOTHING:
        raise Refused(400, "Invalid or expired verification code")
    parts().relay.wake()
    more = "" if verified is Confirmed.DONE else ". Choose a password by the letter that we have sent just now"
    return Message(message=f"Email verified successfully{more}")


async def _take_code_of_address(connection: Any, data: EmailVerificationCode) -> Confirmed:
    # A key may not change her address, so it brings no code for that.
    caller_id = person_id_if_any()
    purposes = (Purpose.VERIFY, Purpose.EMAIL)
    answered = await mailbox_codes.answer(connection, parts().box, data.email, purposes, data.code, caller_id=caller_id)
    if answered is None:
        return Confirmed.NOTHING
    if answered.purpose is Purpose.EMAIL:
        is_taken = await take_new_address(connection, answered.user_id, answered.email)
        return Confirmed.DONE if is_taken else Confirmed.NOTHING
    confirmed = await registrations.confirm(connection, answered, CONSENT_VERSION, caller_id=caller_id)
    if confirmed is Confirmed.NO_PASSWORD:
        await mailbox_codes.begin_password(connection, mailer(), answered.email, locale=current_locale())
    return confirmed


@blueprint.post("/resend-verification")
@public
@may_refuse({403: "The site sends no mail"})
@examples(request={"email": EMAIL}, response={"message": "Verification code sent to your email"})
@validate_request(EmailVerificationRequest)
@validate_response(Message)
async def resend_verification(data: EmailVerificationRequest) -> Message:
    """Ask for another code.

    It proves the address alone, since anybody may ask for it: who enters it, or another one after it, chooses the
    password anew by a letter. A code that keeps the password comes by `/auth/login` or by registering again with it.
    The answer is the same for an address that nobody registered; then nothing is mailed.
    """
    _demand_mail("No code can be sent")
    async with answering_alike():
        async with parts().pool.acquire() as connection:
            found = await registrations.find_registered(connection, data.email)
        await _send_code(data.email, None if found is None or found.is_confirmed else found.user_id)
    if found is not None and found.is_confirmed:
        raise Refused(400, "Email already verified")
    return Message(message="Verification code sent to your email")


async def _send_code_for(email: str, user_id: int, password_hash: str) -> None:
    """To who gave the password, which the code keeps. Raises 429 TooManyRequests."""
    await take_letter(email, Purpose.VERIFY)
    async with parts().pool.acquire() as connection, connection.transaction():
        await registrations.ask_again(connection, mailer(), user_id, email, password_hash, locale=current_locale())
    parts().relay.wake()


async def _send_code(email: str, user_id: int | None) -> None:
    """To who gave no password. Raises 429 TooManyRequests."""
    await take_letter(email, Purpose.VERIFY)
    async with parts().pool.acquire() as connection, connection.transaction():
        await mailbox_codes.begin_verification(connection, mailer(), user_id, email, locale=current_locale())
    parts().relay.wake()


def _demand_mail(what: str) -> None:
    if not parts().settings.sends_mail:
        raise Refused(403, f"{what}: this site sends no mail")


# A forgotten password.


@blueprint.post("/forgot-password")
@public
@may_refuse({403: "The site sends no mail"})
@examples(request={"email": EMAIL}, response={"message": "Password reset code sent to your email"})
@validate_request(PasswordResetRequest)
@validate_response(Message)
async def forgot_password(data: PasswordResetRequest) -> Message:
    """Ask for a code that sets a new password.

    The answer is the same for an address without an account; then nothing is mailed.
    """
    _demand_mail("No code can be sent")
    async with answering_alike():
        await take_letter(data.email, Purpose.PASSWORD)
        async with parts().pool.acquire() as connection, connection.transaction():
            await mailbox_codes.begin_password(connection, mailer(), data.email, locale=current_locale())
        parts().relay.wake()
    return Message(message="Password reset code sent to your email")


@blueprint.post("/reset-password")
@public
@examples(
    request={"email": EMAIL, "code": "K7WP-3XQD", "new_password": "battery horse correct"},
    response={"message": "Password has been reset successfully"},
)
@validate_request(PasswordResetConfirm)
@validate_response(Message)
async def reset_password(data: PasswordResetConfirm) -> Message:
    """Set a new password with the code from a letter.

    Every device and every token is signed out, and accounts at other sites are unlinked.
    """
    await take_code()
    # Not a try: the code stays as good as it was.
    check_password(data.new_password, data.email, field="new_password")
    password_hash = await hash_password(data.new_password)
    is_reset = False
    async with parts().pool.acquire() as connection, connection.transaction():
        answered = await mailbox_codes.answer(connection, parts().box, data.email, (Purpose.PASSWORD,), data.code)
        user = None if answered is None else await get_user(connection, answered.user_id)
        if user is not None and user.is_active:
            await reset_password_hash(connection, user.id, password_hash)
            await post_letter(connection, Kind.PASSWORD_RESET, user)
            is_reset = True
    if not is_reset:
        raise Refused(400, "Invalid or expired reset code")
    parts().relay.wake()
    return Message(message="Password has been reset successfully")
