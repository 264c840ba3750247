"""SBP on the donor's own page: the code on a desk, the bank's app on a phone, and how long it lasts."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from domain.donations import DonorState
from domain.streamers import Streamer
from providers.outcomes import RefusalReason
from tests.support.chromium import take_picture
from tests.support.qr import read_qr_codes
from tests.support.site import Site
from tests.web.donation_states import add_donation, bring_to
from web.i18n import use_locale
from web.provider_words import refusal_words
from web.qr import qr_svg

PAYLOAD = "https://qr.nspk.ru/AS1000670LSS7DN18SJQDNP4B05KLJL2?type=01&bank=100000000001&sum=30000&cur=RUB&crc=C08B"
BANKS_PAGE = "https://bank.example/pay/77"
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SMALL_PHONE: dict[str, Any] = {**PHONE, "viewport": {"width": 320, "height": 568}}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
OTHER_WAY = "Картой или другим способом"
HINT = "Наведите камеру телефона"


@pytest.fixture
def site(kept_site: Site) -> Site:
    return kept_site


async def open_payment(site: Site, streamer: Streamer, payload: str | None = PAYLOAD, *, minutes: float = 28.9) -> str:
    """A payment that waits for its donor, with a code; the donation's public id."""
    async with site.pool.acquire() as connection, connection.transaction():
        donation_id, public_id = await add_donation(connection, streamer)
        await bring_to(connection, donation_id, DonorState.OPEN)
        await connection.execute(
            "UPDATE payments SET sbp_payload = $1, due_at = now() + make_interval(secs => $2)", payload, minutes * 60
        )
    return public_id


async def last(site: Site, minutes: float) -> None:
    await site.pool.execute("UPDATE payments SET due_at = now() + make_interval(secs => $1)", minutes * 60)


@asynccontextmanager
async def visit(browser: Browser, site: Site, public_id: str, **options: Any) -> AsyncIterator[Page]:
    context = await browser.new_context(**{"locale": "ru-RU", **options})
    page = await context.new_page()
    await page.goto(f"{site.url}/d/{public_id}", wait_until="commit")
    yield page
    await context.close()


async def scripts_are_there(page: Page) -> None:
    await expect(page.locator("#donate[data-enhanced][data-htmx-powered]")).to_be_attached()


def version_of(page: str) -> str:
    found = re.search(r"/state\?version=([^\"]+)", page)
    assert found is not None, page
    return found[1]


def links(page: str) -> list[str]:
    return [unescape(link) for link in re.findall(r'<a class="(?:main|other)[^>]* href="([^"]*)"', page)]


# What the page holds.


async def test_the_page_has_the_code_the_app_and_the_other_way(site: Site, streamer: Streamer) -> None:
    page = (await site.client.get(f"/d/{await open_payment(site, streamer)}")).text
    assert str(qr_svg(PAYLOAD)) in page
    assert 'aria-label="QR-код СБП, 300\N{NO-BREAK SPACE}₽"' in page
    assert links(page) == [PAYLOAD, BANKS_PAGE, BANKS_PAGE]
    assert page.count('rel="noreferrer"') == 3
    assert HINT in page
    assert "Код действует ещё 28 минут." in page
    assert "data:" not in page
    assert "<style" not in page


async def test_without_a_code_the_page_sends_to_the_provider(site: Site, streamer: Streamer) -> None:
    page = (await site.client.get(f"/d/{await open_payment(site, streamer, None)}")).text
    assert links(page) == [BANKS_PAGE]
    assert "Перейти к оплате" in page
    assert "<svg" not in page
    assert HINT not in page
    assert 'id="minutes"' not in page


