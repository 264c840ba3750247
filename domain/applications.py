"""Programs of others that ask streamers for access (OAuth 2.0): registered by a user of the site, proved by nobody.

A confidential one runs on its maker's server and keeps a secret. A public one is in people's own hands, where nothing
is secret; for both the code is bound to its receiver by PKCE (RFC 7636).
"""

import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from domain.access_tokens import hint_of
from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.links import clean_link
from domain.text import clean_given_name
from domain.tokens import hash_token, new_token
from infra import queries

MAX_APPLICATIONS = 20
"""Of one user."""
MAX_REDIRECT_URIS = 10
REDIRECT_URI_MAX_LENGTH = 500
SECRET_PREFIX = "scs_"  # noqa: S105

# RFC 3986, without what a browser would read in another way than we do.
_URI = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+\-]*(?:\.[a-z0-9+\-]+)+:/")
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::(\d{1,5}))?((?:[/?].*)?)")


@dataclass(frozen=True)
class Fields:
    """What its maker says of it."""

    name: str
    site_url: str
    redirect_uris: tuple[str, ...]


@dataclass(frozen=True)
class OwnApplication:
    """As its maker sees it. `users`: how many people it may act for at this moment."""

    id: int
    client_id: str
    name: str
    site_url: str
    redirect_uris: tuple[str, ...]
    secret_hint: str | None
    secret_made_at: datetime | None
    created_at: datetime
    switched_off_at: datetime | None
    users: int

    @property
    def is_public(self) -> bool:
        return self.secret_hint is None


@dataclass(frozen=True)
class Application:
    """One that is switched on, as a request names it by its client id."""

    id: int
    client_id: str
    name: str
    site_url: str
    redirect_uris: tuple[str, ...]
    secret_hash: bytes | None = field(repr=False)
    created_at: datetime
    owner_name: str
    """The maker's page here, "" without one."""
    owner_slug: str

    @property
    def is_public(self) -> bool:
        return self.secret_hash is None

    def has_secret(self, secret: str) -> bool:
        if self.secret_hash is None:
            return False
        return hmac.compare_digest(self.secret_hash, hash_token(secret))

    def takes_answers_at(self, uri: str) -> bool:
        """Letter by letter one of those registered; of a program on the person's own machine, whatever its port."""
        return any(_is_same_place(uri, registered) for registered in self.redirect_uris)


@dataclass(frozen=True)
class ListedApplication:
    """As the operator sees it."""

    id: int
    client_id: str
    name: str
    site_url: str
    redirect_uris: tuple[str, ...]
    created_at: datetime
    switched_off_at: datetime | None
    owner_email: str
    owner_slug: str
    users: int


@dataclass(frozen=True)
class Made:
    """`secret` is shown now and never again; None for a public one."""

    id: int
    client_id: str
    secret: str | None


# Rules.


def _is_same_place(uri: str, registered: str) -> bool:
    if uri == registered:
        return True
    # RFC 8252, 7.3: a program asks its system for a free port each time.
    one, other = _LOOPBACK.fullmatch(uri), _LOOPBACK.fullmatch(registered)
    return one is not None and other is not None and one[1] == other[1] and one[3] == other[3]


def check_redirect_uri(uri: str) -> str:
    """Where an application takes answers: https, a program's own machine by http, or a scheme of its own with a dot.

    Raises InvalidInputError("redirect_uris", "malformed" | "not_https" | "too_long", uri=…).
    """
    if len(uri) > REDIRECT_URI_MAX_LENGTH:
        raise InvalidInputError("redirect_uris", "too_long", uri=uri, limit=REDIRECT_URI_MAX_LENGTH)
    try:
        split = urlsplit(uri)
        has_host = bool(split.hostname)
        has_more = split.username is not None or split.password is not None or (split.port or 1) < 1
    except ValueError as error:
        raise InvalidInputError("redirect_uris", "malformed", uri=uri) from error
    if not _URI.fullmatch(uri) or has_more:
        raise InvalidInputError("redirect_uris", "malformed", uri=uri)
    if uri.startswith("https://"):
        if not has_host:
            raise InvalidInputError("redirect_uris", "malformed", uri=uri)
        return uri
    if _LOOPBACK.fullmatch(uri) or _PRIVATE_SCHEME.match(uri):
        return uri
    raise InvalidInputError("redirect_uris", "not_https", uri=uri)


