"""The forms of alerts: what was typed, what it means, and what to say where it means nothing."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from domain.alert_checks import GIFS_MAX, check_tier, check_tier_media, list_media
from domain.alert_files import check_kinds
from domain.alert_settings import AlertSettings, Tier
from domain.alert_tiers import ANONYMOUS_TEXT_TEMPLATE, DONATION_TEXT_TEMPLATE, TEXT_TEMPLATE
from domain.errors import InvalidInputError
from domain.media_files import Kind
from web.donate_form import parse_amount
from web.field_words import too_long_words
from web.i18n import _, format_amount, format_money, ngettext

Typed = dict[str, Any]
"""As it was typed, by the field's name: text, "yes" or "" of a switch, a list of the pictures chosen."""

_LEVEL_TEXTS = (
    "name",
    "min_amount",
    "max_amount",
    "text_template",
    "alert_duration",
    "sound_file_url",
    "sound_volume",
    "sound_start_time",
    "sound_end_time",
    "animation_type",
    "icon",
    "text_color",
    "background_color",
    "highlight_color",
    "font_size",
)
_LEVEL_SWITCHES = ("sound_enabled", "visual_enabled", "screen_shake", "has_highlight", "keeps_layout")
_TEXTS = (
    "min_amount_for_alert",
    "min_display_time",
    "max_display_time",
    "sound_file_url",
    "anonymous_text_template",
    "donation_text_template",
    "alert_duration",
    "sound_volume",
    "text_color",
    "background_color",
    "font_size",
)
_SWITCHES = ("alerts_enabled", "show_anonymous", "sound_enabled", "visual_enabled")
_HIGHLIGHT = "#FFD23F"
"""What the field of the accent colour shows before one is chosen: the overlay's own."""
_DECIMAL = re.compile(r"\d{1,4}(?:[.,]\d{1,3})?")


# One level.


def level_typed_from(form: Any) -> Typed:
    typed: Typed = {name: form.get(name, "") for name in _LEVEL_TEXTS}
    typed |= {name: "yes" if form.get(name) == "yes" else "" for name in _LEVEL_SWITCHES}
    return typed | {"gif_urls": form.getlist("gif_urls")}


def level_typed_of(tier: Tier) -> Typed:
    return {
        "name": tier.name,
        "min_amount": format_amount(tier.min_amount_minor),
        "max_amount": "" if tier.max_amount_minor is None else format_amount(tier.max_amount_minor),
        "text_template": "" if tier.text_template == TEXT_TEMPLATE else tier.text_template,
        "alert_duration": str(tier.alert_duration),
        "sound_enabled": _yes(tier.sound_enabled),
        "sound_file_url": tier.sound_file_url or "",
        "sound_volume": str(round(tier.sound_volume * 100)),
        "sound_start_time": _decimal(tier.sound_start_time),
        "sound_end_time": "" if tier.sound_end_time is None else _decimal(tier.sound_end_time),
        "visual_enabled": _yes(tier.visual_enabled),
        "animation_type": tier.animation_type if tier.animation_enabled else "none",
        "screen_shake": _yes(tier.screen_shake),
        "icon": tier.icon,
        "text_color": tier.text_color,
        "background_color": tier.background_color,
        "has_highlight": _yes(tier.highlight_color is not None),
        "highlight_color": tier.highlight_color or _HIGHLIGHT,
        "font_size": str(tier.font_size),
        "keeps_layout": _yes(tier.elements is not None),
        "gif_urls": list(tier.gif_urls),
    }