@pytest.mark.parametrize(
    "payload",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        " javascript:alert(1)",
        "bank100000000004://pay",
        "//qr.nspk.ru/x",
        "qr.nspk.ru/x",
        "",
        "https://qr.nspk.ru/" + "x" * 500,
    ],
)
async def test_what_is_no_web_address_is_not_shown(site: Site, streamer: Streamer, payload: str) -> None:
    page = (await site.client.get(f"/d/{await open_payment(site, streamer, payload)}")).text
    assert links(page) == [BANKS_PAGE]
    assert "<svg" not in page


async def test_a_hostile_address_stays_an_address(site: Site, streamer: Streamer, browser: Browser) -> None:
    payload = "https://qr.nspk.ru/\"><script>window.struck=1</script><svg onload='window.struck=1'>&amp;</svg>"
    public_id = await open_payment(site, streamer, payload)
    page = (await site.client.get(f"/d/{public_id}")).text
    assert "<script>window" not in page
    assert links(page)[0] == payload
    async with visit(browser, site, public_id, **DESK) as visited:
        assert await read_qr_codes(browser, await take_picture(visited)) == [payload]
        assert await visited.evaluate("window.struck") is None


@pytest.mark.parametrize("state", [state for state in DonorState if state is not DonorState.OPEN])
async def test_only_an_open_payment_shows_its_code(site: Site, streamer: Streamer, state: DonorState) -> None:
    async with site.pool.acquire() as connection, connection.transaction():
        donation_id, public_id = await add_donation(connection, streamer)
        await bring_to(connection, donation_id, state)
        await connection.execute("UPDATE payments SET sbp_payload = $1", PAYLOAD)
    page = (await site.client.get(f"/d/{public_id}")).text
    assert "qr.nspk.ru" not in page
    assert str(qr_svg(PAYLOAD)) not in page


async def test_the_page_is_light(site: Site, streamer: Streamer) -> None:
    address = f"/d/{await open_payment(site, streamer)}"
    weight = 0
    for path in (address, "/static/css/donate.css"):
        async with site.client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
            await answer.aread()
            weight += answer.num_bytes_downloaded
    assert weight <= 14 * 1024


# How long it lasts.


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (28.99, "Код действует ещё 28 минут."),
        (22.5, "Код действует ещё 22 минуты."),
        (1.5, "Код действует ещё 1 минуту."),
        (0.5, "Осталось меньше минуты."),
    ],
)
async def test_how_long_the_code_lasts(site: Site, streamer: Streamer, minutes: float, words: str) -> None:
    public_id = await open_payment(site, streamer, minutes=minutes)
    assert words in (await site.client.get(f"/d/{public_id}")).text


async def test_a_minute_changes_its_own_words_alone(site: Site, streamer: Streamer) -> None:
    public_id = await open_payment(site, streamer, minutes=28.5)
    version = version_of((await site.client.get(f"/d/{public_id}")).text)
    asked = {"version": version, "minutes": "29"}
    answer = await site.client.get(f"/d/{public_id}/state", params=asked)
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (200, "#minutes")
    assert answer.text.strip().startswith('<p class="hint" id="minutes"')
    assert "Код действует ещё 28 минут." in answer.text
    assert "<svg" not in answer.text
    # Whatever else has changed says the minutes too.
    answer = await site.client.get(f"/d/{public_id}/state", params={**asked, "version": "other"})
    assert "HX-Retarget" not in answer.headers
    assert '<section id="donate"' in answer.text


async def test_a_wait_ends_with_the_minute(site: Site, streamer: Streamer) -> None:
    public_id = await open_payment(site, streamer, minutes=28 + 1 / 60)
    version = version_of((await site.client.get(f"/d/{public_id}")).text)
    answer = await site.client.get(f"/d/{public_id}/state", params={"version": version, "minutes": "28"})
    assert "Код действует ещё 27 минут." in answer.text


