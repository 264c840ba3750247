"""First steps over HTTP, without scripts: from a new account to all set; who may, and what garbage does."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest

from domain import overlays
from domain.streamers import Streamer
from domain.terminals import set_terminal
from domain.users import create_user
from infra.crypto import SecretBox
from tests.support.site import Site
from tests.web.conftest import PASSWORD, signed_in

HTMX = {"HX-Request": "true"}
STEPS = "/dashboard/first-steps"

POSTS: dict[str, dict[str, str]] = {
    f"{STEPS}/page": {"about": "x", "presets": "100"},
    f"{STEPS}/address": {},
    f"{STEPS}/test": {},
    f"{STEPS}/skip": {"step": "obs"},
    f"{STEPS}/dismiss": {"dismissed": "yes"},
    "/dashboard/payee": {"payee": "npd"},
}
GETS = (f"{STEPS}?step=obs", f"{STEPS}/check/obs", "/dashboard/payee", "/dashboard/requisites")


@pytest.fixture
def site(kept_site: Site) -> Site:
    return kept_site


@pytest.fixture
async def newcomer(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who has registered a moment ago."""
    async with site.pool.acquire() as connection:
        await create_user(connection, "new@example.org", PASSWORD)
    async with signed_in(site, "new@example.org") as client:
        yield client


async def connect_obs(site: Site, streamer_id: int, *, in_obs: bool = True) -> uuid.UUID:
    process_id, overlay_id = uuid.uuid4(), uuid.uuid4()
    async with site.pool.acquire() as connection, connection.transaction():
        token_id = await connection.fetchval("SELECT max(id) FROM overlay_tokens WHERE streamer_id = $1", streamer_id)
        await overlays.renew_process(connection, process_id)
        await overlays.connect_overlay(
            connection, process_id=process_id, streamer_id=streamer_id, token_id=token_id, overlay_id=overlay_id,
            in_obs=in_obs, visible=True, active=in_obs,
        )  # fmt: skip
        await overlays.choose_speaker(connection, streamer_id)
    return overlay_id


@pytest.fixture(autouse=True)
async def _no_overlays_left(site: Site) -> AsyncIterator[None]:
    yield
    for table in ("speakers", "overlays", "overlay_tokens", "realtime_processes"):
        await site.pool.execute(f"DELETE FROM {table}")


