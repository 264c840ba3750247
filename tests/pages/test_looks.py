"""Every page in Chromium: no serious fault for those who hear it or see it badly, nothing wider than its screen, and
nothing of another origin; and no text of a stranger becomes more than text."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from tests.pages.browsers import Locale, Scheme, Visit, walk
from tests.pages.cast import Cast

_TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


OTHER: dict[Scheme, Scheme] = {"dark": "light", "light": "dark"}
ONLY_CONTRAST = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
"""What a page's other theme may change."""


async def serious_faults(visit: Visit, options: dict[str, Any] | None = None) -> list[str]:
    response = (await Axe().run(visit.page, options=options or {"resultTypes": ["violations"]})).response
    return [
        f"{visit.name}: {violation['id']}: {'; '.join(' '.join(node['target']) for node in violation['nodes'][:5])}"
        for violation in response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


@pytest.mark.timeout(420)  # Hundreds of pages, and the machine may have other work.
@pytest.mark.parametrize(("width", "scheme", "locale"), [(360, "dark", "ru"), (1440, "light", "en")])
async def test_every_page_is_fit_for_everybody(
    cast: Cast, browser: Browser, width: int, scheme: Scheme, locale: Locale
) -> None:
    faults = []
    async for visit in walk(browser, cast, width=width, scheme=scheme, locale=locale):
        faults += [f"{visit.name}: {trouble}" for trouble in visit.troubles]
        if (wider := await visit.page.evaluate(_TOO_WIDE)) > 0:
            faults.append(f"{visit.name}: {wider} px wider than the screen")
        faults += await serious_faults(visit)
        await visit.page.emulate_media(color_scheme=OTHER[scheme], reduced_motion="reduce")
        faults += [f"{fault} ({OTHER[scheme]})" for fault in await serious_faults(visit, ONLY_CONTRAST)]
    assert not faults, "\n".join(faults)


async def test_no_text_of_a_stranger_is_more_than_text(attacked: Cast, browser: Browser) -> None:
    faults = []
    async for visit in walk(browser, attacked, width=360, scheme="light", locale="ru"):
        faults += [f"{visit.name}: {trouble}" for trouble in visit.troubles]
        if (wider := await visit.page.evaluate(_TOO_WIDE)) > 0:
            faults.append(f"{visit.name}: {wider} px wider than the screen")
        if await visit.page.evaluate("window.struck ?? null") is not None:
            faults.append(f"{visit.name}: a stranger's script ran")
        if await visit.page.locator("iframe:not(.still-frame), [onerror], [onload], [onfocus]").count():
            faults.append(f"{visit.name}: a stranger's element")
    assert not faults, "\n".join(faults)
