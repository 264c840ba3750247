"""How alerts look and sound: what is for all of them, and the list of levels.

GET  /dashboard/alerts          the page
POST /dashboard/alerts          keep what is for all levels
POST /dashboard/alerts/levels   one level more, then its page
POST /dashboard/alerts/reset    everything as it was in the beginning

A level has a page of its own (`alert_levels.py`).
"""

from dataclasses import replace
from typing import Any

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import alert_settings, media_files
from domain.alert_checks import NAME_MAX_LENGTH, TEMPLATE_MAX_LENGTH, TIERS_MAX
from domain.alert_files import check_kinds
from domain.alert_settings import AlertSettings, Tier, get_locked_settings, get_settings
from domain.errors import InvalidInputError
from domain.media_files import FileState, Kind, MediaFile
from domain.streamers import Streamer
from web.context import parts
from web.i18n import _
from web.pages import desk
from web.pages.alert_form import Typed, error_words, read_settings, typed_from, typed_of
from web.pages.page_versions import version_of
from web.sessions import require_streamer

blueprint = Blueprint("alert_settings", __name__)

NEW_LEVEL_STEP_MINOR = 500_00
"""How far above the highest level a new one begins, until it says otherwise."""


@blueprint.get("/dashboard/alerts")
async def show() -> Response:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        settings = await get_settings(connection, streamer.id)
    return await _page(streamer, settings, typed_of(settings))


@blueprint.post("/dashboard/alerts")
async def save() -> ResponseReturnValue:
    streamer = await require_streamer()
    form = await request.form
    typed = typed_from(form)
    async with parts().pool.acquire() as connection, connection.transaction():
        files = await media_files.list_urls(connection, streamer.id)
        saved = await get_locked_settings(connection, streamer.id)
        wanted, errors = read_settings(typed, saved)
        is_changed = form.get("version", version(saved)) != version(saved)
        if not errors and not is_changed:
            try:
                check_kinds(wanted, files)
                await alert_settings.save_settings(connection, streamer.id, wanted, files)
            except InvalidInputError as error:
                errors = error_words(error)
    if errors or is_changed:
        return await _page(streamer, saved, typed, errors, is_changed=is_changed)
    return desk.go_to("alert_settings.show", said="alerts-saved")


@blueprint.post("/dashboard/alerts/levels")
async def add_level() -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        saved = await get_locked_settings(connection, streamer.id)
        if len(saved.tiers) >= TIERS_MAX:
            raise UnprocessableEntity
        highest = max(tier.min_amount_minor for tier in saved.tiers)
        tier = Tier(
            id=alert_settings.new_tier_id(),
            name=_("New level"),
            min_amount_minor=highest + NEW_LEVEL_STEP_MINOR,
            sound_volume=1.0,
        )
        await alert_settings.add_tier(connection, streamer.id, tier)
    return desk.go_to("alert_levels.show", tier_id=tier.id, said="level-added")


@blueprint.post("/dashboard/alerts/reset")
async def reset() -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        await alert_settings.reset_settings(connection, streamer.id)
    return desk.go_to("alert_settings.show", said="alerts-reset")


def version(settings: AlertSettings) -> str:
    """Of what this page's form keeps: a level has a version of its own."""
    return version_of(replace(settings, tiers=(), banned_words="", updated_at=None))


async def list_ready(streamer: Streamer) -> dict[Kind, list[MediaFile]]:
    """The streamer's files that can be chosen, by kind."""
    async with parts().pool.acquire() as connection:
        files = await media_files.list_files(connection, streamer.id)
    ready = [file for file in files if file.state is FileState.READY]
    return {kind: [file for file in ready if file.kind is kind] for kind in Kind}


def sound_options(files: dict[Kind, list[MediaFile]], chosen: str, nothing: str) -> list[tuple[str, str]]:
    """For a select; what is chosen is there even if its file is gone."""
    options = [("", nothing)]
    options += [(file.url, file.name or file.url.rpartition("/")[2]) for file in files[Kind.AUDIO]]
    if chosen and chosen not in dict(options):
        options.append((chosen, _("a file that is gone")))
    return options


async def _page(
    streamer: Streamer,
    settings: AlertSettings,
    typed: Typed,
    errors: dict[str, str] | None = None,
    *,
    is_changed: bool = False,
) -> Response:
    files = await list_ready(streamer)
    return await desk.render(
        "pages/alert_settings.html",
        streamer,
        current="alert_settings.show",
        status=422 if errors or is_changed else 200,
        levels=sorted(settings.tiers, key=lambda tier: tier.min_amount_minor),
        typed=typed,
        errors=errors or {},
        is_changed=is_changed,
        version=version(settings),
        sounds=sound_options(files, typed["sound_file_url"], _("The overlay's chime")),
        **limits(),
    )


def limits() -> dict[str, Any]:
    return {"template_max": TEMPLATE_MAX_LENGTH, "name_max": NAME_MAX_LENGTH, "levels_max": TIERS_MAX}
