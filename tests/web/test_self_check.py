"""The operator's page of the self-check: what is known, and a check on demand; nobody else sees it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from domain import self_check
from domain.self_check import ALL_RULES, Depth, Finding, Severity, Subject
from domain.streamers import Streamer
from tests.support.site import Site
from tests.web.conftest import signed_in
from web.pages.self_check_words import FOUND, SEVERITIES, SUBJECTS

ALL_CLEAN = [Finding(name, 0) for name in ALL_RULES]


@pytest.fixture
async def operator(site: Site, streamer: Streamer) -> AsyncIterator[httpx.AsyncClient]:
    await site.pool.execute("UPDATE users SET is_superuser = true WHERE id = $1", streamer.owner_id)
    async with signed_in(site, f"{streamer.slug}@example.org") as client:
        yield client


async def run(site: Site, depth: Depth, *findings: Finding) -> None:
    async with site.pool.acquire() as connection:
        run_id = await self_check.begin_run(connection, depth)
        await self_check.finish_run(connection, run_id, findings or ALL_CLEAN)


def test_every_rule_has_words() -> None:
    assert set(FOUND) == set(ALL_RULES)
    assert set(SEVERITIES) == set(Severity)
    assert set(SUBJECTS) == set(Subject) - {Subject.NOTHING}


async def test_nobody_else_sees_it(site: Site, her: httpx.AsyncClient) -> None:
    assert (await her.get("/admin/self-check")).status_code == 404
    assert (await her.post("/admin/self-check")).status_code == 404
    assert "Self-check" not in (await her.get("/dashboard")).text
    stranger = await site.client.get("/admin/self-check")
    assert stranger.status_code == 303
    assert stranger.headers["Location"].startswith("/sign-in")
    assert await site.rows("SELECT id FROM self_checks") == []


async def test_before_the_first_check(operator: httpx.AsyncClient) -> None:
    page = (await operator.get("/admin/self-check")).text
    assert "There was no check yet" in page


async def test_all_agrees(site: Site, operator: httpx.AsyncClient) -> None:
    await run(site, Depth.FULL)
    page = (await operator.get("/admin/self-check")).text
    assert "All agrees" in page
    assert f"{len(ALL_RULES)} rules find nothing" in page
    assert "How many" not in page


async def test_the_worst_gives_the_headline_and_stands_first(site: Site, operator: httpx.AsyncClient) -> None:
    await run(
        site, Depth.FULL, Finding("outbox_late", 1200, (9, 8)), Finding("surplus_waiting", 1, (4,)),
        Finding("wrong_totals", 1, (7,)),
    )  # fmt: skip
    page = (await operator.get("/admin/self-check")).text
    assert "The books do not agree" in page
    texts = ["Streamers whose total differs", "Rows of the outbox not", "Second payments of one donation"]
    places = [page.index(text) for text in texts]
    assert places == sorted(places)
    assert "1\N{NO-BREAK SPACE}200" in page
    assert '<a href="/admin/payments?q=4">4</a>' in page
    await run(site, Depth.FULL, Finding("outbox_late", 1), Finding("surplus_waiting", 1, (4,)))
    assert "Something stands still" in (await operator.get("/admin/self-check")).text
    await run(site, Depth.FULL, Finding("surplus_waiting", 1, (4,)))
    assert "something waits for you" in (await operator.get("/admin/self-check")).text


async def test_a_check_that_nobody_does_is_said(site: Site, operator: httpx.AsyncClient) -> None:
    await run(site, Depth.FULL)
    assert "The last check was long ago" not in (await operator.get("/admin/self-check")).text
    await site.pool.execute("UPDATE self_checks SET finished_at = finished_at - interval '16 minutes'")
    assert "The last check was long ago" in (await operator.get("/admin/self-check")).text


async def test_a_check_on_demand(site: Site, operator: httpx.AsyncClient) -> None:
    answer = await operator.post("/admin/self-check")
    [asked] = await site.rows("SELECT id, depth, asked_by FROM self_checks")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/admin/self-check?run={asked['id']}"
    assert asked["depth"] == "full"
    [task] = await site.rows("SELECT name, data FROM outbox")
    assert (task["name"], task["data"]) == ("self_check", {"argument": asked["id"]})

    page = (await operator.get(answer.headers["Location"])).text
    assert "Checking everything" in page
    assert f'hx-get="/admin/self-check?run={asked["id"]}"' in page
    assert 'http-equiv="refresh"' in page
    part = (await operator.get(answer.headers["Location"], headers={"HX-Request": "true"})).text
    assert "<html" not in part
    assert "hx-trigger" in part

    async with site.pool.acquire() as connection:
        assert await self_check.claim_run(connection, asked["id"]) is Depth.FULL
        await self_check.finish_run(connection, asked["id"], ALL_CLEAN)
    part = (await operator.get(answer.headers["Location"], headers={"HX-Request": "true"})).text
    assert "hx-trigger" not in part
    assert "All agrees" in part
    assert "Check everything now" in part


async def test_an_unknown_run_is_not_waited_for(operator: httpx.AsyncClient) -> None:
    for run_id in ("999", "x", "-1"):
        page = await operator.get(f"/admin/self-check?run={run_id}")
        assert page.status_code == 200
        assert "Checking everything" not in page.text


async def test_another_site_cannot_ask(operator: httpx.AsyncClient) -> None:
    answer = await operator.post("/admin/self-check", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
