"""The control page in a real browser: a phone that is swiped, held and offline, an overlay that does not answer."""

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from domain.events import Topic
from domain.moderation import Mode, Settings
from domain.moderation_settings import save_settings
from domain.payment_status import NewsStatus
from tests.builders import BuiltStreamer, hear, open_donation
from tests.realtime.overlay_client import Overlay, word
from tests.support.programs import Stack
from tests.support.touch import Finger
from tests.web.test_dashboard_browser import Her, open_dashboard

# What a desktop's Chromium has not, or does not show.
RECORDER = """
window.locks = []; window.felt = [];
Object.defineProperty(navigator, "wakeLock", { value: { request: async (kind) => {
  locks.push({ kind, released: false });
  return locks.at(-1);
} } });
navigator.vibrate = (pattern) => felt.push(pattern);
"""
# What the page says at once, before any answer.
PRESS_AND_READ = "(button) => { button.click(); return document.querySelector('[data-press]').textContent; }"


@pytest.fixture
async def her(browser: Browser, stack: Stack, pool: asyncpg.Pool) -> AsyncIterator[Her]:
    stack.start("web", "realtime")
    her = await open_dashboard(browser, stack, pool)
    await her.page.add_init_script(RECORDER)
    await her.page.set_viewport_size({"width": 360, "height": 760})
    await open_control(her)
    yield her
    await her.page.context.close()


async def open_control(her: Her, page: Page | None = None, query: str = "") -> None:
    """Its live connection stands, too: with that it asks for its part."""
    page = page or her.page
    async with page.expect_response("**/dashboard/control/part*"):
        await page.goto(f"{her.stack.web_url}/dashboard/control{query}")


def press_line(page: Page) -> Locator:
    return page.locator("[data-press]")


def button(page: Page, key: str) -> Locator:
    return page.locator(f'#console [data-key="{key}"]')


def obs_of(her: Her) -> Overlay:
    return Overlay(her.stack.realtime_url, her.overlay_token)


async def hold_messages(her: Her, *messages: str) -> None:
    """Donations that wait for a decision."""
    async with her.pool.acquire() as connection, connection.transaction():
        await save_settings(connection, her.streamer_id, Settings(mode=Mode.APPROVE))
        row = await connection.fetchrow(
            "SELECT s.id, s.owner_id, s.slug, t.id AS terminal_id, t.terminal_key"
            " FROM streamers s JOIN terminals t ON t.streamer_id = s.id WHERE s.id = $1",
            her.streamer_id,
        )
        assert row is not None
        for message in messages:
            _donation, payment = await open_donation(connection, BuiltStreamer(*row), message=message)
            await hear(connection, payment, NewsStatus.CONFIRMED)
    await her.wake(Topic.ALERTS, Topic.DONATION)


async def test_a_phone_stays_on_feels_presses_and_catches_up_after_it_was_offline(her: Her) -> None:
    page = her.page
    assert await page.evaluate("locks.map(({ kind }) => kind)") == ["screen"]
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert await page.evaluate("locks.length") == 1
    # As the system ends it when the page is hidden.
    await page.evaluate("locks[0].released = true; document.dispatchEvent(new Event('visibilitychange'));")
    assert await page.evaluate("locks.length") == 2
    assert await page.evaluate("getComputedStyle(document.body).overscrollBehaviorY") == "contain"

    assert await button(page, "p").evaluate(PRESS_AND_READ) == "Sent"
    assert await page.evaluate("felt") == [20]
    await expect(button(page, "p")).to_have_attribute("aria-pressed", "true")
    await expect(page.locator(".console-held")).to_be_visible()
    await expect(press_line(page)).to_contain_text("The pause is on")

    await page.context.set_offline(True)
    banner = page.locator(".control-offline")
    await expect(banner).to_have_text(re.compile(r"^No connection, \d+ s$"), timeout=15_000)
    assert await banner.evaluate("(element) => getComputedStyle(element).fontSize") == "24px"
    # Told once to who cannot see it, not each second.
    await expect(page.get_by_role("alert")).to_have_text("No connection")
    await button(page, "m").click()
    await expect(press_line(page)).to_have_text("Not sent: there is no connection. Press once more.")
    await her.gets_donation("Аня")
    await expect(page.locator(".next")).to_have_count(0)

    await page.context.set_offline(False)
    await expect(page.locator(".next")).to_contain_text("Аня")
    await expect(banner).to_be_hidden()
    await expect(page.get_by_role("alert")).to_have_text("")
    await expect(button(page, "p")).to_contain_text("Pause: 1 waits")


