"""Buttons with addresses: making, showing and revoking them; and pressing them, with nothing but the address."""

import asyncio
import logging
import re

import httpx
import pytest

from domain.buttons import Control
from domain.streamers import Streamer
from tests.support.site import Site
from tests.web.conftest import signed_in
from tests.web.test_dashboard import NBSP, add_paid, alert_statuses, connect_obs, play


@pytest.fixture
async def site(kept_site: Site) -> Site:
    return kept_site


async def make(her: httpx.AsyncClient, control: str, name: str = "Stream Deck", **fields: str) -> str:
    """A button's address, as the copy button gets it."""
    made = await her.post("/dashboard/buttons", data={"control": control, "name": name, "locale": "ru", **fields})
    assert made.status_code == 303, made.text
    button_id = made.headers["Location"].rpartition("-")[2]
    answer = await her.post(f"/dashboard/buttons/{button_id}/address")
    return str(answer.json()["address"])


async def press(site: Site, address: str) -> str:
    answer = await site.client.post(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "Set-Cookie" not in answer.headers
    assert answer.text.endswith("\n")
    return answer.text.strip()


class TestPressing:
    async def test_skip_says_what_it_skipped(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        address = await make(her, "skip")
        assert await press(site, address) == "Сейчас ничего не играет"
        await add_paid(site, streamer)
        await add_paid(site, streamer)
        overlay_id = await connect_obs(site, streamer)
        await play(site, streamer, overlay_id)
        assert await press(site, address) == f"Пропущен: Аня · 300{NBSP}₽"
        await play(site, streamer, overlay_id)
        # A key that bounces does not hit the next one.
        assert await press(site, address) == f"Уже пропущено (кнопка «Stream Deck»): Аня · 300{NBSP}₽"
        assert await alert_statuses(site) == ["skipped", "playing"]

    async def test_each_control_answers_in_the_buttons_language(self, site: Site, her: httpx.AsyncClient) -> None:
        said = {
            control: await press(site, await make(her, control, locale="en"))
            for control in ("pause", "resume", "toggle_pause", "mute", "unmute", "toggle_mute", "replay", "test")
        }
        assert said == {
            "pause": "The pause is on",
            "resume": "The pause is over",
            "toggle_pause": "The pause is on",
            "mute": "The sound is off",
            "unmute": "The sound is on",
            "toggle_mute": "The sound is off",
            "replay": "There is nothing to show again yet",
            "test": "The test is sent",
        }
        controls = await site.rows(
            "SELECT paused_at IS NOT NULL AS paused, muted_at IS NOT NULL AS muted FROM speakers"
        )
        assert controls == [{"paused": True, "muted": True}]
        assert await press(site, await make(her, "pause", locale="ru")) == "Пауза уже включена: ждёт 1 алерт"
        assert await press(site, await make(her, "clear", locale="ru")) == "Очередь очищена: 1 алерт"
        for control in ("missed_play", "missed_summary", "missed_drop"):
            assert await press(site, await make(her, control)) == "Пропущенных алертов нет"
        page = (await her.get("/dashboard/control")).text
        assert "button “Stream Deck”" in page

    async def test_every_control_can_be_pressed(self, site: Site, her: httpx.AsyncClient) -> None:
        for control in Control:
            assert await press(site, await make(her, control.value))

    async def test_uses_are_counted(self, site: Site, her: httpx.AsyncClient) -> None:
        address = await make(her, "pause")
        assert "Not pressed yet" in (await her.get("/dashboard/buttons")).text
        for _ in range(3):
            await press(site, address)
        assert "Pressed 3 times" in (await her.get("/dashboard/buttons")).text

    async def test_get_presses_only_where_that_was_switched_on(self, site: Site, her: httpx.AsyncClient) -> None:
        address = await make(her, "pause")
        refused = await site.client.get(address)
        assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
        assert refused.text == "Эта кнопка нажимается через POST\n"
        button_id = await site.pool.fetchval("SELECT id FROM control_buttons")
        await her.post(f"/dashboard/buttons/{button_id}", data={"name": "Deck", "allows_get": "yes"})
        for headers in ({"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}):
            assert (await site.client.get(address, headers=headers)).status_code == 405
        assert (await site.client.head(address)).status_code == 405
        assert await site.rows("SELECT * FROM speakers WHERE paused_at IS NOT NULL") == []
        assert (await site.client.get(address)).text == "Пауза включена\n"

    async def test_any_page_may_ask_and_no_cookie_counts(self, site: Site, her: httpx.AsyncClient) -> None:
        address = await make(her, "pause")
        foreign = {"Origin": "https://deck.example", "Sec-Fetch-Site": "cross-site"}
        answer = await site.client.post(address, headers=foreign)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
        asked = await site.client.request("OPTIONS", address, headers=foreign)
        assert (asked.status_code, asked.text) == (204, "")
        # Her session is no authority here: without a token there is no button, and it renews no cookie.
        assert (await her.post("/button/anything")).status_code == 404
        # And a button's token is no authority anywhere else.
        token = address.rpartition("/")[2]
        answer = await site.client.get("/dashboard/control", headers={"Cookie": f"session={token}"})
        assert answer.status_code == 303

    async def test_what_is_no_token_is_no_button(self, site: Site, her: httpx.AsyncClient) -> None:
        await make(her, "pause")
        for token in ("x", "x" * 43, "x" * 5_000, "%00", "Аня"):
            for method in ("GET", "POST", "HEAD"):
                answer = await site.client.request(method, f"{site.url}/button/{token}")
                assert answer.status_code == 404, (method, token)
                assert answer.headers["Content-Type"].startswith("text/"), token
        assert await site.rows("SELECT * FROM speakers WHERE paused_at IS NOT NULL") == []

    async def test_a_held_key_is_cut_off_and_another_button_is_not(self, site: Site, her: httpx.AsyncClient) -> None:
        address, other = await make(her, "pause"), await make(her, "resume")
        answers = [(await site.client.post(address)).status_code for _ in range(62)]
        assert answers == [200] * 60 + [429] * 2
        limited = await site.client.post(address)
        assert limited.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert int(limited.headers["Retry-After"]) > 0
        assert await press(site, other) == "Пауза снята"

    async def test_guessing_is_limited_by_address(self, site: Site) -> None:
        answers = [(await site.client.post(f"/button/guess-{number}")).status_code for number in range(62)]
        assert answers == [404] * 60 + [429] * 2

    async def test_two_presses_at_once_skip_one(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        address = await make(her, "skip")
        await add_paid(site, streamer)
        await add_paid(site, streamer)
        await play(site, streamer, await connect_obs(site, streamer))
        said = await asyncio.gather(*(press(site, address) for _ in range(4)))
        assert sum(answer.startswith("Пропущен:") for answer in said) == 1
        assert await alert_statuses(site) == ["skipped", "queued"]

    async def test_no_log_tells_the_address_even_of_a_bug(
        self, site: Site, her: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        address = await make(her, "pause")
        await site.pool.execute("ALTER TABLE speakers RENAME TO elsewhere")
        try:
            with caplog.at_level(logging.DEBUG):
                answer = await site.client.post(address)
        finally:
            await site.pool.execute("ALTER TABLE elsewhere RENAME TO speakers")
        assert answer.status_code == 500
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert "/button/…" in caplog.text
        # httpx is the tool that presses, not ours.
        ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("http"))
        assert address.rpartition("/")[2] not in ours


class TestManaging:
    async def test_who_may(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        await make(her, "pause")
        button_id = await site.pool.fetchval("SELECT id FROM control_buttons")
        paths = [f"/dashboard/buttons/{button_id}{act}" for act in ("", "/reveal", "/address", "/renew", "/revoke")]
        before = await site.rows("SELECT * FROM control_buttons")
        await site.add_streamer("boris", "Борис")
        async with signed_in(site, "boris@example.org") as his:
            assert (await his.get(f"/dashboard/buttons?streamer={streamer.slug}")).status_code == 404
            for path in paths:
                mine = await his.post(path, data={"name": "his"})
                assert mine.status_code == 404, path
                assert (await his.post(f"{path}?streamer={streamer.slug}", data={"name": "his"})).status_code == 404
        for path in paths:
            answer = await site.client.post(path)
            assert answer.headers["Location"].startswith("/sign-in"), path
        assert await site.rows("SELECT * FROM control_buttons") == before

    async def test_the_address_is_masked_until_asked_for(self, site: Site, her: httpx.AsyncClient) -> None:
        address = await make(her, "pause")
        page = (await her.get("/dashboard/buttons")).text
        assert "••••••••" in page
        assert address not in page
        shown = await her.post(
            f"/dashboard/buttons/{await site.pool.fetchval('SELECT id FROM control_buttons')}/reveal"
        )
        assert address in (await her.get(shown.headers["Location"])).text
        # Not by a link that somebody made up.
        forged = re.sub("reveal=[^&#]+", "reveal=made-up", shown.headers["Location"])
        assert address not in (await her.get(forged)).text

    async def test_the_token_is_stored_hashed_and_encrypted(self, site: Site, her: httpx.AsyncClient) -> None:
        token = (await make(her, "pause")).rpartition("/")[2]
        assert len(token) == 43
        (row,) = await site.rows("SELECT * FROM control_buttons")
        assert token not in str(row)

    async def test_a_new_address_and_a_revoked_one(self, site: Site, her: httpx.AsyncClient) -> None:
        former = await make(her, "pause")
        button_id = await site.pool.fetchval("SELECT id FROM control_buttons")
        await her.post(f"/dashboard/buttons/{button_id}/renew")
        assert (await site.client.post(former)).status_code == 404
        renewed = (await her.post(f"/dashboard/buttons/{button_id}/address")).json()["address"]
        await press(site, renewed)
        await her.post(f"/dashboard/buttons/{button_id}/revoke")
        assert (await site.client.post(renewed)).status_code == 404
        assert f"button-{button_id}" not in (await her.get("/dashboard/buttons")).text
        for act in ("", "/address", "/renew", "/revoke"):
            answer = await her.post(f"/dashboard/buttons/{button_id}{act}", data={"name": "x"})
            assert answer.status_code == 404, act

    async def test_names(self, site: Site, her: httpx.AsyncClient) -> None:
        await make(her, "toggle_pause", name="  ")
        assert await site.pool.fetchval("SELECT name FROM control_buttons") == "Pause on or off"
        long = await her.post("/dashboard/buttons", data={"control": "skip", "name": "x" * 61})
        assert (long.status_code, "Longer than 60 characters: remove 1." in long.text) == (422, True)
        button_id = await site.pool.fetchval("SELECT id FROM control_buttons")
        empty = await her.post(f"/dashboard/buttons/{button_id}", data={"name": " \u200b "})
        assert (empty.status_code, "Give it a name" in empty.text) == (422, True)
        hostile = "<script>alert(1)</script>"
        await her.post(f"/dashboard/buttons/{button_id}", data={"name": hostile})
        page = (await her.get("/dashboard/buttons")).text
        assert hostile not in page
        assert "&lt;script&gt;" in page

    async def test_garbage_and_too_many(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        for fields in ({}, {"control": "explode"}, {"control": "skip", "locale": "xx"}):
            assert (await her.post("/dashboard/buttons", data=fields)).status_code == 422
        await site.pool.execute(
            "INSERT INTO control_buttons (streamer_id, name, control, token_hash, token_encrypted, locale)"
            " SELECT $1, 'x', 'skip', sha256(number::text::bytea), 'x', 'ru' FROM generate_series(1, 50) number",
            streamer.id,
        )
        answer = await her.post("/dashboard/buttons", data={"control": "skip"})
        assert (answer.status_code, "at most 50 buttons" in answer.text) == (422, True)
        # A stored secret that no key of ours reads is as good as none.
        first = await site.pool.fetchval("SELECT min(id) FROM control_buttons")
        assert (await her.post(f"/dashboard/buttons/{first}/address")).status_code == 404
