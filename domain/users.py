"""People with an account, and their passwords."""

import asyncio
import re
import secrets
from base64 import b64encode
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from domain.errors import InvalidInputError
from domain.passwords import MAX_LENGTH, check_new_password
from infra import queries

EMAIL_MAX_LENGTH = 254

_EMAIL = re.compile(r"[^\s@<>\"(),:;\\]+@[^\s@.]+(?:\.[^\s@.]+)*")

_hasher = PasswordHasher()
# argon2 takes tens of milliseconds and 64 MiB each: two at once are enough, and no event loop waits for them.
_hashing = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


@dataclass(frozen=True)
class User:
    id: int
    email: str
    is_superuser: bool
    is_active: bool
    locale: str = "ru"
    delete_at: datetime | None = None
    """Its owner wants it gone then, and may think again until then."""


# Rules.


def clean_email(text: str) -> str:
    """The address as we keep it, in lower case. Raises InvalidInputError("email", …)."""
    email = text.strip().lower()
    if not email:
        raise InvalidInputError("email", "required")
    if len(email) > EMAIL_MAX_LENGTH or not email.isprintable() or not _EMAIL.fullmatch(email):
        raise InvalidInputError("email", "not_an_email")
    return email


# Passwords.


async def hash_password(password: str) -> str:
    """argon2id, in a thread."""
    return await asyncio.get_running_loop().run_in_executor(_hashing, _hasher.hash, password)


async def hash_unless_known(password: str, known: str | None) -> str:
    """A hash of the password: the known one if it is of this password, else another."""
    return known if known and await _matches(known, password) else await hash_password(password)


def _hash_of_no_password() -> str:
    """What an unknown e-mail is checked against, so that it takes as long as a known one. Written down instead of
    hashed: every program would else hash at its start, most of them for nothing."""

    def noise(length: int) -> str:
        return b64encode(secrets.token_bytes(length)).decode().rstrip("=")

    costs = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${costs}${noise(_hasher.salt_len)}${noise(_hasher.hash_len)}"


async def _matches(password_hash: str, password: str) -> bool:
    def verify() -> bool:
        try:
            return _hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    return await asyncio.get_running_loop().run_in_executor(_hashing, verify)


# Users.


def user_of(row: Any) -> User:
    """Of a row with the columns of the same names."""
    return User(row["id"], row["email"], row["is_superuser"], row["is_active"], row["locale"], row["delete_at"])


async def create_user(connection: Any, email: str, password: str, *, is_superuser: bool = False) -> User:
    """A new account. Raises InvalidInputError: `email` taken or malformed, `password` not good (domain/passwords)."""
    email = clean_email(email)
    check_new_password(password, email)
    user = await add_user(connection, email, await hash_password(password), is_superuser=is_superuser)
    if user is None:
        raise InvalidInputError("email", "taken")
    return user


async def add_user(
    connection: Any,
    email: str,
    password_hash: str,
    *,
    is_superuser: bool = False,
    locale: str = "ru",
    consent_version: str | None = None,
    is_confirmed: bool = False,
) -> User | None:
    """A new account of what was checked before; None when the e-mail is taken."""
    await queries.users.delete_awaiting_of(connection, email=email)
    row = await queries.users.insert_user(
        connection,
        email=email,
        password_hash=password_hash,
        is_superuser=is_superuser,
        locale=locale,
        consent_version=consent_version,
        is_confirmed=is_confirmed,
    )
    return None if row is None else user_of(row)


async def any_user_exists(connection: Any) -> bool:
    return bool(await queries.users.any_user_exists(connection))


async def get_user(connection: Any, user_id: int) -> User | None:
    row = await queries.users.get_user(connection, user_id=user_id)
    return None if row is None else user_of(row)


@dataclass(frozen=True)
class TokenHolder:
    """Whom a signed token names; only tokens of `token_version` are good."""

    user: User
    token_version: int


async def get_token_holder(connection: Any, user_id: int) -> TokenHolder | None:
    row = await queries.users.get_token_holder(connection, user_id=user_id)
    return None if row is None else TokenHolder(user_of(row), row["token_version"])


async def list_token_holders(connection: Any, user_ids: Iterable[int]) -> dict[int, tuple[int, bool]]:
    """Of these people, those who may still come in: the version of their tokens, and whether they are superusers."""
    rows = queries.users.list_token_holders(connection, user_ids=list(user_ids))
    return {row["id"]: (row["token_version"], row["is_superuser"]) async for row in rows}


async def find_user(connection: Any, email: str) -> User | None:
    row = await _find_user(connection, email)
    return None if row is None else user_of(row)


async def _find_user(connection: Any, email: str) -> Any:
    try:
        email = clean_email(email)
    except InvalidInputError:
        return None
    return await queries.users.find_user(connection, email=email)


