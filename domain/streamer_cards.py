"""A streamer's page as API v1 shows it, with what only clients of the first version keep there."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.errors import InvalidInputError, NotFoundError
from domain.profiles import Profile, check_limits
from domain.text import clean_name
from infra import queries

STREAM_TITLE_MAX_LENGTH = 200
SETTINGS_MAX_LENGTH = 20_000
GOAL_MOST_MINOR = 100_000_000_000


@dataclass(frozen=True)
class StreamerCard:
    """Amounts in kopecks; `avatar` by the SHA-256 of the page's picture, "" without one; `current_donations_minor`:
    what donations brought, less refunds."""

    id: int
    user_id: int
    slug: str
    display_name: str
    about: str
    min_amount_minor: int
    max_amount_minor: int
    created_at: datetime
    is_featured: bool
    is_verified: bool
    current_donations_minor: int
    stream_title: str | None
    donation_goal_minor: int
    widget_settings: str | None
    alert_settings: str | None
    payment_settings_encrypted: str | None = field(repr=False)
    updated_at: datetime | None
    username: str
    full_name: str | None
    avatar_url: str | None
    avatar: str


@dataclass(frozen=True)
class Extras:
    """What a client keeps with the page. Texts of settings are its own: we store and give them back."""

    stream_title: str | None = None
    donation_goal_minor: int = 0
    widget_settings: str | None = None
    alert_settings: str | None = None
    payment_settings_encrypted: str | None = field(default=None, repr=False)


def clean_stream_title(text: str) -> str | None:
    """Raises InvalidInputError("stream_title", "too_long")."""
    title = clean_name(text)
    if len(title) > STREAM_TITLE_MAX_LENGTH:
        raise InvalidInputError("stream_title", "too_long", limit=STREAM_TITLE_MAX_LENGTH)
    return title or None


def with_limits(profile: Profile, min_amount_minor: int, max_amount_minor: int) -> dict[str, Any]:
    """The limits and the ready amounts that still fit within them. Raises InvalidInputError as `check_limits` does."""
    check_limits(min_amount_minor, max_amount_minor)
    presets = tuple(amount for amount in profile.preset_amounts_minor if min_amount_minor <= amount <= max_amount_minor)
    return {
        "min_amount_minor": min_amount_minor,
        "max_amount_minor": max_amount_minor,
        "preset_amounts_minor": presets,
    }


async def get_card(connection: Any, streamer_id: int) -> StreamerCard:
    """Raises NotFoundError("streamer")."""
    cards = await list_cards(connection, [streamer_id])
    if not cards:
        raise NotFoundError("streamer")
    return cards[0]


async def list_cards(connection: Any, ids: list[int]) -> list[StreamerCard]:
    """In the order of the ids."""
    return [StreamerCard(**row) async for row in queries.streamer_cards.list_cards(connection, ids=ids)]


async def read_extras(connection: Any, streamer_id: int) -> Extras:
    row = await queries.streamer_cards.get_extras(connection, streamer_id=streamer_id)
    return Extras() if row is None else Extras(**row)


async def save_extras(connection: Any, streamer_id: int, extras: Extras) -> None:
    await queries.streamer_cards.save_extras(connection, streamer_id=streamer_id, **vars(extras))