async def test_an_overlay_that_does_not_answer_and_two_who_press(her: Her) -> None:
    page = her.page
    # However slow the machine is, an alert plays for longer.
    await her.pool.execute("UPDATE streamers SET alert_min_seconds = 60, alert_max_seconds = 60")
    await her.gets_donation("Аня", message="Привет")
    await her.gets_donation("Борис")
    async with obs_of(her) as obs:
        offer = await obs.offer()
        await obs.say("started", word(offer))
        await expect(page.locator(".now")).to_contain_text("Привет")
        await expect(page.locator("[data-left]")).to_have_text(re.compile(r"^\d+ s left$"))
        assert await page.locator("[data-progress] span").evaluate("(line) => line.getAnimations().length") == 1

        other = await page.context.new_page()
        await open_control(her, other)
        # Whatever reaches him meanwhile, his finger is on the same alert.
        await other.route("**/dashboard/control/part*", lambda route: route.abort())
        assert await button(page, "s").evaluate(PRESS_AND_READ) == "Sent"
        await expect(press_line(page)).to_have_text("Sent")
        away = "OBS does not answer. It will be done as soon as it is back."
        await expect(press_line(page)).to_have_text(away)
        await other.unroute("**/dashboard/control/part*")
        await button(other, "s").click()
        await expect(press_line(other)).to_contain_text("Already skipped by @")
        # Its words outlive the drawings that follow.
        await her.wake(Topic.ALERTS, Topic.CONTROLS)
        await other.wait_for_timeout(800)
        await expect(press_line(other)).to_contain_text("Already skipped by @")
        # The next one plays by now, and was not meant.
        await obs.offer()
        statuses = "SELECT array_agg(status ORDER BY id) FROM alerts"
        assert await her.pool.fetchval(statuses) == ["skipped", "playing"]

        await obs.say("stopped", {"lease_id": offer["lease_id"]})
        await expect(press_line(page)).to_have_text("Skipped: Аня · 300\u00a0₽")
        assert await her.pool.fetchval(statuses) == ["skipped", "playing"]


async def test_the_queue_is_cleared_by_a_held_press_only_and_taken_back(her: Her) -> None:
    page = her.page
    for name in ("Аня", "Борис"):
        await her.gets_donation(name)
    await page.get_by_text("More", exact=True).click()
    clear = page.locator("[data-hold]")
    await expect(clear).to_contain_text("Clear: 2 alerts")
    waiting = "SELECT count(*) FROM alerts WHERE status = 'queued'"

    async def taken_back() -> None:
        await expect(page.locator(".undo")).to_contain_text("The queue is cleared: 2 alerts")
        assert await her.pool.fetchval(waiting) == 0
        # Not by `click`, which waits on a busy machine until the page stands still.
        await page.locator(".undo button").evaluate("(button) => button.click()")
        await expect(press_line(page)).to_contain_text("Back in the queue: 2 alerts")
        assert await her.pool.fetchval(waiting) == 2
        await page.get_by_text("More", exact=True).click()

    # Too short: by mouse, by key, by finger. A busy machine makes it longer.
    await clear.click()
    await clear.hover()
    await page.mouse.down()
    await page.wait_for_timeout(250)
    await page.mouse.up()
    await clear.focus()
    await page.keyboard.press("Enter", delay=250)
    await page.keyboard.press("Space", delay=250)
    async with Finger.on(clear):
        await page.wait_for_timeout(250)
    # A finger that slides away has thought again.
    async with Finger.on(clear) as finger:
        await finger.move(0, -200)
        await page.wait_for_timeout(1_100)
    assert await her.pool.fetchval(waiting) == 2

    # Held until it is done, and only then let go.
    undo = page.locator(".undo")
    async with Finger.on(clear) as finger:
        await finger.move(4, 3)
        await expect(undo).to_be_visible()
    await taken_back()
    await clear.focus()
    await page.keyboard.down("Space")
    await expect(undo).to_be_visible()
    await page.keyboard.up("Space")
    await taken_back()
    await clear.hover()
    await page.mouse.down()
    await expect(undo).to_be_visible()
    await page.mouse.up()
    await expect(undo.locator("[data-ends-at]")).to_have_text(re.compile("^[1-3]$"))
    await expect(undo).to_have_count(0)
    assert await her.pool.fetchval(waiting) == 0


