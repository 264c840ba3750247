"""The page of goals, the dashboard's part and the donation page's line: by forms alone, and by whom."""

import re
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, expect

from domain import goals
from domain.goals import GoalStatus
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.streamers import Streamer
from domain.users import create_user
from tests.builders import hear
from tests.support.site import Site
from tests.web.conftest import PASSWORD, signed_in
from tests.web.money import add_paid

FORM = {"title": "Новый микрофон", "target": "50 000", "start": "", "starts_at": "", "ends_at": "", "description": ""}
ROOT = Path(__file__).parents[2]
HOSTILE = '"><script>alert(1)</script>{{ 7*7 }}'


async def create(her: httpx.AsyncClient, site: Site, **fields: Any) -> int:
    answer = await her.post("/dashboard/goals", data={**FORM, **fields})
    assert answer.status_code == 303, answer.text
    goal_id: int = await site.pool.fetchval("SELECT max(id) FROM goals")
    return goal_id


async def act(her: httpx.AsyncClient, goal_id: int, name: str) -> str:
    answer = await her.post(f"/dashboard/goals/{goal_id}/{name}")
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].partition("said=")[2]


async def statuses(site: Site) -> dict[str, str]:
    return {row["title"]: row["status"] for row in await site.rows("SELECT title, status FROM goals")}


async def page(client: httpx.AsyncClient, path: str = "/dashboard/goals") -> str:
    answer = await client.get(path)
    assert answer.status_code == 200
    return answer.text.replace("\u00a0", " ")


async def test_from_an_empty_page_to_a_goal_that_is_over(
    her: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    assert "No goals yet" in await page(her)
    assert 'name="then" value="start"' in await page(her, "/dashboard/goals/new")
    first = await create(her, site, then="start", start="1 000,50")
    second = await create(her, site, title="Отпуск", then="start")
    # Somebody else's start does not end what is active.
    assert await statuses(site) == {"Новый микрофон": "active", "Отпуск": "planned"}
    _, payment = await add_paid(site, streamer)
    async with site.pool.acquire() as connection, connection.transaction():
        await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=10_000)
    text = await page(her)
    assert "1 100.50 ₽" in text
    one = await page(her, f"/dashboard/goals/{first}")
    for line in ("Was there before", "1 000.50 ₽", "Donations", "300 ₽", "Went back", "−200 ₽", "Raised", "1 100.50 ₽"):
        assert line in one
    assert "Delete" not in one
    assert await act(her, first, "delete") == "goal-has-money"
    assert await act(her, first, "end") == "goal-ended"
    assert await act(her, first, "end") == "too-late"
    assert "No goal is active" in await page(her)
    assert await act(her, second, "start") == "goal-started"
    assert await act(her, first, "archive") == "goal-archived"
    assert "Bring back" in await page(her)
    assert await act(her, first, "unarchive") == "goal-unarchived"
    assert await statuses(site) == {"Новый микрофон": "ended", "Отпуск": "active"}


