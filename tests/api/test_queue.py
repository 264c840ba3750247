"""The queue and its controls: what really came of each press, and who was first."""

import asyncio
import uuid
from typing import Any

import httpx

from domain import alerts
from domain.scopes import Scope
from domain.streamers import Streamer
from tests.api.keys import with_key
from tests.support.site import Site
from tests.web.money import add_paid, go_back


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


async def test_the_queue_in_its_order(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    first, _ = await add_paid(site, streamer, message="первый")
    await add_paid(site, streamer, message="второй", donor_name=None)
    queue = await queue_of(hers)
    assert queue["playing"] is None
    assert [alert["message"] for alert in queue["alerts"]] == ["первый", "второй"]
    assert queue["alerts"][0]["donation_id"] == first.id
    assert queue["alerts"][1]["name"] is None
    assert (queue["waiting"], queue["held"], queue["is_paused"], queue["is_muted"]) == (2, 0, False, False)
    assert queue["waiting_ms"] == sum(alert["duration_ms"] for alert in queue["alerts"])


async def test_strangers_see_and_skip_nothing(
    hers: httpx.AsyncClient, strangers: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    await add_paid(site, streamer)
    alert_id = (await queue_of(hers))["alerts"][0]["alert_id"]
    assert (await queue_of(strangers))["alerts"] == []
    assert (await strangers.post(f"/queue/{alert_id}/skip")).status_code == 404
    assert (await hers.post(f"/queue/{uuid.uuid4()}/skip")).status_code == 404
    assert (await hers.post("/queue/first/skip")).status_code == 404
    assert (await queue_of(hers))["waiting"] == 1


async def test_of_two_who_skip_one_is_told_about_the_other(
    hers: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    await add_paid(site, streamer)
    alert_id = (await queue_of(hers))["alerts"][0]["alert_id"]
    async with with_key(site, streamer, Scope.ALERTS_CONTROL, name="Пульт") as bot:
        skipped = await press(bot, f"/queue/{alert_id}/skip")
    assert skipped["outcome"] == "done"
    assert skipped["alert"] == {"kind": "donation", "name": "Аня", "amount_minor": 30_000, "donations": 1}
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
    await add_paid(site, streamer)
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
    await add_paid(site, streamer)
    await add_paid(site, streamer)
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


async def test_a_donation_is_shown_once_more(
    hers: httpx.AsyncClient, strangers: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    assert (await press(hers, "/replays", {}))["outcome"] == "nothing"
    donation, payment = await add_paid(site, streamer)
    body = {"donation_id": donation.id}
    assert (await strangers.post("/replays", json=body)).status_code == 404
    assert (await hers.post("/replays", json={"donation_id": 2_000_000_000})).status_code == 404
    assert (await hers.post("/replays", json={"donation_id": 2**40})).status_code == 422
    shown = await press(hers, "/replays", body)
    assert (shown["outcome"], shown["alert"]["kind"]) == ("done", "replay")
    assert (await press(hers, "/replays", body))["outcome"] == "already"
    await press(hers, "/queue/clear")
    await go_back(site, payment, 0)
    assert (await press(hers, "/replays", body))["outcome"] == "nothing"


async def test_the_last_one_is_shown_once_more(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    donation, _ = await add_paid(site, streamer)
    await site.pool.execute("UPDATE alerts SET status = 'shown', shown_at = now(), finished_at = now()")
    assert (await press(hers, "/replays", {}))["outcome"] == "done"
    assert (await queue_of(hers))["alerts"][0]["donation_id"] == donation.id


async def test_missed_alerts_wait_for_an_answer(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    assert (await press(hers, "/queue/missed", {"answer": "drop"}))["outcome"] == "nothing"
    assert (await hers.post("/queue/missed", json={"answer": "burn"})).status_code == 422
    await add_paid(site, streamer)
    await site.pool.execute(
        "INSERT INTO speakers (streamer_id, asking_since) VALUES ($1, now())"
        " ON CONFLICT (streamer_id) DO UPDATE SET asking_since = now()",
        streamer.id,
    )
    missed = (await hers.get("/controls")).json()["missed"]
    assert (missed["alerts"], missed["amount_minor"], missed["is_postponed"]) == (1, 30_000, False)
    assert (await press(hers, "/queue/missed", {"answer": "drop"}))["alerts"] == 1
    assert (await hers.get("/controls")).json()["missed"] is None
    async with site.pool.acquire() as connection:
        assert (await alerts.measure_queue(connection, streamer.id)).waiting == 0
