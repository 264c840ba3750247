"""Who calls."""

import httpx
import pytest

from domain.scopes import Scope
from domain.streamers import Streamer
from tests.api.keys import with_key
from tests.support.site import Site

pytestmark = pytest.mark.usefixtures("shared_site")


async def test_a_person(hers: httpx.AsyncClient, streamer: Streamer) -> None:
    me = (await hers.get("/me")).json()
    assert (me["kind"], me["name"], me["scopes"], me["expires_at"]) == ("person", None, None, None)
    assert (me["streamer"]["slug"], me["streamer"]["id"]) == (streamer.slug, streamer.id)
    assert me["streamer"]["url"].endswith(f"/{streamer.slug}")


async def test_a_key_knows_itself_and_not_its_owners_address(site: Site, streamer: Streamer) -> None:
    async with with_key(site, streamer, Scope.STATS_READ) as bot:
        answer = await bot.get("/me")
    me = answer.json()
    assert (me["kind"], me["name"], me["scopes"]) == ("key", "Чат-бот", ["stats:read"])
    assert me["expires_at"] > "2026"
    assert "@example.org" not in answer.text


async def test_who_has_no_page(operators: httpx.AsyncClient) -> None:
    assert (await operators.get("/me")).json()["streamer"] is None
    assert (await operators.get("/queue")).status_code == 404


async def test_nobody(nobody: httpx.AsyncClient) -> None:
    assert (await nobody.get("/me")).status_code == 401
    assert (await nobody.get("/me", headers={"Authorization": "Bearer sc_nothing"})).status_code == 401
