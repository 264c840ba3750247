"""A webhook in a real browser, on a phone: added, tried, its answer seen, its secret copied."""

import re
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from domain.streamers import Streamer
from tests.support.chromium import take_picture
from tests.support.site import Site
from tests.web.conftest import desk_of


async def test_from_the_form_to_the_answer(her_page: Page, site: Site, streamer: Streamer, tmp_path: Path) -> None:
    page = her_page
    await page.goto(f"{site.url}/dashboard/webhooks")
    await page.get_by_label("Адрес").fill("bot.example.org")
    await page.get_by_label("Алерт показан").check()
    await page.get_by_role("button", name="Добавить вебхук").click()
    await expect(page.locator("#url-error")).to_contain_text("https://")
    await expect(page.get_by_label("Адрес")).to_be_focused()
    await expect(page.get_by_label("Алерт показан")).to_be_checked()
    # Ko-fi's format knows donations only: there is nothing to choose.
    await page.get_by_label("Как у Ko-fi").check()
    await expect(page.get_by_label("Алерт показан")).to_be_hidden()
    await page.get_by_label("СтримКэш", exact=True).check()
    await page.get_by_label("Адрес").fill("https://bot.example.org/hook")
    await page.get_by_role("button", name="Добавить вебхук").click()
    await expect(page.locator("h1")).to_have_text("bot.example.org")

    await page.get_by_role("button", name="Отправить тест").click()
    line = page.locator(".delivery")
    await expect(line).to_contain_text("отправляется")
    await site.pool.execute(
        "UPDATE webhook_deliveries SET status = 'failed', next_try_at = NULL, http_status = 500, took_ms = 120,"
        " tried_at = now(), tries = 1, answer = 'Traceback <b>most recent</b>'"
    )
    await site.pool.execute("UPDATE webhooks SET failing_since = now()")
    # By itself.
    await expect(line).to_contain_text("не доставлено")
    await expect(line).to_contain_text("Ответ 500")
    # Its state beside it is no longer that of a webhook nothing was sent to.
    await expect(page.locator("#state")).to_contain_text("Не доходит с")
    await expect(page.locator("#state")).to_have_count(1)
    await line.locator("summary").click()
    await expect(line.locator("pre")).to_have_text("Traceback <b>most recent</b>")
    # It asks no longer, so what was opened stays so.
    await expect(line).not_to_have_attribute("hx-trigger", re.compile(".*"))
    await expect(line.locator("pre")).to_be_visible()
    await take_picture(page, path=tmp_path / "webhook.png", full_page=True)

    await page.get_by_role("button", name="Показать").click()
    await expect(page.locator("#secret .address-text")).to_have_text(re.compile(r"^whsec_[A-Za-z0-9+/]{43}=$"))
    await page.locator("summary", has_text="Python").click()
    await expect(page.locator("pre", has_text="def is_genuine")).to_be_visible()
    await page.locator("summary", has_text="Выключить").click()
    await page.get_by_role("button", name="Да, выключить").click()
    await expect(page.locator("#state")).to_contain_text("Выключено вручную")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    assert await site.rows("SELECT is_on FROM webhooks WHERE streamer_id = $1", streamer.id) == [{"is_on": False}]


async def test_a_button_pressed_again_while_the_answer_is_on_its_way_makes_one(her_page: Page, site: Site) -> None:
    page = her_page
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    await page.goto(f"{site.url}/dashboard/webhooks")
    await page.get_by_label("Адрес").fill("https://bot.example.org/hook")
    button = page.get_by_role("button", name="Добавить вебхук")
    await button.scroll_into_view_if_needed()
    box = await button.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    async with site.pool.acquire() as connection, connection.transaction():
        # The answer waits. With the mouse, for Playwright's own click would wait, too.
        await connection.execute("LOCK TABLE webhooks IN ACCESS EXCLUSIVE MODE")
        async with page.expect_request(lambda request: request.method == "POST"):
            await page.mouse.click(*middle)
        await page.wait_for_timeout(200)
        await page.mouse.click(*middle)
        await page.wait_for_timeout(300)
    await expect(page.locator("h1")).to_have_text("bot.example.org")
    assert len(sent) == 1
    assert len(await site.rows("SELECT 1 FROM webhooks")) == 1


async def test_without_scripts_the_answer_appears_by_itself(browser: Browser, site: Site, streamer: Streamer) -> None:
    async with desk_of(browser, site, streamer, scripts=False) as page:
        await page.goto(f"{site.url}/dashboard/webhooks")
        await page.get_by_label("Адрес").fill("https://bot.example.org/hook")
        await page.get_by_role("button", name="Добавить вебхук").click()
        await page.get_by_role("button", name="Отправить тест").click()
        await expect(page.locator(".delivery")).to_contain_text("отправляется")
        assert page.url.endswith("#log")
        await site.pool.execute(
            "UPDATE webhook_deliveries SET status = 'delivered', next_try_at = NULL, http_status = 204, took_ms = 9,"
            " tried_at = now(), tries = 1"
        )
        await expect(page.locator(".delivery")).to_contain_text("Ответ 204")
