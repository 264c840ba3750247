"""What is not right gets an answer that says so, loses nothing and ends nobody else's connection."""

import asyncio
import contextlib
import uuid
from typing import Any

import aiohttp
import pytest
from socketio.exceptions import ConnectionError as RefusedError

from domain.overlay_tokens import rotate_overlay_token
from infra.crypto import SecretBox
from infra.tickets import issue_dashboard_ticket
from tests.builders import make_streamer
from tests.realtime.conftest import SECRET_KEY, Scene, Service
from tests.realtime.overlay_client import Client, Overlay, refused, word

NOBODY = {"alert_id": str(uuid.uuid4()), "lease_id": str(uuid.uuid4())}


async def test_a_wrong_token_is_refused_with_a_code(service: Service, scene: Scene) -> None:
    assert (await refused(Overlay(service.url, "no-such-token")))["code"] == "unknown_token"
    former = scene.token
    await scene.rotate_token()
    assert (await refused(Overlay(service.url, former)))["code"] == "revoked"


HELLOS: list[Any] = [
    None,
    "a token",
    [],
    {},
    {"token": 5},
    {"token": "x"},
    {"token": "x", "overlay_id": "not a uuid"},
    {"token": "x", "overlay_id": 7},
    {"token": "x" * 300, "overlay_id": str(uuid.uuid4())},
    {"token": "x", "overlay_id": str(uuid.uuid4()), "visible": "yes"},
    {"token": "x", "overlay_id": str(uuid.uuid4()), "seen": "all"},
    {"token": "x", "overlay_id": str(uuid.uuid4()), "seen": [NOBODY] * 51},
    {"token": "x", "overlay_id": str(uuid.uuid4()), "playing": {"alert_id": None}},
    {"token": "\ud800", "overlay_id": str(uuid.uuid4())},
]


async def test_a_hello_that_is_not_right_is_refused(service: Service) -> None:
    for hello in HELLOS:
        refusal = await refused(Client(service.url, "/overlay", hello))
        assert refusal["code"] == "bad_message", hello


async def test_a_hello_full_of_strangers_alerts_lets_in_all_the_same(service: Service, scene: Scene) -> None:
    async with service.overlay(scene, seen=[NOBODY] * 50, playing=NOBODY) as overlay:
        assert not (await overlay.wait_for("welcome"))["goes_on"]


async def test_an_overlay_id_of_another_streamer_is_refused(service: Service, scene: Scene) -> None:
    async with scene.pool.acquire() as connection, connection.transaction():
        other = await make_streamer(connection)
        token = await rotate_overlay_token(connection, SecretBox(SECRET_KEY), other.id)
    async with service.overlay(scene) as overlay:
        await overlay.wait_for("welcome")
        assert (await refused(Overlay(service.url, token, overlay_id=overlay.overlay_id)))["code"] == "overlay_id_taken"


