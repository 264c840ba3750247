"""Signing in and out: one answer for everything that is wrong, and a cookie that only our own pages can use."""

from typing import Any

import httpx
import pytest

from tests.support.site import Site
from tests.web.conftest import PASSWORD, signed_in

ANNA = "anna@example.org"

FOREIGN = [
    "https://evil.example/",
    "//evil.example",
    "//[",
    "///evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\n/evil.example",
    "evil.example",
    "",
    "/x\\..\\y",
]


async def try_sign_in(site: Site, email: str, password: str, **fields: str) -> httpx.Response:
    return await site.client.post(
        "/sign-in",
        data={"email": email, "password": password, **fields},
        headers={"Origin": site.url, "Accept-Language": "en"},
    )


@pytest.mark.usefixtures("streamer")
class TestSignIn:
    async def test_the_right_password_opens_the_dashboard(self, site: Site) -> None:
        answer = await try_sign_in(site, " ANNA@example.org", PASSWORD)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard")
        assert (await site.client.get("/dashboard")).status_code == 200

    async def test_the_cookie_is_for_our_pages_only(self, site: Site) -> None:
        cookie = (await try_sign_in(site, ANNA, PASSWORD)).headers["Set-Cookie"]
        assert cookie.startswith("session=")
        assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"} <= set(cookie.split("; "))
        assert "Domain" not in cookie

    async def test_the_database_does_not_know_the_token(self, site: Site) -> None:
        await try_sign_in(site, ANNA, PASSWORD)
        token = site.client.cookies["session"]
        kept = await site.rows("SELECT * FROM sessions")
        assert len(kept) == 1
        assert token not in str(kept)

    async def test_one_answer_for_a_wrong_password_and_an_unknown_email(self, site: Site) -> None:
        wrong = [(ANNA, "wrong1"), ("nobody@example.org", PASSWORD), ("a\x00@b", "x"), ("?" * 200, "💥")]
        for email, password in wrong:
            answer = await try_sign_in(site, email, password)
            assert answer.status_code == 422, email
            assert "The e-mail or the password is wrong." in answer.text
            assert "Set-Cookie" not in answer.headers
            assert f'value="{password}"' not in answer.text

    async def test_a_closed_account_gets_the_same_answer(self, site: Site) -> None:
        await site.pool.execute("UPDATE users SET is_active = false")
        answer = await try_sign_in(site, ANNA, PASSWORD)
        assert "The e-mail or the password is wrong." in answer.text

    async def test_empty_fields_are_named(self, site: Site) -> None:
        bad: list[dict[str, str]] = [{}, {"email": ""}, {"password": ""}, {"email": ANNA}, {"email": "a" * 9000}]
        for fields in bad:
            answer = await site.client.post("/sign-in", data=fields, headers={"Origin": site.url})
            assert answer.status_code == 422, fields
            assert 'aria-invalid="true"' in answer.text

    async def test_what_was_typed_comes_back_as_text(self, site: Site) -> None:
        answer = await try_sign_in(site, '"><script>alert(1)</script>', "x")
        assert "<script>alert" not in answer.text
        assert "&lt;script&gt;" in answer.text

    async def test_who_is_signed_in_need_not_sign_in(self, her: httpx.AsyncClient) -> None:
        answer = await her.get("/sign-in", params={"next": "/dashboard?rows=100"})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard?rows=100")

    async def test_a_second_sign_in_ends_the_first_session_of_this_browser(self, site: Site) -> None:
        await try_sign_in(site, ANNA, PASSWORD)
        await try_sign_in(site, ANNA, PASSWORD)
        assert len(await site.rows("SELECT * FROM sessions")) == 1

    async def test_guessing_ends_in_429_and_says_when_to_return(self, site: Site) -> None:
        for _ in range(10):
            assert (await try_sign_in(site, ANNA, "wrong")).status_code == 422
        answer = await try_sign_in(site, ANNA, PASSWORD)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
        assert "Try again in 15 minutes." in answer.text

    async def test_the_right_password_forgets_the_wrong_ones(self, site: Site) -> None:
        for _ in range(2):
            for _ in range(6):
                assert (await try_sign_in(site, ANNA, "wrong")).status_code == 422
            assert (await try_sign_in(site, ANNA, PASSWORD)).status_code == 303


