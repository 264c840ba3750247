"""Signing in with another site's account, and linking one: with the simulator's page, or with a stranger's answer."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from domain.one_time_links import LinkPurpose, make_link
from domain.users import create_user
from infra.settings import IdentityClient
from tests.simulator.support import Clock, Simulator, running_simulator
from tests.support.site import Site, open_site
from tests.web.conftest import PASSWORD, signed_in
from tests.web.post import open_post
from web.registering import CONSENT_VERSION

ANYA = {"id": "1000001", "login": "anya", "name": "Аня Иванова", "email": "anya@example.com"}
NAMES = ("yandex", "vk", "twitch", "youtube")


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[Simulator]:
    async with running_simulator(tmp_path / "simulator.sqlite3", Clock()) as running:
        yield running


def settings_for(simulator: Simulator, *names: str) -> dict[str, Any]:
    return {
        "identity_clients": {name: IdentityClient(client_id=f"shop-{name}") for name in names},
        "identity_urls": {name: f"{simulator.url}/identity/{name}" for name in names},
    }


@pytest.fixture
async def site(fresh_database_url: str, redis_url: str, simulator: Simulator) -> AsyncIterator[Site]:
    async with open_site(fresh_database_url, redis_url, **settings_for(simulator, *NAMES)) as site:
        yield site


@asynccontextmanager
async def browser(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Origin": site.url, "Accept-Language": "en"}
    async with httpx.AsyncClient(base_url=site.url, headers=headers, timeout=30) as client:
        yield client


async def leave(client: httpx.AsyncClient, name: str, next_path: str = "") -> str:
    """Press the button; the other site's address."""
    answer = await client.get(f"/sign-in/with/{name}", params={"next": next_path} if next_path else None)
    assert answer.status_code == 303
    return answer.headers["Location"]


async def allow(address: str, /, **person: str) -> str:
    """Say there who one is; the address one is sent back to, on our site."""
    asked = dict(parse_qsl(urlsplit(address).query))
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.post(address.partition("?")[0], data={**asked, **ANYA, **person})
    assert answer.status_code == 303, answer.text
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


async def go(client: httpx.AsyncClient, site_name: str, **person: str) -> httpx.Response:
    return await client.get(await allow(await leave(client, site_name), **person))


async def set_out(client: httpx.AsyncClient, name: str, password: str = PASSWORD) -> str:
    """Link that site's account, on one's own page; the other site's address."""
    answer = await client.post("/account/identities/link", data={"provider": name, f"{name}_password": password})
    assert answer.status_code == 200, answer.headers
    found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]+)">', answer.text)
    assert found is not None
    assert f'href="{found[1]}"' in answer.text
    return html.unescape(found[1])


async def link(client: httpx.AsyncClient, site_name: str, /, **person: str) -> httpx.Response:
    return await client.get(await allow(await set_out(client, site_name), **person))


