"""Tokens that open nothing, counted by address."""

import pytest

from realtime import strangers
from realtime.strangers import MAX_FAILED, Strangers
from tests.realtime.conftest import Scene, Service
from tests.realtime.overlay_client import refused
from tests.realtime.test_bots import Bot, person
from tests.realtime.test_plain_sockets import plain


async def test_after_too_many_none_is_looked_up(service: Service, scene: Scene) -> None:
    path = f"ws/{scene.streamer.id}"
    widget_path = f"widget/{scene.streamer.id}"
    for number in range(MAX_FAILED - 1):
        # A header that anybody may send makes no other address of it.
        headers = {"X-Forwarded-For": f"198.51.100.{number}"}
        async with plain(service, (path, widget_path)[number % 2], f"nobody-{number}", headers=headers) as socket:
            assert await socket.closed_with() == 4401
    # Good ones do not count, however many there are, and nothing is refused yet.
    for _ in range(3):
        async with plain(service, path, scene.token) as socket:
            await socket.is_heard()
    assert (await refused(Bot(service.url, "nobody")))["code"] == "unknown_token"
    assert (await refused(Bot(service.url, person(scene.streamer.owner_id))))["code"] == "too_many"
    for token in ("nobody", scene.token):
        async with plain(service, path, token) as socket:
            assert await socket.closed_with() == 1008
    # Widgets and overlays are let in: an alert waits for nobody's guesses.
    async with plain(service, widget_path, scene.token) as socket:
        await socket.is_heard()
    async with service.overlay(scene) as overlay:
        assert (await overlay.wait_for("welcome"))["role"] == "speaker"


def test_an_address_is_that_of_the_client_behind_our_proxy() -> None:
    behind = Strangers("10.0.0.0/8")
    scope = {"client": ("10.0.0.2", 5), "headers": [(b"x-forwarded-for", b"1.1.1.1, 203.0.113.7")]}
    assert behind.address_of(scope) == "203.0.113.7"
    assert behind.address_of({**scope, "client": ("8.8.8.8", 5)}) == "8.8.8.8"
    assert Strangers("").address_of(scope) == "10.0.0.2"
    assert behind.address_of({"client": None, "headers": []}) == "unknown"
    assert behind.address_of({"client": ("2a00:1450::5", 1), "headers": []}) == "2a00:1450::"


def test_a_minute_later_it_begins_anew_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("realtime.strangers.time.monotonic", lambda: now)
    monkeypatch.setattr(strangers, "MAX_ADDRESSES", 100)
    counted = Strangers("")
    for _ in range(MAX_FAILED):
        assert not counted.is_refused("a")
        counted.note_failed("a")
    assert counted.is_refused("a")
    assert not counted.is_refused("b")
    now += 61
    assert not counted.is_refused("a")
    for number in range(1_000):
        counted.note_failed(str(number))
    assert len(counted._failed) <= 100
