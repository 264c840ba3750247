"""Streamers' pages, as the first version had them. Who is listed has chosen so; settings are the owner's alone."""

import secrets
from dataclasses import replace
from typing import Any

from quart_schema import validate_querystring, validate_request, validate_response

from domain.errors import InvalidInputError
from domain.overlay_tokens import rotate_overlay_token
from domain.profiles import ABOUT_MAX_LENGTH, clean_text, list_public, lock_profile, read_profile, save_profile
from domain.scopes import Scope
from domain.slugs import SLUG_MAX_LENGTH, suggest_slug
from domain.streamer_cards import (
    Extras,
    StreamerCard,
    clean_stream_title,
    get_card,
    list_cards,
    read_extras,
    save_extras,
    with_limits,
)
from domain.streamers import Streamer as Page
from domain.streamers import clean_display_name, create_streamer, find_by_any_slug, get_streamer, is_open
from web.api.access import caller, caller_if_any, callers_streamer, needs, needs_person, public
from web.api.blueprints import old_api
from web.api.errors import Refused, wrong_field
from web.api.idempotency import writing
from web.api.openapi import examples
from web.api.people import read_field
from web.api.schemas.common import Paging
from web.api.schemas.streamers import FeaturedPaging, Streamer, StreamerCreate, StreamerUpdate, StreamerWithUser
from web.context import parts

blueprint = old_api("streamers")

NO_PAGE = "Streamer not found"
_TAIL_BYTES = 3
_TRIES = 5

PAGE_EXAMPLE = {
    "id": 3,
    "user_id": 7,
    "display_name": "Анна",
    "stream_title": "Играем вечером",
    "stream_description": None,
    "donation_goal": 0.0,
    "min_donation_amount": 10.0,
    "max_donation_amount": 10000.0,
    "donation_url": "anna-4f07c2",
    "current_donations": 1500.5,
    "widget_settings": None,
    "alert_settings": None,
    "payment_settings": None,
    "is_verified": True,
    "is_featured": False,
    "created_at": "2026-11-28T10:00:00Z",
    "updated_at": None,
}
PUBLIC_EXAMPLE = {**PAGE_EXAMPLE, "username": "anna", "full_name": None, "avatar_url": None}


# For everybody.


@blueprint.get("/")
@public
@examples(response=[PUBLIC_EXAMPLE])
@validate_querystring(Paging)
@validate_response(list[StreamerWithUser])
async def list_streamers(query_args: Paging) -> list[StreamerWithUser]:
    """Streamers who want to be found and can receive money: the featured first, then by name."""
    return await _list(query_args, only_featured=False)


@blueprint.get("/featured")
@public
@examples(response=[{**PUBLIC_EXAMPLE, "is_featured": True}])
@validate_querystring(FeaturedPaging)
@validate_response(list[StreamerWithUser])
async def list_featured(query_args: FeaturedPaging) -> list[StreamerWithUser]:
    """Those of them whom the site shows first."""
    return await _list(query_args, only_featured=True)


async def _list(paging: Paging, *, only_featured: bool) -> list[StreamerWithUser]:
    async with parts().pool.acquire() as connection:
        listed = await list_public(
            connection,
            only_featured=only_featured,
            with_tests=parts().settings.in_development,
            skip=paging.skip,
            limit=paging.limit,
        )
        cards = await list_cards(connection, [one.id for one in listed])
    return [_public_answer(card) for card in cards]


@blueprint.get("/<id:streamer_id>")
@public
@examples(response=PUBLIC_EXAMPLE, path={"streamer_id": 3})
@validate_response(StreamerWithUser)
async def show(streamer_id: int) -> StreamerWithUser:
    """One streamer's page by its number."""
    return await _show(streamer_id)


@blueprint.get("/url/<donation_url>")
@public
@examples(response=PUBLIC_EXAMPLE, path={"donation_url": "anna-4f07c2"})
@validate_response(StreamerWithUser)
async def show_by_url(donation_url: str) -> StreamerWithUser:
    """One streamer's page by the end of its address, also by one it had before."""
    async with parts().pool.acquire() as connection:
        page = await find_by_any_slug(connection, donation_url)
    if page is None:
        raise Refused(404, NO_PAGE)
    return await _show(page.id)


async def _show(streamer_id: int) -> StreamerWithUser:
    async with parts().pool.acquire() as connection:
        if not await is_open(connection, streamer_id):
            raise Refused(404, NO_PAGE)
        card = await get_card(connection, streamer_id)
    return _public_answer(card)


# One's own.


@blueprint.post("/")
@needs_person
@examples(request={"display_name": "Анна", "user_id": 7}, response={**PAGE_EXAMPLE, "is_verified": False})
@validate_request(StreamerCreate)
@validate_response(Streamer)
async def create(data: StreamerCreate) -> Streamer:
    """Make your own page.

    Its address is made from the name and a random end. It is not in the list of streamers until its owner wants so on
    the site.
    """
    user = caller().user
    if data.user_id != user.id:
        raise Refused(403, "You can make a page only for yourself")
    name = read_field(clean_display_name, data.display_name)
    for _try in range(_TRIES):
        try:
            async with writing() as connection:
                page = await create_streamer(connection, user.id, _slug_of(name), name)
                await rotate_overlay_token(connection, parts().box, page.id)
                await _save(connection, page, data)
                card = await get_card(connection, page.id)
        except InvalidInputError as error:
            if error.field == "owner":
                raise Refused(400, "Streamer profile already exists") from None
            if error.field != "slug":
                raise
        else:
            return _own_answer(card)
    raise Refused(503, "No free address was found for this name: try again")


