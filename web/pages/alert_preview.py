"""A still picture of a level, drawn by the overlay's own code in a frame of the level's form.

GET  /dashboard/alerts/levels/<id>/preview   as it is saved
POST /dashboard/alerts/levels/<id>/preview   as the form stands; nothing is kept

The second is read by a script of the form, which hands the alert on to the frame.
"""

import json
import uuid
from typing import Any

from quart import Blueprint, render_template, request

from domain import media_files
from domain.alert_looks import encode_look, make_look
from domain.alert_settings import AlertSettings, Tier, get_settings, get_tier
from domain.alerts import AlertKind
from domain.streamers import Streamer
from web.context import parts
from web.control_words import example_words
from web.i18n import current_locale
from web.pages.alert_form import check_level, level_typed_from, read_level
from web.security import allow_source
from web.sessions import require_streamer

blueprint = Blueprint("alert_preview", __name__)

_SHOWING = uuid.UUID(int=0)


@blueprint.get("/dashboard/alerts/levels/<tier_id>/preview")
async def show(tier_id: str) -> str:
    settings, tier = await read_saved(await require_streamer(), tier_id)
    allow_source("frame-ancestors", "'self'")
    return await _page(_alert(settings, tier))


@blueprint.post("/dashboard/alerts/levels/<tier_id>/preview")
async def show_typed(tier_id: str) -> str:
    """What is not right, or names a file that is not hers, is shown as it was saved."""
    streamer = await require_streamer()
    settings, saved = await read_saved(streamer, tier_id)
    async with parts().pool.acquire() as connection:
        files = await media_files.list_urls(connection, streamer.id)
    typed, _errors = read_level(level_typed_from(await request.form), saved)
    typed, _errors = check_level(typed, saved, settings, files)
    alert, as_saved = _alert(settings, typed), _alert(settings, saved)
    # Browsers write colours in small letters.
    return await _page(alert, is_unsaved=json.dumps(alert).casefold() != json.dumps(as_saved).casefold())


def amount_of(tier: Tier) -> int:
    """For a test: the least amount of the level that somebody could give."""
    most = tier.max_amount_minor or tier.min_amount_minor + 100_00
    return max(tier.min_amount_minor, min(100_00, most), 1)


async def read_saved(streamer: Streamer, tier_id: str) -> tuple[AlertSettings, Tier]:
    """Raises NotFoundError("tier")."""
    async with parts().pool.acquire() as connection:
        settings = await get_settings(connection, streamer.id)
    return settings, get_tier(settings, tier_id)


def _alert(settings: AlertSettings, tier: Tier) -> dict[str, Any]:
    """As an overlay would be offered it."""
    amount_minor = amount_of(tier)
    look = make_look(settings, tier, amount_minor=amount_minor, is_anonymous=False, showing_id=_SHOWING)
    return {
        "kind": AlertKind.DONATION,
        "level": look.level,
        **example_words(),
        "amount_minor": amount_minor,
        "donations": 1,
        # Seen even where the level is only heard: what else would there be to look at?
        "look": {**encode_look(look), "visible": True},
    }


async def _page(alert: dict[str, Any], *, is_unsaved: bool = False) -> str:
    return await render_template(
        "pages/alert_preview.html", alert=json.dumps(alert), is_unsaved=is_unsaved, lang=current_locale()
    )
