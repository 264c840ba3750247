"""Streamers' pages of API v1: what everybody sees, and what only their owner."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from domain import operators
from domain.media import Picture, set_picture
from domain.news import Source
from domain.payment_status import NewsStatus
from domain.profiles import feature, list_public
from domain.streamers import Streamer, change_slug
from tests.api.conftest import calling, jwt_of
from tests.api.fits import call
from tests.builders import BuiltStreamer, hear, open_donation
from tests.support.site import Site, open_site
from tests.web.post import Post

LIST = ("GET", "/streamers/")
FEATURED = ("GET", "/streamers/featured")
MAKE = ("POST", "/streamers/")
MINE = ("GET", "/streamers/me")
CHANGE = ("PUT", "/streamers/me")
SHOW = ("GET", "/streamers/{streamer_id}")
BY_URL = ("GET", "/streamers/url/{donation_url}")
SETTINGS = {"widget_settings": '{"size": 1}', "alert_settings": "[]", "payment_settings": "пароль терминала"}
NO_SETTINGS = dict.fromkeys(SETTINGS)


def settings_of(card: dict[str, Any]) -> dict[str, Any]:
    return {name: card[name] for name in SETTINGS}


@pytest.fixture
async def site(post: Post) -> Site:
    return post.site


@pytest.fixture
async def hers(site: Site, streamer: Streamer) -> AsyncIterator[httpx.AsyncClient]:
    """Anna's program; her page takes money and is not listed."""
    async with calling(site, await jwt_of(site, streamer.owner_id)) as client:
        yield client


async def let_be_found(site: Site, *streamers: Streamer) -> None:
    ids = [streamer.id for streamer in streamers]
    await site.pool.execute("UPDATE streamers SET is_listed = true WHERE id = ANY($1)", ids)


class TestMakingAPage:
    @pytest.fixture
    async def owner_id(self, site: Site, streamer: Streamer) -> int:
        """Somebody who has an account and no page."""
        found: int = await site.pool.fetchval(
            "INSERT INTO users (email, password_hash) VALUES ('new@example.org', '') RETURNING id"
        )
        assert found != streamer.owner_id
        return found

    @pytest.fixture
    async def newcomers(self, site: Site, owner_id: int) -> AsyncIterator[httpx.AsyncClient]:
        async with calling(site, await jwt_of(site, owner_id)) as client:
            yield client

    async def test_with_what_the_contract_takes_for_granted(
        self, site: Site, newcomers: httpx.AsyncClient, owner_id: int
    ) -> None:
        await call(newcomers, *MINE, 404)
        body = {"display_name": "Кот Учёный", "user_id": owner_id, "donation_url": "anna"}
        made = await call(newcomers, *MAKE, 200, json=body)
        assert re.fullmatch(r"kot-uchenyy-[0-9a-f]{6}", made["donation_url"])
        assert (made["min_donation_amount"], made["max_donation_amount"]) == (10, 10_000)
        assert (made["donation_goal"], made["current_donations"]) == (0, 0)
        assert (made["is_verified"], made["is_featured"], made["updated_at"]) == (False, False, None)
        assert made["user_id"] == owner_id
        assert await call(newcomers, *MINE, 200) == made
        page = await site.client.get(f"/donate/{made['donation_url']}")
        assert "Кот Учёный" in page.text
        tokens = "SELECT count(*) FROM overlay_tokens WHERE streamer_id = $1"
        assert await site.pool.fetchval(tokens, made["id"]) == 1

    async def test_with_all_of_it(self, newcomers: httpx.AsyncClient, owner_id: int) -> None:
        body = {
            "display_name": "Кот",
            "user_id": owner_id,
            "stream_title": "Играем",
            "stream_description": "Раз\nдва",
            "donation_goal": 1000.5,
            "min_donation_amount": 50,
            "max_donation_amount": 500,
        }
        made = await call(newcomers, *MAKE, 200, json=body)
        assert {name: made[name] for name in body} == body

    @pytest.mark.parametrize("name", ["猫", "💥💥", "-", "x" * 60, "Admin", "ёёё"])
    async def test_any_name_gets_an_address(self, newcomers: httpx.AsyncClient, owner_id: int, name: str) -> None:
        made = await call(newcomers, *MAKE, 200, json={"display_name": name, "user_id": owner_id})
        assert made["display_name"] == name
        assert len(made["donation_url"]) <= 40
        await call(newcomers, *BY_URL, 200, donation_url=made["donation_url"])

    async def test_for_oneself_alone(self, newcomers: httpx.AsyncClient, streamer: Streamer) -> None:
        for user_id in (streamer.owner_id, 1_000_000):
            await call(newcomers, *MAKE, 403, json={"display_name": "Кот", "user_id": user_id})
        for wrong in (2**31, 0, -1, "x"):
            await call(newcomers, *MAKE, 422, json={"display_name": "Кот", "user_id": wrong})

    async def test_once(self, newcomers: httpx.AsyncClient, owner_id: int) -> None:
        body = {"display_name": "Кот", "user_id": owner_id}
        answers = await asyncio.gather(*(newcomers.post("/streamers/", json=body) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [200, 400, 400]
        assert (await call(newcomers, *MAKE, 400, json=body))["detail"] == "Streamer profile already exists"

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"display_name": ""}, "display_name"),
            ({"display_name": " \t"}, "display_name"),
            ({"display_name": "x" * 61}, "display_name"),
            ({"display_name": "a\0b"}, "display_name"),
            ({"display_name": "a\u202eb"}, "display_name"),
            ({"display_name": None}, "display_name"),
            ({"donation_goal": -1}, "donation_goal"),
            ({"donation_goal": 10**12}, "donation_goal"),
            ({"min_donation_amount": 10.005}, "min_donation_amount"),
            ({"min_donation_amount": 9.99}, "min_donation_amount"),
            ({"min_donation_amount": 20_000}, "max_donation_amount"),
            ({"max_donation_amount": 1_000_000.01}, "max_donation_amount"),
            ({"max_donation_amount": True}, "max_donation_amount"),
            ({"stream_title": "x" * 201}, "stream_title"),
            ({"stream_description": "x" * 501}, "stream_description"),
            ({"stream_description": "a\0b"}, "stream_description"),
        ],
    )
    async def test_what_is_not_right(
        self, site: Site, newcomers: httpx.AsyncClient, owner_id: int, changes: dict[str, Any], field: str
    ) -> None:
        body = {"display_name": "Кот", "user_id": owner_id, **changes}
        refused = await call(newcomers, *MAKE, 422, json=body)
        assert refused["detail"][0]["loc"] == ["body", field]
        assert await site.rows("SELECT id FROM streamers WHERE owner_id = $1", owner_id) == []

    async def test_by_nobody(self, site: Site, owner_id: int) -> None:
        async with calling(site, None) as nobody:
            await call(nobody, *MAKE, 403, json={"display_name": "Кот", "user_id": owner_id})
            await call(nobody, *MINE, 403)
            await call(nobody, *CHANGE, 403, json={})


