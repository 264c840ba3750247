"""The list of all settings in a real browser: found as one types, whole without a script."""

from playwright.async_api import Browser, Page, expect

from domain.streamers import Streamer
from tests.support.chromium import take_picture
from tests.support.site import Site
from tests.web.conftest import desk_of


async def test_a_setting_is_found_by_any_of_its_words(her_page: Page, browser: Browser, site: Site) -> None:
    page = her_page
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.locator(".tabs-more summary").click()
    await page.locator(".sheet").get_by_role("link", name="Все настройки").click()
    # The script has run.
    await expect(page.locator("#find")).to_be_visible()
    shown = page.locator("[data-item]:visible")
    everything = await shown.count()
    assert everything >= 15

    # By what it says, by its help, by how it is set; whole groups go with what is not in them.
    await page.keyboard.press("/")
    await expect(page.locator("#find")).to_be_focused()
    await page.keyboard.type("ПАРОЛЬ почта")
    await expect(shown).to_have_count(1)
    await expect(shown).to_contain_text("Аккаунт")
    await expect(page.locator("[data-group]:visible")).to_have_count(1)
    assert len(await take_picture(page)) > 5_000
    await page.locator("#find").fill("/anna")
    await expect(shown).to_contain_text("Страница доната")
    await page.locator("#find").fill("чего нет")
    await expect(shown).to_have_count(0)
    await expect(page.locator("#settings-none")).to_contain_text("Ничего такого нет")
    await page.keyboard.press("Escape")
    await expect(shown).to_have_count(everything)
    await page.locator("#find").fill("фильтр")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/dashboard/moderation/settings")
    assert errors == []

    plain = await browser.new_context(java_script_enabled=False, storage_state=await page.context.storage_state())
    without = await plain.new_page()
    await without.goto(f"{site.url}/dashboard/settings")
    await expect(without.locator("[data-item]:visible")).to_have_count(everything)
    await expect(without.locator("#find")).to_be_hidden()
    await plain.close()


async def test_where_one_is_stands_in_sight_in_a_long_menu(browser: Browser, site: Site, streamer: Streamer) -> None:
    async with desk_of(browser, site, streamer, width=1280, height=600) as page:
        for path in ("/account", "/dashboard/webhooks", "/dashboard"):
            await page.goto(f"{site.url}{path}")
            await expect(page.locator(".menu [aria-current]")).to_be_in_viewport(ratio=1)
            assert await page.evaluate("scrollY") == 0
