"""What API v1 says of a person beside the account: a name for programs, a full name, a picture, a few words."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from domain.errors import InvalidInputError, NotFoundError
from domain.text import clean_message, clean_name
from infra import queries

USERNAME_MAX_LENGTH = 60
FULL_NAME_MAX_LENGTH = 200
AVATAR_URL_MAX_LENGTH = 1000
BIO_MAX_LENGTH = 1000

_USERNAME = re.compile(r"[\w. -]+")
# What those are called who never chose one.
_NUMBERED = re.compile(r"user\d+")


@dataclass(frozen=True)
class UserProfile:
    """What a person may set; has passed the rules below. `username` None: none was chosen."""

    username: str | None = None
    full_name: str | None = None
    avatar_url: str | None = None
    bio: str | None = None
    is_streamer: bool = False
    """Registered as somebody who wants a page."""


@dataclass(frozen=True)
class Person:
    """Somebody as API v1 shows her; `is_streamer`: has a page, or said she wants one."""

    id: int
    email: str
    is_active: bool
    created_at: datetime
    email_verified: bool
    username: str
    full_name: str | None
    avatar_url: str | None
    bio: str | None
    updated_at: datetime | None
    is_streamer: bool


# Rules.


def clean_username(text: str) -> str:
    """Letters of any alphabet, digits, dots, dashes and spaces; no e-mail address, since everybody sees it.

    Raises InvalidInputError("username", …): "required", "too_long" or "malformed"."""
    username = " ".join(unicodedata.normalize("NFKC", text).split())
    if not username:
        raise InvalidInputError("username", "required")
    if len(username) > USERNAME_MAX_LENGTH:
        raise InvalidInputError("username", "too_long", limit=USERNAME_MAX_LENGTH)
    if not _USERNAME.fullmatch(username) or not username.isprintable() or _NUMBERED.fullmatch(_key(username)):
        raise InvalidInputError("username", "malformed")
    return username


def clean_full_name(text: str) -> str | None:
    """Raises InvalidInputError("full_name", "too_long")."""
    return _within("full_name", clean_name(text), FULL_NAME_MAX_LENGTH)


def clean_bio(text: str) -> str | None:
    """Raises InvalidInputError("bio", "too_long")."""
    return _within("bio", clean_message(text), BIO_MAX_LENGTH)


def clean_avatar_url(text: str) -> str | None:
    """A picture's address, at any site or a path here; it is shown by clients, never fetched by us.

    Raises InvalidInputError("avatar_url", …): "too_long" or "malformed"."""
    url = _within("avatar_url", text.strip(), AVATAR_URL_MAX_LENGTH)
    if url is None:
        return None
    try:
        split = urlsplit(url)
    except ValueError:
        raise InvalidInputError("avatar_url", "malformed") from None
    is_path = url.startswith("/") and not split.netloc
    is_elsewhere = split.scheme in ("http", "https") and bool(split.netloc)
    if not url.isprintable() or " " in url or "\\" in url or not (is_path or is_elsewhere):
        raise InvalidInputError("avatar_url", "malformed")
    return url


def _within(field: str, text: str, limit: int) -> str | None:
    if len(text) > limit:
        raise InvalidInputError(field, "too_long", limit=limit)
    return text or None


def _key(username: str) -> str:
    return username.casefold()


# People.


async def get_person(connection: Any, user_id: int) -> Person:
    """Raises NotFoundError("user")."""
    row = await queries.user_profiles.get_person(connection, user_id=user_id)
    if row is None:
        raise NotFoundError("user")
    return Person(**row)


async def list_people(connection: Any, *, skip: int, limit: int) -> list[Person]:
    """Oldest first, also those who await their code."""
    return [Person(**row) async for row in queries.user_profiles.list_people(connection, skip=skip, limit=limit)]


async def is_username_taken(connection: Any, username: str | None, *, but_of: int = 0) -> bool:
    if username is None:
        return False
    owner = await queries.user_profiles.find_username(connection, username_key=_key(username))
    return owner not in (None, but_of)


async def lock_profile(connection: Any, user_id: int) -> None:
    """Until the end of the transaction: who changes a part of it waits, and keeps what another changed. It comes before
    any other lock."""
    await queries.user_profiles.lock_profile(connection, user_id=user_id)


async def read_profile(connection: Any, user_id: int) -> UserProfile:
    row = await queries.user_profiles.get_profile(connection, user_id=user_id)
    return UserProfile() if row is None else UserProfile(**row)


async def save_profile(connection: Any, user_id: int, profile: UserProfile) -> None:
    """Raises asyncpg.UniqueViolationError when somebody else took the username in this very moment."""
    key = None if profile.username is None else _key(profile.username)
    await queries.user_profiles.save_profile(connection, user_id=user_id, username_key=key, **vars(profile))