def read_level(typed: Typed, saved: Tier) -> tuple[Tier, dict[str, str]]:
    """What cannot be read stays as it was saved, and has its words; the domain's rules are checked when it is kept."""
    errors: dict[str, str] = {}
    text = _text(typed["text_template"])
    animation = typed["animation_type"]
    least = _roubles(typed, "min_amount", errors)
    read = replace(
        saved,
        name=" ".join(typed["name"].split()),
        min_amount_minor=saved.min_amount_minor if least is None else least,
        max_amount_minor=_roubles(typed, "max_amount", errors) if typed["max_amount"].strip() else None,
        text_template=text or TEXT_TEMPLATE,
        alert_duration=_whole(typed, "alert_duration", saved.alert_duration, errors),
        sound_enabled=bool(typed["sound_enabled"]),
        sound_file_url=typed["sound_file_url"] or None,
        sound_volume=_whole(typed, "sound_volume", round(saved.sound_volume * 100), errors) / 100,
        sound_start_time=_seconds(typed, "sound_start_time", errors) or 0.0,
        sound_end_time=_seconds(typed, "sound_end_time", errors),
        visual_enabled=bool(typed["visual_enabled"]),
        animation_enabled=animation != "none",
        animation_type=animation,
        screen_shake=bool(typed["screen_shake"]),
        icon=typed["icon"],
        text_color=typed["text_color"],
        background_color=typed["background_color"],
        highlight_color=typed["highlight_color"] if typed["has_highlight"] else None,
        font_size=_whole(typed, "font_size", saved.font_size, errors),
        gif_urls=tuple(dict.fromkeys(typed["gif_urls"])),
        # The one from before there could be several has become one of them.
        gif_url=None,
        elements=saved.elements if typed["keeps_layout"] else None,
    )
    return read, errors


def check_level(
    read: Tier, saved: Tier, settings: AlertSettings, files: Mapping[str, Kind]
) -> tuple[Tier, dict[str, str]]:
    """What breaks a rule stays as it was saved, and has its words: all at once, where the domain names the first only.

    `files`: the streamer's own; of others, those that her settings have already may stay.
    """
    errors: dict[str, str] = {}
    known = {*files, *(url for _path, url in list_media(settings))}
    for _field in fields(Tier):
        try:
            check_tier(read)
            check_tier_media(read, known)
            check_kinds(replace(settings, tiers=(read,)), files)
        except InvalidInputError as error:
            errors = error_words(error) | errors
            read = replace(read, **{_field_of(error): getattr(saved, _field_of(error))})
        else:
            return read, errors
    # Two fields that do not go together, whichever of them is put back.
    return saved, errors


# What is for all levels.


def typed_from(form: Mapping[str, str]) -> Typed:
    typed: Typed = {name: form.get(name, "") for name in _TEXTS}
    return typed | {name: "yes" if form.get(name) == "yes" else "" for name in _SWITCHES}


def typed_of(settings: AlertSettings) -> Typed:
    least = settings.min_amount_for_alert_minor
    anonymous, donation = settings.anonymous_text_template, settings.donation_text_template
    return {
        "alerts_enabled": _yes(settings.alerts_enabled),
        "show_anonymous": _yes(settings.show_anonymous),
        "sound_enabled": _yes(settings.sound_enabled),
        "visual_enabled": _yes(settings.visual_enabled),
        "min_amount_for_alert": "" if least is None else format_amount(least),
        "min_display_time": str(settings.min_display_time),
        "max_display_time": str(settings.max_display_time),
        "sound_file_url": settings.sound_file_url or "",
        "anonymous_text_template": "" if anonymous == ANONYMOUS_TEXT_TEMPLATE else anonymous,
        "donation_text_template": "" if donation == DONATION_TEXT_TEMPLATE else donation,
        "alert_duration": str(settings.alert_duration),
        "sound_volume": str(round(settings.sound_volume * 100)),
        "text_color": settings.text_color,
        "background_color": settings.background_color,
        "font_size": str(settings.font_size),
    }


