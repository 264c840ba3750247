"""People with an account, their passwords and the browsers they are signed in with."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.errors import InvalidInputError
from infra import queries

PASSWORD_MIN_LENGTH = 8
PASSWORD_MAX_LENGTH = 256
EMAIL_MAX_LENGTH = 254

SESSION_DAYS = 30
SESSION_RENEW_DAYS = 15
"""A session with fewer days left than this is prolonged to SESSION_DAYS when it is used."""

_EMAIL = re.compile(r"[^\s@<>\"(),:;\\]+@[^\s@.]+(?:\.[^\s@.]+)*")

_hasher = PasswordHasher()
# argon2 takes tens of milliseconds and 64 MiB each: two at once are enough, and no event loop waits for them.
_hashing = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
# Of no password: what an unknown e-mail is checked against, so that it takes as long as a known one.
_UNKNOWN_HASH = _hasher.hash("no account has this password")


@dataclass(frozen=True)
class User:
    id: int
    email: str
    is_superuser: bool
    is_active: bool


@dataclass(frozen=True)
class Session:
    """Who a session belongs to, and how many seconds are left of it."""

    user: User
    seconds_left: float

    @property
    def wants_renewal(self) -> bool:
        return self.seconds_left < SESSION_RENEW_DAYS * 24 * 3600


# Rules.


def clean_email(text: str) -> str:
    """The address as we keep it, in lower case. Raises InvalidInputError("email", …)."""
    email = text.strip().lower()
    if not email:
        raise InvalidInputError("email", "required")
    if len(email) > EMAIL_MAX_LENGTH or not email.isprintable() or not _EMAIL.fullmatch(email):
        raise InvalidInputError("email", "not_an_email")
    return email


def check_new_password(password: str) -> None:
    """Raises InvalidInputError("password", …) for one that is too short or too long."""
    if len(password) < PASSWORD_MIN_LENGTH:
        raise InvalidInputError("password", "too_short", limit=PASSWORD_MIN_LENGTH)
    if len(password) > PASSWORD_MAX_LENGTH:
        raise InvalidInputError("password", "too_long", limit=PASSWORD_MAX_LENGTH)


# Passwords.


async def hash_password(password: str) -> str:
    """argon2id, in a thread."""
    return await asyncio.get_running_loop().run_in_executor(_hashing, _hasher.hash, password)


async def _matches(password_hash: str, password: str) -> bool:
    def verify() -> bool:
        try:
            return _hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    return await asyncio.get_running_loop().run_in_executor(_hashing, verify)


# Users.


def _user(row: Any) -> User:
    return User(row["id"], row["email"], row["is_superuser"], row["is_active"])


async def create_user(connection: Any, email: str, password: str, *, is_superuser: bool = False) -> User:
    """A new account. Raises InvalidInputError: `email` taken or malformed, `password` too short or too long."""
    email = clean_email(email)
    check_new_password(password)
    row = await queries.users.insert_user(
        connection, email=email, password_hash=await hash_password(password), is_superuser=is_superuser
    )
    if row is None:
        raise InvalidInputError("email", "taken")
    return _user(row)


async def find_user(connection: Any, email: str) -> User | None:
    row = await _find_user(connection, email)
    return None if row is None else _user(row)


async def _find_user(connection: Any, email: str) -> Any:
    try:
        email = clean_email(email)
    except InvalidInputError:
        return None
    return await queries.users.find_user(connection, email=email)


async def set_password(connection: Any, user_id: int, password: str) -> None:
    """A new password; every browser is signed out. Raises InvalidInputError("password", …)."""
    check_new_password(password)
    await queries.users.set_password_hash(connection, user_id=user_id, password_hash=await hash_password(password))
    await queries.users.delete_sessions_of(connection, user_id=user_id)


async def make_superuser(connection: Any, user_id: int) -> None:
    await queries.users.make_superuser(connection, user_id=user_id)


async def verify_password(connection: Any, email: str, password: str) -> User | None:
    """The active user whose password this is; None otherwise, after the same work whatever was wrong."""
    row = await _find_user(connection, email)
    password_hash = _UNKNOWN_HASH if row is None else row["password_hash"]
    matches = await _matches(password_hash, password[: PASSWORD_MAX_LENGTH + 1])
    if row is None or not matches or not row["is_active"]:
        return None
    if _hasher.check_needs_rehash(password_hash):
        await queries.users.set_password_hash(
            connection, user_id=row["id"], password_hash=await hash_password(password)
        )
    return _user(row)


# Sessions. The caller keeps the token in a cookie; here is only its hash.


async def create_session(connection: Any, user_id: int, token_hash: bytes, user_agent: str) -> None:
    """Sign a browser in for SESSION_DAYS. Sessions that ended are swept on the way."""
    await queries.users.delete_ended_sessions(connection)
    await queries.users.insert_session(
        connection, token_hash=token_hash, user_id=user_id, days=SESSION_DAYS, user_agent=user_agent[:300]
    )


async def find_session(connection: Any, token_hash: bytes) -> Session | None:
    """Whose session this is, if it has not ended and its user is active."""
    row = await queries.users.find_session(connection, token_hash=token_hash)
    return None if row is None else Session(_user(row), row["seconds_left"])


async def renew_session(connection: Any, token_hash: bytes) -> None:
    await queries.users.renew_session(connection, token_hash=token_hash, days=SESSION_DAYS)


async def delete_session(connection: Any, token_hash: bytes) -> None:
    """Sign a browser out; nothing happens when it was."""
    await queries.users.delete_session(connection, token_hash=token_hash)