class TestTheWay:
    async def test_a_newcomer_is_led_from_nothing_to_all_set(self, site: Site, newcomer: httpx.AsyncClient) -> None:
        page = await newcomer.get("/dashboard", follow_redirects=True)
        assert "What are you called on the stream?" in page.text
        assert "0 of 5 done" in page.text
        answer = await newcomer.post(f"{STEPS}/name", data={"display_name": "Кот Учёный", "time_zone": "Asia/Omsk"})
        assert answer.headers["Location"] == f"{STEPS}?said=page-made"
        [streamer] = await site.rows("SELECT * FROM streamers")
        assert (streamer["slug"], streamer["display_name"]) == ("kot-uchenyy", "Кот Учёный")
        assert streamer["time_zone"] == "Asia/Omsk"
        assert len(await site.rows("SELECT FROM overlay_tokens")) == 1

        page = await newcomer.get(STEPS)
        assert "What viewers see" in page.text
        await newcomer.post(f"{STEPS}/page", data={"about": "Игры по вечерам", "presets": "500, 100 ₽; 1 000, 100"})
        [saved] = await site.rows("SELECT about, preset_amounts_minor FROM streamers")
        assert saved == {"about": "Игры по вечерам", "preset_amounts_minor": [10_000, 50_000, 100_000]}

        page = await newcomer.get(STEPS)
        assert "Waiting for OBS" in page.text
        for words in ("1920", "1080", "Control audio via OBS", "Shutdown source when not visible"):
            assert words in page.text
        await connect_obs(site, streamer["id"])
        page = await newcomer.get(f"{STEPS}?step=obs")
        assert "OBS is connected" in page.text

        page = await newcomer.get(STEPS)
        assert "Play a test alert" in page.text
        answer = await newcomer.post(f"{STEPS}/test")
        assert answer.headers["Location"] == f"{STEPS}?step=alert#check"
        assert "On its way to OBS" in (await newcomer.get(f"{STEPS}?step=alert")).text
        await site.pool.execute("UPDATE alerts SET status = 'shown', shown_at = now()")
        page = await newcomer.get(f"{STEPS}?step=alert")
        assert "It played at" in page.text
        assert "4 of 5 done" in page.text

        answer = await newcomer.post("/dashboard/payee", data={"payee": "npd"})
        assert answer.headers["Location"] == "/dashboard/payee?said=payee-npd#npd"
        page = await newcomer.get(STEPS)
        assert 'value="npd" aria-pressed="true"' in page.text
        assert "the donation page is closed" in page.text
        await newcomer.post(f"{STEPS}/skip", data={"step": "money"})
        page = await newcomer.get(STEPS)
        assert "The rest can wait" in page.text
        assert "Go on setting up (4 of 5)" in (await newcomer.get("/dashboard")).text
        await site.pool.execute(
            "INSERT INTO terminals (streamer_id, provider, terminal_key, secret_encrypted)"
            " SELECT id, 'tbank', 'kot', 'x' FROM streamers"
        )
        page = await newcomer.get(STEPS)
        assert "Almost all set" in page.text
        assert "Fill in the requisites: banks look for them" in page.text
        assert "Say who receives the money" not in page.text, "that was said"
        assert "Go on setting up" not in (await newcomer.get("/dashboard")).text
        assert 'href="/dashboard/first-steps"' not in (await newcomer.get("/dashboard/payee")).text

    async def test_every_page_of_the_desk_leads_here(self, newcomer: httpx.AsyncClient) -> None:
        for path in ("/dashboard", "/dashboard/terminals", "/dashboard/payee", "/dashboard/part/feed"):
            answer = await newcomer.get(path)
            assert (answer.status_code, answer.headers["Location"]) == (303, STEPS), path
            asked = await newcomer.get(path, headers=HTMX)
            assert (asked.status_code, asked.headers["HX-Redirect"]) == (200, STEPS), path
        for path, fields in POSTS.items():
            answer = await newcomer.post(path, data=fields)
            assert (answer.status_code, answer.headers["Location"]) == (303, STEPS), path

    async def test_the_address_is_shown_only_after_a_press(self, site: Site, newcomer: httpx.AsyncClient) -> None:
        await newcomer.post(f"{STEPS}/name", data={"display_name": "Кот"})
        page = await newcomer.get(f"{STEPS}?step=obs")
        assert "overlay#" in page.text
        assert re.search(r"overlay#[A-Za-z0-9_-]{40}", page.text) is None
        shown = await newcomer.post(f"{STEPS}/address")
        page = await newcomer.get(shown.headers["Location"])
        assert re.search(r"overlay#[A-Za-z0-9_-]{40}", page.text) is not None
        assert len(await site.rows("SELECT FROM overlay_tokens")) == 1
        # Who had none gets one.
        await site.pool.execute("DELETE FROM overlay_tokens")
        assert "Make the address" in (await newcomer.get(f"{STEPS}?step=obs")).text
        await newcomer.post(f"{STEPS}/address")
        assert len(await site.rows("SELECT FROM overlay_tokens WHERE revoked_at IS NULL")) == 1

    async def test_what_is_asked_for_by_itself(self, site: Site, newcomer: httpx.AsyncClient) -> None:
        await newcomer.post(f"{STEPS}/name", data={"display_name": "Кот"})
        part = await newcomer.get(f"{STEPS}/check/obs", headers=HTMX)
        assert "Waiting for OBS" in part.text
        assert 'hx-trigger="every 2s"' in part.text
        assert 'id="steps"' in part.text
        assert "hx-swap-oob" in part.text
        assert "<html" not in part.text
        part = await newcomer.post(f"{STEPS}/test", headers=HTMX)
        assert "It waits for OBS" in part.text
        await site.pool.execute("UPDATE alerts SET status = 'skipped'")
        part = await newcomer.get(f"{STEPS}/check/alert", headers=HTMX)
        assert "skipped before it could be seen" in part.text
        assert "every 1s" not in part.text
        assert (await newcomer.get(f"{STEPS}/check/alert")).headers["Location"] == f"{STEPS}?step=alert"

    async def test_not_wished_for_and_back(self, site: Site) -> None:
        streamer = await site.add_streamer()
        async with signed_in(site, f"{streamer.slug}@example.org") as her:
            assert "Go on setting up (2 of 5)" in (await her.get("/dashboard")).text
            answer = await her.post(f"{STEPS}/dismiss", data={"dismissed": "yes"})
            assert answer.headers["Location"] == "/dashboard"
            assert "Go on setting up (" not in (await her.get("/dashboard")).text
            await her.post(f"{STEPS}/dismiss", data={"dismissed": "no"})
            assert "First steps: 2 of 5." in (await her.get("/dashboard/part/first_steps", headers=HTMX)).text
            bar = (await her.get("/dashboard/part/bar", headers=HTMX)).text
            assert '<a class="button button-small" href="/dashboard/first-steps">Go on setting up (2 of 5)</a>' in bar