async def test_order_settings_and_delete(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    a, b = await create(her, site, title="первая"), await create(her, site, title="вторая")
    assert await act(her, b, "up") == "goal-moved"
    text = await page(her)
    assert text.index("вторая") < text.index("первая")
    assert await act(her, b, "down") == "goal-moved"
    answer = await her.post("/dashboard/goals/settings", data={"goes_on": "yes"})
    assert answer.status_code == 303
    async with site.pool.acquire() as connection:
        assert await goals.get_settings(connection, streamer.id) == goals.GoalSettings(goes_on=True, carries=False)
    assert await act(her, a, "delete") == "goal-deleted"
    assert (await her.post(f"/dashboard/goals/{a}/delete")).status_code == 404


WRONG: list[tuple[dict[str, str], str]] = [
    ({"title": " "}, "Say what it is for"),
    ({"title": "ц" * 63}, "remove 3"),
    ({"description": "о" * 301}, "remove 1"),
    ({"target": "много"}, "We can&#39;t read this amount"),
    ({"target": "0,5"}, "At least 1 ₽"),
    ({"target": "100 000 000"}, "At most 99 999 999.99 ₽"),
    ({"start": "-5"}, "We can&#39;t read this amount"),
    ({"ends_at": "2020-01-01T10:00"}, "That moment has passed"),
    ({"starts_at": "2099-01-02T10:00", "ends_at": "2099-01-01T10:00"}, "end before it starts"),
    ({"ends_at": "завтра"}, "We can&#39;t read this moment"),
    ({"ends_at": "0001-01-01T00:00"}, "We can&#39;t read this moment"),
    ({"ends_at": "9999-12-31T23:59"}, "We can&#39;t read this moment"),
]


async def test_what_is_wrong_is_said_and_what_was_typed_is_kept(her: httpx.AsyncClient, site: Site) -> None:
    for fields, words in WRONG:
        answer = await her.post("/dashboard/goals", data={**FORM, **fields})
        assert answer.status_code == 422
        assert words in answer.text.replace("\u00a0", " "), fields
        assert "Новый микрофон" in answer.text or "title" in fields
    assert await site.rows("SELECT id FROM goals") == []
    # The same words where a goal is changed.
    goal_id = await create(her, site)
    for fields, words in WRONG:
        answer = await her.post(f"/dashboard/goals/{goal_id}", data={**FORM, **fields})
        assert answer.status_code == 422
        assert words in answer.text.replace("\u00a0", " "), fields
    # All of them at once.
    answer = await her.post("/dashboard/goals", data={**FORM, "title": "", "target": "", "ends_at": "2020-01-01T10:00"})
    assert answer.text.count('class="field-error"') == 3


async def test_times_are_by_her_clock(her: httpx.AsyncClient, site: Site) -> None:
    goal_id = await create(her, site, starts_at="2099-01-01T10:00", ends_at="2099-01-02T10:00")
    (row,) = await site.rows("SELECT starts_at FROM goals")
    assert row["starts_at"].isoformat() == "2099-01-01T07:00:00+00:00"
    assert 'value="2099-01-02T10:00"' in await page(her, f"/dashboard/goals/{goal_id}")
    # Started before its time, it may end before that time.
    assert await act(her, goal_id, "start") == "goal-started"
    answer = await her.post(f"/dashboard/goals/{goal_id}", data={**FORM, "ends_at": "2098-01-01T10:00"})
    assert answer.status_code == 303


async def test_who_may_what(her: httpx.AsyncClient, site: Site) -> None:
    goal_id = await create(her, site, then="start")
    await site.add_streamer("boris", "Борис")
    async with site.pool.acquire() as connection, connection.transaction():
        await create_user(connection, "root@example.org", PASSWORD, is_superuser=True)
    changes = [f"/dashboard/goals/{goal_id}"] + [
        f"/dashboard/goals/{goal_id}/{name}"
        for name in ("start", "end", "up", "down", "archive", "unarchive", "delete")
    ]
    for path in ["/dashboard/goals", "/dashboard/goals/settings", *changes]:
        answer = await site.client.post(path, data=FORM, headers={"Origin": site.url})
        assert answer.status_code in (303, 401), path
        assert "sign-in" in answer.headers.get("Location", "sign-in")
    async with signed_in(site, "boris@example.org") as boris:
        assert (await boris.get(f"/dashboard/goals/{goal_id}")).status_code == 404
        for path in changes:
            assert (await boris.post(path, data=FORM)).status_code == 404, path
            assert (await boris.post(f"{path}?streamer=anna", data=FORM)).status_code in (403, 404), path
        assert "Новый микрофон" not in await page(boris)
    async with signed_in(site, "root@example.org") as root:
        assert "Новый микрофон" in await page(root, "/dashboard/goals?streamer=anna")
        answer = await root.post(f"/dashboard/goals/{goal_id}/end?streamer=anna")
        assert answer.headers["Location"] == "/dashboard/goals?said=goal-ended&streamer=anna"
    for wrong in ("0", "99999", "2147483648", "x", "-1"):
        assert (await her.get(f"/dashboard/goals/{wrong}")).status_code == 404
    assert (await her.post(f"/dashboard/goals/{goal_id}/explode")).status_code == 404


async def test_the_dashboard_has_a_part(her: httpx.AsyncClient, site: Site) -> None:
    assert "No goal is active" in await page(her, "/dashboard")
    await create(her, site, then="start", start="12 300")
    answer = await her.get("/dashboard/part/goal", headers={"HX-Request": "true"})
    assert 'data-topics="goals totals donation"' in answer.text
    assert 'aria-valuenow="24"' in answer.text


async def test_donors_see_the_active_goal(her: httpx.AsyncClient, site: Site) -> None:
    await create(her, site, title="Отпуск")
    assert "<progress" not in await page(site.client, "/donate/anna")
    await create(
        her, site, title=HOSTILE, description=HOSTILE, then="start", start="12 300", ends_at="2099-01-02T10:00"
    )
    donors = await page(site.client, "/donate/anna")
    assert "собрано 12 300 из 50 000 ₽ · до 2 января 2099" in donors
    for text in (donors, await page(her), await page(her, "/dashboard")):
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in text
    # With the longest words it still fits the page's first 14 KB, uncompressed.
    await site.pool.execute("UPDATE goals SET title = repeat('щ', 60), description = repeat('щ', 300)")
    html = (await site.client.get("/donate/anna")).content
    assert len(html) + (ROOT / "static/css/donate.css").stat().st_size <= 14 * 1024
    # An error of the form keeps it.
    answer = await site.client.post("/donate/anna", data={"amount": ""}, headers={"Origin": site.url})
    assert "<progress" in answer.text
    await site.pool.execute("UPDATE goals SET ends_at = now() - interval '1 second' WHERE status = 'active'")
    assert "<progress" not in await page(site.client, "/donate/anna")


async def test_a_goal_made_and_run_in_a_browser(browser: Browser, site: Site, streamer: Streamer) -> None:
    """On a phone: made, seen by a donor, reached, and the page of hostile and long words keeps its width."""
    context = await browser.new_context(locale="ru-RU", viewport={"width": 360, "height": 760})
    alerts: list[str] = []
    phone = await context.new_page()
    phone.on("dialog", lambda dialog: alerts.append(dialog.message))
    await phone.goto(f"{site.url}/sign-in")
    await phone.locator("#email").fill("anna@example.org")
    await phone.locator("#password").fill(PASSWORD)
    await phone.keyboard.press("Enter")
    await phone.wait_for_url("**/dashboard")
    await phone.goto(f"{site.url}/dashboard/goals")
    await phone.get_by_role("link", name="Создать первую цель").click()
    await phone.get_by_label("На что собираете").fill("<img src=x onerror=alert(1)>" + "щ" * 32)
    await phone.get_by_label("Сколько нужно").fill("300")
    await phone.get_by_role("button", name="Начать сейчас").click()
    await expect(phone.get_by_text("Цель активна: новые донаты идут в неё.")).to_be_visible()
    for path in ("/dashboard/goals", "/donate/anna", "/dashboard"):
        await phone.goto(f"{site.url}{path}")
        await expect(phone.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()
        assert await phone.evaluate("document.documentElement.scrollWidth") <= 360, path
    await add_paid(site, streamer)
    await phone.goto(f"{site.url}/dashboard/goals")
    await expect(phone.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "100")
    await expect(phone.locator(".goal-facts")).to_contain_text(re.compile("Собрана.*поздравление ждёт оверлея"))
    await phone.get_by_text("Завершить", exact=True).click()
    await phone.get_by_role("button", name="Да, завершить").click()
    await expect(phone.get_by_role("heading", name="Прошедшие")).to_be_visible()
    async with site.pool.acquire() as connection:
        (goal,) = await goals.list_goals(connection, streamer.id)
    assert goal.status is GoalStatus.REACHED
    assert alerts == []
    await context.close()
