"""`make screenshots`: every page at the widths of a phone and a desk, in both languages and both themes.

    python -m tests.pages [--only NAME ...] [--folder docs/screenshots] [--all]

A page becomes one picture, docs/screenshots/<name>.webp: above Russian, below English; dark before light, phone before
desk. One that looks as it did, but for times and other small change, is left as it is, unless it is named or `--all` is
said. Three pages together, front-<locale>.webp, are for the README.
"""

import argparse
import asyncio
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from PIL import Image, ImageChops, UnidentifiedImageError
from playwright.async_api import Page, async_playwright

from infra.settings import ROOT
from tests.pages import collage
from tests.pages.browsers import Locale, Scheme, walk
from tests.pages.cast import fill, settings_of_cast
from tests.pages.story import EVENING, weeks_before
from tests.support.chromium import chromium_arguments, find_chromium, take_picture
from tests.support.servers import TEMPLATE, Servers
from tests.support.site import open_site

LOCALES: tuple[Locale, ...] = ("ru", "en")
SCHEMES: tuple[Scheme, ...] = ("dark", "light")
SCALES = {360: 0.675, 1440: 0.495}
"""How small a width becomes in a sheet: all sheets together stay under five megabytes."""
GAP = 14
SETTLE_MS = 400
LONGEST = 1_100
"""Of a longer page the rest is left out."""
QUALITY = 30
SAME = 0.02
"""So large a share of a sheet's pixels may differ before it counts as another."""

Variant = tuple[Locale, Scheme, int]


async def main(folder: Path, only: set[str], *, everything: bool) -> None:
    pages = await _take(only | set(collage.NAMES) if only else set())
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for name, pictures in pages.items():
        if only and name not in only:
            continue
        written += _keep(_sheet(pictures), folder / f"{name}.webp", QUALITY, anyway=everything or bool(only))
    for locale in LOCALES:
        front = collage.front({name: pages[name] for name in collage.NAMES}, locale)
        written += _keep(front, folder / f"front-{locale}.webp", 60, anyway=everything)
    print(f"{len(pages)} pages; {written} pictures written to {folder}")


async def _take(only: set[str]) -> dict[str, dict[Variant, Image.Image]]:
    servers = Servers()
    pages: dict[str, dict[Variant, Image.Image]] = {}
    try:
        database_url = await servers.postgres.create_database("screenshots", template=TEMPLATE)
        settings = settings_of_cast(servers.folder)
        async with open_site(database_url, servers.valkey.url(), **settings) as site, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=find_chromium(), args=chromium_arguments())
            now = datetime.now(ZoneInfo("Europe/Moscow"))
            cast = await fill(site, replace(EVENING, past=tuple(weeks_before(now.weekday(), now.hour))))
            for locale in LOCALES:
                for scheme in SCHEMES:
                    for width in SCALES:
                        visits = walk(browser, cast, width=width, scheme=scheme, locale=locale, only=only)
                        async for visit in visits:
                            await _dress(visit.page, site.url)
                            if visit.name == "donate":
                                await _write(visit.page)
                            # As high as the page: what is fixed to the screen stands at its end.
                            height = await visit.page.evaluate("document.documentElement.scrollHeight")
                            await visit.page.set_viewport_size({"width": width, "height": min(height, LONGEST)})
                            await visit.page.wait_for_timeout(SETTLE_MS)
                            picture = Image.open(BytesIO(await take_picture(visit.page))).convert("RGB")
                            pages.setdefault(visit.name, {})[locale, scheme, width] = picture
            await browser.close()
    finally:
        servers.stop()
    return pages


async def _dress(page: Page, url: str) -> None:
    """Where a page takes the system's typeface, pictures take ours: systems differ, and a server may have none."""
    await page.add_style_tag(url=f"{url}/static/css/onest.css")
    await page.evaluate("document.body.style.fontFamily = 'Onest'; document.fonts.ready.then(() => true)")


async def _write(page: Page) -> None:
    """A donor in the middle of the form."""
    gift = EVENING.gifts[-1]
    await page.fill("#message", gift.message)
    await page.fill("#name", gift.name or "")
    await page.fill("#amount", str(gift.roubles))
    await page.locator("#amount").blur()
    await page.evaluate("window.scrollTo(0, 0)")


def _sheet(pictures: dict[Variant, Image.Image]) -> Image.Image:
    """A row for each language."""
    rows = [
        [_small(pictures[locale, scheme, width], SCALES[width]) for scheme in SCHEMES for width in SCALES]
        for locale in LOCALES
    ]
    heights = [max(picture.height for picture in row) for row in rows]
    width = sum(picture.width + GAP for picture in rows[0]) - GAP
    sheet = Image.new("RGB", (width, sum(heights) + GAP * (len(rows) - 1)), "#808080")
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for picture in row:
            sheet.paste(picture, (left, top))
            left += picture.width + GAP
        top += height + GAP
    return sheet


def _small(picture: Image.Image, scale: float) -> Image.Image:
    size = (round(picture.width * scale), round(picture.height * scale))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _keep(picture: Image.Image, path: Path, quality: int, *, anyway: bool) -> bool:
    """Whether it was written."""
    encoded = BytesIO()
    picture.save(encoded, "WEBP", quality=quality, method=6)
    if not anyway and path.exists() and _looks_as(Image.open(encoded), path):
        return False
    path.write_bytes(encoded.getvalue())
    return True


def _looks_as(picture: Image.Image, path: Path) -> bool:
    try:
        former = Image.open(path).convert("L")
    except UnidentifiedImageError:
        return False
    if former.size != picture.size:
        return False
    difference = ImageChops.difference(former, picture.convert("L")).point(lambda value: 255 if value > 48 else 0)
    return difference.histogram()[255] <= SAME * difference.width * difference.height


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Take pictures of all pages.")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--all", action="store_true", help="write also what looks as it did")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.folder, set(arguments.only), everything=arguments.all))
