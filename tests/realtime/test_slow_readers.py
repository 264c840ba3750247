"""Who reads nothing, or cannot be told: shown out, and nobody beside it waits or misses anything."""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from domain.scopes import Scope
from infra.crypto import SecretBox
from infra.settings import Settings
from realtime import feed as realtime_feed
from realtime import partings
from realtime.app import RealtimeApp
from realtime.database import Database
from realtime.feed import Feed, Listener, News, Told
from realtime.guests import Guests
from realtime.keys import find_overlay_key
from tests.realtime.conftest import SECRET_KEY, Scene
from tests.realtime.test_bots import pay, until

WAIT_SECONDS = 15


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    database = Database(fresh_database_url, 3)
    await database.open()
    yield database
    await database.close()


class Ear:
    """A listener of a feed. `deaf_to`: at this donation it hangs, or fails. `attends`: without it, it hears nothing."""

    def __init__(
        self,
        streamer_id: int,
        *,
        since: Any = None,
        deaf_to: str = "",
        fails: type[Exception] | None = None,
        attends: asyncio.Event | None = None,
    ) -> None:
        self.heard: list[str] = []
        self.place: Any = None
        self.shown_out = 0
        self._deaf_to = deaf_to
        self._fails = fails
        self._attends = attends
        self.listener = Listener(
            streamer_id, frozenset({Scope.DONATIONS_READ}), self._tell, self._show_out, since=since
        )

    async def _tell(self, news: News) -> None:
        if news.told is Told.DONATION:
            if self._attends is not None:
                await self._attends.wait()
            if news.item.message == self._deaf_to:
                if self._fails is not None:
                    raise self._fails
                await asyncio.sleep(3600)
            self.heard.append(news.item.message)
        self.place = news.place

    async def _show_out(self) -> None:
        self.shown_out += 1

    async def has_heard(self, count: int) -> bool:
        return len(self.heard) >= count

    async def is_out(self) -> bool:
        return self.shown_out > 0


@contextlib.asynccontextmanager
async def feeding(database: Database) -> AsyncIterator[Feed]:
    feed = Feed(database)
    running = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("fails", [None, ValueError])
async def test_one_that_cannot_be_told_comes_back_and_others_miss_nothing(
    database: Database, scene: Scene, monkeypatch: pytest.MonkeyPatch, fails: type[Exception] | None
) -> None:
    monkeypatch.setattr(realtime_feed, "TELL_SECONDS", 0.3)
    messages = ["Раз", "Два", "Три"]
    for message in messages:
        await pay(scene, message=message)
    long_ago = await scene.pool.fetchval("SELECT now() - interval '1 hour'")
    deaf = Ear(scene.streamer.id, since=long_ago, deaf_to="Два", fails=fails)
    others = [Ear(scene.streamer.id, since=long_ago) for _ in range(3)]
    async with feeding(database) as feed:
        feed.add(deaf.listener)
        for other in others:
            feed.add(other.listener)
        await until(deaf.is_out)
        assert feed.count() == len(others)
        for other in others:
            await until(functools.partial(other.has_heard, 3))
        again = Ear(scene.streamer.id, since=deaf.place)
        feed.add(again.listener)
        await until(lambda: again.has_heard(2))
        await pay(scene, message="Четыре")
        feed.look_at(scene.streamer.id)
        for ear in (*others, again):
            await until(functools.partial(ear.has_heard, 4 if ear in others else 3))
    assert deaf.heard == ["Раз"]
    assert deaf.shown_out == 1
    assert [ear.heard for ear in others] == [[*messages, "Четыре"]] * 3
    # What it had heard may come once more, what it had not does come.
    assert again.heard[-3:] == ["Два", "Три", "Четыре"]


async def test_one_that_is_slow_keeps_nobody_waiting_and_misses_nothing(
    database: Database, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime_feed, "TELL_SECONDS", 60)
    long_ago = await scene.pool.fetchval("SELECT now() - interval '1 hour'")
    await pay(scene, message="Раз")
    attends = asyncio.Event()
    slow = Ear(scene.streamer.id, since=long_ago, attends=attends)
    quick = Ear(scene.streamer.id, since=long_ago)
    async with feeding(database) as feed:
        feed.add(slow.listener)
        feed.add(quick.listener)
        for count, message in enumerate(("Два", "Три"), start=2):
            await pay(scene, message=message)
            feed.look_at(scene.streamer.id)
            await until(functools.partial(quick.has_heard, count))
        assert slow.heard == []
        attends.set()
        await until(functools.partial(slow.has_heard, 3))
    assert slow.heard == quick.heard == ["Раз", "Два", "Три"]
    assert slow.shown_out == 0


