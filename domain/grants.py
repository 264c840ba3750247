"""What a user allowed an application: a code, which is exchanged for tokens, which are refreshed (RFC 6749, 9700).

    code ──exchanged──▶ access token (an hour) + refresh token (90 days) ──▶ the next two ──▶ …
      └── used twice, a refresh token used twice, or the user says so ──▶ revoked, with all that came of it

The next refresh token is made of the former by a key of ours: who asks twice within a moment, because the answer got
lost or two of its threads asked, gets the same one twice, so a family never has two that are good.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from domain.access_tokens import check_scopes, hint_of, new_access_token, read_scopes
from domain.errors import NotFoundError
from domain.scopes import Scope
from domain.tokens import hash_token, new_token
from infra import queries

CODE_SECONDS = 60.0
ACCESS_SECONDS = 3600.0
REFRESH_DAYS = 90
GRACE_SECONDS = 30.0
"""For so long a refresh token that was used may be used again, if its successor was not."""
MAX_GRANTS = 20
"""Of one application for one user: her devices."""
REFRESH_PREFIX = "scr_"


class Digests(Protocol):
    """What makes keyed hashes: `infra.crypto.SecretBox`."""

    def digests(self, text: str, purpose: str) -> tuple[bytes, ...]: ...


@dataclass(frozen=True)
class Code:
    """What a code stands for; `is_good`: it may be exchanged now."""

    grant_id: int
    application_id: int
    user_id: int
    scopes: tuple[Scope, ...]
    challenge: str
    redirect_uri: str
    is_exchanged: bool
    is_good: bool


@dataclass(frozen=True)
class RefreshToken:
    id: int
    grant_id: int
    application_id: int
    user_id: int
    scopes: tuple[Scope, ...]
    is_good: bool
    seconds_since_use: float | None
    """None: it was not used."""


@dataclass(frozen=True)
class Tokens:
    """Shown now, and kept as hashes."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    scopes: tuple[Scope, ...]


@dataclass(frozen=True)
class Allowed:
    """An application that may act for a user, and what it was used for last."""

    id: int
    name: str
    site_url: str
    is_off: bool
    """The operator switched it off: nothing of it works until it is on again."""
    scopes: tuple[Scope, ...]
    since: datetime
    used_at: datetime | None


# The user says yes, or no more.


async def allow(
    connection: Any,
    application_id: int,
    user_id: int,
    streamer_id: int,
    *,
    scopes: Iterable[str],
    challenge: str,
    redirect_uri: str,
) -> str:
    """A code that is good for a minute, once, and only with the verifier of this S256 challenge.

    Raises InvalidInputError("scopes", …).
    """
    chosen = check_scopes(scopes)
    code = new_token()
    await queries.access_tokens.lock_user(connection, user_id=user_id)
    await queries.grants.insert_grant(
        connection,
        application_id=application_id,
        user_id=user_id,
        streamer_id=streamer_id,
        scopes=list(chosen),
        code_hash=hash_token(code),
        seconds=CODE_SECONDS,
        code_challenge=challenge,
        redirect_uri=redirect_uri,
    )
    await queries.grants.revoke_oldest(connection, application_id=application_id, user_id=user_id, most=MAX_GRANTS)
    await queries.users.insert_log(connection, user_id=user_id, by_user_id=user_id, action="application_allowed")
    return code


async def list_allowed(connection: Any, user_id: int) -> list[Allowed]:
    """What was allowed last comes first."""
    rows = queries.grants.list_allowed(connection, user_id=user_id)
    return [Allowed(**{**row, "scopes": read_scopes(row["scopes"])}) async for row in rows]


async def revoke_application(connection: Any, user_id: int, application_id: int, *, by_user_id: int) -> None:
    """It may act for her no more, on any device. Raises NotFoundError("application")."""
    result = await queries.grants.revoke_application(connection, user_id=user_id, application_id=application_id)
    if result == "UPDATE 0":
        raise NotFoundError("application")
    await queries.users.insert_log(connection, user_id=user_id, by_user_id=by_user_id, action="application_revoked")


