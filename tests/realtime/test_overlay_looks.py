"""Levels in a real Chromium that thinks it is OBS: a layout, a streamer's own text, pictures and sounds."""

import re
import uuid

import pytest
from playwright.async_api import Browser, expect

from domain import alerts
from domain.alert_tiers import ANONYMOUS_TEXT_TEMPLATE, DONATION_TEXT_TEMPLATE, Element, Tier, encode_tiers
from domain.events import Topic
from tests.realtime.conftest import Scene, Service
from tests.realtime.test_overlay_page import obs_browser, open_in_obs, wait_until_connected, web_url

__all__ = ["obs_browser", "web_url"]  # Fixtures.

# Files that every site has, where a streamer's uploads would be.
PICTURES = ("/static/overlay/emblems/heart.svg", "/static/overlay/emblems/star.svg")
SOUND = "/static/overlay/chime.wav"
MISSING = "/static/overlay/missing"
NAME = "{message}<img src=x onerror=window.struck=1>"
MESSAGE = "{amount} {donor_name} $& <b>жирно</b>\nвторая строка"
# How loud a sound of an alert is: the page makes one node for each.
GAINS = """
window.gains = [];
window.AudioContext = class extends AudioContext {
    createGain() { const gain = super.createGain(); window.gains.push(gain); return gain; }
};
"""
# Where an element's middle is, in per cent of the source: before the shift by half of itself, and any movement.
MIDDLE = """(node) => [
    Math.round((node.offsetLeft / innerWidth) * 100), Math.round((node.offsetTop / innerHeight) * 100),
    getComputedStyle(node).transform === "none",
]"""
STYLES = """(node) => {
    const { color, backgroundColor, borderRadius, fontSize, zIndex } = getComputedStyle(node);
    return [color, backgroundColor, borderRadius, fontSize, zIndex];
}"""

LAYOUT = Tier(
    "laid-out",
    "Макет",
    0,
    sound_file_url=SOUND,
    sound_volume=0.25,
    sound_start_time=0.2,
    sound_end_time=0.6,
    animation_enabled=True,
    animation_type="hearts",
    gif_urls=PICTURES,
    screen_shake=True,
    elements=(
        Element("field", "background", 50, 50, width=800, height=400, background_color="rgba(0, 0, 0, 0.5)"),
        Element("picture", "image", 50, 30, width=200, height=160, z_index=3, image_url=PICTURES[0]),
        Element("gone", "image", 80, 30, image_url=f"{MISSING}.gif"),
        Element("hidden", "text", 10, 10, content="не видно", visible=False),
        Element(
            "words",
            "text",
            25,
            70,
            width=800,
            content="{donor_name} — {amount} ₽: {message}",
            z_index=5,
            font_size=32,
            color="#00ff00",
            background_color="#112233",
            border_radius=10,
            padding=12,
        ),
        Element("long", "text", 99, 99, width=300, height=80, content="{message} " * 8),
    ),
)


async def choose(scene: Scene, *tiers: Tier, anonymous: str = ANONYMOUS_TEXT_TEMPLATE, seconds: int = 4) -> None:
    """Past the check that files are uploads. An alert lasts for so many seconds, in which a test looks at all of it."""
    await scene.pool.execute(
        "INSERT INTO alert_settings (streamer_id, donation_text_template, anonymous_text_template, tiers)"
        " VALUES ($1, $2, $3, $4)",
        scene.streamer.id,
        DONATION_TEXT_TEMPLATE,
        anonymous,
        encode_tiers(tiers),
    )
    await scene.set(alert_min_seconds=seconds, alert_max_seconds=seconds)


async def show(scene: Scene, name: str | None, message: str, amount_minor: int) -> str:
    async with scene.pool.acquire() as connection:
        alert_id = await alerts.enqueue_test(connection, scene.streamer.id, amount_minor, name, message)
    await scene.wake(Topic.ALERTS)
    return str(alert_id)


async def status_of(scene: Scene, alert_id: str) -> str:
    return str(await scene.pool.fetchval("SELECT status FROM alerts WHERE alert_id = $1", alert_id))


