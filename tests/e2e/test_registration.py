"""Registering on a phone with all programs running: the form, the letter by SMTP, the code, signed in."""

import asyncio
import re

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.support.programs import Stack

ANNA = "anna@example.org"


@pytest.fixture
def running(stack: Stack) -> Stack:
    stack.start("simulator", "web", "relay", "payments")
    return stack


async def code_from_the_mailbox(stack: Stack) -> str:
    async with httpx.AsyncClient(base_url=stack.simulator_url) as http:
        for _ in range(200):
            letters = (await http.get("/_sim/mailbox", params={"to": ANNA})).json()["letters"]
            if letters:
                found = re.search(r"^ +(\d{6})$", letters[0]["text"], re.MULTILINE)
                assert found is not None, letters[0]["text"]
                return found[1]
            await asyncio.sleep(0.1)
    raise AssertionError("no letter came")


async def test_from_the_form_to_the_account(browser: Browser, running: Stack) -> None:
    context = await browser.new_context(locale="ru-RU", viewport={"width": 360, "height": 760})
    page = await context.new_page()
    await page.goto(f"{running.web_url}/sign-in")
    await page.get_by_role("link", name="Зарегистрироваться").click()
    await page.get_by_label("Электронная почта").fill(ANNA)
    await page.get_by_label("Пароль").fill("password")
    await page.get_by_role("button", name="Зарегистрироваться").click()
    await expect(page.locator("#password-error")).to_contain_text("подбирают первым")
    await expect(page.locator("#consent-error")).to_be_visible()
    await page.get_by_label("Пароль").fill("кот на тёплой крыше")
    await page.locator("#consent").check()
    await page.get_by_role("button", name="Зарегистрироваться").click()

    await page.wait_for_url("**/register/code")
    await expect(page.locator("main")).to_contain_text("код уже в пути")
    await expect(page.get_by_role("button", name=re.compile("Ещё одно письмо через"))).to_be_disabled()
    code = await code_from_the_mailbox(running)
    wrong = "000000" if code != "000000" else "111111"
    await page.get_by_label("Код из письма").fill(wrong)
    await page.keyboard.press("Enter")
    await expect(page.locator("#code-error")).to_contain_text("Код не подходит")
    await page.get_by_label("Код из письма").fill(code)
    await page.keyboard.press("Enter")

    await page.wait_for_url("**/dashboard/first-steps?said=welcome")
    await expect(page.locator("#notice")).to_contain_text("Добро пожаловать")
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    await page.goto(page.url.partition("/dashboard")[0] + "/account")
    await expect(page.locator("#sessions")).to_contain_text("Это устройство, сейчас")
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    await context.close()
