"""How a streamer's page looks and what it asks for; the public list of streamers, and who is featured on it."""

from dataclasses import dataclass
from typing import Any

from domain.errors import InvalidInputError, NotFoundError
from domain.streamers import Streamer
from domain.text import clean_message
from infra import queries

ABOUT_MAX_LENGTH = 500
THANKS_MAX_LENGTH = 300
PRESETS_MAX = 6
MESSAGE_MAX_LENGTH = 1000
AMOUNT_LEAST_MINOR = 1000
"""SBP takes no less than 10 ₽."""
AMOUNT_MOST_MINOR = 100_000_000


@dataclass(frozen=True)
class Look:
    """What strangers see of a streamer. Pictures by the SHA-256 of their content, "" without one."""

    slug: str
    display_name: str
    about: str
    links: tuple[str, ...]
    thanks: str
    accent: str
    """Six hexadecimal digits as she chose them (`domain.colours.accent_of` corrects them), or ""."""
    avatar: str
    banner: str


@dataclass(frozen=True)
class Profile:
    """What she may set about her page, beside its address and pictures. Amounts in kopecks."""

    display_name: str
    about: str
    links: tuple[str, ...]
    thanks: str
    accent: str
    min_amount_minor: int
    max_amount_minor: int
    preset_amounts_minor: tuple[int, ...]
    message_max_length: int
    time_zone: str
    is_listed: bool


@dataclass(frozen=True)
class Listed:
    """A line of the public list."""

    id: int
    slug: str
    display_name: str
    about: str
    is_featured: bool
    avatar: str


# Rules.


def clean_text(field: str, text: str, limit: int) -> str:
    """Several lines of text. Raises InvalidInputError(field, "too_long", limit=…, over=…)."""
    cleaned = clean_message(text)
    if len(cleaned) > limit:
        raise InvalidInputError(field, "too_long", limit=limit, over=len(cleaned) - limit)
    return cleaned


def check_limits(min_amount_minor: int, max_amount_minor: int) -> None:
    """Raises InvalidInputError: `min_amount` or `max_amount` with "too_small", "too_large" or "below_least"."""
    if min_amount_minor < AMOUNT_LEAST_MINOR:
        raise InvalidInputError("min_amount", "too_small", limit=AMOUNT_LEAST_MINOR)
    if max_amount_minor > AMOUNT_MOST_MINOR:
        raise InvalidInputError("max_amount", "too_large", limit=AMOUNT_MOST_MINOR)
    if max_amount_minor < min_amount_minor:
        raise InvalidInputError("max_amount", "below_least", limit=min_amount_minor)


def check_preset(amount_minor: int, min_amount_minor: int, max_amount_minor: int) -> None:
    """Raises InvalidInputError("presets", …): a ready amount that the page itself would refuse."""
    if amount_minor < min_amount_minor:
        raise InvalidInputError("presets", "too_small", amount=amount_minor, limit=min_amount_minor)
    if amount_minor > max_amount_minor:
        raise InvalidInputError("presets", "too_large", amount=amount_minor, limit=max_amount_minor)


# One streamer.


async def streamer_look(connection: Any, streamer_id: int) -> Look:
    """Raises NotFoundError("streamer")."""
    row = await queries.profiles.get_look(connection, streamer_id=streamer_id)
    if row is None:
        raise NotFoundError("streamer")
    return Look(**{**row, "links": tuple(row["links"])})


async def read_profile(connection: Any, streamer: Streamer) -> tuple[Profile, Look]:
    look = await streamer_look(connection, streamer.id)
    profile = Profile(
        display_name=streamer.display_name,
        about=streamer.about,
        links=look.links,
        thanks=look.thanks,
        accent=look.accent,
        min_amount_minor=streamer.min_amount_minor,
        max_amount_minor=streamer.max_amount_minor,
        preset_amounts_minor=streamer.preset_amounts_minor,
        message_max_length=streamer.message_max_length,
        time_zone=streamer.time_zone,
        is_listed=await queries.profiles.is_listed(connection, streamer_id=streamer.id),
    )
    return profile, look


async def lock_profile(connection: Any, streamer_id: int) -> None:
    """What is read after it stays as read until the end of the transaction."""
    await queries.profiles.lock_streamer(connection, streamer_id=streamer_id)


async def save_profile(connection: Any, streamer_id: int, profile: Profile) -> None:
    """Its values have passed the rules; the table refuses those that have not."""
    values = {**vars(profile), "links": list(profile.links)}
    values["preset_amounts_minor"] = list(profile.preset_amounts_minor)
    await queries.profiles.save_profile(connection, streamer_id=streamer_id, **values)


# The list.


async def list_public(
    connection: Any,
    *,
    search: str = "",
    after_id: int | None = None,
    only_featured: bool = False,
    with_tests: bool = False,
    skip: int = 0,
    limit: int,
) -> list[Listed]:
    """Those who want to be found, can receive money and are not blocked; the featured first, then by name.

    `with_tests`: those, too, who can only try it out. `skip`: how many of them to leave out first.
    """
    rows = queries.profiles.list_public(
        connection,
        search=search,
        after_id=after_id,
        only_featured=only_featured,
        with_tests=with_tests,
        skip=skip,
        limit=limit,
    )
    return [Listed(**row) async for row in rows]


async def list_all(connection: Any, *, search: str = "", after_id: int | None = None, limit: int) -> list[Any]:
    """Every streamer by name with what an operator wants to know, `search` in name, address and e-mail."""
    rows = queries.profiles.list_all(connection, search=search, after_id=after_id, limit=limit)
    return [row async for row in rows]


async def list_featured(connection: Any) -> list[Any]:
    """In their order, also those who are not shown now."""
    return [row async for row in queries.profiles.list_featured(connection)]


async def feature(connection: Any, streamer_id: int, *, is_featured: bool) -> None:
    """Put a streamer last among the featured, or take her out. Twice is as good as once."""
    await queries.profiles.lock_featured(connection)
    ids = [row["id"] for row in await list_featured(connection)]
    if is_featured and streamer_id not in ids:
        ids.append(streamer_id)
    elif not is_featured and streamer_id in ids:
        ids.remove(streamer_id)
        await queries.profiles.set_featured_place(connection, streamer_id=streamer_id, place=None)
    await _number(connection, ids)


async def move_featured(connection: Any, streamer_id: int, *, is_up: bool) -> None:
    """One place up or down; at the end of the list, or when she is not featured (any more), nothing happens."""
    await queries.profiles.lock_featured(connection)
    ids = [row["id"] for row in await list_featured(connection)]
    if streamer_id not in ids:
        return
    place = ids.index(streamer_id)
    other = place - 1 if is_up else place + 1
    if 0 <= other < len(ids):
        ids[place], ids[other] = ids[other], ids[place]
    await _number(connection, ids)


async def _number(connection: Any, ids: list[int]) -> None:
    for place, streamer_id in enumerate(ids, 1):
        await queries.profiles.set_featured_place(connection, streamer_id=streamer_id, place=place)
