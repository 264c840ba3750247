"""Totals, statistics and the best donors; and answers that need not be sent again."""

from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
import pytest

from domain.scopes import Scope
from domain.streamers import Streamer
from tests.api.keys import code_of, with_key
from tests.support.site import Site
from tests.web.money import add_paid, go_back

pytestmark = pytest.mark.usefixtures("shared_site")

EMPTY = {"today_minor": 0, "today_donations": 0, "month_minor": 0, "all_minor": 0, "donations": 0}


async def test_what_came_and_what_went_back(
    hers: httpx.AsyncClient, strangers: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    assert (await hers.get("/totals")).json() == {**EMPTY, "currency": "RUB", "time_zone": "Europe/Moscow"}
    await add_paid(site, streamer, amount_minor=30_000, donor_name="Аня")
    await add_paid(site, streamer, amount_minor=20_000, came_minor=20_000, donor_name="аня")
    _, payment = await add_paid(site, streamer, amount_minor=50_000, came_minor=50_000, donor_name=None)
    await go_back(site, payment, 40_000)
    totals = (await hers.get("/totals")).json()
    assert (totals["today_minor"], totals["donations"]) == (90_000, 3)
    assert (await strangers.get("/totals")).json()["all_minor"] == 0

    found = (await hers.get("/statistics", params={"period": "today"})).json()
    assert (found["net_minor"], found["donations"], found["average_minor"]) == (90_000, 3, 30_000)
    assert (found["named"], found["anonymous_minor"], found["former_minor"]) == (1, 40_000, 0)
    assert found["days"] == [{"day": found["first_day"], "net_minor": 90_000, "donations": 3}]
    assert sum(hour["donations"] for hour in found["hours"]) == 3
    month = (await hers.get("/statistics", params={"period": "month"})).json()
    assert (month["net_minor"], len(month["days"])) == (90_000, int(month["last_day"][-2:]))

    [best] = (await hers.get("/top-donors")).json()["donors"]
    assert (best["net_minor"], best["donations"]) == (50_000, 2)
    assert (await strangers.get("/top-donors", params={"by": "count"})).json()["donors"] == []


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        ({"first_day": "2026-02-27", "last_day": "2026-03-01"}, 3),
        ({"last_day": "2024-02-29"}, 1),
        ({"period": "week"}, 7),
        ({"period": "30days"}, 30),
        ({"period": "yesterday"}, 1),
    ],
)
async def test_periods(site: Site, streamer: Streamer, asked: dict[str, str], days: int) -> None:
    async with with_key(site, streamer, Scope.STATS_READ) as bot:
        answer = await bot.get("/statistics", params=asked)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["days"]) == days


@pytest.mark.parametrize(
    "asked",
    [
        {"first_day": "2026-03-02", "last_day": "2026-03-01"},
        {"first_day": "2020-01-01", "last_day": "2026-03-01"},
        {"first_day": "1999-12-31"},
        {"last_day": "30.02.2026"},
        {"period": "century"},
        {"limit": "0"},
        {"limit": "11"},
        {"by": "luck"},
    ],
)
async def test_what_is_no_period(site: Site, streamer: Streamer, asked: dict[str, str]) -> None:
    async with with_key(site, streamer, Scope.STATS_READ) as bot:
        answer = await bot.get("/top-donors", params=asked)
    assert answer.status_code == 422
    assert code_of(answer) in ("fields", "period")


async def test_days_are_the_streamers(site: Site, streamer: Streamer) -> None:
    await site.pool.execute("UPDATE streamers SET time_zone = 'Pacific/Kiritimati' WHERE id = $1", streamer.id)
    async with with_key(site, streamer, Scope.STATS_READ) as bot:
        found = (await bot.get("/statistics", params={"period": "today"})).json()
    assert found["last_day"] == datetime.now(ZoneInfo("Pacific/Kiritimati")).date().isoformat()


@pytest.mark.parametrize("path", ["/totals", "/statistics", "/top-donors", "/goals", "/queue", "/overlays", "/widgets"])
async def test_the_same_answer_is_not_sent_again(site: Site, streamer: Streamer, path: str) -> None:
    async with with_key(site, streamer, *Scope) as bot:
        first = await bot.get(path)
        tag = first.headers["ETag"]
        for given in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
            again = await bot.get(path, headers={"If-None-Match": given})
            assert (again.status_code, again.content) == (304, b""), given
            assert again.headers["ETag"] == tag
            assert "RateLimit-Remaining" in again.headers
        assert (await bot.get(path, headers={"If-None-Match": '"other"'})).json() == first.json()
        if path in ("/goals", "/queue"):
            await bot.post("/goals", json={"title": "Цель", "target_minor": 100})
            await bot.post("/queue/pause")
            assert (await bot.get(path, headers={"If-None-Match": tag})).status_code == 200
