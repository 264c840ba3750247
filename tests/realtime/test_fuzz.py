"""Strangers and broken clients send anything: nobody else notices, nothing is logged as a fault of ours."""

import asyncio
import contextlib
import json
import random
import string
from typing import Any

import aiohttp

from tests.realtime.conftest import Scene, Service
from tests.realtime.test_bots import Bot, pay, person

ROUNDS = 120
NAMESPACES = ["/events", "/overlay", "/dashboard", "/", "/nowhere", "/events/", "/EVENTS", "/" + "x" * 500, "/события"]
NAMES = ["connect", "disconnect", "donation", "welcome", "started", "error", "", "trigger_event", "__init__", "*"]


def any_json(random_: random.Random, depth: int = 0) -> Any:
    """Some value JSON can have."""
    makers: list[Any] = [
        lambda: None,
        lambda: random_.choice([True, False]),
        lambda: random_.choice([0, -1, 2**31, 2**63, 10**30, 1.5e308, -0.0]),
        lambda: any_text(random_),
    ]
    if depth < 4:
        makers += [
            lambda: [any_json(random_, depth + 1) for _ in range(random_.randrange(4))],
            lambda: {any_text(random_): any_json(random_, depth + 1) for _ in range(random_.randrange(4))},
            lambda: {"_placeholder": True, "num": random_.choice([0, -1, 10**9, "x"])},
        ]
    return random_.choice(makers)()


def any_text(random_: random.Random) -> str:
    letters = string.printable + "яё€😀\u202e\u0000\ud7ff"
    return "".join(random_.choice(letters) for _ in range(random_.choice([0, 1, 5, 40, 300])))


def any_frame(random_: random.Random, token: str) -> str | bytes:
    """Something that Engine.IO or Socket.IO may take for a packet, or not."""
    namespace, name = random_.choice(NAMESPACES), random_.choice(NAMES)
    value = json.dumps(any_json(random_))
    number = random_.choice(["", "0", "7", "99999999999999999999"])
    makers: list[Any] = [
        lambda: any_text(random_),
        lambda: random_.randbytes(random_.choice([0, 1, 20, 2_000])),
        lambda: f"40{namespace},{value}",
        lambda: f"40{namespace},{json.dumps({'token': token, 'after': any_json(random_)})}",
        lambda: f"42{namespace},{number}{json.dumps([name, json.loads(value)])}",
        lambda: f"42{namespace},{number}{value}",
        lambda: f"43{namespace},{number}{value}",
        lambda: f"45{random_.choice(['1', '0', '9', '999999'])}-{namespace},{json.dumps([name, json.loads(value)])}",
        lambda: f"46{random_.choice(['1', '2'])}-{namespace},{value}",
        lambda: f"41{namespace},",
        lambda: f"4{random_.randrange(10)}",
        lambda: f"{random_.randrange(10)}{any_text(random_)}",
        lambda: "42" + "[" * 5_000,
        lambda: "40/events," + '{"a":' * 2_000,
        lambda: "x" * 17_000,
        lambda: "1",
        lambda: "3",
    ]
    return random_.choice(makers)()  # type: ignore[no-any-return]


async def attack(address: str, first: list[str], seed: int, token: str) -> None:
    """One connection that sends rubbish until it is ended or has nothing more to send."""
    random_ = random.Random(seed)
    async with aiohttp.ClientSession() as session:
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            async with session.ws_connect(address, timeout=aiohttp.ClientWSTimeout(ws_close=0.1)) as socket:
                for frame in [*first, *(any_frame(random_, token) for _ in range(random_.randrange(1, 25)))]:
                    if socket.closed:
                        break
                    await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.01):
                            await socket.receive()


async def test_rubbish_of_all_kinds_disturbs_nobody(service: Service, scene: Scene) -> None:
    token = person(scene.streamer.owner_id)
    sockets = service.url.replace("http", "ws")
    engine = f"{sockets}/socket.io/?EIO=4&transport=websocket"
    hello = json.dumps({"token": token})
    addresses: list[tuple[str, list[str]]] = [
        (engine, []),
        (engine, [f"40/events,{hello}"]),
        (f"{sockets}/socket.io/?EIO=3&transport=websocket", []),
        (f"{sockets}/socket.io/?EIO=4&transport=websocket&sid=nobody", []),
        (f"{sockets}/api/v1/ws/{scene.streamer.id}?token={token}", []),
        (f"{sockets}/api/v1/ws/widget/{scene.streamer.id}?token={scene.token}", []),
    ]
    async with Bot(service.url, token) as good, service.overlay(scene) as overlay:
        await good.wait_for("controls")
        await overlay.wait_for("welcome")
        for begin in range(0, ROUNDS, 20):
            await asyncio.gather(
                *(attack(*addresses[seed % len(addresses)], seed, token) for seed in range(begin, begin + 20))
            )
        donation_id, _ = await pay(scene)
        assert (await good.wait_for("donation"))["donation_id"] == donation_id
        await overlay.show(await overlay.offer())
    # What polls is no better: bodies that are no packets, and sessions that are nobody's.
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
        polling = f"{service.url}/socket.io/?EIO=4&transport=polling"
        async with session.get(polling) as response:
            sid = json.loads((await response.text())[1:])["sid"]
        for body in ("40/events," + hello, "\x1e\x1e\x1e", "4" * 16_000, "9", "b####", "x" * 20_000):
            async with session.post(f"{polling}&sid={sid}", data=body) as response:
                assert response.status < 500, body[:20]
        async with session.get(f"{service.url}/health") as response:
            assert (await response.json())["status"] == "healthy"
    assert "Traceback" not in service.process.log
    assert token not in service.process.log