async def set_password(connection: Any, user_id: int, password: str, *, keep_session_id: int | None = None) -> None:
    """A new password; every browser is signed out, but one that may be kept. Raises InvalidInputError."""
    check_new_password(password)
    await set_password_hash(connection, user_id, await hash_password(password), keep_session_id=keep_session_id)


async def set_password_hash(
    connection: Any, user_id: int, password_hash: str, *, keep_session_id: int | None = None
) -> None:
    """The same, with what `hash_password` made. Signed tokens, codes and links for another new password end with it."""
    await queries.users.change_password(connection, user_id=user_id, password_hash=password_hash)
    await queries.sessions.delete_other_sessions(connection, user_id=user_id, kept_id=keep_session_id or 0)
    await queries.confirmations.end_confirmations_of(connection, user_id=user_id)
    await queries.one_time_links.end_links_of(connection, user_id=user_id)


async def reset_password_hash(connection: Any, user_id: int, password_hash: str) -> None:
    """For who proved the account's address, not its password. Whoever got in before is out: accounts at other sites are
    unlinked, keys of the API revoked, and applications act for her no more. What is no way into the account stays, so
    that a password forgotten during a stream does not end it: the overlay's address, webhooks, moderators; the letter
    names them (docs/decisions/0048)."""
    await set_password_hash(connection, user_id, password_hash)
    await queries.identities.delete_identities_of(connection, user_id=user_id)
    await queries.access_tokens.revoke_keys(connection, user_id=user_id)
    await queries.grants.revoke_grants_of(connection, user_id=user_id)


async def set_email(connection: Any, user_id: int, email: str, *, is_confirmed: bool) -> bool:
    """False: the address is somebody's. What was asked for under the old address ends."""
    await queries.letters.take_letters_to(connection, user_id=user_id)
    await queries.users.delete_awaiting_of(connection, email=email)
    if await queries.users.set_email(connection, user_id=user_id, email=email, is_confirmed=is_confirmed) != "UPDATE 1":
        return False
    await queries.confirmations.end_confirmations_of(connection, user_id=user_id)
    await queries.one_time_links.end_links_of(connection, user_id=user_id)
    return True


async def has_password(connection: Any, user_id: int) -> bool:
    """False: she signs in with another site's account only."""
    return bool(await queries.users.has_password(connection, user_id=user_id))


async def make_superuser(connection: Any, user_id: int) -> None:
    await queries.users.make_superuser(connection, user_id=user_id)


async def verify_password(connection: Any, email: str, password: str) -> User | None:
    """The active user whose password this is; None otherwise, after the same work whatever was wrong."""
    row = await _find_user(connection, email)
    fits = await _is_password_of(connection, row, password)
    return user_of(row) if fits and row["is_active"] else None


@dataclass(frozen=True)
class SignIn:
    """Whose password it was; `awaits_code`: registered through the API and not confirmed yet."""

    holder: TokenHolder
    awaits_code: bool
    password_hash: str = field(repr=False)


async def try_sign_in(connection: Any, email: str, password: str) -> SignIn | None:
    """Whose password this is, also of who may not sign in (now); None after the same work whatever was wrong.

    The version is the one that this very password had.
    """
    try:
        row = await queries.users.find_sign_in(connection, email=clean_email(email))
    except InvalidInputError:
        row = None
    if not await _is_password_of(connection, row, password):
        return None
    return SignIn(TokenHolder(user_of(row), row["token_version"]), row["awaits_code"], row["password_hash"])


async def _is_password_of(connection: Any, row: Any, password: str) -> bool:
    # An account without a password takes the same work, too.
    password_hash = "" if row is None else row["password_hash"]
    matches = await _matches(password_hash or _hash_of_no_password(), password[: MAX_LENGTH + 1])
    if not matches or not password_hash:
        return False
    if _hasher.check_needs_rehash(password_hash):
        await queries.users.set_password_hash(
            connection, user_id=row["id"], password_hash=await hash_password(password)
        )
    return True


@dataclass(frozen=True)
class Consent:
    version: str
    at: datetime


async def get_consent(connection: Any, user_id: int) -> Consent | None:
    """None: an operator made the account."""
    row = await queries.users.get_consent(connection, user_id=user_id)
    return None if row is None or row["at"] is None else Consent(row["version"], row["at"])


async def is_email_confirmed(connection: Any, user_id: int) -> bool:
    """Whether a letter to the address was answered with its code."""
    confirmed: bool = await queries.users.is_email_confirmed(connection, user_id=user_id)
    return confirmed


async def sign_out_elsewhere(connection: Any, user_id: int, kept_id: int) -> None:
    """Every browser but one, and all signed tokens: programs that signed in with the password sign in again."""
    await queries.users.end_tokens(connection, user_id=user_id)
    await queries.sessions.delete_other_sessions(connection, user_id=user_id, kept_id=kept_id)
