"""Words that overlays could say, of any kind, in any order, as often as one likes: believed of what is one's own.

What is no message at all: `test_fuzz.py`.
"""

import uuid
from collections.abc import Callable
from typing import Any

import aiohttp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.overlay_tokens import rotate_overlay_token
from infra.crypto import SecretBox
from tests.builders import make_streamer
from tests.realtime.conftest import SECRET_KEY, Scene, Service
from tests.realtime.overlay_client import Client, Overlay, word
from tests.realtime.test_bots import person
from tests.realtime.test_plain_sockets import plain

EXAMPLES = 60
WORDS = ("started", "seen", "finished", "state", "stopped", "muted")

an_id = st.one_of(
    # What is really on the screen.
    st.sampled_from(["alert_id", "lease_id"]),
    st.uuids().map(str),
    st.text(max_size=40),
    st.integers(),
    st.none(),
    st.binary(max_size=20),
    st.lists(st.integers(), max_size=3),
)
anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=60),
        st.binary(max_size=60),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)),
    max_leaves=12,
)  # fmt: skip
sights = st.dictionaries(
    st.sampled_from(["visible", "active", "streaming"]), st.one_of(st.booleans(), st.none(), anything)
)
datas = st.one_of(
    st.fixed_dictionaries({"alert_id": an_id, "lease_id": an_id}),
    st.fixed_dictionaries({"lease_id": an_id, "muted": st.one_of(st.booleans(), anything)}),
    sights,
    anything,
    st.just("x" * 9_000),
)
names = st.one_of(st.sampled_from(WORDS), st.sampled_from(["offer", "welcome", "message", "__class__", ""]))
frames = st.one_of(st.text(max_size=200), st.binary(max_size=200), st.just("ping"), st.just("x" * 15_000))


def examples_of(strategy: st.SearchStrategy[Any]) -> list[Any]:
    """Drawn first: what is tried with them waits for a service."""
    drawn: list[Any] = []

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=[*HealthCheck])
    @given(strategy)
    def collect(example: Any) -> None:
        drawn.append(example)

    collect()
    return drawn


def filled_in(data: Any, offer: dict[str, Any]) -> Any:
    """With the ids of what plays."""
    if not isinstance(data, dict):
        return data
    return {name: offer[value] if value in ("alert_id", "lease_id") else value for name, value in data.items()}


async def play_beside(
    scene: Scene, honest: Overlay, bot: Client, disturb: Callable[[dict[str, Any]], Any]
) -> dict[str, Any]:
    """One alert, offered once and shown to its end, with `disturb` in the middle of it."""
    # However slow the machine is, it plays for longer.
    await scene.set(alert_max_seconds=60, alert_min_seconds=60)
    donation_id = await scene.donate(str(uuid.uuid4()))
    offer = await honest.offer()
    assert offer["donation_id"] == donation_id
    await disturb(offer)
    alert = await scene.alert(donation_id)
    assert (alert["status"], alert["shown_at"], alert["started_at"]) == ("playing", None, None)
    await honest.show(offer)
    assert await scene.status(donation_id) == "shown"
    assert (await bot.wait_for("donation"))["donation_id"] == donation_id
    return dict(offer)


async def test_words_about_what_others_play_change_nothing(service: Service, scene: Scene) -> None:
    async with scene.pool.acquire() as connection, connection.transaction():
        other = await make_streamer(connection)
        token = await rotate_overlay_token(connection, SecretBox(SECRET_KEY), other.id)
    words = examples_of(st.tuples(names, datas))
    bot = Client(service.url, "/events", {"token": person(scene.streamer.owner_id)})
    async with (
        service.overlay(scene) as honest,
        Overlay(service.url, token) as stranger,
        service.overlay(scene, in_obs=False) as mirror,
        bot,
    ):
        await bot.wait_for("controls")
        assert (await honest.wait_for("welcome"))["role"] == "speaker"
        assert (await mirror.wait_for("welcome"))["role"] == "mirror"

        async def disturb(offer: dict[str, Any]) -> None:
            for event, data in words:
                for hostile in (stranger, mirror):
                    answer = await hostile.say(event, filled_in(data, offer))
                    assert answer["ok"] is False or event in ("state", "muted"), (event, data, answer)
                    assert answer["ok"] or answer["code"] != "error", (event, data)
            # The right words, and from the wrong side.
            for event in ("finished", "seen", "started", "seen", "seen"):
                for hostile in (stranger, mirror):
                    assert (await hostile.say(event, word(offer)))["code"] == "unknown_lease"

        offers = [await play_beside(scene, honest, bot, disturb) for _ in range(2)]
        # Its own words come twice, late and in the wrong order: nothing is shown again for it.
        for event in ("finished", "seen", "started", "seen"):
            assert (await honest.say(event, word(offers[0])))["late"] is True
        assert "offer" not in honest.heard_so_far()
        assert len({offer["alert_id"] for offer in offers}) == len(offers)
    assert "Traceback" not in service.process.log


async def test_frames_of_any_kind_on_plain_sockets_disturb_no_overlay(service: Service, scene: Scene) -> None:
    scripts = examples_of(st.lists(frames, max_size=12))
    address = f"ws/{scene.streamer.id}"
    bot = Client(service.url, "/events", {"token": person(scene.streamer.owner_id)})

    async def disturb(_offer: dict[str, Any]) -> None:
        for script in scripts:
            async with plain(service, address, scene.token) as hostile:
                for frame in script:
                    if hostile.socket.closed:
                        break
                    await (
                        hostile.socket.send_str(frame) if isinstance(frame, str) else hostile.socket.send_bytes(frame)
                    )

    async with service.overlay(scene) as honest, plain(service, address, scene.token) as listener, bot:
        await bot.wait_for("controls")
        await listener.is_heard()
        offer = await play_beside(scene, honest, bot, disturb)
        # Exactly once: the next thing it hears is the next donation.
        assert (await listener.frame())["donation"]["message"] == offer["message"]
        offer = await play_beside(scene, honest, bot, disturb=lambda _offer: _nothing())
        assert (await listener.frame())["donation"]["message"] == offer["message"]
    async with aiohttp.ClientSession() as session, session.get(f"{service.url}/health") as response:
        assert (await response.json())["status"] == "healthy"
    assert "Traceback" not in service.process.log


async def _nothing() -> None:
    return None
