"""Sockets whose connection is gone and of whose end nobody was told.

python-socketio passes over the end of a connection that is still being let in, and then lets it in: an overlay that is
not there would be given every alert. So it is looked whether those that are connected have a connection, from memory.
"""

import asyncio
import logging
import time

import socketio

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
LET_IN_SECONDS = 30.0
"""Letting one in takes a few seconds at most; what is not let in by then was given up half-way."""


class Ghosts:
    def __init__(self, server: socketio.AsyncServer, namespaces: list[str]) -> None:
        self._server = server
        self._namespaces = namespaces
        self._half_way: dict[tuple[str, str], float] = {}
        """By namespace and socket, since when (monotonic) one that is not let in has no connection."""

    async def run(self) -> None:
        """Let go of them, for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except Exception:
                log.exception("Looking for sockets without a connection failed")

    async def _look(self) -> None:
        manager, now = self._server.manager, time.monotonic()
        half_way = {}
        for namespace in self._namespaces:
            for sid, connection_id in list(manager.get_participants(namespace, None)):
                connection = self._server.eio.sockets.get(connection_id)
                if connection is not None and not connection.closed:
                    continue
                if manager.is_connected(sid, namespace):
                    log.info("A socket without a connection is let go of")
                    await self._server.disconnect(sid, namespace=namespace)
                    continue
                since = self._half_way.get((namespace, sid), now)
                if now - since < LET_IN_SECONDS:
                    half_way[namespace, sid] = since
                else:
                    await manager.disconnect(sid, namespace, ignore_queue=True)
        self._half_way = half_way
