"""Linking another site's account in a real browser: from a form of ours to that site and back, under our own policy."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from domain.users import create_user
from tests.simulator.support import Simulator
from tests.support.site import Site, open_site
from tests.web.conftest import PASSWORD
from tests.web.test_identities import settings_for, simulator

__all__ = ["simulator"]


@pytest.fixture
async def site(fresh_database_url: str, redis_url: str, simulator: Simulator) -> AsyncIterator[Site]:
    async with open_site(fresh_database_url, redis_url, **settings_for(simulator, "yandex")) as site:
        yield site


async def test_from_our_form_to_the_other_site_and_back(site: Site, page: Page) -> None:
    async with site.pool.acquire() as connection:
        await create_user(connection, "anya@example.com", PASSWORD)
    await page.goto(f"{site.url}/sign-in?next=/account&lang=ru")
    await page.locator("#email").fill("anya@example.com")
    await page.locator("#password").fill(PASSWORD)
    await page.get_by_role("button", name="Войти", exact=True).click()
    await page.get_by_text("Привязать…").click()
    row = page.locator("li", has_text="Яндекс ID")
    await row.get_by_label("Ваш пароль").fill(PASSWORD)
    await row.get_by_role("button", name="Привязать").click()
    # A form may lead to no other site (form-action); the page between does.
    await page.wait_for_url(re.compile("/identity/yandex/authorize"))
    await page.get_by_role("button").first.click()
    await page.wait_for_url("**/account?said=identity-linked")
    await expect(page.get_by_role("button", name="Отвязать")).to_be_visible()
