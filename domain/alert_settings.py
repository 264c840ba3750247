"""A streamer's alert settings as they are stored: read, saved, and changed level by level.

Each change reads what is stored, under the streamer's lock, and writes the whole: of two at once the second sees the
first's. The data is in `domain/alert_tiers.py`, the rules in `domain/alert_checks.py`.
"""

import secrets
from collections.abc import Collection
from dataclasses import fields, replace
from typing import Any

from domain import moderation_settings
from domain.alert_checks import GIFS_MAX, check_media, check_settings, check_tier, check_tier_media, list_media
from domain.alert_tiers import AlertSettings, Element, Tier, choose_tier, decode_tier, default_tiers, encode_tiers
from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from infra import queries

__all__ = [
    "AlertSettings",
    "Element",
    "Tier",
    "add_gif",
    "add_tier",
    "choose_tier",
    "get_locked_settings",
    "get_settings",
    "remove_gif",
    "remove_tier",
    "reset_settings",
    "save_settings",
    "update_tier",
]

# Columns of `alert_settings` that are stored as they are.
_PLAIN = (
    "alerts_enabled",
    "show_anonymous",
    "min_amount_for_alert_minor",
    "sound_enabled",
    "sound_volume",
    "sound_file_url",
    "visual_enabled",
    "alert_duration",
    "text_color",
    "background_color",
    "font_size",
    "donation_text_template",
    "anonymous_text_template",
)


