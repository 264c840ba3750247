"""Who may call an operation of the API, stated at each: a view that says nothing does not start.

@needs(Scope.DONATIONS_READ)   a person's own sign-in, or a key with the scope
@known                         a person's own sign-in, or any key
@needs_person                  a person's own sign-in only
@superuser                     an operator's
@public                        everybody
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from quart import Quart, current_app, g, request
from werkzeug.exceptions import TooManyRequests

from domain.access_tokens import PREFIX, find_access
from domain.scopes import Scope
from domain.streamers import Streamer, find_by_owner
from domain.tokens import hash_token
from domain.users import User, get_token_holder
from infra.addresses import address_key
from infra.jwt import read_jwt
from web.api.blueprints import is_api, is_old
from web.api.errors import Refused
from web.context import parts
from web.limits import Count, Limit, retry_after
from web.security import client_address

View = TypeVar("View", bound=Callable[..., Any])

_ACCESS = "_streamcash_access"


@dataclass(frozen=True)
class Access:
    """What an operation asks of its caller."""

    is_public: bool = False
    scope: Scope | None = None
    """What a key must have; None: no key will do, unless `is_any`."""
    is_any: bool = False
    is_superuser: bool = False


def public(view: View) -> View:
    """Everybody may. A caller who names himself is still known to `caller_if_any()`."""
    return _mark(view, Access(is_public=True))


def needs(scope: Scope) -> Callable[[View], View]:
    """A person's own sign-in, or a key that has this scope."""
    return lambda view: _mark(view, Access(scope=scope))


def known(view: View) -> View:
    """A person's own sign-in, or any key, whatever it may do."""
    return _mark(view, Access(is_any=True))


def needs_person(view: View) -> View:
    """A person's own sign-in; no key will do."""
    return _mark(view, Access())


def superuser(view: View) -> View:
    """An operator's own sign-in."""
    return _mark(view, Access(is_superuser=True))


def _mark(view: View, access: Access) -> View:
    setattr(view, _ACCESS, access)
    return view


def access_of(view: Any) -> Access:
    """Raises LookupError for a view that does not say who may call it."""
    access = getattr(view, _ACCESS, None)
    if not isinstance(access, Access):
        raise LookupError(f"{view} does not say who may call it (web/api/access.py)")
    return access


@dataclass(frozen=True)
class Caller:
    """Who calls: a person by a signed token, or a key on her behalf."""

    user: User
    scopes: frozenset[Scope] | None = None
    """None: the person herself, who may do all she may."""
    key_id: int | None = None
    program_id: int | None = None
    """Whose names and limits they are, as `Access.program_id`; None: the person's own."""
    streamer_id: int | None = None
    """Whose page a key is for, always the user's own; None: she had none when it was made."""
    key_name: str = ""
    """A key's own name, or its application's."""
    sign_in_age_seconds: float | None = None
    """How long ago the person gave the password; None for a key."""

    def may(self, scope: Scope) -> bool:
        return self.scopes is None or scope in self.scopes


def caller() -> Caller:
    """Who calls this operation, which is not public."""
    found = caller_if_any()
    assert found is not None
    return found


def caller_if_any() -> Caller | None:
    found: Caller | None = g.get("api_caller")
    return found


def person_id_if_any() -> int | None:
    """Of a person who calls herself. None: nobody says who he is, or a key calls on her behalf."""
    found = caller_if_any()
    return None if found is None or found.scopes is not None else found.user.id


async def callers_streamer() -> Streamer:
    """The caller's own page, which a key's is too. Raises Refused(404) when there is none."""
    async with parts().pool.acquire() as connection:
        streamer = await find_by_owner(connection, caller().user.id)
    if streamer is None:
        raise Refused(404, "Streamer profile not found: make one with POST /api/v1/streamers/ or on the site")
    return streamer


# For each request.


def setup_access(app: Quart) -> None:
    """After all blueprints: raises LookupError if an operation of the API does not say who may call it."""
    for rule in app.url_map.iter_rules():
        if is_api(rule.endpoint):
            access_of(app.view_functions[rule.endpoint])
    app.before_request(_let_in)


async def _let_in() -> None:
    if not is_api(request.endpoint) or request.method == "OPTIONS":
        return
    assert request.endpoint is not None
    access = access_of(current_app.view_functions[request.endpoint])
    await _count_address()
    g.api_caller = await _identify(is_needed=not access.is_public)
    found = caller_if_any()
    if found is not None:
        await _count_caller(found)
    if access.is_public:
        return
    assert found is not None
    if found.scopes is not None and not access.is_any and access.scope not in found.scopes:
        wanted = access.scope or "a person's own sign-in"
        raise Refused(
            403,
            f"This key may not do that: it needs {wanted}",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{access.scope or ""}"'},
            code="scope",
        )
    if access.is_superuser and not found.user.is_superuser:
        raise Refused(400 if is_old(request.endpoint) else 403, "The user doesn't have enough privileges")


async def _count_address() -> None:
    """Before anything is looked up: guessing tokens costs us a counter, not a query."""
    await _take("api-address", 2 * parts().settings.api_calls_per_minute, address_key(client_address()))


async def _count_caller(found: Caller) -> None:
    """A person, a key, or an application's grant."""
    key = f"user-{found.user.id}" if found.program_id is None else f"key-{found.program_id}"
    await _take("api", parts().settings.api_calls_per_minute, key)


async def _take(name: str, count: int, key: str) -> None:
    limit = Limit(name, count, 60)
    try:
        g.api_count = await parts().limiter.take(limit, key)
    except TooManyRequests as refused:
        g.api_count = Count(limit, 0, int(retry_after(refused)["Retry-After"]))
        raise


async def _identify(*, is_needed: bool) -> Caller | None:
    """Who the `Authorization` header says; None where nobody need be. Raises Refused."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        if is_needed:
            raise _unknown("Not authenticated")
        return None
    found = await (_find_key(token) if token.startswith(PREFIX) else _find_person(token))
    if found is None and is_needed:
        raise _unknown("Could not validate credentials")
    return found


async def _find_key(token: str) -> Caller | None:
    async with parts().pool.acquire() as connection:
        access = await find_access(connection, hash_token(token))
    if access is None:
        return None
    return Caller(
        access.user, access.scopes, access.token_id, access.program_id, access.streamer_id, key_name=access.name
    )


async def _find_person(token: str) -> Caller | None:
    signed = read_jwt(parts().box, token)
    if signed is None:
        return None
    async with parts().pool.acquire() as connection:
        holder = await get_token_holder(connection, signed.user_id)
    if holder is None:
        raise Refused(404 if is_old(request.endpoint) else 401, "User not found")
    if holder.token_version != signed.version:
        return None
    if not holder.user.is_active:
        raise Refused(400 if is_old(request.endpoint) else 403, "Inactive user")
    return Caller(holder.user, sign_in_age_seconds=signed.age_seconds)


def _unknown(detail: str) -> Refused:
    """The first version answered 403 where HTTP has 401."""
    status = 403 if is_old(request.endpoint) else 401
    return Refused(status, detail, headers={"WWW-Authenticate": "Bearer"}, code="unknown-key")
