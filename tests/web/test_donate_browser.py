"""The donor's pages in a real browser: without scripts, with scripts that never come, with HTMX, by keyboard alone."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, JSHandle, Page, Request, Route, expect

from domain.donations import DonorState
from domain.streamers import get_by_slug
from domain.text import clean_message
from infra.settings import ROOT
from tests.support.site import Site
from tests.web.donation_states import add_donation, bring_to
from web.donate_form import parse_amount

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
BUDGET_BYTES = 14 * 1024
NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
async def site(kept_site: Site) -> Site:
    await kept_site.add_streamer()
    return kept_site


@asynccontextmanager
async def visit(browser: Browser, address: str, **options: Any) -> AsyncIterator[Page]:
    context = await browser.new_context(**{"locale": "ru-RU", **options})
    page = await context.new_page()
    await page.goto(address, wait_until="commit")
    yield page
    await context.close()


async def scripts_are_there(page: Page) -> None:
    await expect(page.locator("#donate[data-enhanced][data-htmx-powered]")).to_be_attached()


async def focused(page: Page) -> JSHandle:
    return await page.evaluate_handle("document.activeElement")


async def fill_and_send(page: Page, *, amount: str = "300") -> None:
    await page.fill("#amount", amount)
    await page.fill("#message", "Привет из Омска")
    await page.fill("#name", "Аня")
    await page.check("#consent")
    await page.click(".pay")


async def the_donation(site: Site) -> dict[str, Any]:
    [donation] = await site.rows("SELECT * FROM donations")
    return donation


async def open_payment(site: Site) -> None:
    await bring_to(site.pool, (await the_donation(site))["id"], DonorState.OPEN)


async def test_a_donor_without_scripts_pays(site: Site, browser: Browser) -> None:
    async with visit(browser, f"{site.url}/donate/anna", java_script_enabled=False) as page:
        await page.click(f"text=1{NBSP}000{NBSP}₽")
        await expect(page.locator("#amount")).to_have_value(f"1{NBSP}000")
        await page.fill("#name", "Аня")
        await page.press("#name", "Enter")
        await expect(page.locator("#consent-error")).to_be_visible()
        await expect(page.locator("#consent")).to_be_focused()
        await page.check("#consent")
        await page.click(".pay")
        await page.wait_for_url("**/d/*")
        assert (await the_donation(site))["amount_minor"] == 100000
        await open_payment(site)
        await page.click("text=Обновить")
        await expect(page.locator("a.main")).to_have_attribute("href", "https://bank.example/pay/77")


async def test_scripts_that_never_come_stop_nothing(site: Site, browser: Browser) -> None:
    context = await browser.new_context(locale="ru-RU")
    page = await context.new_page()
    stalled: list[Request] = []

    async def never(route: Route) -> None:
        stalled.append(route.request)  # Neither answered nor refused.

    await page.route(re.compile(r"\.js$"), never)
    await page.goto(f"{site.url}/donate/anna?a=300", wait_until="commit")
    await fill_and_send(page)
    await page.wait_for_url("**/d/*", wait_until="commit")
    await open_payment(site)
    await page.click("text=Обновить", no_wait_after=True)
    await expect(page.locator("a.main")).to_have_attribute("href", "https://bank.example/pay/77")
    assert len(stalled) >= 4
    await context.close()


async def test_the_page_is_light_and_asks_nobody_else(site: Site, browser: Browser) -> None:
    for address in ("/donate/anna", "/donate/anna?a=300&lang=en"):
        context = await browser.new_context(locale="ru-RU", **PHONE)
        page = await context.new_page()
        weights, addresses = await weigh(context, page, site.url + address)
        assert all(found.startswith(site.url) for found in addresses), addresses
        assert weights["Document"] + weights["Stylesheet"] <= BUDGET_BYTES, weights
        assert set(weights) <= {"Document", "Stylesheet", "Script", "Other"}, "no font, no picture"
        # And without compression, which somebody's proxy may not pass on.
        html = (await site.client.get(address)).content
        styles = (ROOT / "static/css/donate.css").stat().st_size
        assert len(html) + styles <= BUDGET_BYTES
        await context.close()


async def test_a_receipts_email_fits_the_page_and_is_remembered_on_the_device(site: Site, browser: Browser) -> None:
    """As the name is: on this device only, until the donor types another."""
    await site.pool.execute("UPDATE streamers SET receipts = 'fiscal'")
    html = (await site.client.get("/donate/anna?a=300")).content
    assert len(html) + (ROOT / "static/css/donate.css").stat().st_size <= BUDGET_BYTES
    context = await browser.new_context(locale="ru-RU", **PHONE)
    page = await context.new_page()
    await page.goto(f"{site.url}/donate/anna")
    await scripts_are_there(page)
    await fill_and_send(page)
    await expect(page.locator("#email-error")).to_have_text("Нужна почта: по закону вам отправят чек.")
    await expect(page.locator("#email")).to_be_focused()
    await page.fill("#email", "anya@mail.ru")
    await page.click(".pay")
    await page.wait_for_url("**/d/*")
    assert (await the_donation(site))["donor_email"] == "anya@mail.ru"
    await page.goto(f"{site.url}/donate/anna")
    await expect(page.locator("#email")).to_have_value("anya@mail.ru")
    assert not [cookie for cookie in await context.cookies() if "mail" in str(cookie)]
    # Where no receipt is made the field is not there, and what the device knows stays there.
    await site.pool.execute("UPDATE streamers SET receipts = 'none'")
    await page.goto(f"{site.url}/donate/anna")
    await scripts_are_there(page)
    await fill_and_send(page, amount="400")
    await page.wait_for_url("**/d/*")
    assert "anya@mail.ru" in await page.evaluate("localStorage.getItem('donate')")
    assert await site.rows("SELECT FROM donations WHERE donor_email IS NULL") != []
    await context.close()


async def weigh(context: BrowserContext, page: Page, address: str) -> tuple[dict[str, int], list[str]]:
    """Bytes on the wire by kind of resource, headers included, and every address asked for."""
    session = await context.new_cdp_session(page)
    kinds: dict[str, tuple[str, str]] = {}
    weights: dict[str, int] = {}

    def note(event: dict[str, Any]) -> None:
        kinds[event["requestId"]] = (event["type"], event["response"]["url"])

    def add(event: dict[str, Any]) -> None:
        kind = kinds[event["requestId"]][0]
        weights[kind] = weights.get(kind, 0) + int(event["encodedDataLength"])

    session.on("Network.responseReceived", note)
    session.on("Network.loadingFinished", add)
    await session.send("Network.enable")
    await page.goto(address, wait_until="networkidle")
    return weights, [found for _kind, found in kinds.values()]


async def test_with_scripts_the_form_answers_while_one_types(site: Site, browser: Browser) -> None:
    async with visit(browser, f"{site.url}/donate/anna", **PHONE) as page:
        await scripts_are_there(page)
        await expect(page.locator(".pay")).to_have_text("Поддержать")
        await page.click(f".chips >> text=500{NBSP}₽")
        await expect(page.locator(".pay")).to_have_text(f"Поддержать на 500{NBSP}₽")
        await expect(page.locator(".chips [aria-pressed=true]")).to_have_text(f"500{NBSP}₽")
        await page.fill("#amount", "1500,5")
        await expect(page.locator(".pay")).to_have_text(f"Поддержать на 1{NBSP}500,50{NBSP}₽")
        await page.fill("#message", "Привет из Омска")
        await expect(page.locator("[data-counter]")).to_have_text("15 / 300")
        await expect(page.locator("[data-preview]")).to_have_text(
            f"На экране: Аноним · 1{NBSP}500,50{NBSP}₽ Привет из Омска"
        )
        await page.fill("#name", "<b>Аня</b>")
        await expect(page.locator("[data-name]")).to_have_text("<b>Аня</b>")
        await page.fill("#amount", "5")
        await expect(page.locator(".pay")).to_have_text("Поддержать")


async def test_htmx_brings_errors_then_the_bank_then_the_alert(site: Site, browser: Browser) -> None:
    async with visit(browser, f"{site.url}/donate/anna?a=300", **PHONE) as page:
        await scripts_are_there(page)
        await page.evaluate("window.sameDocument = true")
        await page.click(".pay")
        await expect(page.locator("#consent-error")).to_be_visible()
        await expect(page.locator("#consent")).to_be_focused()
        await fill_and_send(page)
        await page.wait_for_url("**/d/*")
        await expect(page.locator("h2")).to_be_focused()
        donation = await the_donation(site)
        await open_payment(site)
        await expect(page.locator("a.main")).to_have_attribute("href", "https://bank.example/pay/77")
        await expect(page.locator("a.main .touch")).to_be_visible()
        await expect(page.locator("a.main .desk")).to_be_hidden()
        await site.pool.execute("UPDATE payments SET status = 'new', provider_payment_id = NULL")
        await bring_to(site.pool, donation["id"], DonorState.SHOWN)
        await expect(page.locator("h2")).to_have_text("Показан на трансляции")
        await expect(page.locator("[data-live]")).to_have_count(0)
        assert await page.evaluate("window.sameDocument"), "nothing was loaded anew on the way"
        # A tab that was killed goes on from the same address.
        await page.reload()
        await expect(page.locator("h2")).to_have_text("Показан на трансляции")


async def test_a_wait_survives_a_lost_connection(site: Site, browser: Browser) -> None:
    async with visit(browser, f"{site.url}/donate/anna?a=300") as page:
        await scripts_are_there(page)
        await fill_and_send(page)
        await page.wait_for_url("**/d/*")
        await page.context.set_offline(True)
        # What a phone tells a tab that comes back from the bank's app.
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await page.wait_for_timeout(300)
        await open_payment(site)
        await page.context.set_offline(False)
        await expect(page.locator("a.main")).to_be_visible()


async def test_a_lost_connection_while_sending_is_said_and_costs_nothing(site: Site, browser: Browser) -> None:
    async with visit(browser, f"{site.url}/donate/anna?a=300") as page:
        await scripts_are_there(page)
        await page.context.set_offline(True)
        await fill_and_send(page)
        await expect(page.locator("[data-problem]")).to_contain_text("проверьте связь")
        await page.context.set_offline(False)
        await page.click(".pay")
        await page.wait_for_url("**/d/*")
        await the_donation(site)


async def test_another_try_from_the_page(site: Site, browser: Browser) -> None:
    async with site.pool.acquire() as connection, connection.transaction():
        streamer = await get_by_slug(connection, "anna")
        donation_id, public_id = await add_donation(connection, streamer)
        await bring_to(connection, donation_id, DonorState.EXPIRED)
    for java_script in (False, True):
        async with visit(browser, f"{site.url}/d/{public_id}", java_script_enabled=java_script) as page:
            await page.click("text=Получить новую ссылку")
            await expect(page.locator("h2")).to_have_text("Создаём платёж…")
        await site.pool.execute(
            "UPDATE payments SET status = 'expired', closed_at = now(), payment_url = 'https://bank.example/2'"
            " WHERE attempt = 2"
        )


async def test_back_from_the_payment_is_a_live_form(site: Site, browser: Browser) -> None:
    async with visit(browser, f"{site.url}/donate/anna") as page:
        await scripts_are_there(page)
        await page.fill("#amount", "200")
        await page.check("#consent")
        await page.click("button.pay")
        await expect(page.locator("h2")).to_have_text("Создаём платёж…")
        await expect(page).to_have_title("Донат: Анна")
        await expect(page.locator("h2")).to_be_focused()
        await page.go_back()
        await scripts_are_there(page)
        await page.fill("#amount", "300")
        await expect(page.locator("button.pay")).to_contain_text("300")


async def test_a_donor_with_a_keyboard_alone(site: Site, browser: Browser) -> None:
    async with visit(browser, f"{site.url}/donate/anna") as page:
        await scripts_are_there(page)
        order = []
        await page.focus(".top a")
        for _ in range(10):
            await page.keyboard.press("Tab")
            order.append(await page.evaluate("({ id, name, tagName }) => id || name || tagName", await focused(page)))
        assert order == ["amount", *["set_amount"] * 4, "message", "anonymous", "name", "consent", "A"]
        await page.focus("#amount")
        await page.keyboard.type("300")
        for _ in range(5):
            await page.keyboard.press("Tab")
        await page.keyboard.type("Привет")
        for _ in range(3):
            await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await expect(page.locator(".pay")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/d/*")
        assert (await the_donation(site))["message"] == "Привет"


async def test_every_field_has_a_name_for_screen_readers(site: Site, browser: Browser) -> None:
    async with visit(browser, f"{site.url}/donate/anna") as page:
        for name in ("Сумма", "Сообщение", "Ваше имя"):
            await expect(page.get_by_role("textbox", name=re.compile(f"^{name}"))).to_be_visible()
        await expect(page.get_by_role("checkbox", name="Даю согласие на обработку персональных данных")).to_be_visible()
        await expect(page.get_by_role("button", name="Поддержать")).to_have_count(1)
        await expect(page.get_by_role("group", name="Готовые суммы")).to_be_visible()
        await expect(page.get_by_role("heading", level=1, name="Анна")).to_be_visible()


async def test_name_and_amount_are_remembered_on_the_device(site: Site, browser: Browser) -> None:
    async with visit(browser, f"{site.url}/donate/anna") as page:
        await scripts_are_there(page)
        await fill_and_send(page, amount="450")
        await page.wait_for_url("**/d/*")
        await page.goto(f"{site.url}/donate/anna")
        await expect(page.locator("#amount")).to_have_value("450")
        await expect(page.locator("#name")).to_have_value("Аня")
        await expect(page.locator("#message")).to_have_value("")
        await expect(page.locator("#consent")).not_to_be_checked()
        await page.goto(f"{site.url}/donate/anna?a=300&from=qr")
        await expect(page.locator("#name")).to_have_value("Аня")
        await expect(page.locator("#amount")).to_have_value("300")
        assert [cookie["name"] for cookie in await page.context.cookies()] == []


async def test_who_was_anonymous_stays_so_until_it_is_unticked(site: Site, browser: Browser) -> None:
    async with visit(browser, f"{site.url}/donate/anna") as page:
        await scripts_are_there(page)
        await page.fill("#name", "Аня")
        await page.check("[name=anonymous]")
        await page.fill("#amount", "450")
        await page.check("#consent")
        await page.click(".pay")
        await page.wait_for_url("**/d/*")
        await page.goto(f"{site.url}/donate/anna")
        await expect(page.locator("[name=anonymous]")).to_be_checked()
        await expect(page.locator("[data-name]")).to_have_text("Аноним")
        await page.check("#consent")
        await page.click(".pay")
        await page.wait_for_url("**/d/*")
        assert await site.rows("SELECT DISTINCT donor_name FROM donations") == [{"donor_name": None}]
        await page.goto(f"{site.url}/donate/anna")
        await page.uncheck("[name=anonymous]")
        await expect(page.locator("#name")).to_have_value("Аня")


async def test_the_button_stays_above_a_keyboard_that_covers_the_page(site: Site, browser: Browser) -> None:
    async with visit(browser, f"{site.url}/donate/anna", **PHONE) as page:
        await scripts_are_there(page)
        # As iOS tells of its keyboard: the page is as tall as before, but less of it is seen.
        await page.evaluate(
            "Object.defineProperty(visualViewport, 'height', { value: innerHeight - 336 });"
            "visualViewport.dispatchEvent(new Event('resize'))"
        )
        box = await page.locator(".action").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 844 - 336


async def test_nothing_sticks_out_of_a_small_phone(site: Site, browser: Browser) -> None:
    await site.pool.execute("UPDATE streamers SET display_name = $1, about = $1", "Ж" * 60)
    small = {**PHONE, "viewport": {"width": 320, "height": 568}}
    for scheme in ("light", "dark"):
        async with visit(browser, f"{site.url}/donate/anna?a=15000", color_scheme=scheme, **small) as page:
            await page.wait_for_load_state("networkidle")
            assert await page.evaluate("document.documentElement.scrollWidth") == 320
            sizes = await page.evaluate(
                "[...document.querySelectorAll('input:not([type=checkbox]):not([type=hidden]), textarea')]"
                ".map((field) => parseFloat(getComputedStyle(field).fontSize))"
            )
            assert min(sizes) >= 16, "iOS would zoom in"
            heights = await page.evaluate(
                "[...document.querySelectorAll('.chips button')].map((chip) => chip.offsetHeight)"
            )
            assert min(heights) >= 48


async def test_scripts_count_and_read_amounts_as_the_server_does(site: Site, browser: Browser) -> None:
    amounts = ["300", "300,5", "1 000", f"1{NBSP}500,50 ₽", "300р", "₽300", "300 руб.", "0", "1.5"]
    amounts += ["1,000", "-1", "", "1e3", "12 34", "３００"]
    messages = ["Привет", " a  b \r\n\r\n c ", "👩‍🚀👍🏽", "e\u0301", "\t", "раз\nдва", "Zа\u0301"]
    messages += [
        "\u200b\u200d\u2060",
        "\u202eabc",
        "Z" + "\u0338\u0327\u0322\u031b\u032b\u0317" * 3,
        "а\u200dб",
        "👨\u200d👩\u200d👧 ☺️\u200d",
    ]
    async with visit(browser, f"{site.url}/donate/anna") as page:
        await scripts_are_there(page)
        module = "import(document.querySelector('script[type=module]').src)"
        read = await page.evaluate(f"async (amounts) => amounts.map((await {module}).parseAmount)", amounts)
        counted = await page.evaluate(f"async (messages) => messages.map((await {module}).countCharacters)", messages)
    assert read == [parse_amount(amount) for amount in amounts]
    assert counted == [len(clean_message(message)) for message in messages]


async def test_the_preview_shows_a_name_nobody_sees_as_the_alert_will(site: Site, browser: Browser) -> None:
    async with visit(browser, f"{site.url}/donate/anna?a=300") as page:
        await scripts_are_there(page)
        await page.locator("#name").fill("\u200b\u200d\u2060")
        await page.locator("#message").fill("\u200bПривет")
        await expect(page.locator("[data-preview] [data-name]")).to_have_text("Аноним")
        assert await page.locator("[data-preview] [data-message]").text_content() == "Привет"