async def get_settings(connection: Any, streamer_id: int) -> AlertSettings:
    """The defaults where she chose nothing, named in her account's language. Raises NotFoundError("streamer")."""
    row = await queries.alert_settings.get_settings(connection, streamer_id=streamer_id)
    if row is None:
        raise NotFoundError("streamer")
    chosen: dict[str, Any] = {"tiers": default_tiers(row["locale"])}
    if row["tiers"] is not None:
        chosen = {name: row[name] for name in _PLAIN} | {"tiers": tuple(decode_tier(tier) for tier in row["tiers"])}
    return AlertSettings(
        streamer_id=row["streamer_id"],
        owner_id=row["owner_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        min_display_time=row["alert_min_seconds"],
        max_display_time=row["alert_max_seconds"],
        banned_words="\n".join(row["words"]),
        **chosen,
    )


async def save_settings(
    connection: Any, streamer_id: int, settings: AlertSettings, own_urls: Collection[str] = ()
) -> None:
    """All of it. `own_urls` are the streamer's uploads; what is stored already may stay, even if its file is gone.

    Raises InvalidInputError, see `domain.alert_checks` (and `moderation_settings.set_words` for "banned_words").
    """
    check_settings(settings)
    saved = await get_locked_settings(connection, streamer_id)
    check_media(settings, {*own_urls, *(url for _, url in list_media(saved))})
    if settings.banned_words.strip() != saved.banned_words:
        await moderation_settings.set_words(connection, streamer_id, _words(settings.banned_words))
    await queries.alert_settings.set_limits(
        connection,
        streamer_id=streamer_id,
        least_seconds=settings.min_display_time,
        most_seconds=settings.max_display_time,
    )
    await _write(connection, streamer_id, settings)


async def reset_settings(connection: Any, streamer_id: int) -> AlertSettings:
    """Back to what she had before she chose anything; her words of moderation stay. Returns what holds now."""
    await get_locked_settings(connection, streamer_id)
    defaults = {field.name: field.default for field in fields(AlertSettings)}
    await queries.alert_settings.delete_settings(connection, streamer_id=streamer_id)
    await queries.alert_settings.set_limits(
        connection,
        streamer_id=streamer_id,
        least_seconds=defaults["min_display_time"],
        most_seconds=defaults["max_display_time"],
    )
    return await get_settings(connection, streamer_id)


# Levels.


def new_tier_id() -> str:
    return f"tier-{secrets.token_hex(6)}"


async def add_tier(connection: Any, streamer_id: int, tier: Tier, own_urls: Collection[str] = ()) -> Tier:
    """As the last of the levels. Raises InvalidInputError: of `check_tier`, "id" "taken", "tiers" "too_many"."""
    check_tier(tier)
    settings = await get_locked_settings(connection, streamer_id)
    check_tier_media(tier, own_urls)
    if any(other.id == tier.id for other in settings.tiers):
        raise InvalidInputError("id", "taken")
    await _write_tiers(connection, settings, (*settings.tiers, tier))
    return tier


async def update_tier(connection: Any, streamer_id: int, tier: Tier, own_urls: Collection[str] = ()) -> Tier:
    """The level with its id becomes this one. Raises NotFoundError("tier") and InvalidInputError of `check_tier`."""
    check_tier(tier)
    settings = await get_locked_settings(connection, streamer_id)
    get_tier(settings, tier.id)
    check_tier_media(tier, {*own_urls, *(url for _, url in list_media(settings))})
    await _replace_tier(connection, settings, tier)
    return tier


async def remove_tier(connection: Any, streamer_id: int, tier_id: str) -> None:
    """Raises NotFoundError("tier"), NotAllowedError("last_tier")."""
    settings = await get_locked_settings(connection, streamer_id)
    get_tier(settings, tier_id)
    if len(settings.tiers) == 1:
        raise NotAllowedError("last_tier")
    await _write_tiers(connection, settings, tuple(tier for tier in settings.tiers if tier.id != tier_id))


async def add_gif(connection: Any, streamer_id: int, tier_id: str, gif_url: str, own_urls: Collection[str]) -> Tier:
    """One that is there already stays once. Raises NotFoundError("tier"), InvalidInputError("gif_url", "not_yours" |
    "too_many")."""
    settings = await get_locked_settings(connection, streamer_id)
    tier = get_tier(settings, tier_id)
    if gif_url in tier.gif_urls:
        return tier
    if gif_url not in own_urls:
        raise InvalidInputError("gif_url", "not_yours")
    if len(tier.gif_urls) >= GIFS_MAX:
        raise InvalidInputError("gif_url", "too_many", limit=GIFS_MAX)
    return await _replace_tier(connection, settings, replace(tier, gif_urls=(*tier.gif_urls, gif_url)))


async def remove_gif(connection: Any, streamer_id: int, tier_id: str, gif_url: str) -> Tier:
    """Raises NotFoundError("tier" | "gif")."""
    settings = await get_locked_settings(connection, streamer_id)
    tier = get_tier(settings, tier_id)
    if gif_url not in tier.gif_urls:
        raise NotFoundError("gif")
    left = tuple(url for url in tier.gif_urls if url != gif_url)
    return await _replace_tier(connection, settings, replace(tier, gif_urls=left))


def get_tier(settings: AlertSettings, tier_id: str) -> Tier:
    """Raises NotFoundError("tier")."""
    for tier in settings.tiers:
        if tier.id == tier_id:
            return tier
    raise NotFoundError("tier")


async def get_locked_settings(connection: Any, streamer_id: int) -> AlertSettings:
    """For who changes some of it: another waits until the transaction's end. Raises NotFoundError("streamer")."""
    await queries.profiles.lock_streamer(connection, streamer_id=streamer_id)
    return await get_settings(connection, streamer_id)


async def _replace_tier(connection: Any, settings: AlertSettings, tier: Tier) -> Tier:
    await _write_tiers(connection, settings, tuple(tier if other.id == tier.id else other for other in settings.tiers))
    return tier


async def _write_tiers(connection: Any, settings: AlertSettings, tiers: tuple[Tier, ...]) -> None:
    changed = replace(settings, tiers=tiers)
    check_settings(changed)
    await _write(connection, settings.streamer_id, changed)


async def _write(connection: Any, streamer_id: int, settings: AlertSettings) -> None:
    await queries.alert_settings.save_settings(
        connection,
        streamer_id=streamer_id,
        tiers=encode_tiers(settings.tiers),
        **{name: getattr(settings, name) for name in _PLAIN},
    )


def _words(text: str) -> list[str]:
    """A line each, or, as clients of API v1 write them, with commas in one."""
    lines = text.strip().splitlines()
    return lines if len(lines) != 1 else lines[0].split(",")
