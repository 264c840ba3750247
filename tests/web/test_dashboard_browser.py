"""The dashboard in a real browser: it follows what happens by itself, and its buttons need no reload."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from playwright.async_api import Browser, Page, expect

from domain import alerts
from domain.events import WAKE_CHANNEL, Topic, Wake
from infra.redis import open_redis, publish
from tests.support.programs import Stack
from tests.support.touch import Finger

PASSWORD = "demo-password"


@dataclass
class Her:
    """The streamer at her dashboard."""

    page: Page
    stack: Stack
    pool: asyncpg.Pool
    streamer_id: int
    overlay_token: str
    troubles: list[str]
    """What the browser's console complained about."""

    async def gets_wish(self, name: str, message: str = "Привет", amount_minor: int = 30_000) -> int:
        """A donation that is not paid yet; its id."""
        donation_id: int = await self.pool.fetchval(
            "INSERT INTO donations (public_id, streamer_id, amount_minor, public_donor_name, public_message,"
            " consent_version) VALUES (gen_random_uuid(), $1, $2, $3, $4, '1') RETURNING id",
            self.streamer_id, amount_minor, name, message,
        )  # fmt: skip
        return donation_id

    async def gets_donation(
        self,
        name: str,
        amount_minor: int = 30_000,
        message: str = "Привет",
        *,
        donation_id: int | None = None,
        wake: bool = True,
    ) -> None:
        """As a paid donation, opened now or before, is written down, with the wake-up that follows its commit."""
        async with self.pool.acquire() as connection, connection.transaction():
            donation_id = donation_id or await self.gets_wish(name, message, amount_minor)
            await connection.execute("UPDATE donations SET status = 'paid', paid_at = now() WHERE id = $1", donation_id)
            await alerts.enqueue_donation(
                connection, streamer_id=self.streamer_id, donation_id=donation_id, donor_name=name, message=message,
                amount_minor=amount_minor,
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO streamer_totals (streamer_id, net_minor, donations) VALUES ($1, $2, 1)"
                " ON CONFLICT (streamer_id) DO UPDATE"
                " SET net_minor = streamer_totals.net_minor + $2, donations = streamer_totals.donations + 1",
                self.streamer_id, amount_minor,
            )  # fmt: skip
        if wake:
            await self.wake(Topic.DONATION, Topic.ALERTS, Topic.TOTALS)

    async def wake(self, *topics: Topic) -> None:
        redis = open_redis(self.stack.environment["REDIS_URL"])
        await publish(redis, WAKE_CHANNEL, [Wake(self.streamer_id, frozenset(topics)).encode()])
        await redis.aclose()


async def open_dashboard(
    browser: Browser, stack: Stack, pool: asyncpg.Pool, *, scripts: bool = True, **options: Any
) -> Her:
    """`options` are those of the browser's context."""
    demo = json.loads(stack.manage("seed-demo", stdin=json.dumps({"password": PASSWORD})))
    context = await browser.new_context(**{"locale": "en-GB", "java_script_enabled": scripts, **options})
    page = await context.new_page()
    page.set_default_timeout(20_000)
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    await page.goto(f"{stack.web_url}/dashboard")
    await page.get_by_label("E-mail").fill(demo["login"])
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("It is quiet so far")).to_be_visible()
    if scripts:
        # The page was usable before; keys are listened to once its script runs, and HTMX knows the buttons.
        await expect(page.locator("#overlay [data-copy-from]")).to_be_visible()
        await expect(page.locator("#stage form[data-htmx-powered]").first).to_be_attached()
    streamer_id = await pool.fetchval("SELECT id FROM streamers WHERE slug = 'demo'")
    return Her(page, stack, pool, streamer_id, demo["overlay_token"], troubles)


@pytest.fixture
async def her(browser: Browser, stack: Stack, pool: asyncpg.Pool) -> AsyncIterator[Her]:
    stack.start("web", "realtime")
    her = await open_dashboard(browser, stack, pool)
    yield her
    # Else it would look for its site for as long as the browser lives.
    await her.page.context.close()
    assert her.troubles == []