class TestWayBack:
    @pytest.mark.usefixtures("streamer")
    async def test_after_signing_in_one_is_where_one_wanted_to_be(self, site: Site) -> None:
        answer = await site.client.get("/dashboard?rows=100")
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/sign-in?next=/dashboard?rows%3D100"
        answer = await try_sign_in(site, ANNA, PASSWORD, next="/dashboard?rows=100")
        assert answer.headers["Location"] == "/dashboard?rows=100"

    async def test_nobody_is_led_away_from_our_site(self, her: httpx.AsyncClient) -> None:
        for address in FOREIGN:
            answer = await her.get("/sign-in", params={"next": address})
            assert answer.headers["Location"] == "/dashboard", address

    async def test_a_part_asked_for_by_a_script_leads_the_whole_page_to_sign_in(self, site: Site) -> None:
        answer = await site.client.get("/dashboard/part/feed", headers={"HX-Request": "true"})
        assert (answer.status_code, answer.text) == (200, "")
        assert answer.headers["HX-Redirect"] == "/sign-in?next=/dashboard"
        headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/dashboard/control?streamer=anna#x"}
        answer = await site.client.get("/dashboard/control/part", headers=headers)
        assert answer.headers["HX-Redirect"] == "/sign-in?next=/dashboard/control?streamer%3Danna"

    @pytest.mark.parametrize(
        ("form", "page"),
        [
            ("/dashboard/webhooks/7/test", "/dashboard/webhooks/7"),
            ("/dashboard/api/keys?streamer=anna", "/dashboard/api?streamer%3Danna"),
            ("/dashboard/pause", "/dashboard"),
            ("/account/password", "/account"),
        ],
    )
    async def test_who_was_signed_out_meanwhile_is_told_so_and_comes_back_to_the_forms_page(
        self, site: Site, form: str, page: str
    ) -> None:
        answer = await site.client.post(form, headers={"Origin": site.url})
        assert answer.headers["Location"] == f"/sign-in?next={page}&said=session-over"
        told = await site.client.get(answer.headers["Location"], headers={"Accept-Language": "en"})
        assert "what you pressed was not done" in told.text


class TestSession:
    async def test_signing_out_ends_the_session_not_only_the_cookie(self, site: Site, her: httpx.AsyncClient) -> None:
        token = her.cookies["session"]
        answer = await her.post("/sign-out")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        assert "session" not in her.cookies
        her.cookies.set("session", token)
        assert (await her.get("/dashboard")).status_code == 303
        assert await site.rows("SELECT * FROM sessions") == []

    async def test_signing_out_without_a_session_is_fine(self, site: Site) -> None:
        assert (await site.client.post("/sign-out", headers={"Origin": site.url})).status_code == 303

    async def test_a_made_up_cookie_is_nobody(self, site: Site) -> None:
        for token in ("", "x", "💥", "a" * 4000, "..", "%00"):
            answer = await site.client.get("/dashboard", headers={b"Cookie": f"session={token}".encode()})
            assert answer.status_code == 303, token

    async def test_a_session_in_use_is_prolonged(self, site: Site, her: httpx.AsyncClient) -> None:
        await site.pool.execute("UPDATE sessions SET expires_at = now() + interval '3 days'")
        answer = await her.get("/")
        assert "Max-Age=2592000" in answer.headers["Set-Cookie"]
        left: Any = await site.pool.fetchval("SELECT expires_at - now() FROM sessions")
        assert left.days >= 29

    async def test_a_closed_account_is_out_at_once(self, site: Site, her: httpx.AsyncClient) -> None:
        await site.pool.execute("UPDATE users SET is_active = false")
        assert (await her.get("/dashboard")).status_code == 303

    async def test_the_api_ignores_the_cookie(self, her: httpx.AsyncClient) -> None:
        answer = await her.get("/api/v1/nothing-here")
        assert answer.status_code == 404
        assert "Set-Cookie" not in answer.headers

    async def test_people_do_not_share_a_dashboard(self, site: Site, her: httpx.AsyncClient) -> None:
        await site.add_streamer("boris", "Борис")
        async with signed_in(site, "boris@example.org") as his:
            assert "Борис" in (await his.get("/dashboard")).text
        assert "Анна" in (await her.get("/dashboard")).text
