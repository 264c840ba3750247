"""The donation page's settings in a real browser, and hostile texts in every field, on every page that shows them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Request, expect

from domain.streamers import Streamer
from tests.support.hostile import HOSTILE
from tests.support.pictures import picture
from tests.support.site import Site
from tests.web.conftest import desk_of
from web.pages.home import FEATURED
from web.pages.streamers import PAGE_LENGTH

PHONE: Any = {"width": 360, "height": 760}


@pytest.fixture
async def her_page(browser: Browser, site: Site, streamer: Streamer) -> AsyncIterator[Page]:
    """The streamer's desk."""
    async with desk_of(browser, site, streamer, width=1440, height=900) as page:
        yield page


async def test_the_preview_follows_what_is_typed_and_a_picture_is_kept_at_once(her_page: Page, site: Site) -> None:
    page = her_page
    await page.goto(f"{site.url}/dashboard/page")
    preview = page.locator("#preview-shown")
    # What is in a shadow root, the page's styles do not reach.
    await expect(preview.locator("h1")).to_have_text("Анна")
    assert await preview.locator("h1").evaluate("(title) => title.getRootNode() instanceof ShadowRoot")
    await page.locator("#display_name").fill("Анна играет")
    await expect(preview.locator("h1")).to_have_text("Анна играет")
    await page.locator("#thanks").fill("Ты чудо!")
    await expect(preview.locator(".thanks")).to_have_text("Ты чудо!")
    await page.locator("#accent").fill("#ffd23f")
    await page.locator("#has_accent").check()
    await expect(page.locator("#accent-corrected")).to_be_visible()
    colour = "(button) => getComputedStyle(button).backgroundColor"
    await expect(preview.locator(".pay")).not_to_have_css("background-color", "rgb(31, 94, 255)")
    assert await preview.locator(".pay").evaluate(colour) != "rgb(255, 210, 63)", "corrected"

    await page.locator("#avatar").set_input_files({"name": "cat.png", "mimeType": "image/png", "buffer": picture()})
    await expect(page.locator("#pictures .picture-avatar[src]")).to_be_visible()
    await expect(preview.locator("img.face")).to_be_visible()
    await expect(page.locator("#display_name")).to_have_value("Анна играет")
    assert await site.pool.fetchval("SELECT display_name FROM streamers") == "Анна"
    await page.locator("#avatar").set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": b"<svg/>"})
    await expect(page.locator("#avatar-error")).to_contain_text("не картинка")
    await expect(preview.locator("img.face")).to_be_visible()
    # Told at once and not sent; the next one is.
    await page.locator("#avatar").set_input_files(
        {"name": "y.png", "mimeType": "image/png", "buffer": picture() + bytes(6 * 1024 * 1024)}
    )
    await expect(page.locator("[data-size-error]")).to_contain_text("Тяжелее 5 МБ")
    assert await page.locator("#avatar").input_value() == ""
    await page.locator("#avatar").set_input_files({"name": "z.png", "mimeType": "image/png", "buffer": picture()})
    await expect(page.locator(".field-error")).to_have_count(0)
    await page.get_by_role("button", name="Убрать аватар").click()
    await expect(preview.locator("img.face")).to_have_count(0)

    # Enter saves; it is not the press of "Remove".
    await page.locator("#display_name").press("Enter")
    await page.wait_for_url("**/dashboard/page?said=page-saved")
    assert await site.pool.fetchval("SELECT display_name FROM streamers") == "Анна играет"


async def test_without_scripts_nothing_is_missing(browser: Browser, site: Site, her_page: Page) -> None:
    state: Any = await her_page.context.storage_state()
    context = await browser.new_context(
        locale="ru-RU",
        viewport=PHONE,
        java_script_enabled=False,
        storage_state=state,
    )
    page = await context.new_page()
    await page.goto(f"{site.url}/dashboard/page")
    await page.locator("#display_name").fill("Новое имя")
    await page.locator("#avatar").set_input_files({"name": "cat.png", "mimeType": "image/png", "buffer": picture()})
    await page.get_by_role("button", name="Посмотреть").click()
    await expect(page.locator("#preview-shown h1")).to_have_text("Новое имя")
    await expect(page.locator("#preview-shown img.face")).to_be_visible()
    await page.get_by_role("button", name="Сохранить").last.click()
    await page.wait_for_url("**/dashboard/page?said=page-saved")
    await context.close()


