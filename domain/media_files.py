"""Pictures and sounds that a streamer uploads for her alerts (docs/decisions/0040).

    add_file ──▶ waiting ──finish──▶ ready
                 │  ▲ └────refuse──▶ refused
                 └──┘ claim, let_go

What comes is kept until an actor has looked at it (`tasks/media_files.py`); what is served is what the actor wrote.
A file that is shown is never changed, so its address may be cached for good. The same bytes are kept once.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain import outbox
from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.events import Actor
from domain.text import clean_name
from infra import queries

_sql = queries.media_files

URL_PREFIX = "/static/uploads/"
FILES_MAX = 200
BYTES_MAX = 200 * 1024 * 1024
"""Of one streamer, all files together."""
NAME_MAX_LENGTH = 100
MOST_TRIES = 3
HELD_SECONDS = 120.0
"""As long as the actor may take."""


class Kind(StrEnum):
    IMAGE = "image"
    AUDIO = "audio"


class FileState(StrEnum):
    WAITING = "waiting"
    READY = "ready"
    REFUSED = "refused"


SIZE_MAX = {Kind.IMAGE: 20 * 1024 * 1024, Kind.AUDIO: 10 * 1024 * 1024}
"""Of one file, in bytes."""

EXTENSIONS = {
    "image/gif": "gif",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/ogg": "ogg",
}
"""Content types that are taken, and how their addresses end."""

_URL = re.compile(rf"{URL_PREFIX}([0-9a-f]{{32}})\.({'|'.join(EXTENSIONS.values())})")


@dataclass(frozen=True)
class MediaFile:
    id: int
    public_id: str
    streamer_id: int
    kind: Kind
    content_type: str
    name: str
    state: FileState
    refusal: str
    """Empty, or the code of why it was refused: those of `infra/media_check.py`, and "failed"."""
    size: int
    """In bytes; 0 of one that was refused."""
    width: int | None
    height: int | None
    frames: int | None
    seconds: float | None
    created_at: datetime

    @property
    def url(self) -> str:
        """Where it is served once it is ready."""
        return url_of(self.public_id, self.content_type)


@dataclass(frozen=True)
class Served:
    id: int
    content_type: str
    size: int


@dataclass(frozen=True)
class Found:
    """What a worker says of a file. `content` is what is served."""

    content: bytes
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Job:
    streamer_id: int
    kind: Kind
    content_type: str
    content: bytes


# Rules.


def content_type_of(content: bytes) -> str | None:
    """What the first bytes say; whether the rest holds it is the actor's to find. None: nothing we take."""
    if content[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        return "image/png"
    if content[:3] == b"\xff\xd8\xff":
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] in (b"WEBP", b"WAVE"):
        return "image/webp" if content[8:12] == b"WEBP" else "audio/wav"
    if content[:4] == b"OggS":
        return "audio/ogg"
    if content[:3] == b"ID3" or _begins_as_mp3(content):
        return "audio/mpeg"
    return None


def _begins_as_mp3(content: bytes) -> bool:
    """A frame's header: eleven bits set, layer III, a bit rate and a sample rate that exist."""
    if len(content) < 4 or content[0] != 0xFF or content[1] & 0xE6 != 0xE2:
        return False
    return content[2] & 0xF0 not in (0x00, 0xF0) and content[2] & 0x0C != 0x0C


def kind_of(content_type: str) -> Kind:
    return Kind(content_type.partition("/")[0])


def url_of(public_id: str, content_type: str) -> str:
    return f"{URL_PREFIX}{public_id}.{EXTENSIONS[content_type]}"


def public_id_of(url: str) -> str | None:
    """None: no file of ours could stand there."""
    match = _URL.fullmatch(url)
    return None if match is None else match[1]


# The streamer's side.


async def add_file(connection: Any, streamer_id: int, kind: Kind, name: str, content: bytes) -> MediaFile:
    """Keep what came, and have it looked at; the file there already when the same bytes came before.

    Raises InvalidInputError("file", "empty" | "too_heavy" | "wrong_type"), NotAllowedError("too_many_files") and
    NotAllowedError("too_many_bytes").
    """
    if not content:
        raise InvalidInputError("file", "empty")
    if len(content) > SIZE_MAX[kind]:
        raise InvalidInputError("file", "too_heavy", limit=SIZE_MAX[kind])
    content_type = content_type_of(content)
    if content_type is None or kind_of(content_type) is not kind:
        raise InvalidInputError("file", "wrong_type")
    sha256 = hashlib.sha256(content).digest()
    await _sql.lock_files(connection, streamer_id=streamer_id)
    same = await _sql.find_same(connection, streamer_id=streamer_id, sha256=sha256)
    if same is not None:
        return _file_from(same)
    used = await _sql.sum_up(connection, streamer_id=streamer_id)
    if used["files"] >= FILES_MAX:
        raise NotAllowedError("too_many_files", limit=FILES_MAX)
    if used["bytes"] + len(content) > BYTES_MAX:
        raise NotAllowedError("too_many_bytes", limit=BYTES_MAX)
    # The same bytes come again: of those from before nobody need read any more.
    await _sql.note_told(connection, streamer_id=streamer_id, sha256=sha256)
    row = await _sql.insert_file(
        connection,
        public_id=secrets.token_hex(16),
        streamer_id=streamer_id,
        content_type=content_type,
        name=clean_name(name)[:NAME_MAX_LENGTH],
        sha256=sha256,
        content=content,
    )
    await outbox.add_task(connection, Actor.CHECK_MEDIA_FILE, row["id"])
    return _file_from(row)


