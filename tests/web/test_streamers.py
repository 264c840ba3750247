"""Who is found by whom: the public list, the first page, the operator's list, and who is featured."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from domain.profiles import feature
from domain.streamers import Streamer
from tests.support.site import Site
from tests.web.conftest import signed_in
from web.pages import admin_streamers, streamers

FEATURED = "/admin/streamers/featured"


@pytest.fixture
def site(kept_site: Site) -> Site:
    return kept_site


async def add_listed(site: Site, slug: str, name: str, *, terminal: bool = True) -> Streamer:
    streamer = await site.add_streamer(slug, name, terminal=terminal)
    await site.pool.execute("UPDATE streamers SET is_listed = true WHERE id = $1", streamer.id)
    return streamer


async def add_many(site: Site, count: int) -> None:
    """Listed streamers with terminals, without the time that a password takes."""
    await site.pool.execute(
        """
        WITH people AS (
            INSERT INTO users (email, password_hash) SELECT 'p' || n || '@example.org', 'none'
            FROM generate_series(1, $1) AS n RETURNING id
        ), made AS (
            INSERT INTO streamers (owner_id, slug, display_name, is_listed)
            SELECT id, 'p-' || id, 'Человек ' || id / 2, true FROM people RETURNING id
        )
        INSERT INTO terminals (streamer_id, provider, terminal_key, secret_encrypted)
        SELECT id, 'tbank', 'key-' || id, 'none' FROM made
        """,
        count,
    )


@pytest.fixture
async def boss(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """An operator's browser; she has no page of her own."""
    await site.add_streamer("boss", "Начальница")
    await site.pool.execute("UPDATE users SET is_superuser = true WHERE email = 'boss@example.org'")
    await site.pool.execute("DELETE FROM terminals; DELETE FROM streamers WHERE slug = 'boss'")
    async with signed_in(site, "boss@example.org") as client:
        yield client


def names(page: str) -> list[str]:
    return re.findall(r'<a class="person" href="/donate/([^"]+)"', page)


class TestPublicList:
    async def test_only_those_who_want_it_can_receive_money_and_are_not_blocked(self, site: Site) -> None:
        await add_listed(site, "anna", "Анна")
        await site.add_streamer("hidden", "Скрытая")
        await add_listed(site, "poor", "Без терминала", terminal=False)
        retired = await add_listed(site, "retired", "Отключила")
        await site.pool.execute("UPDATE terminals SET retired_at = now() WHERE streamer_id = $1", retired.id)
        blocked = await add_listed(site, "blocked", "Заблокирована")
        await site.pool.execute("UPDATE users SET is_active = false WHERE id = $1", blocked.owner_id)
        page = await site.client.get("/streamers")
        assert names(page.text) == ["anna"]
        # Not being listed hides nobody from those who have the address.
        assert (await site.client.get("/donate/hidden")).status_code == 200

    async def test_the_featured_come_first_in_their_order(self, site: Site) -> None:
        people = {slug: await add_listed(site, slug, slug.title()) for slug in ("anna", "boris", "vera", "galya")}
        hidden = await site.add_streamer("hidden", "Скрытая")
        async with site.pool.acquire() as connection, connection.transaction():
            for streamer in (people["vera"], hidden, people["boris"]):
                await feature(connection, streamer.id, is_featured=True)
        page = (await site.client.get("/streamers")).text
        assert names(page) == ["vera", "boris", "anna", "galya"]
        assert page.count("Рекомендуем") == 2
        home = (await site.client.get("/")).text
        assert names(home) == ["vera", "boris"]

    @pytest.mark.parametrize(
        ("search", "found"),
        [
            ("анн", ["anna", "hanna"]),
            ("АННА", ["anna", "hanna"]),
            ("  играет ", ["hanna"]),
            ("ann", ["anna", "hanna"]),
            ("%", []),
            ("_", []),
            ("\\", []),
            ("' OR 1=1 --", []),
            ("%00", []),
            ("я" * 500, []),
        ],
    )
    async def test_search(self, site: Site, search: str, found: list[str]) -> None:
        await add_listed(site, "anna", "Анна")
        await add_listed(site, "hanna", "Ханна играет")
        page = await site.client.get("/streamers", params={"search": search})
        assert page.status_code == 200
        assert names(page.text) == found
        assert ("Здесь нет никого" in page.text) == (not found)

    async def test_a_nul_in_the_search(self, site: Site) -> None:
        assert (await site.client.get("/streamers?search=%00&after=%00")).status_code == 200

    async def test_page_by_page_nobody_is_left_out_or_shown_twice(self, site: Site) -> None:
        await add_many(site, streamers.PAGE_LENGTH * 2 + 3)
        async with site.pool.acquire() as connection, connection.transaction():
            for row in await connection.fetch("SELECT id FROM streamers ORDER BY id DESC LIMIT 2"):
                await feature(connection, row["id"], is_featured=True)
        seen: list[str] = []
        address = "/streamers"
        for _ in range(3):
            page = (await site.client.get(address)).text
            seen += names(page)
            following = re.search(r'rel="next" href="([^"]+)"', page)
            address = following[1].replace("&amp;", "&") if following else ""
        assert address == ""
        assert len(seen) == len(set(seen)) == streamers.PAGE_LENGTH * 2 + 3

    async def test_after_somebody_who_is_gone_it_begins_anew(self, site: Site) -> None:
        await add_listed(site, "anna", "Анна")
        assert names((await site.client.get("/streamers?after=nobody")).text) == ["anna"]

    async def test_an_empty_list_says_what_to_do(self, site: Site) -> None:
        assert "В списке пока никого" in (await site.client.get("/streamers")).text
        assert "Уже с нами" not in (await site.client.get("/")).text


