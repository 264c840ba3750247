"""What is in the queue because money came: in its order, shown once more, or missed."""

import httpx
import pytest

from domain import alerts
from domain.streamers import Streamer
from tests.api.test_queue import press, queue_of
from tests.support.site import Site
from tests.web.money import add_paid, go_back

pytestmark = pytest.mark.usefixtures("shared_site")


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
    await site.pool.execute(
        "UPDATE alerts SET status = 'shown', shown_at = now(), finished_at = now() WHERE streamer_id = $1", streamer.id
    )
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