@pytest.mark.usefixtures("service")
async def test_a_layout_is_drawn_as_it_is_said(scene: Scene, web_url: str, obs_browser: Browser) -> None:
    await choose(scene, LAYOUT, seconds=8)
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}", script=GAINS)
    await wait_until_connected(scene)
    alert_id = await show(scene, NAME, MESSAGE, 1_500_50)

    words = page.locator(".element-text").first
    await expect(words).to_have_text(f"{NAME} — 1\u00a0500,50 ₽: {MESSAGE}", use_inner_text=True)
    assert await words.evaluate(MIDDLE) == [25, 70, False]
    assert await words.evaluate(STYLES) == ["rgb(0, 255, 0)", "rgb(17, 34, 51)", "10px", "32px", "5"]
    picture = page.locator(".element-image")
    await expect(picture).to_have_count(1)
    # The one that was drawn for this showing.
    assert (await picture.get_attribute("src") or "") in PICTURES
    while not await picture.evaluate("(image) => image.naturalWidth > 0"):
        pass
    assert await picture.evaluate(MIDDLE) == [50, 30, False]
    assert await page.locator(".element-background").evaluate(MIDDLE) == [50, 50, False]
    # What would not fit its box, or stand beyond the edge, is made to.
    long = page.locator(".element-text").nth(1)
    assert await long.evaluate("(node) => [node.offsetLeft, node.offsetTop]") == [1920 - 150, 1080 - 40]
    assert await long.evaluate("(node) => parseFloat(getComputedStyle(node).fontSize)") < 24
    await expect(page.locator(".element")).to_have_count(4)
    await expect(page.locator(".alert")).to_have_class(re.compile("shakes"))
    await expect(page.locator(".heart").first).to_be_attached()
    await expect(page.locator("body")).to_have_attribute("data-sound", "own")
    assert await page.evaluate("gains.map((gain) => gain.gain.value)") == [0.25]
    assert await page.locator(".alert :is(script, b, [onerror])").count() == 0
    await expect(page.locator(".alert")).to_have_count(0)
    while await status_of(scene, alert_id) != "shown":
        pass
    assert await page.evaluate("window.struck") is None
    # Only the picture that is not there.
    assert {problem for problem in page.problems if MISSING not in problem} <= {  # type: ignore[attr-defined]
        "Failed to load resource: the server responded with a status of 404 ()",
        "Failed to load resource: the server responded with a status of 404 (Not Found)",
    }


@pytest.mark.usefixtures("service")
async def test_a_text_of_her_own_and_what_does_not_load(scene: Scene, web_url: str, obs_browser: Browser) -> None:
    own = Tier(
        "own",
        "Своё",
        0,
        999_00,
        sound_file_url=f"{MISSING}.mp3",
        text_template="{donor_name} принёс {amount}₽!\n{message}",
        text_color="#00FF00",
        background_color="#112233",
        highlight_color="#FF0000",
        font_size=28,
        gif_urls=(f"{MISSING}.gif",),
        icon="Crown",
    )
    heard = Tier("heard", "Слышно", 1_000_00, visual_enabled=False)
    await choose(scene, own, heard, anonymous="Кто-то: {amount}", seconds=8)
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}")
    await wait_until_connected(scene)

    await show(scene, NAME, MESSAGE, 500_00)
    message = page.locator(".own-text")
    await expect(message).to_have_text(f"{NAME} принёс 500₽!\n{MESSAGE}", use_inner_text=True)
    assert (await message.evaluate(STYLES))[0] == "rgb(0, 255, 0)"
    assert (await page.locator(".plate").evaluate(STYLES))[1] == "rgb(17, 34, 51)"
    assert (await page.locator(".is-amount").evaluate(STYLES))[0] == "rgb(255, 0, 0)"
    assert (await message.evaluate(STYLES))[3] == "28px"
    assert await page.locator(".plate :is(.name, b)").count() == 0
    await expect(page.locator(".picture")).to_have_count(0)
    # Neither holds the alert up: the emblem stands for the picture, the chime for the sound.
    await expect(page.locator(".emblem")).to_have_attribute("src", re.compile("crown.svg"))
    await expect(page.locator("body")).to_have_attribute("data-sound", "chime")

    await expect(page.locator(".alert")).to_have_count(0)
    # Of the others there is less to look at.
    await scene.set(alert_min_seconds=4, alert_max_seconds=4)
    await show(scene, None, "", 500_00)
    await expect(message).to_have_text("Кто-то: 500")
    await expect(page.locator(".alert")).to_have_count(0)

    heard_id = await show(scene, "Аня", "Только звук", 1_000_00)
    await expect(page.locator(".alert.unseen")).to_have_text("")
    await expect(page.locator("body")).to_have_attribute("data-sounds", "3")
    while await status_of(scene, heard_id) != "shown":
        pass
    assert await page.evaluate("window.struck") is None


async def test_all_overlays_show_the_same_picture(scene: Scene, service: Service) -> None:
    await choose(scene, Tier("a", "A", 0, gif_urls=PICTURES))
    async with service.overlay(scene, in_obs=True) as speaker, service.overlay(scene) as mirror:
        for _ in range(3):
            await show(scene, "Аня", "", 500_00)
            offer = await speaker.offer()
            mirrored = await mirror.wait_for("mirror")
            assert offer["look"]["image_url"] == PICTURES[uuid.UUID(offer["lease_id"]).int % 2]
            assert mirrored["look"] == offer["look"]
            await speaker.show(offer)
