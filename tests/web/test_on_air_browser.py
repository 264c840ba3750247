"""In a real browser: a stream that begins hides what is private at once, and the statistics draw their charts."""

import re

import asyncpg
from playwright.async_api import Browser, expect

from domain.overlay_tokens import rotate_overlay_token
from infra.crypto import SecretBox
from tests.realtime.overlay_client import Overlay
from tests.support.chromium import take_picture
from tests.support.programs import Stack
from tests.web.test_dashboard_browser import open_dashboard

NBSP = "\N{NO-BREAK SPACE}"


async def fill(pool: asyncpg.Pool, streamer_id: int) -> None:
    await pool.execute(
        "INSERT INTO donations (public_id, streamer_id, status, amount_minor, public_donor_name, consent_version,"
        " paid_at)"
        " SELECT 'browser-' || lpad(n::text, 20, '0'), $1, 'paid', 1234500, 'Аня', '1', now() - n * interval '7 hours'"
        " FROM generate_series(0, 60) AS n", streamer_id,
    )  # fmt: skip
    await pool.execute(
        "INSERT INTO streamer_days (streamer_id, day, net_minor, donations)"
        " SELECT streamer_id, (paid_at AT TIME ZONE 'Europe/Moscow')::date, sum(amount_minor), count(*)"
        " FROM donations WHERE streamer_id = $1 GROUP BY 1, 2", streamer_id,
    )  # fmt: skip


async def test_a_stream_that_begins_hides_what_is_private_at_once(
    browser: Browser, stack: Stack, pool: asyncpg.Pool
) -> None:
    stack.start("web", "realtime")
    her = await open_dashboard(browser, stack, pool)
    await fill(pool, her.streamer_id)
    async with pool.acquire() as connection, connection.transaction():
        box = SecretBox(stack.environment["SECRET_KEYS"])
        token = await rotate_overlay_token(connection, box, her.streamer_id)
    await her.page.reload()
    money = await her.page.context.new_page()
    await money.goto(f"{stack.web_url}/dashboard/statistics")
    totals = her.page.locator("#totals .total-today .number")
    strip = her.page.locator(".on-air-strip")
    await expect(totals).to_contain_text("₽")
    await her.page.locator("#overlay").get_by_role("button", name="Show").click()
    await expect(her.page.locator("#overlay input")).to_be_visible()
    # A mark that would not outlive a reload.
    await her.page.evaluate("window.isTheSamePage = true")

    async with Overlay(stack.realtime_url, token, streaming=False) as overlay:
        await overlay.wait_for("welcome")
        await expect(her.page.locator("#bar")).to_contain_text("connected, 1 source")
        await expect(strip).to_be_hidden()
        assert await overlay.say("state", {"streaming": True}) == {"ok": True}
        await expect(strip).to_have_text("On air: private things are hidden")
        await expect(totals).to_have_text("••••")
        await expect(her.page.locator("#overlay input")).to_have_count(0)
        await expect(her.page.locator(".mini")).to_have_count(0)
        html = await her.page.content()
        assert token not in html
        assert f"12{NBSP}345" not in await her.page.locator("#totals").inner_html()
        # A page without a live connection asks by itself.
        await expect(money.locator(".on-air-strip")).to_be_visible()
        assert "₽" not in await money.locator(".stats").inner_text()
        await expect(money.locator("canvas")).to_have_count(0)

        # She turns it off: it stays off while this stream lasts, and nothing was loaded anew.
        await her.page.get_by_role("button", name="On air").click()
        await expect(strip).to_be_hidden()
        await expect(totals).to_contain_text("₽")
        assert await overlay.say("state", {"streaming": True}) == {"ok": True}
        await expect(money.locator("canvas").first).to_be_visible()
        await expect(strip).to_be_hidden()
        assert await her.page.evaluate("window.isTheSamePage")
    await her.page.context.close()
    assert her.troubles == []


async def test_charts_are_drawn_under_our_policy(browser: Browser, stack: Stack, pool: asyncpg.Pool) -> None:
    stack.start("web", "realtime")
    her = await open_dashboard(browser, stack, pool)
    await fill(pool, her.streamer_id)
    for scheme in ("light", "dark"):
        await her.page.emulate_media(color_scheme=scheme)
        await her.page.goto(f"{stack.web_url}/dashboard/statistics")
        canvas = her.page.locator('canvas[data-chart="days"]')
        await expect(canvas).to_be_visible()
        drawn = await canvas.evaluate(
            "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)"
        )
        assert drawn
    for width in (360, 1440):
        await her.page.set_viewport_size({"width": width, "height": 800})
        assert await her.page.evaluate("document.documentElement.scrollWidth") <= width
    await expect(her.page.locator(".week .heat-5").first).to_have_text(re.compile(r"\d"))
    await her.page.get_by_text("The same as a table").click()
    await expect(her.page.locator('[data-of="days"] tbody tr')).to_have_count(30)
    assert len(await take_picture(her.page)) > 10_000
    await her.page.context.close()
    assert her.troubles == []
