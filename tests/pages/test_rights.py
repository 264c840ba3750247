"""Who may what: every route as nobody, a donor, moderators of all kinds, a stranger, the owner and the operator, and
with the wrong thing's number.

First those who may not: after all of them, nothing has changed. Then those who may, with an empty form.
"""

from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from tests.pages.addresses import address_of, form_of, rules_of
from tests.pages.cast import OPERATOR, Cast
from tests.pages.routes import HELD, ROUTES, Who
from tests.web.conftest import signed_in

# What a request that is turned away may still write down: that it was made.
UNCOUNTED_TABLES = {"sessions", "known_browsers", "schema_migrations"}

ENDS_SESSION = {"account.sign_out", "moderate.leave"}


async def ask(
    client: httpx.AsyncClient, method: str, address: str, *, streamer: str | None = None, form: dict[str, str]
) -> httpx.Response:
    separator = "&" if "?" in address else "?"
    full = address if streamer is None else f"{address}{separator}streamer={streamer}"
    if method == "GET":
        return await client.get(full)
    return await client.request(method, full, data={"x": "1", **form})


async def digest(cast: Cast) -> dict[str, Any]:
    """What every table holds."""
    tables = await cast.site.rows(
        "SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'public' ORDER BY relname"
    )
    return {
        table["relname"]: (await cast.site.rows(
            f"SELECT count(*), md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {table['relname']} AS t"
        ))[0]
        for table in tables if table["relname"] not in UNCOUNTED_TABLES
    }  # fmt: skip


def browser_of(cast: Cast, **headers: str) -> httpx.AsyncClient:
    """A browser that says of each request that our own page sent it."""
    return httpx.AsyncClient(
        base_url=cast.site.url, headers={"Origin": cast.site.url, "Accept-Language": "en", **headers}, timeout=30
    )


def told(faults: dict[str, Any]) -> str:
    return "\n".join(f"{place}: {status}" for place, status in faults.items())


async def test_every_route_is_in_the_table(cast: Cast) -> None:
    assert {rule.endpoint for rule, _ in rules_of(cast)} ^ set(ROUTES) == set()


async def test_who_may_not(cast: Cast) -> None:
    before = await digest(cast)
    wrong: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        stranger = await stack.enter_async_context(signed_in(cast.site, "boris@example.org"))
        owner = await stack.enter_async_context(signed_in(cast.site, "anna@example.org"))
        donor = await stack.enter_async_context(browser_of(cast))
        assert (await donor.get(f"/d/{cast.ids['donation']}")).status_code == 200
        helper = await stack.enter_async_context(browser_of(cast, **cast.moderators["all"].headers))
        for rule, method in rules_of(cast):
            route = ROUTES[rule.endpoint]
            address, form = address_of(cast, rule, route), form_of(cast, route)
            if route.who in (Who.EVERYBODY, Who.SECRET, Who.MODERATOR):
                continue
            for who, client in (("nobody", cast.site.client), ("donor", donor), ("moderator", helper)):
                answer = await ask(client, method, address, form=form)
                if answer.status_code != 303 or not answer.headers["Location"].startswith("/sign-in"):
                    wrong[f"{who} {method} {address}"] = answer.status_code
            if route.who is Who.STREAMER:
                answers = {"stranger": await ask(stranger, method, address, streamer="anna", form=form)}
                if set(route.ids.values()) & set(cast.ids):
                    answers["stranger by number"] = await ask(stranger, method, address, form=form)
                    missing = address_of(cast, rule, route, wrong=True)
                    answers["owner, a number that is nobody's"] = await ask(owner, method, missing, form=form)
                answers["owner, no such streamer"] = await ask(
                    owner, method, address, streamer="nobody-here", form=form
                )
            elif route.who is Who.OPERATOR:
                answers = {
                    "stranger": await ask(stranger, method, address, form=form),
                    "owner": await ask(owner, method, address, form=form),
                }
            else:
                answers = {}
            for who, answer in answers.items():
                if answer.status_code != 404:
                    wrong[f"{who} {method} {address}"] = answer.status_code
    assert not wrong, told(wrong)
    assert await digest(cast) == before


