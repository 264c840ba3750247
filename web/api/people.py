"""What `/auth`, `/users` and `/streamers` share: a person as the API shows her, fields checked, acts proved."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from domain.errors import InvalidInputError
from domain.passwords import check_new_password
from domain.user_profiles import (
    Person,
    UserProfile,
    clean_avatar_url,
    clean_bio,
    clean_full_name,
    clean_username,
)
from domain.users import User, verify_password
from web.account_limits import take_password
from web.api.access import caller
from web.api.errors import Refused, wrong_field
from web.api.schemas import users as schemas
from web.context import parts
from web.sessions import FRESH_SECONDS

ALIKE_SECONDS = 0.25
"""How long an answer takes at least that must not show by its time whether there is such an account."""

USERNAME_TAKEN = "The user with this username already exists in the system."
EMAIL_TAKEN = "The user with this email already exists in the system."


def user_answer(person: Person) -> schemas.User:
    return schemas.User(**vars(person))


@asynccontextmanager
async def answering_alike() -> AsyncIterator[None]:
    """What is done inside takes as long whatever it finds."""
    ends_at = time.monotonic() + ALIKE_SECONDS
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, ends_at - time.monotonic()))


async def prove_person(current_password: str | None) -> User:
    """The caller, who has given the password lately or gives it now: a token that was stolen must not be enough for
    acts that keep its owner out. Raises Refused, and 429 TooManyRequests."""
    by = caller()
    if current_password is None:
        if by.sign_in_age_seconds is not None and by.sign_in_age_seconds < FRESH_SECONDS:
            return by.user
        raise Refused(400, "This sign-in is older than 15 minutes: send current_password as well, or sign in again")
    await take_password(by.user.id)
    async with parts().pool.acquire() as connection:
        found = await verify_password(connection, by.user.email, current_password)
    if found is None or found.id != by.user.id:
        raise Refused(400, "Incorrect password")
    return by.user


def check_password(password: str, email: str, *, field: str = "password") -> None:
    """Raises Refused(422)."""
    try:
        check_new_password(password, email)
    except InvalidInputError as error:
        words = {
            "too_short": f"At least {error.data.get('limit')} characters",
            "too_long": f"At most {error.data.get('limit')} characters",
            "common": "This password is among the first that strangers try",
            "like_email": "This password is too much like the e-mail",
        }
        raise wrong_field(field, words[error.code], kind=error.code) from None


def changed_profile(profile: UserProfile, data: BaseModel, shown_username: str | None = None) -> UserProfile:
    """The profile with the fields that were sent; null takes one away, but not the username.

    `shown_username`: what the API calls who never chose one; sent back as it was, it stays. Raises Refused(422)."""
    sent = {name: getattr(data, name) for name in data.model_fields_set}
    for name, clean in _CLEANED.items():
        if name not in sent:
            continue
        text = sent[name]
        if name == "username" and (text is None or text == shown_username):
            continue
        changes: dict[str, Any] = {name: None if text is None else read_field(clean, text)}
        profile = replace(profile, **changes)
    return profile


def read_field(clean: Callable[..., Any], *values: Any, name: str | None = None) -> Any:
    """What a rule of the domain makes of a field. `name`: what the API calls it. Raises Refused(422)."""
    try:
        return clean(*values)
    except InvalidInputError as error:
        words = error.code.replace("_", " ").capitalize()
        if "limit" in error.data and error.code == "too_long":
            words = f"At most {error.data['limit']} characters"
        raise wrong_field(name or error.field, words, kind=error.code) from None


_CLEANED: dict[str, Callable[[str], str | None]] = {
    "username": clean_username,
    "full_name": clean_full_name,
    "avatar_url": clean_avatar_url,
    "bio": clean_bio,
}
