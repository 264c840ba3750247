"""A streamer's pictures: kept in the database as we encoded them, known by their SHA-256 (docs/decisions/0025)."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from infra import queries

CONTENT_TYPE = "image/webp"


class Picture(StrEnum):
    AVATAR = "avatar"
    BANNER = "banner"


SIZES = {Picture.AVATAR: (256, 256), Picture.BANNER: (1500, 500)}
"""Width and height in pixels, as they are cut and kept."""


@dataclass(frozen=True)
class Content:
    content: bytes
    content_type: str


async def set_picture(connection: Any, streamer_id: int, picture: Picture, content: bytes) -> str:
    """Show this WebP instead of what was shown; what nothing shows any more is removed. Returns its SHA-256 in hex."""
    media_id = await queries.media.insert_media(
        connection, streamer_id=streamer_id, kind=picture, content_type=CONTENT_TYPE, content=content
    )
    await _show(connection, streamer_id, picture, media_id)
    return hashlib.sha256(content).hexdigest()


async def remove_picture(connection: Any, streamer_id: int, picture: Picture) -> None:
    await _show(connection, streamer_id, picture, None)


async def find_content(connection: Any, sha256: bytes) -> Content | None:
    row = await queries.media.find_content(connection, sha256=sha256)
    return None if row is None else Content(row["content"], row["content_type"])


async def _show(connection: Any, streamer_id: int, picture: Picture, media_id: int | None) -> None:
    match picture:
        case Picture.AVATAR:
            await queries.profiles.set_avatar(connection, streamer_id=streamer_id, media_id=media_id)
        case Picture.BANNER:
            await queries.profiles.set_banner(connection, streamer_id=streamer_id, media_id=media_id)
    await queries.media.delete_unused_pictures(connection, streamer_id=streamer_id)
