"""A new account goes through the first steps in a real browser, up to a test alert that really plays."""

from playwright.async_api import Browser, expect

from domain.users import create_user
from tests.e2e.conftest import _OBS, House
from tests.support.chromium import take_picture

PASSWORD = "correct horse battery"


async def test_from_an_account_to_an_alert_that_plays(house: House, browser: Browser) -> None:
    async with house.pool.acquire() as connection:
        await create_user(connection, "new@example.org", PASSWORD)
    context = await browser.new_context(locale="ru-RU", viewport={"width": 360, "height": 760}, timezone_id="Asia/Omsk")
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(f"{house.stack.web_url}/sign-in")
    await page.locator("#email").fill("new@example.org")
    await page.locator("#password").fill(PASSWORD)
    await page.keyboard.press("Enter")

    # 1: a name, from which the address comes as one types; the clocks are the device's.
    await page.wait_for_url("**/dashboard/first-steps")
    await page.get_by_label("Имя", exact=True).fill(house.slug)
    await expect(page.locator("#slug-help")).to_contain_text(f"{house.slug}-live", timeout=15_000)
    await page.get_by_label("Имя", exact=True).fill("Кот Учёный")
    await expect(page.locator("#slug-help")).to_contain_text("/donate/kot-uchenyy", timeout=15_000)
    await expect(page.locator("#time_zone")).to_have_value("Asia/Omsk")
    await page.get_by_role("button", name="Создать страницу").last.click()

    # 2: what viewers see.
    await page.get_by_label("Пара слов о вас").fill("Игры по вечерам")
    await page.get_by_role("button", name="Сохранить и дальше").click()

    # 3: OBS opens the address; the page sees it by itself.
    check = page.locator("#check")
    await expect(check).to_contain_text("Ждём OBS")
    await page.wait_for_load_state()
    wide = await page.evaluate(
        "[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)"
        ".map((e) => `${e.tagName}.${e.className}`)"
    )
    assert wide == []
    await page.get_by_role("button", name="Показать").click()
    address = await page.locator("input.address-text").input_value()
    obs_context = await browser.new_context(viewport={"width": 1280, "height": 720})
    await obs_context.add_init_script(_OBS)
    obs = await obs_context.new_page()
    await obs.goto(address)
    await expect(check).to_contain_text("OBS подключён", timeout=20_000)
    await expect(page.locator("#steps")).to_contain_text("Готово 3 из 5")
    await check.get_by_role("link", name="К тестовому алерту").click()

    # 4: a press, and it is on screen there; here it says so in its own time.
    await page.get_by_role("button", name="Проиграть тестовый алерт").click()
    await expect(obs.locator(".alert")).to_contain_text("Аня", timeout=20_000)
    await expect(check).to_contain_text("Сыграл в", timeout=30_000)
    await expect(page.locator("#steps")).to_contain_text("Готово 4 из 5")
    assert len(await take_picture(page)) > 10_000
    await check.get_by_role("link", name="К приёму денег").click()

    # 5: nobody yet; the dashboard remembers where one was.
    await page.get_by_role("button", name="Пока никто").click()
    await expect(page.locator("#nobody")).to_contain_text("выбрано")
    await page.goto(f"{house.stack.web_url}/dashboard")
    await expect(page.locator("#bar")).to_contain_text("Продолжить настройку (4 из 5)")
    await expect(page.locator("#bar")).to_contain_text("Тестовый режим")
    assert errors == []
    await obs_context.close()
    await context.close()