async def list_files(connection: Any, streamer_id: int) -> list[MediaFile]:
    """The newest first; without those that were refused and whose uploader knows why."""
    return [_file_from(row) async for row in _sql.list_files(connection, streamer_id=streamer_id)]


async def list_urls(connection: Any, streamer_id: int) -> dict[str, Kind]:
    """The addresses that settings of this streamer may name, and what stands there.

    Inside a transaction the files stay until its end: who writes settings asks here first, in the same transaction.
    """
    rows = _sql.list_ready(connection, streamer_id=streamer_id)
    return {url_of(row["public_id"], row["content_type"]): Kind(row["kind"]) async for row in rows}


async def find_file(connection: Any, streamer_id: int, url: str) -> MediaFile:
    """Raises NotFoundError("media_file"), also for another streamer's."""
    return await _find(_sql.find_file, connection, streamer_id, url)


async def lock_file(connection: Any, streamer_id: int, url: str) -> MediaFile:
    """The same, for who is about to delete it: nobody takes it into use any more until the transaction's end."""
    return await _find(_sql.lock_file, connection, streamer_id, url)


async def delete_file(connection: Any, file: MediaFile) -> None:
    """The caller holds it by `lock_file` and has looked whether anything uses it."""
    await _sql.delete_file(connection, file_id=file.id)


async def note_told(connection: Any, file: MediaFile) -> None:
    """Somebody was told why it was refused. Others may still wait for the same bytes: it goes with the retention."""
    await _sql.note_one_told(connection, file_id=file.id)


async def get_usage(connection: Any, streamer_id: int) -> tuple[int, int]:
    """Files and bytes that count towards FILES_MAX and BYTES_MAX."""
    used = await _sql.sum_up(connection, streamer_id=streamer_id)
    return used["files"], used["bytes"]


async def _find(query: Any, connection: Any, streamer_id: int, url: str) -> MediaFile:
    public_id = public_id_of(url)
    row = None if public_id is None else await query(connection, streamer_id=streamer_id, public_id=public_id)
    if row is None or _file_from(row).url != url:
        raise NotFoundError("media_file")
    return _file_from(row)


# Serving.


async def find_served(connection: Any, url: str) -> Served | None:
    """A file that is ready, for anybody who knows its address."""
    public_id = public_id_of(url)
    row = None if public_id is None else await _sql.find_served(connection, public_id=public_id)
    if row is None or url_of(public_id or "", row["content_type"]) != url:
        return None
    return Served(row["id"], row["content_type"], row["size"])


async def read_part(connection: Any, file_id: int, first: int, count: int) -> bytes | None:
    """`count` bytes from `first` (0 is the beginning) on. None: it was deleted."""
    part: bytes | None = await _sql.get_part(connection, file_id=file_id, first=first, count=count)
    return part


# The worker's side.


async def claim(connection: Any, file_id: int) -> Job | None:
    """Begin to look at it. None: another does, it is over, or that failed too often."""
    row = await _sql.claim(connection, file_id=file_id, most_tries=MOST_TRIES, seconds=HELD_SECONDS)
    if row is None:
        return None
    return Job(row["streamer_id"], Kind(row["kind"]), row["content_type"], row["content"])


async def finish(connection: Any, file_id: int, found: Found) -> bool:
    """False: somebody was first, or it was deleted meanwhile."""
    done = await _sql.finish(
        connection,
        file_id=file_id,
        content=found.content,
        width=found.width,
        height=found.height,
        frames=found.frames,
        seconds=found.seconds,
    )
    return done is not None


async def refuse(connection: Any, file_id: int, refusal: str) -> bool:
    """False: somebody was first, or it was deleted meanwhile."""
    return await _sql.refuse(connection, file_id=file_id, refusal=refusal) is not None


async def let_go(connection: Any, file_id: int) -> None:
    await _sql.let_go(connection, file_id=file_id)


async def ask_due(connection: Any) -> int:
    """Ask again for those that nobody looks at, give up those that failed too often; how many were asked for."""
    await _sql.give_up(connection, most_tries=MOST_TRIES)
    due = [row["id"] async for row in _sql.list_due(connection)]
    for file_id in due:
        await outbox.add_task(connection, Actor.CHECK_MEDIA_FILE, file_id)
    return len(due)


def _file_from(row: Any) -> MediaFile:
    return MediaFile(**{**dict(row), "kind": Kind(row["kind"]), "state": FileState(row["state"])})