async def test_a_card_is_swiped_right_to_show_and_left_to_hide(her: Her) -> None:
    page = her.page
    await hold_messages(her, "Первое", "Второе")
    card = page.locator(".hold")
    await expect(card).to_contain_text("Первое")
    decisions = "SELECT array_agg(decision ORDER BY alert_id) FROM holds"

    # Along the page it scrolls; too short it goes back.
    async with Finger.on(card, down=40) as finger:
        await finger.move(30, -200)
    async with Finger.on(card, down=40) as finger:
        await finger.move(50)
        await expect(card).to_have_attribute("data-swipe-words", "Show")
        await expect(card).not_to_have_class(re.compile("is-far"))
    await expect(card).not_to_have_attribute("data-swipe-words", "Show")
    assert await her.pool.fetchval(decisions) == [None, None]

    # It is drawn anew once more for what was decided: not under the next finger.
    async with page.expect_response("**/dashboard/control/part*"), Finger.on(card, down=40) as finger:
        await finger.move(120)
        await expect(card).to_have_class(re.compile("is-far"))
        assert await card.evaluate("(element) => element.style.transform") == "translateX(120px)"
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
    await expect(page.locator(".console-holds .undo")).to_contain_text("It is about to be shown.")
    await expect(card).to_contain_text("Второе")
    await page.emulate_media(reduced_motion="reduce")
    async with Finger.on(card, down=40) as finger:
        await finger.move(-120)
        await expect(card).to_have_attribute("data-swipe-words", "Hide")
        assert await card.evaluate("(element) => element.style.transform") == ""
    await expect(card).to_have_count(0)
    assert await her.pool.fetchval(decisions) == ["show", "hide"]
    await page.locator(".console-holds .undo button").click()
    await expect(press_line(page)).to_have_text("Taken back: it waits again.")
    await expect(card).to_contain_text("Второе")
    await card.get_by_role("button", name="Hide").click()
    await expect(page.locator(".console-holds .undo")).to_contain_text("It is about to be hidden.")


async def test_keys_in_a_russian_layout_and_the_dock_of_240_pixels(her: Her) -> None:
    page = her.page
    session = await page.context.new_cdp_session(page)

    async def key(code: str, sign: str, modifiers: int = 0) -> None:
        key = {"code": code, "key": sign, "text": sign, "modifiers": modifiers}
        await session.send("Input.dispatchKeyEvent", {"type": "keyDown", **key})
        await session.send("Input.dispatchKeyEvent", {"type": "keyUp", **key})

    await key("KeyT", "е")
    await expect(page.locator(".next li")).to_have_count(1)
    await key("KeyP", "з")
    await expect(button(page, "p")).to_have_attribute("aria-pressed", "true")
    await key("KeyP", "з", modifiers=2)
    await key("Slash", ",", modifiers=8)
    await expect(page.get_by_role("dialog")).to_be_visible()
    await key("KeyP", "з")
    await page.keyboard.press("Escape")
    await expect(button(page, "p")).to_have_attribute("aria-pressed", "true")

    await hold_messages(her, "о" * 280)
    await her.gets_donation("Константин-Константинопольский-Длинный", 999_999_99, "о" * 280)
    await her.pool.execute("UPDATE speakers SET paused_at = now() - interval '12 minutes'")
    for query in ("?dock=1", "?dock=1&lang=ru"):
        await page.set_viewport_size({"width": 240, "height": 500})
        await open_control(her, query=query)
        await page.locator(".console-tests > summary").click()
        await page.locator(".console-more > summary").click()
        await expect(page.locator(".pause-question")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") == 240
        sizes = await page.locator("#console :is(button, summary)").evaluate_all(
            "(all) => all.map((one) => [one.textContent.trim(), one.getBoundingClientRect(),"
            " one.scrollWidth - one.clientWidth]).filter(([, box, over]) => box.height < 56 || over > 0)"
        )
        assert sizes == []
    # In a dock there is nowhere to search.
    await key("Slash", ".")
    await expect(page).to_have_url(re.compile("/dashboard/control"))

    await page.set_viewport_size({"width": 360, "height": 760})
    await open_control(her)
    await key("Slash", ".")
    await expect(page.locator("#q")).to_be_focused()
    assert await page.locator("#q").input_value() == ""
