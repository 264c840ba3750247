"""The namespace `/events`: bots hear what happens to a streamer. `docs/realtime.md` describes it for strangers."""

import asyncio
import logging
import time
from functools import partial
from typing import Any

import socketio
from pydantic import ValidationError
from socketio.exceptions import ConnectionRefusedError as Refused

from infra.crypto import SecretBox
from infra.database import DATABASE_AWAY
from realtime.bot_messages import BotHello, bot_message, read_cursor
from realtime.feed import Feed, Listener, News
from realtime.guests import Guests
from realtime.keys import LISTENED, Key, WrongStreamerError, find_listener
from realtime.messages import refusal
from realtime.stage import Stage
from realtime.strangers import Strangers

log = logging.getLogger(__name__)

EVENTS = "/events"
ANSWER_SECONDS = 5.0
MAX_WORDS = 20
WORDS_SECONDS = 10.0
"""A bot has nothing to say; one that says more than this is shown out."""


class EventsNamespace(socketio.AsyncNamespace):  # type: ignore[misc]
    def __init__(self, stage: Stage, feed: Feed, guests: Guests, strangers: Strangers, box: SecretBox) -> None:
        super().__init__(EVENTS)
        self._stage = stage
        self._feed = feed
        self._guests = guests
        self._strangers = strangers
        self._box = box
        self._listeners: dict[str, Listener] = {}
        self._words: dict[str, list[float]] = {}

    async def trigger_event(self, event: Any, *arguments: Any) -> Any:
        sid = arguments[0]
        if event == "connect" and sid not in self._listeners:
            address = self._strangers.address_of(arguments[1]["asgi.scope"])
            return await self._connect(sid, address, arguments[2] if len(arguments) > 2 else None)
        if event == "disconnect":
            return self._disconnect(sid)
        return await self._refuse_word(sid)

    async def _connect(self, sid: str, address: str, auth: Any) -> None:
        """Let a bot in, or refuse it with a code (in the error's `data`)."""
        try:
            hello = BotHello.model_validate(auth)
        except ValidationError:
            raise Refused("The hello is not right", refusal("bad_message", reason="token, streamer, after")) from None
        after = None if hello.after is None else read_cursor(hello.after)
        if hello.after is not None and after is None:
            raise Refused("This is no cursor", refusal("bad_message", reason="after: no cursor of ours"))
        if self._stage.stopping:
            raise Refused("Stopping", refusal("try_again"))
        if self._strangers.is_refused(address):
            raise Refused("Too many tokens that open nothing", refusal("too_many"))
        key = await self._find_key(hello)
        if key is None:
            self._strangers.note_failed(address)
            raise Refused("This token is not valid", refusal("unknown_token"))
        if not key.scopes & LISTENED:
            raise Refused("This token has no scope to listen with", refusal("no_scope"))
        if not self._guests.has_room(key):
            raise Refused("Too many connections", refusal("too_many"))

        async def tell(news: News) -> None:
            await self.emit(news.told, bot_message(news, key), to=sid)

        async def show_out(code: str) -> None:
            await self.emit("refused", refusal(code), to=sid)
            await self.disconnect(sid)

        listener = Listener(key.streamer_id, key.scopes, tell, partial(show_out, "try_again"), since=after)
        self._listeners[sid] = listener
        self._guests.enter(sid, key, partial(show_out, "revoked"))
        self._feed.add(listener)

    async def _find_key(self, hello: BotHello) -> Key | None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._stage.database.connection() as connection:
                return await find_listener(connection, self._box, hello.token, hello.streamer)
        except WrongStreamerError:
            raise Refused("This token is not for that streamer", refusal("wrong_streamer")) from None
        except DATABASE_AWAY as error:
            log.warning("A bot has to try again: %s", type(error).__name__)
            raise Refused("Try again", refusal("try_again")) from None

    def _disconnect(self, sid: str) -> None:
        self._guests.leave(sid)
        self._words.pop(sid, None)
        listener = self._listeners.pop(sid, None)
        if listener is not None:
            self._feed.remove(listener)

    async def _refuse_word(self, sid: str) -> dict[str, Any]:
        now = time.monotonic()
        words = [said for said in self._words.get(sid, []) if now - said < WORDS_SECONDS] + [now]
        if sid in self._listeners:
            self._words[sid] = words
        if len(words) > MAX_WORDS:
            await self.disconnect(sid)
        return refusal("unknown_message")
