"""The fields of the donation page's settings: as typed, checked one by one, and what is wrong in words."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from werkzeug.datastructures import MultiDict

from domain import profiles
from domain.colours import clean_colour
from domain.errors import InvalidInputError
from domain.links import LINKS_MAX, clean_link
from domain.profiles import PRESETS_MAX, Profile
from domain.streamers import Streamer, check_time_zone, clean_display_name
from domain.text import clean_name
from web.donate_form import parse_amount
from web.field_words import too_long_words
from web.i18n import _, city_of, format_amount, format_money, ngettext, zone

Value = TypeVar("Value")

DEFAULT_COLOUR = "1f5eff"
"""What the colour's field shows before one is chosen: the site's own."""


@dataclass(frozen=True)
class Typed:
    """What stands in the fields. Links and presets are padded to as many fields as there are."""

    display_name: str
    slug: str
    about: str
    links: tuple[str, ...]
    thanks: str
    has_accent: bool
    accent: str
    min_amount: str
    max_amount: str
    presets: tuple[str, ...]
    message_max_length: str
    time_zone: str
    is_listed: bool


def typed_of(profile: Profile, slug: str) -> Typed:
    """The fields of what is saved."""
    presets = [format_amount(amount) for amount in profile.preset_amounts_minor]
    return Typed(
        display_name=profile.display_name,
        slug=slug,
        about=profile.about,
        links=_padded(list(profile.links), LINKS_MAX),
        thanks=profile.thanks,
        has_accent=bool(profile.accent),
        accent=f"#{profile.accent or DEFAULT_COLOUR}",
        min_amount=format_amount(profile.min_amount_minor),
        max_amount=format_amount(profile.max_amount_minor),
        presets=_padded(presets, PRESETS_MAX),
        message_max_length=str(profile.message_max_length),
        time_zone=profile.time_zone,
        is_listed=profile.is_listed,
    )


def typed_from(fields: MultiDict[str, str]) -> Typed:
    def get(name: str) -> str:
        # Nothing that a person types holds one, and PostgreSQL keeps none.
        return fields.get(name, "").replace("\0", "")

    return Typed(
        display_name=get("display_name"),
        slug=get("slug"),
        about=get("about"),
        links=tuple(get(f"link-{number}") for number in range(1, LINKS_MAX + 1)),
        thanks=get("thanks"),
        has_accent="has_accent" in fields,
        accent=get("accent"),
        min_amount=get("min_amount"),
        max_amount=get("max_amount"),
        presets=tuple(get(f"preset-{number}") for number in range(1, PRESETS_MAX + 1)),
        message_max_length=get("message_max_length"),
        time_zone=get("time_zone"),
        is_listed="is_listed" in fields,
    )


def _padded(texts: list[str], length: int) -> tuple[str, ...]:
    return tuple(texts + [""] * (length - len(texts)))


def check(typed: Typed, saved: Profile) -> tuple[Profile, dict[str, str]]:
    """The profile as typed, and the words for each field that is not right; there it keeps what is saved."""
    errors: dict[str, str] = {}

    def take(field: str, read: Callable[[], Value], fallback: Value) -> Value:
        try:
            return read()
        except InvalidInputError as error:
            errors[field] = words(error)
            return fallback

    profile = replace(
        saved,
        display_name=take(
            "display_name", lambda: clean_display_name(clean_name(typed.display_name)), saved.display_name
        ),
        about=take("about", lambda: profiles.clean_text("about", typed.about, profiles.ABOUT_MAX_LENGTH), saved.about),
        thanks=take(
            "thanks", lambda: profiles.clean_text("thanks", typed.thanks, profiles.THANKS_MAX_LENGTH), saved.thanks
        ),
        accent=take("accent", lambda: clean_colour(typed.accent), saved.accent) if typed.has_accent else "",
        message_max_length=take(
            "message_max_length", lambda: _read_length(typed.message_max_length), saved.message_max_length
        ),
        time_zone=take("time_zone", lambda: _read_time_zone(typed.time_zone), saved.time_zone),
        is_listed=typed.is_listed,
        links=_check_links(typed, errors),
    )
    return _check_amounts(profile, typed, saved, errors), errors


def _check_links(typed: Typed, errors: dict[str, str]) -> tuple[str, ...]:
    links: list[str] = []
    for number, text in enumerate(typed.links, 1):
        try:
            link = clean_link(text) if text.strip() else ""
        except InvalidInputError as error:
            errors[f"link-{number}"] = words(error)
            continue
        if link and link not in links:
            links.append(link)
    return tuple(links)


def _check_amounts(profile: Profile, typed: Typed, saved: Profile, errors: dict[str, str]) -> Profile:
    """The limits first: ready amounts are held against them."""
    least = _read_amount("min_amount", typed.min_amount, errors)
    most = _read_amount("max_amount", typed.max_amount, errors)
    if least is not None and most is not None:
        try:
            profiles.check_limits(least, most)
        except InvalidInputError as error:
            errors[error.field] = words(error)
    if least is None or most is None or errors.keys() & {"min_amount", "max_amount"}:
        least, most = saved.min_amount_minor, saved.max_amount_minor
    presets: list[int] = []
    for number, text in enumerate(typed.presets, 1):
        field = f"preset-{number}"
        amount = _read_amount(field, text, errors) if text.strip() else None
        if amount is None or amount in presets:
            continue
        try:
            profiles.check_preset(amount, least, most)
        except InvalidInputError as error:
            errors[field] = words(error)
            continue
        presets.append(amount)
    return replace(profile, min_amount_minor=least, max_amount_minor=most, preset_amounts_minor=tuple(presets))


def _read_amount(field: str, text: str, errors: dict[str, str]) -> int | None:
    amount = parse_amount(text)
    if amount is None:
        errors[field] = words(InvalidInputError(field, "unclear"))
    return amount


def _read_length(text: str) -> int:
    text = text.strip()
    length = int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else -1
    if not 0 <= length <= profiles.MESSAGE_MAX_LENGTH:
        raise InvalidInputError("message_max_length", "out_of_range", limit=profiles.MESSAGE_MAX_LENGTH)
    return length


def _read_time_zone(name: str) -> str:
    check_time_zone(name)
    return name


def words(error: InvalidInputError) -> str:
    """Beside the field; what a rule says and what to do."""
    data: dict[str, Any] = error.data
    match error.field, error.code:
        case "display_name", "required":
            return _("Write the name that donors know you by.")
        case "display_name", "too_long":
            return _("At most %(limit)s characters.", limit=data["limit"])
        case "slug", "reserved":
            return _("This name is kept for the site itself. Choose another.")
        case "slug", "taken":
            return _("This name is or was another streamer's. Choose another.")
        case "slug", "too_many":
            return ngettext(
                "The page has had %(num)s name already, and all of them still lead here. Go back to one of them.",
                "The page has had %(num)s names already, and all of them still lead here. Go back to one of them.",
                data["limit"],
            )
        case "slug", _code:
            return _("Latin letters, digits, - and _, up to 40, with a letter or digit at both ends.")
        case (("about" | "thanks"), "too_long"):
            return too_long_words(data["over"], data["limit"])
        case "links", "not_https":
            return _("Only addresses that begin with https:// can be shown.")
        case "links", "too_long":
            return _("At most %(limit)s characters.", limit=data["limit"])
        case "links", _code:
            return _("This is not an address we can show. It should be like twitch.tv/anna.")
        case "min_amount", "too_small":
            return _("At least %(amount)s: SBP takes no less.", amount=format_money(data["limit"]))
        case "max_amount", "too_large":
            return _("At most %(amount)s.", amount=format_money(data["limit"]))
        case "max_amount", "below_least":
            return _("Less than the least amount, %(amount)s.", amount=format_money(data["limit"]))
        case "presets", "too_small":
            return _("Less than the least amount, %(amount)s.", amount=format_money(data["limit"]))
        case "presets", "too_large":
            return _("More than the largest amount, %(amount)s.", amount=format_money(data["limit"]))
        case _field, "unclear":
            return _("We can't read this amount. Type it in digits, for example 300 or 300.50.")
        case "message_max_length", _code:
            return _("A number from 0 to %(limit)s.", limit=data["limit"])
        case "accent", _code:
            return _("Choose a colour.")
        case "time_zone", _code:
            return _("Choose a time zone from the list.")
        case "avatar" | "banner", code:
            return _picture_words(code)
    return _("Only characters that can be seen.")


def _picture_words(code: str) -> str:
    match code:
        case "empty":
            return _("The file is empty. Choose another.")
        case "too_heavy":
            return _("Heavier than 5 MB. Make the picture smaller and try again.")
        case "too_many_pixels":
            return _("Too large: at most 40 megapixels. Make the picture smaller and try again.")
        case "too_slow":
            return _("The picture took too long to read. Save it anew as JPEG or PNG and try again.")
    return _("This is not a picture we can read. JPEG, PNG, WebP and GIF will do.")


ZONES = (
    "Europe/Kaliningrad", "Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk", "Asia/Novosibirsk",
    "Asia/Krasnoyarsk", "Asia/Irkutsk", "Asia/Yakutsk", "Asia/Vladivostok", "Asia/Magadan", "Asia/Kamchatka",
    "Europe/Minsk", "Asia/Almaty", "Asia/Tashkent", "Asia/Bishkek", "Asia/Dushanbe", "Asia/Baku", "Asia/Yerevan",
    "Asia/Tbilisi", "Europe/Chisinau", "Europe/Istanbul", "Asia/Nicosia", "Europe/Belgrade", "Europe/Berlin",
    "Europe/London", "Asia/Jerusalem", "Asia/Dubai", "Asia/Bangkok", "Asia/Makassar", "America/New_York",
    "America/Los_Angeles", "UTC",
)  # fmt: skip


def zone_options(current: str) -> list[tuple[str, str]]:
    """Names and words of the zones one can choose, westernmost first; the one in use among them."""
    now = datetime.now(UTC)
    names = ZONES if current in ZONES else (*ZONES, current)
    offsets = {name: now.astimezone(zone(name)).utcoffset() or timedelta() for name in names}
    return [(name, _zone_words(name, offsets[name])) for name in sorted(names, key=lambda name: offsets[name])]


def _zone_words(name: str, offset: timedelta) -> str:
    hours, minutes = divmod(abs(int(offset.total_seconds())) // 60, 60)
    sign = "−" if offset < timedelta() else "+"
    return f"UTC{sign}{hours}{f':{minutes:02}' if minutes else ''} · {city_of(name)}"


def zone_words(name: str) -> str:
    return _zone_words(name, datetime.now(zone(name)).utcoffset() or timedelta())


def with_profile(streamer: Streamer, profile: Profile) -> Streamer:
    """The streamer as she would be with this profile."""
    return replace(
        streamer,
        display_name=profile.display_name,
        about=profile.about,
        min_amount_minor=profile.min_amount_minor,
        max_amount_minor=profile.max_amount_minor,
        preset_amounts_minor=profile.preset_amounts_minor,
        message_max_length=profile.message_max_length,
        time_zone=profile.time_zone,
    )
