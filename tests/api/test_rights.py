"""Who may what, for every operation of the API: the document is walked, so that nothing is exempt.

Nobody is let in without a key, no key without the scope; a key with it is, and a stranger finds nothing of hers.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from domain import goals
from domain.custom_alerts import NewCustom
from domain.custom_alerts import add as add_custom
from domain.goals import GoalFields
from domain.scopes import Scope
from domain.streamers import Streamer
from infra.settings import ROOT
from tests.api.conftest import calling, jwt_of, new_slug
from tests.api.keys import make_key
from tests.support.site import Site
from tests.web.money import add_paid
from tests.web.test_moderation import hold

pytestmark = pytest.mark.usefixtures("shared_site")

DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    description: dict[str, Any]

    @property
    def is_public(self) -> bool:
        return {} in self.description["security"]

    @property
    def takes_keys(self) -> bool:
        return any("key" in way for way in self.description["security"])

    @property
    def scope(self) -> Scope | None:
        """None: any key will do, or none."""
        named = [way["application"] for way in self.description["security"] if "application" in way]
        return Scope(named[0][0]) if named and named[0] else None

    @property
    def is_old(self) -> bool:
        """The first version knew no 401, and other statuses for what is not one's own."""
        return "401" not in self.description["responses"]

    async def call(self, client: httpx.AsyncClient, ids: dict[str, str], **options: Any) -> httpx.Response:
        """With the examples' body, and these ids where they are named, else the examples'. `options` go before them."""
        examples = {
            parameter["name"]: parameter.get("example", "1")
            for parameter in self.description["parameters"]
            if parameter["in"] == "path"
        }
        path = re.sub(r"\{(\w+)\}", lambda name: str({**examples, **ids}[name[1]]), self.path)
        given: dict[str, Any] = {}
        for content_type, content in self.description.get("requestBody", {}).get("content", {}).items():
            if content_type == "application/json":
                given = {"json": content["example"]}
            else:
                given = {"data": content.get("example") or {}}
        return await client.request(self.method, path.removeprefix("/api/v1"), **{**given, **options})


OPERATIONS = [
    Operation(method.upper(), path, description)
    for path, operations in DOCUMENT["paths"].items()
    for method, description in operations.items()
]
HERS = {"alert_id", "goal_id", "block_id", "public_id", "donation_id", "payment_id", "order_id", "user_id"}
"""What stands in addresses for things of a streamer's own, and is made for the test."""
NOBODYS = {"amount", "tier_id", "donation_url", "streamer_id", "provider"}
"""What names nothing that is to be found by its owner alone: a public page, or what everybody has by the same name."""


def names_in(operation: Operation) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", operation.path))


