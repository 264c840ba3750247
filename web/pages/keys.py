"""Keys of the API for a page, and the applications that may act for it.

GET  /dashboard/api                            both lists, and the form for a new key
POST /dashboard/api/keys                       make one, with the password: it is shown for five minutes, never again
POST /dashboard/api/keys/new                   that key, for the copy button
POST /dashboard/api/keys/hide                  it is copied
POST /dashboard/api/keys/<id>/revoke
POST /dashboard/api/applications/<id>/revoke   the application may act no more
"""

from dataclasses import dataclass
from typing import Any

from quart import Blueprint, Response, jsonify, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import Gone, UnprocessableEntity

from domain import access_tokens, grants
from domain.access_tokens import KEY_DAYS, MAX_KEYS, Key
from domain.errors import InvalidInputError, NotAllowedError
from domain.letters import Kind
from domain.links import link_title
from domain.streamers import Streamer
from domain.text import NAME_MAX_LENGTH, clean_given_name
from domain.users import has_password
from web import shown_once
from web.confirmation import not_confirmed
from web.context import parts
from web.field_words import given_name_words
from web.i18n import _, ngettext, when
from web.letter_post import post_letter
from web.pages import desk
from web.scope_words import scope_words, short_words
from web.sessions import require_streamer, require_user

blueprint = Blueprint("keys", __name__)

COOKIE = "new-key"
_DAYS = {"never" if days is None else str(days): days for days in KEY_DAYS}


@dataclass(frozen=True)
class Typed:
    name: str = ""
    scopes: frozenset[str] = frozenset()
    days: str = "90"


@dataclass(frozen=True)
class FreshKey:
    key: Key
    token: str


@blueprint.get("/dashboard/api")
async def show() -> Response:
    return await _page(await require_streamer())


@blueprint.post("/dashboard/api/keys")
async def create() -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    form = await request.form
    typed = Typed(form.get("name", ""), frozenset(form.getlist("scopes")), form.get("days", ""))
    if typed.days not in _DAYS:
        raise UnprocessableEntity
    if user.id != streamer.owner_id:
        # A key acts as its maker, and an operator is nobody's streamer.
        return await _page(streamer, status=422, typed=typed)
    errors: dict[str, str] = {}
    try:
        clean_given_name(typed.name)
    except InvalidInputError as error:
        errors["name"] = given_name_words(error)
    try:
        access_tokens.check_scopes(typed.scopes)
    except InvalidInputError:
        errors["scopes"] = _("Choose at least one thing it may do.")
    # The password is asked for last: a try at it is counted.
    errors = errors or await not_confirmed(user, form.get("password", ""), "password")
    if errors:
        return await _page(streamer, status=422, typed=typed, errors=errors)
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            made = await access_tokens.create_key(
                connection, user.id, streamer.id, name=typed.name, scopes=typed.scopes, days=_DAYS[typed.days]
            )
            await post_letter(connection, Kind.KEY_MADE, user, {"hint": access_tokens.hint_of(made.token)})
    except NotAllowedError:
        return await _page(streamer, status=422, typed=typed, errors={"name": _too_many_words()})
    parts().relay.wake()
    shown_once.keep(COOKIE, made.id, made.token)
    return desk.go_to("keys.show", said="key-made", _anchor="new-key")


@blueprint.post("/dashboard/api/keys/new")
async def give_new() -> Response:
    """A POST, so that no link shows it; only to the browser that made it, and only while it is fresh."""
    streamer = await require_streamer()
    found = await _fresh_key(streamer)
    if found is None:
        raise Gone
    return jsonify({"address": found.token})


@blueprint.post("/dashboard/api/keys/hide")
async def hide_new() -> ResponseReturnValue:
    await require_streamer()
    shown_once.forget(COOKIE)
    return desk.go_to("keys.show")


@blueprint.post("/dashboard/api/keys/<int(max=2147483647):key_id>/revoke")
async def revoke(key_id: int) -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        await access_tokens.revoke_key(connection, streamer.owner_id, key_id, by_user_id=user.id)
    return desk.go_to("keys.show", said="key-revoked")


@blueprint.post("/dashboard/api/applications/<int(max=2147483647):application_id>/revoke")
async def revoke_application(application_id: int) -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        await grants.revoke_application(connection, streamer.owner_id, application_id, by_user_id=user.id)
    return desk.go_to("keys.show", said="application-revoked", _anchor="applications")


async def _fresh_key(streamer: Streamer) -> FreshKey | None:
    found = shown_once.find(COOKIE)
    if found is None:
        return None
    key_id, token = found
    async with parts().pool.acquire() as connection:
        keys = await access_tokens.list_keys(connection, streamer.owner_id)
    return next((FreshKey(key, token) for key in keys if key.id == key_id), None)


async def _page(
    streamer: Streamer, *, status: int = 200, typed: Typed | None = None, errors: dict[str, str] | None = None
) -> Response:
    user = await require_user()
    async with parts().pool.acquire() as connection:
        keys = await access_tokens.list_keys(connection, streamer.owner_id)
        allowed = await grants.list_allowed(connection, streamer.owner_id)
        asks_password = await has_password(connection, user.id)
    values: dict[str, Any] = {
        "keys": keys,
        "allowed": allowed,
        "fresh": await _fresh_key(streamer),
        "typed": typed or Typed(),
        "errors": errors or {},
        "scopes": scope_words(),
        "short_words": short_words,
        "link_title": link_title,
        "days_options": _days_options(),
        "name_max_length": NAME_MAX_LENGTH,
        "asks_password": asks_password,
        "when": when,
    }
    return await desk.render("pages/keys.html", streamer, current="keys.show", status=status, **values)


def _days_options() -> list[tuple[str, str]]:
    words = {365: _("a year"), None: _("never: until I revoke it")}
    return [
        (name, words.get(days) or ngettext("%(num)s day", "%(num)s days", days or 0)) for name, days in _DAYS.items()
    ]


def _too_many_words() -> str:
    return ngettext(
        "There may be at most %(num)s key. Revoke one that is not needed.",
        "There may be at most %(num)s keys. Revoke those that are not needed.",
        MAX_KEYS,
    )
