"""How one showing looks and sounds: what its level says, put together with the streamer's settings.

It is put together when an alert is offered, and anew for each overlay that mirrors it; the picture is drawn by the
lease, so that all of them show the same one.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from domain.alert_tiers import (
    ANONYMOUS_TEXT_TEMPLATE,
    BACKGROUND_COLOR,
    DONATION_TEXT_TEMPLATE,
    FONT_SIZE,
    TEXT_COLOR,
    TEXT_TEMPLATE,
    AlertSettings,
    Element,
    Tier,
    choose_tier,
    decode_tier,
)
from domain.alerts import AlertKind, AlertLevel, alert_level

_OWN_ICON = "Gift"
_DEFAULTS = AlertSettings(streamer_id=0, owner_id=0, created_at=datetime.min.replace(tzinfo=UTC))
"""Of a streamer who chose nothing."""
_STEPS = {level.value for level in AlertLevel}
_PLACEHOLDER = re.compile(r"\{(donor_name|amount|message)\}")


@dataclass(frozen=True)
class LookSound:
    """`url` None: the overlay's own chime. `end_ms` None: to its end."""

    url: str | None
    volume: float
    start_ms: int
    end_ms: int | None


@dataclass(frozen=True)
class Look:
    """What None says is left to the overlay's own drawing; `sound` None is silence, `elements` None no layout.

    `text` is a template; who fills it in puts what the donor wrote in as text, once.
    """

    tier_id: str | None
    level: AlertLevel
    is_visible: bool
    sound: LookSound | None
    text: str | None
    text_color: str | None
    background_color: str | None
    highlight_color: str | None
    font_size: int | None
    icon: str | None
    image_url: str | None
    animation: str
    shake: bool
    elements: tuple[Element, ...] | None


def make_look(
    settings: AlertSettings | Mapping[str, Any],
    tier: Tier | None,
    *,
    amount_minor: int,
    is_anonymous: bool,
    showing_id: uuid.UUID,
) -> Look:
    """`tier` None: no level has this amount, and the settings say by themselves what it looks like.

    `settings` may be a row of `alert_settings`: of it only the plain values are read.
    """
    plain = vars(settings) if isinstance(settings, AlertSettings) else settings
    text_default = TEXT_TEMPLATE
    if tier is None:
        tier, text_default = _tier_of_settings(plain), DONATION_TEXT_TEMPLATE
    text = None if tier.text_template == text_default else tier.text_template
    if is_anonymous and plain["anonymous_text_template"] != ANONYMOUS_TEXT_TEMPLATE:
        text = plain["anonymous_text_template"]
    image_url = pick_image(tier, showing_id)
    return Look(
        tier_id=tier.id or None,
        level=level_of(tier, amount_minor),
        is_visible=tier.visual_enabled and plain["visual_enabled"],
        sound=_sound(tier, plain),
        text=text,
        text_color=_unless(tier.text_color.upper(), TEXT_COLOR),
        background_color=_unless(tier.background_color.upper(), BACKGROUND_COLOR),
        highlight_color=tier.highlight_color,
        font_size=None if tier.font_size == FONT_SIZE else tier.font_size,
        icon=_unless(tier.icon, _OWN_ICON),
        image_url=image_url,
        animation=tier.animation_type if tier.animation_enabled else "none",
        shake=tier.screen_shake,
        elements=_elements(tier, image_url),
    )


def look_of_row(row: Mapping[str, Any]) -> Look | None:
    """Of an alert that is offered, as `sql/queries/showing.sql` reads it. None: a goal has a celebration of its own."""
    if row["kind"] == AlertKind.GOAL:
        return None
    settings = row["settings"]
    if settings is None:
        settings = _DEFAULTS
        tier = choose_tier(settings, row["amount_minor"])
    else:
        tier = None if row["tier"] is None else decode_tier(row["tier"])
    look = make_look(
        settings,
        tier,
        amount_minor=row["amount_minor"],
        is_anonymous=row["donor_name"] is None and row["kind"] != AlertKind.SUMMARY,
        showing_id=row["lease_id"],
    )
    return _as_made(look, row) if row["kind"] == AlertKind.CUSTOM else look


def _as_made(look: Look, row: Mapping[str, Any]) -> Look:
    """Of an alert that a program made: its own picture and sound, none of the words and places made for donations."""
    sound = look.sound
    if sound is not None and row["sound_url"] is not None:
        sound = LookSound(row["sound_url"], sound.volume, 0, None)
    image_url = row["image_url"] or look.image_url
    return replace(look, text=None, elements=None, image_url=image_url, sound=sound)


def encode_look(look: Look) -> dict[str, Any]:
    """As overlays get it (docs/realtime.md); the step that draws it is the alert's own `level`."""
    fields = asdict(look)
    del fields["level"]
    fields["visible"] = fields.pop("is_visible")
    return fields


def level_of(tier: Tier, amount_minor: int) -> AlertLevel:
    """Which of the overlay's four steps draws a level: its own for the default ones, wherever they begin, else that of
    the amount at which it begins."""
    if tier.id in _STEPS:
        return AlertLevel(tier.id)
    return alert_level(tier.min_amount_minor if tier.id else amount_minor)


def pick_image(tier: Tier, showing_id: uuid.UUID) -> str | None:
    """One of the level's pictures by chance, for one showing always the same."""
    urls = tier.gif_urls or ((tier.gif_url,) if tier.gif_url else ())
    return urls[showing_id.int % len(urls)] if urls else None


def fill_template(template: str, *, donor_name: str, amount: str, message: str) -> str:
    """Each placeholder once: what looks like one in what a donor wrote stays as it was written."""
    values = {"donor_name": donor_name, "amount": amount, "message": message}
    return _PLACEHOLDER.sub(lambda found: values[found[1]], template)


def _tier_of_settings(plain: Mapping[str, Any]) -> Tier:
    return Tier(
        id="",
        name="",
        min_amount_minor=0,
        sound_enabled=plain["sound_enabled"],
        sound_file_url=plain["sound_file_url"],
        sound_volume=plain["sound_volume"],
        visual_enabled=plain["visual_enabled"],
        text_color=plain["text_color"],
        background_color=plain["background_color"],
        font_size=plain["font_size"],
        text_template=plain["donation_text_template"],
    )


def _sound(tier: Tier, plain: Mapping[str, Any]) -> LookSound | None:
    if not (tier.sound_enabled and plain["sound_enabled"]):
        return None
    if tier.sound_file_url is None:
        return LookSound(plain["sound_file_url"], tier.sound_volume, 0, None)
    end_ms = None if tier.sound_end_time is None else round(tier.sound_end_time * 1000)
    return LookSound(tier.sound_file_url, tier.sound_volume, round(tier.sound_start_time * 1000), end_ms)


def _elements(tier: Tier, image_url: str | None) -> tuple[Element, ...] | None:
    """Those that are to be seen. The drawn picture stands where the layout has one of these, or an empty place."""
    if tier.elements is None:
        return None
    places = {None, *tier.gif_urls}
    return tuple(
        replace(element, image_url=image_url)
        if element.type == "image" and image_url and element.image_url in places
        else element
        for element in tier.elements
        if element.visible
    )


def _unless(value: str, default: str) -> str | None:
    return None if value == default else value
