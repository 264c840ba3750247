"""The control page without scripts, what its presses answer, and who may press."""

import re
import uuid

import httpx
import pytest

from domain import control, showing
from domain.pressers import Presser, PresserKind
from domain.streamers import Streamer
from tests.support.site import Site
from tests.web.conftest import signed_in
from tests.web.test_dashboard import HTMX, NBSP, add_paid, alert_statuses, connect_obs, play

MODERATOR = Presser(PresserKind.MODERATOR, 7, "vera")
ON_PAGE = {"page": "control"}

ACTIONS = {
    "/dashboard/mute": {"muted": "yes"},
    "/dashboard/replay": {},
    "/dashboard/clear": {},
    "/dashboard/undo-clear": {"act_id": str(uuid.uuid4())},
    "/dashboard/keep-pause": {},
}


@pytest.fixture
async def site(kept_site: Site) -> Site:
    return kept_site


def press_line(page: str) -> str:
    """What the page says of the newest press."""
    found = re.search(r'<p class="press press-(\w+)"[^>]*>(.*?)</p>', page)
    assert found is not None
    return f"{found[1]}: {found[2]}"


class TestWhoMay:
    async def test_a_stranger_is_sent_to_sign_in(self, site: Site, streamer: Streamer) -> None:
        for path in ("/dashboard/control", "/dashboard/control/part"):
            answer = await site.client.get(f"{path}?streamer={streamer.slug}")
            assert answer.headers["Location"].startswith("/sign-in"), path
        for path, fields in ACTIONS.items():
            answer = await site.client.post(f"{path}?streamer={streamer.slug}", data=fields)
            assert answer.headers["Location"].startswith("/sign-in?next=/dashboard?streamer"), path
        assert await site.rows("SELECT * FROM speakers") == []

    async def test_to_another_streamer_her_control_page_does_not_exist(self, site: Site, streamer: Streamer) -> None:
        await add_paid(site, streamer)
        await site.add_streamer("boris", "Борис")
        async with signed_in(site, "boris@example.org") as his:
            for path in ("/dashboard/control", "/dashboard/control/part"):
                assert (await his.get(f"{path}?streamer={streamer.slug}")).status_code == 404, path
            for path, fields in ACTIONS.items():
                answer = await his.post(f"{path}?streamer={streamer.slug}", data=fields)
                assert answer.status_code == 404, path
        assert await alert_statuses(site) == ["queued"]

    async def test_a_superuser_presses_without_her_address_being_told(
        self, streamer: Streamer, boss: httpx.AsyncClient, her: httpx.AsyncClient
    ) -> None:
        page = await boss.get(f"/dashboard/control?streamer={streamer.slug}&dock=1")
        assert f"/dashboard/mute?dock=1&amp;streamer={streamer.slug}" in page.text
        await boss.post(f"/dashboard/mute?streamer={streamer.slug}", data={"muted": "yes"})
        page = await her.get("/dashboard/control")
        assert "the operator" in page.text
        assert "root@example.org" not in page.text

    async def test_another_sites_form_presses_nothing(self, site: Site, her: httpx.AsyncClient) -> None:
        for path, fields in ACTIONS.items():
            answer = await her.post(path, data=fields, headers={"Origin": "https://evil.example"})
            assert answer.status_code == 403, path
        assert await site.rows("SELECT * FROM speakers") == []


