"""The net under Redis (DESIGN 14): every two seconds, and after every gap in the wake-ups, a look at the database."""

import asyncio
import logging
import time
from uuid import UUID

from domain import overlays, showing
from domain.events import Topic
from domain.overlays import View
from infra.database import DATABASE_AWAY
from realtime.rooms import Room
from realtime.stage import Stage
from realtime.wakes import Wakes

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
ROUND_SECONDS = 15.0
DASHBOARD_SECONDS = 4.0
"""How often dashboards are told to ask for everything while Redis is away."""


class Net:
    def __init__(self, stage: Stage, wakes: Wakes) -> None:
        self._stage = stage
        self._wakes = wakes
        self._wanted = asyncio.Event()
        self._dashboards_told_at = 0.0

    def look_now(self) -> None:
        self._wanted.set()

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            self._wanted.clear()
            try:
                async with asyncio.timeout(ROUND_SECONDS):
                    await self._look()
            except DATABASE_AWAY as error:
                log.warning("PostgreSQL is away, looking again: %s", type(error).__name__)
            except Exception:
                log.exception("The look at the database failed")
            await self._tell_dashboards()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wanted.wait()
            except TimeoutError:
                pass

    async def _look(self) -> None:
        """Steps: say that we live; end what fell silent, overlays' leases and whole processes; compare what the
        database has of our streamers with what we remember."""
        stage = self._stage
        async with stage.database.transaction() as connection:
            await overlays.renew_process(connection, stage.process_id)
            ended = await showing.return_expired_leases(connection)
        async with stage.database.transaction() as connection:
            orphaned = await overlays.bury_dead_processes(connection)
        stage.announce_ended(ended)
        for streamer_id in orphaned:
            stage.announce(streamer_id, {Topic.OVERLAYS})
        # Before the query: an overlay that connects after it is not "lost".
        known = {room.streamer_id: set(room.overlays) for room in stage.rooms if room.users == 0}
        async with stage.database.connection() as connection:
            views = {view.streamer_id: view for view in await overlays.look(connection, stage.process_id)}
        for room in stage.rooms:
            if room.wanted:
                # The last look failed.
                self._stage.look(room)
            if room.streamer_id in known:
                self._compare(room, known[room.streamer_id], views.pop(room.streamer_id, None))
        for view in views.values():
            if stage.rooms.find(view.streamer_id) is None:
                await self._strike_off_strays(view)
        await stage.dismiss_moderators(stage.rooms)

    def _compare(self, room: Room, known: set[UUID], view: View | None) -> None:
        if view is None:
            if known:
                room.lost_overlays |= set(room.overlays)
                self._stage.look(room)
            return
        room.lost_overlays |= {overlay_id for overlay_id in room.overlays if overlay_id in known} - view.overlay_ids
        room.stray_overlays |= view.overlay_ids - known - set(room.overlays)
        if (
            view.could_play
            or view.revoked_ids
            or view.speaker_id != room.speaker_id
            or view.lease_id != room.lease_id
            or view.muted != room.muted
            or room.lost_overlays
            or room.stray_overlays
            or room.overlays_due_to_leave()
        ):
            self._stage.look(room, check_tokens=bool(view.revoked_ids), check_controls=view.muted != room.muted)

    async def _strike_off_strays(self, view: View) -> None:
        """Overlays the database has on this process, of a streamer nobody of whom is here."""
        async with self._stage.rooms.locked(view.streamer_id) as room:
            room.stray_overlays |= view.overlay_ids - set(room.overlays)
            self._stage.look(room)

    async def _tell_dashboards(self) -> None:
        if not self._stage.rooms.count_dashboards() or await self._wakes.answers():
            return
        if time.monotonic() - self._dashboards_told_at >= DASHBOARD_SECONDS:
            self._dashboards_told_at = time.monotonic()
            self._stage.tell_all_dashboards()
