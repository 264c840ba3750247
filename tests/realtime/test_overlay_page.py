"""The page itself, in a real Chromium that thinks it is OBS."""

import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from domain import alerts, goal_progress, goals
from domain.events import Topic
from domain.payment_status import NewsStatus
from realtime.chime import LOUDNESS_LUFS, RATE, SILENCE_SECONDS, chime, loudness
from tests.builders import hear, open_donation
from tests.realtime.conftest import Scene, Service
from tests.support.chromium import chromium_arguments, find_chromium
from tests.support.hostile import HOSTILE
from tests.support.programs import ProgramProcess

OBS = "window.obsstudio = { pluginVersion: '2.26.0' };"
VISIBLE_CHANGED = (
    "(visible) => window.dispatchEvent(new CustomEvent('obsSourceVisibleChanged', { detail: { visible } }))"
)
HIDE_WHEN_SHOWN = f"""() => new Promise((done) => {{
    const look = () => document.querySelector(".message") ? done(({VISIBLE_CHANGED})(false)) : setTimeout(look, 20);
    look();
}})"""
# Keeps the page's one AudioContext where a test can look at it.
LISTEN = "window.AudioContext = class extends AudioContext { constructor() { super(); window.audio = this; } };"
# A page as OBS loads it for a source in a scene that is not shown.
HIDDEN = """
window.isHidden = true;
Object.defineProperty(document, "visibilityState", { get: () => (window.isHidden ? "hidden" : "visible") });
"""
# All animations of the page that are not over.
RUNNING = "document.getAnimations().filter((animation) => animation.playState === 'running').length"


@pytest.fixture
def web_url(tmp_path: Path, environment: dict[str, str]) -> Iterator[str]:
    url = environment["WEB_URL"]
    with ProgramProcess("web", ["-m", "web"], environment, log_dir=tmp_path, ready_url=f"{url}/health"):
        yield url


@contextlib.asynccontextmanager
async def chromium(autoplay: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(), args=[*chromium_arguments(), f"--autoplay-policy={autoplay}"]
        )
        yield browser
        await browser.close()


@pytest.fixture
async def obs_browser() -> AsyncIterator[Browser]:
    """As OBS starts its browser: sound needs no click."""
    async with chromium("no-user-gesture-required") as browser:
        yield browser


@pytest.fixture
async def strict_browser() -> AsyncIterator[Browser]:
    """As people's browsers are: no sound before a click."""
    async with chromium("document-user-activation-required") as browser:
        yield browser


async def open_in_obs(browser: Browser, url: str, *, script: str = "", never: str | None = None) -> Page:
    """`never`: what the page asks for at such an address never comes."""
    context: BrowserContext = await browser.new_context(viewport={"width": 1920, "height": 1080})
    await context.add_init_script(OBS + script)
    if never is not None:
        await context.route(never, lambda _route: None)
    page = await context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("response", lambda response: problems.append(response.url) if response.status >= 400 else None)
    page.problems = problems  # type: ignore[attr-defined]
    await page.goto(url, wait_until="commit" if never else "load")
    return page


async def wait_until_connected(scene: Scene) -> None:
    while not await scene.pool.fetchval("SELECT count(*) FROM speakers WHERE overlay_id IS NOT NULL"):
        pass


@pytest.mark.usefixtures("service")
async def test_it_plays_text_picture_and_sound_and_then_stands_still(
    scene: Scene, web_url: str, obs_browser: Browser
) -> None:
    await scene.set(alert_min_seconds=6, alert_max_seconds=6)
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}", script=LISTEN)
    await wait_until_connected(scene)
    assert await page.evaluate(RUNNING) == 0
    while await page.evaluate("audio.state") != "suspended":
        pass

    donation_id = await scene.donate("<b>Привет</b> из Омска", amount_minor=100_050)

    await expect(page.locator(".amount")).to_have_text("1\u00a0000,50\u00a0₽")
    await expect(page.locator(".name")).to_have_text("Аня")
    await expect(page.locator(".message")).to_have_text("<b>Привет</b> из Омска")
    await expect(page.locator(".alert")).to_have_class(re.compile("level-sparks"))
    while not await page.evaluate("document.querySelector('.emblem').naturalWidth > 0"):
        pass
    assert await page.evaluate("document.body.dataset.sounds") == "1"
    while await page.evaluate("audio.state") != "running":
        pass
    assert await page.evaluate("document.fonts.check('800 64px Onest', 'Ая')")
    await expect(page.locator(".alert")).to_have_count(0)
    while await scene.status(donation_id) != "shown":
        pass
    assert not (await scene.alert(donation_id))["interrupted"]
    assert await page.evaluate(RUNNING) == 0
    while await page.evaluate("audio.state") != "suspended":
        pass
    background = (
        "getComputedStyle(document.documentElement).backgroundColor + getComputedStyle(document.body).backgroundColor"
    )
    assert await page.evaluate(background) == "rgba(0, 0, 0, 0)rgba(0, 0, 0, 0)"
    assert page.problems == []  # type: ignore[attr-defined]


