"""The overlay at the address that the first version gave to OBS: /api/v1/alerts/widget/{donation_url}?token=…

The public name is no key: without the token of `/overlay` it only says, as the overlay does, where the new address is.
"""

from quart import Response, render_template, request

from domain.overlay_tokens import find_overlay_token
from domain.streamers import find_by_any_slug
from infra.assets import assets_version
from web.api.access import public
from web.api.blueprints import old_api
from web.api.openapi import examples, gives
from web.context import parts
from web.security import allow_realtime, allow_source

blueprint = old_api("alert_widget", "alerts")


@blueprint.get("/widget/<donation_url>")
@public
@gives("text/html")
@examples(path={"donation_url": "anna"})
async def show(donation_url: str) -> Response:
    """The overlay, with its token in `?token=`; without it, a page that says what to do."""
    is_let_in = await _is_key(donation_url, request.args.get("token", ""))
    allow_source("media-src", "'self'")
    if is_let_in:
        allow_realtime()
    page = await render_template(
        "pages/overlay.html",
        realtime_url=parts().settings.realtime_url,
        version=assets_version(),
        script="overlay" if is_let_in else "moved",
    )
    return Response(page, content_type="text/html; charset=utf-8")


async def _is_key(donation_url: str, token: str) -> bool:
    if not token:
        return False
    async with parts().pool.acquire() as connection:
        found = await find_overlay_token(connection, token)
        streamer = await find_by_any_slug(connection, donation_url)
    return found is not None and not found.revoked and streamer is not None and found.streamer_id == streamer.id
