"""Making a file of a selection of donations: read page by page, written to a temporary file, stored in parts.

How a file is claimed, kept, given up and stored (`make_file`) is the same for whatever is in it.
"""

import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO
from zoneinfo import ZoneInfo

from domain import exports, history
from domain.exports import Format, Job
from domain.history import Entry, Selection
from tasks.export_files import CsvFile, Field, File, Kopecks, XlsxFile
from tasks.runtime import Parts

log = logging.getLogger(__name__)

READ_AT_ONCE = 5_000
CHUNK_BYTES = 1024 * 1024
RENEW_SECONDS = 1.0

_FILES: dict[Format, type[CsvFile] | type[XlsxFile]] = {Format.CSV: CsvFile, Format.XLSX: XlsxFile}


class _LostError(Exception):
    """It was cancelled, or another worker makes it."""


@dataclass
class Progress:
    rows_done: int = 0
    rows_total: int | None = None


Writer = Callable[[Parts, Job, IO[bytes], Progress], Awaitable[None]]
"""Writes what is in the file, counting on the way."""


async def export_donations(parts: Parts, export_id: int) -> None:
    await make_file(parts, export_id, _write_donations)


async def make_file(parts: Parts, export_id: int, write: Writer) -> None:
    """May run twice, or again after it died: whoever holds the claim makes it from the beginning."""
    async with parts.pool.acquire() as connection, connection.transaction():
        job = await exports.claim(connection, export_id)
    if job is None:
        return
    try:
        await _make(parts, job, write)
    except _LostError:
        log.info("export %d is no longer ours", export_id)
    except BaseException:
        # Also when the worker is told to stop: the next one need not wait until this one counts as silent.
        async with parts.pool.acquire() as connection:
            await exports.let_go(connection, job)
        raise


async def _make(parts: Parts, job: Job, write: Writer) -> None:
    """Write the file and store it, and meanwhile say each second that somebody does. Raises _LostError."""
    progress = Progress()
    with tempfile.TemporaryFile() as file:
        making = asyncio.ensure_future(_write_and_store(parts, job, file, progress, write))
        renewing = asyncio.ensure_future(_renew(parts, job, progress))
        try:
            done, _ = await asyncio.wait((making, renewing), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (making, renewing):
                task.cancel()
            await asyncio.gather(making, renewing, return_exceptions=True)


async def _renew(parts: Parts, job: Job, progress: Progress) -> None:
    """Until cancelled. Raises _LostError."""
    while True:
        async with parts.pool.acquire() as connection:
            if not await exports.renew(connection, job, progress.rows_done, progress.rows_total):
                raise _LostError
        await asyncio.sleep(RENEW_SECONDS)


async def _write_and_store(parts: Parts, job: Job, file: IO[bytes], progress: Progress, write: Writer) -> None:
    await write(parts, job, file, progress)
    size = await _store(parts, job, file)
    async with parts.pool.acquire() as connection:
        if not await exports.finish(connection, job, progress.rows_done, size):
            raise _LostError
    log.info("export %d: %d rows, %d bytes", job.id, progress.rows_done, size)


async def _write_donations(parts: Parts, job: Job, file: IO[bytes], progress: Progress) -> None:
    assert job.streamer_id is not None, "a selection is of a streamer's donations"
    async with parts.pool.acquire() as connection:
        sums = await history.sum_up(connection, job.streamer_id, job.selection, steps=None, looked=50_000)
    progress.rows_total = sums.entries
    await write_table(parts, job, job.streamer_id, _FILES[job.format], file, progress)


async def write_table(
    parts: Parts,
    job: Job,
    streamer_id: int,
    file_class: type[CsvFile] | type[XlsxFile],
    file: IO[bytes],
    progress: Progress,
) -> None:
    selection = _until_asked(job)
    # Writing costs a processor's time, and the loop has others to serve.
    written: File = await asyncio.to_thread(file_class, file, job.words["columns"], job.words["sheet"])
    before = None
    while True:
        async with parts.pool.acquire() as connection:
            entries, before = await history.list_from(connection, streamer_id, selection, before, looked=READ_AT_ONCE)
        await asyncio.to_thread(_write, written, entries, job)
        progress.rows_done += len(entries)
        if before is None:
            break
    await asyncio.to_thread(written.close)


def _until_asked(job: Job) -> Selection:
    """What comes while it is made is not in it."""
    until = job.selection.until
    return replace(job.selection, until=job.created_at if until is None else min(until, job.created_at))


async def _store(parts: Parts, job: Job, file: IO[bytes]) -> int:
    """In parts, each of its own transaction; how many bytes."""
    size = await asyncio.to_thread(file.seek, 0, 2)
    await asyncio.to_thread(file.seek, 0)
    for number in range(-(-size // CHUNK_BYTES)):
        body = await asyncio.to_thread(file.read, CHUNK_BYTES)
        async with parts.pool.acquire() as connection:
            if not await exports.add_chunk(connection, job, number, body):
                raise _LostError
    return size


def _write(file: File, entries: list[Entry], job: Job) -> None:
    file.write(_rows(entries, job))


def _rows(entries: list[Entry], job: Job) -> Iterator[tuple[Field, ...]]:
    """As the columns stand in `web/pages/exports.py`."""
    clocks = ZoneInfo(job.time_zone)
    words = job.words
    for entry in entries:
        yield (
            entry.at.astimezone(clocks),
            Kopecks(entry.amount_minor),
            Kopecks(entry.returned_minor),
            Kopecks(entry.amount_minor - entry.returned_minor),
            entry.donor_name or words["anonymous"],
            entry.message,
            words["states"].get(entry.status, entry.status),
            "" if entry.alert_status is None else words["alerts"].get(entry.alert_status, entry.alert_status),
            _local(entry.shown_at, clocks),
            entry.source,
            words["yes"] if entry.is_hidden else "",
            entry.public_id,
            words["yes"] if entry.is_test else "",
        )


def _local(moment: datetime | None, clocks: ZoneInfo) -> datetime | None:
    return None if moment is None else moment.astimezone(clocks)
