"""Streamers: who receives, under which address, and with which limits."""

import re
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.errors import InvalidInputError, NotFoundError
from domain.users import User
from infra import queries

DISPLAY_NAME_MAX_LENGTH = 60
DEFAULT_TIME_ZONE = "Europe/Moscow"
SLUGS_MAX = 10
"""How many names one page may have had: each is kept from all others for good."""

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")

RESERVED_SLUGS = frozenset(
    [
        "about",
        "account",
        "admin",
        "alerts",
        "api",
        "app",
        "assets",
        "auth",
        "billing",
        "blog",
        "bot",
        "control",
        "dashboard",
        "docs",
        "donate",
        "donation",
        "donations",
        "embed",
        "faq",
        "goal",
        "goals",
        "health",
        "help",
        "home",
        "legal",
        "login",
        "logout",
        "me",
        "media",
        "moderation",
        "new",
        "notifications",
        "overlay",
        "overlays",
        "pay",
        "payment",
        "payments",
        "privacy",
        "profile",
        "register",
        "registration",
        "root",
        "settings",
        "sign-in",
        "sign-out",
        "sign-up",
        "socket",
        "static",
        "stats",
        "status",
        "streamcash",
        "streamer",
        "streamers",
        "support",
        "system",
        "terms",
        "test",
        "widget",
        "widgets",
        "www",
    ]
)
"""Names that are, or may become, addresses of our own, or could pass for us."""


@dataclass(frozen=True)
class Streamer:
    """Amounts in kopecks, times in seconds, `time_zone` by its IANA name."""

    id: int
    owner_id: int
    slug: str
    display_name: str
    about: str
    time_zone: str
    currency: str
    min_amount_minor: int
    max_amount_minor: int
    preset_amounts_minor: tuple[int, ...]
    message_max_length: int
    alert_min_seconds: int
    alert_max_seconds: int
    overlay_return_seconds: int


# Rules.


def may_manage(user: User, streamer: Streamer) -> bool:
    """The owner may, and a superuser."""
    return user.id == streamer.owner_id or user.is_superuser


def clean_slug(text: str) -> str:
    """The name in a streamer's addresses. Raises InvalidInputError("slug", …)."""
    slug = text.strip().lower()
    if not _SLUG.fullmatch(slug):
        raise InvalidInputError("slug", "malformed")
    if slug in RESERVED_SLUGS:
        raise InvalidInputError("slug", "reserved")
    return slug


def clean_display_name(text: str) -> str:
    """Raises InvalidInputError("display_name", …)."""
    name = " ".join(text.split())
    if not name:
        raise InvalidInputError("display_name", "required")
    if len(name) > DISPLAY_NAME_MAX_LENGTH:
        raise InvalidInputError("display_name", "too_long", limit=DISPLAY_NAME_MAX_LENGTH)
    if not name.isprintable():
        raise InvalidInputError("display_name", "malformed")
    return name


def check_time_zone(name: str) -> None:
    """Raises InvalidInputError("time_zone", "unknown")."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInputError("time_zone", "unknown") from error


# Streamers.


def _streamer(row: Any) -> Streamer | None:
    if row is None:
        return None
    values = dict(row)
    values["preset_amounts_minor"] = tuple(values["preset_amounts_minor"])
    return Streamer(**values)


def _found(streamer: Streamer | None) -> Streamer:
    if streamer is None:
        raise NotFoundError("streamer")
    return streamer


async def get_streamer(connection: Any, streamer_id: int) -> Streamer:
    """Raises NotFoundError("streamer")."""
    return _found(_streamer(await queries.streamers.get_streamer(connection, streamer_id=streamer_id)))


async def get_by_slug(connection: Any, slug: str) -> Streamer:
    """Raises NotFoundError("streamer")."""
    return _found(await find_by_slug(connection, slug))


async def find_by_slug(connection: Any, slug: str) -> Streamer | None:
    if not _SLUG.fullmatch(slug):
        return None
    return _streamer(await queries.streamers.find_by_slug(connection, slug=slug))


async def is_open(connection: Any, streamer_id: int) -> bool:
    """Whether there is a page for donors: its owner is neither blocked nor gone."""
    return bool(await queries.streamers.is_open(connection, streamer_id=streamer_id))


async def find_by_any_slug(connection: Any, slug: str) -> Streamer | None:
    """By the name the page has, or one it had before."""
    if not _SLUG.fullmatch(slug):
        return None
    streamer_id = await queries.streamers.find_slug_owner(connection, slug=slug)
    return None if streamer_id is None else await get_streamer(connection, streamer_id)


async def find_by_owner(connection: Any, user_id: int) -> Streamer | None:
    return _streamer(await queries.streamers.find_by_owner(connection, user_id=user_id))


async def create_streamer(
    connection: Any, owner_id: int, slug: str, display_name: str, time_zone: str = DEFAULT_TIME_ZONE
) -> Streamer:
    """A user's page. Raises InvalidInputError: `slug`, `display_name` or `time_zone` not right or taken,
    `owner` with the code "has_streamer" when the user has one."""
    slug = clean_slug(slug)
    display_name = clean_display_name(display_name)
    check_time_zone(time_zone)
    row = await queries.streamers.insert_streamer(
        connection, owner_id=owner_id, slug=slug, display_name=display_name, time_zone=time_zone
    )
    if row is None:
        taken = await queries.streamers.find_slug_owner(connection, slug=slug) is not None
        raise InvalidInputError("slug", "taken") if taken else InvalidInputError("owner", "has_streamer")
    return _found(_streamer(row))


async def check_new_slug(connection: Any, streamer: Streamer, slug: str) -> str:
    """The name as it would be kept: her own, one she had before, or one that nobody ever had.

    Raises InvalidInputError("slug", …): "malformed", "reserved", "taken", or "too_many" (with `limit`)."""
    slug = slug.strip().lower()
    if slug == streamer.slug:
        # A name from before it became reserved stays hers.
        return slug
    slug = clean_slug(slug)
    owner = await queries.streamers.find_slug_owner(connection, slug=slug)
    if owner not in (None, streamer.id):
        raise InvalidInputError("slug", "taken")
    if owner is None and await queries.streamers.count_slugs(connection, streamer_id=streamer.id) >= SLUGS_MAX:
        raise InvalidInputError("slug", "too_many", limit=SLUGS_MAX)
    return slug


async def change_slug(connection: Any, streamer: Streamer, slug: str) -> None:
    """Another name for the page; the one it had goes on leading to it. `slug` has passed `check_new_slug`.

    Raises asyncpg.UniqueViolationError when somebody else took the name in this very moment."""
    if slug != streamer.slug:
        await queries.streamers.set_slug(connection, streamer_id=streamer.id, slug=slug)


async def list_former_slugs(connection: Any, streamer_id: int) -> list[str]:
    """The names that still lead here, the newest first."""
    return [row["slug"] async for row in queries.streamers.list_former_slugs(connection, streamer_id=streamer_id)]
