"""Pictures and colours of streamers' pages, for anybody, cached for good: an address is named by what it holds.

GET /media/<sha256>.webp       a picture as domain/media.py keeps it
GET /media/look/<rrggbb>.css   a streamer's colour for static/css/donate.css, corrected where nobody could read it
"""

import re

from quart import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from domain.colours import DARK_INK, LIGHT_INK, accent_of
from domain.media import find_content
from web.assets import YEAR_SECONDS
from web.context import parts

blueprint = Blueprint("media", __name__)

_HEADERS = {
    "Cache-Control": f"public, max-age={YEAR_SECONDS}, immutable",
    # Opened by itself it is a picture and nothing else, whatever a browser takes it for.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


@blueprint.get("/media/<sha256>.webp")
async def show_picture(sha256: str) -> Response:
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise NotFound
    async with parts().pool.acquire() as connection:
        found = await find_content(connection, bytes.fromhex(sha256))
    if found is None:
        raise NotFound
    response = Response(found.content, headers=_HEADERS, content_type=found.content_type)
    response.set_etag(sha256[:32])
    await response.make_conditional(request)
    return response


@blueprint.get("/media/look/<colour>.css")
async def show_colour(colour: str) -> Response:
    if not re.fullmatch("[0-9a-f]{6}", colour):
        raise NotFound
    accent = accent_of(colour)
    light, dark = (
        f":root,:host{{--action:#{own};--action-ink:#{ink};--link:#{own}}}"
        for own, ink in ((accent.light, LIGHT_INK), (accent.dark, DARK_INK))
    )
    css = f"{light}@media(prefers-color-scheme:dark){{{dark}}}"
    return Response(css, headers=_HEADERS, content_type="text/css; charset=utf-8")
