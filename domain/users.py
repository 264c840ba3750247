"""People with an account, their passwords and the browsers they are signed in with."""

import asyncio
import re
import secrets
from base64 import b64encode
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from domain.errors import InvalidInputError
from domain.passwords import MAX_LENGTH, check_new_password
from infra import queries

EMAIL_MAX_LENGTH = 254

SESSION_DAYS = 30
SESSION_RENEW_DAYS = 15
"""A session with fewer days left than this is prolonged to SESSION_DAYS when it is used."""
SEEN_MINUTES = 5
"""How exactly a session knows when it was used last."""
KNOWN_BROWSER_DAYS = 180

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


@dataclass(frozen=True)
class Session:
    """Who a session belongs to, since when, and how many seconds are left of it."""

    id: int
    user: User
    seconds_left: float
    unseen_seconds: float
    age_seconds: float
    """Since the password or another site signed it in."""

    @property
    def wants_renewal(self) -> bool:
        return self.seconds_left < SESSION_RENEW_DAYS * 24 * 3600

    @property
    def wants_a_look(self) -> bool:
        """It was not noted for a while that it is in use."""
        return self.unseen_seconds > SEEN_MINUTES * 60


@dataclass(frozen=True)
class SessionLine:
    """One of the browsers somebody is signed in with."""

    id: int
    user_agent: str
    created_at: datetime
    seen_at: datetime


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


def _user(row: Any) -> User:
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
    return None if row is None else _user(row)


async def any_user_exists(connection: Any) -> bool:
    return bool(await queries.users.any_user_exists(connection))


async def get_user(connection: Any, user_id: int) -> User | None:
    row = await queries.users.get_user(connection, user_id=user_id)
    return None if row is None else _user(row)


@dataclass(frozen=True)
class TokenHolder:
    """Whom a signed token names; only tokens of `token_version` are good."""

    user: User
    token_version: int


async def get_token_holder(connection: Any, user_id: int) -> TokenHolder | None:
    row = await queries.users.get_token_holder(connection, user_id=user_id)
    return None if row is None else TokenHolder(_user(row), row["token_version"])


async def list_token_holders(connection: Any, user_ids: Iterable[int]) -> dict[int, tuple[int, bool]]:
    """Of these people, those who may still come in: the version of their tokens, and whether they are superusers."""
    rows = queries.users.list_token_holders(connection, user_ids=list(user_ids))
    return {row["id"]: (row["token_version"], row["is_superuser"]) async for row in rows}


async def find_user(connection: Any, email: str) -> User | None:
    row = await _find_user(connection, email)
    return None if row is None else _user(row)


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
    await queries.users.delete_other_sessions(connection, user_id=user_id, kept_id=keep_session_id or 0)
    await queries.confirmations.end_confirmations_of(connection, user_id=user_id)
    await queries.one_time_links.end_links_of(connection, user_id=user_id)


async def reset_password_hash(connection: Any, user_id: int, password_hash: str) -> None:
    """For who proved the account's address, not its password. Whoever got in before is out: accounts at other sites are
    unlinked, keys of the API revoked, and applications act for her no more."""
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
    return _user(row) if fits and row["is_active"] else None


@dataclass(frozen=True)
class SignIn:
    """Whose password it was; `awaits_code`: registered through the API and not confirmed yet."""

    holder: TokenHolder
    awaits_code: bool


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
    return SignIn(TokenHolder(_user(row), row["token_version"]), row["awaits_code"])


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
    if row is None:
        return None
    return Session(row["session_id"], _user(row), row["seconds_left"], row["unseen_seconds"], row["age_seconds"])


async def note_seen(connection: Any, session_id: int) -> None:
    await queries.users.note_seen(connection, session_id=session_id)


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


async def list_sessions(connection: Any, user_id: int) -> list[SessionLine]:
    """Those that have not ended, the one used last first."""
    return [SessionLine(**row) async for row in queries.users.list_sessions(connection, user_id=user_id)]


async def delete_session_of(connection: Any, user_id: int, session_id: int) -> bool:
    """Sign one of the user's browsers out. False: it was, or is another's."""
    tag = await queries.users.delete_session_of(connection, user_id=user_id, session_id=session_id)
    return bool(tag == "DELETE 1")


async def sign_out_elsewhere(connection: Any, user_id: int, kept_id: int) -> None:
    """Every browser but one, and all signed tokens: programs that signed in with the password sign in again."""
    await queries.users.end_tokens(connection, user_id=user_id)
    await queries.users.delete_other_sessions(connection, user_id=user_id, kept_id=kept_id)


async def renew_session(connection: Any, token_hash: bytes) -> None:
    await queries.users.renew_session(connection, token_hash=token_hash, days=SESSION_DAYS)


async def delete_session(connection: Any, token_hash: bytes) -> None:
    """Sign a browser out; nothing happens when it was."""
    await queries.users.delete_session(connection, token_hash=token_hash)


# Browsers that signed in before (docs/decisions/0023): what strangers try does not lock them out.


async def note_known_browser(connection: Any, user_id: int, token_hash: bytes) -> None:
    await queries.users.insert_known_browser(connection, user_id=user_id, token_hash=token_hash)


async def is_known_browser(connection: Any, email: str, token_hash: bytes) -> bool:
    """Whether this browser has signed in to the account of this address."""
    return bool(
        await queries.users.is_known_browser(
            connection, email=email.strip().lower(), token_hash=token_hash, days=KNOWN_BROWSER_DAYS
        )
    )