async def test_keys_that_ended_are_shown_out_each_by_itself(
    database: Database, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.guests.CHECK_SECONDS", 0.1)
    async with scene.pool.acquire() as connection:
        key = await find_overlay_key(connection, scene.token)
    assert key is not None
    out: list[str] = []

    def showing_out(name: str) -> Callable[[], Awaitable[None]]:
        async def show_out() -> None:
            if name == "hangs":
                await asyncio.sleep(3600)
            if name == "fails":
                raise ValueError
            out.append(name)

        return show_out

    guests = Guests(database, SecretBox(SECRET_KEY))
    for name in ("hangs", "fails", "listens"):
        guests.enter(name, key, showing_out(name))
    running = asyncio.create_task(guests.run())
    try:
        await scene.rotate_token()
        async with asyncio.timeout(WAIT_SECONDS):
            while out != ["listens"]:
                await asyncio.sleep(0.02)
        assert guests.count() == 0
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Wire:
    """The server's end of a plain WebSocket; `reads` False: what is sent to it never arrives."""

    def __init__(self, path: str, token: str) -> None:
        self.scope = {
            "type": "websocket", "path": path, "query_string": f"token={token}".encode(), "headers": [],
            "client": ("127.0.0.1", 1),
        }  # fmt: skip
        self.sent: list[Any] = []
        self.reads = True
        # The answer says that it misses nothing from there on.
        self._said = [{"type": "websocket.receive", "text": "ping"}, {"type": "websocket.connect"}]

    async def receive(self) -> Any:
        if self._said:
            return self._said.pop()
        return await asyncio.sleep(3600)

    async def send(self, message: Any) -> None:
        if not self.reads:
            await asyncio.sleep(3600)
        self.sent.append(message)

    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent if message["type"] == "websocket.send"]

    def donations(self) -> list[str]:
        return [json.loads(text)["donation"]["message"] for text in self.texts() if text != "pong"]

    async def is_heard(self) -> bool:
        return "pong" in self.texts()


async def test_a_plain_socket_that_reads_nothing_keeps_nobody_else_waiting(
    scene: Scene, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partings, "PARTING_SECONDS", 0.5)
    monkeypatch.setattr("realtime.plain_sockets.CLOSE_SECONDS", 0.5)
    monkeypatch.setattr("realtime.plain_sockets.MAX_WAITING", 1)
    settings = Settings(**{name.lower(): value for name, value in environment.items()})  # type: ignore[arg-type]
    app = RealtimeApp(settings)
    await app.start()
    path = f"/api/v1/ws/{scene.streamer.id}"
    deaf, good, revoked = (Wire(path, scene.token) for _ in range(3))
    try:
        await until(lambda: listen(app, 0))
        serving = [asyncio.create_task(app(wire.scope, wire.receive, wire.send)) for wire in (deaf, good, revoked)]
        for wire in (deaf, good, revoked):
            await until(wire.is_heard)
        assert await listen(app, 3)
        deaf.reads = False
        # One is on its way, one waits, and the third is one too many.
        for message in ("Раз", "Два", "Три"):
            await pay(scene, message=message)
            await until(functools.partial(has_donation, good, message))
        async with asyncio.timeout(WAIT_SECONDS):
            await serving[0]
        assert good.donations() == ["Раз", "Два", "Три"]
        deaf = Wire(path, scene.token)
        serving[0] = asyncio.create_task(app(deaf.scope, deaf.receive, deaf.send))
        await until(deaf.is_heard)
        assert await listen(app, 3)
        deaf.reads = False
        await scene.rotate_token()
        async with asyncio.timeout(WAIT_SECONDS):
            await asyncio.gather(*serving)
        assert good.sent[-1] == revoked.sent[-1] == {"type": "websocket.close", "code": 4401}
    finally:
        await app.stop()


async def has_donation(wire: Wire, message: str) -> bool:
    return message in wire.donations()


async def listen(app: RealtimeApp, count: int) -> bool:
    """Whether it is ready and so many have been let in, by what `/health` says."""
    body = b""

    async def send(message: Any) -> None:
        nonlocal body
        body += message.get("body", b"")

    scope = {"type": "http", "method": "GET", "path": "/health", "query_string": b"", "headers": []}

    async def receive() -> Any:
        await asyncio.sleep(3600)

    await app(scope, receive, send)
    said = json.loads(body)
    return bool(said["services"]["database"] == "connected" and said["listeners"] == count)
