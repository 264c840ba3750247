"""Numbers in addresses: what is no integer is named as a wrong field, for those who may call."""

import httpx
import pytest
from werkzeug.routing import IntegerConverter

from domain.streamers import Streamer
from tests.api.conftest import calling, jwt_of
from tests.support.site import Site
from web.api.blueprints import is_api
from web.api.path_ids import IdConverter
from web.app import create_app

OLD = [
    ("GET", "/users/{}", "user_id"),
    ("PUT", "/users/{}", "user_id"),
    ("GET", "/streamers/{}", "streamer_id"),
    ("GET", "/donations/{}", "donation_id"),
    ("GET", "/donations/stats/{}", "user_id"),
]
NO_INTEGERS = ["abc", "1x", "1.5", "%20", "%D9%A1", "null", "-", "0x1"]
NOBODYS = ["0", "-1", "2147483648", "-2147483649", "9" * 300]


@pytest.fixture
async def site(kept_site: Site) -> Site:
    return kept_site


@pytest.mark.parametrize(("method", "path", "name"), OLD)
async def test_what_is_no_integer(operators: httpx.AsyncClient, method: str, path: str, name: str) -> None:
    for text in NO_INTEGERS:
        answer = await operators.request(method, path.format(text), json={} if method == "PUT" else None)
        assert answer.status_code == 422, (text, answer.text)
        fault = {"loc": ["path", name], "msg": "Input should be a valid integer", "type": "int_parsing"}
        assert answer.json() == {"detail": [fault]}


@pytest.mark.parametrize(("method", "path", "name"), OLD)
async def test_an_integer_that_is_nobodys(operators: httpx.AsyncClient, method: str, path: str, name: str) -> None:
    assert name
    for number in NOBODYS:
        answer = await operators.request(method, path.format(number), json={} if method == "PUT" else None)
        # Whose sums another may not see is nobody's business.
        assert answer.status_code == (403 if "stats" in path else 404), (number, answer.text)


async def test_a_slash_at_the_end_is_the_same(site: Site, streamer: Streamer) -> None:
    user_id = streamer.owner_id
    async with calling(site, await jwt_of(site, user_id)) as hers:
        for path in (f"/users/{user_id}", f"/streamers/{streamer.id}", f"/donations/stats/{user_id}"):
            answers = [await hers.get(path + end) for end in ("", "/")]
            assert [answer.status_code for answer in answers] == [200, 200], path
            assert answers[0].json() == answers[1].json()
        assert (await hers.delete("/moderation/blocks/abc/")).status_code == 422


async def test_our_own_paths_say_it_as_a_problem(site: Site, streamer: Streamer) -> None:
    async with calling(site, await jwt_of(site, streamer.owner_id)) as hers:
        answer = await hers.delete("/moderation/blocks/abc")
        assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
        assert answer.json()["errors"][0]["loc"] == ["path", "block_id"]
        for path in ("/moderation/blocks", "/goals"):
            assert (await hers.delete(f"{path}/2147483648")).status_code == 404


async def test_a_word_that_is_an_address_of_its_own_is_no_id(site: Site, streamer: Streamer) -> None:
    async with calling(site, await jwt_of(site, streamer.owner_id)) as hers:
        for method in ("GET", "DELETE"):
            refused = await hers.request(method, "/goals/settings")
            assert (refused.status_code, set(refused.headers["Allow"].split(", "))) == (405, {"PATCH", "OPTIONS"})


async def test_who_may_not_call_learns_nothing_else(nobody: httpx.AsyncClient) -> None:
    for method, path, _ in OLD:
        if not path.startswith("/streamers"):
            assert (await nobody.request(method, path.format("abc"))).status_code == 403, path


async def test_words_stay_words(operators: httpx.AsyncClient) -> None:
    """Addresses of their own beside the ids."""
    for path in ("/users/me", "/streamers/", "/goals"):
        assert (await operators.get(path)).status_code != 422, path


async def test_no_address_of_the_api_takes_numbers_otherwise(site: Site) -> None:
    for rule in create_app(site.settings).url_map.iter_rules():
        if is_api(rule.endpoint):
            numbers = [one for one in rule._converters.values() if isinstance(one, IntegerConverter)]
            assert all(isinstance(one, IdConverter) for one in numbers), rule
