"""What a streamer may choose about her alerts. Every check raises InvalidInputError and names the field by its path:
`font_size`, `tiers.2.text_color`, `tiers.2.elements.0.x`; an element's or a level's own check begins at itself.
"""

import math
import re
from collections.abc import Collection, Iterator
from typing import Any

from domain.alert_tiers import ANIMATIONS, AlertSettings, Element, Tier
from domain.errors import InvalidInputError

TIERS_MAX = 20
ELEMENTS_MAX = 20
GIFS_MAX = 10
NAME_MAX_LENGTH = 60
TEMPLATE_MAX_LENGTH = 500
CONTENT_MAX_LENGTH = 300
CONTENTS_MAX_LENGTH = 2_000
"""Of all texts of a level together, so that an alert stays a small message."""
AMOUNT_MOST_MINOR = 9_999_999_999
ELEMENT_TYPES = ("text", "image", "background")
UPLOADS = "/static/uploads/"
_URL_MAX_LENGTH = 300
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_WORD = re.compile(r"[A-Za-z0-9#-]{1,30}")
_HEX = re.compile(r"#[0-9A-Fa-f]{6}")
# What editors of layouts write: with opacity, and as functions of whole numbers.
_COLOUR = re.compile(
    r"transparent|#[0-9A-Fa-f]{3}|#[0-9A-Fa-f]{6}(?:[0-9A-Fa-f]{2})?"
    r"|rgba?\( ?\d{1,3} ?, ?\d{1,3} ?, ?\d{1,3} ?(?:, ?(?:0|1|0?\.\d{1,4}|1\.0{1,4}) ?)?\)"
)

_TIER_RANGES: dict[str, tuple[float, float]] = {
    "min_amount_minor": (0, AMOUNT_MOST_MINOR),
    "max_amount_minor": (0, AMOUNT_MOST_MINOR),
    "sound_volume": (0, 1),
    "sound_start_time": (0, 3600),
    "sound_end_time": (0, 3600),
    "alert_duration": (1, 120),
    "font_size": (8, 200),
}
_ELEMENT_RANGES: dict[str, tuple[float, float]] = {
    "x": (-100, 200),
    "y": (-100, 200),
    "width": (1, 4000),
    "height": (1, 4000),
    "z_index": (-1000, 1000),
    "font_size": (8, 300),
    "border_radius": (0, 2000),
    "padding": (0, 500),
}
_SETTINGS_RANGES: dict[str, tuple[float, float]] = {
    "min_display_time": (1, 60),
    "max_display_time": (1, 120),
    "min_amount_for_alert_minor": (0, AMOUNT_MOST_MINOR),
    "sound_volume": (0, 1),
    "alert_duration": (1, 120),
    "font_size": (8, 200),
}


def check_settings(settings: AlertSettings) -> None:
    """Codes: "required", "too_long" (limit, over), "range" (least, most), "malformed", "unknown", "taken", "too_many"
    (limit), "below_least" (limit), "before_start"."""
    _check_ranges(settings, _SETTINGS_RANGES, "")
    if settings.max_display_time < settings.min_display_time:
        raise InvalidInputError("max_display_time", "below_least", limit=settings.min_display_time)
    for field in ("text_color", "background_color"):
        _check_hex(field, getattr(settings, field))
    for field in ("donation_text_template", "anonymous_text_template"):
        check_text(field, getattr(settings, field), TEMPLATE_MAX_LENGTH)
    if not settings.tiers:
        raise InvalidInputError("tiers", "required")
    if len(settings.tiers) > TIERS_MAX:
        raise InvalidInputError("tiers", "too_many", limit=TIERS_MAX)
    ids: set[str] = set()
    for index, tier in enumerate(settings.tiers):
        check_tier(tier, f"tiers.{index}.")
        if tier.id in ids:
            raise InvalidInputError(f"tiers.{index}.id", "taken")
        ids.add(tier.id)


