"""An alert of a program's own in a real Chromium that thinks it is OBS."""

import pytest
from playwright.async_api import Browser, expect

from domain import custom_alerts
from domain.alert_tiers import Tier
from domain.custom_alerts import NewCustom
from domain.events import Topic
from tests.realtime.conftest import Scene
from tests.realtime.test_overlay_looks import PICTURES, SOUND, choose
from tests.realtime.test_overlay_page import obs_browser, open_in_obs, wait_until_connected, web_url

__all__ = ["obs_browser", "web_url"]  # Fixtures.

TITLE = "Новый подписчик <b>Кот</b>"


async def show(scene: Scene, new: NewCustom) -> None:
    async with scene.pool.acquire() as connection, connection.transaction():
        await custom_alerts.add(connection, scene.streamer.id, new)
    await scene.wake(Topic.ALERTS)


@pytest.mark.usefixtures("service")
async def test_it_is_shown_by_its_words_and_with_its_own_picture_and_sound(
    scene: Scene, web_url: str, obs_browser: Browser
) -> None:
    await choose(scene, Tier("own", "Своё", 0, text_template="{donor_name} дал {amount}₽"))
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}")
    await wait_until_connected(scene)

    # Past the check that files are uploads.
    await show(scene, NewCustom(TITLE, "теперь с нами", image_url=PICTURES[0], sound_url=SOUND))
    alert = page.locator(".alert")
    await expect(alert.locator(".name")).to_have_text(TITLE)
    await expect(alert.locator(".message")).to_have_text("теперь с нами")
    # No sum, and nobody anonymous: nobody gave anything.
    await expect(alert).not_to_contain_text("₽")
    assert await alert.locator(".amount").count() == 0
    await expect(alert.locator(".picture")).to_have_attribute("src", PICTURES[0])
    await expect(page.locator("body")).to_have_attribute("data-sound", "own")
    await expect(alert).to_have_count(0)

    await show(scene, NewCustom("", "Тишина в студии", amount_minor=25_000))
    await expect(alert.locator(".amount")).to_have_text("250\u00a0₽")
    assert await alert.locator(".name").count() == 0
    await expect(alert).to_have_count(0)
    assert await scene.pool.fetchval("SELECT count(*) FROM alerts WHERE status = 'shown'") == 2
    assert page.problems == []  # type: ignore[attr-defined]
