"""The pages of alerts: what is for all of them, the levels, a level's form, its still picture and its test."""

import json
import re
from dataclasses import replace
from html import unescape
from typing import Any

import httpx
from playwright.async_api import Browser, expect

from domain import alert_settings, media_files
from domain.alert_settings import AlertSettings, Element, Tier, get_settings
from domain.alert_tiers import DEFAULT_TIERS
from domain.media_files import Found, Kind
from domain.streamers import Streamer
from tests.support.site import Site
from tests.web.conftest import desk_of, signed_in

GENERAL = {
    "alerts_enabled": "yes",
    "show_anonymous": "yes",
    "sound_enabled": "yes",
    "visual_enabled": "yes",
    "min_amount_for_alert": "10",
    "min_display_time": "5",
    "max_display_time": "25",
    "sound_file_url": "",
    "anonymous_text_template": "",
    "donation_text_template": "",
    "alert_duration": "5",
    "sound_volume": "50",
    "text_color": "#ffffff",
    "background_color": "#1f2937",
    "font_size": "24",
}
LEVEL = {
    "name": "Искры",
    "min_amount": "1 000",
    "max_amount": "",
    "text_template": "",
    "alert_duration": "5",
    "sound_enabled": "yes",
    "sound_file_url": "",
    "sound_volume": "100",
    "sound_start_time": "",
    "sound_end_time": "",
    "visual_enabled": "yes",
    "animation_type": "sparkles",
    "icon": "Gift",
    "text_color": "#FFFFFF",
    "background_color": "#1F2937",
    "highlight_color": "#FFD23F",
    "font_size": "24",
}
HOSTILE = '"><script>alert(1)</script>{{ 7*7 }}'
GIF = b"GIF89a" + bytes(10)


async def settings_of(site: Site, streamer: Streamer) -> AlertSettings:
    async with site.pool.acquire() as connection:
        return await get_settings(connection, streamer.id)


async def tier_of(site: Site, streamer: Streamer, tier_id: str) -> Tier:
    return alert_settings.get_tier(await settings_of(site, streamer), tier_id)


async def read(client: httpx.AsyncClient, path: str) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text.replace("\u00a0", " ")


def version_in(html: str) -> str:
    found = re.search(r'name="version" value="([0-9a-f]+)"', html)
    assert found is not None
    return found[1]


async def add_file(site: Site, streamer: Streamer, kind: Kind, content: bytes) -> str:
    """A file that was looked at."""
    async with site.pool.acquire() as connection, connection.transaction():
        file = await media_files.add_file(connection, streamer.id, kind, "мой файл", content)
        assert await media_files.claim(connection, file.id) is not None
        assert await media_files.finish(connection, file.id, Found(content, width=1, height=1, frames=1, seconds=2.0))
    return file.url