class TestOnesOwnPage:
    async def test_what_is_sent_changes_and_the_rest_stays(self, site: Site, hers: httpx.AsyncClient) -> None:
        before = await call(hers, *MINE, 200)
        changes = {"stream_title": "Играем", "stream_description": "О нас", "display_name": "Аня", **SETTINGS}
        changed = await call(hers, *CHANGE, 200, json=changes)
        assert changed["updated_at"] is not None
        assert changed == {**before, **changes, "updated_at": changed["updated_at"]}
        assert await call(hers, *MINE, 200) == changed
        page = await site.client.get("/donate/anna")
        assert "О нас" in page.text
        assert "Аня" in page.text

    async def test_nothing_sent_changes_nothing(self, hers: httpx.AsyncClient) -> None:
        before = await call(hers, *MINE, 200)
        changed = await call(hers, *CHANGE, 200, json={})
        assert {**changed, "updated_at": None} == before

    async def test_null_takes_a_text_away_and_no_amount(self, hers: httpx.AsyncClient) -> None:
        await call(hers, *CHANGE, 200, json={"stream_title": "x", "donation_goal": 5, **SETTINGS})
        nothing = dict.fromkeys(("display_name", "stream_title", "donation_goal", "min_donation_amount", *SETTINGS))
        changed = await call(hers, *CHANGE, 200, json=nothing)
        assert (changed["display_name"], changed["stream_title"], changed["donation_goal"]) == ("Анна", None, 5)
        assert settings_of(changed) == NO_SETTINGS
        assert changed["min_donation_amount"] == 10

    async def test_what_nobody_can_set(self, hers: httpx.AsyncClient, streamer: Streamer) -> None:
        wanted = {"is_verified": False, "is_featured": True, "user_id": 1, "id": 10**6, "donation_url": "x"}
        changed = await call(hers, *CHANGE, 200, json={**wanted, "current_donations": 10**6, "is_listed": True})
        assert (changed["is_verified"], changed["is_featured"], changed["donation_url"]) == (True, False, "anna")
        assert (changed["id"], changed["user_id"], changed["current_donations"]) == (streamer.id, streamer.owner_id, 0)
        assert await call(hers, *LIST, 200) == []

    async def test_limits_take_ready_amounts_along(self, site: Site, hers: httpx.AsyncClient) -> None:
        await call(hers, *CHANGE, 200, json={"min_donation_amount": 200.5, "max_donation_amount": 600})
        rows = "SELECT min_amount_minor, max_amount_minor, preset_amounts_minor FROM streamers"
        assert await site.rows(rows) == [
            {"min_amount_minor": 20_050, "max_amount_minor": 60_000, "preset_amounts_minor": [30_000, 50_000]}
        ]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"min_donation_amount": 5}, "min_donation_amount"),
            ({"min_donation_amount": 10**6, "max_donation_amount": 10}, "max_donation_amount"),
            ({"min_donation_amount": "1e400"}, "min_donation_amount"),
            ({"max_donation_amount": 10**9}, "max_donation_amount"),
            ({"widget_settings": "x" * 20_001}, "widget_settings"),
            ({"alert_settings": {"a": 1}}, "alert_settings"),
            ({"payment_settings": "a\0b"}, "payment_settings"),
            ({"display_name": ""}, "display_name"),
        ],
    )
    async def test_what_is_not_right(self, hers: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
        refused = await call(hers, *CHANGE, 422, json=body)
        assert refused["detail"][0]["loc"] == ["body", field]

    async def test_two_changes_at_once_are_both_kept(self, hers: httpx.AsyncClient) -> None:
        bodies: list[dict[str, str]] = [{"stream_title": "a"}, {"widget_settings": "b"}, {"stream_description": "c"}]
        answers = await asyncio.gather(*(hers.put("/streamers/me", json=body) for body in bodies))
        assert [answer.status_code for answer in answers] == [200] * 3
        mine = await call(hers, *MINE, 200)
        assert (mine["stream_title"], mine["widget_settings"], mine["stream_description"]) == ("a", "b", "c")

    async def test_settings_of_payments_lie_encrypted(self, site: Site, hers: httpx.AsyncClient) -> None:
        await call(hers, *CHANGE, 200, json=SETTINGS)
        assert SETTINGS["payment_settings"] not in str(await site.rows("SELECT * FROM streamer_extras"))


class TestWhatEverybodySees:
    async def test_a_page_without_its_settings(
        self, site: Site, hers: httpx.AsyncClient, strangers: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        await call(hers, *CHANGE, 200, json=SETTINGS)
        await hers.put("/users/me", json={"username": "anna", "full_name": "Анна", "avatar_url": "/media/a.png"})
        await let_be_found(site, streamer)
        async with calling(site, None) as nobody:
            for one in (nobody, strangers):
                by_id = await call(one, *SHOW, 200, streamer_id=streamer.id)
                by_url = await call(one, *BY_URL, 200, donation_url="anna")
                (listed,) = await call(one, *LIST, 200)
                assert by_id == by_url == listed
                assert settings_of(by_id) == NO_SETTINGS
                assert (by_id["username"], by_id["full_name"], by_id["avatar_url"]) == ("anna", "Анна", "/media/a.png")
                assert "email" not in by_id
        for operation, path in ((SHOW, {"streamer_id": streamer.id}), (BY_URL, {"donation_url": "anna"})):
            assert settings_of(await call(hers, *operation, 200, **path)) == SETTINGS

    async def test_the_pages_picture_where_she_gave_none(self, site: Site, streamer: Streamer) -> None:
        async with site.pool.acquire() as connection, connection.transaction():
            await set_picture(connection, streamer.id, Picture.AVATAR, b"RIFF....WEBP")
        async with calling(site, None) as nobody:
            seen = await call(nobody, *SHOW, 200, streamer_id=streamer.id)
            assert re.fullmatch(re.escape(site.url) + r"/media/[0-9a-f]{64}\.webp", seen["avatar_url"])
            assert (await nobody.get(seen["avatar_url"])).status_code == 200
        await site.pool.execute("UPDATE streamers SET avatar_id = NULL")
        await site.pool.execute("DELETE FROM media")

    async def test_pages_that_are_not_there(self, site: Site) -> None:
        async with calling(site, None) as nobody:
            for streamer_id in (0, 1_000_000, 2**31, 10**30):
                assert (await call(nobody, *SHOW, 404, streamer_id=streamer_id))["detail"] == "Streamer not found"
            for url in ("no-such-page", "ANNA", "x" * 300, "a%00b", "%F0%9F%92%A5", "a b"):
                await call(nobody, *BY_URL, 404, donation_url=url)

    async def test_a_page_by_the_address_it_had(self, site: Site, streamer: Streamer) -> None:
        async with site.pool.acquire() as connection, connection.transaction():
            await change_slug(connection, streamer, "anna-live")
        async with calling(site, None) as nobody:
            assert (await call(nobody, *BY_URL, 200, donation_url="anna"))["donation_url"] == "anna-live"

    async def test_a_page_of_who_is_blocked(self, site: Site, streamer: Streamer) -> None:
        await let_be_found(site, streamer)
        root = await site.pool.fetchval(
            "INSERT INTO users (email, password_hash, is_superuser) VALUES ('r@example.org', '', true) RETURNING id"
        )
        async with site.pool.acquire() as connection, connection.transaction():
            await operators.block(connection, streamer.owner_id, root)
        async with calling(site, None) as nobody:
            await call(nobody, *SHOW, 404, streamer_id=streamer.id)
            await call(nobody, *BY_URL, 404, donation_url="anna")
            assert await call(nobody, *LIST, 200) == []


class TestTheLists:
    async def test_who_chose_so_as_on_the_page(self, site: Site, streamer: Streamer) -> None:
        boris = await site.add_streamer("boris", "Борис")
        vera = await site.add_streamer("vera", "Вера")
        without_money = await site.add_streamer("gleb", "Глеб", terminal=False)
        await let_be_found(site, streamer, vera, without_money)
        async with site.pool.acquire() as connection, connection.transaction():
            await feature(connection, vera.id, is_featured=True)
            await feature(connection, boris.id, is_featured=True)
            on_the_page = [one.id for one in await list_public(connection, with_tests=True, limit=10)]
        async with calling(site, None) as nobody:
            listed = await call(nobody, *LIST, 200)
            assert [one["id"] for one in listed] == [vera.id, streamer.id] == on_the_page
            assert [one["is_featured"] for one in listed] == [True, False]
            # Featured by the operator, hidden by her own choice.
            assert [one["id"] for one in await call(nobody, *FEATURED, 200)] == [vera.id]
            second = await call(nobody, *LIST, 200, query={"skip": 1, "limit": 1})
            assert [one["id"] for one in second] == [streamer.id]
            assert await call(nobody, *LIST, 200, query={"skip": 2}) == []
            assert await call(nobody, *FEATURED, 200, query={"skip": 1}) == []

    @pytest.mark.parametrize("operation", [LIST, FEATURED])
    @pytest.mark.parametrize("query", [{"skip": -1}, {"limit": 0}, {"limit": 10**4}, {"limit": "all"}, {"skip": 2**40}])
    async def test_pages_within_reason(self, site: Site, operation: tuple[str, str], query: dict[str, Any]) -> None:
        async with calling(site, None) as nobody:
            await call(nobody, *operation, 422, query=query)


class TestVerified:
    async def test_by_a_terminal_for_real_money(self, site: Site, hers: httpx.AsyncClient) -> None:
        assert (await call(hers, *MINE, 200))["is_verified"] is True
        await site.pool.execute("UPDATE terminals SET is_test = true")
        assert (await call(hers, *MINE, 200))["is_verified"] is False
        await site.pool.execute("UPDATE terminals SET is_test = false, retired_at = now()")
        assert (await call(hers, *MINE, 200))["is_verified"] is False


async def test_current_donations_are_what_came_less_what_went_back(fresh_database_url: str, redis_url: str) -> None:
    async with open_site(fresh_database_url, redis_url) as site:
        anna = await site.add_streamer()
        (terminal,) = await site.rows("SELECT id, terminal_key FROM terminals")
        built = BuiltStreamer(anna.id, anna.owner_id, anna.slug, terminal["id"], terminal["terminal_key"])
        async with site.pool.acquire() as connection, connection.transaction():
            _, first = await open_donation(connection, built, amount_minor=10_050)
            await hear(connection, first, NewsStatus.CONFIRMED)
            _, second = await open_donation(connection, built, amount_minor=20_000)
            await hear(connection, second, NewsStatus.CONFIRMED)
            await open_donation(connection, built, amount_minor=99_900)
        async with calling(site, None) as nobody:
            assert (await call(nobody, *SHOW, 200, streamer_id=anna.id))["current_donations"] == 300.5
            async with site.pool.acquire() as connection, connection.transaction():
                await hear(connection, second, NewsStatus.REFUNDED, source=Source.POLL, amount_minor=0)
            assert (await call(nobody, *SHOW, 200, streamer_id=anna.id))["current_donations"] == 100.5
