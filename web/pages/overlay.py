"""The page OBS opens: `/overlay#<token>`. The token stays in the browser; the script passes it on (DESIGN 16)."""

from quart import Blueprint, render_template

from infra.assets import assets_version
from web.context import parts
from web.security import allow_realtime, allow_source

blueprint = Blueprint("overlay", __name__)


@blueprint.get("/overlay")
async def show() -> str:
    allow_realtime()
    # Sounds of the streamer's own play from memory.
    allow_source("media-src", "'self'", "blob:")
    return await render_template(
        "pages/overlay.html", realtime_url=parts().settings.realtime_url, version=assets_version(), script="overlay"
    )