def named(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


@pytest.fixture
async def ids(site: Site, streamer: Streamer) -> dict[str, str]:
    """Of hers: alerts, a goal, a block, a donation with its payment, herself."""
    await hold(site, streamer)
    paid, payment = await add_paid(site, streamer)
    async with site.pool.acquire() as connection, connection.transaction():
        goal_id = await goals.create_goal(connection, streamer.id, GoalFields("Цель", "", 100_000, 0, None, None))
        block_id = await connection.fetchval(
            "INSERT INTO blocks (streamer_id, kind, value, shown) VALUES ($1, 'name', 'хам', 'Хам') RETURNING id",
            streamer.id,
        )
        custom, _ = await add_custom(connection, streamer.id, NewCustom("Подписчик", ""))
        held_id = await connection.fetchval(
            "SELECT alert_id FROM alerts WHERE streamer_id = $1 AND status = 'held'", streamer.id
        )
    return {
        "goal_id": str(goal_id),
        "block_id": str(block_id),
        "public_id": paid.public_id,
        "donation_id": str(paid.id),
        "payment_id": str(payment.id),
        "order_id": payment.order_id,
        "user_id": str(streamer.owner_id),
        "alert_id": str(custom.alert_id),
        "held_id": str(held_id),
    }


def ids_for(operation: Operation, ids: dict[str, str]) -> dict[str, str]:
    return {**ids, "alert_id": ids["held_id"]} if "/held/" in operation.path else ids


def test_there_are_operations() -> None:
    assert len(OPERATIONS) > 30
    unknown = {name for operation in OPERATIONS for name in names_in(operation)} - HERS - NOBODYS
    assert unknown == set(), "is it somebody's own?"
    assert {operation.scope for operation in OPERATIONS} >= {Scope.ALERTS_READ, Scope.GOALS_WRITE, Scope.STATS_READ}


async def test_nobody_is_let_in(site: Site, ids: dict[str, str]) -> None:
    wrong = []
    for token in (None, "sc_" + "x" * 43, "eyJhbGciOiJub25lIn0.e30.", "x"):
        async with calling(site, token) as client:
            for operation in (operation for operation in OPERATIONS if not operation.is_public):
                answer = await operation.call(client, ids_for(operation, ids))
                if answer.status_code not in ({401, 403} if operation.is_old else {401}):
                    wrong.append(f"{named(operation)} answers {token} with {answer.status_code}")
    assert wrong == []


async def test_no_key_does_what_it_has_no_scope_for(site: Site, streamer: Streamer, ids: dict[str, str]) -> None:
    """It has all others. Nor does any key what is a person's own to do."""
    wrong = []
    tokens = {scope: await make_key(site, streamer, set(Scope) - {scope}) for scope in Scope}
    all_scopes = await make_key(site, streamer, Scope)
    for operation in OPERATIONS:
        if operation.is_public or (operation.takes_keys and operation.scope is None):
            continue
        token = all_scopes if operation.scope is None else tokens[operation.scope]
        async with calling(site, token) as client:
            answer = await operation.call(client, ids_for(operation, ids))
        if answer.status_code != 403:
            wrong.append(f"{named(operation)} answers {answer.status_code}")
        elif operation.scope is not None and operation.scope not in answer.json()["detail"]:
            wrong.append(f"{named(operation)} does not say what it needs")
    assert wrong == []


async def test_a_key_with_the_scope_is_let_in(site: Site, ids: dict[str, str]) -> None:
    """And with no other. It is a stranger's, so that nothing of hers is there for it."""
    wrong = []
    stranger = await site.add_streamer(new_slug(), "Борис")
    tokens = {scope: await make_key(site, stranger, {scope}) for scope in Scope}
    for operation in OPERATIONS:
        if not operation.takes_keys:
            continue
        async with calling(site, tokens[operation.scope or Scope.STATS_READ]) as client:
            answer = await operation.call(client, ids_for(operation, ids))
        lacks_scope = answer.status_code == 403 and "This key may not" in answer.text
        if lacks_scope or answer.status_code == 401 or answer.status_code >= 500:
            wrong.append(f"{named(operation)} answers {answer.status_code}: {answer.text}")
    assert wrong == []


async def test_strangers_find_nothing_of_hers(site: Site, ids: dict[str, str]) -> None:
    """Signed in herself, and by a key that may do everything."""
    wrong = []
    stranger = await site.add_streamer(new_slug(), "Борис")
    for token in (await jwt_of(site, stranger.owner_id), await make_key(site, stranger, Scope)):
        async with calling(site, token) as client:
            for operation in OPERATIONS:
                if operation.is_public or not names_in(operation) & HERS:
                    continue
                answer = await operation.call(client, ids_for(operation, ids))
                if answer.status_code not in ({400, 403, 404} if operation.is_old else {404}):
                    wrong.append(f"{named(operation)} answers {answer.status_code}")
    assert wrong == []


async def test_she_finds_what_is_hers(site: Site, streamer: Streamer, ids: dict[str, str]) -> None:
    """By the very ids that strangers do not find, so that those tests mean something. What deletes comes last."""
    missing = []
    async with calling(site, await jwt_of(site, streamer.owner_id)) as client:
        for operation in sorted(OPERATIONS, key=lambda operation: operation.method == "DELETE"):
            if not operation.takes_keys or not names_in(operation) & HERS:
                continue
            answer = await operation.call(client, ids_for(operation, ids))
            if answer.status_code in (401, 403, 404):
                missing.append(f"{named(operation)} answers {answer.status_code}")
    assert missing == []