async def test_opened_and_saved_nothing_changes(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    """What a form says of untouched settings is what they are."""
    before = await settings_of(site, streamer)
    assert "from 1 000 ₽" in await read(her, "/dashboard/alerts")
    assert (await her.post("/dashboard/alerts", data=GENERAL)).status_code == 303
    assert (await her.post("/dashboard/alerts/levels/sparks", data=LEVEL)).status_code == 303
    saved = replace(await settings_of(site, streamer), updated_at=None)
    assert saved == replace(before, text_color="#ffffff", background_color="#1f2937")


async def test_what_is_for_all_of_them(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    sound = await add_file(site, streamer, Kind.AUDIO, b"ID3" + bytes(20))
    changed = {
        **GENERAL, "min_amount_for_alert": "", "min_display_time": "2", "max_display_time": "9",
        "anonymous_text_template": "Кто-то:\r\n{amount}", "sound_file_url": sound, "sound_volume": "20",
    }  # fmt: skip
    for name in ("alerts_enabled", "show_anonymous", "sound_enabled", "visual_enabled"):
        del changed[name]
    answer = await her.post("/dashboard/alerts", data=changed)
    assert answer.headers["Location"].endswith("said=alerts-saved")
    saved = await settings_of(site, streamer)
    assert not any((saved.alerts_enabled, saved.show_anonymous, saved.sound_enabled, saved.visual_enabled))
    assert (saved.min_amount_for_alert_minor, saved.min_display_time, saved.max_display_time) == (None, 2, 9)
    assert (saved.anonymous_text_template, saved.sound_file_url) == ("Кто-то:\n{amount}", sound)
    assert saved.sound_volume == 0.2
    assert "Alerts are switched off" in await read(her, "/dashboard/alerts")
    # Who forgot it finds it on the live page.
    await site.pool.execute("INSERT INTO speakers (streamer_id) VALUES ($1)", streamer.id)
    assert "Alerts are switched off in the settings" in await read(her, "/dashboard")


WRONG: tuple[tuple[str, dict[str, str], str], ...] = (
    ("", {"min_display_time": "0"}, "From 1 to 60."),
    ("", {"max_display_time": "4"}, "This is below the least."),
    ("", {"alert_duration": "пять"}, "A whole number, please."),
    ("", {"min_amount_for_alert": "много"}, "We do not understand this amount."),
    ("", {"text_color": "red"}, "This cannot be used here."),
    ("", {"sound_file_url": "/static/uploads/x.mp3"}, "This file is not there any more."),
    ("/levels/sparks", {"name": " "}, "Give it a name."),
    ("/levels/sparks", {"name": "я" * 61}, "Longer than 60 characters: remove 1."),
    ("/levels/sparks", {"min_amount": ""}, "We do not understand this amount."),
    ("/levels/sparks", {"min_amount": "10,50"}, "Whole roubles, please."),
    ("/levels/sparks", {"max_amount": "500"}, "This is below the least."),
    ("/levels/sparks", {"sound_start_time": "раз"}, "Seconds, please"),
    ("/levels/sparks", {"sound_start_time": "2", "sound_end_time": "1,5"}, "The end comes after the start."),
    ("/levels/sparks", {"sound_volume": "101"}, "From 0 to 100."),
    ("/levels/sparks", {"animation_type": "explosion"}, "This cannot be used here."),
    ("/levels/sparks", {"gif_urls": "https://example.org/a.gif"}, "This file is not there any more."),
)


async def test_what_is_not_right_is_said_and_nothing_kept(
    her: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    before = await settings_of(site, streamer)
    for path, change, words in WRONG:
        answer = await her.post(f"/dashboard/alerts{path}", data={**(LEVEL if path else GENERAL), **change})
        assert answer.status_code == 422, change
        assert words in answer.text, change
        for name, typed in change.items():
            # What was typed is still there.
            assert f'name="{name}"' in answer.text
            assert typed in answer.text or name == "animation_type"
    assert await settings_of(site, streamer) == before


async def test_all_that_is_wrong_with_a_level_is_said_at_once(her: httpx.AsyncClient) -> None:
    wrong = {"name": "", "min_amount": "abc", "alert_duration": "999", "sound_end_time": "x", "font_size": "3"}
    page = (await her.post("/dashboard/alerts/levels/sparks", data={**LEVEL, **wrong})).text
    for field in wrong:
        assert f'id="{field}-error"' in page, field
    assert page.count('class="field-error"') == len(wrong)


async def test_a_level_with_everything(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    sound = await add_file(site, streamer, Kind.AUDIO, b"ID3" + bytes(20))
    pictures = [await add_file(site, streamer, Kind.IMAGE, GIF + bytes([number])) for number in range(2)]
    form: dict[str, Any] = {
        **LEVEL, "name": HOSTILE, "min_amount": "2 000", "max_amount": "2999", "text_template": f"{{amount}} {HOSTILE}",
        "alert_duration": "12", "sound_file_url": sound, "sound_volume": "30", "sound_start_time": "1,5",
        "sound_end_time": "4", "animation_type": "fireworks", "icon": "Crown", "text_color": "#00ff00",
        "screen_shake": "yes", "has_highlight": "yes", "highlight_color": "#ff0000", "font_size": "40",
        "gif_urls": pictures,
    }  # fmt: skip
    del form["visual_enabled"]
    assert (await her.post("/dashboard/alerts/levels/sparks", data=form)).status_code == 303
    assert await tier_of(site, streamer, "sparks") == Tier(
        id="sparks",
        name=HOSTILE,
        min_amount_minor=2_000_00,
        max_amount_minor=2_999_00,
        text_template=f"{{amount}} {HOSTILE}",
        alert_duration=12,
        sound_file_url=sound,
        sound_volume=0.3,
        sound_start_time=1.5,
        sound_end_time=4.0,
        animation_enabled=True,
        animation_type="fireworks",
        icon="Crown",
        text_color="#00ff00",
        screen_shake=True,
        visual_enabled=False,
        highlight_color="#ff0000",
        font_size=40,
        gif_urls=tuple(pictures),
    )
    html = await read(her, "/dashboard/alerts/levels/sparks")
    assert "<script>alert(1)" not in html
    assert 'value="1,5"' in html
    assert html.count(" checked>") >= 2
    listed = await read(her, "/dashboard/alerts")
    assert "2 000 ₽ – 2 999 ₽" in listed
    assert "<script>alert(1)" not in listed
    # A sound is no picture.
    wrong = await her.post("/dashboard/alerts/levels/sparks", data={**form, "sound_file_url": pictures[0]})
    assert wrong.status_code == 422


async def test_two_tabs(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    for path, form, field in (
        ("/dashboard/alerts", GENERAL, "max_display_time"),
        ("/dashboard/alerts/levels/sparks", LEVEL, "alert_duration"),
    ):
        version = version_in(await read(her, path))
        assert (await her.post(path, data={**form, field: "20", "version": version})).status_code == 303
        held = await her.post(path, data={**form, field: "21", "version": version})
        assert held.status_code == 422
        assert "in another tab meanwhile" in held.text
        assert 'value="21"' in held.text
        again = await her.post(path, data={**form, field: "21", "version": version_in(held.text)})
        assert again.status_code == 303
    assert (await settings_of(site, streamer)).max_display_time == 21
    assert (await tier_of(site, streamer, "sparks")).alert_duration == 21


async def test_levels_come_and_go(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    answer = await her.post("/dashboard/alerts/levels")
    path = answer.headers["Location"].partition("?")[0]
    assert "New level" in await read(her, path)
    added = (await settings_of(site, streamer)).tiers[-1]
    assert (added.min_amount_minor, path.endswith(added.id)) == (5_500_00, True)
    for tier in DEFAULT_TIERS:
        assert (await her.post(f"/dashboard/alerts/levels/{tier.id}/remove")).status_code == 303
    assert (await her.post("/dashboard/alerts/levels/quiet/remove")).status_code == 404
    last = await her.post(f"{path}/remove")
    assert last.headers["Location"].endswith("said=level-last")
    assert "Remove this level" not in await read(her, path)
    assert (await her.post("/dashboard/alerts/reset")).status_code == 303
    assert (await settings_of(site, streamer)).tiers == DEFAULT_TIERS
    for _ in range(16):
        assert (await her.post("/dashboard/alerts/levels")).status_code == 303
    assert "Add a level" not in await read(her, "/dashboard/alerts")
    assert (await her.post("/dashboard/alerts/levels")).status_code == 422


async def test_a_layout_of_the_api_is_kept_until_it_is_given_up(
    her: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    laid_out = replace(DEFAULT_TIERS[2], elements=(Element("a", "text", 50, 50, content="{message}"),))
    async with site.pool.acquire() as connection, connection.transaction():
        await alert_settings.update_tier(connection, streamer.id, laid_out)
    assert "Keep the layout" in await read(her, "/dashboard/alerts/levels/sparks")
    assert "own layout" in await read(her, "/dashboard/alerts")
    await her.post("/dashboard/alerts/levels/sparks", data={**LEVEL, "keeps_layout": "yes"})
    assert (await tier_of(site, streamer, "sparks")).elements == laid_out.elements
    await her.post("/dashboard/alerts/levels/sparks", data=LEVEL)
    assert (await tier_of(site, streamer, "sparks")).elements is None


def shown_in(html: str) -> tuple[dict[str, Any], bool]:
    """The alert a still picture shows, and whether it is another than the saved one."""
    found = re.search(r'<body data-alert="([^"]*)"( data-unsaved)?>', html)
    assert found is not None
    return json.loads(unescape(found[1])), bool(found[2])


async def test_the_still_picture_of_what_is_typed(
    her: httpx.AsyncClient, stranger: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    """What cannot be kept is shown as it was saved, and nothing is kept."""
    path = "/dashboard/alerts/levels/sparks/preview"
    before = await settings_of(site, streamer)
    picture = await add_file(site, streamer, Kind.IMAGE, GIF + b"1")
    saved, is_unsaved = shown_in(await read(her, path))
    assert not is_unsaved
    untouched = {**LEVEL, "name": "Другое", "text_color": "#ffffff", "background_color": "#1f2937"}
    assert shown_in((await her.post(path, data=untouched)).text) == (saved, False)

    typed = {"text_template": HOSTILE, "min_amount": "2500", "text_color": "#00ff00", "gif_urls": picture}
    alert, is_unsaved = shown_in((await her.post(path, data={**LEVEL, **typed})).text)
    assert is_unsaved
    assert alert["amount_minor"] == 2500_00
    look = alert["look"]
    assert (look["text"], look["text_color"], look["image_url"]) == (HOSTILE, "#00FF00", picture)

    wrong = {
        "min_amount": "-1", "max_amount": "9", "text_color": "red;}", "font_size": "9999", "alert_duration": "",
        "animation_type": "explosion", "gif_urls": "https://example.org/spy.gif", "sound_file_url": picture,
    }  # fmt: skip
    alert, is_unsaved = shown_in((await her.post(path, data={**LEVEL, **wrong, "text_template": "Своё"})).text)
    assert is_unsaved
    assert alert == {**saved, "look": {**saved["look"], "text": "Своё"}}
    assert (await her.post(path)).status_code == 200
    # Another's file is nobody's, and another's level does not exist.
    answer = await stranger.post(path, data={**LEVEL, "gif_urls": picture})
    assert shown_in(answer.text)[0]["look"]["image_url"] is None
    assert (await stranger.post(f"{path}?streamer={streamer.slug}", data=LEVEL)).status_code == 404
    assert (await her.post("/dashboard/alerts/levels/none/preview", data=LEVEL)).status_code == 404
    assert await settings_of(site, streamer) == before


async def test_a_test_has_the_levels_amount(her: httpx.AsyncClient, site: Site) -> None:
    for tier_id in ("quiet", "ribbon"):
        assert (await her.post(f"/dashboard/alerts/levels/{tier_id}/play")).status_code == 303
    rows = await site.rows("SELECT kind, amount_minor, status FROM alerts ORDER BY id")
    assert [row["amount_minor"] for row in rows] == [100_00, 5_000_00]
    assert {(row["kind"], row["status"]) for row in rows} == {("test", "queued")}
    assert (await her.post("/dashboard/alerts/levels/none/play")).status_code == 404


async def test_a_superuser_for_her_and_a_stranger_for_herself(
    boss: httpx.AsyncClient, stranger: httpx.AsyncClient, site: Site, streamer: Streamer
) -> None:
    answer = await boss.post("/dashboard/alerts/levels", params={"streamer": streamer.slug})
    assert f"streamer={streamer.slug}" in answer.headers["Location"]
    tier_id = (await settings_of(site, streamer)).tiers[-1].id
    assert (await stranger.get(f"/dashboard/alerts/levels/{tier_id}")).status_code == 404
    await stranger.post("/dashboard/alerts/levels/sparks", data={**LEVEL, "name": "Чужое"})
    assert (await tier_of(site, streamer, "sparks")).name == "Искры"


async def test_the_still_picture_is_drawn_by_the_overlay(browser: Browser, site: Site, streamer: Streamer) -> None:
    own = replace(DEFAULT_TIERS[3], text_template="{donor_name}: {amount} ₽", name="Лента")
    async with site.pool.acquire() as connection, connection.transaction():
        await alert_settings.update_tier(connection, streamer.id, own)
    async with signed_in(site, f"{streamer.slug}@example.org") as client:
        got = await client.get("/dashboard/alerts/levels/ribbon/preview")
        assert "frame-ancestors 'self'" in got.headers["Content-Security-Policy"]
        page_answer = await client.get("/dashboard/alerts/levels/ribbon")
        assert "frame-ancestors 'none'" in page_answer.headers["Content-Security-Policy"]
    async with desk_of(browser, site, streamer, width=1280, height=900) as page:
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        await page.goto(f"{site.url}/dashboard/alerts/levels/ribbon")
        still = page.frame_locator(".still-frame")
        await expect(still.locator(".own-text")).to_have_text("Аня: 5\u00a0000 ₽")
        await expect(still.locator(".confetti").first).to_be_attached()
        box = await page.locator(".still").bounding_box()
        shown = await page.locator(".still-frame").bounding_box()
        assert box is not None
        assert shown is not None
        assert abs(shown["width"] - box["width"]) < 1
        # It follows what is typed, and a reload, after which it is as saved.
        unsaved = page.get_by_text("ещё не сохранено")
        await expect(unsaved).to_be_hidden()
        await page.fill("#text_template", "<b>Спасибо</b>, {donor_name}!")
        await expect(still.locator(".own-text")).to_have_text("<b>Спасибо</b>, Аня!")
        await expect(unsaved).to_be_visible()
        await page.get_by_role("button", name="Сохранить").click()
        await expect(unsaved).to_be_hidden()
        await expect(still.locator(".own-text")).to_have_text("<b>Спасибо</b>, Аня!")
        # No realtime service runs here, and the live page, where she came from, asks for it.
        assert [problem for problem in problems if "/socket.io/" not in problem] == []