class TestFirstPage:
    async def test_it_leads_in(self, site: Site) -> None:
        page = (await site.client.get("/")).text
        assert page.count("Начать бесплатно") == 2
        assert 'href="/streamers"' in page
        assert 'href="/sign-in"' in page

    async def test_it_leads_on_who_is_in(self, her: httpx.AsyncClient) -> None:
        page = (await her.get("/")).text
        assert "Open the dashboard" in page
        assert "Begin for free" not in page

    async def test_a_wrong_address_leads_home_and_to_the_list(self, site: Site) -> None:
        page = (await site.client.get("/donate/nobody")).text
        assert 'href="/streamers"' in page
        assert 'href="/"' in page


class TestOperator:
    async def test_only_superusers(self, site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
        assert (await her.get("/admin/streamers")).status_code == 404
        assert (await her.post(FEATURED, data={"slug": "anna", "act": "add"})).status_code == 404
        assert (await site.client.get("/admin/streamers")).headers["Location"].startswith("/sign-in")
        assert (await site.client.post(FEATURED, data={"slug": "anna", "act": "add"})).status_code == 303
        assert "/admin/" not in (await her.get("/dashboard/page")).text
        assert await site.pool.fetchval("SELECT featured_place FROM streamers WHERE id = $1", streamer.id) is None

    async def test_the_list_is_what_an_operator_without_a_page_finds(self, site: Site, boss: httpx.AsyncClient) -> None:
        await site.add_streamer("anna", "Анна", terminal=False)
        for path in ("/dashboard", "/admin/streamers"):
            page = (await boss.get(path)).text
            assert '<a href="/dashboard?streamer=anna">' in page
            assert "receives no money yet" in page
            assert 'class="menu"' in page
        assert (await boss.get("/dashboard?streamer=anna")).status_code == 200

    async def test_search_knows_names_addresses_and_e_mails(self, site: Site, boss: httpx.AsyncClient) -> None:
        await site.add_streamer("anna", "Анна")
        await site.add_streamer("boris", "Борис")
        for search, is_found in (("анн", True), ("ANNA@", True), ("bor", False), ("%", False)):
            page = (await boss.get("/admin/streamers", params={"search": search})).text
            assert ("streamer=anna" in page) == is_found, search

    async def test_page_by_page(self, site: Site, boss: httpx.AsyncClient) -> None:
        await add_many(site, admin_streamers.PAGE_LENGTH + 2)
        first = (await boss.get("/admin/streamers")).text
        following = re.search(r'rel="next" href="([^"]+)"', first)
        assert following is not None
        second = (await boss.get(following[1])).text
        seen = [re.findall(r"/dashboard\?streamer=([\w-]+)", page) for page in (first, second)]
        assert [len(slugs) for slugs in seen] == [admin_streamers.PAGE_LENGTH, 2]
        assert set(seen[0]).isdisjoint(seen[1])

    async def test_featuring(self, site: Site, boss: httpx.AsyncClient) -> None:
        for slug, name in (("anna", "Анна"), ("boris", "Борис")):
            await add_listed(site, slug, name)

        async def act(slug: str, what: str) -> int:
            return (await boss.post(FEATURED, data={"slug": slug, "act": what})).status_code

        for slug in ("boris", "anna", "anna"):
            assert await act(slug, "add") == 303
        assert names((await site.client.get("/")).text) == ["boris", "anna"]
        await act("anna", "up")
        assert names((await site.client.get("/")).text) == ["anna", "boris"]
        await act("anna", "remove")
        assert names((await site.client.get("/")).text) == ["boris"]
        assert await act("nobody", "add") == 404
        assert await act("anna", "burn") == 422
        kept = await boss.post(f"{FEATURED}?search=ан", data={"slug": "anna", "act": "add"})
        assert kept.headers["Location"] == "/admin/streamers?search=%D0%B0%D0%BD"
