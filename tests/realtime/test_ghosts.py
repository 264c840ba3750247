"""Who closes while being let in is let go of, on every namespace: nothing stays connected that nobody is behind."""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from domain.scopes import Scope
from infra.crypto import SecretBox
from infra.settings import Settings
from infra.tickets import issue_dashboard_ticket
from realtime import ghosts
from realtime.app import RealtimeApp
from tests.realtime.conftest import SECRET_KEY, Scene, Service
from tests.realtime.overlay_client import WAIT_SECONDS
from tests.realtime.test_absences import read_health
from tests.realtime.test_bots import make_key, until


class Polling:
    """A long-polling client's session, by Engine.IO's packets."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address

    async def post(self, packet: str) -> int:
        """The answer's status."""
        async with self._session.post(self._address, data=packet) as response:
            return response.status

    async def fetch(self) -> str:
        """What waits for it, or comes next."""
        async with self._session.get(self._address) as response:
            return await response.text()


@contextlib.asynccontextmanager
async def polling(url: str) -> AsyncIterator[Polling]:
    address = f"{url}/socket.io/?EIO=4&transport=polling"
    async with aiohttp.ClientSession() as session:
        async with session.get(address) as response:
            sid = json.loads((await response.text())[1:])["sid"]
        yield Polling(session, f"{address}&sid={sid}")


async def close_while_connecting(scene: Scene, service: Service, namespace: str, auth: Any, table: str) -> None:
    """The look at its token waits for this table until it has said goodbye."""
    async with polling(service.url) as client:
        async with scene.locked(table):
            connecting = asyncio.create_task(client.post(f"40{namespace},{json.dumps(auth)}"))
            await until(functools.partial(scene.waits_for, table))
            assert await client.post("1") == 200
            assert not connecting.done()
        await connecting


async def counts(service: Service, name: str, number: int) -> bool:
    return (await read_health(service))[1][name] == number


async def test_an_overlay_that_closed_while_it_connected_takes_no_alert(service: Service, scene: Scene) -> None:
    hello = {"token": scene.token, "overlay_id": str(uuid4()), "in_obs": True, "visible": True, "active": True}
    donation_id = await scene.donate()
    await close_while_connecting(scene, service, "/overlay", hello, "overlay_tokens")
    async with service.overlay(scene) as overlay:
        async with asyncio.timeout(WAIT_SECONDS):
            await overlay.wait_for("welcome")
            await overlay.show(await overlay.offer())
        assert await scene.status(donation_id) == "shown"
        await until(functools.partial(counts, service, "overlays", 1))


async def test_a_bot_that_closed_while_it_connected_is_no_listener(service: Service, scene: Scene) -> None:
    _, token = await make_key(scene, Scope.DONATIONS_READ)
    await close_while_connecting(scene, service, "/events", {"token": token}, "access_tokens")
    await until(functools.partial(counts, service, "listeners", 0))


async def test_one_whom_the_database_keeps_waiting_hears_that_it_is_to_come_back(
    service: Service, scene: Scene
) -> None:
    hello = json.dumps({"token": scene.token, "overlay_id": str(uuid4())})
    async with polling(service.url) as client, asyncio.timeout(WAIT_SECONDS):
        async with scene.locked("overlay_tokens"):
            assert await client.post(f"40/overlay,{hello}") == 200
        said = ""
        while "44/overlay," not in said:
            said += await client.fetch()
        assert '"code":"try_again"' in said


async def ask(app: RealtimeApp, query: str, body: bytes | None = None) -> bytes:
    """A request of a long-polling client, of a browser without `Origin`."""
    said = b""

    async def receive() -> Any:
        return {"type": "http.request", "body": body or b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal said
        said += message.get("body", b"")

    headers = [(b"content-length", str(len(body)).encode())] if body else []
    path = "/socket.io/" if query else "/health"
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST" if body else "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return said


@pytest.fixture
async def app(environment: dict[str, str]) -> AsyncIterator[RealtimeApp]:
    app = RealtimeApp(Settings(**{name.lower(): value for name, value in environment.items()}))  # type: ignore[arg-type]
    await app.start()
    yield app
    await app.stop()


async def forgets(app: RealtimeApp) -> bool:
    """No dashboard is known here or to python-socketio."""
    return json.loads(await ask(app, ""))["dashboards"] == 0 and "/dashboard" not in app._server.manager.rooms


async def test_a_dashboard_that_fell_silent_before_it_connected_is_none(app: RealtimeApp, scene: Scene) -> None:
    sid = json.loads((await ask(app, "EIO=4&transport=polling"))[1:])["sid"]
    # Nobody answered its ping for long; it is noticed as it is told that it is connected.
    app._server.eio.sockets[sid].last_ping = 1.0
    ticket = issue_dashboard_ticket(SecretBox(SECRET_KEY), scene.streamer.id, scene.streamer.owner_id)
    packet = f"40/dashboard,{json.dumps({'ticket': ticket})}".encode()
    await ask(app, f"EIO=4&transport=polling&sid={sid}", packet)
    assert not await forgets(app)
    await until(functools.partial(forgets, app))


async def test_who_connects_after_its_goodbye_is_forgotten(app: RealtimeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ghosts, "LET_IN_SECONDS", 0.1)
    sid = json.loads((await ask(app, "EIO=4&transport=polling"))[1:])["sid"]
    await ask(app, f"EIO=4&transport=polling&sid={sid}", b"1\x1e40/dashboard,{}")
    assert not await forgets(app)
    await until(functools.partial(forgets, app))
