"""`make screenshots`: every page at the widths of a phone and a desk, in both languages and both themes.

    python -m tests.pages [--only NAME ...] [--folder docs/screenshots]

A page becomes one picture, docs/screenshots/<name>.webp: above Russian, below English; dark before light, phone before
desk.
"""

import argparse
import asyncio
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import async_playwright

from infra.settings import ROOT
from tests.pages.browsers import walk
from tests.pages.cast import fill, settings_of_cast
from tests.support.chromium import chromium_arguments, find_chromium, take_picture
from tests.support.servers import TEMPLATE, Servers
from tests.support.site import open_site

GAP = 24
SETTLE_MS = 400
LONGEST = 2_400
"""Of a longer page the rest is left out."""
QUALITY = 55


async def main(folder: Path, only: set[str]) -> None:
    servers = Servers()
    try:
        database_url = await servers.postgres.create_database("screenshots", template=TEMPLATE)
        settings = settings_of_cast(servers.folder)
        async with open_site(database_url, servers.valkey.url(), **settings) as site, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=find_chromium(), args=chromium_arguments())
            cast = await fill(site)
            pictures: dict[str, list[list[Image.Image]]] = {}
            for locale in ("ru", "en"):
                for scheme in ("dark", "light"):
                    for width in (360, 1440):
                        async for visit in walk(browser, cast, width=width, scheme=scheme, locale=locale):
                            if only and visit.name not in only:
                                continue
                            # As high as the page: what is fixed to the screen stands at its end.
                            height = await visit.page.evaluate("document.documentElement.scrollHeight")
                            await visit.page.set_viewport_size({"width": width, "height": min(height, LONGEST)})
                            await visit.page.wait_for_timeout(SETTLE_MS)
                            picture = Image.open(BytesIO(await take_picture(visit.page)))
                            rows = pictures.setdefault(visit.name, [])
                            if not rows or (scheme == "dark" and width == 360):
                                rows.append([])
                            rows[-1].append(picture)
            await browser.close()
    finally:
        servers.stop()
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in pictures.items():
        _sheet(rows).save(folder / f"{name}.webp", quality=QUALITY, method=6)
    print(f"{len(pictures)} pages in {folder}")


def _sheet(rows: list[list[Image.Image]]) -> Image.Image:
    heights = [max(picture.height for picture in row) for row in rows]
    width = max(sum(picture.width + GAP for picture in row) for row in rows) - GAP
    sheet = Image.new("RGB", (width, sum(heights) + GAP * (len(rows) - 1)), "#808080")
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for picture in row:
            sheet.paste(picture, (left, top))
            left += picture.width + GAP
        top += height + GAP
    return sheet


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Take pictures of all pages.")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "screenshots")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.folder, set(arguments.only)))
