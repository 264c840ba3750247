"""Taking a file that somebody uploads: kept, looked at by a worker, and waited for.

An answer with the verdict is worth some seconds: "this is no sound" is understood while one still knows what one did.
"""

import asyncio
import time

from quart.datastructures import FileStorage

from domain import media_files
from domain.errors import InvalidInputError
from domain.media_files import SIZE_MAX, FileState, Kind, MediaFile
from infra.media_check import cut_apart
from web.context import parts
from web.i18n import _
from web.limits import Limit

UPLOADS = Limit("upload", 60, 10 * 60)
WAIT_SECONDS = 15.0
LOOK_SECONDS = 1.0
"""Should a wake-up be lost."""

_turns = asyncio.Semaphore(4)
"""How many files are in memory at once."""


async def receive(streamer_id: int, kind: Kind, file: FileStorage) -> MediaFile:
    """The file as the worker found it: ready, or still waiting after WAIT_SECONDS.

    Raises InvalidInputError("file", code), NotAllowedError of `media_files.add_file`, NotFoundError (it was deleted
    meanwhile), and 429 TooManyRequests.
    """
    await parts().limiter.take(UPLOADS, str(streamer_id))
    with parts().waiters.watch_files(streamer_id) as watch:
        async with _turns:
            content = file.read(SIZE_MAX[kind] + 1)
            async with parts().pool.acquire() as connection, connection.transaction():
                added = await media_files.add_file(connection, streamer_id, kind, file.filename or "", content)
            del content
        parts().relay.wake()
        ends_at = time.monotonic() + WAIT_SECONDS
        while added.state is FileState.WAITING and time.monotonic() < ends_at:
            await watch.wait(timeout_seconds=min(LOOK_SECONDS, WAIT_SECONDS))
            async with parts().pool.acquire() as connection:
                added = await media_files.find_file(connection, streamer_id, added.url)
    if added.state is FileState.REFUSED:
        # Who is told now need not find it in the list.
        async with parts().pool.acquire() as connection:
            await media_files.note_told(connection, added)
        raise InvalidInputError("file", added.refusal)
    return added


async def cut_sound(file: MediaFile, start: float, end: float | None) -> bytes:
    """A part of a sound that is ready, as MP3; the latest ones are remembered. Raises MediaError."""
    key = (file.id, start, end)
    if key not in _cuts:
        async with _turns:
            async with parts().pool.acquire() as connection:
                content = await media_files.read_part(connection, file.id, 0, file.size)
            made = await cut_apart(file.content_type, content or b"", start, end)
        _cuts[key] = made
        while sum(map(len, _cuts.values())) > _CUTS_BYTES and len(_cuts) > 1:
            del _cuts[next(iter(_cuts))]
    return _cuts[key]


_CUTS_BYTES = 16 * 1024 * 1024
_cuts: dict[tuple[int, float, float | None], bytes] = {}


def refusal_words(code: str, kind: Kind) -> str:
    """Why a file was not taken, and what to do. `code` is of InvalidInputError("file", …) or of `add_file`."""
    megabytes = SIZE_MAX[kind] // (1024 * 1024)
    match code:
        case "empty":
            return _("The file is empty.")
        case "too_heavy":
            return _("The file is larger than %(size)s MB.", size=megabytes)
        case "wrong_type" if kind is Kind.IMAGE:
            return _("This is no GIF, PNG, JPEG or WebP picture, whatever the file is called.")
        case "wrong_type":
            return _("This is no MP3, WAV or Ogg sound, whatever the file is called.")
        case "too_many_pixels":
            return _("The picture is too large: an animation may have 1920 × 1920 pixels.")
        case "too_many_frames":
            return _("The animation is too long: OBS would stutter. Make it shorter or smaller.")
        case "too_long":
            return _("The sound is longer than 10 minutes.")
        case "not_playable":
            return _("OBS cannot play this sound. Save it as an ordinary MP3, WAV or Ogg file.")
        case "too_slow":
            return _("Reading the file took too long. Make it smaller.")
        case "too_many_files":
            return _("There is room for %(count)s files. Delete some that no level uses.", count=media_files.FILES_MAX)
        case "too_many_bytes":
            limit = media_files.BYTES_MAX // (1024 * 1024)
            return _("There is room for %(size)s MB. Delete some files that no level uses.", size=limit)
    return _("The file is damaged: it cannot be read to its end.")