class TestATabIsNoObs:
    async def test_what_a_tab_plays_is_said_to_be_in_the_tab(self, site: Site, newcomer: httpx.AsyncClient) -> None:
        await newcomer.post(f"{STEPS}/name", data={"display_name": "Кот"})
        [streamer] = await site.rows("SELECT id FROM streamers")
        tab = await connect_obs(site, streamer["id"], in_obs=False)
        part = await newcomer.post(f"{STEPS}/test", headers=HTMX)
        assert "On its way to a browser tab" in part.text
        assert "OBS is still to be connected." in part.text
        await site.pool.execute(
            "UPDATE alerts SET status = 'playing', lease_id = gen_random_uuid(), leased_until = 'infinity'"
        )
        await site.pool.execute(
            "INSERT INTO alert_leases (lease_id, alert_id, overlay_id) SELECT lease_id, alert_id, $1 FROM alerts", tab
        )
        part = await newcomer.get(f"{STEPS}/check/alert", headers=HTMX)
        assert "It plays in a browser tab now." in part.text
        assert "look at OBS" not in part.text
        await site.pool.execute(
            "UPDATE alerts SET status = 'shown', shown_at = now(), lease_id = NULL, leased_until = NULL"
        )
        for _ in range(2):
            part = await newcomer.get(f"{STEPS}/check/alert", headers=HTMX)
            assert re.search(r"It played at \d\d:\d\d in a browser tab.", part.text)
            assert "Viewers do not see the tab" in part.text
            assert "check-good" not in part.text
            # Closed by now.
            await site.pool.execute("UPDATE speakers SET overlay_id = NULL")
            await site.pool.execute("DELETE FROM overlays")

    async def test_once_obs_is_there_it_is_worth_another_press(self, site: Site, newcomer: httpx.AsyncClient) -> None:
        await newcomer.post(f"{STEPS}/name", data={"display_name": "Кот"})
        [streamer] = await site.rows("SELECT id FROM streamers")
        tab = await connect_obs(site, streamer["id"], in_obs=False)
        await newcomer.post(f"{STEPS}/test", headers=HTMX)
        await site.pool.execute("UPDATE alerts SET status = 'shown', shown_at = now()")
        await site.pool.execute(
            "INSERT INTO alert_leases (lease_id, alert_id, overlay_id)"
            " SELECT gen_random_uuid(), alert_id, $1 FROM alerts",
            tab,
        )
        await connect_obs(site, streamer["id"])
        part = await newcomer.get(f"{STEPS}/check/alert", headers=HTMX)
        assert "OBS is connected now: play it once more." in part.text


