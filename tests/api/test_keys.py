"""A key at the API: who it says calls, and the addresses beside the API for applications in other sites' pages."""

import httpx
import pytest

from domain import access_tokens
from domain.streamers import Streamer
from tests.api.conftest import calling
from tests.support.site import Site

pytestmark = pytest.mark.usefixtures("kept_site")


@pytest.fixture
async def key(site: Site, streamer: Streamer) -> str:
    async with site.pool.acquire() as connection, connection.transaction():
        made = await access_tokens.create_key(
            connection, streamer.owner_id, streamer.id, name="Бот", scopes=["stats:read"], days=None
        )
    return made.token


async def test_a_good_key_is_counted_for_itself(site: Site, key: str) -> None:
    """What nobody needs a key for still knows who calls: each caller has calls of his own."""
    left = []
    for token in (key, key, key + "x", None):
        async with calling(site, token) as client:
            answer = await client.get("/openapi.json")
            assert answer.status_code == 200
            left.append((int(answer.headers["RateLimit-Limit"]), int(answer.headers["RateLimit-Remaining"])))
    calls = site.settings.api_calls_per_minute
    assert [limit for limit, _ in left] == [calls, calls, calls * 2, calls * 2]
    assert left[0][1] - left[1][1] == 1
    assert await site.pool.fetchval("SELECT used_at IS NOT NULL FROM access_tokens")


async def test_a_revoked_key_is_nobody_at_the_next_call(site: Site, streamer: Streamer, key: str) -> None:
    key_id = await site.pool.fetchval("SELECT id FROM access_tokens")
    async with site.pool.acquire() as connection, connection.transaction():
        await access_tokens.revoke_key(connection, streamer.owner_id, key_id, by_user_id=streamer.owner_id)
    async with calling(site, key) as client:
        assert int((await client.get("/openapi.json")).headers["RateLimit-Limit"]) == (
            site.settings.api_calls_per_minute * 2
        )


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke"])
async def test_pages_of_named_sites_may_ask_for_tokens(site: Site, path: str) -> None:
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    async with httpx.AsyncClient(base_url=site.url) as client:
        for origin, is_named in (("https://front.example.org", True), ("https://evil.example.org", False)):
            asked = await client.options(path, headers={"Origin": origin, **preflight})
            told = await client.post(path, data={"x": "y"}, headers={"Origin": origin})
            assert told.json()["error"]
            for answer in (asked, told):
                assert answer.headers.get("Access-Control-Allow-Origin") == (origin if is_named else None)
                assert "Access-Control-Allow-Credentials" not in answer.headers
            assert ("POST" in asked.headers.get("Access-Control-Allow-Methods", "")) is is_named
