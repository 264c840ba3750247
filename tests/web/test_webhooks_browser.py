"""A webhook in a real browser, on a phone: added, tried, its answer seen, its secret copied."""

import re
from pathlib import Path

from playwright.async_api import Page, expect

from domain.streamers import Streamer
from tests.support.chromium import take_picture
from tests.support.site import Site


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
    # By itself.
    await expect(line).to_contain_text("не доставлено")
    await expect(line).to_contain_text("Ответ 500")
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
