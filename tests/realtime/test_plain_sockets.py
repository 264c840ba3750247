"""Version 1's plain WebSockets: a widget stands in for an overlay, a listener hears of donations; both need a key."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from domain import alert_settings, alerts, overlays
from domain.overlay_tokens import rotate_overlay_token
from infra.crypto import SecretBox
from realtime.plain_frames import donation_frame, words_of_offer
from tests.builders import make_streamer
from tests.realtime.conftest import SECRET_KEY, Scene, Service
from tests.realtime.test_bots import pay, pay_unlisted, person, set_hidden, until
from tests.support.servers import Servers

WAIT_SECONDS = 20


class Plain:
    """A plain WebSocket, as a page of version 1 has it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def frame(self) -> Any:
        async with asyncio.timeout(WAIT_SECONDS):
            message = await self.socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)

    async def is_heard(self) -> None:
        """Its token was looked up: from now on it misses nothing."""
        await self.socket.send_str("ping")
        assert await self.socket.receive_str(timeout=WAIT_SECONDS) == "pong"

    async def closed_with(self) -> int | None:
        """Whatever comes before; the code it was closed with."""
        async with asyncio.timeout(WAIT_SECONDS):
            while (message := await self.socket.receive()).type not in (
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.ERROR,
            ):
                pass
        return message.data if message.type is aiohttp.WSMsgType.CLOSE else self.socket.close_code


@asynccontextmanager
async def plain(
    service: Service, path: str, token: str | None = None, *, headers: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[Plain]:
    query = {} if token is None else {"token": token}
    address = service.url.replace("http", "ws") + "/api/v1/ws/" + path
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            address, params=query, headers={"Origin": "https://old.example", **(headers or {})}, **options
        ) as socket,
    ):
        yield Plain(socket)


@pytest.fixture
def widget_path(scene: Scene) -> str:
    return f"widget/{scene.streamer.id}"


async def shorten(scene: Scene) -> None:
    await scene.set(alert_min_seconds=3, alert_max_seconds=3)


async def test_a_widget_plays_in_order_and_what_it_played_is_shown(
    service: Service, scene: Scene, widget_path: str
) -> None:
    await shorten(scene)
    first = await scene.donate("Привет", amount_minor=15_050)
    async with plain(service, widget_path, scene.token) as widget:
        frame = await widget.frame()
        assert frame["type"] == "donation"
        assert frame["donation"] == {
            "donor_name": "Аня",
            "amount": 150.5,
            "message": "Привет",
            "currency": "₽",
            "is_anonymous": False,
            "formatted_text": "Аня донатит 150.50₽! Привет",
        }
        assert frame["tier"]["id"] == "quiet"
        (connected,) = await overlays.list_overlays(scene.pool, scene.streamer.id)
        assert (connected.is_widget, connected.speaks, connected.in_obs) == (True, True, False)
        assert {"min_amount", "max_amount", "gif_urls", "text_template", "elements"} <= frame["tier"].keys()
        async with scene.pool.acquire() as connection, connection.transaction():
            await alerts.enqueue_test(connection, scene.streamer.id, 100_000, None, "Проверка")
        second = await pay(scene, amount_minor=500_000, message="Второй")
        frame = await widget.frame()
        assert (frame["donation"]["message"], frame["donation"]["amount"]) == ("Проверка", 1000)
        assert (frame["donation"]["donor_name"], frame["donation"]["is_anonymous"]) == ("Аноним", True)
        # What waits is to be readable only when the widget has left.
        await scene.set(alert_max_seconds=60, alert_min_seconds=60)
        frame = await widget.frame()
        assert (frame["donation"]["message"], frame["tier"]["id"]) == ("Второй", "ribbon")
        alert = await scene.alert(first)
        assert (alert["status"], alert["interrupted"]) == ("shown", False)
        assert await scene.status(second[0]) == "playing"
    # It left before the text was readable: the alert waits for whoever comes.
    await until(lambda: has_status(scene, second[0], "queued"))
    async with service.overlay(scene) as overlay:
        await overlay.show(await overlay.offer())
    assert await scene.status(second[0]) == "shown"


async def test_what_is_no_donation_has_a_title_and_no_donor(connection: Any) -> None:
    settings = await alert_settings.get_settings(connection, (await make_streamer(connection)).id)
    told = {"message": "Микрофон", "amount_minor": 0, "donor_name": None}
    for kind, title, text in (
        ("goal", "Цель достигнута", "Цель достигнута: Микрофон"),
        ("summary", "Пока вас не было", "Пока вас не было: Микрофон"),
        ("custom", "", "Микрофон"),
    ):
        donation = json.loads(donation_frame(words_of_offer({**told, "kind": kind}), settings))["donation"]
        assert (donation["donor_name"], donation["is_anonymous"], donation["formatted_text"]) == (title, False, text)
    nobody = json.loads(donation_frame(words_of_offer({**told, "kind": "test"}), settings))["donation"]
    assert (nobody["donor_name"], nobody["is_anonymous"]) == ("Аноним", True)