def check_fields(name: str, site_url: str, redirect_uris: Iterable[str]) -> Fields:
    """Raises InvalidInputError: "name", "site_url" or "redirect_uris"."""
    name = clean_given_name(name)
    try:
        site_url = clean_link(site_url)
    except InvalidInputError as error:
        raise InvalidInputError("site_url", error.code, **error.data) from error
    uris = tuple(dict.fromkeys(check_redirect_uri(uri) for uri in redirect_uris))
    if not uris:
        raise InvalidInputError("redirect_uris", "required")
    if len(uris) > MAX_REDIRECT_URIS:
        raise InvalidInputError("redirect_uris", "too_many", limit=MAX_REDIRECT_URIS)
    return Fields(name, site_url, uris)


def _new_secret() -> str:
    return SECRET_PREFIX + new_token()


# What its maker does.


async def create_application(connection: Any, owner_id: int, fields: Fields, *, is_public: bool) -> Made:
    """`fields` are checked. Raises NotAllowedError("too_many")."""
    await queries.access_tokens.lock_user(connection, user_id=owner_id)
    if await queries.applications.count_applications(connection, owner_id=owner_id) >= MAX_APPLICATIONS:
        raise NotAllowedError("too_many", limit=MAX_APPLICATIONS)
    secret = None if is_public else _new_secret()
    client_id = f"app_{secrets.token_urlsafe(16)}"
    row = await queries.applications.insert_application(
        connection,
        owner_id=owner_id,
        client_id=client_id,
        name=fields.name,
        site_url=fields.site_url,
        redirect_uris=list(fields.redirect_uris),
        secret_hash=None if secret is None else hash_token(secret),
        secret_hint=None if secret is None else hint_of(secret),
    )
    await queries.users.insert_log(connection, user_id=owner_id, by_user_id=owner_id, action="application_made")
    return Made(row["id"], client_id, secret)


async def list_applications(connection: Any, owner_id: int) -> list[OwnApplication]:
    """The newest first."""
    rows = queries.applications.list_applications(connection, owner_id=owner_id)
    return [OwnApplication(**{**row, "redirect_uris": tuple(row["redirect_uris"])}) async for row in rows]


async def change_application(connection: Any, owner_id: int, application_id: int, fields: Fields) -> None:
    """`fields` are checked. Raises NotFoundError("application")."""
    _expect_one(
        await queries.applications.update_application(
            connection,
            owner_id=owner_id,
            application_id=application_id,
            name=fields.name,
            site_url=fields.site_url,
            redirect_uris=list(fields.redirect_uris),
        )
    )


async def replace_secret(connection: Any, owner_id: int, application_id: int) -> str:
    """Another secret; the former proves nothing any more. Raises NotFoundError("application"), also of a public one."""
    secret = _new_secret()
    _expect_one(
        await queries.applications.replace_secret(
            connection,
            owner_id=owner_id,
            application_id=application_id,
            secret_hash=hash_token(secret),
            secret_hint=hint_of(secret),
        )
    )
    await queries.users.insert_log(connection, user_id=owner_id, by_user_id=owner_id, action="application_secret")
    return secret


async def delete_application(connection: Any, owner_id: int, application_id: int) -> None:
    """With all it was given. Raises NotFoundError("application")."""
    _expect_one(
        await queries.applications.delete_application(connection, owner_id=owner_id, application_id=application_id)
    )
    await queries.users.insert_log(connection, user_id=owner_id, by_user_id=owner_id, action="application_deleted")


def _expect_one(result: str) -> None:
    if result not in ("UPDATE 1", "DELETE 1"):
        raise NotFoundError("application")


# What the operator does.


async def list_all(connection: Any, *, before_id: int = 0, limit: int) -> list[ListedApplication]:
    """The newest first."""
    rows = queries.applications.list_all_applications(connection, before_id=before_id, limit=limit)
    return [ListedApplication(**{**row, "redirect_uris": tuple(row["redirect_uris"])}) async for row in rows]


async def switch(connection: Any, application_id: int, *, is_off: bool, by_user_id: int) -> bool:
    """Off: it asks nobody, and nothing it was given works until it is on again. False: it is so already.

    Raises NotFoundError("application").
    """
    if not await queries.applications.application_exists(connection, application_id=application_id):
        raise NotFoundError("application")
    row = await queries.applications.switch_application(connection, application_id=application_id, is_off=is_off)
    if row is None:
        return False
    action = "application_off" if is_off else "application_on"
    await queries.users.insert_log(connection, user_id=row["owner_id"], by_user_id=by_user_id, action=action)
    return True


# What a request names.


async def find_application(connection: Any, client_id: str) -> Application | None:
    """None: there is none, it is switched off, or its maker is blocked."""
    row = await queries.applications.find_application(connection, client_id=client_id)
    return None if row is None else Application(**{**row, "redirect_uris": tuple(row["redirect_uris"])})
