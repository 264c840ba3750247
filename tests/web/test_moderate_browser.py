"""A moderator's page on a phone, in a real browser: it follows by itself, is used with one thumb, and stays awake."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from domain import holds, moderators
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.moderation import Mode, Settings
from domain.moderation_settings import save_settings
from domain.payment_status import NewsStatus
from domain.pressers import Presser, PresserKind
from infra.redis import open_redis, publish
from tests.builders import BuiltStreamer, hear, open_donation
from tests.support.programs import Stack

SOON_MS = 20_000
"""For what comes by itself, on a machine that has other things to do."""

COUNTERS = """
    const request = async () => {
      const { dataset } = document.documentElement;
      dataset.locks = Number(dataset.locks ?? 0) + 1;
      return { released: true };
    };
    Object.defineProperty(navigator, "wakeLock", { value: { request } });
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (at) {
      const { dataset } = document.documentElement;
      dataset.tones = Number(dataset.tones ?? 0) + 1;
      return start.call(this, at);
    };
"""
"""Counts in the page how often the screen was asked to stay on, and tones."""


@dataclass
class Stream:
    stack: Stack
    pool: asyncpg.Pool
    streamer: BuiltStreamer

    async def pay(self, name: str, message: str) -> None:
        """A donation that waits for a decision, with the wake-up that follows it."""
        async with self.pool.acquire() as connection, connection.transaction():
            _, payment = await open_donation(connection, self.streamer, donor_name=name, message=message)
            await hear(connection, payment, NewsStatus.CONFIRMED)
        await self.wake(Topic.ALERTS)

    async def wake(self, topic: Topic) -> None:
        redis = open_redis(self.stack.environment["REDIS_URL"])
        await publish(redis, WAKE_CHANNEL, [Wake(self.streamer.id, frozenset({topic})).encode()])
        await redis.aclose()

    async def decide_first(self) -> None:
        """The streamer decides about what has waited longest."""
        async with self.pool.acquire() as connection, connection.transaction():
            found = await holds.list_holds(connection, self.streamer.id)
            alert_id = next(hold.alert_id for hold in found if hold.decision is None)
            by = Presser(PresserKind.OWNER, self.streamer.owner_id, "Демо-стример")
            await holds.decide(connection, self.streamer.id, alert_id, holds.Decision.SHOW_WITHOUT_TEXT, by)
        await self.wake(Topic.ALERTS)

    async def decisions(self) -> list[str]:
        rows = await self.pool.fetch("SELECT what FROM moderation_decisions WHERE by_kind <> 'rules' ORDER BY id")
        return [row["what"] for row in rows]


@pytest.fixture
async def stream(stack: Stack, pool: asyncpg.Pool) -> Stream:
    stack.start("web", "realtime")
    stack.manage("seed-demo", stdin=json.dumps({"password": "demo-password"}))
    row = await pool.fetchrow(
        "SELECT streamers.id, owner_id, slug, terminals.id AS terminal_id, terminal_key"
        " FROM streamers JOIN terminals ON terminals.streamer_id = streamers.id"
    )
    assert row is not None
    streamer = BuiltStreamer(*row)
    async with pool.acquire() as connection:
        await save_settings(connection, streamer.id, Settings(mode=Mode.APPROVE))
    return Stream(stack, pool, streamer)


@asynccontextmanager
async def phone_of(browser: Browser, stream: Stream, nick: str) -> AsyncIterator[tuple[BrowserContext, Page]]:
    """Who came by a link."""
    async with stream.pool.acquire() as connection:
        link = await moderators.invite(connection, stream.streamer.id, nick=nick, rights=["queue", "controls"], days=1)
    context = await browser.new_context(locale="ru-RU", viewport={"width": 360, "height": 760}, has_touch=True)
    await context.add_init_script(COUNTERS)
    page = await context.new_page()
    page.set_default_timeout(20_000)
    await page.goto(f"{stream.stack.web_url}/moderate/join/{link.token}")
    await page.get_by_role("button", name="Войти").click()
    await expect(page.locator("#queue")).to_be_visible()
    yield context, page
    await context.close()


async def drag(
    context: BrowserContext, page: Page, *, by_x: int, by_y: int, meanwhile: Callable[[], Awaitable[None]] | None = None
) -> None:
    """One finger over the card's text; `meanwhile` happens before it is lifted."""
    box = await page.locator("[data-swipes] .hold-text").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = await context.new_cdp_session(page)
    await session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 9):
        point = {"x": x + by_x * step / 8, "y": y + by_y * step / 8}
        await session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    if meanwhile is not None:
        await meanwhile()
    await session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await session.detach()