@pytest.mark.usefixtures("service")
async def test_the_typeface_is_there_before_the_first_alert(scene: Scene, web_url: str, obs_browser: Browser) -> None:
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}")
    await wait_until_connected(scene)
    assert await page.evaluate("[...document.fonts].map((face) => face.status)") == ["loaded"] * 4


@pytest.mark.usefixtures("service")
async def test_a_typeface_that_never_comes_holds_nothing_up(scene: Scene, web_url: str, obs_browser: Browser) -> None:
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}", never="**/*.woff2")
    donation_id = await scene.donate("в другом шрифте")
    await expect(page.locator(".message")).to_have_text("в другом шрифте")
    # Else the text would be invisible while it counts as read.
    assert await page.evaluate("[...document.fonts].map((face) => face.display)") == ["swap"] * 4
    while await scene.status(donation_id) != "shown":
        pass


@pytest.mark.usefixtures("service")
async def test_a_long_message_is_shrunk_and_never_cut(scene: Scene, web_url: str, obs_browser: Browser) -> None:
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}")
    text = "Очень длинное сообщение, в котором каждое слово важно. " * 18
    await scene.donate(text.strip()[:1000])
    await expect(page.locator(".message")).to_have_text(text.strip()[:1000])
    inside = """() => {
        const message = document.querySelector(".message").getBoundingClientRect();
        const plate = document.querySelector(".plate").getBoundingClientRect();
        return message.bottom <= plate.bottom && message.right <= plate.right && plate.top >= 0 && plate.width <= 1728;
    }"""
    assert await page.evaluate(inside)


@pytest.mark.usefixtures("service")
async def test_reloaded_after_seen_it_is_not_played_again(scene: Scene, web_url: str, obs_browser: Browser) -> None:
    # It is not over by the time the page is loaded anew.
    await scene.set(alert_max_seconds=60, alert_min_seconds=60)
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}")
    donation_id = await scene.donate("первое")
    while (await scene.alert(donation_id))["shown_at"] is None:
        pass
    await page.reload()
    await scene.donate("второе")
    await expect(page.locator(".message")).to_have_text("второе")
    row = await scene.alert(donation_id)
    assert (row["status"], row["interrupted"]) == ("shown", True)


@pytest.mark.usefixtures("service")
async def test_hidden_in_obs_it_gives_the_alert_back(scene: Scene, web_url: str, obs_browser: Browser) -> None:
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}")
    donation_id = await scene.donate("подожду")
    # By the page itself, as soon as it is there: a moment later somebody might have read it.
    await page.evaluate(HIDE_WHEN_SHOWN)
    await expect(page.locator(".alert")).to_have_count(0)
    while await scene.status(donation_id) != "queued":
        pass
    await page.evaluate(VISIBLE_CHANGED, True)
    await expect(page.locator(".message")).to_have_text("подожду")


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize(
    "shows",
    [
        "(window.isHidden = false, document.dispatchEvent(new Event('visibilitychange')))",
        f"({VISIBLE_CHANGED})(true)",
        "window.dispatchEvent(new CustomEvent('obsSourceActiveChanged', { detail: { active: true } }))",
    ],
    ids=["browser", "visible event", "active event"],
)
async def test_loaded_in_a_scene_nobody_shows_it_waits_until_it_is_shown(
    scene: Scene, web_url: str, obs_browser: Browser, shows: str
) -> None:
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}", script=HIDDEN)
    while not await scene.pool.fetchval("SELECT count(*) FROM overlays"):
        pass
    assert not await scene.pool.fetchval("SELECT visible FROM overlays")
    donation_id = await scene.donate("никто не видит")
    assert await scene.status(donation_id) == "queued"
    await page.evaluate(shows)
    await expect(page.locator(".message")).to_have_text("никто не видит")
    assert await scene.pool.fetchval("SELECT visible FROM overlays")


async def test_an_ordinary_tab_says_that_it_is_a_preview_and_asks_for_a_click(
    service: Service, scene: Scene, web_url: str, strict_browser: Browser
) -> None:
    page = await strict_browser.new_page()
    await page.goto(f"{web_url}/overlay#{scene.token}")
    await expect(page.locator("#notice")).to_contain_text("OBS не подключён")
    await expect(page.locator("#notice")).to_contain_text("включить звук")
    await page.locator("body").click()
    await expect(page.locator("#notice")).not_to_contain_text("включить звук")
    await scene.donate("слышно")
    await expect(page.locator(".message")).to_have_text("слышно")
    assert await page.evaluate("document.body.dataset.sounds") == "1"
    await expect(page.locator(".alert")).to_have_count(0)
    await expect(page.locator("#notice")).not_to_contain_text("включить звук")
    async with service.overlay(scene) as obs:
        await obs.wait_for("welcome")
        await expect(page.locator("#notice")).to_contain_text("алерты играют в OBS")
        await scene.donate("зеркало")
        await expect(page.locator(".message")).to_have_text("зеркало")
        assert await page.evaluate("document.body.dataset.sounds") == "1"


@pytest.mark.usefixtures("service")
async def test_a_wrong_or_missing_token_is_said_in_words(scene: Scene, web_url: str, browser: Browser) -> None:
    page = await browser.new_page()
    await page.goto(f"{web_url}/overlay")
    await expect(page.locator("#notice")).to_contain_text("В адресе нет ключа")
    await expect(page.locator("#notice a")).to_have_attribute("href", "/dashboard")
    await page.goto(f"{web_url}/overlay?lang=en#wrong")
    await expect(page.locator("#notice")).to_contain_text("There is no such address")
    await page.goto(f"{web_url}/overlay#{scene.token}")
    await expect(page.locator("#notice")).to_contain_text("в OBS уже не повторится")
    await scene.rotate_token()
    await expect(page.locator("#notice")).to_contain_text("больше не действует")
    await page.close()


async def test_it_comes_back_by_itself_after_realtime_was_killed(
    service: Service, scene: Scene, web_url: str, obs_browser: Browser
) -> None:
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}")
    first_id = await scene.donate("до")
    await expect(page.locator(".message")).to_have_text("до")
    service.process.kill()
    service.process.start()
    second_id = await scene.donate("после")
    await expect(page.locator(".message")).to_have_text("после", timeout=40_000)
    while await scene.status(second_id) != "shown":
        pass
    assert await scene.status(first_id) == "shown"
    leases = await scene.pool.fetchval("SELECT count(*) FROM alert_leases")
    assert leases == 2


@pytest.mark.usefixtures("service")
async def test_a_summary_and_a_test_say_what_they_are(scene: Scene, web_url: str, obs_browser: Browser) -> None:
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}")
    await wait_until_connected(scene)
    async with scene.pool.acquire() as connection:
        await alerts.enqueue_test(connection, scene.streamer.id, 500_000, None, "Проверка")
    await scene.wake(Topic.ALERTS)
    await expect(page.locator(".tag")).to_have_text("тест")
    await expect(page.locator(".name")).to_have_text("Аноним")
    await expect(page.locator(".alert")).to_have_class(re.compile("level-ribbon"))


@pytest.mark.usefixtures("service")
async def test_no_text_of_a_stranger_is_more_than_text(scene: Scene, web_url: str, obs_browser: Browser) -> None:
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}")
    await wait_until_connected(scene)
    on_the_plate = """() => {
        const plate = document.querySelector(".plate").getBoundingClientRect();
        const texts = [...document.querySelectorAll(".name, .message")].map((text) => text.getBoundingClientRect());
        return plate.left >= 0 && plate.top >= 0 && plate.right <= innerWidth && plate.bottom <= innerHeight
            && texts.every((text) => text.left >= plate.left && text.right <= plate.right);
    }"""
    for text in HOSTILE:
        # Past the judging, as if it had found nothing.
        async with scene.pool.acquire() as connection:
            alert_id = await alerts.enqueue_test(connection, scene.streamer.id, 30_000, text[:60], text)
        await scene.wake(Topic.ALERTS)
        await expect(page.locator(".message")).to_have_text(text)
        await expect(page.locator(".name")).to_have_text(text[:60])
        assert await page.evaluate(on_the_plate), text
        assert await page.locator(".alert :is(script, iframe, a, svg, [onerror], [onload], [onfocus])").count() == 0
        await scene.skip(str(alert_id))
        await expect(page.locator(".alert")).to_have_count(0)
    assert await page.evaluate("window.struck") is None
    assert page.problems == []  # type: ignore[attr-defined]


@pytest.mark.usefixtures("service")
async def test_a_replay_says_that_it_is_one(scene: Scene, web_url: str, obs_browser: Browser) -> None:
    await scene.set(alert_min_seconds=3, alert_max_seconds=3)
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}")
    donation_id = await scene.donate("ещё раз")
    await expect(page.locator(".message")).to_have_text("ещё раз")
    assert await page.locator(".tag").count() == 0
    # No button makes a replay yet.
    await scene.pool.execute(
        "INSERT INTO alerts (streamer_id, donation_id, kind, status, place, playable_at, donor_name, message,"
        " amount_minor, duration_ms) SELECT streamer_id, donation_id, 'replay', 'queued', nextval('alert_places'),"
        " now(), donor_name, message, amount_minor, 5000 FROM alerts WHERE donation_id = $1",
        donation_id,
    )
    await scene.wake(Topic.ALERTS)
    await expect(page.locator(".tag")).to_have_text("повтор")
    await expect(page.locator(".message")).to_have_text("ещё раз")


def test_the_chime_in_git_is_the_one_we_make() -> None:
    made = chime()
    assert (Path(__file__).parents[2] / "static/overlay/chime.wav").read_bytes() == made
    samples: list[Any] = [
        int.from_bytes(made[place : place + 2], "little", signed=True) / 32_767 for place in range(44, len(made), 2)
    ]
    assert not any(samples[: int(SILENCE_SECONDS * RATE)])
    assert abs(loudness(samples) - LOUDNESS_LUFS) < 0.5
    assert max(map(abs, samples)) < 0.95


@pytest.mark.usefixtures("service")
async def test_a_reached_goal_is_celebrated_once(scene: Scene, web_url: str, obs_browser: Browser) -> None:
    await scene.set(alert_min_seconds=6, alert_max_seconds=6)
    title = "<img src=x onerror=alert(1)> Микрофон"
    async with scene.pool.acquire() as connection, connection.transaction():
        fields = goals.GoalFields(title, "", 30_000, 0, starts_at=None, ends_at=None)
        goal_id = await goals.create_goal(connection, scene.streamer.id, fields)
        await goals.start(connection, scene.streamer.id, goal_id)
        _, payment = await open_donation(connection, scene.streamer, message="последние триста")
        # OBS is away: the celebration waits, like the alert before it.
        await hear(connection, payment, NewsStatus.CONFIRMED)
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}")

    await expect(page.locator(".message")).to_have_text("последние триста")
    goal = page.locator(".alert.kind-goal")
    await expect(goal.locator(".name")).to_have_text("Цель собрана!")
    await expect(goal.locator(".message")).to_have_text(title)
    await expect(goal.locator(".amount")).to_have_text("300\u00a0₽")
    await expect(goal.locator(".bar-fill")).to_be_visible()
    shown = "SELECT status FROM alerts WHERE kind = 'goal'"
    while await scene.pool.fetchval(shown) != "shown":
        pass
    assert page.problems == []  # type: ignore[attr-defined]

    await page.reload()
    async with scene.pool.acquire() as connection, connection.transaction():
        await goal_progress.settle(connection, scene.streamer.id)
    await scene.donate("и ещё")
    await expect(page.locator(".message")).to_have_text("и ещё")
    await expect(page.locator(".alert")).to_have_count(0)
    assert await scene.pool.fetchval("SELECT count(*) FROM alerts WHERE kind = 'goal'") == 1
    assert await scene.pool.fetchval("SELECT count(*) FROM alerts WHERE status = 'queued'") == 0


@pytest.mark.usefixtures("service")
async def test_a_goal_stands_still_where_motion_is_unwanted(scene: Scene, web_url: str, obs_browser: Browser) -> None:
    page = await open_in_obs(obs_browser, f"{web_url}/overlay?lang=en#{scene.token}")
    await page.emulate_media(reduced_motion="reduce")
    await wait_until_connected(scene)
    async with scene.pool.acquire() as connection, connection.transaction():
        fields = goals.GoalFields("Microphone", "", 30_000, 30_000, starts_at=None, ends_at=None)
        goal_id = await goals.create_goal(connection, scene.streamer.id, fields)
        await goals.start(connection, scene.streamer.id, goal_id)
    await scene.wake(Topic.ALERTS)
    await expect(page.locator(".name")).to_have_text("Goal reached!")
    await expect(page.locator(".bursts")).to_be_hidden()
    assert await page.evaluate("getComputedStyle(document.querySelector('.bar-fill')).animationName") == "none"


@pytest.mark.usefixtures("service")
async def test_an_address_of_the_first_version(scene: Scene, web_url: str, obs_browser: Browser) -> None:
    """With the token it is the overlay; with the public name alone it says what to do."""
    widget = f"{web_url}/api/v1/alerts/widget/{scene.streamer.slug}"
    page = await open_in_obs(obs_browser, widget)
    await expect(page.locator("#notice")).to_have_text(re.compile("У оверлея новый адрес"))
    page = await open_in_obs(obs_browser, f"{widget}?token={scene.token}&lang=en")
    await wait_until_connected(scene)
    await scene.donate("Привет", amount_minor=30_000)
    await expect(page.locator(".message")).to_have_text("Привет")
    await expect(page.locator("#notice")).to_be_hidden()
    assert not page.problems  # type: ignore[attr-defined]
