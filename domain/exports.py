"""Files of a selection of donations: asked for, made by a worker (`tasks/exports.py`), kept for some days.

    queued ──claim──▶ running ──finish──▶ done
      │  ▲              │  └─ silent or failed five times ─▶ failed
      │  └──let_go──────┤
      └──cancel─────────┴──▶ cancelled

A worker holds one by its `run`. Whoever finds that another run holds it, or none, stops and has changed nothing.
"""

import secrets
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain import outbox
from domain.errors import NotAllowedError, NotFoundError
from domain.events import Actor
from domain.history import Selection
from infra import queries

MOST_TRIES = 5
LISTED = 20


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    ZIP = "zip"
    """What the site knows of one account (`domain/archives.py`)."""


class ExportState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Export:
    id: int
    public_id: str
    format: Format
    selection: Selection
    told: str
    """The selection in words, empty for everything."""
    state: ExportState
    rows_done: int
    rows_total: int | None
    """None until they are counted."""
    bytes: int
    created_at: datetime
    finished_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.state in (ExportState.QUEUED, ExportState.RUNNING)

    @property
    def percent(self) -> int:
        """Not the whole until it is done: a file is packed and stored after its last row."""
        if self.state is ExportState.DONE:
            return 100
        return min(99, self.rows_done * 100 // self.rows_total) if self.rows_total else 0


@dataclass(frozen=True)
class Job:
    """What a worker needs to make one. `words`: those of the file (`web/pages/exports.py`, `web/pages/archives.py`)."""

    id: int
    streamer_id: int | None
    """None: of an archive, which is about the user."""
    user_id: int | None
    run: uuid.UUID
    format: Format
    selection: Selection
    words: dict[str, Any]
    time_zone: str
    created_at: datetime


async def ask_for(
    connection: Any,
    *,
    streamer_id: int,
    user_id: int,
    file_format: Format,
    selection: Selection,
    words: dict[str, Any],
    time_zone: str,
) -> str:
    """Its public id. Raises NotAllowedError("export_under_way"): one of the streamer's at a time."""
    public_id = secrets.token_urlsafe(16)
    row = await queries.exports.insert_export(
        connection,
        public_id=public_id,
        streamer_id=streamer_id,
        user_id=user_id,
        format=file_format,
        filters=selection.as_json(),
        words=words,
        time_zone=time_zone,
    )
    if row is None:
        raise NotAllowedError("export_under_way")
    await outbox.add_task(connection, Actor.EXPORT_DONATIONS, row["id"])
    return public_id


async def list_exports(connection: Any, streamer_id: int) -> list[Export]:
    rows = queries.exports.list_exports(connection, streamer_id=streamer_id, limit=LISTED)
    return [export_from(row) async for row in rows]


async def find_export(connection: Any, streamer_id: int, public_id: str) -> Export:
    """Raises NotFoundError("export"), also for another streamer's."""
    row = await queries.exports.find_export(connection, streamer_id=streamer_id, public_id=public_id)
    if row is None:
        raise NotFoundError("export")
    return export_from(row)


async def cancel(connection: Any, streamer_id: int, public_id: str) -> bool:
    """False: it is over already, or not this streamer's."""
    export_id = await queries.exports.cancel(connection, streamer_id=streamer_id, public_id=public_id)
    if export_id is None:
        return False
    await queries.exports.delete_chunks(connection, export_id=export_id)
    return True


async def read_chunk(connection: Any, export_id: int, number: int) -> bytes | None:
    """A part of a finished file, from 0 on; None after the last."""
    body: bytes | None = await queries.exports.get_chunk(connection, export_id=export_id, number=number)
    return body


async def claim(connection: Any, export_id: int) -> Job | None:
    """Begin to make it, anew. None: another does, it is over, or it failed too often."""
    row = await queries.exports.claim(connection, export_id=export_id, most_tries=MOST_TRIES)
    if row is None:
        return None
    await queries.exports.delete_chunks(connection, export_id=export_id)
    values = dict(row)
    selection = Selection.from_json(values.pop("filters"))
    return Job(**{**values, "format": Format(values["format"])}, selection=selection)


async def renew(connection: Any, job: Job, rows_done: int, rows_total: int | None) -> bool:
    """Say that it is being made. False: not by this run any more."""
    held = await queries.exports.renew(
        connection, export_id=job.id, run=job.run, rows_done=rows_done, rows_total=rows_total
    )
    return held is not None


async def add_chunk(connection: Any, job: Job, number: int, body: bytes) -> bool:
    """False: it is not this run's any more."""
    added = await queries.exports.insert_chunk(connection, export_id=job.id, run=job.run, number=number, body=body)
    return added is not None


async def finish(connection: Any, job: Job, rows: int, size: int) -> bool:
    done = await queries.exports.finish(connection, export_id=job.id, run=job.run, rows_done=rows, bytes=size)
    return done is not None


async def let_go(connection: Any, job: Job) -> None:
    await queries.exports.let_go(connection, export_id=job.id, run=job.run)


async def ask_due(connection: Any) -> int:
    """Ask again for those that nobody makes, give up those that failed too often; how many were asked for."""
    await queries.exports.give_up(connection, most_tries=MOST_TRIES)
    due = [row async for row in queries.exports.list_due(connection)]
    for row in due:
        actor = Actor.PACK_ARCHIVE if row["format"] == Format.ZIP else Actor.EXPORT_DONATIONS
        await outbox.add_task(connection, actor, row["id"])
    return len(due)


async def read_file(pool: Any, export_id: int) -> AsyncIterator[bytes]:
    """A finished file, part by part; no connection is kept between two."""
    number = 0
    while True:
        async with pool.acquire() as connection:
            body = await read_chunk(connection, export_id, number)
        if body is None:
            return
        yield body
        number += 1


def export_from(row: Any) -> Export:
    values = dict(row)
    selection = Selection.from_json(values.pop("filters"))
    return Export(
        **{**values, "format": Format(values["format"]), "state": ExportState(values["state"])}, selection=selection
    )
