"""Alert settings, levels and elements as API v1 speaks of them: amounts in whole roubles, but for the least one."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field
from quart_schema.pydantic import File

from domain.alert_tiers import AlertSettings as Settings
from domain.alert_tiers import Element, Tier, v1_name, v1_tier
from web.api.schemas.common import Id, Model, RoublesIn, RoublesOut

Roubles = Annotated[int, Field(ge=0, le=99_999_999)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class AlertElement(Model):
    """`x`, `y`: where its middle stands, in per cent; sizes in pixels of a 1080p source."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=v1_name, populate_by_name=True, serialize_by_alias=True
    )

    id: str
    type: str
    x: Number
    y: Number
    width: Number | None = None
    height: Number | None = None
    visible: bool = True
    z_index: int = 0
    content: str | None = None
    image_url: str | None = None
    font_size: int | None = None
    color: str | None = None
    background_color: str | None = None
    border_radius: int | None = None
    padding: int | None = None


class AlertTier(Model):
    """A level: what an alert looks and sounds like from `min_amount` to `max_amount` roubles."""

    sound_enabled: bool = True
    sound_file_url: str | None = None
    sound_volume: Number = 0.5
    sound_start_time: Number = 0.0
    sound_end_time: Number | None = None
    visual_enabled: bool = True
    alert_duration: int = 5
    text_color: str = "#FFFFFF"
    background_color: str = "#1F2937"
    font_size: int = 24
    animation_enabled: bool = False
    animation_type: str = "none"
    gif_urls: list[str] = Field(default=[])
    gif_url: str | None = None
    text_template: str = "{donor_name} донатит {amount}₽! {message}"
    screen_shake: bool = False
    highlight_color: str | None = None
    icon: str = "Gift"
    color: str = "purple"
    elements: list[AlertElement] | None = None
    id: str
    name: str
    min_amount: Roubles
    max_amount: Roubles | None = None


class AlertTierUpdate(Model):
    """The fields of a level that shall change; a level is made of them and of what it has, and then checked."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str | None = None
    min_amount: Roubles | None = None
    max_amount: Roubles | None = None
    sound_enabled: bool | None = None
    sound_file_url: str | None = None
    sound_volume: Number | None = None
    sound_start_time: Number | None = None
    sound_end_time: Number | None = None
    visual_enabled: bool | None = None
    alert_duration: int | None = None
    text_color: str | None = None
    background_color: str | None = None
    font_size: int | None = None
    animation_enabled: bool | None = None
    animation_type: str | None = None
    gif_urls: list[str] | None = None
    gif_url: str | None = None
    text_template: str | None = None
    screen_shake: bool | None = None
    highlight_color: str | None = None
    icon: str | None = None
    color: str | None = None
    elements: list[AlertElement] | None = None


class AlertSettings(Model):
    """A streamer's alerts. `banned_words` are a line each; times are in seconds."""

    id: Id
    user_id: Id
    created_at: datetime
    updated_at: datetime | None = None
    alerts_enabled: bool = True
    tiers: list[AlertTier] | None = None
    show_anonymous: bool = True
    banned_words: str | None = None
    min_display_time: int = 2
    max_display_time: int = 15
    min_amount_for_alert: RoublesOut | None = None
    sound_enabled: bool | None = True
    sound_volume: float | None = 0.5
    sound_file_url: str | None = None
    visual_enabled: bool | None = True
    alert_duration: int | None = 5
    text_color: str | None = "#FFFFFF"
    background_color: str | None = "#1F2937"
    font_size: int | None = 24
    donation_text_template: str | None = None
    anonymous_text_template: str | None = None


