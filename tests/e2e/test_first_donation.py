"""From the form to the alert, in a real browser, with all programs running."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Browser, expect

from tests.e2e.conftest import House, Obs, stall_scripts, until


async def test_a_donor_pays_and_the_alert_plays(
    house: House, browser: Browser, open_overlay: Callable[..., Awaitable[Obs]]
) -> None:
    # Long enough for a donor to come back from the bank meanwhile, and for both to be looked at.
    await house.pool.execute("UPDATE streamers SET alert_min_seconds = 15, alert_max_seconds = 15")
    obs = await open_overlay()
    context = await browser.new_context(locale="ru-RU", viewport={"width": 390, "height": 844})
    donor = await context.new_page()
    origins: set[str] = set()
    donor.on("request", lambda request: origins.add(request.url.split("/", 3)[2]))

    await donor.goto(f"{house.stack.web_url}/donate/{house.slug}")
    await donor.locator("#amount").fill("1 234,50")
    await donor.get_by_label("Сообщение").fill("Привет из Омска <b>жирный</b>")
    await donor.get_by_label("Ваше имя").fill("Аня")
    await donor.locator("#consent").check()
    await expect(donor.locator("[data-preview]")).to_contain_text("Аня")
    await donor.locator("button.pay").click()
    link = donor.locator('a[href*="/pay/"]:visible')
    await expect(link).to_be_visible(timeout=60_000)
    assert origins == {house.stack.web_url.removeprefix("http://")}
    await link.click()
    await donor.locator('button[data-attempt="card"]').click()

    await expect(donor.locator("h2")).to_contain_text("экране", timeout=60_000)
    alert = obs.page.locator(".alert")
    await expect(alert).to_contain_text("Аня", timeout=20_000)
    await expect(alert).to_contain_text("Привет из Омска <b>жирный</b>")
    await expect(alert.locator("b")).to_have_count(0)
    await expect(alert.locator(".amount")).to_contain_text("1 234,50")
    await expect(donor.locator("time")).to_be_visible(timeout=60_000)
    assert obs.errors == []
    await context.close()
    await obs.close()


async def test_paying_with_scripts_that_never_arrive(
    house: House, browser: Browser, open_overlay: Callable[..., Awaitable[Obs]]
) -> None:
    context = await browser.new_context(locale="en-US")
    donor = await context.new_page()
    await stall_scripts(donor)
    await donor.goto(f"{house.stack.web_url}/donate/{house.slug}", wait_until="commit")
    await donor.locator("#amount").fill("500")
    await donor.locator("#consent").check()
    await donor.locator("button.pay").click(no_wait_after=True)
    # There is one for phones, too, and before its style sheet comes the page shows both.
    link = donor.locator('a.desk[href*="/pay/"]')
    await expect(link).to_be_visible(timeout=60_000)
    await link.click(no_wait_after=True)
    await donor.locator('button[data-attempt="sbp"]').click(no_wait_after=True)
    await expect(donor.locator("h2")).to_contain_text("received", timeout=60_000)

    obs = await open_overlay()
    await expect(obs.page.locator(".alert")).to_contain_text("500", timeout=30_000)
    await context.close()
    await obs.close()


async def test_a_declined_card_and_a_second_try(house: House) -> None:
    page = await house.wish()
    payment = await house.until_open(page)
    await house.act(payment, "decline")

    async def told() -> bool:
        answer = await house.http.get(f"{house.stack.web_url}{page}?Success=true&lang=ru")
        return "Оплата не прошла" in answer.text

    await until(told, "the donor is told")
    await house.act(payment, "pay")
    await house.until_paid(page)


async def test_the_redirects_query_string_is_not_believed(house: House) -> None:
    page = await house.wish()
    await house.until_open(page)
    answer = await house.http.get(f"{house.stack.web_url}{page}?Success=true&ErrorCode=0&Status=CONFIRMED&lang=en")
    assert "received" not in answer.text
    assert await house.status(page) == "pending"
