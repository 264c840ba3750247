"""People, as the first version had them: oneself, and for superusers everybody."""

from typing import Any

import asyncpg
from quart import request
from quart_schema import (
    RequestSchemaValidationError,
    document_request,
    validate_querystring,
    validate_request,
    validate_response,
)
from quart_schema.conversion import model_load

from domain import mailbox_codes, operators
from domain.confirmations import Purpose
from domain.errors import NotAllowedError
from domain.letters import Kind
from domain.scopes import Scope
from domain.user_profiles import (
    Person,
    UserProfile,
    get_person,
    is_username_taken,
    list_people,
    lock_profile,
    read_profile,
    save_profile,
)
from domain.users import User as Account
from domain.users import add_user, get_user, hash_password, set_email, set_password_hash
from web.account_limits import take_letter
from web.api.access import caller, needs, needs_person, superuser
from web.api.auth import EMAIL, USER_EXAMPLE
from web.api.blueprints import old_api
from web.api.errors import Refused
from web.api.idempotency import writing
from web.api.openapi import body_optional, examples
from web.api.people import (
    EMAIL_TAKEN,
    USERNAME_TAKEN,
    changed_profile,
    check_password,
    prove_person,
    user_answer,
)
from web.api.schemas.common import Paging
from web.api.schemas.users import User, UserCreate, UserUpdate, UserUpdateMe
from web.context import parts
from web.i18n import current_locale
from web.letter_post import mailer, post_letter

blueprint = old_api("users")


# Oneself.


@blueprint.get("/me")
@needs(Scope.PROFILE_READ)
@examples(response=USER_EXAMPLE)
@validate_response(User)
async def show_me() -> User:
    """Who you are."""
    return await _show(caller().user.id)


@blueprint.put("/me")
@needs_person
@examples(request={"full_name": "Анна Смирнова", "bio": "Стримы по вечерам"}, response=USER_EXAMPLE)
@body_optional
@document_request(UserUpdateMe)
@validate_response(User)
async def change_me() -> User:
    """Change what is said of you, your e-mail or your password.

    Another address is yours as soon as the code from the letter to it comes back by `/auth/verify-email`, called with
    your token; until then the answer holds the former one. Another password ends every token, also the one you call
    with. For both, the sign-in is not older than 15 minutes, or `current_password` is sent.
    """
    data = await _read_change()
    user = caller().user
    email = None if data.email == user.email else data.email
    if email is not None or data.password:
        user = await prove_person(data.current_password)
    password_hash = None
    if data.password:
        check_password(data.password, email or user.email)
        password_hash = await hash_password(data.password)
    if email is not None:
        await take_letter(email, Purpose.EMAIL)
    try:
        async with writing() as connection:
            await _save_profile(connection, user.id, data)
            if password_hash is not None:
                await set_password_hash(connection, user.id, password_hash)
                await post_letter(connection, Kind.PASSWORD_CHANGED, user)
            if email is not None:
                await _begin_email(connection, user, email)
    except asyncpg.UniqueViolationError as error:
        raise _taken(error) from None
    parts().relay.wake()
    return await _show(user.id)


async def _read_change() -> UserUpdateMe:
    """The contract asks for no body: without one nothing changes."""
    if not await request.get_data():
        return UserUpdateMe()
    data = await request.get_json(force=True)
    return UserUpdateMe() if data is None else model_load(data, UserUpdateMe, RequestSchemaValidationError)


async def _begin_email(connection: Any, user: Account, email: str) -> None:
    """A letter to the new address. Without mail nobody can prove one; it is only a name to sign in with."""
    if parts().settings.sends_mail:
        await mailbox_codes.begin_email(connection, mailer(), user, email, locale=current_locale())
    elif not await set_email(connection, user.id, email, is_confirmed=False):
        raise Refused(400, EMAIL_TAKEN)


# Everybody.


@blueprint.get("/")
@superuser
@examples(response=[USER_EXAMPLE])
@validate_querystring(Paging)
@validate_response(list[User])
async def list_users(query_args: Paging) -> list[User]:
    """All accounts, oldest first."""
    async with parts().pool.acquire() as connection:
        people = await list_people(connection, skip=query_args.skip, limit=query_args.limit)
    return [user_answer(person) for person in people]


