"""An overlay (or a dashboard) for tests: a real Socket.IO client that does what a test tells it to."""

import asyncio
import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import socketio
from socketio.exceptions import ConnectionError as RefusedError

WAIT_SECONDS = 20


class Client:
    """Connects to a namespace and keeps what it hears, in order."""

    def __init__(self, url: str, namespace: str, auth: Any) -> None:
        self._url = url
        self._namespace = namespace
        self._auth = auth
        self._heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.refusal: Any = None
        self.socket = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.socket.on("*", self._hear, namespace=namespace)
        self.socket.on("connect_error", self._refused, namespace=namespace)
        self.socket.on("disconnect", self._gone, namespace=namespace)

    async def connect(self, *, headers: Mapping[str, str] | None = None) -> Self:
        """Raises RefusedError; `refusal` says why. Who is told to try again does."""
        async with asyncio.timeout(WAIT_SECONDS * 2):
            while True:
                try:
                    await self.socket.connect(
                        self._url,
                        namespaces=[self._namespace],
                        auth=self._auth,
                        transports=["websocket"],
                        headers=dict(headers or {}),
                        wait_timeout=WAIT_SECONDS,
                    )
                    return self
                except RefusedError:
                    if not self._may_try_again():
                        raise
                    await self.socket.disconnect()
                    await asyncio.sleep(0.2)

    def _may_try_again(self) -> bool:
        said = self.refusal.get("data") if isinstance(self.refusal, dict) else None
        return isinstance(said, dict) and said.get("code") == "try_again"

    async def _hear(self, event: str, data: Any = None) -> None:
        self._heard.put_nowait((event, data))

    async def _refused(self, data: Any) -> None:
        self.refusal = data

    async def _gone(self, *_reason: Any) -> None:
        self._heard.put_nowait(("disconnect", None))

    async def next(self) -> tuple[str, Any]:
        async with asyncio.timeout(WAIT_SECONDS):
            return await self._heard.get()

    async def wait_for(self, event: str) -> Any:
        """The next message of this name; what comes before it is passed over."""
        while True:
            heard, data = await self.next()
            if heard == event:
                return data

    def heard_so_far(self) -> list[str]:
        """The names of all messages that came and were not taken yet; they are taken now."""
        names = []
        while not self._heard.empty():
            names.append(self._heard.get_nowait()[0])
        return names

    async def say(self, event: str, *data: Any) -> Any:
        """Send a message; returns the answer."""
        payload = data[0] if len(data) == 1 else data
        return await self.socket.call(event, payload, namespace=self._namespace, timeout=WAIT_SECONDS)

    async def leave(self) -> None:
        await self.socket.disconnect()

    async def break_off(self) -> None:
        """The socket is gone without a goodbye, as when the browser was killed."""
        # The websocket's transport, not the websocket: closing that would be polite.
        transport = self.socket.eio.ws._response.connection.transport
        transport.abort()
        await self.wait_for("disconnect")

    async def __aenter__(self) -> Self:
        return await self.connect()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave()


class Overlay(Client):
    """An overlay's socket.

    Words take the alert as the offer brought it: `await overlay.say("seen", word(offer))`, or `show(offer)` for all.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        in_obs: bool = True,
        overlay_id: uuid.UUID | None = None,
        **hello: Any,
    ) -> None:
        self.overlay_id = overlay_id or uuid.uuid4()
        auth = {"token": token, "overlay_id": str(self.overlay_id), "in_obs": in_obs, **hello}
        super().__init__(url, "/overlay", auth)

    async def offer(self) -> Any:
        return await self.wait_for("offer")

    async def show(self, offer: Any) -> None:
        """Play an alert to its end, in no time."""
        for event in ("started", "seen", "finished"):
            answer = await self.say(event, word(offer))
            assert answer == {"ok": True, "late": False}, (event, answer)


def word(offer: Any) -> dict[str, str]:
    return {"alert_id": offer["alert_id"], "lease_id": offer["lease_id"]}


async def refused(client: Client) -> Any:
    """Connect, and return the refusal that must come."""
    try:
        await client.connect()
    except RefusedError:
        await client.leave()
        assert client.refusal is not None, "the connection failed without an answer"
        return client.refusal.get("data", client.refusal)
    await client.leave()
    raise AssertionError("the connection was not refused")
