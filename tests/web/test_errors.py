"""Errors in our look and in the reader's language; HTMX gets a notice, programs get JSON."""

import html
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from quart import Quart
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.servers import Servers
from tests.support.site import Site, open_site
from tests.web.test_security import make_settings
from web.app import create_app

ENGLISH = {"Accept-Language": "en"}


class TestKinds:
    async def test_a_page_in_russian_by_default_and_in_english_when_asked(self, site: Site) -> None:
        russian = await site.client.get("/nowhere")
        assert russian.status_code == 404
        assert "Такой страницы нет" in russian.text
        assert '<html lang="ru">' in russian.text
        english = await site.client.get("/nowhere", headers=ENGLISH)
        assert "There is no such page" in english.text

    async def test_htmx_gets_a_notice_beside_what_was_asked_for(self, site: Site) -> None:
        answer = await site.client.get("/nowhere", headers={**ENGLISH, "HX-Request": "true"})
        assert answer.status_code == 404
        assert answer.headers["HX-Retarget"] == "#notice"
        assert answer.text.startswith('<div class="notice')
        assert "<html" not in answer.text

    async def test_a_button_of_an_old_page_speaks_of_what_is_gone_and_of_no_address(
        self, her: httpx.AsyncClient
    ) -> None:
        answer = await her.post("/dashboard/webhooks/7/test", headers=ENGLISH)
        assert answer.status_code == 404
        assert "This is not here any more" in answer.text
        assert "a letter is missing" not in answer.text

    async def test_an_answer_to_a_form_is_read_in_the_other_language_on_the_forms_page(
        self, her: httpx.AsyncClient
    ) -> None:
        answer = await her.post("/dashboard/api/keys?streamer=anna", data={"days": "90"}, headers=ENGLISH)
        assert answer.status_code == 422
        link = re.search(r'href="([^"]+)" hreflang="ru"', answer.text)
        assert link is not None
        there = await her.get(html.unescape(link[1]))
        assert (there.status_code, there.url.path) == (200, "/dashboard/api")
        assert '<html lang="ru">' in there.text

    async def test_programs_get_json(self, site: Site) -> None:
        answer = await site.client.get("/api/nothing", headers=ENGLISH)
        assert answer.status_code == 404
        problem = answer.json()
        assert (problem["status"], problem["detail"]) == (404, "Check the address: perhaps a letter is missing.")

    async def test_a_wrong_method_is_405_and_says_which_are_right(self, site: Site) -> None:
        answer = await site.client.post("/health", headers={"Origin": site.url})
        assert answer.status_code == 405
        assert "GET" in answer.headers["Allow"]

    async def test_too_much_is_413(self, site: Site) -> None:
        answer = await site.client.post("/sign-in", data={"email": "x" * 70_000}, headers=ENGLISH)
        assert answer.status_code == 413
        assert "Too much data" in answer.text

    async def test_too_much_without_a_length_is_413_too(self, site: Site) -> None:
        async def endless() -> AsyncIterator[bytes]:
            for _ in range(70):
                yield b"x" * 1000

        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await site.client.post("/sign-in", content=endless(), headers=headers)
        assert answer.status_code == 413

    async def test_garbage_in_an_address_is_no_crash(self, her: httpx.AsyncClient) -> None:
        long = "/" + "a" * 4000
        for path in (
            "/%00",
            "/donate/%00",
            "/dashboard?streamer=%00",
            "/%ff%fe",
            long,
            "/?a=%ff",
            "/static/..%2fapp.py",
        ):
            assert (await her.get(path)).status_code in (200, 404), path

    async def test_garbage_in_a_form_is_no_crash(self, site: Site) -> None:
        form = "application/x-www-form-urlencoded"
        for content, kind in [
            (b"\xff\xfe\x00=\x00", form),
            (b"email=%00&password=%00", form),
            (b"&" * 5000, form),
            (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
            (b"nonsense", "multipart/form-data"),
            (b"{}", "application/json"),
        ]:
            answer = await site.client.post("/sign-in", content=content, headers={"Content-Type": kind})
            assert answer.status_code in (400, 413, 422), content


class TestOurFault:
    async def test_a_bug_is_a_500_page_without_its_details(self, caplog: pytest.LogCaptureFixture) -> None:
        app = create_app(make_settings())

        @app.get("/bug")
        async def bug() -> str:
            raise RuntimeError("the secret is 42")

        async with app.test_app():
            answer = await app.test_client().get("/bug", headers=ENGLISH)
        page = await answer.get_data(as_text=True)
        assert answer.status_code == 500
        assert "Something broke on our side" in page
        assert "42" not in page
        assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == ["GET /bug failed"]

    async def test_the_site_starts_and_says_503_while_the_database_is_away(self) -> None:
        app: Quart = create_app(make_settings())
        async with app.test_app():
            client = app.test_client()
            client.set_cookie("127.0.0.1", "session", "x")
            page = await client.get("/dashboard", headers=ENGLISH)
            home = await app.test_client().get("/")
            api = await client.post("/api/v1/payments/webhook/tbank", data=b"{}")
        assert page.status_code == 503
        assert page.headers["Retry-After"] == "5"
        assert "Nothing is lost" in await page.get_data(as_text=True)
        assert home.status_code == 200
        assert api.status_code in (400, 503)

    async def test_a_restarted_database_is_found_again(
        self, services: Servers, fresh_database_url: str, redis_url: str
    ) -> None:
        async with open_site(fresh_database_url, redis_url) as site:
            assert (await site.client.get("/donate/nobody")).status_code == 404
            services.postgres.kill()
            assert (await site.client.get("/donate/nobody")).status_code == 503
            assert (await site.client.get("/health")).status_code == 503
            services.postgres.start()
            for _ in range(5):
                answer = await site.client.get("/donate/nobody")
                if answer.status_code == 404:
                    break
            assert answer.status_code == 404
            assert (await site.client.get("/health")).status_code == 200

    async def test_a_site_that_started_without_its_database_finds_it_when_it_comes(
        self, services: Servers, fresh_database_url: str, redis_url: str
    ) -> None:
        services.postgres.stop()
        app = create_app(make_settings(database_url=fresh_database_url, redis_url=redis_url))
        async with app.test_app():
            client = app.test_client()
            assert (await client.get("/health")).status_code == 503
            services.postgres.start()
            while (await client.get("/health")).status_code != 200:
                pass
            assert (await client.get("/donate/nobody")).status_code == 404


async def test_a_websocket_is_closed_without_a_word(site: Site) -> None:
    """Socket.IO's client may knock here when the address of realtime is set wrong."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(site.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket")
    assert refused.value.response.status_code == 404