@blueprint.post("/")
@superuser
@examples(
    request={"email": EMAIL, "username": "anna", "password": "correct horse battery"},
    response={**USER_EXAMPLE, "email_verified": False},
)
@validate_request(UserCreate)
@validate_response(User)
async def create_user(data: UserCreate) -> User:
    """Make somebody an account, which needs no code."""
    profile = changed_profile(UserProfile(is_streamer=data.is_streamer), data)
    check_password(data.password, data.email)
    password_hash = await hash_password(data.password)
    try:
        async with writing() as connection:
            user = await add_user(connection, data.email, password_hash, locale=current_locale())
            if user is None:
                raise Refused(400, EMAIL_TAKEN)
            await _save_checked(connection, user.id, profile)
            await operators.note_made(connection, user.id, caller().user.id)
            if not data.is_active:
                await operators.block(connection, user.id, caller().user.id)
    except asyncpg.UniqueViolationError as error:
        raise _taken(error) from None
    return await _show(user.id)


@blueprint.get("/<id:user_id>")
@needs_person
@examples(response=USER_EXAMPLE, path={"user_id": 7})
@validate_response(User)
async def show_user(user_id: int) -> User:
    """One account: your own, or for superusers any."""
    user = caller().user
    if user_id != user.id and not user.is_superuser:
        raise Refused(400, "The user doesn't have enough privileges")
    return await _show(user_id)


@blueprint.put("/<id:user_id>")
@superuser
@examples(request={"is_active": False}, response={**USER_EXAMPLE, "is_active": False}, path={"user_id": 7})
@validate_request(UserUpdate)
@validate_response(User)
async def change_user(user_id: int, data: UserUpdate) -> User:
    """Change somebody's account, block it or let it in again.

    For another e-mail or another `is_active`, your own sign-in is not older than 15 minutes, or `current_password`
    (yours) is sent. The former address gets a letter.
    """
    person = await _find(user_id)
    by = caller().user
    email = None if data.email == person.email else data.email
    is_active = None if data.is_active == person.is_active else data.is_active
    if email is not None or is_active is not None:
        await prove_person(data.current_password)
    try:
        async with writing() as connection:
            await _save_profile(connection, user_id, data)
            if email is not None:
                former = await get_user(connection, user_id)
                if not await operators.change_email(connection, user_id, email, by.id):
                    raise Refused(400, EMAIL_TAKEN)
                if former is not None:
                    await post_letter(connection, Kind.EMAIL_CHANGED, former, {"new_email": email})
            if is_active is not None:
                await (operators.unblock if is_active else operators.block)(connection, user_id, by.id)
    except NotAllowedError:
        raise Refused(400, "This is the only superuser: make somebody else one first") from None
    except asyncpg.UniqueViolationError as error:
        raise _taken(error) from None
    parts().relay.wake()
    return await _show(user_id)


# Shared.


async def _find(user_id: int) -> Person:
    async with parts().pool.acquire() as connection:
        return await get_person(connection, user_id)


async def _show(user_id: int) -> User:
    return user_answer(await _find(user_id))


async def _save_profile(connection: Any, user_id: int, data: UserUpdateMe | UserUpdate) -> None:
    """The fields that were sent. Raises Refused."""
    await lock_profile(connection, user_id)
    before = await read_profile(connection, user_id)
    person = await get_person(connection, user_id)
    after = changed_profile(before, data, shown_username=person.username)
    if after != before:
        await _save_checked(connection, user_id, after)


async def _save_checked(connection: Any, user_id: int, profile: UserProfile) -> None:
    if await is_username_taken(connection, profile.username, but_of=user_id):
        raise Refused(400, USERNAME_TAKEN)
    await save_profile(connection, user_id, profile)


def _taken(error: asyncpg.UniqueViolationError) -> Refused:
    """Somebody else was faster."""
    return Refused(400, USERNAME_TAKEN if error.constraint_name == "user_profiles_username_key_key" else EMAIL_TAKEN)
