"""The realtime service, put together: Socket.IO for overlays, dashboards and bots, version 1's plain WebSockets,
`/health`, and what runs beside them."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import socketio

from domain import overlays
from domain.events import Wake
from infra.crypto import SecretBox
from infra.database import DATABASE_AWAY
from infra.settings import Settings
from realtime.dashboard_socket import DashboardNamespace
from realtime.database import Database
from realtime.events_socket import EVENTS, EventsNamespace
from realtime.feed import Feed
from realtime.ghosts import Ghosts
from realtime.guests import Guests
from realtime.messages import MAX_MESSAGE_BYTES
from realtime.net import Net
from realtime.overlay_socket import ANSWER_SECONDS, OverlayNamespace
from realtime.plain_sockets import PREFIX, PlainSockets
from realtime.stage import DASHBOARD, OVERLAY, Stage
from realtime.strangers import Strangers
from realtime.wakes import Wakes

log = logging.getLogger(__name__)

# A dead overlay is noticed within their sum, and the alert it was playing goes back.
PING_INTERVAL_SECONDS = 10
PING_TIMEOUT_SECONDS = 8

POST_SECONDS = ANSWER_SECONDS + 3.0
"""A long-polling client's message is taken by then, or not at all; a refusal that comes late is sent all the same."""

NAMESPACES = [OVERLAY, DASHBOARD, EVENTS]
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]


class RealtimeApp:
    """The ASGI application. `start` and `stop` are called by the server's lifespan."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server = socketio.AsyncServer(
            async_mode="asgi",
            # In order, one at a time per socket: an overlay's `seen` never overtakes its `started`.
            async_handlers=False,
            namespaces=NAMESPACES,
            cors_allowed_origins=allowed_origins(settings),
            max_http_buffer_size=MAX_MESSAGE_BYTES,
            ping_interval=PING_INTERVAL_SECONDS,
            ping_timeout=PING_TIMEOUT_SECONDS,
            http_compression=False,
        )
        self._database = Database(settings.database_url, settings.database_pool_size)
        self._wakes = Wakes(settings.redis_url)
        self._stage = Stage(self._server, self._database, self._wakes, uuid4())
        self._net = Net(self._stage, self._wakes)
        self._ghosts = Ghosts(self._server, NAMESPACES)
        self._feed = Feed(self._database)
        box = SecretBox(settings.secret_keys.get_secret_value())
        self._guests = Guests(self._database, box)
        strangers = Strangers(settings.trusted_proxies)
        overlay_namespace = OverlayNamespace(self._stage)
        self._server.register_namespace(overlay_namespace)
        self._server.register_namespace(DashboardNamespace(self._stage, box))
        self._server.register_namespace(EventsNamespace(self._stage, self._feed, self._guests, strangers, box))
        self._plain = PlainSockets(self._stage, overlay_namespace, self._feed, self._guests, strangers, box)
        self._sockets = socketio.ASGIApp(self._server, other_asgi_app=self._serve_health)
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] == "websocket" and scope["path"].startswith(PREFIX):
            await self._plain.serve(scope, receive, send)
            return
        is_answered = False

        async def answer(message: Scope) -> None:
            nonlocal is_answered
            is_answered = True
            await send(message)

        try:
            # Engine.IO ends a session that posted rubbish, but waits for it to fetch its goodbye before it answers.
            async with asyncio.timeout(POST_SECONDS if scope.get("method") == "POST" else None):
                await self._sockets(scope, receive, answer)
        except (ValueError, TimeoutError) as error:
            # What is no Engine.IO packet at all, or too large, ends the connection that sent it.
            log.info("A connection sent what is no message: %s", type(error).__name__)
            if scope["type"] == "http" and not is_answered:
                await _respond(send, 400, {"status": "bad_request"})

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._run_net()),
            asyncio.create_task(self._wakes.publish_all()),
            asyncio.create_task(self._wakes.hear(self._hear, self._look_now)),
            asyncio.create_task(self._feed.run()),
            asyncio.create_task(self._guests.run()),
            asyncio.create_task(self._ghosts.run()),
        ]

    def _hear(self, wake: Wake) -> None:
        self._stage.hear(wake)
        self._feed.look_at(wake.streamer_id)

    def _look_now(self) -> None:
        self._net.look_now()
        self._feed.look_now()
        self._stage.tell_all_dashboards()

    def stop_offering(self) -> None:
        """Before the sockets are closed: what plays now is not ours to take back, its overlays are about to move."""
        self._stage.stopping = True

    async def stop(self) -> None:
        """Say that our overlays are gone, and let go of everything."""
        self.stop_offering()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(*DATABASE_AWAY):
            async with asyncio.timeout(2), self._database.transaction() as connection:
                await overlays.end_process(connection, self._stage.process_id)
        await self._wakes.close()
        await self._database.close()

    async def _run_net(self) -> None:
        await self._database.open()
        await self._net.run()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _serve_health(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["path"].startswith(PREFIX):
            await _respond(send, 426, {"detail": "This address speaks WebSocket only."})
            return
        if scope["path"] != "/health":
            await _respond(send, 404, {"status": "not_found"})
            return
        database, redis = await asyncio.gather(self._database.answers(), self._wakes.answers())
        body = {
            "status": "healthy" if database and redis else "degraded",
            "services": {
                "database": "connected" if database else "disconnected",
                "redis": "connected" if redis else "disconnected",
            },
            "overlays": self._stage.rooms.count_overlays(),
            "dashboards": self._stage.rooms.count_dashboards(),
            "listeners": self._guests.count(),
        }
        # Without Redis alerts play a little later; without PostgreSQL nothing does.
        await _respond(send, 200 if database else 503, body)


def allowed_origins(settings: Settings) -> list[str]:
    """Where pages may connect from: our own addresses. On one machine its loopback names are one and the same."""
    origins = []
    for url in (settings.web_url, settings.realtime_url):
        parts = urlsplit(url)
        hosts = {parts.netloc}
        name = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
        if name in LOOPBACK_NAMES:
            port = f":{parts.port}" if parts.port else ""
            hosts |= {f"{loopback}{port}" for loopback in LOOPBACK_NAMES}
        origins += [urlunsplit((parts.scheme, host, "", "", "")) for host in sorted(hosts)]
    return list(dict.fromkeys(origins))


async def _respond(send: Send, status: int, body: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