def _slug_of(name: str) -> str:
    tail = f"-{secrets.token_hex(_TAIL_BYTES)}"
    base = suggest_slug(name)[: SLUG_MAX_LENGTH - len(tail)].rstrip("-_")
    return f"{base or 'streamer'}{tail}"


@blueprint.get("/me")
@needs(Scope.PROFILE_READ)
@examples(response=PAGE_EXAMPLE)
@validate_response(Streamer)
async def show_me() -> Streamer:
    """Your own page, with its settings. A key is not shown `payment_settings`."""
    page = await callers_streamer()
    async with parts().pool.acquire() as connection:
        return _own_answer(await get_card(connection, page.id))


@blueprint.put("/me")
@needs(Scope.PROFILE_WRITE)
@examples(request={"stream_title": "Играем вечером", "min_donation_amount": 50}, response=PAGE_EXAMPLE)
@validate_request(StreamerUpdate)
@validate_response(Streamer)
async def change_me(data: StreamerUpdate) -> Streamer:
    """Change your own page.

    `stream_description` is the text about you on the page. Ready amounts that the new limits leave out are taken off
    the page. `widget_settings`, `alert_settings` and `payment_settings` are texts of the client's own, which the site
    keeps and does not read; a key may not set the last one.
    """
    page = await callers_streamer()
    if caller().scopes is not None and "payment_settings" in data.model_fields_set:
        raise Refused(403, "A key may not set payment_settings: it needs a person's own sign-in", code="scope")
    async with writing() as connection:
        await _save(connection, page, data)
        card = await get_card(connection, page.id)
    return _own_answer(card)


async def _save(connection: Any, page: Page, data: StreamerCreate | StreamerUpdate) -> None:
    """What was sent; of texts, null takes one away. Raises Refused(422)."""
    await lock_profile(connection, page.id)
    page = await get_streamer(connection, page.id)
    profile, _look = await read_profile(connection, page)
    changes: dict[str, Any] = _limits(profile, data)
    if data.display_name is not None:
        changes["display_name"] = read_field(clean_display_name, data.display_name)
    sent = data.model_fields_set
    if "stream_description" in sent:
        changes["about"] = read_field(clean_text, "stream_description", data.stream_description or "", ABOUT_MAX_LENGTH)
    await save_profile(connection, page.id, replace(profile, **changes))
    await save_extras(connection, page.id, _changed_extras(await read_extras(connection, page.id), data))


def _limits(profile: Any, data: StreamerCreate | StreamerUpdate) -> dict[str, Any]:
    least, most = data.min_donation_amount, data.max_donation_amount
    if least is None and most is None:
        return {}
    least = profile.min_amount_minor if least is None else least
    most = profile.max_amount_minor if most is None else most
    try:
        return with_limits(profile, least, most)
    except InvalidInputError as error:
        field = "min_donation_amount" if error.field == "min_amount" else "max_donation_amount"
        words = {
            "too_small": "At least {} roubles",
            "too_large": "At most {} roubles",
            "below_least": "Not less than min_donation_amount, {} roubles",
        }
        text = words[error.code].format(error.data["limit"] // 100)
        raise wrong_field(field, text, kind=error.code) from None


def _changed_extras(extras: Extras, data: StreamerCreate | StreamerUpdate) -> Extras:
    sent = data.model_fields_set
    changes: dict[str, Any] = {}
    if "stream_title" in sent:
        changes["stream_title"] = read_field(clean_stream_title, data.stream_title or "")
    if data.donation_goal is not None:
        changes["donation_goal_minor"] = data.donation_goal
    if isinstance(data, StreamerUpdate):
        changes |= {name: getattr(data, name) for name in sent & {"widget_settings", "alert_settings"}}
        if "payment_settings" in sent:
            text = data.payment_settings
            changes["payment_settings_encrypted"] = None if text is None else parts().box.encrypt(text)
    return replace(extras, **changes)


# Answers.


def _values(card: StreamerCard) -> dict[str, Any]:
    """What everybody may see."""
    return {
        "id": card.id,
        "user_id": card.user_id,
        "display_name": card.display_name,
        "stream_title": card.stream_title,
        "stream_description": card.about or None,
        "donation_goal": card.donation_goal_minor,
        "min_donation_amount": card.min_amount_minor,
        "max_donation_amount": card.max_amount_minor,
        "donation_url": card.slug,
        "current_donations": card.current_donations_minor,
        "widget_settings": None,
        "alert_settings": None,
        "payment_settings": None,
        "is_verified": card.is_verified,
        "is_featured": card.is_featured,
        "created_at": card.created_at,
        "updated_at": card.updated_at,
    }


def _settings(card: StreamerCard) -> dict[str, str | None]:
    """What her page's owner may see; of payments, not by a key."""
    encrypted = card.payment_settings_encrypted
    is_shown = encrypted is not None and caller().scopes is None
    return {
        "widget_settings": card.widget_settings,
        "alert_settings": card.alert_settings,
        "payment_settings": parts().box.try_decrypt(encrypted or "") if is_shown else None,
    }


def _own_answer(card: StreamerCard) -> Streamer:
    return Streamer(**{**_values(card), **_settings(card)})


def _public_answer(card: StreamerCard) -> StreamerWithUser:
    by = caller_if_any()
    is_owner = by is not None and by.user.id == card.user_id and by.may(Scope.PROFILE_READ)
    picture = f"{parts().settings.web_url}/media/{card.avatar}.webp" if card.avatar else None
    return StreamerWithUser(
        **{
            **_values(card),
            **(_settings(card) if is_owner else {}),
            "username": card.username,
            "full_name": card.full_name,
            "avatar_url": card.avatar_url or picture,
        }
    )
