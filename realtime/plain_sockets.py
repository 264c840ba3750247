"""The plain WebSockets of API v1: `/api/v1/ws/widget/<streamer>` and `/api/v1/ws/<streamer>` (docs/realtime.md).

A widget stands in for an overlay (`realtime/widget.py`); the other is told each released donation. Nobody need say
anything; what is said is counted and passed over.
"""

import asyncio
import contextlib
import functools
import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from domain import alert_settings
from domain.bot_feed import ToldDonation
from domain.scopes import Scope
from infra.crypto import SecretBox
from infra.database import DATABASE_AWAY
from realtime.feed import Feed, Listener, News, Told
from realtime.guests import Guests
from realtime.keys import Key, WrongStreamerError, find_listener, find_overlay_key
from realtime.overlay_socket import OverlayNamespace
from realtime.plain_frames import Words, donation_frame
from realtime.stage import Stage
from realtime.strangers import Strangers
from realtime.widget import Widget

log = logging.getLogger(__name__)

PREFIX = "/api/v1/ws/"
_PATH = re.compile(r"/api/v1/ws/(?:(?P<kind>ws|widget)/)?(?P<streamer_id>[0-9]{1,10})/?", re.ASCII)

NOT_YOURS = 4401
TOO_MUCH = 1008
TRY_LATER = 1013

ANSWER_SECONDS = 5.0
CLOSE_SECONDS = 2.0
RETRY_SECONDS = 1.0
MAX_WAITING = 500
"""Frames a slow listener may be behind."""
MAX_WORDS = 40
WORDS_SECONDS = 10.0
MAX_TOKEN = 2_000

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class PlainSockets:
    def __init__(
        self,
        stage: Stage,
        overlays: OverlayNamespace,
        feed: Feed,
        guests: Guests,
        strangers: Strangers,
        box: SecretBox,
    ) -> None:
        self._stage = stage
        self._overlays = overlays
        self._feed = feed
        self._guests = guests
        self._strangers = strangers
        self._box = box

    async def serve(self, scope: Message, receive: Receive, send: Send) -> None:
        """One connection, from its beginning to its end. A browser sees a close code only of what was accepted."""
        await receive()
        found = _PATH.fullmatch(scope["path"])
        if found is None:
            await send({"type": "websocket.close", "code": TOO_MUCH})
            return
        await send({"type": "websocket.accept"})
        socket = _Socket(receive, send)
        is_widget = found["kind"] == "widget"
        serve = self._play if is_widget else self._listen
        address = self._strangers.address_of(scope)
        try:
            if self._stage.stopping:
                await socket.close(TRY_LATER)
            elif not is_widget and self._strangers.is_refused(address):
                # Widgets are asked as overlays are: an alert waits for nobody's guesses.
                await socket.close(TOO_MUCH)
            elif not await serve(socket, int(found["streamer_id"]), _token_of(scope)):
                self._strangers.note_failed(address)
                await socket.close(NOT_YOURS)
        except DATABASE_AWAY as error:
            log.warning("A plain WebSocket has to come back: %s", type(error).__name__)
            await socket.close(TRY_LATER)
        except Exception:
            log.exception("A plain WebSocket failed")
            await socket.close(1011)

    async def _listen(self, socket: "_Socket", streamer_id: int, token: str) -> bool:
        """False: the token opens nothing here."""
        key = await self._find_key(token)
        if key is None or key.streamer_id != streamer_id or Scope.DONATIONS_READ not in key.scopes:
            return False
        if not self._guests.has_room(key):
            await socket.close(TOO_MUCH)
            return True
        waiting: asyncio.Queue[ToldDonation] = asyncio.Queue(MAX_WAITING)

        async def tell(news: News) -> None:
            if news.told is Told.WELCOME:
                await socket.begin()
            elif news.told is Told.DONATION and news.is_release:
                try:
                    waiting.put_nowait(news.item)
                except asyncio.QueueFull:
                    socket.end(TOO_MUCH)

        async def show_out(code: int) -> None:
            socket.end(code)

        name = f"plain-{uuid4()}"
        listener = Listener(
            streamer_id, frozenset({Scope.DONATIONS_READ}), tell, functools.partial(show_out, TRY_LATER)
        )
        self._guests.enter(name, key, functools.partial(show_out, NOT_YOURS))
        self._feed.add(listener)
        try:
            await socket.live(self._send_donations(socket, streamer_id, waiting))
        finally:
            self._guests.leave(name)
            self._feed.remove(listener)
        return True

    async def _find_key(self, token: str) -> Key | None:
        async with asyncio.timeout(ANSWER_SECONDS), self._stage.database.connection() as connection:
            try:
                return await find_overlay_key(connection, token) or await find_listener(connection, self._box, token)
            except WrongStreamerError:
                return None

    async def _send_donations(
        self, socket: "_Socket", streamer_id: int, waiting: "asyncio.Queue[ToldDonation]"
    ) -> None:
        while True:
            donation = await waiting.get()
            words = Words(donation.told_name, donation.told_message, donation.amount_minor)
            await socket.say(await self._frame(streamer_id, words))

    async def _frame(self, streamer_id: int, words: Words) -> str:
        """Waits for PostgreSQL, however long that takes."""
        while True:
            try:
                async with self._stage.database.connection() as connection:
                    settings = await alert_settings.get_settings(connection, streamer_id)
                return donation_frame(words, settings)
            except DATABASE_AWAY:
                await asyncio.sleep(RETRY_SECONDS)

    async def _play(self, socket: "_Socket", streamer_id: int, token: str) -> bool:
        """False: the token opens nothing here."""

        async def show_out() -> None:
            socket.end(NOT_YOURS)

        async def frame_of(words: Words) -> str:
            return await self._frame(streamer_id, words)

        widget = Widget(self._overlays.trigger_event, socket.say, show_out, frame_of)
        code = await self._overlays.let_in_widget(widget.sid, widget.overlay_id, widget, token, streamer_id)
        if code is not None:
            busy = {"try_again": TRY_LATER, "too_many": TOO_MUCH}
            if code in busy:
                await socket.close(busy[code])
            return code in busy
        try:
            await socket.begin()
            await socket.live(widget.play_for_ever())
        finally:
            self._overlays.let_go(widget.sid)
        return True


