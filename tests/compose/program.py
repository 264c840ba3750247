"""A program of a streamer's against the composed system: `python -m tests.compose.program STREAMER.json`.

Runs in a container of our image inside its network, like the load, and speaks to nginx over TLS. Exit status 0: a
picture and a sound were decoded and are served as strangers' files have to be, a donation made by the API was told to
a plain WebSocket, and what is too large or unknown was refused in the API's own words.
"""

import asyncio
import io
import json
import math
import ssl
import struct
import sys
import uuid
import wave
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from websockets.asyncio.client import connect

from simulator.donor import Donor

WAIT_SECONDS = 30.0
LOOKED_AT_SECONDS = 60.0
AGAIN_SECONDS = 0.5
TOO_MUCH = 22 * 1024 * 1024


async def run(streamer: dict[str, str]) -> None:
    site = streamer["realtime_url"]
    async with httpx.AsyncClient(base_url=f"{site}/api/v1", timeout=WAIT_SECONDS) as api:
        await ask_for_description(api)
        given = await api.post("/auth/login", data={"username": streamer["email"], "password": streamer["password"]})
        token = _good(given)["access_token"]
        api.headers["Authorization"] = f"Bearer {token}"
        page = _good(await api.get("/streamers/me"))
        await upload(api, site, "image", "dot.png", picture())
        await upload(api, site, "audio", "beep.wav", sound())
        await refuse(api)
        await hear_a_donation(api, site, page["id"], token)


async def ask_for_description(api: httpx.AsyncClient) -> None:
    described = _good(await api.get("/openapi.json"))
    assert described["openapi"].startswith("3.1"), described["openapi"]
    shown = await api.get(str(api.base_url.copy_with(path="/docs/api")))
    assert (shown.status_code, shown.headers["Content-Type"].split(";")[0]) == (200, "text/html")


async def upload(api: httpx.AsyncClient, site: str, kind: str, name: str, content: bytes) -> None:
    """Its decoder runs in the container of the queue `media`; nginx and its cache serve what came of it."""
    stored = _good(await api.post(f"/alerts/upload/{kind}", files={"file": (name, content)}))
    address = site + stored["file_url"]
    deadline = asyncio.get_running_loop().time() + LOOKED_AT_SECONDS
    while (served := await api.get(address)).status_code != 200 and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(AGAIN_SECONDS)
    for answer in (served, await api.get(address)):
        assert answer.status_code == 200, f"{kind}: {answer.status_code} {answer.text[:200]}"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Type"].split("/")[0] == kind


async def refuse(api: httpx.AsyncClient) -> None:
    large = await api.post("/alerts/upload/image", files={"file": ("large.png", bytes(TOO_MUCH))})
    assert (large.status_code, list(large.json())) == (413, ["detail"])
    stranger = await api.get("/users/me", headers={"Authorization": "Bearer nonsense"})
    assert (stranger.status_code, list(stranger.json())) == (403, ["detail"])


async def hear_a_donation(api: httpx.AsyncClient, site: str, streamer_id: int, token: str) -> None:
    message = f"program-{uuid.uuid4().hex[:8]}"
    wish = {
        "order_id": message,
        "streamer_id": streamer_id,
        "amount": 250,
        "donor_name": "Программа",
        "message": message,
    }
    address = f"{site.replace('https', 'wss')}/api/v1/ws/ws/{streamer_id}?token={token}"
    async with connect(address, ssl=ssl.create_default_context(), proxy=None) as listener:
        begun = _good(await api.post("/payments/init", json={**wish, "payment_method": "tbank"}))
        await Donor(api, site).pay(begun["payment_url"])
        async with asyncio.timeout(WAIT_SECONDS):
            while message not in (heard := str(await listener.recv())):
                pass
    assert json.loads(heard)["type"] == "donation", heard


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (64, 64), "#7c5cff").save(written, "PNG")
    return written.getvalue()


def sound() -> bytes:
    """Half a second of 440 Hz."""
    written, rate = io.BytesIO(), 22_050
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        waves = (int(12_000 * math.sin(2 * math.pi * 440 * at / rate)) for at in range(rate // 2))
        file.writeframes(b"".join(struct.pack("<h", value) for value in waves))
    return written.getvalue()


def _good(answer: httpx.Response) -> Any:
    assert answer.is_success, f"{answer.request.url.path}: {answer.status_code} {answer.text[:500]}"
    return answer.json()


if __name__ == "__main__":
    asyncio.run(run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