async def test_who_may_not_moderate(cast: Cast) -> None:
    """Another's session opens nothing, one's own opens nothing of another's, and each right is asked for."""
    before = await digest(cast)
    wrong: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        outsiders = {
            "stranger": await stack.enter_async_context(signed_in(cast.site, "boris@example.org")),
            "owner": await stack.enter_async_context(signed_in(cast.site, "anna@example.org")),
            "operator": await stack.enter_async_context(signed_in(cast.site, OPERATOR)),
            "nobody": cast.site.client,
            "donor": await stack.enter_async_context(browser_of(cast)),
        }
        assert (await outsiders["donor"].get(f"/d/{cast.ids['donation']}")).status_code == 200
        admitted = {
            name: await stack.enter_async_context(browser_of(cast, **one.headers))
            for name, one in cast.moderators.items()
        }
        for rule, method in rules_of(cast):
            route = ROUTES[rule.endpoint]
            if route.who is not Who.MODERATOR:
                continue
            address, form = address_of(cast, rule, route), form_of(cast, route)
            missing = address_of(cast, rule, route, wrong=True)

            def at(name: str, address: str = address) -> str:
                return address.replace(cast.ids["moderation"], cast.moderators[name].public_id)

            answers = {name: await ask(client, method, address, form=form) for name, client in outsiders.items()}
            for name, client in admitted.items():
                if name != "all":
                    answers[f"moderator {name}, at another's"] = await ask(client, method, address, form=form)
            answers["moderator, nobody's address"] = await ask(admitted["all"], method, missing, form=form)
            answers["moderator, revoked"] = await ask(admitted["revoked"], method, at("revoked"), form=form)
            if HELD.items() <= route.form.items() and rule.endpoint != "moderate_controls.skip":
                wrong_id = {**form, "alert_id": "00000000-0000-0000-0000-000000000000"}
                answers["moderator, nobody's alert"] = await ask(admitted["all"], method, address, form=wrong_id)
                answers["another's moderator, her alert"] = await ask(
                    admitted["stranger's"], method, at("stranger's"), form=form
                )
            for who, answer in answers.items():
                if answer.status_code != 404:
                    wrong[f"{who} {method} {address}"] = answer.status_code
            if route.right:
                name = f"no {route.right}"
                answer = await ask(admitted[name], method, at(name), form=form)
                if answer.status_code != 403:
                    wrong[f"{name} {method} {address}"] = answer.status_code
    assert not wrong, told(wrong)
    assert await digest(cast) == before


async def test_a_moderators_page_has_no_more_than_it_may(cast: Cast) -> None:
    for name, texts in (("no queue", ["deck-card"]), ("no controls", ["helm"]), ("no block", ["deck-more"])):
        one = cast.moderators[name]
        async with browser_of(cast, **one.headers) as client:
            page = (await client.get(f"/moderate/{one.public_id}")).text
        assert not [text for text in texts if text in page], name
        assert "@example.org" not in page


async def test_a_strangers_pages_say_nothing_of_hers(cast: Cast) -> None:
    found: dict[str, Any] = {}
    async with signed_in(cast.site, "boris@example.org") as stranger:
        for rule, method in rules_of(cast):
            route = ROUTES[rule.endpoint]
            if route.who is not Who.STREAMER or method != "GET" or set(route.ids.values()) & set(cast.ids):
                continue
            answer = await ask(stranger, method, address_of(cast, rule, route), form={})
            if answer.status_code >= 400 or "Кузьма" in answer.text or "/donate/anna" in answer.text:
                found[rule.rule] = answer.status_code
    assert not found, told(found)


@pytest.mark.parametrize("who", ["owner", "operator"])
async def test_who_may(cast: Cast, who: str) -> None:
    """An empty form is refused or does what needs no field; it is never an error of ours, nor a closed door."""
    wrong: dict[str, Any] = {}
    email = "anna@example.org" if who == "owner" else OPERATOR
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(signed_in(cast.site, email))
        for rule, method in sorted(rules_of(cast), key=lambda pair: pair[0].endpoint in ENDS_SESSION):
            route = ROUTES[rule.endpoint]
            if route.who in (Who.SECRET, Who.MODERATOR) or (route.who is Who.OPERATOR and who == "owner"):
                continue
            if (await client.get("/dashboard")).status_code == 303:
                client = await stack.enter_async_context(signed_in(cast.site, email))
            about = "anna" if route.who is Who.STREAMER and who == "operator" else None
            address = address_of(cast, rule, route)
            answer = await ask(client, method, address, streamer=about, form=form_of(cast, route))
            if answer.status_code in (401, 403, 404, 405, 429) or answer.status_code >= 500:
                wrong[f"{method} {rule.rule}"] = answer.status_code
    assert not wrong, told(wrong)


async def test_a_moderator_may(cast: Cast) -> None:
    wrong: dict[str, Any] = {}
    async with browser_of(cast, **cast.moderators["all"].headers) as client:
        for rule, method in sorted(rules_of(cast), key=lambda pair: pair[0].endpoint in ENDS_SESSION):
            route = ROUTES[rule.endpoint]
            if route.who is not Who.MODERATOR:
                continue
            for form in (form_of(cast, route), {}):
                answer = await ask(client, method, address_of(cast, rule, route), form=form)
                if answer.status_code not in (200, 303, 422):
                    wrong[f"{method} {rule.rule} {form}"] = answer.status_code
                if rule.endpoint in ENDS_SESSION:
                    break
        assert (await client.get(f"/moderate/{cast.ids['moderation']}")).status_code == 404, "they left"
    assert not wrong, told(wrong)