async def agree(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post("/sign-in/new", data={"consent": CONSENT_VERSION})


async def who(client: httpx.AsyncClient) -> str:
    """Whose browser it is, by the account's page."""
    answer = await client.get("/account")
    return "nobody" if answer.status_code == 303 else answer.text


@pytest.mark.parametrize("name", ["yandex", "vk"])
async def test_somebody_new_agrees_and_has_an_account(site: Site, name: str) -> None:
    async with browser(site) as client:
        assert "or with" in (await client.get("/sign-in")).text
        answer = await go(client, name)
        assert answer.headers["Location"] == "/sign-in/new"
        page = (await client.get("/sign-in/new")).text
        assert "anya@example.com" in page
        refused = await client.post("/sign-in/new", data={})
        assert refused.status_code == 422
        assert "Without this consent" in refused.text
        assert await site.rows("SELECT id FROM users") == []
        assert (await agree(client)).status_code == 303
        assert "anya@example.com" in await who(client)
    [user] = await site.rows("SELECT * FROM users")
    assert (user["email"], user["is_superuser"], user["consent_version"]) == (
        "anya@example.com",
        False,
        CONSENT_VERSION,
    )
    assert user["email_confirmed_at"] is not None
    # Another day, another browser: no question.
    async with browser(site) as client:
        assert (await go(client, name)).headers["Location"] != "/sign-in/new"
        assert "anya@example.com" in await who(client)
    assert len(await site.rows("SELECT id FROM users")) == 1


async def test_an_account_without_a_password_has_none_that_fits(site: Site) -> None:
    async with browser(site) as client:
        await go(client, "yandex")
        await agree(client)
        assert "has no password" in await who(client)
    async with browser(site) as client:
        for password in (" ", "x", "none", "no account has this password"):
            answer = await client.post("/sign-in", data={"email": "anya@example.com", "password": password})
            assert answer.status_code == 422


async def test_an_address_that_has_an_account_opens_nothing(site: Site) -> None:
    await add_anya(site)
    async with browser(site) as client:
        await go(client, "yandex", email="ANYA@example.com")
        answer = await agree(client)
        assert answer.headers["Location"] == "/sign-in?said=identity-email-taken"
        assert "already" in (await client.get(answer.headers["Location"])).text
        assert await who(client) == "nobody"
    assert await site.rows("SELECT id FROM identities") == []


async def add_anya(site: Site) -> None:
    async with site.pool.acquire() as connection:
        await create_user(connection, "anya@example.com", PASSWORD)


class TestLinking:
    async def test_every_site_is_linked_and_unlinked(self, site: Site) -> None:
        await add_anya(site)
        async with signed_in(site, "anya@example.com") as her:
            for name in NAMES:
                answer = await link(her, name)
                assert answer.headers["Location"] == "/account?said=identity-linked"
            assert (await who(her)).count("Unlink") == 4
            for name in NAMES:
                answer = await her.post("/account/identities/unlink", data={"provider": name})
                assert answer.headers["Location"] == "/account?said=identity-unlinked"
            again = await her.post("/account/identities/unlink", data={"provider": "vk"})
            assert again.headers["Location"] == "/account?said=too-late"

    async def test_a_linked_account_signs_in_and_twitch_does_not(self, site: Site) -> None:
        await add_anya(site)
        async with signed_in(site, "anya@example.com") as her:
            await link(her, "vk")
            await link(her, "twitch")
        async with browser(site) as client:
            assert (await client.get("/sign-in/with/twitch")).headers["Location"] == "/sign-in?next=/account"
            assert "Twitch" not in (await client.get("/sign-in")).text
            await go(client, "vk", email="another@example.com")
            assert "anya@example.com" in await who(client)

    async def test_nobody_links_what_is_anothers(self, site: Site) -> None:
        await add_anya(site)
        async with site.pool.acquire() as connection:
            await create_user(connection, "boris@example.org", PASSWORD)
        async with signed_in(site, "anya@example.com") as her:
            await link(her, "vk")
        async with signed_in(site, "boris@example.org") as him:
            answer = await link(him, "vk")
            assert answer.headers["Location"] == "/account?said=identity-taken"
        assert len(await site.rows("SELECT id FROM identities")) == 1

    async def test_the_only_way_in_stays(self, site: Site) -> None:
        async with browser(site) as client:
            await go(client, "vk")
            await agree(client)
            await link(client, "twitch")
            answer = await client.post("/account/identities/unlink", data={"provider": "vk"})
            assert answer.headers["Location"] == "/account?said=identity-only-way-in"
            assert "it is your only way in" in (await client.get(answer.headers["Location"])).text
            await link(client, "yandex")
            answer = await client.post("/account/identities/unlink", data={"provider": "vk"})
            assert answer.headers["Location"] == "/account?said=identity-unlinked"


class TestAnOpenBrowser:
    """What somebody may do who finds it open for a minute."""

    async def test_links_nothing_without_the_password(self, site: Site) -> None:
        await add_anya(site)
        async with signed_in(site, "anya@example.com") as hers:
            hers.headers["Accept-Language"] = "en"
            assert (await hers.get("/sign-in/with/vk")).headers["Location"] == "/account"
            for password in ("", "guess", PASSWORD + "x"):
                answer = await hers.post("/account/identities/link", data={"provider": "vk", "vk_password": password})
                assert answer.status_code == 422
                assert 'aria-invalid="true"' in answer.text
                assert "journey" not in answer.headers.get("Set-Cookie", "")
            nowhere = await hers.post("/account/identities/link", data={"provider": "ok", "ok_password": PASSWORD})
            assert nowhere.status_code == 404
        assert await site.rows("SELECT id FROM identities") == []

    async def test_who_has_no_password_has_just_signed_in(self, site: Site) -> None:
        async with browser(site) as client:
            await go(client, "vk")
            await agree(client)
            await site.pool.execute("UPDATE sessions SET created_at = now() - interval '16 minutes'")
            answer = await client.post("/account/identities/link", data={"provider": "yandex"})
            assert answer.headers["Location"] == "/account?said=identity-sign-in-anew"
            assert "sign out and in again" in (await client.get(answer.headers["Location"])).text
            await site.pool.execute("UPDATE sessions SET created_at = now() - interval '14 minutes'")
            assert (await link(client, "yandex")).headers["Location"] == "/account?said=identity-linked"

    async def test_it_ends_with_a_new_password_set_by_a_link(self, site: Site) -> None:
        await add_anya(site)
        async with signed_in(site, "anya@example.com") as stolen, browser(site) as hers:
            await link(stolen, "vk")
            await link(stolen, "twitch")
            async with site.pool.acquire() as connection:
                user_id = await connection.fetchval("SELECT id FROM users")
                token = await make_link(connection, LinkPurpose.PASSWORD, hours=1, user_id=user_id)
            await hers.get(f"/link/{token}")
            answer = await hers.post("/new-password", data={"password": "another horse battery"})
            assert "said=password-reset" in answer.headers["Location"]
            assert await who(stolen) == "nobody"
            assert (await go(stolen, "vk")).headers["Location"] == "/sign-in/new"
        assert await site.rows("SELECT id FROM identities") == []


async def test_a_letter_says_what_was_linked(fresh_database_url: str, redis_url: str, simulator: Simulator) -> None:
    async with open_post(fresh_database_url, redis_url, **settings_for(simulator, *NAMES)) as post:
        await add_anya(post.site)
        await post.site.pool.execute("UPDATE users SET locale = 'en'")
        async with signed_in(post.site, "anya@example.com") as her:
            await link(her, "yandex", name="See http://evil.example")
            [letter] = await post.letters_to("anya@example.com")
            assert letter.subject.startswith("Яндекс ID can now sign in")
            assert "/forgot" in letter.text
            assert "evil" not in letter.text
            # What signs nobody in needs no letter; what was not linked neither.
            await link(her, "twitch")
            await link(her, "yandex", id="2")
            assert len(await post.letters_to("anya@example.com")) == 1
            await post.site.pool.execute("UPDATE users SET locale = 'ru'")
            await link(her, "vk")
            assert "привязан вход через VK ID" in (await post.letters_to("anya@example.com"))[0].subject


class TestWrongWays:
    async def test_an_answer_that_another_browser_asked_for(self, site: Site) -> None:
        async with browser(site) as his, browser(site) as hers:
            address = await allow(await leave(his, "vk"))
            assert (await hers.get(address)).headers["Location"] == "/sign-in?said=identity-lost"
            # Her own journey does not fit his answer either.
            await leave(hers, "vk")
            assert (await hers.get(address)).headers["Location"] == "/sign-in?said=identity-lost"
            assert await who(hers) == "nobody"

    async def test_an_answer_twice(self, site: Site) -> None:
        async with browser(site) as client:
            address = await allow(await leave(client, "vk"))
            assert (await client.get(address)).headers["Location"] == "/sign-in/new"
            assert (await client.get(address)).headers["Location"] == "/sign-in?said=identity-lost"

    async def test_another_sites_answer(self, site: Site) -> None:
        async with browser(site) as client:
            address = await allow(await leave(client, "vk"))
            answer = await client.get(address.replace("/vk/", "/yandex/"))
            assert answer.headers["Location"] == "/sign-in?said=identity-lost"

    async def test_who_signed_in_meanwhile_is_linked_to_nothing(self, site: Site) -> None:
        await add_anya(site)
        async with browser(site) as client:
            address = await allow(await leave(client, "vk"))
            await client.post("/sign-in", data={"email": "anya@example.com", "password": PASSWORD})
            assert (await client.get(address)).headers["Location"] == "/account?said=identity-lost"
        assert await site.rows("SELECT id FROM identities") == []

    @pytest.mark.parametrize("press", [{"refuse": "yes"}, {}])
    async def test_refused_or_without_a_code(self, site: Site, press: dict[str, str]) -> None:
        async with browser(site) as client:
            address = await allow(await leave(client, "vk"), **press)
            said = "identity-refused" if press else "identity-away"
            answer = await client.get(address if press else address.replace("code=", "cod="))
            assert answer.headers["Location"] == f"/sign-in?said={said}"
            assert 'role="alert"' in (await client.get(answer.headers["Location"])).text

    async def test_a_code_it_never_gave(self, site: Site) -> None:
        async with browser(site) as client:
            address = await allow(await leave(client, "yandex"))
            answer = await client.get(address.replace("code=", "code=x"))
            assert answer.headers["Location"] == "/sign-in?said=identity-refused"

    @pytest.mark.parametrize("email", ["", "no address", "a@b"])
    async def test_no_address_no_account(self, site: Site, email: str) -> None:
        async with browser(site) as client:
            answer = await go(client, "vk", email=email)
            expected = "/sign-in/new" if email == "a@b" else "/sign-in?said=identity-no-email"
            assert answer.headers["Location"] == expected

    async def test_a_blocked_user_stays_out(self, site: Site) -> None:
        async with browser(site) as client:
            await go(client, "vk")
            await agree(client)
        await site.pool.execute("UPDATE users SET is_active = false")
        async with browser(site) as client:
            assert (await go(client, "vk")).headers["Location"] == "/sign-in?said=identity-unknown"

    async def test_the_form_without_the_journey(self, site: Site) -> None:
        async with browser(site) as client:
            assert (await client.get("/sign-in/new")).headers["Location"] == "/sign-in"
            assert (await agree(client)).headers["Location"] == "/sign-in?said=identity-lost"

    async def test_a_name_is_text(self, site: Site) -> None:
        async with browser(site) as client:
            await go(client, "vk", name="<script>alert(1)</script>")
            assert "<script>alert" not in (await client.get("/sign-in/new")).text

    async def test_nobody_leads_away_through_us(self, site: Site) -> None:
        await add_anya(site)
        async with signed_in(site, "anya@example.com") as her:
            await link(her, "vk")
        async with browser(site) as client:
            answer = await client.get(await allow(await leave(client, "vk", "//evil.example/x")))
            assert answer.headers["Location"].startswith("/")
            assert "evil" not in answer.headers["Location"]


async def test_what_is_off_is_not_there(fresh_database_url: str, redis_url: str, simulator: Simulator) -> None:
    async with open_site(fresh_database_url, redis_url, **settings_for(simulator, "yandex")) as site:
        for name in ("vk", "twitch", "nobody"):
            assert (await site.client.get(f"/sign-in/with/{name}")).status_code == 404
            assert (await site.client.get(f"/sign-in/with/{name}/back?code=1&state=2")).status_code == 404
        page = (await site.client.get("/sign-in")).text
        assert "Яндекс ID" in page
        assert "VK ID" not in page


async def test_by_invitation_only(fresh_database_url: str, redis_url: str, simulator: Simulator) -> None:
    more = {**settings_for(simulator, "vk"), "registration": "invite"}
    async with open_site(fresh_database_url, redis_url, **more) as site:
        await add_anya(site)
        async with browser(site) as client:
            assert (await go(client, "vk")).headers["Location"] == "/sign-in?said=identity-unknown"
