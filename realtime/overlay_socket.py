"""The namespace `/overlay`: what overlays say. `docs/realtime.md` is its description for strangers."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import socketio
from pydantic import ValidationError
from socketio.exceptions import ConnectionRefusedError as Refused

from domain import overlays, showing
from domain.events import Topic
from domain.overlay_tokens import OverlayToken, find_overlay_token
from domain.showing import Lease, Seen, Word
from infra.assets import assets_version
from infra.database import DATABASE_AWAY
from realtime.messages import OK, PROTOCOL, Hello, LeaseWord, MutedWord, Sight, StoppedWord, refusal
from realtime.rooms import ConnectedOverlay, Room, StandIn
from realtime.stage import OVERLAY, Stage

log = logging.getLogger(__name__)

ANSWER_SECONDS = 5.0
"""A word that could not be written down by then is refused with `try_again`."""
GRACE_SECONDS = 3.0
"""How long an overlay whose socket broke may take to come back before others play what it was playing."""
MAX_OVERLAYS = 50
"""Overlays of one streamer on one process; more is a mistake or a leaked token."""

NOT_NOW: tuple[type[BaseException], ...] = (asyncpg.ForeignKeyViolationError, *DATABASE_AWAY)
"""Why an overlay has to try again. The former: this process was taken for dead while PostgreSQL was away."""


class OverlayNamespace(socketio.AsyncNamespace):  # type: ignore[misc]
    def __init__(self, stage: Stage) -> None:
        super().__init__(OVERLAY)
        self._stage = stage
        self._places: dict[str, tuple[int, UUID]] = {}
        """Socket → streamer and overlay."""
        self._words: dict[str, Callable[[Room, ConnectedOverlay, Any], Awaitable[dict[str, Any]]]] = {
            "started": self._started,
            "seen": self._seen,
            "finished": self._finished,
            "state": self._state,
            "stopped": self._stopped,
            "muted": self._muted,
        }

    async def trigger_event(self, event: Any, *arguments: Any) -> Any:
        """What came in, whatever it is: answered, never believed."""
        try:
            return await self._receive(event, *arguments)
        except Refused:
            raise
        except Exception:
            log.exception("An overlay's message was not handled")
            if event == "connect":
                raise Refused("Try again", refusal("try_again")) from None
            return refusal("error")

    async def _receive(self, event: Any, sid: str, *arguments: Any) -> Any:
        if event == "connect" and sid not in self._places:
            return await self._connect(sid, arguments[1] if len(arguments) > 1 else None)
        if event == "disconnect":
            return self._disconnect(sid, arguments[0] if arguments else None)
        word = self._words.get(event) if isinstance(event, str) else None
        if word is None:
            return refusal("unknown_message")
        if len(arguments) != 1:
            return refusal("bad_message", reason="one object is expected")
        return await self._hear(sid, word, arguments[0])

    async def _connect(self, sid: str, auth: Any) -> None:
        """Let an overlay in, or refuse it with a code (in the error's `data`)."""
        try:
            hello = Hello.model_validate(auth)
        except ValidationError as error:
            raise Refused("The hello is not right", refusal("bad_message", reason=_reason(error))) from None
        await self._let_in(sid, hello)

    async def let_in_widget(
        self, sid: str, overlay_id: UUID, widget: StandIn, token: str, streamer_id: int
    ) -> str | None:
        """As an overlay of this streamer; the code of the refusal, or None. The widget then says an overlay's words to
        `trigger_event`, and is let go when its connection ends."""
        if not token:
            return "unknown_token"
        try:
            await self._let_in(sid, Hello(token=token, overlay_id=overlay_id), widget, streamer_id)
        except Refused as refused:
            return str(refused.error_args["data"]["code"])
        except ValidationError:
            return "unknown_token"
        return None

    def let_go(self, sid: str) -> None:
        self._disconnect(sid, "client disconnect")

    async def _let_in(
        self, sid: str, hello: Hello, widget: StandIn | None = None, streamer_id: int | None = None
    ) -> None:
        if self._stage.stopping:
            raise Refused("Stopping", refusal("try_again"))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                async with self._stage.database.connection() as connection:
                    token = await find_overlay_token(connection, hello.token)
                if token is None or token.revoked:
                    code = "unknown_token" if token is None else "revoked"
                    raise Refused("This address is not valid", refusal(code))
                if streamer_id not in (None, token.streamer_id):
                    raise Refused("This address is another streamer's", refusal("unknown_token"))
                async with self._stage.rooms.locked(token.streamer_id) as room:
                    await self._enter(room, sid, token, hello, widget)
        except NOT_NOW as error:
            log.warning("An overlay has to try again: %s", type(error).__name__)
            raise Refused("Try again", refusal("try_again")) from None

    async def _enter(self, room: Room, sid: str, token: OverlayToken, hello: Hello, widget: StandIn | None) -> None:
        stage = self._stage
        if len(room.overlays) >= MAX_OVERLAYS and hello.overlay_id not in room.overlays:
            raise Refused("Too many overlays", refusal("too_many"))
        overlay = ConnectedOverlay(
            overlay_id=hello.overlay_id,
            sid=sid,
            token_id=token.id,
            in_obs=hello.in_obs,
            visible=hello.visible is not False,
            active=hello.active is True,
            streaming=hello.streaming,
            stand_in=widget,
        )
        async with stage.database.transaction() as connection:
            is_ours = await overlays.connect_overlay(
                connection,
                process_id=stage.process_id,
                streamer_id=room.streamer_id,
                token_id=token.id,
                overlay_id=overlay.overlay_id,
                in_obs=overlay.in_obs,
                visible=overlay.visible,
                active=overlay.active,
                streaming=overlay.streaming,
                is_widget=widget is not None,
            )
            if not is_ours:
                raise Refused("This overlay_id is taken", refusal("overlay_id_taken"))
            caught_up = await showing.catch_up(
                connection,
                room.streamer_id,
                overlay.overlay_id,
                seen=[Seen(word.alert_id, word.lease_id, word.finished) for word in hello.seen],
                playing=Lease(hello.playing.alert_id, hello.playing.lease_id) if hello.playing else None,
            )
            room.speaker_id = await overlays.choose_speaker(connection, room.streamer_id)
        if hello.playing is not None and caught_up.goes_on:
            overlay.showing = hello.playing.lease_id
        overlay.welcome = {
            "protocol": PROTOCOL,
            "version": assets_version(),
            "goes_on": caught_up.goes_on,
        }
        # Its former socket, if we have not noticed yet that it broke, is not to speak for it any more.
        former = room.overlays.get(overlay.overlay_id)
        if former is not None:
            self._places.pop(former.sid, None)
        room.overlays[overlay.overlay_id] = overlay
        self._places[sid] = (room.streamer_id, overlay.overlay_id)
        stage.announce_ended(caught_up.ended)
        stage.announce(room.streamer_id, {Topic.OVERLAYS})
        stage.look(room, check_controls=True)

    def _disconnect(self, sid: str, reason: Any) -> None:
        place = self._places.pop(sid, None)
        room = self._stage.rooms.find(place[0]) if place else None
        overlay = room.overlays.get(place[1]) if room and place else None
        if room is None or overlay is None or overlay.sid != sid:
            return
        # Who says goodbye is gone; a socket that broke may be back in a moment, still playing.
        grace = 0.0 if reason == "client disconnect" else GRACE_SECONDS
        overlay.leave_at = time.monotonic() + grace
        asyncio.get_running_loop().call_later(grace + 0.01, self._stage.look_at, room.streamer_id)

    async def _hear(
        self, sid: str, word: Callable[[Room, ConnectedOverlay, Any], Awaitable[dict[str, Any]]], data: Any
    ) -> dict[str, Any]:
        place = self._places.get(sid)
        if place is None:
            return refusal("not_connected")
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._stage.rooms.locked(place[0]) as room:
                overlay = room.overlays.get(place[1])
                if overlay is None or overlay.sid != sid:
                    return refusal("not_connected")
                return await word(room, overlay, data)
        except ValidationError as error:
            return refusal("bad_message", reason=_reason(error))
        except DATABASE_AWAY as error:
            log.warning("An overlay's word has to be said again: %s", type(error).__name__)
            return refusal("try_again")

    async def _started(self, room: Room, overlay: ConnectedOverlay, data: Any) -> dict[str, Any]:
        lease = LeaseWord.model_validate(data)
        async with self._stage.database.connection() as connection:
            word = await showing.mark_started(
                connection, room.streamer_id, overlay.overlay_id, lease.alert_id, lease.lease_id
            )
        return _answer(word)

    async def _seen(self, room: Room, overlay: ConnectedOverlay, data: Any) -> dict[str, Any]:
        lease = LeaseWord.model_validate(data)
        async with self._stage.database.connection() as connection:
            word = await showing.mark_seen(
                connection, room.streamer_id, overlay.overlay_id, lease.alert_id, lease.lease_id
            )
        if word is Word.LATE:
            self._stage.announce(room.streamer_id, {Topic.ALERTS, Topic.DONATION})
        return _answer(word)

    async def _finished(self, room: Room, overlay: ConnectedOverlay, data: Any) -> dict[str, Any]:
        lease = LeaseWord.model_validate(data)
        async with self._stage.database.connection() as connection:
            word, ended = await showing.mark_finished(
                connection, room.streamer_id, overlay.overlay_id, lease.alert_id, lease.lease_id
            )
        if overlay.showing == lease.lease_id:
            overlay.showing = None
        self._stage.announce_ended(ended)
        if ended:
            room.lease_id = None
            # Only this overlay and nothing to mirror or to stop: a look for the next alert is all there is to do.
            self._stage.look(room, check_scene=len(room.overlays) > 1)
        return _answer(word)

    async def _state(self, room: Room, overlay: ConnectedOverlay, data: Any) -> dict[str, Any]:
        """The source was shown or hidden. What nobody could read any more goes back to the queue."""
        sight = Sight.model_validate(data)
        visible = overlay.visible if sight.visible is None else sight.visible
        active = overlay.active if sight.active is None else sight.active
        ended = []
        async with self._stage.database.transaction() as connection:
            await overlays.update_overlay(
                connection,
                process_id=self._stage.process_id,
                streamer_id=room.streamer_id,
                overlay_id=overlay.overlay_id,
                visible=visible,
                active=active,
                streaming=sight.streaming,
            )
            if not visible:
                ended = await showing.return_leases(connection, room.streamer_id, overlay.overlay_id, only_unseen=True)
            room.speaker_id = await overlays.choose_speaker(connection, room.streamer_id)
        overlay.visible, overlay.active = visible, active
        overlay.streaming = overlay.streaming if sight.streaming is None else sight.streaming
        self._stage.announce_ended(ended)
        self._stage.announce(room.streamer_id, {Topic.OVERLAYS})
        self._stage.look(room)
        return OK

    async def _stopped(self, room: Room, overlay: ConnectedOverlay, data: Any) -> dict[str, Any]:
        """What we told it to end is off the screen: whoever pressed "skip" is told so."""
        word = StoppedWord.model_validate(data)
        async with self._stage.database.connection() as connection:
            is_known = await showing.mark_stopped(connection, room.streamer_id, overlay.overlay_id, word.lease_id)
        if not is_known:
            return refusal("unknown_lease")
        self._stage.announce(room.streamer_id, {Topic.ALERTS})
        return OK

    async def _muted(self, room: Room, overlay: ConnectedOverlay, data: Any) -> dict[str, Any]:
        """The overlay is silent, or sounds again: whoever pressed "mute" is told so."""
        word = MutedWord.model_validate(data)
        async with self._stage.database.connection() as connection:
            await overlays.confirm_muted(
                connection,
                process_id=self._stage.process_id,
                streamer_id=room.streamer_id,
                overlay_id=overlay.overlay_id,
                muted=word.muted,
            )
        self._stage.announce(room.streamer_id, {Topic.OVERLAYS})
        return OK


def _answer(word: Word) -> dict[str, Any]:
    """`late`: of a former lease; written down, and the overlay should not go on with it."""
    return refusal("unknown_lease") if word is Word.UNKNOWN else {**OK, "late": word is Word.LATE}


def _reason(error: ValidationError) -> str:
    """The first thing wrong, in English, for whoever writes a client; never what was sent."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
