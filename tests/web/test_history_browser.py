"""The list of donations on the streamer's phone: search as one types, sums, a row's menu, a file."""

import asyncio
import re
from pathlib import Path

from openpyxl import load_workbook
from playwright.async_api import Page, expect

from domain.streamers import Streamer
from tasks.exports import export_donations
from tasks.runtime import close_parts, open_parts
from tests.support.site import Site
from tests.web.money import add_paid


async def test_filter_sums_export_download(her_page: Page, site: Site, streamer: Streamer, tmp_path: Path) -> None:
    page = her_page
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await add_paid(site, streamer, message="слон " * 50, donor_name="Очень_длинное_имя_без_пробелов_и_без_конца")
    await add_paid(site, streamer, 40_000, amount_minor=40_000, message="белый кит", donor_name="Катя")
    await page.goto(f"{site.url}/dashboard/donations")
    await expect(page.locator(".donation")).to_have_count(2)
    await expect(page.locator("#sums")).to_contain_text("700")

    await page.keyboard.press("/")
    await expect(page.locator("#q")).to_be_focused()
    await page.keyboard.type("КИТ")
    await expect(page.locator(".donation")).to_have_count(1)
    await expect(page.locator("#sums")).to_contain_text("400")
    await expect(page).to_have_url(re.compile(r"/dashboard/donations\?q=%D0%9A%D0%98%D0%A2$"))
    await expect(page.locator("#q")).to_be_focused()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360

    await page.locator(".row-menu > summary").click()
    await expect(page.get_by_role("button", name="Показать ещё раз")).to_be_in_viewport()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Показать ещё раз")).to_be_hidden()

    await page.get_by_role("button", name="Excel").click()
    await page.wait_for_url("**/dashboard/donations/exports?said=export-asked")
    await expect(page.locator(".export")).to_contain_text("«КИТ»")
    parts = await open_parts(site.settings, pool_size=2)
    (row,) = await site.rows("SELECT id FROM exports")
    await export_donations(parts, row["id"])
    await close_parts(parts)
    # The line asks for itself.
    link = page.get_by_role("link", name="Скачать")
    await expect(link).to_be_visible()
    async with page.expect_download() as waited:
        await link.click()
    download = await waited.value
    assert download.suggested_filename.startswith("Донаты anna")
    await download.save_as(tmp_path / "file.xlsx")
    sheet = await asyncio.to_thread(lambda: [*load_workbook(tmp_path / "file.xlsx").active.values])
    assert [(line[1], line[4], line[5]) for line in sheet[1:]] == [(400, "Катя", "белый кит")]
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    assert errors == []