@pytest.mark.parametrize("minutes", ["", "many", "1e3", "-", "0x10"])
async def test_other_words_for_minutes_are_none(
    site: Site, streamer: Streamer, minutes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.pages.donate.WAIT_SECONDS", 0.1)
    public_id = await open_payment(site, streamer)
    version = version_of((await site.client.get(f"/d/{public_id}")).text)
    answer = await site.client.get(f"/d/{public_id}/state", params={"version": version, "minutes": minutes})
    assert answer.status_code == 204


async def test_a_wait_ends_with_the_link(site: Site, streamer: Streamer) -> None:
    public_id = await open_payment(site, streamer)
    version = version_of((await site.client.get(f"/d/{public_id}")).text)
    await last(site, 1 / 60)
    answer = await site.client.get(f"/d/{public_id}/state", params={"version": version, "minutes": "0"})
    if "HX-Retarget" in answer.headers:
        answer = await site.client.get(f"/d/{public_id}/state", params={"version": version, "minutes": "0"})
    assert "Ссылка на оплату истекла" in answer.text
    assert "Получить новую ссылку" in answer.text


# Why it was not opened.


REASONS = [reason for reason in RefusalReason if reason is not RefusalReason.UNKNOWN]


async def refuse(site: Site, streamer: Streamer, state: DonorState, reason: str) -> str:
    async with site.pool.acquire() as connection, connection.transaction():
        donation_id, public_id = await add_donation(connection, streamer)
        await bring_to(connection, donation_id, state)
        await connection.execute("UPDATE payments SET error_reason = $1", reason)
    return unescape((await site.client.get(f"/d/{public_id}")).text)


@pytest.mark.parametrize("reason", REASONS)
async def test_a_refusal_is_explained(site: Site, streamer: Streamer, reason: RefusalReason) -> None:
    page = await refuse(site, streamer, DonorState.REFUSED, reason)
    assert "Платёж не открылся" in page
    with use_locale("ru"):
        assert refusal_words(reason, for_streamer=False) in page


@pytest.mark.parametrize("reason", [RefusalReason.NO_FUNDS, RefusalReason.CARD_NOT_ACCEPTED])
async def test_a_decline_is_explained(site: Site, streamer: Streamer, reason: RefusalReason) -> None:
    page = await refuse(site, streamer, DonorState.DECLINED, reason)
    assert "Оплата не прошла" in page
    assert "Попробовать ещё раз" in page
    with use_locale("ru"):
        assert refusal_words(reason, for_streamer=False) in page


@pytest.mark.parametrize("reason", ["", RefusalReason.UNKNOWN])
async def test_what_nobody_knows_is_not_explained(site: Site, streamer: Streamer, reason: str) -> None:
    assert "Банк сейчас не принимает платежи" in await refuse(site, streamer, DonorState.REFUSED, reason)


# In a browser.


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("scale", [1, 1.25, 2])
async def test_on_a_desk_a_camera_reads_the_code(
    site: Site, streamer: Streamer, browser: Browser, scheme: Any, scale: float
) -> None:
    public_id = await open_payment(site, streamer)
    options = {**DESK, "color_scheme": scheme, "device_scale_factor": scale}
    async with visit(browser, site, public_id, **options) as page:
        await scripts_are_there(page)
        assert await read_qr_codes(browser, await take_picture(page)) == [PAYLOAD]
        await expect(page.get_by_role("img", name="QR-код СБП")).to_be_visible()
        box = await page.locator(".code svg").bounding_box()
        assert box is not None
        assert 220 <= box["width"] == box["height"] <= 270
        await expect(page.get_by_text(HINT)).to_be_visible()
        await expect(page.get_by_text("Код действует ещё 28 минут.")).to_be_visible()
        await expect(page.get_by_text("Ссылка действует")).to_be_hidden()
        await expect(page.get_by_role("link", name="Открыть приложение банка")).to_have_count(0)
        await expect(page.get_by_role("link", name=OTHER_WAY)).to_have_attribute("href", BANKS_PAGE)
        await expect(page.locator("summary")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_on_a_phone_the_app_is_a_tap_away(site: Site, streamer: Streamer, browser: Browser, scheme: Any) -> None:
    public_id = await open_payment(site, streamer)
    async with visit(browser, site, public_id, color_scheme=scheme, **PHONE) as page:
        await scripts_are_there(page)
        app = page.get_by_role("link", name="Открыть приложение банка")
        await expect(app).to_have_attribute("href", PAYLOAD)
        box, card = await app.bounding_box(), await page.locator("#donate").bounding_box()
        assert box is not None
        assert card is not None
        assert box["width"] == card["width"]
        await expect(page.get_by_role("link", name=OTHER_WAY)).to_have_attribute("href", BANKS_PAGE)
        await expect(page.get_by_text("Ссылка действует ещё 28 минут.")).to_be_visible()
        await expect(page.locator(".code")).to_be_hidden()
        assert await read_qr_codes(browser, await take_picture(page)) == []
        # To pay from another device.
        await page.tap("summary")
        await expect(page.locator(".code")).to_be_visible()
        await page.locator(".code").scroll_into_view_if_needed()
        assert await read_qr_codes(browser, await take_picture(page)) == [PAYLOAD]
        # What replaces the page while the code is being read does not hide it.
        await site.pool.execute("UPDATE payments SET created_at = created_at - interval '16 seconds'")
        await expect(page.locator(".advice")).to_contain_text("Выключите VPN")
        await expect(page.locator(".code")).to_be_visible()
        await page.tap("summary")
        await expect(page.locator(".code")).to_be_hidden()


async def test_the_code_fits_a_small_phone(site: Site, streamer: Streamer, browser: Browser) -> None:
    public_id = await open_payment(site, streamer)
    async with visit(browser, site, public_id, java_script_enabled=False, **SMALL_PHONE) as page:
        # Its style sheet, too.
        await page.wait_for_load_state()
        await page.tap("summary")
        await expect(page.locator(".code svg")).to_be_visible()
        assert await page.locator(".code svg").evaluate("svg => svg.getBoundingClientRect().left") >= 0
        assert await page.locator("html").evaluate("html => html.scrollWidth") == 320


async def test_the_minutes_go_by_under_a_donors_hands(site: Site, streamer: Streamer, browser: Browser) -> None:
    public_id = await open_payment(site, streamer, minutes=28 + 3 / 60)
    async with visit(browser, site, public_id, **DESK) as page:
        await scripts_are_there(page)
        await page.evaluate("window.code = document.querySelector('.code')")
        await page.get_by_role("link", name=OTHER_WAY).focus()
        await expect(page.locator("#minutes")).to_contain_text("ещё 27 минут", timeout=30_000)
        await last(site, 26.5)
        await expect(page.locator("#minutes")).to_contain_text("ещё 26 минут", timeout=30_000)
        await expect(page.get_by_role("link", name=OTHER_WAY)).to_be_focused()
        assert await page.evaluate("window.code.isConnected"), "the rest of the page stays as it was"
        await last(site, -1)
        await expect(page.locator("h2")).to_have_text("Ссылка на оплату истекла", timeout=30_000)
        await expect(page.locator("h2")).to_be_focused()


@pytest.mark.parametrize("options", [PHONE, DESK])
async def test_what_is_paid_is_seen_without_a_press(
    site: Site, streamer: Streamer, browser: Browser, options: dict[str, Any]
) -> None:
    public_id = await open_payment(site, streamer)
    async with visit(browser, site, public_id, **options) as page:
        await scripts_are_there(page)
        await site.pool.execute("UPDATE payments SET status = 'new', provider_payment_id = NULL")
        [donation] = await site.rows("SELECT id FROM donations")
        await bring_to(site.pool, donation["id"], DonorState.SHOWN)
        await expect(page.locator("h2")).to_have_text("Показан на трансляции")
        await expect(page.locator("h2")).to_be_focused()
        await expect(page.locator(".code, #minutes, .other")).to_have_count(0)