async def test_hostile_texts_are_only_text_and_break_no_page(site: Site, her_page: Page) -> None:
    struck: list[str] = []
    her_page.on("dialog", lambda dialog: struck.append(dialog.message))
    her_page.on("request", lambda request: struck.append(request.url) if site.url not in request.url else None)
    await her_page.set_viewport_size(PHONE)

    async def look(path: str, *texts: str) -> None:
        await her_page.goto(site.url + path)
        shown = " ".join((await her_page.locator("main").first.text_content() or "").split())
        for text in texts:
            assert " ".join(text[:60].split())[:20] in shown, (path, text)
        assert await her_page.evaluate("document.documentElement.scrollWidth") == 360, (path, texts)
        assert await her_page.evaluate("window.struck") is None, (path, texts)

    for text in HOSTILE:
        # Past every check of ours: as if one of them had failed.
        await site.pool.execute(
            "UPDATE streamers SET display_name = $1, about = $2, thanks = $3, links = $4",
            text[:60],
            text[:500],
            text[:300],
            [f"https://anna.example/{text[:60]}"],
        )
        await look("/donate/anna", text)
        await look("/dashboard/page", text)
    # All of them at once, in the list and on the first page.
    await site.pool.execute(
        """
        WITH people AS (
            INSERT INTO users (email, password_hash) SELECT 'p' || n || '@example.org', 'none'
            FROM generate_series(1, cardinality($1::text[])) AS n RETURNING id
        ), numbered AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM people), made AS (
            INSERT INTO streamers (owner_id, slug, display_name, about, is_listed, featured_place)
            SELECT id, 'p-' || id, left(($1::text[])[n], 60), left(($1::text[])[n], 500), true, n FROM numbered
            RETURNING id
        )
        INSERT INTO terminals (streamer_id, provider, terminal_key, secret_encrypted)
        SELECT id, 'tbank', 'key-' || id, 'none' FROM made
        """,
        HOSTILE,
    )
    await look("/streamers", *HOSTILE[:PAGE_LENGTH])
    await look("/streamers?lang=en", *HOSTILE[:PAGE_LENGTH])
    await look("/?lang=ru", *HOSTILE[:FEATURED])
    await site.pool.execute("UPDATE users SET is_superuser = true WHERE email = 'anna@example.org'")
    await look("/admin/streamers", *HOSTILE)
    await her_page.goto(f"{site.url}/streamers?search=%3Cscript%3Ewindow.struck%3D1%3C%2Fscript%3E\"'{{{{7*7}}}}")
    assert await her_page.evaluate("window.struck") is None
    assert struck == []


async def test_the_list_and_the_first_page_fit_a_phone(browser: Browser, site: Site, streamer: Streamer) -> None:
    await site.pool.execute("UPDATE streamers SET is_listed = true, featured_place = 1 WHERE id = $1", streamer.id)
    schemes: Any = ("light", "dark")
    for scheme in schemes:
        for locale in ("ru-RU", "en-US"):
            context = await browser.new_context(
                locale=locale,
                viewport=PHONE,
                color_scheme=scheme,
            )
            page = await context.new_page()
            asked: list[str] = []

            def note(request: Request, asked: list[str] = asked) -> None:
                asked.append(request.url)

            page.on("request", note)
            for path in ("/", "/streamers", "/streamers?search=anna", "/streamers?search=nobody", "/donate/nobody"):
                await page.goto(site.url + path)
                assert await page.evaluate("document.documentElement.scrollWidth") == 360, path
            assert all(url.startswith(site.url) for url in asked)
            await context.close()
