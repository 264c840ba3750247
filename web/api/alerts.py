"""Alert settings of API v1, their levels, and test alerts.

GET|PUT /alerts/                       the settings
POST    /alerts/reset                  as they were before anything was chosen
POST    /alerts/tier                   a new level with defaults
PUT|DELETE  /alerts/tier/{id}          change or remove one
POST|DELETE /alerts/tier/{id}/gif      one of its pictures (`gif_url`)
GET     /alerts/tier/{id}/gifs         all of them
POST    /alerts/test/{amount}          a test alert
GET     /alerts/streamer/{donation_url}   what a donation page shows of the levels
"""

from pydantic import TypeAdapter, ValidationError
from quart_schema import RequestSchemaValidationError, validate_querystring, validate_request, validate_response

from domain import alert_settings, control
from domain.alert_checks import AMOUNT_MOST_MINOR, GIFS_MAX, TIERS_MAX
from domain.alert_files import check_kinds
from domain.alert_settings import Tier, get_tier, new_tier_id
from domain.alert_tiers import AlertSettings as Settings
from domain.alert_tiers import default_tiers
from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.media_files import list_urls
from domain.scopes import Scope
from domain.streamers import find_by_any_slug, find_by_owner, is_open
from domain.user_profiles import get_person
from web.api.access import caller, callers_streamer, needs, public
from web.api.acting import ALERTS, presser, tell
from web.api.alert_errors import invalid
from web.api.blueprints import old_api
from web.api.errors import Refused, wrong_field
from web.api.idempotency import writing
from web.api.openapi import examples
from web.api.schemas.alerts import (
    AlertSettings,
    AlertSettingsUpdate,
    AlertTierUpdate,
    GifQuery,
    StreamerAlerts,
    TierGifs,
    changed_settings,
    changed_tier,
    settings_model,
    tier_model,
)
from web.api.schemas.common import Message, RoublesIn
from web.context import parts
from web.control_words import example_words
from web.i18n import _
from web.limits import TEST_ALERTS

blueprint = old_api("alerts")

NEW_TIER_STEP_MINOR = 1_000_00
_TIER = {
    "id": "glow",
    "name": "Свечение",
    "min_amount": 300,
    "sound_file_url": "/static/uploads/0f4e7d2c9b8a46f1a3c5e7092b4d6f81.mp3",
    "sound_volume": 0.8,
    "gif_urls": ["/static/uploads/7b1d9e3f5a2c4860b9d8e7f6a5c4b3d2.gif"],
    "text_template": "{donor_name} донатит {amount}₽! {message}",
}
_SETTINGS = {
    "id": 7,
    "user_id": 5,
    "created_at": "2026-11-28T18:00:00Z",
    "alerts_enabled": True,
    "tiers": [_TIER],
    "min_amount_for_alert": 10.0,
}
_GIF = {"tier_id": "glow", "gif_url": "/static/uploads/7b1d9e3f5a2c4860b9d8e7f6a5c4b3d2.gif"}


@blueprint.get("/")
@needs(Scope.ALERTS_READ)
@validate_response(AlertSettings)
@examples(response=_SETTINGS)
async def show() -> AlertSettings:
    """The alert settings with their levels.

    Who has no page gets those that one begins with; `id` is the user's then. They can be changed once there is a page.
    """
    user = caller().user
    async with parts().pool.acquire() as connection:
        streamer = await find_by_owner(connection, user.id)
        if streamer is not None:
            return settings_model(await alert_settings.get_settings(connection, streamer.id))
        # Clients of the first version ask before there is a page: registering made settings.
        created_at = (await get_person(connection, user.id)).created_at
    return settings_model(Settings(user.id, user.id, created_at, tiers=default_tiers(user.locale)))


