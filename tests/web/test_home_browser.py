"""Pages for everybody, on a phone."""

import pytest
from playwright.async_api import Browser

from tests.support.site import Site


@pytest.mark.parametrize("locale", ["ru-RU", "en-US"])
async def test_no_page_scrolls_sideways_on_a_phone(kept_site: Site, browser: Browser, locale: str) -> None:
    await kept_site.add_streamer()
    context = await browser.new_context(
        locale=locale, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    page = await context.new_page()
    for path in ("/", "/sign-in", "/donate/anna", "/donate/anna/consent", "/donate/nobody", "/nowhere"):
        await page.goto(kept_site.url + path)
        assert await page.evaluate("document.documentElement.scrollWidth") == 390, path
    await context.close()
