"""What plays for each streamer: the way from "look" to an alert in an overlay's socket, kept short.

    wake ──▶ pick (one query) ──▶ emit

Everything for one streamer happens in his room, one piece after the other; a piece that finds PostgreSQL away is left
to the net, which looks again within two seconds.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import socketio

from domain import moderators, overlays, showing
from domain.events import Topic, Wake
from domain.showing import EndedAlert, Playing
from infra.database import DATABASE_AWAY
from realtime.database import Database
from realtime.messages import alert_message
from realtime.rooms import ConnectedOverlay, Room, Rooms
from realtime.wakes import Wakes

log = logging.getLogger(__name__)

OVERLAY = "/overlay"
DASHBOARD = "/dashboard"
COALESCE_SECONDS = 0.2
PIECE_SECONDS = 10.0
"""A piece of work that takes longer is given up and left to the net."""

ENDED = frozenset({Topic.ALERTS, Topic.DONATION})
FOR_MODERATORS = frozenset({Topic.ALERTS, Topic.DONATION, Topic.CONTROLS, Topic.OVERLAYS, Topic.MODERATORS})


class Stage:
    def __init__(self, server: socketio.AsyncServer, database: Database, wakes: Wakes, process_id: UUID) -> None:
        self.rooms = Rooms()
        self.database = database
        self.process_id = process_id
        self.stopping = False
        self._server = server
        self._wakes = wakes
        self._dismissing: set[asyncio.Task[None]] = set()

    # What others ask for.

    def look(
        self, room: Room, *, check_scene: bool = True, check_tokens: bool = False, check_controls: bool = False
    ) -> None:
        """See to it that the room is looked after soon. Many calls at once are one look."""
        room.wanted = True
        room.check_scene |= check_scene
        room.check_tokens |= check_tokens
        room.check_controls |= check_controls
        if room.task is None and not self.stopping:
            room.task = asyncio.create_task(self._look_after(room))

    def look_at(self, streamer_id: int) -> None:
        room = self.rooms.find(streamer_id)
        if room is not None:
            self.look(room)

    def hear(self, wake: Wake) -> None:
        """Somebody else changed something."""
        room = self.rooms.find(wake.streamer_id)
        if room is None or wake.sender == str(self.process_id):
            return
        self.tell_dashboards(room, wake.topics)
        if Topic.MODERATORS in wake.topics and room.moderators:
            task = asyncio.create_task(self._dismiss_at_once(room))
            self._dismissing.add(task)
            task.add_done_callback(self._dismissing.discard)
        if not wake.topics & {Topic.ALERTS, Topic.OVERLAYS, Topic.CONTROLS}:
            return
        # What plays ends by a word of its own, which looks for the next; a look under way may be too early to see this.
        if wake.plays_on and room.lease_id is not None and room.task is None:
            return
        controls = Topic.CONTROLS in wake.topics
        self.look(room, check_scene=not wake.plays_on, check_tokens=controls, check_controls=controls)

    def announce(self, streamer_id: int, topics: Iterable[Topic], donation_id: int | None = None) -> None:
        """We changed something, and it is committed."""
        topics = frozenset(topics)
        self._wakes.send([Wake(streamer_id, topics, donation_id, sender=str(self.process_id))])
        room = self.rooms.find(streamer_id)
        if room is not None:
            self.tell_dashboards(room, topics)

    def announce_ended(self, ended: Iterable[EndedAlert]) -> None:
        for alert in ended:
            self.announce(alert.streamer_id, ENDED, alert.donation_id)

    def tell_dashboards(self, room: Room, topics: Iterable[Topic]) -> None:
        """Say what changed, once for all that changes within a moment."""
        if not room.dashboards:
            return
        if not room.topics:
            asyncio.get_running_loop().call_later(
                COALESCE_SECONDS, lambda: asyncio.ensure_future(self._flush_topics(room))
            )
        room.topics.update(topics)

    def tell_all_dashboards(self) -> None:
        """Anything may have changed: they ask for everything."""
        for room in self.rooms:
            self.tell_dashboards(room, Topic)

    async def dismiss_moderators(self, rooms: Iterable[Room]) -> None:
        """End the connections of moderators whose session ended: revoked, over, or replaced by a new link."""
        connected = {sid: session_id for room in rooms for sid, session_id in room.moderators.items()}
        if not connected:
            return
        async with self.database.connection() as connection:
            good = await moderators.list_good_sessions(connection, set(connected.values()))
        for sid, session_id in connected.items():
            if session_id not in good:
                await self._server.disconnect(sid, namespace=DASHBOARD)

    async def _dismiss_at_once(self, room: Room) -> None:
        try:
            await self.dismiss_moderators([room])
        except DATABASE_AWAY as error:
            log.warning("Moderators are looked at again in a moment: %s", type(error).__name__)

    async def emit(self, overlay: ConnectedOverlay, event: str, data: dict[str, Any]) -> None:
        if overlay.stand_in is not None:
            overlay.stand_in.hear(event, data)
        else:
            await self._server.emit(event, data, to=overlay.sid, namespace=OVERLAY)

    # The work in a room.

    async def _look_after(self, room: Room) -> None:
        try:
            while room.wanted and not self.stopping:
                room.wanted = False
                async with self.rooms.locked(room.streamer_id), asyncio.timeout(PIECE_SECONDS):
                    await self._clear_up(room)
                    if room.check_controls:
                        await self._tell_controls(room)
                    await self._play(room)
        except DATABASE_AWAY as error:
            room.wanted = True
            log.warning("Streamer %d waits for PostgreSQL: %s", room.streamer_id, type(error).__name__)
        except Exception:
            # The net asks again; one streamer's trouble is not to end the others' service.
            room.wanted = True
            log.exception("Looking after streamer %d failed", room.streamer_id)
        finally:
            room.task = None
            self.rooms.tidy(room)

    async def _clear_up(self, room: Room) -> None:
        """Make the database and this room agree on which overlays there are."""
        if room.check_tokens:
            await self._dismiss_revoked(room)
        for overlay in room.overlays_due_to_leave():
            await self._strike_off(room, overlay.overlay_id)
            del room.overlays[overlay.overlay_id]
        for overlay_id in list(room.stray_overlays):
            if overlay_id not in room.overlays:
                await self._strike_off(room, overlay_id)
            room.stray_overlays.discard(overlay_id)
        for overlay_id in list(room.lost_overlays):
            if (lost := room.overlays.get(overlay_id)) is not None:
                await self._write_down(room, lost)
            room.lost_overlays.discard(overlay_id)

    async def _dismiss_revoked(self, room: Room) -> None:
        async with self.database.connection() as connection:
            revoked = await overlays.list_revoked_overlays(connection, self.process_id, room.streamer_id)
        room.check_tokens = False
        for overlay_id in revoked:
            overlay = room.overlays.get(overlay_id)
            if overlay is None:
                continue
            if overlay.is_here:
                await self.emit(overlay, "refused", {"code": "revoked"})
                if overlay.stand_in is None:
                    await self._server.disconnect(overlay.sid, namespace=OVERLAY)
            overlay.leave_at = 0.0

    async def _strike_off(self, room: Room, overlay_id: UUID) -> None:
        """An overlay left: what it was playing goes back, and another may speak."""
        async with self.database.transaction() as connection:
            was_ours = await overlays.disconnect_overlay(
                connection, process_id=self.process_id, streamer_id=room.streamer_id, overlay_id=overlay_id
            )
            ended = []
            if was_ours:
                ended = await showing.return_leases(connection, room.streamer_id, overlay_id)
            room.speaker_id = await overlays.choose_speaker(connection, room.streamer_id)
        self.announce_ended(ended)
        self.announce(room.streamer_id, {Topic.OVERLAYS})

    async def _write_down(self, room: Room, overlay: ConnectedOverlay) -> None:
        """The database forgot an overlay that is connected: another process thought this one dead."""
        async with self.database.transaction() as connection:
            await overlays.connect_overlay(
                connection,
                process_id=self.process_id,
                streamer_id=room.streamer_id,
                token_id=overlay.token_id,
                overlay_id=overlay.overlay_id,
                in_obs=overlay.in_obs,
                visible=overlay.visible,
                active=overlay.active,
                streaming=overlay.streaming,
                is_widget=overlay.stand_in is not None,
            )
            room.speaker_id = await overlays.choose_speaker(connection, room.streamer_id)
        self.announce(room.streamer_id, {Topic.OVERLAYS})

    async def _play(self, room: Room) -> None:
        """Offer the next alert if there is one to offer; tell every overlay what it should be doing."""
        here = room.overlays_here()
        if not here:
            return
        async with self.database.connection() as connection:
            offer = await showing.pick(connection, room.streamer_id, [overlay.overlay_id for overlay in here])
            if offer is not None:
                playing: Playing | None = Playing(offer, None)
                room.speaker_id = offer.overlay_id
            elif not room.check_scene:
                room.lease_id = None
                return
            else:
                room.speaker_id, playing = await showing.get_scene(connection, room.streamer_id)
        room.check_scene = False
        room.lease_id = playing.offer.lease_id if playing else None
        for overlay in sorted(here, key=lambda overlay: overlay.overlay_id != room.speaker_id):
            await self._tell_role(room, overlay)
            await self._tell_alert(room, overlay, playing, is_new=offer is not None)
        if offer is not None:
            self.announce(room.streamer_id, ENDED, offer.donation_id)

    async def _tell_controls(self, room: Room) -> None:
        """Whether alerts are to be silent; who has not been welcomed yet hears of it then."""
        async with self.database.connection() as connection:
            room.muted = await overlays.is_muted(connection, room.streamer_id)
        room.check_controls = False
        for overlay in room.overlays_here():
            if overlay.welcome is None and overlay.muted != room.muted:
                overlay.muted = room.muted
                await self.emit(overlay, "controls", {"muted": room.muted})

    async def _tell_role(self, room: Room, overlay: ConnectedOverlay) -> None:
        role = "speaker" if overlay.overlay_id == room.speaker_id else "mirror"
        if overlay.welcome is not None:
            welcome, overlay.welcome, overlay.role = overlay.welcome, None, role
            overlay.muted = room.muted
            await self.emit(overlay, "welcome", {**welcome, "role": role, "muted": bool(room.muted)})
        elif overlay.role != role:
            overlay.role = role
            await self.emit(overlay, "role", {"role": role})

    async def _tell_alert(
        self, room: Room, overlay: ConnectedOverlay, playing: Playing | None, *, is_new: bool
    ) -> None:
        lease_id = playing.offer.lease_id if playing else None
        if overlay.showing is not None and overlay.showing != lease_id:
            await self.emit(overlay, "stop", {"lease_id": str(overlay.showing)})
            overlay.showing = None
        if playing is None or overlay.showing == lease_id:
            return
        if playing.offer.overlay_id == overlay.overlay_id:
            if is_new:
                overlay.showing = lease_id
                await self.emit(overlay, "offer", alert_message(playing.offer))
        elif not room.holder_is_away(playing.offer.overlay_id):
            overlay.showing = lease_id
            mirrored = {**alert_message(playing.offer), "elapsed_ms": playing.elapsed_ms or 0}
            await self.emit(overlay, "mirror", mirrored)

    async def _flush_topics(self, room: Room) -> None:
        topics, room.topics = room.topics, set()
        for sid in list(room.dashboards):
            told = topics & FOR_MODERATORS if sid in room.moderators else topics
            if told:
                await self._server.emit("changed", {"topics": sorted(told)}, to=sid, namespace=DASHBOARD)
        self.rooms.tidy(room)