async def revoke_all(connection: Any, user_id: int) -> None:
    """No application may act for her any more."""
    if await queries.grants.revoke_grants_of(connection, user_id=user_id) != "UPDATE 0":
        await queries.users.insert_log(connection, user_id=user_id, by_user_id=user_id, action="applications_revoked")


# The application asks for tokens. What is looked up here is checked by its caller and then used, in one transaction.


async def find_code(connection: Any, code: str) -> Code | None:
    row = await queries.grants.find_code(connection, code_hash=hash_token(code))
    if row is None:
        return None
    return Code(
        row["id"],
        row["application_id"],
        row["user_id"],
        read_scopes(row["scopes"]),
        row["code_challenge"],
        row["redirect_uri"],
        row["is_exchanged"],
        row["is_good"],
    )


async def exchange(connection: Any, code: Code) -> Tokens | None:
    """None: somebody exchanged it first, or its minute is over. A code used twice was stolen by one of the two: all
    that came of it is revoked."""
    if await queries.grants.exchange_code(connection, grant_id=code.grant_id) != "UPDATE 1":
        await revoke(connection, code.grant_id)
        return None
    return await _issue(connection, code.grant_id, REFRESH_PREFIX + new_token(), code.scopes)


async def find_refresh_token(connection: Any, token: str) -> RefreshToken | None:
    row = await queries.grants.find_refresh_token(connection, token_hash=hash_token(token))
    return None if row is None else RefreshToken(**{**row, "scopes": read_scopes(row["scopes"])})


async def refresh(
    connection: Any, box: Digests, found: RefreshToken, token: str, scopes: tuple[Scope, ...]
) -> Tokens | None:
    """The next two. `scopes`: what the access token may, all or some of what was allowed.

    None: it was used before, so it was stolen from one of the two who used it, and the family is revoked.
    """
    await queries.grants.lock_grant(connection, grant_id=found.grant_id)
    now = await find_refresh_token(connection, token)
    if now is None or not now.is_good:
        return None
    successors = [_successor(digest) for digest in box.digests(token, "refresh token")]
    if now.seconds_since_use is None:
        await queries.grants.use_refresh_token(connection, token_id=now.id)
        return await _issue(connection, now.grant_id, successors[0], scopes)
    if now.seconds_since_use <= GRACE_SECONDS:
        for successor in successors:
            if await queries.grants.is_unused(connection, grant_id=now.grant_id, token_hash=hash_token(successor)):
                return await _add_access(connection, now.grant_id, successor, scopes)
    await revoke(connection, now.grant_id)
    return None


def _successor(digest: bytes) -> str:
    return REFRESH_PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")


async def _issue(connection: Any, grant_id: int, refresh_token: str, scopes: tuple[Scope, ...]) -> Tokens:
    await queries.grants.insert_refresh_token(
        connection, grant_id=grant_id, token_hash=hash_token(refresh_token), days=REFRESH_DAYS
    )
    return await _add_access(connection, grant_id, refresh_token, scopes)


async def _add_access(connection: Any, grant_id: int, refresh_token: str, scopes: tuple[Scope, ...]) -> Tokens:
    access = new_access_token()
    await queries.access_tokens.insert_access_token(
        connection,
        grant_id=grant_id,
        token_hash=hash_token(access),
        hint=hint_of(access),
        scopes=list(scopes),
        seconds=ACCESS_SECONDS,
    )
    return Tokens(access, refresh_token, scopes)


async def revoke(connection: Any, grant_id: int) -> None:
    """All that came of one consent."""
    await queries.grants.revoke_grant(connection, grant_id=grant_id)


async def revoke_token(connection: Any, application_id: int, token: str) -> None:
    """As its application asks (RFC 7009): an access token alone, a refresh token with its family. Another's, or none
    that ever was, is no error: it is not good either way."""
    row = await queries.grants.find_token_of_application(
        connection, application_id=application_id, token_hash=hash_token(token)
    )
    if row is None:
        return
    if row["access_token_id"] is None:
        await revoke(connection, row["grant_id"])
    else:
        await queries.grants.revoke_access_token(connection, token_id=row["access_token_id"])