class AlertSettingsUpdate(Model):
    """The fields that shall change. Null empties `banned_words`, `sound_file_url` and `min_amount_for_alert`; of the
    others it changes nothing."""

    alerts_enabled: bool | None = None
    tiers: list[AlertTier] | None = None
    show_anonymous: bool | None = None
    banned_words: str | None = None
    min_display_time: int | None = None
    max_display_time: int | None = None
    min_amount_for_alert: RoublesIn | None = None
    sound_enabled: bool | None = None
    sound_volume: Number | None = None
    sound_file_url: str | None = None
    visual_enabled: bool | None = None
    alert_duration: int | None = None
    text_color: str | None = None
    background_color: str | None = None
    font_size: int | None = None
    donation_text_template: str | None = None
    anonymous_text_template: str | None = None


class GifQuery(Model):
    gif_url: str


class TierGifs(Model):
    tier_id: str
    tier_name: str
    gif_urls: list[str]
    total_gifs: int
    max_gifs: int


class StreamerAlerts(Model):
    """What a donation page shows of a streamer's levels."""

    streamer_name: str
    tiers: list[AlertTier]
    alerts_enabled: bool


class Upload(Model):
    file: File


class UploadedFile(Model):
    """`state` is "ready", or "waiting" (202): the file may be used once it has been looked at."""

    success: bool = True
    file_url: str
    filename: str
    size: int
    type: str
    state: str


class FileQuery(Model):
    file_url: str


class AudioFile(Model):
    """`tier_name`: the first of the levels that use it, or empty."""

    url: str
    tier_name: str
    name: str
    size: int
    seconds: float


class ImageFile(Model):
    url: str
    tier_name: str
    name: str
    size: int
    width: int
    height: int
    frames: int


class Files(Model):
    audio_files: list[AudioFile]
    image_files: list[ImageFile]


class Deleted(Model):
    success: bool = True
    message: str


class PreviewQuery(Model):
    """Seconds; without `end_time` to the sound's end."""

    file_url: str
    start_time: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 0.0
    end_time: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] | None = None


# Between the domain and the models.

_EMPTIED = {"banned_words": "", "sound_file_url": None, "min_amount_for_alert": None}
"""What null makes of a field; of others it changes nothing."""


def tier_model(tier: Tier) -> AlertTier:
    return AlertTier(**v1_tier(tier))


def tier_from(model: AlertTier) -> Tier:
    fields = {name: getattr(model, name) for name in AlertTier.model_fields if name not in ("min_amount", "max_amount")}
    fields["gif_urls"] = tuple(model.gif_urls)
    fields["elements"] = None if model.elements is None else tuple(_element_from(element) for element in model.elements)
    return Tier(
        **fields,
        min_amount_minor=model.min_amount * 100,
        max_amount_minor=None if model.max_amount is None else model.max_amount * 100,
    )


def _element_from(model: AlertElement) -> Element:
    return Element(**{name: getattr(model, name) for name in AlertElement.model_fields})


def settings_model(settings: Settings) -> AlertSettings:
    fields = {name: getattr(settings, name) for name in AlertSettings.model_fields if hasattr(settings, name)}
    fields["tiers"] = [tier_model(tier) for tier in settings.tiers]
    return AlertSettings(
        **fields,
        id=settings.streamer_id,
        user_id=settings.owner_id,
        min_amount_for_alert=settings.min_amount_for_alert_minor,
    )


def changed_settings(settings: Settings, update: AlertSettingsUpdate) -> Settings:
    """Only what the request says is changed."""
    changes: dict[str, Any] = {}
    for name in update.model_fields_set:
        value = getattr(update, name)
        if value is None and name not in _EMPTIED:
            continue
        changes[name] = _EMPTIED[name] if value is None else value
    if "tiers" in changes:
        changes["tiers"] = tuple(tier_from(tier) for tier in changes["tiers"])
    if "min_amount_for_alert" in changes:
        changes["min_amount_for_alert_minor"] = changes.pop("min_amount_for_alert")
    return replace(settings, **changes)


def changed_tier(tier: Tier, update: AlertTierUpdate) -> Tier:
    """Raises pydantic's ValidationError: a field that has to have a value was given null."""
    changes = {name: getattr(update, name) for name in update.model_fields_set}
    return tier_from(AlertTier.model_validate({**dict(tier_model(tier)), **changes}))
