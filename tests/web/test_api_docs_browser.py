"""The API's page on a phone: an operation can be opened and read, and the page stays as wide as the phone."""

from playwright.async_api import Page, expect

from tests.support.site import Site


async def test_an_operation_fits_a_phone(her_page: Page, site: Site) -> None:
    page = her_page
    await page.set_viewport_size({"width": 360, "height": 780})
    await page.goto(f"{site.settings.web_url}/docs/api")
    await page.locator("#operations-tag-custom-alerts").click()
    await page.locator("#operations-custom-alerts-custom_alerts_create .opblock-summary").click()
    await expect(page.locator(".opblock.is-open .responses-table").first).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
