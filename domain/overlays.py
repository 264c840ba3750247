"""Connected overlays, and which one of them speaks (DESIGN 13).

One row of `speakers` per streamer, shared by all realtime processes: the overlay chosen there plays the alerts
with sound and says what became of them; the others mirror it. Nobody eligible: alerts wait.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import on_air
from domain.alerts import KNOWN_KINDS
from infra import queries

AWAY_SECONDS = 20
"""An absence longer than this is a return: the queue waits `overlay_return_seconds` more."""
ASKING_SECONDS = 600
ASKING_ALERTS = 3
"""After a longer absence with more alerts than this waiting, the streamer is asked what to do with them."""
SILENT_PROCESS_SECONDS = 10
"""A realtime process that renewed nothing for so long is dead."""


@dataclass(frozen=True)
class Overlay:
    """An overlay connected now. `active`: on the program, as OBS says; a tab never is."""

    id: uuid.UUID
    in_obs: bool
    visible: bool
    active: bool
    connected_at: datetime
    speaks: bool


@dataclass(frozen=True)
class Controls:
    """What holds a streamer's queue back; nothing does when all of it is None or False.

    `asking_since` is None too when nothing is left of what the streamer was asked about.
    """

    speaker_id: uuid.UUID | None = None
    paused_at: datetime | None = None
    asking_since: datetime | None = None
    postponed: bool = False
    resume_in_ms: int | None = None
    pause_kept_at: datetime | None = None
    """When somebody last said that the pause is meant."""
    muted_at: datetime | None = None
    """Alerts play without sound since then; that holds nothing back."""
    speaker_muted: bool | None = None
    """What the speaking overlay says of itself: whether it has heard of the mute."""
    shows_donations: bool = True
    """False: the streamer switched alerts of donations off (`domain/alert_settings.py`); what waits plays on."""

    @property
    def is_asking(self) -> bool:
        """Nothing plays until the streamer says what to do with what was missed."""
        return self.asking_since is not None and not self.postponed

    @property
    def is_returning(self) -> bool:
        """An overlay has just come back; the queue goes on by itself in a moment."""
        return self.resume_in_ms is not None and self.paused_at is None and not self.is_asking

    @property
    def hold_new_alerts(self) -> bool:
        """An alert queued now would not play by itself within a moment."""
        is_waiting = self.speaker_id is None or self.paused_at is not None or self.resume_in_ms is not None
        return is_waiting or self.is_asking


async def list_overlays(connection: Any, streamer_id: int) -> list[Overlay]:
    """The overlays connected now, oldest first."""
    return [Overlay(**row) async for row in queries.overlays.list_overlays(connection, streamer_id=streamer_id)]


async def last_seen_at(connection: Any, streamer_id: int) -> datetime | None:
    """When the last overlay left; None while one is connected, or when there never was one."""
    if await list_overlays(connection, streamer_id):
        return None
    seen_at: datetime | None = await queries.overlays.last_present_at(connection, streamer_id=streamer_id)
    return seen_at


async def get_controls(connection: Any, streamer_id: int) -> Controls:
    row = await queries.overlays.get_controls(connection, streamer_id=streamer_id)
    return Controls() if row is None else Controls(**row)


async def set_paused(connection: Any, streamer_id: int, paused: bool) -> bool:
    """Hold the queue back, or let it go on; what plays now finishes. False: it was so already."""
    await queries.overlays.lock_speaker(connection, streamer_id=streamer_id)
    return await queries.overlays.set_paused(connection, streamer_id=streamer_id, paused=paused) is not None


async def keep_paused(connection: Any, streamer_id: int) -> None:
    """The streamer was asked whether a long pause is meant, and it is."""
    await queries.overlays.keep_paused(connection, streamer_id=streamer_id)


async def set_muted(connection: Any, streamer_id: int, muted: bool) -> bool:
    """Let alerts play without sound, or with it, what plays now too. False: it was so already."""
    await queries.overlays.lock_speaker(connection, streamer_id=streamer_id)
    return await queries.overlays.set_muted(connection, streamer_id=streamer_id, muted=muted) is not None


async def is_muted(connection: Any, streamer_id: int) -> bool:
    return bool(await queries.overlays.is_muted(connection, streamer_id=streamer_id))


async def confirm_muted(
    connection: Any, *, process_id: uuid.UUID, streamer_id: int, overlay_id: uuid.UUID, muted: bool
) -> None:
    """An overlay says that its sound is off, or on."""
    await queries.overlays.confirm_muted(
        connection, process_id=process_id, streamer_id=streamer_id, overlay_id=overlay_id, muted=muted
    )


async def connect_overlay(
    connection: Any,
    *,
    process_id: uuid.UUID,
    streamer_id: int,
    token_id: int,
    overlay_id: uuid.UUID,
    in_obs: bool,
    visible: bool,
    active: bool,
    streaming: bool | None = None,
) -> bool:
    """Write down a connected overlay. False: another streamer's overlay goes by this id.

    If the streamer had none for long, the queue waits a little, or asks (see the constants above). `streaming`: whether
    OBS streams; None: nobody knows.
    """
    await queries.overlays.lock_speaker(connection, streamer_id=streamer_id)
    await queries.overlays.end_absence(
        connection,
        streamer_id=streamer_id,
        away_seconds=AWAY_SECONDS,
        asking_seconds=ASKING_SECONDS,
        asking_alerts=ASKING_ALERTS,
    )
    result = await queries.overlays.upsert_overlay(
        connection,
        overlay_id=overlay_id,
        streamer_id=streamer_id,
        token_id=token_id,
        process_id=process_id,
        in_obs=in_obs,
        visible=visible,
        active=active,
        streaming=streaming,
    )
    if streaming is not None:
        await on_air.note_stream(connection, streamer_id)
    return bool(result == "INSERT 0 1")


async def update_overlay(
    connection: Any,
    *,
    process_id: uuid.UUID,
    streamer_id: int,
    overlay_id: uuid.UUID,
    visible: bool,
    active: bool,
    streaming: bool | None = None,
) -> None:
    """`streaming`: whether OBS streams; None: as before."""
    await queries.overlays.update_overlay(
        connection,
        process_id=process_id,
        streamer_id=streamer_id,
        overlay_id=overlay_id,
        visible=visible,
        active=active,
        streaming=streaming,
    )
    if streaming is not None:
        await on_air.note_stream(connection, streamer_id)


async def disconnect_overlay(
    connection: Any, *, process_id: uuid.UUID, streamer_id: int, overlay_id: uuid.UUID
) -> bool:
    """Strike off an overlay that left this process. False: it is connected to another one by now."""
    await queries.overlays.leave(connection, streamer_id=streamer_id)
    result = await queries.overlays.delete_overlay(
        connection, process_id=process_id, streamer_id=streamer_id, overlay_id=overlay_id
    )
    await on_air.note_left(connection, {streamer_id})
    return bool(result == "DELETE 1")


async def choose_speaker(connection: Any, streamer_id: int) -> uuid.UUID | None:
    """Let the best of the streamer's overlays speak; returns which, or None when none may.

    In a transaction with what changed about the overlays. Steps: lock the streamer's row, so that of two
    processes the second sees what the first wrote; look who is best; replace the speaker if it is another.
    """
    row = await queries.overlays.lock_speaker(connection, streamer_id=streamer_id)
    best_id: uuid.UUID | None = await queries.overlays.find_best_overlay(
        connection, streamer_id=streamer_id, current_id=row["overlay_id"]
    )
    if best_id != row["overlay_id"]:
        await queries.overlays.replace_speaker(connection, streamer_id=streamer_id, overlay_id=best_id)
    return best_id


async def renew_process(connection: Any, process_id: uuid.UUID) -> None:
    """Say that this realtime process lives."""
    await queries.overlays.renew_process(connection, process_id=process_id)


async def bury_dead_processes(connection: Any, *, silent_seconds: float = SILENT_PROCESS_SECONDS) -> list[int]:
    """Strike off the overlays of processes that died; their streamers' ids. Last in its transaction: it holds the
    speakers' rows until the end."""
    dead = [row async for row in queries.overlays.list_dead_processes(connection, silent_seconds=silent_seconds)]
    streamer_ids: set[int] = set()
    for row in dead:
        streamer_ids |= await _end_process(connection, row["id"], left_at=row["renewed_at"])
    for streamer_id in sorted(streamer_ids):
        await choose_speaker(connection, streamer_id)
    return sorted(streamer_ids)