async def test_a_phone_in_one_hand(browser: Browser, stream: Stream) -> None:
    async with phone_of(browser, stream, "Боб") as (context, page):
        await expect(page.get_by_text("Очередь пуста")).to_be_visible()
        # It stays awake, also after the page was away for a while.
        await expect(page.locator("html")).to_have_attribute("data-locks", "1")
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(page.locator("html")).to_have_attribute("data-locks", "2")

        # What is new comes by itself, and stands under the thumb.
        await stream.pay("Вася", "Ну ты и сука, но стрим огонь")
        card = page.locator("[data-swipes]")
        await expect(card).to_contain_text("Вася", timeout=SOON_MS)
        await expect(card.locator("mark")).to_have_text("сука")
        await expect(card).to_contain_text("Мат и оскорбления")
        await expect(page).to_have_title("(1) Модерация · Демо-стример")
        assert "₽" not in await page.locator("body").inner_text()
        for button in await card.locator(".deck-buttons button").all():
            box = await button.bounding_box()
            assert box is not None
            assert box["height"] >= 56
            assert box["y"] > 380
            assert box["y"] + box["height"] <= 760
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360

        # Two people see each other, and what the other one did.
        async with phone_of(browser, stream, "Вера") as (_, other):
            await expect(page.locator("#here")).to_have_text("Сейчас здесь: Вера, вы", timeout=SOON_MS)
            await page.get_by_role("button", name="Скрыть").click()
            await expect(page.locator(".deck-undo")).to_contain_text("Сейчас скроем.")
            await expect(other.locator(".deck-undo")).to_contain_text("(Боб)", timeout=SOON_MS)
            await expect(other.get_by_text("Очередь пуста")).to_be_visible()
            await page.get_by_role("button", name="Отменить").click()
            await expect(card).to_contain_text("Вася", timeout=SOON_MS)
            await expect(other.locator("[data-swipes]")).to_contain_text("Вася", timeout=SOON_MS)

        # A finger that scrolls decides nothing; to the left hides, to the right shows.
        await stream.pay("Кузьма", "Удачи в финале")
        await expect(page.locator(".deck-rest")).to_contain_text("Ждёт ещё 1", timeout=SOON_MS)
        await drag(context, page, by_x=20, by_y=-200)
        await drag(context, page, by_x=60, by_y=0)
        assert await stream.decisions() == ["hide", "undo"]
        await drag(context, page, by_x=-160, by_y=10)
        await expect(card).to_contain_text("Кузьма")
        await stream.pay("Лена", "Ура")
        await expect(page.locator(".deck-rest")).to_contain_text("Ждёт ещё 1", timeout=SOON_MS)

        async def somebody_is_first() -> None:
            await stream.decide_first()
            await expect(card).to_contain_text("Лена", timeout=SOON_MS)

        await drag(context, page, by_x=160, by_y=0, meanwhile=somebody_is_first)
        await expect(page.locator("[data-swipes]:not([inert])")).to_contain_text("Лена")
        assert await stream.decisions() == ["hide", "undo", "hide", "show_without_text"], (
            "it was meant for another card"
        )
        await drag(context, page, by_x=160, by_y=-10)
        await expect(page.get_by_text("Очередь пуста")).to_be_visible()
        assert (await stream.decisions())[-1] == "show"

        # A sound, once somebody asked for it: two tones to try it, two for what is new.
        await page.get_by_role("button", name="Включить звук").click()
        await expect(page.locator("#sound")).to_have_attribute("aria-pressed", "true")
        await expect(page.locator("html")).to_have_attribute("data-tones", "2")

        # Keys, by their place on the keyboard.
        await stream.pay("Мария", "Привет")
        await expect(page.locator("[data-swipes]")).to_contain_text("Мария", timeout=SOON_MS)
        await expect(page.locator("html")).to_have_attribute("data-tones", "4")
        await page.keyboard.press("w")
        await expect(page.locator(".deck-undo").last).to_contain_text("Сейчас покажем без сообщения. Мария")
        await page.keyboard.press("z")
        await expect(page.locator("[data-swipes]")).to_contain_text("Мария", timeout=SOON_MS)

        # The connection is away, and what happened meanwhile is made up for.
        stream.stack["realtime"].kill()
        # It counts, and may be looked at a second later.
        await expect(page.locator("#offline [data-counted]")).to_have_text(re.compile(r"^нет связи, \d+ с$"))
        await page.locator("#sound").click()
        await expect(page.locator("#sound")).to_have_text("Звук: выключен")
        await stream.pay("Гоша", "Пока вас не было")
        stream.stack["realtime"].start()
        await expect(page.locator(".deck-rest")).to_contain_text("Ждёт ещё 1", timeout=SOON_MS)
        await expect(page.locator("#offline [data-counted]")).to_be_hidden(timeout=SOON_MS)
        await expect(page.locator("html")).to_have_attribute("data-tones", "4")

        # Out at once.
        async with stream.pool.acquire() as connection:
            bob = await connection.fetchval("SELECT id FROM moderators WHERE nick = 'Боб'")
            await moderators.revoke(connection, stream.streamer.id, bob)
        await stream.wake(Topic.MODERATORS)
        await expect(page.get_by_text("Попросите у стримера новую ссылку.")).to_be_visible(timeout=SOON_MS)
