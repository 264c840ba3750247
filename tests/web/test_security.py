"""What every answer carries, where a request may come from, and whose address counts."""

import httpx
import pytest
from pydantic import SecretStr
from quart import Quart

from infra.settings import Settings
from tests.support.site import Site
from web.app import create_app
from web.security import client_address

FETCH_SITE = "Sec-Fetch-Site"

WITH_SESSION: list[tuple[dict[str, str], bool]] = [
    ({"Origin": "{own}"}, True),
    ({"Origin": "null", FETCH_SITE: "same-origin"}, True),
    ({FETCH_SITE: "same-origin"}, True),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "https://evil.example", FETCH_SITE: "same-origin"}, False),
    ({"Origin": "null"}, False),
    ({"Origin": "null", FETCH_SITE: "cross-site"}, False),
    ({FETCH_SITE: "same-site"}, False),
    ({FETCH_SITE: "none"}, False),
    ({}, False),
    ({"Origin": "{own}.evil.example"}, False),
    ({"Origin": ""}, False),
]

WITHOUT_SESSION: list[tuple[dict[str, str], int]] = [
    ({}, 422),
    ({"Origin": "null"}, 422),
    ({FETCH_SITE: "cross-site"}, 403),
    ({"Origin": "http://evil.example"}, 403),
]


def policy(answer: httpx.Response) -> dict[str, list[str]]:
    parts = [part.split() for part in answer.headers["Content-Security-Policy"].split("; ")]
    return {name: sources for name, *sources in parts}


class TestHeaders:
    async def test_every_answer_is_guarded(self, site: Site) -> None:
        for path in ("/", "/sign-in", "/nowhere", "/health", "/static/css/app.css", "/dashboard", "/api/x"):
            answer = await site.client.get(path)
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "camera=()" in answer.headers["Permissions-Policy"]
            assert policy(answer)["default-src"] == ["'none'"]
            assert policy(answer)["script-src"] == ["'self'"]
            assert policy(answer)["style-src"] == ["'self'"]
            assert policy(answer)["frame-ancestors"] == ["'none'"]

    async def test_only_pages_that_need_realtime_may_reach_it(self, site: Site, her: httpx.AsyncClient) -> None:
        socket = site.settings.realtime_url.replace("http", "ws", 1)
        assert policy(await her.get("/"))["connect-src"] == ["'self'"]
        for path in ("/dashboard", "/overlay"):
            answer = await her.get(path)
            assert policy(answer)["connect-src"] == ["'self'", site.settings.realtime_url, socket]
            assert answer.headers["Cache-Control"] == "no-store"

    async def test_pages_hold_no_inline_script_or_style(self, her: httpx.AsyncClient) -> None:
        for path in ("/", "/sign-in", "/dashboard", "/overlay", "/nowhere"):
            page = (await her.get(path)).text
            assert "style=" not in page
            assert "<style" not in page
            assert " on" + "click=" not in page
            assert all("src=" in tag for tag in page.split("<script")[1:])


async def test_the_other_language_is_of_this_site(site: Site) -> None:
    """Whatever address somebody was led to, also one that a browser reads as another site's."""
    for path in ("/%5Cevil.example", "//evil.example/x", "/nowhere"):
        answer = await site.client.get(path, headers={"Accept-Language": "en"})
        assert answer.status_code == 404
        assert 'href="?lang=ru"' in answer.text
        assert "evil" not in answer.text


async def test_a_number_too_large_is_nobodys(her: httpx.AsyncClient) -> None:
    for path in ("buttons/{}/revoke", "blocks/{}/remove", "moderation/words/{}/remove"):
        assert (await her.post(f"/dashboard/{path.format(2**31)}")).status_code == 404, path


class TestOrigin:
    """The session's browser must show that our own page sent the request (DESIGN 17)."""

    async def test_with_a_session(self, site: Site, her: httpx.AsyncClient) -> None:
        async with httpx.AsyncClient(base_url=site.url, cookies=dict(her.cookies)) as client:
            for headers, allowed in WITH_SESSION:
                sent = {name: value.replace("{own}", site.url) for name, value in headers.items()}
                wanted = await client.post("/dashboard/pause", data={"paused": "yes"}, headers=sent)
                assert wanted.status_code == (303 if allowed else 403), headers
                was_paused = await site.pool.fetchval("DELETE FROM speakers RETURNING paused_at IS NOT NULL")
                assert bool(was_paused) == allowed, headers

    async def test_without_a_session_only_what_admits_to_be_foreign_is_refused(self, site: Site) -> None:
        for headers, status in WITHOUT_SESSION:
            assert (await site.client.post("/sign-in", data={}, headers=headers)).status_code == status, headers

    async def test_the_name_the_browser_used_counts_as_ours(self, site: Site, her: httpx.AsyncClient) -> None:
        port = site.settings.web_port
        headers = {"Host": f"localhost:{port}", "Origin": f"http://localhost:{port}"}
        assert (await her.post("/dashboard/pause", data={"paused": "yes"}, headers=headers)).status_code == 303


def make_settings(**changed: str) -> Settings:
    values = {
        "environment": "development",
        "database_url": "postgres://nobody@127.0.0.1:1/none",
        "redis_url": "redis://127.0.0.1:1",
        "secret_keys": SecretStr("MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA="),
        "web_url": "http://127.0.0.1",
        "realtime_url": "http://127.0.0.1",
    }
    return Settings.model_validate(values | changed)


async def address_seen(app: Quart, peer: str, **headers: str) -> str:
    async with app.test_app():
        scope = {"client": (peer, 12345)}
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with app.test_request_context("/", headers=sent, scope_base=scope):
            return client_address()


class TestClientAddress:
    @pytest.mark.parametrize(
        ("peer", "forwarded", "address"),
        [
            ("203.0.113.5", "198.51.100.1", "203.0.113.5"),  # A stranger's word is no proof.
            ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
            ("10.1.2.3", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
            ("10.1.2.3", "198.51.100.1, 10.9.9.9", "198.51.100.1"),
            ("10.1.2.3", "2001:db8::7", "2001:db8::7"),
            ("10.1.2.3", "", "10.1.2.3"),
            ("10.1.2.3", "garbage", "10.1.2.3"),
            ("10.1.2.3", "198.51.100.1, garbage", "10.1.2.3"),
            ("fd00::1", "198.51.100.1", "198.51.100.1"),
            ("", "198.51.100.1", ""),
        ],
    )
    async def test_only_our_own_proxy_is_believed(self, peer: str, forwarded: str, address: str) -> None:
        app = create_app(make_settings(trusted_proxies="10.0.0.0/8, fd00::/8"))
        assert await address_seen(app, peer, X_Forwarded_For=forwarded) == address

    async def test_without_a_proxy_the_header_means_nothing(self) -> None:
        assert await address_seen(create_app(make_settings()), "127.0.0.1", X_Forwarded_For="1.1.1.1") == "127.0.0.1"


class TestTls:
    async def test_over_tls_the_cookie_is_bound_to_the_host(self, site: Site) -> None:
        await site.add_streamer()
        settings = site.settings.model_copy(update={"web_url": "https://streamcash.example"})
        app = create_app(settings)
        async with app.test_app():
            answer = await app.test_client().post(
                "/sign-in",
                form={"email": "anna@example.org", "password": "correct horse battery"},
                headers={"Origin": "https://streamcash.example"},
            )
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-session=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
