"""Uploaded files and the alert settings that use them."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from domain import media_files
from domain.alert_checks import list_media, list_tier_media
from domain.alert_settings import get_settings
from domain.alert_tiers import AlertSettings
from domain.errors import InvalidInputError, NotAllowedError
from domain.media_files import Kind, MediaFile


def list_uses(settings: AlertSettings) -> dict[str, tuple[str, ...]]:
    """By address, the names of the levels that use it; "" is the sound of levels without one of their own."""
    uses: defaultdict[str, dict[str, None]] = defaultdict(dict)
    if settings.sound_file_url is not None:
        uses[settings.sound_file_url][""] = None
    for tier in settings.tiers:
        for _path, url in list_tier_media(tier):
            uses[url][tier.name] = None
    return {url: tuple(names) for url, names in uses.items()}


def check_kinds(settings: AlertSettings, kinds: Mapping[str, Kind]) -> None:
    """A sound is a sound, a picture a picture. Raises InvalidInputError(path, "wrong_kind").

    `kinds` are the streamer's files (`media_files.list_urls`); whether others may be named is not asked here.
    """
    for path, url in list_media(settings):
        wanted = Kind.AUDIO if path.endswith("sound_file_url") else Kind.IMAGE
        if kinds.get(url, wanted) is not wanted:
            raise InvalidInputError(path, "wrong_kind")


async def delete_unused(connection: Any, streamer_id: int, url: str) -> MediaFile:
    """Raises NotFoundError("media_file"), and NotAllowedError("in_use"), whose `names` are as of `list_uses`."""
    file = await media_files.lock_file(connection, streamer_id, url)
    names = list_uses(await get_settings(connection, streamer_id)).get(url)
    if names:
        raise NotAllowedError("in_use", names=names)
    await media_files.delete_file(connection, file)
    return file
