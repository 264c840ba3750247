"""The sites that say who somebody is, and our client in front of them."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from infra.settings import IdentityClient
from tests.simulator.support import Simulator
from web.identity import client
from web.identity.client import IdentityError, find_person, start
from web.identity.providers import KNOWN, IdentityProvider, Person

BACK = "http://127.0.0.1:1/sign-in/with/x/back"
ANYA = {"id": "1000001", "login": "anya", "name": "Аня Иванова", "email": "anya@example.com"}


def at(simulator: Simulator, name: str) -> IdentityProvider:
    provider = next(one for one in KNOWN if one.name == name)
    base = f"{simulator.url}/identity/{name}"
    urls: dict[str, Any] = {
        "authorize_url": f"{base}/authorize",
        "token_url": f"{base}/token",
        "person_url": f"{base}/person",
    }
    return replace(provider, client_id=IdentityClient(client_id="streamcash").client_id, **urls)


async def bring(simulator: Simulator, provider: IdentityProvider, **press: str) -> tuple[client.Start, dict[str, str]]:
    """What the browser brings back after a press on the other site's page."""
    begun = start(provider, BACK)
    assert (await simulator.http.get(begun.url)).status_code == 200
    asked = dict(parse_qsl(urlsplit(begun.url).query))
    answer = await simulator.http.post(provider.authorize_url, data={**asked, **ANYA, **press})
    assert answer.status_code == 303
    return begun, dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


async def find(simulator: Simulator, provider: IdentityProvider, **changes: Any) -> Person:
    begun, brought = await bring(simulator, provider)
    assert brought["state"] == begun.state
    given = {
        "code": brought["code"],
        "device_id": brought.get("device_id", ""),
        "state": begun.state,
        "verifier": begun.verifier,
        "redirect_url": BACK,
        **changes,
    }
    return await find_person(simulator.http, provider, **given)


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("yandex", Person("1000001", "anya", "anya@example.com")),
        ("vk", Person("1000001", "Аня Иванова", "anya@example.com")),
        ("twitch", Person("1000001", "anya", None)),
        ("youtube", Person("1000001", "Аня Иванова", None)),
    ],
)
async def test_each_site_says_who_it_is(simulator: Simulator, name: str, person: Person) -> None:
    assert await find(simulator, at(simulator, name)) == person


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "guessed"},
        {"code": ""},
        {"code": "x" * 5_000},
        {"verifier": "another"},
        {"redirect_url": BACK + "?x=1"},
    ],
)
async def test_a_code_that_is_not_ours_says_nothing(simulator: Simulator, changes: dict[str, str]) -> None:
    with pytest.raises(IdentityError):
        await find(simulator, at(simulator, "yandex"), **changes)


async def test_vk_wants_its_device_back(simulator: Simulator) -> None:
    with pytest.raises(IdentityError):
        await find(simulator, at(simulator, "vk"), device_id="")


async def test_a_code_is_good_for_once(simulator: Simulator) -> None:
    provider = at(simulator, "yandex")
    begun, brought = await bring(simulator, provider)
    given = {"code": brought["code"], "device_id": "", "state": begun.state, "verifier": begun.verifier}
    await find_person(simulator.http, provider, redirect_url=BACK, **given)
    with pytest.raises(IdentityError):
        await find_person(simulator.http, provider, redirect_url=BACK, **given)


async def test_who_refuses_goes_back_with_that(simulator: Simulator) -> None:
    _, brought = await bring(simulator, at(simulator, "vk"), refuse="yes")
    assert brought["error"] == "access_denied"


async def test_a_site_that_is_away_or_talks_nonsense(simulator: Simulator) -> None:
    provider = at(simulator, "yandex")
    for url in ("http://127.0.0.1:9/token", f"{simulator.url}/nowhere", f"{simulator.url}/"):
        with pytest.raises(IdentityError):
            await find(simulator, replace(provider, token_url=url))


@pytest.mark.parametrize(
    "answer",
    [{}, {"id": None}, {"id": ""}, {"id": ["1"]}, {"id": "1\n2"}, {"id": "x" * 200}, {"id": True}, {"login": "anya"}],
)
def test_who_says_nothing_is_nobody(answer: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        KNOWN[0].read_person(answer)


def test_a_number_is_an_id_too() -> None:
    assert KNOWN[0].read_person({"id": 17, "login": "\x00", "default_email": 5}) == Person("17", "17", None)


async def test_the_page_wants_what_a_site_must_say(simulator: Simulator) -> None:
    good = dict(parse_qsl(urlsplit(start(at(simulator, "vk"), BACK).url).query))
    async with httpx.AsyncClient(base_url=f"{simulator.url}/identity/vk") as site:
        assert (await site.get("/authorize", params=good)).status_code == 200
        for wrong in ({"client_id": "unknown-x"}, {"redirect_uri": "javascript:1"}, {"code_challenge": ""}):
            assert (await site.get("/authorize", params={**good, **wrong})).status_code == 400
        assert (await site.post("/person", data={"access_token": "guessed"})).status_code == 401
    assert (await simulator.http.get(f"{simulator.url}/identity/nobody/authorize")).status_code == 404