class TestTheEnd:
    async def test_a_test_terminal_is_ready_for_tests_only(self, site: Site) -> None:
        streamer = await site.add_streamer(terminal=False)
        box = SecretBox(site.settings.secret_keys.get_secret_value())
        async with site.pool.acquire() as connection, connection.transaction():
            await set_terminal(connection, box, streamer.id, "tbank", "1234567890123DEMO", "secret", is_test=True)
        async with signed_in(site, f"{streamer.slug}@example.org") as her:
            await her.post(f"{STEPS}/page", data={"about": "Игры", "presets": "100"})
            await her.post(f"{STEPS}/address")
            await her.post(f"{STEPS}/test")
            await site.pool.execute("UPDATE alerts SET status = 'shown', shown_at = now()")
            await connect_obs(site, streamer.id)
            page = (await her.get(STEPS)).text
            assert "Ready for tests" in page
            assert "All set<" not in page
            for path in ("/dashboard/payee", "/dashboard/requisites", "/dashboard/terminals"):
                assert f'<li><a href="{path}">' in page, path

    async def test_the_self_employed_get_their_cheques(self, site: Site) -> None:
        streamer = await site.add_streamer()
        async with signed_in(site, f"{streamer.slug}@example.org") as her:
            assert 'href="/dashboard/npd"' not in (await her.get("/dashboard/requisites")).text
            page = await her.post("/dashboard/payee", data={"payee": "npd"}, follow_redirects=True)
            assert "The cheques to make are listed on the page “Cheques” from now on." in page.text
            assert 'href="/dashboard/npd"' in (await her.get("/dashboard/requisites")).text
            [first] = await site.rows("SELECT receipts, receipts_since FROM streamers")
            assert first["receipts"] == "npd"
            await her.post("/dashboard/payee", data={"payee": "npd"})
            assert await site.rows("SELECT receipts, receipts_since FROM streamers") == [first], "since the first time"

    async def test_who_chose_a_cash_register_is_asked(self, site: Site) -> None:
        streamer = await site.add_streamer()
        await site.pool.execute("UPDATE streamers SET receipts = 'fiscal'")
        async with signed_in(site, f"{streamer.slug}@example.org") as her:
            await her.post("/dashboard/payee", data={"payee": "npd"})
            assert await site.rows("SELECT receipts FROM streamers") == [{"receipts": "fiscal"}]
            page = (await her.get("/dashboard/payee")).text
            assert 'name="receipts" value="npd"' in page
            await her.post("/dashboard/receipts", data={"receipts": "npd"})
            assert 'name="receipts" value="npd"' not in (await her.get("/dashboard/payee")).text


class TestTheName:
    async def test_a_taken_address_is_said_with_free_ones(self, site: Site, newcomer: httpx.AsyncClient) -> None:
        await site.add_streamer("kot", "Кот")
        answer = await newcomer.post(f"{STEPS}/name", data={"display_name": "Кот", "slug": ""})
        assert answer.status_code == 422
        assert "This address is taken." in answer.text
        assert 'name="use" value="kot-live"' in answer.text
        assert 'value="Кот"' in answer.text
        await newcomer.post(f"{STEPS}/name", data={"display_name": "Кот", "slug": "kot", "use": "kot-live"})
        assert {row["slug"] for row in await site.rows("SELECT slug FROM streamers")} == {"kot", "kot-live"}

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"display_name": "", "slug": "kot"}, "Write how viewers know you."),
            ({"display_name": "x" * 61, "slug": "kot"}, "At most 60 characters."),
            ({"display_name": "Ко\u202eт", "slug": "kot"}, "Only characters that can be seen."),
            ({"display_name": "Кот", "slug": "-kot"}, "Latin letters, digits"),
            ({"display_name": "Кот", "slug": "кот"}, "Latin letters, digits"),
            ({"display_name": "Кот", "slug": "../../etc"}, "Latin letters, digits"),
            ({"display_name": "Кот", "slug": "k" * 5000}, "Latin letters, digits"),
            ({"display_name": "主播", "slug": ""}, "Latin letters, digits"),
            ({"display_name": "Кот", "slug": "admin"}, "This address is the site&#39;s own."),
            ({"display_name": "Кот", "slug": "kot", "time_zone": "Mars/Olympus"}, "Choose one of these."),
            ({"display_name": "<script>alert(1)</script>", "slug": "<b>"}, "Latin letters, digits"),
        ],
    )
    async def test_garbage(self, site: Site, newcomer: httpx.AsyncClient, fields: dict[str, str], words: str) -> None:
        answer = await newcomer.post(f"{STEPS}/name", data=fields)
        assert answer.status_code == 422
        assert words in answer.text
        assert "<script>alert" not in answer.text
        assert await site.rows("SELECT FROM streamers") == []

    async def test_two_at_once_make_one_page(self, site: Site, newcomer: httpx.AsyncClient) -> None:
        answers = await asyncio.gather(
            *(newcomer.post(f"{STEPS}/name", data={"display_name": "Кот", "slug": slug}) for slug in ("kot", "kot2"))
        )
        assert {answer.status_code for answer in answers} == {303}
        assert len(await site.rows("SELECT FROM streamers")) == 1
        assert len(await site.rows("SELECT FROM overlay_tokens")) == 1
        again = await newcomer.post(f"{STEPS}/name", data={"display_name": "Пёс", "slug": "pes"})
        assert again.headers["Location"] == STEPS
        assert len(await site.rows("SELECT FROM streamers")) == 1

    async def test_suggestions_as_one_types(self, site: Site, newcomer: httpx.AsyncClient) -> None:
        await site.add_streamer("kot", "Кот")
        asked = await newcomer.get(f"{STEPS}/suggestions", params={"display_name": "Пёс", "slug": ""})
        assert "/donate/pes" in asked.text
        asked = await newcomer.get(f"{STEPS}/suggestions", params={"display_name": "Кот", "slug": ""})
        assert "kot-live" in asked.text
        asked = await newcomer.get(f"{STEPS}/suggestions", params={"display_name": "x" * 900, "slug": '"><script>'})
        assert asked.status_code == 200
        assert "<script>" not in asked.text
        assert (await site.client.get(f"{STEPS}/suggestions")).status_code == 303