async def test_a_donation_appears_by_itself_with_the_totals(her: Her) -> None:
    await her.gets_donation("Аня", message="<img src=x onerror=alert(1)>")
    await her.gets_donation("Борис", 100_000)
    rows = her.page.locator(".feed-rows > li")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("Борис")
    await expect(rows.last).to_contain_text("<img src=x onerror=alert(1)>")
    await expect(her.page.locator("#totals")).to_contain_text("1\u00a0300\u00a0₽")
    await expect(her.page.locator("#bar")).to_contain_text("OBS is not connected, 2 alerts wait.")


async def test_a_test_alert_by_button_and_by_key(her: Her) -> None:
    await her.page.locator("#stage").get_by_text("Check the alert", exact=True).click()
    await her.page.get_by_role("button", name="5\u00a0000\u00a0₽").click()
    await expect(her.page.locator("#notice")).to_contain_text("The test is in the queue.")
    await expect(her.page.locator(".next li")).to_have_count(1)
    # What she opened stays open when its part is drawn anew.
    await expect(her.page.get_by_role("button", name="5\u00a0000\u00a0₽")).to_be_visible()
    await her.page.keyboard.press("t")
    await expect(her.page.locator(".next li")).to_have_count(2)
    assert await her.pool.fetchval("SELECT count(*) FROM alerts WHERE kind = 'test'") == 2


async def test_pause_by_key_and_the_list_of_keys(her: Her) -> None:
    await her.page.keyboard.press("p")
    await expect(her.page.locator("#bar")).to_contain_text("Paused: new alerts will wait.")
    await expect(her.page.locator("#stage button[data-key=p]")).to_have_attribute("aria-pressed", "true")
    await her.page.keyboard.press("p")
    await expect(her.page.locator("#bar")).not_to_contain_text("Paused")
    await her.page.keyboard.press("Shift+?")
    await expect(her.page.get_by_role("dialog")).to_be_visible()
    await her.page.get_by_role("button", name="Close").click()
    await expect(her.page.get_by_role("dialog")).to_be_hidden()


async def note_copied(page: Page) -> None:
    """Keeps in the page that a button said so: a part that is drawn anew at that moment takes the word away."""
    await page.evaluate(
        "new MutationObserver(() => {"
        " if (!document.querySelector('#overlay')?.textContent.includes('Copied')) return;"
        " document.documentElement.dataset.said = 'Copied';"
        " }).observe(document.body, { subtree: true, childList: true, characterData: true })"
    )


async def test_the_overlay_address_is_shown_hidden_copied_and_replaced(her: Her) -> None:
    overlay = her.page.locator("#overlay")
    await expect(overlay).to_contain_text("••••••••")
    await overlay.get_by_role("button", name="Show").click()
    shown = await overlay.locator("input").input_value()
    assert re.fullmatch(rf"{re.escape(her.stack.web_url)}/overlay#[\w-]{{43}}", shown)
    await overlay.get_by_role("link", name="Hide").click()
    await expect(overlay).to_contain_text("••••••••")
    await her.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=her.stack.web_url)
    await note_copied(her.page)
    await overlay.get_by_role("button", name="Copy").click()
    await expect(her.page.locator("html")).to_have_attribute("data-said", "Copied")
    assert await her.page.evaluate("navigator.clipboard.readText()") == shown
    await overlay.get_by_text("Replace the address…").click()
    await overlay.get_by_role("button", name="Replace the address").click()
    await expect(her.page.locator("#notice")).to_contain_text("The overlay has a new address.")
    await overlay.get_by_role("button", name="Show").click()
    await expect(overlay.locator("input")).not_to_have_value(shown)


async def test_without_a_clipboard_the_address_is_copied_unseen(her: Her) -> None:
    overlay = her.page.locator("#overlay")
    dialogs: list[str] = []
    her.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    # As on plain http, where self-hosters are at home.
    await her.page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    await note_copied(her.page)
    await overlay.get_by_role("button", name="Copy").click()
    await expect(her.page.locator("html")).to_have_attribute("data-said", "Copied")
    assert not re.search(r"/overlay#[\w-]{43}", await her.page.content())
    await her.page.evaluate("document.body.append(document.createElement('textarea'))")
    await her.page.locator("body > textarea").press("Control+V")
    await expect(her.page.locator("body > textarea")).to_have_value(re.compile(r"/overlay#[\w-]{43}$"))

    await her.page.evaluate("document.execCommand = () => false")
    await overlay.get_by_role("button", name="Copy").click()
    await expect(her.page.locator("#notice")).to_contain_text("Press “Show” and copy by hand.")
    assert dialogs == []