def check_tier(tier: Tier, path: str = "") -> None:
    """One level by itself; codes as of `check_settings`."""
    if not _ID.fullmatch(tier.id):
        raise InvalidInputError(f"{path}id", "malformed")
    if not tier.name.strip():
        raise InvalidInputError(f"{path}name", "required")
    check_text(f"{path}name", tier.name, NAME_MAX_LENGTH)
    _check_ranges(tier, _TIER_RANGES, path)
    if tier.max_amount_minor is not None and tier.max_amount_minor < tier.min_amount_minor:
        raise InvalidInputError(f"{path}max_amount_minor", "below_least", limit=tier.min_amount_minor)
    if tier.sound_end_time is not None and tier.sound_end_time <= tier.sound_start_time:
        raise InvalidInputError(f"{path}sound_end_time", "before_start")
    for field in ("text_color", "background_color"):
        _check_hex(f"{path}{field}", getattr(tier, field))
    if tier.highlight_color is not None:
        _check_hex(f"{path}highlight_color", tier.highlight_color)
    if tier.animation_type not in ANIMATIONS:
        raise InvalidInputError(f"{path}animation_type", "unknown")
    for field in ("icon", "color"):
        if not _WORD.fullmatch(getattr(tier, field)):
            raise InvalidInputError(f"{path}{field}", "malformed")
    check_text(f"{path}text_template", tier.text_template, TEMPLATE_MAX_LENGTH)
    if len(tier.gif_urls) > GIFS_MAX:
        raise InvalidInputError(f"{path}gif_urls", "too_many", limit=GIFS_MAX)
    _check_elements(tier.elements or (), path)


def _check_elements(elements: tuple[Element, ...], path: str) -> None:
    if len(elements) > ELEMENTS_MAX:
        raise InvalidInputError(f"{path}elements", "too_many", limit=ELEMENTS_MAX)
    written = sum(len(element.content or "") for element in elements)
    if written > CONTENTS_MAX_LENGTH:
        raise InvalidInputError(
            f"{path}elements", "too_long", limit=CONTENTS_MAX_LENGTH, over=written - CONTENTS_MAX_LENGTH
        )
    ids: set[str] = set()
    for index, element in enumerate(elements):
        place = f"{path}elements.{index}."
        if not _ID.fullmatch(element.id):
            raise InvalidInputError(f"{place}id", "malformed")
        if element.id in ids:
            raise InvalidInputError(f"{place}id", "taken")
        ids.add(element.id)
        if element.type not in ELEMENT_TYPES:
            raise InvalidInputError(f"{place}type", "unknown")
        _check_ranges(element, _ELEMENT_RANGES, place)
        check_text(f"{place}content", element.content or "", CONTENT_MAX_LENGTH)
        for field in ("color", "background_color"):
            colour = getattr(element, field)
            if colour is not None and not _COLOUR.fullmatch(colour):
                raise InvalidInputError(f"{place}{field}", "malformed")


def check_text(field: str, text: str, limit: int) -> None:
    """Of a streamer's own words: not too long, and nothing that is no text (it could not be stored)."""
    if len(text) > limit:
        raise InvalidInputError(field, "too_long", limit=limit, over=len(text) - limit)
    if any((c < " " and c not in "\n\r\t") or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in text):
        raise InvalidInputError(field, "malformed")


def check_media(settings: AlertSettings, allowed_urls: Collection[str]) -> None:
    """Pictures and sounds are the streamer's own uploads. Raises InvalidInputError(path, "not_yours")."""
    for path, url in list_media(settings):
        _check_url(path, url, allowed_urls)


def check_tier_media(tier: Tier, allowed_urls: Collection[str]) -> None:
    for path, url in list_tier_media(tier):
        _check_url(path, url, allowed_urls)


def list_media(settings: AlertSettings) -> Iterator[tuple[str, str]]:
    """The path and address of every picture and sound that is used."""
    if settings.sound_file_url is not None:
        yield "sound_file_url", settings.sound_file_url
    for index, tier in enumerate(settings.tiers):
        yield from ((f"tiers.{index}.{path}", url) for path, url in list_tier_media(tier))


def list_tier_media(tier: Tier) -> Iterator[tuple[str, str]]:
    for field in ("sound_file_url", "gif_url"):
        if (url := getattr(tier, field)) is not None:
            yield field, url
    for index, url in enumerate(tier.gif_urls):
        yield f"gif_urls.{index}", url
    for index, element in enumerate(tier.elements or ()):
        if element.image_url is not None:
            yield f"elements.{index}.image_url", element.image_url


def _check_url(path: str, url: str, allowed_urls: Collection[str]) -> None:
    if not url.startswith(UPLOADS) or len(url) > _URL_MAX_LENGTH or url not in allowed_urls:
        raise InvalidInputError(path, "not_yours")


def _check_ranges(data: Any, ranges: dict[str, tuple[float, float]], path: str) -> None:
    for field, (least, most) in ranges.items():
        value = getattr(data, field)
        if value is not None and not (math.isfinite(value) and least <= value <= most):
            raise InvalidInputError(f"{path}{field}", "range", least=least, most=most)


def _check_hex(field: str, colour: str) -> None:
    if not _HEX.fullmatch(colour):
        raise InvalidInputError(field, "malformed")
