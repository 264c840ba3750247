"""Overlays and widgets, as programs see them."""

import uuid

import httpx
import pytest

from domain.overlay_tokens import rotate_overlay_token
from domain.streamers import Streamer
from infra.crypto import SecretBox
from tests.support.site import Site

pytestmark = pytest.mark.usefixtures("kept_site")


async def connect(site: Site, streamer: Streamer) -> str:
    """An overlay in OBS that speaks; the token in its address."""
    box = SecretBox(site.settings.secret_keys.get_secret_value())
    async with site.pool.acquire() as connection, connection.transaction():
        token = await rotate_overlay_token(connection, box, streamer.id)
        process_id, overlay_id = uuid.uuid4(), uuid.uuid4()
        await connection.execute("INSERT INTO realtime_processes (id) VALUES ($1)", process_id)
        await connection.execute(
            "INSERT INTO overlays (id, streamer_id, token_id, process_id, in_obs, active)"
            " SELECT $1, $2, id, $3, true, true FROM overlay_tokens WHERE streamer_id = $2 AND revoked_at IS NULL",
            overlay_id,
            streamer.id,
            process_id,
        )
        await connection.execute(
            "INSERT INTO speakers (streamer_id, overlay_id) VALUES ($1, $2)"
            " ON CONFLICT (streamer_id) DO UPDATE SET overlay_id = excluded.overlay_id",
            streamer.id,
            overlay_id,
        )
    return token


async def test_none_and_one(
    hers: httpx.AsyncClient, strangers: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    assert (await hers.get("/overlays")).json() == {"overlays": [], "is_connected": False, "last_seen_at": None}
    token = await connect(site, streamer)
    answer = await hers.get("/overlays")
    [overlay] = answer.json()["overlays"]
    assert answer.json()["is_connected"]
    assert (overlay["in_obs"], overlay["active"], overlay["speaks"]) == (True, True, True)
    assert (await strangers.get("/overlays")).json()["overlays"] == []
    assert (await hers.get("/controls")).json()["is_overlay_there"]
    widgets = await hers.get("/widgets")
    assert [widget["connected"] for widget in widgets.json()["widgets"]] == [1, None]
    assert token not in answer.text + widgets.text


async def test_when_the_last_one_left(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    await site.pool.execute("INSERT INTO speakers (streamer_id, last_present_at) VALUES ($1, now())", streamer.id)
    assert (await hers.get("/overlays")).json()["last_seen_at"] is not None
    await connect(site, streamer)
    assert (await hers.get("/overlays")).json()["last_seen_at"] is None
