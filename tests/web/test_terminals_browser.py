"""Connecting a terminal in a real browser, against the simulated bank, with scripts and without."""

import asyncpg
import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.programs import Stack

PASSWORD = "correct horse battery"
KEY, SECRET = "1700000000001DEMO", "s3cr3t_0f_4nna"


@pytest.fixture
async def site(stack: Stack) -> Stack:
    stack.start("simulator", "web")
    arguments = ("--email", "anna@example.org", "--slug", "anna", "--display-name", "Анна")
    stack.manage("create-streamer", *arguments, stdin=PASSWORD)
    return stack


async def sign_in(page: Page, site: Stack) -> None:
    await page.goto(f"{site.web_url}/sign-in?next=/dashboard/terminals")
    await page.fill("#email", "anna@example.org")
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_url("**/dashboard/terminals")


async def tell_the_bank(page: Page, site: Stack, key: str = KEY) -> None:
    answer = await page.request.post(
        f"{site.simulator_url}/_sim/terminals", data={"terminal_key": key, "password": SECRET}
    )
    assert answer.ok


async def connect(page: Page, secret: str = SECRET) -> None:
    await page.fill("#tbank-key", KEY)
    await page.fill("#tbank-secret", secret)
    await page.press("#tbank-secret", "Enter")


@pytest.mark.parametrize("with_scripts", [True, False], ids=["scripts", "no scripts"])
async def test_a_streamer_connects_her_terminal(
    site: Stack, browser: Browser, pool: asyncpg.Pool, with_scripts: bool
) -> None:
    context = await browser.new_context(locale="ru-RU", java_script_enabled=with_scripts)
    page = await context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    await sign_in(page, site)
    await expect(page.locator(".notice-here")).to_contain_text("Подключите приём денег")
    await tell_the_bank(page, site)
    if with_scripts:
        await expect(page.locator("#connect-tbank form[data-htmx-powered]")).to_be_attached()

    await connect(page, "wrong")
    await expect(page.locator("#connect-tbank [role=alert]")).to_contain_text("Т-Банк не принял ключ")
    await expect(page.locator("#tbank-secret")).to_be_focused()
    await expect(page.locator("#tbank-secret")).to_have_value("")
    await expect(page.locator("#tbank-key")).to_have_value(KEY)

    # The bank falls silent: a second button keeps the pair all the same.
    fault = {"method": "CheckOrder", "kind": "reset", "times": 2}
    assert (await page.request.post(f"{site.simulator_url}/_sim/faults", data=fault)).ok
    await page.fill("#tbank-secret", SECRET)
    await page.click("text=Проверить и подключить")
    unchecked = page.get_by_role("button", name="Сохранить без проверки")
    await expect(unchecked).to_be_visible()
    await page.fill("#tbank-secret", SECRET)
    await unchecked.click()
    await expect(page.locator("#notice")).to_contain_text("Сохранено без проверки.")
    await expect(page.locator("main")).to_contain_text("ещё нет: сохранён без проверки")
    await expect(page.locator("main")).to_contain_text("Тестовый режим")
    await page.click("text=Проверить ещё раз")
    await expect(page.locator("#notice")).to_contain_text("Проверили: ключ подходит.")
    row = await pool.fetchrow("SELECT terminal_key, checked_at FROM terminals")
    assert row is not None
    assert row["terminal_key"] == KEY
    assert row["checked_at"] is not None
    assert SECRET not in await page.content()
    assert SECRET not in site["web"].log

    await page.click("summary:has-text('Отключить…')")
    await page.click("button:has-text('Отключить')")
    await expect(page.locator("#notice")).to_contain_text("Отключено.")
    assert [trouble for trouble in troubles if "422" not in trouble] == []
    await context.close()


async def test_the_address_is_copied(site: Stack, browser: Browser) -> None:
    context = await browser.new_context(locale="ru-RU", permissions=["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    await sign_in(page, site)
    await page.click("#connect-yookassa summary")
    button = page.locator("#connect-yookassa [data-copy]")
    await button.click()
    await expect(button).to_have_text("Скопировано")
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{site.web_url}/api/v1/payments/webhook/yookassa"
    await context.close()


@pytest.mark.parametrize("width", [360, 1280])
async def test_nothing_is_wider_than_the_screen(site: Stack, browser: Browser, width: int) -> None:
    context = await browser.new_context(locale="ru-RU", viewport={"width": width, "height": 800})
    page = await context.new_page()
    await sign_in(page, site)
    await tell_the_bank(page, site)
    await connect(page)
    await expect(page.locator("#notice")).to_contain_text("Подключено и проверено.")
    for address in ("/dashboard/terminals", "/dashboard/receipts"):
        await page.goto(site.web_url + address)
        for summary in await page.locator("#main summary").all():
            await summary.click()
        for radio in await page.locator("[type=radio]").all():
            await radio.check()
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await context.close()