class TestGarbage:
    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"presets": "сто"}, "We can&#39;t read “сто”"),
            ({"presets": "1"}, "Each from"),
            ({"presets": "9999999"}, "Each from"),
            ({"presets": "10,20,30,40,50,60,70"}, "At most 6 amounts."),
            ({"about": "x" * 501, "presets": "100"}, "remove 1"),
        ],
    )
    async def test_of_the_page(self, site: Site, fields: dict[str, str], words: str) -> None:
        streamer = await site.add_streamer()
        async with signed_in(site, f"{streamer.slug}@example.org") as her:
            answer = await her.post(f"{STEPS}/page", data=fields)
        assert answer.status_code == 422
        assert words in answer.text
        assert (await site.rows("SELECT about FROM streamers")) == [{"about": ""}]

    async def test_of_the_rest(self, site: Site) -> None:
        streamer = await site.add_streamer()
        async with signed_in(site, f"{streamer.slug}@example.org") as her:
            for path, fields in (
                (f"{STEPS}/skip", {"step": "name"}),
                (f"{STEPS}/skip", {}),
                (f"{STEPS}/dismiss", {"dismissed": "maybe"}),
                ("/dashboard/payee", {"payee": "uncle"}),
            ):
                assert (await her.post(path, data=fields)).status_code == 422, path
            for step in ("name", "nothing", "", "obs'"):
                assert (await her.get(STEPS, params={"step": step})).status_code == 200
            assert (await her.get(f"{STEPS}/check/money", headers=HTMX)).status_code == 404
        assert await site.rows("SELECT FROM first_steps") == []


class TestRights:
    async def test_nobody_is_sent_to_sign_in(self, site: Site) -> None:
        streamer = await site.add_streamer()
        for path in (STEPS, *GETS):
            assert (await site.client.get(path)).headers["Location"].startswith("/sign-in"), path
        for path, fields in {**POSTS, f"{STEPS}/name": {"display_name": "x"}}.items():
            answer = await site.client.post(f"{path}?streamer={streamer.slug}", data=fields)
            assert answer.headers["Location"].startswith("/sign-in"), path

    async def test_to_a_stranger_her_steps_do_not_exist(self, site: Site, newcomer: httpx.AsyncClient) -> None:
        streamer = await site.add_streamer()
        for path in (STEPS, *GETS):
            mark = "&" if "?" in path else "?"
            assert (await newcomer.get(f"{path}{mark}streamer={streamer.slug}")).status_code == 404, path
        for path, fields in POSTS.items():
            assert (await newcomer.post(f"{path}?streamer={streamer.slug}", data=fields)).status_code == 404, path
        assert await site.rows("SELECT FROM first_steps") == []
        assert await site.rows("SELECT FROM alerts") == []

    async def test_a_superuser_helps_and_keeps_the_list(self, site: Site, boss: httpx.AsyncClient) -> None:
        streamer: Streamer = await site.add_streamer()
        listed = await boss.get("/dashboard")
        assert f"/dashboard?streamer={streamer.slug}" in listed.text
        assert f'href="{STEPS}"' in listed.text
        assert (await boss.get("/dashboard/terminals")).headers["Location"] == "/dashboard"
        page = await boss.get(f"{STEPS}?streamer={streamer.slug}&step=obs")
        assert f"{STEPS}/address?streamer={streamer.slug}" in page.text
        answer = await boss.post(f"{STEPS}/skip?streamer={streamer.slug}", data={"step": "obs"})
        assert answer.headers["Location"] == f"{STEPS}?streamer={streamer.slug}"
        # And may have a page of one's own.
        await boss.post(f"{STEPS}/name", data={"display_name": "Босс"})
        assert {row["slug"] for row in await site.rows("SELECT slug FROM streamers")} == {"anna", "boss"}