async def test_a_shown_address_stays_while_its_part_is_drawn_anew(her: Her) -> None:
    await her.page.locator("#overlay").get_by_role("button", name="Show").click()
    address = her.page.locator("#overlay input")
    await expect(address).to_be_visible()
    await her.page.evaluate("document.querySelector('#overlay').dataset.former = ''")
    await her.page.keyboard.press("p")
    await expect(her.page.locator("#bar")).to_contain_text("Paused")
    # The part came anew once its mark is gone.
    await expect(her.page.locator("#overlay[data-former]")).to_have_count(0)
    await expect(address).to_be_visible()


async def test_it_catches_up_after_realtime_was_away(her: Her) -> None:
    her.stack["realtime"].kill()
    await her.gets_donation("Аня")
    her.stack["realtime"].start()
    await expect(her.page.locator(".feed-rows > li")).to_have_count(1)
    her.troubles.clear()  # A browser always complains about a lost connection.


async def test_a_reader_who_has_scrolled_away_is_told_and_not_moved_and_misses_nothing_offline(her: Her) -> None:
    for number in range(30):
        await her.gets_donation(f"Donor {number}", wake=number == 29)
    rows = her.page.locator(".feed-rows > li")
    await expect(rows).to_have_count(30)
    read = her.page.locator(f"#{await rows.nth(24).get_attribute('id')}")
    await read.scroll_into_view_if_needed()
    place = await read.bounding_box()
    await her.gets_donation("Newest")
    pill = her.page.locator("#news")
    await expect(pill).to_have_text("1 new ↑")
    assert await read.bounding_box() == pytest.approx(place, abs=1)

    # As a notebook that sleeps: nothing reaches it, and nobody wakes it but the connection.
    await her.page.context.set_offline(True)
    await expect(her.page.locator("#offline [data-counted]")).to_have_text(
        re.compile(r"^No live connection for \d+ s\."), timeout=40_000
    )
    await expect(her.page.locator("#offline [role=status]")).to_have_text(re.compile("^No live connection"))
    for number in range(11):
        await her.gets_donation(f"Night {number}")
    await her.page.context.set_offline(False)
    await expect(pill).to_have_text("12 new ↑")
    assert await read.bounding_box() == pytest.approx(place, abs=1)
    names = [name.split()[0:2] for name in await her.page.locator(".row-name").all_inner_texts()]
    assert names[:13] == [*(["Night", str(number)] for number in reversed(range(11))), names[11], ["Donor", "29"]]
    assert names[11][0] == "Newest"
    await pill.click()
    await expect(pill).to_be_hidden()
    # Whatever is drawn anew on its way up.
    await her.wake(Topic.ALERTS)
    await expect(rows.first).to_be_in_viewport()
    her.troubles.clear()  # A browser always complains about a lost connection.


async def test_a_rows_button_that_finds_no_connection_says_so_in_its_row(her: Her) -> None:
    await her.gets_donation("Аня")
    await her.gets_donation("Борис")
    row = her.page.locator(".row", has_text="Аня")
    await row.hover()
    await her.page.context.set_offline(True)
    await row.get_by_role("button", name="Hide").click()
    await expect(row).to_contain_text("Not sent: there is no connection. Press once more.")
    await expect(her.page.get_by_text("Not sent")).to_have_count(1)
    # Once, however often it is pressed.
    await row.get_by_role("button", name="Hide").click()
    await expect(her.page.get_by_text("Not sent")).to_have_count(1)
    await her.page.context.set_offline(False)
    await row.get_by_role("button", name="Hide").click()
    await expect(row.locator(".chips")).to_contain_text("hidden")
    await expect(her.page.get_by_text("Not sent")).to_have_count(0)
    her.troubles.clear()  # A browser always complains about a lost connection.


