"""The moderation page in a real browser, on a phone: hostile texts are only text, a press can be undone, keys work."""

from playwright.async_api import Page, expect

from domain.moderation import Mode, Settings
from domain.moderation_settings import save_settings
from domain.streamers import Streamer
from tests.support.hostile import HOSTILE
from tests.support.site import Site
from tests.web.money import add_paid


async def test_the_queue_on_a_phone(her_page: Page, site: Site, streamer: Streamer) -> None:
    page = her_page
    async with site.pool.acquire() as connection:
        await save_settings(connection, streamer.id, Settings(mode=Mode.APPROVE))
    for text in HOSTILE:
        await add_paid(site, streamer, message=text[:300], donor_name=text[:60])
    await page.goto(f"{site.url}/dashboard/moderation")
    await expect(page.locator(".hold")).to_have_count(len(HOSTILE))
    await expect(page.locator(".hold-text").first).to_have_text(HOSTILE[0])
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    assert await page.evaluate("window.struck") is None
    assert await page.locator(".hold img, .hold script, .hold svg:not(.icon)").count() == 0

    first = page.locator(".hold").first
    await first.get_by_role("button", name="Показать").dblclick()
    await expect(first).to_contain_text("Сейчас покажем.")
    await first.get_by_role("button", name="Отменить").click()
    await expect(page.locator("#notice")).to_contain_text("снова ждёт решения")
    await page.keyboard.press("h")
    await expect(first).to_contain_text("Сейчас скроем.")
    assert await site.pool.fetchval("SELECT decision FROM holds WHERE decision IS NOT NULL") == "hide"

    await page.goto(f"{site.url}/dashboard/moderation/settings")
    await page.locator("#text").press_sequentially("вот сука")
    await expect(page.locator("#tried mark")).to_have_text("сука")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
