"""Who may call: tokens that are good and those that are not, limits, other sites' pages."""

import re

import httpx
import pytest
from cryptography.fernet import Fernet

from infra.crypto import SecretBox
from infra.jwt import issue_jwt, read_jwt
from tests.api.conftest import calling
from tests.support.site import Site, open_site


def box(*keys: str) -> SecretBox:
    return SecretBox(",".join(keys))


def test_a_token_outlives_the_rotation_of_keys_while_its_key_is_kept() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    token = issue_jwt(box(old), 7, 3, lifetime_seconds=60)
    signed = read_jwt(box(new, old), token)
    assert signed is not None
    assert (signed.user_id, signed.version) == (7, 3)
    assert read_jwt(box(new), token) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiI3IiwidmVyIjoxLCJleHAiOjk5OTk5OTk5OTl9.",
        "\N{SNOWMAN}." * 3,
        "." * 5_000,
    ],
)
def test_what_we_did_not_sign_is_nobodys(token: str) -> None:
    assert read_jwt(box(Fernet.generate_key().decode()), token) is None


def test_a_token_that_is_over_is_nobodys() -> None:
    keys = box(Fernet.generate_key().decode())
    assert read_jwt(keys, issue_jwt(keys, 7, 1, lifetime_seconds=0)) is None


async def test_an_address_that_is_not_there_is_a_problem(nobody: httpx.AsyncClient) -> None:
    answer = await nobody.get("/no/such/thing")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 404
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/users/me/no/such/thing", 404),
        ("POST", "/alerts/nothing", 404),
        ("GET", "/streamers/url", 422),
        ("PATCH", "/users/me", 405),
        ("DELETE", "/donations/", 405),
        ("POST", "/payments/status/x", 405),
        ("GET", "/auth/login", 405),
        ("GET", "/payments/nothing", 404),
    ],
)
async def test_under_paths_of_the_first_version_it_is_told_as_it_told(
    nobody: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    """English, as what the API says elsewhere; Russian for whoever asks for it."""
    answer = await nobody.request(method, path)
    assert answer.status_code == status
    assert (answer.headers["Content-Type"], list(answer.json())) == ("application/json", ["detail"])
    if status == 422:
        return
    assert answer.text.isascii()
    assert ("Allow" in answer.headers) is (status == 405)
    asked = await nobody.request(method, path, headers={"Accept-Language": "ru"})
    assert re.search("[а-я]", asked.json()["detail"])
    problem = await nobody.request(method, path, headers={"Accept": "application/problem+json"})
    assert (problem.json()["status"], problem.json()["type"]) == (status, "about:blank")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/goals/5/x", 404), ("PUT", "/goals", 405)])
async def test_elsewhere_it_is_a_problem(nobody: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await nobody.request(method, path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.text.isascii()


async def test_the_document_describes_the_api(nobody: httpx.AsyncClient) -> None:
    document = (await nobody.get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {path for path in document["paths"] if path.startswith("/api/v1/")}


async def test_answers_say_how_often_one_may_call(nobody: httpx.AsyncClient) -> None:
    first, second = await nobody.get("/openapi.json"), await nobody.get("/openapi.json")
    assert int(first.headers["RateLimit-Remaining"]) - int(second.headers["RateLimit-Remaining"]) == 1
    assert int(first.headers["RateLimit-Limit"]) > int(first.headers["RateLimit-Remaining"])


async def test_who_calls_too_often_is_told_when_to_come_again(fresh_database_url: str, redis_url: str) -> None:
    async with open_site(fresh_database_url, redis_url, api_calls_per_minute=1) as site, calling(site, None) as client:
        answers = [await client.get("/openapi.json") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused = answers[-1]
    assert refused.json()["type"].endswith("too-many")
    assert 0 < int(refused.headers["Retry-After"]) == int(refused.headers["RateLimit-Reset"]) <= 60
    assert refused.headers["RateLimit-Remaining"] == "0"


async def test_only_named_sites_pages_may_read(site: Site) -> None:
    async with calling(site, None) as client:
        preflight = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
        for origin, is_allowed in (("https://front.example.org", True), ("https://evil.example.org", False)):
            asked = await client.options("/openapi.json", headers={"Origin": origin, **preflight})
            read = await client.get("/openapi.json", headers={"Origin": origin})
            for answer in (asked, read):
                assert answer.status_code == 200
                assert answer.headers.get("Access-Control-Allow-Origin") == (origin if is_allowed else None)
                assert "Access-Control-Allow-Credentials" not in answer.headers
                assert "Origin" in answer.headers["Vary"]
            assert ("authorization" in asked.headers.get("Access-Control-Allow-Headers", "").lower()) is is_allowed