async def test_words_that_are_not_right_are_answered_and_change_nothing(service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as overlay:
        donation_id = await scene.donate()
        offer = await overlay.offer()
        right = word(offer)
        wrong: list[tuple[str, Any, str]] = [
            ("seen", NOBODY, "unknown_lease"),
            ("seen", {**right, "lease_id": NOBODY["lease_id"]}, "unknown_lease"),
            ("finished", {**right, "alert_id": NOBODY["alert_id"]}, "unknown_lease"),
            ("seen", {}, "bad_message"),
            ("seen", None, "bad_message"),
            ("seen", [right], "bad_message"),
            ("seen", (right, right), "bad_message"),
            ("seen", {"alert_id": 1, "lease_id": 2}, "bad_message"),
            ("state", {"visible": "no"}, "bad_message"),
            ("state", 7, "bad_message"),
            ("explode", {}, "unknown_message"),
            ("connect", {}, "unknown_message"),
            ("trigger_event", {}, "unknown_message"),
        ]
        for event, data, code in wrong:
            assert (await overlay.say(event, data))["code"] == code, (event, data)
        assert (await scene.alert(donation_id))["shown_at"] is None
        await overlay.show(offer)


async def test_another_streamers_words_do_not_count(service: Service, scene: Scene) -> None:
    async with scene.pool.acquire() as connection, connection.transaction():
        other = await make_streamer(connection)
        token = await rotate_overlay_token(connection, SecretBox(SECRET_KEY), other.id)
    donation_id = await scene.donate()
    async with service.overlay(scene) as overlay, Overlay(service.url, token) as stranger:
        offer = await overlay.offer()
        await stranger.wait_for("welcome")
        for event in ("started", "seen", "finished"):
            assert (await stranger.say(event, word(offer)))["code"] == "unknown_lease"
    async with Overlay(service.url, token, seen=[word(offer)]) as stranger:
        await stranger.wait_for("welcome")
    assert await scene.status(donation_id) != "shown"


async def test_repeats_and_the_wrong_order_do_no_harm(service: Service, scene: Scene) -> None:
    donation_id = await scene.donate()
    async with service.overlay(scene) as overlay:
        offer = await overlay.offer()
        for event in ("seen", "seen", "started", "started", "finished", "finished", "seen", "started"):
            assert (await overlay.say(event, word(offer)))["ok"], event
        row = await scene.alert(donation_id)
        assert (row["status"], row["interrupted"]) == ("shown", False)
        assert overlay.heard_so_far() == ["welcome"] or overlay.heard_so_far() == []


async def test_garbage_ends_only_the_connection_that_sent_it(service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as overlay:
        await overlay.wait_for("welcome")
        address = service.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        for rubbish in (
            "4",
            "9",
            "42",
            "42/overlay",
            "4999",
            "40/nowhere,{}",
            "451-[",
            "\x00",
            "42/overlay,[5]",
            "x" * 70_000,
        ):
            async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
                await socket.send_str(rubbish)
                # Some of it ends the connection at once, some is only ignored.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        while not socket.closed:
                            await socket.receive()
        await scene.donate()
        await overlay.show(await overlay.offer())
    assert "Traceback" not in service.process.log


async def test_too_large_a_message_ends_the_connection_and_loses_nothing(service: Service, scene: Scene) -> None:
    donation_id = await scene.donate()
    overlay = await service.overlay(scene).connect()
    offer = await overlay.offer()
    await overlay.socket.emit("seen", {**word(offer), "more": "x" * 20_000}, namespace="/overlay")
    await overlay.wait_for("disconnect")
    async with service.overlay(scene) as back:
        await back.show(await back.offer())
    assert await scene.status(donation_id) == "shown"


async def test_a_page_of_another_origin_may_not_connect(service: Service, scene: Scene) -> None:
    client = service.overlay(scene)
    with pytest.raises(RefusedError):
        await client.connect(headers={"Origin": "https://evil.example"})
    await client.leave()
    ours = await service.overlay(scene).connect(headers={"Origin": service.url.replace("127.0.0.1", "localhost")})
    await ours.wait_for("welcome")
    await ours.leave()


async def test_a_rotated_token_disconnects_at_once(service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as overlay:
        await overlay.wait_for("welcome")
        token = await scene.rotate_token()
        assert await overlay.wait_for("refused") == {"code": "revoked"}
        await overlay.wait_for("disconnect")
        donation_id = await scene.donate()
        async with Overlay(service.url, token) as fresh:
            await fresh.show(await fresh.offer())
        assert await scene.status(donation_id) == "shown"


async def test_a_dashboard_needs_a_fresh_ticket(service: Service, scene: Scene) -> None:
    box = SecretBox(SECRET_KEY)
    for auth in ({}, {"ticket": ""}, {"ticket": "made up"}, {"ticket": box.encrypt("{}")}, {"ticket": 5}, None):
        assert (await refused(Client(service.url, "/dashboard", auth)))["code"] in {"bad_message", "bad_ticket"}
    ticket = issue_dashboard_ticket(box, scene.streamer.id, scene.streamer.owner_id)
    async with Client(service.url, "/dashboard", {"ticket": ticket}) as dashboard:
        await scene.donate()
        assert "alerts" in (await dashboard.wait_for("changed"))["topics"]
        async with service.overlay(scene) as overlay:
            assert "overlays" in (await dashboard.wait_for("changed"))["topics"]
            await overlay.show(await overlay.offer())
            assert "donation" in (await dashboard.wait_for("changed"))["topics"]
