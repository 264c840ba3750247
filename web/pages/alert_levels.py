"""One level of alerts: from which amount, what it says, how it looks and sounds.

GET  /dashboard/alerts/levels/<id>           the form, and a still picture (alert_preview.py)
POST /dashboard/alerts/levels/<id>           keep it
POST /dashboard/alerts/levels/<id>/remove    not the last one
POST /dashboard/alerts/levels/<id>/play      a test alert of its amount
"""

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from domain import alert_settings, control, media_files
from domain.alert_checks import GIFS_MAX
from domain.alert_settings import AlertSettings, Tier, get_locked_settings, get_tier
from domain.errors import NotAllowedError
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.media_files import Kind
from domain.streamers import Streamer
from infra.redis import publish
from web.context import parts
from web.control_words import example_words
from web.i18n import _
from web.limits import TEST_ALERTS
from web.pages import desk
from web.pages.alert_form import Typed, check_level, level_typed_from, level_typed_of, read_level
from web.pages.alert_preview import amount_of, read_saved
from web.pages.alert_settings import limits, list_ready, sound_options
from web.pages.control import presser
from web.pages.page_versions import version_of
from web.security import allow_source
from web.sessions import require_streamer, require_user

blueprint = Blueprint("alert_levels", __name__)


@blueprint.get("/dashboard/alerts/levels/<tier_id>")
async def show(tier_id: str) -> Response:
    streamer = await require_streamer()
    settings, tier = await read_saved(streamer, tier_id)
    return await _page(streamer, settings, tier, level_typed_of(tier))


@blueprint.post("/dashboard/alerts/levels/<tier_id>")
async def save(tier_id: str) -> ResponseReturnValue:
    streamer = await require_streamer()
    form = await request.form
    typed = level_typed_from(form)
    async with parts().pool.acquire() as connection, connection.transaction():
        files = await media_files.list_urls(connection, streamer.id)
        settings = await get_locked_settings(connection, streamer.id)
        saved = get_tier(settings, tier_id)
        wanted, unread = read_level(typed, saved)
        wanted, broken = check_level(wanted, saved, settings, files)
        errors = broken | unread
        is_changed = form.get("version", version_of(saved)) != version_of(saved)
        if not errors and not is_changed:
            await alert_settings.update_tier(connection, streamer.id, wanted, files)
    if errors or is_changed:
        return await _page(streamer, settings, saved, typed, errors, is_changed=is_changed)
    return desk.go_to("alert_levels.show", tier_id=tier_id, said="level-saved")


@blueprint.post("/dashboard/alerts/levels/<tier_id>/remove")
async def remove(tier_id: str) -> ResponseReturnValue:
    streamer = await require_streamer()
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await alert_settings.remove_tier(connection, streamer.id, tier_id)
    except NotAllowedError:
        return desk.go_to("alert_levels.show", tier_id=tier_id, said="level-last")
    return desk.go_to("alert_settings.show", said="level-removed", _anchor="levels")


@blueprint.post("/dashboard/alerts/levels/<tier_id>/play")
async def test(tier_id: str) -> ResponseReturnValue:
    """Plays what is saved, also where alerts are switched off."""
    user, streamer = await require_user(), await require_streamer()
    _settings, tier = await read_saved(streamer, tier_id)
    await parts().limiter.take(TEST_ALERTS, str(streamer.id))
    async with parts().pool.acquire() as connection, connection.transaction():
        await control.test(
            connection, streamer.id, presser(user, streamer), amount_minor=amount_of(tier), **example_words()
        )
    wake = Wake(streamer.id, frozenset({Topic.ALERTS}))
    await publish(parts().redis, WAKE_CHANNEL, [wake.encode()])
    return desk.go_to("alert_levels.show", tier_id=tier_id, said="level-tested")


async def _page(
    streamer: Streamer,
    settings: AlertSettings,
    saved: Tier,
    typed: Typed,
    errors: dict[str, str] | None = None,
    *,
    is_changed: bool = False,
) -> Response:
    files = await list_ready(streamer)
    allow_source("frame-src", "'self'")
    gone = [url for url in typed["gif_urls"] if url not in {file.url for file in files[Kind.IMAGE]}]
    return await desk.render(
        "pages/alert_level.html",
        streamer,
        current="alert_settings.show",
        status=422 if errors or is_changed else 200,
        tier=saved,
        typed=typed,
        errors=errors or {},
        is_changed=is_changed,
        version=version_of(saved),
        sounds=sound_options(
            files,
            typed["sound_file_url"],
            _("The sound of all levels") if settings.sound_file_url else _("The overlay's chime"),
        ),
        pictures=files[Kind.IMAGE],
        gone=gone,
        animations=_animations(typed["animation_type"]),
        icons=_icons(typed["icon"]),
        is_last=len(settings.tiers) == 1,
        is_off=not settings.alerts_enabled,
        gifs_max=GIFS_MAX,
        **limits(),
    )


def _animations(chosen: str) -> list[tuple[str, str]]:
    options = [
        ("none", _("Nothing")),
        ("sparkles", _("Sparks")),
        ("confetti", _("Confetti")),
        ("hearts", _("Hearts")),
        ("fireworks", _("Fireworks")),
    ]
    # A word of API v1: the picture alone.
    return [*options, ("gif", _("Only the picture"))] if chosen == "gif" else options


def _icons(chosen: str) -> list[tuple[str, str]]:
    options = [
        ("Gift", _("The step's own")),
        ("Heart", _("Heart")),
        ("Star", _("Star")),
        ("Crown", _("Crown")),
        ("Zap", _("Lightning")),
    ]
    return options if chosen in dict(options) else [*options, (chosen, chosen)]
