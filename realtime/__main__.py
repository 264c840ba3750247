"""Runs the realtime service: `python -m realtime`. SIGTERM or Ctrl-C closes the sockets; overlays come back."""

import logging
import signal
import socket
import sys
from types import FrameType
from typing import Any

import uvicorn
from pydantic import ValidationError
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from infra import logs
from infra.settings import Settings
from realtime.app import PING_INTERVAL_SECONDS, PING_TIMEOUT_SECONDS, RealtimeApp
from realtime.messages import MAX_MESSAGE_BYTES
from realtime.plain_sockets import PREFIX

GRACE_SECONDS = 3
WIDGET_PING_SECONDS = 1.0
"""How often a widget of the first version is asked whether it is there."""
WIDGET_PONG_SECONDS = 2.0
"""How long it may take to say so."""
LINGER_SECONDS = 15.0
"""How long a connection that is over may take to read what was said to it last."""


class Server(uvicorn.Server):
    def __init__(self, settings: Settings) -> None:
        self._realtime = RealtimeApp(settings)
        super().__init__(uvicorn_config(self._realtime, settings))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stopping when told to is a success: uvicorn would raise the signal once more at the end, and die of it."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._realtime.stop_offering()
        await super().shutdown(sockets)


class WebSockets(WebSocketsSansIOProtocol):
    """Pings of WebSocket's own find plain sockets whose other side is gone; Engine.IO has its own. What is over ends,
    also where nobody reads."""

    def handle_connect(self, event: Any) -> None:
        if not event.path.startswith(PREFIX):
            self.ping_interval = None
        elif "/widget/" in event.path:
            # We say of it that an alert was seen, three seconds after it began at the latest.
            self.ping_interval, self.ping_timeout = WIDGET_PING_SECONDS, WIDGET_PONG_SECONDS
        super().handle_connect(event)

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self._let_go()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._let_go()

    def _let_go(self) -> None:
        """Closing waits until all is read, which may be for ever."""
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)


def uvicorn_config(app: RealtimeApp, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.bind_host,
        port=settings.realtime_port,
        loop="uvloop",
        lifespan="on",
        ws=WebSockets,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_ping_interval=PING_INTERVAL_SECONDS,
        ws_ping_timeout=PING_TIMEOUT_SECONDS,
        # Small messages gain nothing from compression that costs 64 KB each.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        log_config=None,
        access_log=False,
        server_header=False,
        # Whom X-Forwarded-For is believed from, TRUSTED_PROXIES says (realtime/strangers.py).
        proxy_headers=False,
        backlog=2048,
    )


def one_line_for_garbage(record: logging.LogRecord) -> bool:
    """What fails inside Engine.IO itself is what a stranger sent: worth a line in the log, not a traceback.

    Our own errors do not get there: the namespaces log them.
    """
    if record.exc_info:
        record.msg, record.args = "A connection sent what is no message: %s", (record.exc_info[0],)
        record.exc_info = None
        record.levelno, record.levelname = logging.INFO, "INFO"
    return record.levelno >= logging.getLogger().level


def main() -> int:
    try:
        settings = Settings()
    except ValidationError as error:
        sys.stderr.write(f"The settings are not right:\n{error}\n")
        return 2
    logs.configure("realtime", settings.log_level)
    # Two lines for every connection, otherwise.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    logging.getLogger("engineio.server").addFilter(one_line_for_garbage)
    server = Server(settings)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
