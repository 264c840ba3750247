"""The queue and its controls: what really came of each press, and who was first."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest

from domain.alerts import enqueue_test
from domain.scopes import Scope
from domain.streamers import Streamer
from tests.api.keys import with_key
from tests.support.site import Site

pytestmark = pytest.mark.usefixtures("kept_site")


async def add_alert(site: Site, streamer: Streamer) -> None:
    async with site.pool.acquire() as connection:
        await enqueue_test(connection, streamer.id, 30_000, "Аня", "Привет из Омска")


async def queue_of(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/queue")
    assert answer.status_code == 200, answer.text
    queue: dict[str, Any] = answer.json()
    return queue


async def press(client: httpx.AsyncClient, path: str, body: Any = None) -> dict[str, Any]:
    answer = await client.post(path, json=body) if body is not None else await client.post(path)
    assert answer.status_code == 200, answer.text
    pressed: dict[str, Any] = answer.json()
    return pressed


async def test_strangers_see_and_skip_nothing(
    hers: httpx.AsyncClient, strangers: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    await add_alert(site, streamer)
    alert_id = (await queue_of(hers))["alerts"][0]["alert_id"]
    assert (await queue_of(strangers))["alerts"] == []
    assert (await strangers.post(f"/queue/{alert_id}/skip")).status_code == 404
    assert (await hers.post(f"/queue/{uuid.uuid4()}/skip")).status_code == 404
    assert (await hers.post("/queue/first/skip")).status_code == 404
    assert (await queue_of(hers))["waiting"] == 1


async def test_of_two_who_skip_one_is_told_about_the_other(
    hers: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    await add_alert(site, streamer)
    alert_id = (await queue_of(hers))["alerts"][0]["alert_id"]
    async with with_key(site, streamer, Scope.ALERTS_CONTROL, name="Пульт") as bot:
        skipped = await press(bot, f"/queue/{alert_id}/skip")
    assert skipped["outcome"] == "done"
    assert skipped["alert"] == {"kind": "test", "name": "Аня", "amount_minor": 30_000, "donations": 1}
    again = await press(hers, f"/queue/{alert_id}/skip")
    assert (again["outcome"], again["before"]) == ("already", {"kind": "key", "name": "Пульт"})
    assert (await queue_of(hers))["waiting"] == 0


async def test_the_control_page_names_the_program(site: Site, streamer: Streamer) -> None:
    async with with_key(site, streamer, Scope.ALERTS_CONTROL, name="Пульт") as bot:
        await press(bot, "/queue/pause")
    row = (await site.rows("SELECT actor_kind, actor_name, action FROM alert_actions"))[0]
    assert row == {"actor_kind": "key", "actor_name": "Пульт", "action": "pause"}


async def test_what_was_shown_cannot_be_skipped_any_more(
    hers: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    await add_alert(site, streamer)
    alert_id = (await queue_of(hers))["alerts"][0]["alert_id"]
    await site.pool.execute("UPDATE alerts SET status = 'shown', shown_at = now(), finished_at = now()")
    assert (await press(hers, f"/queue/{alert_id}/skip"))["outcome"] == "nothing"
    assert (await press(hers, "/queue/skip"))["outcome"] == "nothing"


async def test_pause_and_sound_are_switched_once(hers: httpx.AsyncClient) -> None:
    for switch, back, name in (("pause", "resume", "is_paused"), ("mute", "unmute", "is_muted")):
        assert (await press(hers, f"/queue/{switch}"))["outcome"] == "done"
        assert (await press(hers, f"/queue/{switch}"))["outcome"] == "already"
        assert (await queue_of(hers))[name] is True
        controls = (await hers.get("/controls")).json()
        assert controls["paused_at" if switch == "pause" else "muted_at"] is not None
        assert (await press(hers, f"/queue/{back}"))["outcome"] == "done"
        assert (await queue_of(hers))[name] is False


async def test_two_pauses_at_once_are_one(hers: httpx.AsyncClient) -> None:
    pressed = await asyncio.gather(*(press(hers, "/queue/pause") for _ in range(4)))
    assert sorted(one["outcome"] for one in pressed) == ["already"] * 3 + ["done"]


async def test_clearing_is_taken_back_once(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    await add_alert(site, streamer)
    await add_alert(site, streamer)
    cleared = await press(hers, "/queue/clear")
    assert (cleared["outcome"], cleared["alerts"]) == ("done", 2)
    assert (await queue_of(hers))["waiting"] == 0
    assert (await press(hers, "/queue/clear"))["outcome"] == "nothing"
    undo = {"act_id": cleared["act_id"]}
    assert (await press(hers, "/queue/undo-clear", undo))["alerts"] == 2
    assert (await press(hers, "/queue/undo-clear", undo))["outcome"] == "nothing"
    assert (await queue_of(hers))["waiting"] == 2
    assert (await hers.post("/queue/undo-clear", json={"act_id": "the last"})).status_code == 422
    assert (
        await hers.post("/queue/undo-clear", content=b"{", headers={"Content-Type": "application/json"})
    ).status_code in (400, 422)
