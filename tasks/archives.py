"""Packing all that the site knows of an account into a ZIP (domain/archives.py)."""

import asyncio
import json
import tempfile
from datetime import date, datetime
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from domain import archives, media_files
from domain.archives import PARTS, Part
from domain.exports import Job
from domain.media_files import FileState, MediaFile
from domain.streamers import find_by_owner
from tasks.export_files import CsvFile
from tasks.exports import Progress, make_file, write_table
from tasks.runtime import Parts

README = "README.txt"
TABLE = "donations.csv"
_WRITTEN_AT_ONCE = 1_000
_READ_AT_ONCE = 1024 * 1024


async def pack_archive(parts: Parts, export_id: int) -> None:
    await make_file(parts, export_id, _pack)


async def _pack(parts: Parts, job: Job, file: IO[bytes], progress: Progress) -> None:
    """The README first, since it says what the others are. Packing is a thread's work: the loop has others to serve."""
    assert job.user_id is not None, "an archive is about a user"
    async with parts.pool.acquire() as connection:
        streamer = await find_by_owner(connection, job.user_id)
        progress.rows_total = 0 if streamer is None else await archives.count_rows(connection, streamer.id)
        pictures = [] if streamer is None else await archives.list_pictures(connection, streamer.id)
        uploads = [] if streamer is None else await media_files.list_files(connection, streamer.id)
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        await asyncio.to_thread(archive.writestr, README, job.words["readme"])
        for part in PARTS:
            await _pack_part(parts, archive, part, job.user_id, None if streamer is None else streamer.id, progress)
        if streamer is not None:
            with tempfile.TemporaryFile() as table:
                await write_table(parts, job, streamer.id, CsvFile, table, progress)
                await asyncio.to_thread(_copy, table, archive, TABLE)
        for picture in pictures:
            name = f"media/{picture['kind']}-{picture['sha256'][:12]}.webp"
            await asyncio.to_thread(archive.writestr, name, picture["content"])
        for upload in uploads:
            if upload.state is FileState.READY:
                await _pack_upload(parts, archive, upload)


async def _pack_part(
    parts: Parts, archive: ZipFile, part: Part, user_id: int, streamer_id: int | None, progress: Progress
) -> None:
    """A JSON list, one row a line."""
    with archive.open(f"{part.name}.json", "w", force_zip64=True) as member:
        lines: list[str] = []
        separator = "[\n"
        async for row in archives.read_part(parts.pool, part, user_id, streamer_id):
            lines.append(separator + json.dumps(row, ensure_ascii=False, default=_plain))
            separator = ",\n"
            if part.in_steps:
                progress.rows_done += 1
            if len(lines) >= _WRITTEN_AT_ONCE:
                await asyncio.to_thread(member.write, "".join(lines).encode())
                lines.clear()
        end = "\n]\n" if separator != "[\n" else "[]\n"
        await asyncio.to_thread(member.write, ("".join(lines) + end).encode())


async def _pack_upload(parts: Parts, archive: ZipFile, upload: MediaFile) -> None:
    """Part by part; one that is deleted meanwhile ends early."""
    name = upload.url.removeprefix(media_files.URL_PREFIX)
    with archive.open(f"uploads/{name}", "w") as member:
        first = 0
        while first < upload.size:
            async with parts.pool.acquire() as connection:
                part = await media_files.read_part(connection, upload.id, first, _READ_AT_ONCE)
            if not part:
                return
            await asyncio.to_thread(member.write, part)
            first += len(part)


def _copy(table: IO[bytes], archive: ZipFile, name: str) -> None:
    table.seek(0)
    with archive.open(name, "w", force_zip64=True) as member:
        while body := table.read(1024 * 1024):
            member.write(body)


def _plain(value: Any) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not belong into an archive")
