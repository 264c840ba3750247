"""Whoever calls: the first thing a program asks."""

from quart_schema import validate_response

from domain.access_tokens import get_expiry
from domain.streamers import find_by_owner
from web.api.access import caller, known
from web.api.blueprints import new_api
from web.api.openapi import examples
from web.api.schemas.me import Me, Page
from web.context import parts

blueprint = new_api("me")


@blueprint.get("")
@known
@examples(
    response={
        "kind": "key",
        "name": "Чат-бот",
        "scopes": ["alerts:read", "alerts:control"],
        "expires_at": "2027-02-26T18:00:00Z",
        "streamer": {
            "id": 3,
            "slug": "anna",
            "display_name": "Анна",
            "url": "https://example.org/anna",
            "time_zone": "Europe/Moscow",
        },
    }
)
@validate_response(Me)
async def show() -> Me:
    """Who calls, and what for

    Any key may ask this, whatever its scopes.
    """
    who = caller()
    async with parts().pool.acquire() as connection:
        streamer = await find_by_owner(connection, who.user.id)
        expires_at = None if who.key_id is None else await get_expiry(connection, who.key_id)
    return Me(
        kind="person" if who.key_id is None else "key",
        name=who.key_name or None,
        scopes=None if who.scopes is None else sorted(who.scopes),
        expires_at=expires_at,
        streamer=None
        if streamer is None
        else Page(
            id=streamer.id,
            slug=streamer.slug,
            display_name=streamer.display_name,
            url=f"{parts().settings.web_url}/{streamer.slug}",
            time_zone=streamer.time_zone,
        ),
    )