def read_settings(typed: Typed, saved: AlertSettings) -> tuple[AlertSettings, dict[str, str]]:
    errors: dict[str, str] = {}
    read = replace(
        saved,
        alerts_enabled=bool(typed["alerts_enabled"]),
        show_anonymous=bool(typed["show_anonymous"]),
        sound_enabled=bool(typed["sound_enabled"]),
        visual_enabled=bool(typed["visual_enabled"]),
        min_amount_for_alert_minor=_amount(typed, "min_amount_for_alert", errors),
        min_display_time=_whole(typed, "min_display_time", saved.min_display_time, errors),
        max_display_time=_whole(typed, "max_display_time", saved.max_display_time, errors),
        sound_file_url=typed["sound_file_url"] or None,
        anonymous_text_template=_text(typed["anonymous_text_template"]) or ANONYMOUS_TEXT_TEMPLATE,
        donation_text_template=_text(typed["donation_text_template"]) or DONATION_TEXT_TEMPLATE,
        alert_duration=_whole(typed, "alert_duration", saved.alert_duration, errors),
        sound_volume=_whole(typed, "sound_volume", round(saved.sound_volume * 100), errors) / 100,
        text_color=typed["text_color"],
        background_color=typed["background_color"],
        font_size=_whole(typed, "font_size", saved.font_size, errors),
    )
    return read, errors


# Words.


def error_words(error: InvalidInputError) -> dict[str, str]:
    """By the form's field; of a level within the settings the level's own fields."""
    return {_field_of(error).removesuffix("_minor"): _words(error)}


def _field_of(error: InvalidInputError) -> str:
    parts = [part for part in error.field.split(".") if part != "tiers" and not part.isdigit()]
    return (parts or [error.field])[0]


def _words(error: InvalidInputError) -> str:
    data = error.data
    match error.code:
        case "required":
            return _("Give it a name.")
        case "too_long":
            return too_long_words(data["over"], data["limit"])
        case "range" if error.field.endswith("_minor"):
            return _("At most %(money)s.", money=format_money(data["most"]))
        case "range" if error.field.endswith("sound_volume"):
            return _("From %(least)s to %(most)s.", least=0, most=100)
        case "range":
            return _("From %(least)s to %(most)s.", least=data["least"], most=data["most"])
        case "below_least":
            return _("This is below the least.")
        case "before_start":
            return _("The end comes after the start.")
        case "too_many" if error.field.endswith("gif_urls"):
            return ngettext("%(num)s picture at most.", "%(num)s pictures at most.", GIFS_MAX)
        case "too_many":
            return ngettext("%(num)s level at most.", "%(num)s levels at most.", data["limit"])
        case "not_yours" | "wrong_kind":
            return _("This file is not there any more. Choose another one.")
    return _("This cannot be used here.")


def _roubles(typed: Typed, name: str, errors: dict[str, str]) -> int | None:
    minor = _amount(typed, name, errors, is_required=True)
    if minor is not None and minor % 100:
        errors[name] = _("Whole roubles, please.")
    return minor


def _amount(typed: Typed, name: str, errors: dict[str, str], *, is_required: bool = False) -> int | None:
    text = typed[name].strip()
    if not text and not is_required:
        return None
    minor = parse_amount(text)
    if minor is None:
        errors[name] = _("We do not understand this amount. Write it as 100 or 99.50.")
    return minor


def _whole(typed: Typed, name: str, otherwise: int, errors: dict[str, str]) -> int:
    text = typed[name].strip()
    if text.isascii() and text.isdecimal() and len(text) < 6:
        return int(text)
    errors[name] = _("A whole number, please.")
    return otherwise


def _seconds(typed: Typed, name: str, errors: dict[str, str]) -> float | None:
    text = typed[name].strip()
    if not text:
        return None
    if not _DECIMAL.fullmatch(text):
        errors[name] = _("Seconds, please, as 1.5.")
        return None
    return float(text.replace(",", "."))


def _text(typed: str) -> str:
    # Browsers send line ends as two characters.
    return typed.replace("\r\n", "\n").strip()


def _decimal(seconds: float) -> str:
    return f"{seconds:g}".replace(".", ",") if seconds else ""


def _yes(is_so: bool) -> str:
    return "yes" if is_so else ""