class TestPage:
    async def test_an_empty_stage(self, her: httpx.AsyncClient) -> None:
        page = (await her.get("/dashboard/control")).text
        assert "Nothing plays now" in page
        assert re.search(r'button-skip"[^>]* disabled', page)
        assert "The queue is empty" in page
        assert 'href="/dashboard"' in page

    async def test_what_plays_what_waits_and_the_dock(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        for number in range(7):
            await add_paid(site, streamer, name=f"Donor {number}", message="<b>hello</b>")
        await play(site, streamer, await connect_obs(site, streamer))
        page = (await her.get("/dashboard/control?dock=1")).text
        assert "&lt;b&gt;hello&lt;/b&gt;" in page
        assert re.search(r"\d s left", page)
        assert [f"Donor {number}" in page for number in range(7)] == [True] * 6 + [False]
        assert "and 1 more" in page
        assert "control-head" not in page
        assert 'action="/dashboard/skip?dock=1"' in page

    async def test_the_part_is_no_page(self, her: httpx.AsyncClient) -> None:
        assert (await her.get("/dashboard/control/part?dock=1")).headers["Location"] == "/dashboard/control?dock=1"
        part = (await her.get("/dashboard/control/part", headers=HTMX)).text
        assert part.lstrip().startswith('<div id="console"')
        assert "<html" not in part

    async def test_a_pause_is_asked_about_after_ten_minutes_and_again_later(
        self, site: Site, her: httpx.AsyncClient
    ) -> None:
        await her.post("/dashboard/pause", data={"paused": "yes"})
        page = (await her.get("/dashboard/control")).text
        assert "console-held" in page
        assert "Is it meant?" not in page
        await site.pool.execute("UPDATE speakers SET paused_at = now() - interval '12 minutes'")
        assert "The pause has lasted 12 minutes." in (await her.get("/dashboard/control")).text
        assert "The pause has lasted 12 minutes." in (await her.get("/dashboard")).text
        answer = await her.post("/dashboard/keep-pause", data=ON_PAGE, headers=HTMX)
        assert "Is it meant?" not in answer.text
        await site.pool.execute("UPDATE speakers SET pause_kept_at = now() - interval '11 minutes'")
        assert "Is it meant?" in (await her.get("/dashboard/control")).text


class TestPresses:
    async def test_without_script_each_press_leads_back_to_the_page(self, her: httpx.AsyncClient) -> None:
        answer = await her.post("/dashboard/mute?dock=1", data={"muted": "yes", **ON_PAGE})
        assert answer.headers["Location"] == "/dashboard/control?said=muted&dock=1"
        page = (await her.get(answer.headers["Location"])).text
        assert "Alerts play without sound." in page
        assert "Without sound: on" in page
        assert (await her.post("/dashboard/mute", data={"muted": "no"})).headers["Location"].startswith("/dashboard?")

    async def test_a_skip_is_sent_and_then_confirmed_by_the_overlay_or_not(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await add_paid(site, streamer)
        overlay_id = await connect_obs(site, streamer)
        alert_id = await play(site, streamer, overlay_id)
        answer = await her.post("/dashboard/skip", data={"alert_id": str(alert_id), **ON_PAGE}, headers=HTMX)
        assert press_line(answer.text) == "sent: Sent"
        again_ms = re.search(r'data-again-ms="(\d+)"', answer.text)
        assert again_ms is not None
        assert 0 < int(again_ms[1]) <= 2_050

        await site.pool.execute("UPDATE alert_actions SET created_at = created_at - interval '3 seconds'")
        away = (await her.get("/dashboard/control")).text
        assert press_line(away) == "away: OBS does not answer. It will be done as soon as it is back."

        lease_id = await site.pool.fetchval("SELECT lease_id FROM alert_leases")
        async with site.pool.acquire() as connection:
            await showing.mark_stopped(connection, streamer.id, overlay_id, lease_id)
        confirmed = (await her.get("/dashboard/control")).text
        assert press_line(confirmed) == f"done: Skipped: Аня · 300{NBSP}₽"

    async def test_the_second_presser_is_told_who_was_first(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await add_paid(site, streamer)
        alert_id = await play(site, streamer, await connect_obs(site, streamer))
        async with site.pool.acquire() as connection, connection.transaction():
            await control.skip(connection, streamer.id, MODERATOR, alert_id)
        fields = {"alert_id": str(alert_id), **ON_PAGE}
        answer = await her.post("/dashboard/skip", data=fields, headers=HTMX)
        assert press_line(answer.text) == f"note: Already skipped by @vera: Аня · 300{NBSP}₽"

    async def test_a_mute_is_confirmed_by_the_overlay(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await connect_obs(site, streamer)
        answer = await her.post("/dashboard/mute", data={"muted": "yes", **ON_PAGE}, headers=HTMX)
        assert press_line(answer.text) == "sent: Sent"
        await site.pool.execute("UPDATE overlays SET muted = true")
        assert press_line((await her.get("/dashboard/control")).text) == "done: The sound is off"

    async def test_a_test_waits_for_its_turn_or_for_obs(self, site: Site, her: httpx.AsyncClient) -> None:
        test = {"amount_minor": "30000", **ON_PAGE}
        assert press_line((await her.post("/dashboard/test", data=test, headers=HTMX)).text) == "sent: Sent"
        answer = await her.post("/dashboard/test", data=test, headers=HTMX)
        assert press_line(answer.text) == f"done: In the queue: test · 300{NBSP}₽"
        await site.pool.execute("DELETE FROM alert_actions WHERE id = (SELECT max(id) FROM alert_actions)")
        await site.pool.execute("UPDATE alert_actions SET created_at = created_at - interval '3 seconds'")
        assert press_line((await her.get("/dashboard/control")).text).startswith("away: OBS does not answer.")

    async def test_the_queue_is_cleared_and_put_back(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        for _ in range(3):
            await add_paid(site, streamer)
        answer = await her.post("/dashboard/clear", data=ON_PAGE, headers=HTMX)
        assert await alert_statuses(site) == ["dropped"] * 3
        assert "The queue is cleared: 3 alerts" in answer.text
        act_id = re.search(r'name="act_id" value="([^"]+)"', answer.text)
        assert act_id is not None
        assert act_id[1] in (await her.get("/dashboard")).text
        again = await her.post("/dashboard/clear", data=ON_PAGE, headers=HTMX)
        assert press_line(again.text) == "note: The queue is empty already"
        undone = await her.post("/dashboard/undo-clear", data={"act_id": act_id[1], **ON_PAGE}, headers=HTMX)
        assert await alert_statuses(site) == ["queued"] * 3
        assert press_line(undone.text) == "done: Back in the queue: 3 alerts"
        assert "act_id" not in undone.text
        assert "(taken back)" in undone.text
        late = await her.post("/dashboard/undo-clear", data={"act_id": act_id[1]})
        assert "said=undo-nothing" in late.headers["Location"]

    async def test_replay_says_what_it_shows(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        answer = await her.post("/dashboard/replay", data=ON_PAGE, headers=HTMX)
        assert press_line(answer.text) == "note: There is nothing to show again yet"
        await add_paid(site, streamer)
        await site.pool.execute("UPDATE alerts SET status = 'shown', shown_at = now(), finished_at = now()")
        await her.post("/dashboard/replay", data=ON_PAGE, headers=HTMX)
        answer = await her.post("/dashboard/replay", headers=HTMX)
        assert "It is about to be shown again already" in answer.text
        assert await site.rows("SELECT kind, status FROM alerts WHERE kind = 'replay'") == [
            {"kind": "replay", "status": "queued"}
        ]

    @pytest.mark.parametrize(
        ("path", "fields"),
        [
            ("/dashboard/mute", {}),
            ("/dashboard/mute", {"muted": "maybe"}),
            ("/dashboard/undo-clear", {"act_id": "1"}),
            ("/dashboard/undo-clear", {}),
        ],
    )
    async def test_garbage_is_refused(self, her: httpx.AsyncClient, path: str, fields: dict[str, str]) -> None:
        assert (await her.post(path, data=fields)).status_code == 422
