"""A streamer gives money back, in a real browser: from the feed to the refund's end, which the page shows by itself."""

import re

from playwright.async_api import Page, expect

from domain import refunds
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.streamers import Streamer
from tests.builders import hear
from tests.support.site import Site
from tests.web.money import add_paid


async def test_from_the_feed_to_the_end(her_page: Page, site: Site, streamer: Streamer) -> None:
    page = her_page
    donation, payment = await add_paid(site, streamer)
    await page.reload()
    await page.locator(".row .sum a").click()
    await expect(page.locator("h1")).to_contain_text("Аня")
    await page.get_by_role("link", name="Вернуть деньги…").click()

    await expect(page.get_by_label("Сколько, ₽")).to_have_value("300")
    await page.get_by_label("Сколько, ₽").fill("400")
    await page.get_by_role("button", name="Продолжить").click()
    await expect(page.locator("#amount-error")).to_contain_text("не больше 300")
    await expect(page.locator("#reason-error")).to_contain_text("Напишите причину")
    await page.get_by_label("Сколько, ₽").fill("100")
    await page.get_by_label("Почему").fill("Ошибся суммой")
    await page.get_by_role("button", name="Продолжить").click()
    await expect(page.locator("h1")).to_have_text(re.compile("Вернуть 100.₽ для «Аня»?"))
    await page.get_by_role("button", name="Да, вернуть").dblclick()

    await page.wait_for_url(f"**/dashboard/donations/{donation.public_id}?said=refund-wished")
    await expect(page.locator(".refunds")).to_contain_text("Отправляется в банк")
    # Its story can be read while the page looks for news.
    async with site.pool.acquire() as connection, connection.transaction():
        (refund,) = await refunds.list_refunds_of_donation(connection, donation.id)
        claimed = await refunds.claim_refund(connection, refund.id)
        assert claimed is not None
        assert await refunds.note_call(connection, claimed, 0)
        await refunds.postpone(connection, claimed, refunds.RefundStatus.PENDING, 60)
    await expect(page.locator(".refunds")).to_contain_text("Банк принял возврат")
    async with site.pool.acquire() as connection, connection.transaction():
        await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=20_000)
    await expect(page.locator(".refunds")).to_contain_text("Деньги вернулись")
    await expect(page.locator("#story")).not_to_have_attribute("hx-trigger", re.compile("every"))
    await expect(page.get_by_role("link", name="Вернуть деньги…")).to_be_visible()
    assert len(await site.rows("SELECT id FROM refunds")) == 1
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