class _Socket:
    """One accepted connection."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._is_closed = False
        self._has_begun = False
        self._unanswered = 0
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def begin(self) -> None:
        """From now on it misses nothing: a `ping` said before is answered now, one said later at once."""
        self._has_begun = True
        while self._unanswered:
            self._unanswered -= 1
            await self.say("pong")

    async def say(self, text: str) -> None:
        if not self._is_closed:
            await self._send({"type": "websocket.send", "text": text})

    def end(self, code: int) -> None:
        """From beside it, without waiting: `live` ends, and closes with this code."""
        if not self._ended.done():
            self._ended.set_result(code)

    async def close(self, code: int) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        # It may have gone by itself, or read nothing.
        with contextlib.suppress(OSError, RuntimeError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._send({"type": "websocket.close", "code": code})

    async def live(self, work: Awaitable[None]) -> None:
        """Until the other side goes, it is ended from beside, or what was to be done for it fails."""
        working = asyncio.ensure_future(work)
        hearing = asyncio.create_task(self._hear())
        ends: set[asyncio.Future[Any]] = {working, hearing, self._ended}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (working, hearing):
                task.cancel()
            results = await asyncio.gather(working, hearing, return_exceptions=True)
        for result in results:
            # A connection that broke while something was said to it is no failure.
            if isinstance(result, Exception) and not isinstance(result, OSError):
                raise result
        if self._ended.done():
            await self.close(self._ended.result())

    async def _hear(self) -> None:
        """What is said means nothing, but `ping`; who says much is shown out."""
        words: list[float] = []
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self._is_closed = True
                return
            now = time.monotonic()
            words = [said for said in words if now - said < WORDS_SECONDS] + [now]
            if len(words) > MAX_WORDS:
                await self.close(TOO_MUCH)
                return
            if message.get("text") == "ping":
                if self._has_begun:
                    await self.say("pong")
                else:
                    self._unanswered += 1


def _token_of(scope: Message) -> str:
    """`?token=…`, as browsers' WebSockets can send no header, or `Authorization: Bearer …`."""
    query = parse_qs(scope["query_string"].decode("latin-1"))
    token = query.get("token", [""])[0]
    for name, value in scope["headers"]:
        if not token and name.lower() == b"authorization":
            scheme, _, given = value.decode("latin-1").partition(" ")
            token = given.strip() if scheme.lower() == "bearer" else ""
    return token if len(token) <= MAX_TOKEN else ""