async def listen(service: Service, count: int) -> bool:
    """Whether so many have been let in."""
    async with aiohttp.ClientSession() as session, session.get(f"{service.url}/health") as response:
        return bool((await response.json())["listeners"] == count)


async def has_status(scene: Scene, donation_id: int, status: str) -> bool:
    return await scene.status(donation_id) == status


async def test_a_widget_mirrors_while_an_overlay_speaks_and_plays_without_redis(
    service: Service, services: Servers, scene: Scene, widget_path: str
) -> None:
    await shorten(scene)
    async with plain(service, widget_path, scene.token) as widget, service.overlay(scene, in_obs=False) as overlay:
        assert (await overlay.wait_for("welcome"))["role"] == "speaker"
        donation_id = await scene.donate()
        offer = await overlay.offer()
        assert (await widget.frame())["donation"]["message"] == "Привет"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await widget.frame()
        # The widget says nothing: nobody has seen it yet.
        alert = await scene.alert(donation_id)
        assert (alert["status"], alert["shown_at"]) == ("playing", None)
        await overlay.show(offer)
        await overlay.leave()
        # What is skipped in its first moments nobody has seen.
        await scene.set(alert_max_seconds=60, alert_min_seconds=60)
        skipped = await scene.donate("Пропустите")
        assert (await widget.frame())["donation"]["message"] == "Пропустите"
        assert await scene.skip(str((await scene.alert(skipped))["alert_id"]))
        await shorten(scene)
        services.valkey.stop()
        second, _ = await pay(scene, message="Опять я")
        assert (await widget.frame())["donation"]["message"] == "Опять я"
        await until(lambda: has_status(scene, second, "shown"))
        alert = await scene.alert(skipped)
        assert (alert["status"], alert["shown_at"]) == ("skipped", None)


async def test_a_rotated_token_ends_widget_and_listener_with_4401(
    service: Service, scene: Scene, widget_path: str
) -> None:
    async with (
        plain(service, widget_path, scene.token) as widget,
        plain(service, f"ws/{scene.streamer.id}", scene.token) as listener,
        plain(service, f"{scene.streamer.id}", person(scene.streamer.owner_id)) as owner,
    ):
        await owner.is_heard()
        await scene.rotate_token()
        assert (await widget.closed_with(), await listener.closed_with()) == (4401, 4401)
        donation_id, _ = await pay(scene)
        assert (await owner.frame())["donation"]["donor_name"] == "Аня"
        assert await scene.status(donation_id) == "queued"


async def test_who_was_answered_misses_nothing(service: Service, scene: Scene, widget_path: str) -> None:
    async with plain(service, f"ws/{scene.streamer.id}", scene.token) as listener:
        await listener.is_heard()
        async with plain(service, f"ws/{scene.streamer.id}", scene.token) as late:
            # Its first look at the donations, from which it knows what is new, takes its time.
            async with scene.locked("ledger_transactions"):
                await late.socket.send_str("ping")
                await until(lambda: listen(service, 2))
                await until(lambda: scene.waits_for("ledger_transactions"))
                # Who is served after it, on the same loop, is answered before it.
                async with plain(service, widget_path, scene.token) as widget:
                    await widget.is_heard()
                with pytest.raises(TimeoutError):
                    await late.socket.receive(timeout=0.3)
            assert await late.socket.receive_str(timeout=WAIT_SECONDS) == "pong"
            await pay(scene, message="Сразу")
            assert [(await one.frame())["donation"]["message"] for one in (late, listener)] == ["Сразу", "Сразу"]


