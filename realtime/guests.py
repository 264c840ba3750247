"""Who listens with a key, and for how long: connections are counted by key, and end within two seconds of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from infra.crypto import SecretBox
from infra.database import DATABASE_AWAY
from realtime.database import Database
from realtime.keys import Key, list_ended
from realtime.partings import Partings

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.5
MAX_OF_KEY = 10
"""Connections with one key, on one process."""
MAX_OF_STREAMER = 100
"""With all keys of one streamer."""


class Guests:
    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database = database
        self._box = box
        self._guests: dict[str, tuple[Key, Callable[[], Awaitable[None]]]] = {}
        """By the connection's name: its key, and how to show it out."""
        self._partings = Partings()

    def has_room(self, key: Key) -> bool:
        keys = [other for other, _ in self._guests.values()]
        same_key = sum(other.name == key.name for other in keys)
        same_streamer = sum(other.streamer_id == key.streamer_id for other in keys)
        return same_key < MAX_OF_KEY and same_streamer < MAX_OF_STREAMER

    def enter(self, connection_name: str, key: Key, show_out: Callable[[], Awaitable[None]]) -> None:
        self._guests[connection_name] = (key, show_out)

    def leave(self, connection_name: str) -> None:
        self._guests.pop(connection_name, None)

    def count(self) -> int:
        return len(self._guests)

    async def run(self) -> None:
        """Show out those whose keys ended, for ever."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await self._check()
            except DATABASE_AWAY as error:
                log.warning("Keys are looked at again in a moment: %s", type(error).__name__)
            except Exception:
                log.exception("Looking at keys failed")

    async def _check(self) -> None:
        guests = dict(self._guests)
        if not guests:
            return
        async with asyncio.timeout(10), self._database.connection() as connection:
            ended = await list_ended(connection, self._box, {key for key, _ in guests.values()})
        for name, (key, show_out) in guests.items():
            if key in ended and name in self._guests:
                self.leave(name)
                self._partings.begin(show_out)
