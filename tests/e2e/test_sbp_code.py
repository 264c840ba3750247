"""Paying by the SBP code of the donor's own page, and the page that sees it without a press."""

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.conftest import House
from tests.support.chromium import take_picture
from tests.support.qr import read_qr_codes


async def test_a_donor_at_a_desk_pays_with_a_phone(house: House, browser: Browser) -> None:
    address = await house.wish()
    await house.until_open(address)
    desk = await (await browser.new_context(locale="ru-RU", viewport={"width": 1280, "height": 800})).new_page()
    await desk.goto(house.stack.web_url + address)
    await expect(desk.locator("#donate[data-enhanced][data-htmx-powered]")).to_be_attached()
    # All that the phone has is what its camera reads off the screen.
    [link] = await read_qr_codes(browser, await take_picture(desk))
    await pay_in_the_banks_app(browser, link)
    await expect(desk.locator("h2")).to_contain_text("Оплата получена", timeout=20_000)
    await expect(desk.locator(".code")).to_have_count(0)
    await house.until_paid(address)
    await desk.context.close()


@pytest.mark.parametrize("java_script", [True, False])
async def test_a_donor_with_a_phone_taps(house: House, browser: Browser, java_script: bool) -> None:
    address = await house.wish()
    await house.until_open(address)
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    context = await browser.new_context(locale="ru-RU", java_script_enabled=java_script, **phone)
    page = await context.new_page()
    await page.goto(house.stack.web_url + address)
    await page.get_by_role("link", name="Открыть приложение банка").tap()
    await page.locator('button[data-attempt="pay"]').click()
    await house.until_paid(address)
    # The tab was killed while its owner was in the app.
    await page.goto(house.stack.web_url + address)
    await expect(page.locator("h2")).to_contain_text("Оплата получена")
    await context.close()


async def pay_in_the_banks_app(browser: Browser, link: str) -> None:
    context = await browser.new_context(locale="ru-RU", viewport={"width": 390, "height": 844})
    app = await context.new_page()
    await app.goto(link)
    await app.locator('button[data-attempt="pay"]').click()
    # It was sent: with its page the press would be gone.
    await expect(app.locator('button[data-attempt="pay"]')).to_have_count(0)
    await context.close()