async def test_a_row_is_held_on_a_phone_and_what_it_offers(browser: Browser, stack: Stack, pool: asyncpg.Pool) -> None:
    stack.start("web", "realtime")
    phone: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    her = await open_dashboard(browser, stack, pool, **phone)
    page = her.page
    feed = page.locator(".feed-rows")
    # What is told politely is there before anything comes into it; loud is only what is broken.
    assert await feed.get_attribute("aria-live") == "polite"
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.locator("#feed").get_by_role("button", name="Send a test")).to_be_visible()
    await her.gets_donation("Аня", message="Привет")
    row = page.locator(".row")
    await expect(row).to_be_visible()
    await expect(page.get_by_role("alert")).to_contain_text("OBS is not connected, 1 alert waits.")
    hide = row.get_by_role("button", name="Hide")

    async def is_offered() -> bool:
        box = await row.locator(".row-acts").bounding_box()
        return box is not None and box["width"] > 1

    assert not await is_offered()
    await row.locator(".row-text").tap()
    assert not await is_offered()
    async with Finger.on(row.locator(".row-text")):
        await expect(row).to_have_class(re.compile("is-held"))
    assert await is_offered()
    # A drawing of the feed in between takes nothing away from under the finger.
    async with page.expect_response("**/part/feed*"):
        await her.wake(Topic.ALERTS)
    await page.wait_for_timeout(100)
    assert await is_offered()
    await hide.tap()
    await expect(row.locator(".chips")).to_contain_text("hidden")
    await expect(row.locator(".chips")).to_contain_text("not shown")
    assert await pool.fetchval("SELECT status FROM alerts") == "dropped"
    await expect(row.get_by_role("button", name="Do not hide")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    await page.context.close()


async def test_a_donation_opened_before_others_and_paid_after_them_is_news(her: Her) -> None:
    early = await her.gets_wish("Early")
    await her.gets_donation("Quick")
    rows = her.page.locator(".feed-rows > li")
    await expect(rows).to_have_count(1)
    await her.gets_donation("Early", donation_id=early)
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("Early")
    await expect(rows.first).to_have_class(re.compile("is-new"))


async def test_older_rows_asked_for_are_no_news(her: Her) -> None:
    for number in range(60):
        await her.gets_donation(f"Donor {number}", wake=number == 59)
    rows = her.page.locator(".feed-rows > li")
    await expect(rows).to_have_count(50)
    await her.page.get_by_role("link", name="Show more").click()
    await expect(rows).to_have_count(60)
    await expect(her.page.locator("#news")).to_be_hidden()
    assert await her.page.locator(".feed-rows > li.is-new").count() == 0


async def test_without_scripts_each_button_is_a_form(browser: Browser, stack: Stack, pool: asyncpg.Pool) -> None:
    stack.start("web")
    her = await open_dashboard(browser, stack, pool, scripts=False)
    await her.page.locator("#stage").get_by_text("Check the alert", exact=True).click()
    await her.page.get_by_role("button", name="300\u00a0₽", exact=True).click()
    await expect(her.page.locator("#notice")).to_contain_text("The test is in the queue.")
    await expect(her.page.locator(".next li")).to_have_count(1)
    await her.page.get_by_role("button", name="Pause").click()
    await expect(her.page.locator("#stage button[data-key=p]")).to_have_attribute("aria-pressed", "true")
    await her.page.get_by_role("button", name="Show").click()
    await expect(her.page.locator("#overlay input")).to_have_value(re.compile("/overlay#"))
    await her.page.get_by_role("button", name="Sign out").click()
    await expect(her.page.get_by_role("link", name="Sign in").first).to_be_visible()
    await her.page.context.close()


async def test_nothing_is_wider_than_a_phone(her: Her) -> None:
    await her.gets_donation("Константин-Константинопольский-Длинный", 999_999_99, "о" * 280)
    await expect(her.page.locator(".feed-rows > li")).to_have_count(1)
    for width in (320, 390, 768, 1280):
        await her.page.set_viewport_size({"width": width, "height": 800})
        assert await her.page.evaluate("document.documentElement.scrollWidth") <= width
