"""Bearers of the API: `sc_` and 256 random bits, stored hashed and shown once.

Two kinds share one table: keys that a user makes for herself, and what applications are given (`domain/grants.py`).
Both do what their scopes say, for their user's own page.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.scopes import Scope
from domain.text import clean_given_name
from domain.tokens import hash_token, new_token
from domain.users import User, user_of
from infra import queries

PREFIX = "sc_"
HINT_LENGTH = 4
MAX_KEYS = 50
"""Of one user, good at the same time."""
KEY_DAYS = (30, 90, 365, None)
"""How long a key may last; None: until it is revoked."""
USED_MINUTES = 5
"""How exactly a token knows when it was used last."""


@dataclass(frozen=True)
class Access:
    """Who acts by a token, and what it may do."""

    token_id: int
    user: User
    streamer_id: int
    """Whose page it is for, always the user's own."""
    scopes: frozenset[Scope]
    application_id: int | None
    grant_id: int | None
    """What an application was allowed, by which it gets a new token every hour; None: a key."""
    name: str
    """The key's, or the application's."""

    @property
    def program_id(self) -> int:
        """Who calls, whichever of its tokens it calls with: a key's id, or less than 0 for an application's grant. What
        is counted or known by its caller goes by this."""
        return self.token_id if self.grant_id is None else -self.grant_id


@dataclass(frozen=True)
class Key:
    id: int
    name: str
    hint: str
    """Its last characters, to be told from others."""
    scopes: tuple[Scope, ...]
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None
    is_expired: bool


@dataclass(frozen=True)
class NewKey:
    id: int
    name: str
    token: str
    """To be shown now: only its hash is kept."""


# Rules.


def read_scopes(names: Iterable[str]) -> tuple[Scope, ...]:
    """Those of the names that there are, in the order of `Scope`: a later version may have stored others."""
    given = set(names)
    return tuple(scope for scope in Scope if scope in given)


def check_scopes(names: Iterable[str]) -> tuple[Scope, ...]:
    """Raises InvalidInputError("scopes", "required" | "unknown")."""
    given = set(names)
    scopes = read_scopes(given)
    if len(scopes) != len(given):
        raise InvalidInputError("scopes", "unknown")
    if not scopes:
        raise InvalidInputError("scopes", "required")
    return scopes


def new_access_token() -> str:
    return PREFIX + new_token()


def hint_of(token: str) -> str:
    return token[-HINT_LENGTH:]


# Whoever shows one.


async def get_expiry(connection: Any, token_id: int) -> datetime | None:
    """When a token ends by itself; None: it does not."""
    expires_at: datetime | None = await queries.access_tokens.get_expiry(connection, token_id=token_id)
    return expires_at


async def find_access(connection: Any, token_hash: bytes) -> Access | None:
    """Who acts by this token; None when it is not good, whatever the reason. Notes its use now and then."""
    row = await queries.access_tokens.find_access(connection, token_hash=token_hash, minutes=USED_MINUTES)
    if row is None:
        return None
    if row["wants_a_look"]:
        await queries.access_tokens.note_used(connection, token_id=row["token_id"])
    return Access(
        row["token_id"],
        user_of(row),
        row["streamer_id"],
        frozenset(read_scopes(row["scopes"])),
        row["application_id"],
        row["grant_id"],
        row["name"],
    )


async def list_good_tokens(connection: Any, token_ids: Iterable[int]) -> set[int]:
    """Of these tokens, those that are good now: who stays connected with one is looked after by this."""
    rows = queries.access_tokens.list_good_tokens(connection, token_ids=list(token_ids))
    return {row["id"] async for row in rows}


# A user's own keys.


async def create_key(
    connection: Any, user_id: int, streamer_id: int, *, name: str, scopes: Iterable[str], days: int | None
) -> NewKey:
    """A key for her own page.

    Raises InvalidInputError("name" | "scopes" | "days", …), NotAllowedError("too_many").
    """
    name, chosen = clean_given_name(name), check_scopes(scopes)
    if days not in KEY_DAYS:
        raise InvalidInputError("days", "unknown")
    await queries.access_tokens.lock_user(connection, user_id=user_id)
    if await queries.access_tokens.count_keys(connection, user_id=user_id) >= MAX_KEYS:
        raise NotAllowedError("too_many", limit=MAX_KEYS)
    token = new_access_token()
    key_id: int = await queries.access_tokens.insert_key(
        connection,
        user_id=user_id,
        streamer_id=streamer_id,
        name=name,
        token_hash=hash_token(token),
        hint=hint_of(token),
        scopes=list(chosen),
        days=days,
    )
    await queries.users.insert_log(connection, user_id=user_id, by_user_id=user_id, action="key_made")
    return NewKey(key_id, name, token)


async def list_keys(connection: Any, user_id: int) -> list[Key]:
    """Those that were not revoked, the newest first."""
    rows = queries.access_tokens.list_keys(connection, user_id=user_id)
    return [
        Key(**{**row, "scopes": read_scopes(row["scopes"]), "is_expired": bool(row["is_expired"])})
        async for row in rows
    ]


async def revoke_key(connection: Any, user_id: int, key_id: int, *, by_user_id: int) -> str:
    """It opens nothing any more. Returns its name. Raises NotFoundError("key")."""
    row = await queries.access_tokens.revoke_key(connection, user_id=user_id, token_id=key_id)
    if row is None:
        raise NotFoundError("key")
    await queries.users.insert_log(connection, user_id=user_id, by_user_id=by_user_id, action="key_revoked")
    return str(row["name"])


async def revoke_keys(connection: Any, user_id: int) -> None:
    """All of her own."""
    if await queries.access_tokens.revoke_keys(connection, user_id=user_id) != "UPDATE 0":
        await queries.users.insert_log(connection, user_id=user_id, by_user_id=user_id, action="keys_revoked")