async def test_a_listener_hears_released_donations_and_is_no_overlay(service: Service, scene: Scene) -> None:
    async with scene.pool.acquire() as connection, connection.transaction():
        settings = await alert_settings.get_settings(connection, scene.streamer.id)
        tier = replace(settings.tiers[0], min_amount_minor=100_000, text_template="{message} от {donor_name}")
        settings = replace(settings, tiers=(tier,))
        await alert_settings.save_settings(connection, scene.streamer.id, settings)
    paths = [f"ws/{scene.streamer.id}", f"{scene.streamer.id}", f"ws/{scene.streamer.id}/"]
    async with (
        plain(service, paths[0], scene.token) as one,
        plain(service, paths[1], person(scene.streamer.owner_id)) as two,
        plain(service, paths[2], headers={"Authorization": f"Bearer {scene.token}"}) as three,
    ):
        for listener in (one, two, three):
            await listener.is_heard()
        await scene.donate("Ждёт", held=True)
        async with scene.pool.acquire() as connection, connection.transaction():
            await alerts.enqueue_test(connection, scene.streamer.id, 30_000, "Проверка", "")
        donation_id, _ = await pay(scene, amount_minor=5_000, donor_name="{message}", message="{donor_name}")
        big, _ = await pay(scene, amount_minor=100_000, donor_name="{message}", message="Секрет")
        for listener in (one, two, three):
            frame = await listener.frame()
            assert (frame["donation"]["amount"], frame["tier"]) == (50, None)
            frame = await listener.frame()
            assert frame["donation"]["formatted_text"] == "Секрет от {message}"
            assert frame["tier"]["min_amount"] == 1000
        # One that is kept out of lists plays, so it is heard of: once, and without its words.
        unlisted = await pay_unlisted(scene, "Никому")
        for listener in (one, two, three):
            frame = await listener.frame()
            assert (frame["donation"]["donor_name"], frame["donation"]["message"]) == ("Аноним", "")
            assert (frame["donation"]["amount"], frame["donation"]["is_anonymous"]) == (300, True)
        for is_hidden in (False, True):
            await set_hidden(scene, unlisted, is_hidden)
        last, _ = await pay(scene, message="Последний")
        for listener in (one, two, three):
            assert (await listener.frame())["donation"]["message"] == "Последний"
        assert {await scene.status(paid) for paid in (donation_id, big, unlisted, last)} == {"queued"}
        assert not await scene.pool.fetchval("SELECT count(*) FROM overlays")


async def test_without_a_key_that_fits_the_browser_sees_4401(service: Service, scene: Scene, widget_path: str) -> None:
    async with scene.pool.acquire() as connection, connection.transaction():
        other = await make_streamer(connection)
        strange = await rotate_overlay_token(connection, SecretBox(SECRET_KEY), other.id)
    listen_path = f"ws/{scene.streamer.id}"
    tries: list[tuple[str, str | None]] = [
        (path, token)
        for path in (widget_path, listen_path)
        for token in (None, "", "nobody", strange, "sc_" + "x" * 43, "я" * 20, "x" * 5_000)
    ]
    tries += [
        (widget_path, person(scene.streamer.owner_id)),
        (listen_path, person(other.owner_id)),
        (listen_path, person(scene.streamer.owner_id, version=9)),
        ("widget/0", scene.token),
        ("ws/9999999999", scene.token),
    ]
    for path, token in tries:
        async with plain(service, path, token) as socket:
            assert await socket.closed_with() == 4401, (path, token)
    for path in ("", "ws/", "widget/abc", "ws/1/2", "ws/99999999999", "../ws"):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with plain(service, path, scene.token):
                pass


async def test_garbage_and_floods_end_only_who_sent_them(service: Service, scene: Scene, widget_path: str) -> None:
    """Whatever is sent means nothing; very much of it, or what is no WebSocket any more, ends the connection."""
    listen_path = f"ws/{scene.streamer.id}"
    async with plain(service, listen_path, scene.token) as good:
        await good.is_heard()
        for path in (widget_path, listen_path):
            async with plain(service, path, scene.token) as socket:
                await socket.is_heard()
                rubbish: list[str | bytes] = [
                    "",
                    "{",
                    "[]",
                    '{"type":"donation"}',
                    "null",
                    "\x00",
                    b"",
                    b"\xff\xfe",
                    "я",
                ]
                for piece in rubbish:
                    if isinstance(piece, str):
                        await socket.socket.send_str(piece)
                    else:
                        await socket.socket.send_bytes(piece)
                await socket.is_heard()
                for _ in range(60):
                    if not socket.socket.closed:
                        await socket.socket.send_str("x")
                assert await socket.closed_with() == 1008
            async with plain(service, path, scene.token) as socket:
                await socket.socket.send_str("x" * 20_000)
                assert await socket.closed_with() == 1009
            async with plain(service, path, scene.token) as socket:
                # What is no frame at all.
                transport = socket.socket._writer.transport
                transport.write(b"\xff" * 64)
                assert await socket.closed_with() == 1002
        address = f"{service.url}/api/v1/ws/{scene.streamer.id}"
        async with aiohttp.ClientSession() as session, session.get(address) as response:
            assert response.status == 426
        await pay(scene)
        assert (await good.frame())["type"] == "donation"
        async with AsyncExitStack() as stack:
            for _ in range(9):
                await stack.enter_async_context(plain(service, listen_path, scene.token))
            await until(lambda: listen(service, 10))
            async with plain(service, listen_path, scene.token) as one_more:
                assert await one_more.closed_with() == 1008
    assert "Traceback" not in service.process.log
    assert scene.token not in service.process.log
