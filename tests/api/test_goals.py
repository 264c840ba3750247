"""Goals by the API: the same rules as on the page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from domain.goals import OPEN_MAX
from domain.scopes import Scope
from domain.streamers import Streamer
from tests.api.keys import code_of, with_key
from tests.api.races import at_once
from tests.support.site import Site

pytestmark = pytest.mark.usefixtures("shared_site")

NEW = {"title": "Микрофон", "target_minor": 1_500_000}


async def plan(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/goals", json={**NEW, **fields})
    assert answer.status_code == 201, answer.text
    goal: dict[str, Any] = answer.json()
    return goal


async def test_from_the_plan_to_the_archive(hers: httpx.AsyncClient) -> None:
    assert (await hers.get("/goals")).json() == {"goals": [], "goes_on": False, "carries": True}
    goal = await plan(hers, start_minor=150_000)
    assert (goal["status"], goal["raised_minor"], goal["percent"]) == ("planned", 150_000, 10)
    at = f"/goals/{goal['id']}"
    assert (await hers.get(at)).json() == goal
    assert code_of(await hers.post(f"{at}/end")) == "goal-not-active"
    assert code_of(await hers.post(f"{at}/archive")) == "goal-not-over"
    assert (await hers.post(f"{at}/start")).json()["status"] == "active"
    assert code_of(await hers.post(f"{at}/start")) == "goal-not-planned"
    assert (await hers.post(f"{at}/end")).json()["status"] == "ended"
    assert (await hers.post(f"{at}/archive")).json()["status"] == "archived"
    assert (await hers.post(f"{at}/unarchive")).json()["status"] == "ended"
    assert (await hers.delete(at)).json()["goals"] == []
    assert (await hers.get(at)).status_code == 404


async def test_what_is_changed_and_what_stays(hers: httpx.AsyncClient) -> None:
    end = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0).isoformat()
    goal = await plan(hers, description="Слышно чайник", ends_at=end)
    at = f"/goals/{goal['id']}"
    changed = (await hers.patch(at, json={"title": "Камера"})).json()
    assert changed == {**goal, "title": "Камера"}
    assert (await hers.patch(at, json={})).json() == changed
    assert (await hers.patch(at, json={"ends_at": None, "title": None})).json() == {**changed, "ends_at": None}
    await hers.post(f"{at}/start")
    await hers.post(f"{at}/end")
    over = (await hers.patch(at, json={"title": "Была камера", "target_minor": 100})).json()
    assert (over["title"], over["target_minor"]) == ("Была камера", 1_500_000)


async def test_two_changes_at_once_both_hold(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    at = f"/goals/{(await plan(hers))['id']}"
    mine = f"goals WHERE streamer_id = {streamer.id}"
    await at_once(site, mine, hers.patch(at, json={"title": "Стол"}), hers.patch(at, json={"target_minor": 9_000_00}))
    goal = (await hers.get(at)).json()
    assert (goal["title"], goal["target_minor"]) == ("Стол", 9_000_00)
    await hers.patch("/goals/settings", json={"goes_on": False, "carries": True})
    mine = f"streamers WHERE id = {streamer.id}"
    changes = ({"goes_on": True}, {"carries": False})
    await at_once(site, mine, *(hers.patch("/goals/settings", json=change) for change in changes))
    settings = (await hers.get("/goals")).json()
    assert (settings["goes_on"], settings["carries"]) == (True, False)


async def test_a_lower_target_reaches_it_once(hers: httpx.AsyncClient, site: Site) -> None:
    goal = await plan(hers, start_minor=50_000)
    at = f"/goals/{goal['id']}"
    await hers.post(f"{at}/start")
    assert (await hers.patch(at, json={"target_minor": 40_000})).json()["reached_at"] is not None
    assert (await hers.patch(at, json={"target_minor": 90_000})).json()["reached_at"] is not None
    assert await site.pool.fetchval("SELECT count(*) FROM alerts WHERE goal_id = $1", goal["id"]) == 1
    # A celebration speaks of it.
    assert code_of(await hers.delete(at)) == "goal-has-money"


async def test_order_and_settings(hers: httpx.AsyncClient) -> None:
    first, second = await plan(hers, title="Первая"), await plan(hers, title="Вторая")
    await hers.post(f"/goals/{second['id']}/up")
    goals = (await hers.get("/goals")).json()["goals"]
    assert [goal["title"] for goal in goals] == ["Вторая", "Первая"]
    assert (await hers.post(f"/goals/{second['id']}/up")).status_code == 200
    await hers.post(f"/goals/{second['id']}/down")
    settings = (await hers.patch("/goals/settings", json={"goes_on": True})).json()
    assert (settings["goes_on"], settings["carries"]) == (True, True)
    await hers.post(f"/goals/{first['id']}/start")
    await hers.post(f"/goals/{first['id']}/end")
    assert (await hers.get(f"/goals/{second['id']}")).json()["status"] == "active"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "\N{ZERO WIDTH SPACE} \x00"}, "title"),
        ({"title": "я" * 61}, "title"),
        ({"description": "я" * 301}, "description"),
        ({"target_minor": 99}, "target_minor"),
        ({"target_minor": 10**12}, "target_minor"),
        ({"target_minor": 100.5}, "target_minor"),
        ({"target_minor": None}, "target_minor"),
        ({"start_minor": -1}, "start_minor"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
        ({"ends_at": "2027-01-01T00:00:00"}, "ends_at"),
        ({"ends_at": "tomorrow"}, "ends_at"),
        ({"starts_at": "2030-01-02T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z"}, "ends_at"),
    ],
)
async def test_what_makes_no_goal(hers: httpx.AsyncClient, fields: dict[str, Any], field: str) -> None:
    answer = await hers.post("/goals", json={**NEW, **fields})
    assert answer.status_code == 422
    assert field in [fault["loc"][1] for fault in answer.json()["errors"]]
    assert (await hers.get("/goals")).json()["goals"] == []


async def test_there_is_room_for_so_many(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    await site.pool.execute(
        "INSERT INTO goals (streamer_id, title, place, target_minor)"
        " SELECT $1, 'Цель', number, 100 FROM generate_series(1, $2::integer) AS number",
        streamer.id,
        OPEN_MAX,
    )
    assert code_of(await hers.post("/goals", json=NEW)) == "too-many-goals"


async def test_strangers_goals_are_not_there(hers: httpx.AsyncClient, strangers: httpx.AsyncClient) -> None:
    at = f"/goals/{(await plan(hers))['id']}"
    for answer in (
        await strangers.get(at), await strangers.patch(at, json={"title": "Моя"}), await strangers.delete(at),
        await strangers.post(f"{at}/start"), await strangers.post(f"{at}/up"), await hers.get("/goals/2147483648"),
    ):  # fmt: skip
        assert answer.status_code == 404
    assert (await hers.get(at)).json()["title"] == "Микрофон"


async def test_a_reading_key_writes_nothing(hers: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    goal = await plan(hers)
    async with with_key(site, streamer, Scope.GOALS_READ) as bot:
        assert (await bot.get("/goals")).json()["goals"] == [goal]
        assert code_of(await bot.delete(f"/goals/{goal['id']}")) == "scope"