async def end_process(connection: Any, process_id: uuid.UUID) -> list[int]:
    """Strike off the overlays of a process that stops; their streamers' ids. In a transaction of its own.

    Its leases stay: the overlays play on, and will say so to the process they connect to next.
    """
    streamer_ids = await _end_process(connection, process_id, left_at=None)
    for streamer_id in sorted(streamer_ids):
        await choose_speaker(connection, streamer_id)
    return sorted(streamer_ids)


async def _end_process(connection: Any, process_id: uuid.UUID, *, left_at: datetime | None) -> set[int]:
    rows = queries.overlays.leave_with_process(connection, process_id=process_id, left_at=left_at)
    streamer_ids = {row["streamer_id"] async for row in rows}
    await queries.overlays.delete_process(connection, process_id=process_id)
    await on_air.note_left(connection, streamer_ids)
    return streamer_ids


@dataclass(frozen=True)
class View:
    """A streamer as the database has him, for the realtime process his overlays are connected to."""

    streamer_id: int
    overlay_ids: frozenset[uuid.UUID]
    revoked_ids: frozenset[uuid.UUID]
    """Overlays whose token was revoked."""
    speaker_id: uuid.UUID | None
    lease_id: uuid.UUID | None
    """The lease of what plays."""
    could_play: bool
    """Something waits, and one of this process's overlays could be offered it now."""
    muted: bool


async def look(connection: Any, process_id: uuid.UUID) -> list[View]:
    """All streamers with overlays on this process, in one query."""
    return [
        View(
            row["streamer_id"],
            frozenset(row["overlay_ids"]),
            frozenset(row["revoked_ids"]),
            row["speaker_id"],
            row["lease_id"],
            row["could_play"],
            row["muted"],
        )
        async for row in queries.overlays.look(connection, process_id=process_id, kinds=KNOWN_KINDS)
    ]


async def list_revoked_overlays(connection: Any, process_id: uuid.UUID, streamer_id: int) -> list[uuid.UUID]:
    """A streamer's overlays on this process whose token opens nothing any more."""
    rows = queries.overlays.list_revoked_overlays(connection, process_id=process_id, streamer_id=streamer_id)
    return [row["id"] async for row in rows]


async def away_since(connection: Any, streamer_id: int) -> datetime | None:
    """Since when alerts wait with no overlay connected; None while one is, or nothing waits."""
    since: datetime | None = await queries.overlays.away_since(connection, streamer_id=streamer_id)
    return since
