"""An overlay without a browser: the `/overlay` namespace of Socket.IO over one WebSocket.

Just enough of Engine.IO 4 and Socket.IO 5 (text packets, WebSocket from the start) for a program that speaks as an
overlay does; thousands fit into one process.
"""

import asyncio
import itertools
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import websockets
from websockets.asyncio.client import ClientConnection

NAMESPACE = "/overlay"
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 10.0

# The first digit of a packet is Engine.IO's, the second Socket.IO's.
_OPEN, _PING, _PONG = "0", "2", "3"
_CONNECTED, _DISCONNECTED, _EVENT, _ANSWER, _REFUSED = "40", "41", "42", "43", "44"


class OverlayRefusedError(Exception):
    """The service does not let this overlay in; `code` is one of its words, as "revoked"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class OverlayLostError(ConnectionError):
    """The socket closed."""


OVERLAY_AWAY: tuple[type[BaseException], ...] = (OverlayLostError, OSError, TimeoutError, websockets.WebSocketException)


@dataclass(frozen=True)
class Heard:
    """A message of the service; `at` is when it came (`time.perf_counter`, seconds)."""

    event: str
    data: Any
    at: float


class Overlay:
    """One connection; used once.

    async with Overlay(realtime_url, token) as overlay:
        offer = await overlay.next("offer")
        await overlay.say("started", {"alert_id": …, "lease_id": …})
    """

    def __init__(
        self,
        realtime_url: str,
        token: str,
        *,
        overlay_id: uuid.UUID | None = None,
        in_obs: bool = False,
        hello: Mapping[str, Any] | None = None,
    ) -> None:
        """`hello` may carry `playing` and `seen` (docs/realtime.md)."""
        self._url = socket_url(realtime_url)
        self._hello = {
            "token": token,
            "overlay_id": str(overlay_id or uuid.uuid4()),
            "in_obs": in_obs,
            **(hello or {}),
        }
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._heard: asyncio.Queue[Heard | None] = asyncio.Queue()
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count()

    async def connect(self) -> Self:
        """Raises OverlayRefusedError, or one of OVERLAY_AWAY."""
        async with asyncio.timeout(CONNECT_SECONDS):
            # On one machine: neither a proxy nor compression has any business here. Engine.IO has its own pings.
            self._socket = await websockets.connect(self._url, proxy=None, compression=None, ping_interval=None)
            try:
                await self._greet(self._socket)
            except BaseException:
                await self._socket.close()
                raise
        self._reading = asyncio.create_task(self._read(self._socket))
        return self

    async def _greet(self, socket: ClientConnection) -> None:
        await self._expect(socket, _OPEN)
        await socket.send(f"{_CONNECTED}{NAMESPACE},{json.dumps(self._hello)}")
        packet = await self._expect(socket, "4")
        if packet.startswith(_REFUSED):
            refusal = json.loads(packet.partition(",")[2])
            raise OverlayRefusedError(str((refusal.get("data") or {}).get("code", refusal.get("message"))))

    async def _expect(self, socket: ClientConnection, kind: str) -> str:
        while True:
            packet = await socket.recv(decode=True)
            if packet == _PING:
                await socket.send(_PONG)
            elif packet.startswith(kind):
                return packet

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for packet in socket:
                assert isinstance(packet, str), "the service speaks in texts"
                at = time.perf_counter()
                if packet == _PING:
                    await socket.send(_PONG)
                    continue
                kind, body = packet[:2], packet[2:].removeprefix(NAMESPACE).removeprefix(",")
                if kind == _EVENT:
                    event, *data = json.loads(body)
                    self._heard.put_nowait(Heard(event, data[0] if data else None, at))
                elif kind == _ANSWER:
                    number, _, answer = body.partition("[")
                    waiting = self._answers.pop(int(number), None)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(json.loads(f"[{answer}")[0])
                elif kind == _DISCONNECTED:
                    break
        except websockets.ConnectionClosed:
            pass
        finally:
            self._heard.put_nowait(None)
            for waiting in self._answers.values():
                if not waiting.done():
                    waiting.set_exception(OverlayLostError("the socket closed before the answer came"))

    async def next(self, *events: str) -> Heard:
        """The next message, or the next of these; what comes before it is passed over. Raises OverlayLostError."""
        while True:
            heard = await self._heard.get()
            if heard is None:
                self._heard.put_nowait(None)
                raise OverlayLostError("the socket closed")
            if not events or heard.event in events:
                return heard

    async def say(self, event: str, data: Mapping[str, Any]) -> Any:
        """Send a message and return its answer. Raises one of OVERLAY_AWAY."""
        if self._socket is None or self._reading is None or self._reading.done():
            raise OverlayLostError("not connected")
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._socket.send(f"{_EVENT}{NAMESPACE},{number}{json.dumps([event, data])}")
                return await answer
        finally:
            self._answers.pop(number, None)

    async def leave(self) -> None:
        """Say goodbye and close. Harmless when the socket is gone already."""
        if self._socket is None:
            return
        try:
            await self._socket.send(f"{_DISCONNECTED}{NAMESPACE},")
        except websockets.ConnectionClosed:
            pass
        await self._socket.close()
        if self._reading is not None:
            await asyncio.wait([self._reading])

    def break_off(self) -> None:
        """The socket is gone without a goodbye, as when a browser is killed or a network fails."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def __aenter__(self) -> Self:
        return await self.connect()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave()


def socket_url(realtime_url: str) -> str:
    """`http://127.0.0.1:8001` → `ws://127.0.0.1:8001/socket.io/?EIO=4&transport=websocket`."""
    parts = urlsplit(realtime_url)
    scheme = {"http": "ws", "https": "wss"}[parts.scheme]
    return urlunsplit((scheme, parts.netloc, "/socket.io/", "EIO=4&transport=websocket", ""))
