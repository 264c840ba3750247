"""What a streamer chooses about her alerts: the data, its defaults, and which level an amount has.

The names are those of API v1 (`AlertSettings`, `AlertTier`, `AlertElement`), amounts in kopecks, other units as there:
durations and sound times in seconds, an element's place in per cent of the source and its sizes in pixels of 1080p.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

TEXT_TEMPLATE = "{donor_name} донатит {amount}₽! {message}"
DONATION_TEXT_TEMPLATE = "{donor_name} задонатил {amount}! Сообщение: {message}"
ANONYMOUS_TEXT_TEMPLATE = "Анонимный донат {amount}! Сообщение: {message}"
TEXT_COLOR = "#FFFFFF"
BACKGROUND_COLOR = "#1F2937"
FONT_SIZE = 24
ANIMATIONS = ("none", "gif", "confetti", "fireworks", "hearts", "sparkles")


@dataclass(frozen=True)
class Element:
    """A text, picture or coloured field at a place of its own: `x`, `y` are where its middle stands."""

    id: str
    type: str
    x: float
    y: float
    width: float | None = None
    height: float | None = None
    visible: bool = True
    z_index: int = 0
    content: str | None = None
    image_url: str | None = None
    font_size: int | None = None
    color: str | None = None
    background_color: str | None = None
    border_radius: int | None = None
    padding: int | None = None


@dataclass(frozen=True)
class Tier:
    """A level. `elements` None: the overlay's own drawing, which a field that has its default leaves as it is."""

    id: str
    name: str
    min_amount_minor: int
    max_amount_minor: int | None = None
    sound_enabled: bool = True
    sound_file_url: str | None = None
    sound_volume: float = 0.5
    sound_start_time: float = 0.0
    sound_end_time: float | None = None
    visual_enabled: bool = True
    alert_duration: int = 5
    text_color: str = TEXT_COLOR
    background_color: str = BACKGROUND_COLOR
    font_size: int = FONT_SIZE
    animation_enabled: bool = False
    animation_type: str = "none"
    gif_urls: tuple[str, ...] = ()
    gif_url: str | None = None
    """From before there could be several; counts where `gif_urls` is empty."""
    text_template: str = TEXT_TEMPLATE
    screen_shake: bool = False
    highlight_color: str | None = None
    icon: str = "Gift"
    color: str = "purple"
    elements: tuple[Element, ...] | None = None


DEFAULT_TIERS = (
    Tier("quiet", "Тихий", 0, sound_volume=1.0),
    Tier("glow", "Свечение", 300_00, sound_volume=1.0),
    Tier("sparks", "Искры", 1_000_00, sound_volume=1.0, animation_enabled=True, animation_type="sparkles"),
    Tier("ribbon", "Лента", 5_000_00, sound_volume=1.0, animation_enabled=True, animation_type="confetti"),
)
"""The four steps that every overlay draws by itself (`domain.alerts.AlertLevel`)."""
_ENGLISH_NAMES = {"quiet": "Quiet", "glow": "Glow", "sparks": "Sparks", "ribbon": "Ribbon"}


def default_tiers(locale: str) -> tuple[Tier, ...]:
    """With names in this language."""
    if locale != "en":
        return DEFAULT_TIERS
    return tuple(replace(tier, name=_ENGLISH_NAMES[tier.id]) for tier in DEFAULT_TIERS)


@dataclass(frozen=True)
class AlertSettings:
    """`min_display_time` and `max_display_time` are the streamer's `alert_min_seconds` and `alert_max_seconds`,
    `banned_words` her own words of moderation, a line each.

    `alerts_enabled`, `show_anonymous`, `min_amount_for_alert_minor`: whether a paid donation is shown at all.
    `sound_enabled`, `visual_enabled`: False is for every level. `sound_file_url`: of levels without one of their own.
    `anonymous_text_template` is the text of a donation without a name, unless it is the default.
    The other fields are the level of an amount that no level has.
    """

    streamer_id: int
    owner_id: int
    created_at: datetime
    updated_at: datetime | None = None
    alerts_enabled: bool = True
    tiers: tuple[Tier, ...] = DEFAULT_TIERS
    show_anonymous: bool = True
    banned_words: str = ""
    min_display_time: int = 5
    max_display_time: int = 25
    min_amount_for_alert_minor: int | None = 10_00
    sound_enabled: bool = True
    sound_volume: float = 0.5
    sound_file_url: str | None = None
    visual_enabled: bool = True
    alert_duration: int = 5
    text_color: str = TEXT_COLOR
    background_color: str = BACKGROUND_COLOR
    font_size: int = FONT_SIZE
    donation_text_template: str = DONATION_TEXT_TEMPLATE
    anonymous_text_template: str = ANONYMOUS_TEXT_TEMPLATE


def choose_tier(settings: AlertSettings, amount_minor: int) -> Tier | None:
    """The level that begins highest, of those that reach the amount and do not end below it; of equals the first.

    The database's `tier_of` says the same of what is stored.
    """
    reached = [
        tier
        for tier in settings.tiers
        if tier.min_amount_minor <= amount_minor
        and (tier.max_amount_minor is None or tier.max_amount_minor >= amount_minor)
    ]
    return max(reached, key=lambda tier: tier.min_amount_minor, default=None)


def encode_tiers(tiers: Iterable[Tier]) -> list[dict[str, Any]]:
    return [asdict(tier) for tier in tiers]


def decode_tier(stored: Mapping[str, Any]) -> Tier:
    """What an older version stored lacks fields, a newer one's has more."""
    known = {field.name: stored[field.name] for field in fields(Tier) if field.name in stored}
    known["gif_urls"] = tuple(known.get("gif_urls") or ())
    if known.get("elements") is not None:
        known["elements"] = tuple(_decode_element(element) for element in known["elements"])
    return Tier(**known)


def _decode_element(stored: Mapping[str, Any]) -> Element:
    return Element(**{field.name: stored[field.name] for field in fields(Element) if field.name in stored})


# As API v1 writes it, in answers, in errors and in frames of its WebSockets.


def v1_name(field: str) -> str:
    """Of an element's field: in camel case, which v1 has nowhere else."""
    first, *others = field.split("_")
    return first + "".join(word.capitalize() for word in others)


def v1_tier(tier: Tier) -> dict[str, Any]:
    """A level as v1's `AlertTier`, with amounts in whole roubles."""
    fields = dict(vars(tier))
    least, most = fields.pop("min_amount_minor"), fields.pop("max_amount_minor")
    return {
        **fields,
        "gif_urls": list(tier.gif_urls),
        "min_amount": least // 100,
        "max_amount": None if most is None else most // 100,
        "elements": None if tier.elements is None else [_v1_element(element) for element in tier.elements],
    }


def _v1_element(element: Element) -> dict[str, Any]:
    return {v1_name(name): value for name, value in vars(element).items()}