@blueprint.put("/")
@needs(Scope.ALERTS_WRITE)
@validate_request(AlertSettingsUpdate)
@validate_response(AlertSettings)
@examples(request={"min_amount_for_alert": 50, "sound_volume": 0.7}, response=_SETTINGS)
async def change(data: AlertSettingsUpdate) -> AlertSettings:
    """Change what the request names.

    Pictures and sounds have to be the streamer's own uploads.
    """
    streamer = await callers_streamer()
    try:
        async with writing() as connection:
            kinds = await list_urls(connection, streamer.id)
            settings = changed_settings(await alert_settings.get_locked_settings(connection, streamer.id), data)
            await alert_settings.save_settings(connection, streamer.id, settings, kinds)
            check_kinds(settings, kinds)
            return settings_model(await alert_settings.get_settings(connection, streamer.id))
    except InvalidInputError as error:
        raise invalid(error) from error


@blueprint.post("/reset")
@needs(Scope.ALERTS_WRITE)
@validate_response(AlertSettings)
@examples(response=_SETTINGS)
async def reset() -> AlertSettings:
    """Forget what was chosen; words of moderation and uploaded files stay."""
    streamer = await callers_streamer()
    async with writing() as connection:
        return settings_model(await alert_settings.reset_settings(connection, streamer.id))


# Levels.


