"""Who may what: every route as nobody, a stranger, the owner and the operator, and with the wrong thing's number.

First those who may not: after all of them, nothing has changed. Then those who may, with an empty form.
"""

from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from tests.pages.addresses import address_of, form_of, rules_of
from tests.pages.cast import OPERATOR, Cast
from tests.pages.routes import ROUTES, Who
from tests.web.conftest import signed_in

# What a request that is turned away may still write down: that it was made.
UNCOUNTED_TABLES = {"sessions", "known_browsers", "schema_migrations"}

ENDS_SESSION = {"account.sign_out"}


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
        for rule, method in rules_of(cast):
            route = ROUTES[rule.endpoint]
            address, form = address_of(cast, rule, route), form_of(cast, route)
            if route.who in (Who.EVERYBODY, Who.SECRET):
                continue
            nobody = await ask(cast.site.client, method, address, form=form)
            if nobody.status_code != 303 or not nobody.headers["Location"].startswith("/sign-in"):
                wrong[f"nobody {method} {address}"] = nobody.status_code
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
            if route.who is Who.SECRET or (route.who is Who.OPERATOR and who == "owner"):
                continue
            if (await client.get("/dashboard")).status_code == 303:
                client = await stack.enter_async_context(signed_in(cast.site, email))
            about = "anna" if route.who is Who.STREAMER and who == "operator" else None
            address = address_of(cast, rule, route)
            answer = await ask(client, method, address, streamer=about, form=form_of(cast, route))
            if answer.status_code in (401, 403, 404, 405, 429) or answer.status_code >= 500:
                wrong[f"{method} {rule.rule}"] = answer.status_code
    assert not wrong, told(wrong)