@blueprint.post("/tier")
@needs(Scope.ALERTS_WRITE)
@validate_response(AlertSettings)
@examples(response=_SETTINGS)
async def add_tier() -> AlertSettings:
    """Add a level with defaults, above the highest."""
    streamer = await callers_streamer()
    async with writing() as connection:
        settings = await alert_settings.get_locked_settings(connection, streamer.id)
        if len(settings.tiers) >= TIERS_MAX:
            raise Refused(400, f"There are {TIERS_MAX} levels at most")
        highest = max(tier.min_amount_minor for tier in settings.tiers)
        tier = Tier(new_tier_id(), _("New level"), min(highest + NEW_TIER_STEP_MINOR, AMOUNT_MOST_MINOR // 100 * 100))
        await alert_settings.add_tier(connection, streamer.id, tier)
        return settings_model(await alert_settings.get_settings(connection, streamer.id))


@blueprint.put("/tier/<tier_id>")
@needs(Scope.ALERTS_WRITE)
@validate_request(AlertTierUpdate)
@validate_response(AlertSettings)
@examples(request={"name": "Свечение", "alert_duration": 8}, response=_SETTINGS, path=_GIF)
async def change_tier(tier_id: str, data: AlertTierUpdate) -> AlertSettings:
    """Change what the request names of a level."""
    streamer = await callers_streamer()
    try:
        async with writing() as connection:
            kinds = await list_urls(connection, streamer.id)
            settings = await alert_settings.get_locked_settings(connection, streamer.id)
            tier = changed_tier(get_tier(settings, tier_id), data)
            await alert_settings.update_tier(connection, streamer.id, tier, kinds)
            settings = await alert_settings.get_settings(connection, streamer.id)
            check_kinds(settings, kinds)
    except ValidationError as error:
        raise RequestSchemaValidationError(error) from error
    except InvalidInputError as error:
        raise invalid(error) from error
    except NotFoundError as error:
        raise _no_tier() from error
    return settings_model(settings)


@blueprint.delete("/tier/<tier_id>")
@needs(Scope.ALERTS_WRITE)
@validate_response(AlertSettings)
@examples(response=_SETTINGS, path=_GIF)
async def remove_tier(tier_id: str) -> AlertSettings:
    """Remove a level; the last one stays."""
    streamer = await callers_streamer()
    try:
        async with writing() as connection:
            await alert_settings.remove_tier(connection, streamer.id, tier_id)
            return settings_model(await alert_settings.get_settings(connection, streamer.id))
    except NotAllowedError as error:
        raise Refused(400, "Cannot delete the last tier") from error
    except NotFoundError as error:
        raise _no_tier() from error


# A level's pictures.


@blueprint.post("/tier/<tier_id>/gif")
@needs(Scope.ALERTS_WRITE)
@validate_querystring(GifQuery)
@validate_response(AlertSettings)
@examples(response=_SETTINGS, path=_GIF)
async def add_gif(tier_id: str, query_args: GifQuery) -> AlertSettings:
    """Add one of the streamer's uploaded pictures to a level, which then shows one of its pictures at random."""
    streamer = await callers_streamer()
    try:
        async with writing() as connection:
            kinds = await list_urls(connection, streamer.id)
            await alert_settings.add_gif(connection, streamer.id, tier_id, query_args.gif_url, kinds)
            settings = await alert_settings.get_settings(connection, streamer.id)
            check_kinds(settings, kinds)
    except InvalidInputError as error:
        if error.code == "too_many":
            raise Refused(400, f"Maximum {GIFS_MAX} GIFs per tier") from error
        raise invalid(error, where="query", only="gif_url") from error
    except NotFoundError as error:
        raise _no_tier() from error
    return settings_model(settings)


@blueprint.delete("/tier/<tier_id>/gif")
@needs(Scope.ALERTS_WRITE)
@validate_querystring(GifQuery)
@validate_response(AlertSettings)
@examples(response=_SETTINGS, path=_GIF)
async def remove_gif(tier_id: str, query_args: GifQuery) -> AlertSettings:
    """Take a picture from a level; the uploaded file stays."""
    streamer = await callers_streamer()
    try:
        async with writing() as connection:
            await alert_settings.remove_gif(connection, streamer.id, tier_id, query_args.gif_url)
            return settings_model(await alert_settings.get_settings(connection, streamer.id))
    except NotFoundError as error:
        raise _no_tier() if error.code == "tier" else Refused(404, "GIF not found") from error


@blueprint.get("/tier/<tier_id>/gifs")
@needs(Scope.ALERTS_READ)
@validate_response(TierGifs)
@examples(
    response={
        "tier_id": "glow",
        "tier_name": "Свечение",
        "gif_urls": _TIER["gif_urls"],
        "total_gifs": 1,
        "max_gifs": GIFS_MAX,
    },
    path=_GIF,
)
async def list_gifs(tier_id: str) -> TierGifs:
    """A level's pictures."""
    streamer = await callers_streamer()
    async with parts().pool.acquire() as connection:
        settings = await alert_settings.get_settings(connection, streamer.id)
    try:
        tier = get_tier(settings, tier_id)
    except NotFoundError as error:
        raise _no_tier() from error
    return TierGifs(
        tier_id=tier.id,
        tier_name=tier.name,
        gif_urls=list(tier.gif_urls),
        total_gifs=len(tier.gif_urls),
        max_gifs=GIFS_MAX,
    )


# Showing them.


@blueprint.post("/test/<amount>")
@needs(Scope.ALERTS_CONTROL)
@validate_response(Message)
@examples(response={"message": "Test alert sent"}, path={"amount": 150.5})
async def play_test(amount: str) -> Message:
    """Play a test alert of so many roubles, marked as a test: it touches no totals."""
    streamer = await callers_streamer()
    await parts().limiter.take(TEST_ALERTS, str(streamer.id))
    async with writing() as connection:
        await control.test(connection, streamer.id, presser(streamer), amount_minor=_amount(amount), **example_words())
    await tell(streamer, ALERTS)
    return Message(message="Test alert sent")


def _amount(text: str) -> int:
    """Kopecks. Raises Refused(422)."""
    try:
        amount_minor: int = TypeAdapter(RoublesIn).validate_python(text)
    except ValidationError:
        amount_minor = 0
    if not 0 < amount_minor <= AMOUNT_MOST_MINOR:
        raise wrong_field("amount", "An amount of roubles with two decimals at most is expected", where="path")
    return amount_minor


@blueprint.get("/streamer/<donation_url>")
@public
@validate_response(StreamerAlerts)
@examples(response={"streamer_name": "Анна", "tiers": [_TIER], "alerts_enabled": True}, path={"donation_url": "anna"})
async def show_streamer(donation_url: str) -> StreamerAlerts:
    """A streamer's levels, for her donation page."""
    async with parts().pool.acquire() as connection:
        streamer = await find_by_any_slug(connection, donation_url)
        if streamer is None or not await is_open(connection, streamer.id):
            raise Refused(404, "Streamer not found")
        settings = await alert_settings.get_settings(connection, streamer.id)
    return StreamerAlerts(
        streamer_name=streamer.display_name,
        tiers=[tier_model(tier) for tier in settings.tiers],
        alerts_enabled=settings.alerts_enabled,
    )


def _no_tier() -> Refused:
    return Refused(404, "Tier not found")
