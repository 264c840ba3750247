"""Whatever dies or is away in between: each paid donation is booked once and shown once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import expect

from tests.builders import check_books
from tests.e2e.conftest import House, Obs, until
from tests.support.servers import Servers

OpenOverlay = Callable[..., Awaitable[Obs]]


async def books(house: House) -> None:
    async with house.pool.acquire() as connection, connection.transaction():
        await check_books(connection)


async def showings(house: House, page: str) -> int:
    """On how many leases the alert's text was readable."""
    alert = await house.alert(page)
    assert alert is not None
    count: int = await house.pool.fetchval(
        "SELECT count(*) FROM alert_leases WHERE alert_id = $1 AND seen_at IS NOT NULL", alert["alert_id"]
    )
    return count


async def shown_at(house: House, page: str) -> Any:
    alert = await house.alert(page)
    return None if alert is None else alert["shown_at"]


async def test_an_overlay_that_connects_after_the_payment_shows_it_once(
    house: House, open_overlay: OpenOverlay
) -> None:
    page = await house.donate(message="ждал тебя")
    await house.until_alert(page, "queued")
    obs = await open_overlay()
    await expect(obs.page.locator(".alert")).to_contain_text("ждал тебя", timeout=30_000)
    await house.until_alert(page, "shown")
    await asyncio.sleep(1)
    await obs.page.reload()
    await asyncio.sleep(4)
    assert await obs.shown_texts() == []
    assert await showings(house, page) == 1
    await books(house)
    await obs.close()


async def test_an_overlay_killed_before_the_text_was_seen_plays_it_again(
    house: House, open_overlay: OpenOverlay
) -> None:
    # As long as may be until it counts as seen.
    await house.pool.execute("UPDATE streamers SET alert_min_seconds = 6, alert_max_seconds = 6")
    first = await open_overlay()
    page = await house.donate()
    # Looked for more often than `expect` does: after three seconds it would be seen.
    await first.page.locator(".alert").wait_for(timeout=60_000)
    await first.close()
    assert await shown_at(house, page) is None
    second = await open_overlay()
    await expect(second.page.locator(".alert")).to_contain_text("Аня", timeout=60_000)
    await house.until_alert(page, "shown")
    assert await showings(house, page) == 1
    await second.close()


async def test_an_overlay_killed_after_the_text_was_seen_does_not(house: House, open_overlay: OpenOverlay) -> None:
    # It is not over by the time the overlay is closed.
    await house.pool.execute("UPDATE streamers SET alert_min_seconds = 60, alert_max_seconds = 60")
    first = await open_overlay()
    page = await house.donate(message="длинное сообщение, " * 10)

    async def seen() -> bool:
        return await shown_at(house, page) is not None

    await until(seen, "the text was readable")
    await first.close()
    shown = await house.until_alert(page, "shown")
    assert shown["interrupted"]
    second = await open_overlay()
    await asyncio.sleep(5)
    assert await second.shown_texts() == []
    assert await showings(house, page) == 1
    await second.close()


async def test_realtime_killed_while_an_alert_plays(house: House, open_overlay: OpenOverlay) -> None:
    obs = await open_overlay()
    page = await house.donate(message="середина алерта")
    await expect(obs.page.locator(".alert")).to_be_visible(timeout=30_000)
    house.stack["realtime"].kill()
    await asyncio.sleep(1)
    house.stack["realtime"].start()
    following = await house.donate(message="после падения")
    await house.until_alert(page, "shown")
    await house.until_alert(following, "shown", seconds=90)
    texts = await obs.shown_texts()
    assert sum("середина алерта" in text for text in texts) == 1
    assert sum("после падения" in text for text in texts) == 1
    await books(house)
    await obs.close()


async def test_two_obs_overlays_and_a_stray_tab(house: House, open_overlay: OpenOverlay) -> None:
    overlays = [await open_overlay(in_obs=False), await open_overlay(), await open_overlay()]

    async def connected() -> bool:
        return bool(await house.pool.fetchval("SELECT count(*) FROM overlays") == len(overlays))

    await until(connected, "all of them are connected")
    pages = [await house.donate(message=f"донат номер {number}") for number in range(2)]
    for page in pages:
        await house.until_alert(page, "shown", seconds=90)
        assert await showings(house, page) == 1
    speakers = await house.pool.fetch("SELECT DISTINCT overlay_id FROM alert_leases")
    assert len(speakers) == 1
    # All show each alert once, the one that speaks and those that mirror it; one is heard.
    for overlay in overlays:
        texts = await overlay.shown_texts()
        assert [sum(f"донат номер {number}" in text for text in texts) for number in range(2)] == [1, 1], texts
    heard = [await overlay.page.evaluate("document.body.dataset.sounds ?? '0'") for overlay in overlays]
    assert sorted(heard) == ["0", "0", "2"]
    assert heard[0] == "0", "not in a tab while OBS is there"
    for overlay in overlays:
        await overlay.close()


async def test_redis_switched_off_altogether(house: House, open_overlay: OpenOverlay, services: Servers) -> None:
    services.valkey.stop()
    obs = await open_overlay()
    page = await house.donate(message="без редиса")
    await expect(obs.page.locator(".alert")).to_contain_text("без редиса", timeout=40_000)
    await house.until_alert(page, "shown")
    services.valkey.start()
    again = await house.donate(message="снова с редисом")
    await house.until_alert(again, "shown")
    await books(house)
    await obs.close()


async def test_the_worker_killed_between_the_banks_init_and_our_write(house: House) -> None:
    fault = {"method": "Init", "kind": "timeout_after", "times": 1, "seconds": 8}
    assert (await house.http.post(f"{house.stack.simulator_url}/_sim/faults", json=fault)).status_code < 300
    page = await house.wish()
    order_id = (await house.payment(page))["order_id"]

    async def made() -> bool:
        found = await house.http.get(f"{house.stack.simulator_url}/_sim/payments", params={"order_id": order_id})
        return bool(found.json()["payments"])

    await until(made, "the bank made the payment")
    house.stack["payments"].kill()
    house.stack["payments"].start()
    payment = await house.until_open(page, seconds=90)
    assert payment["attempt"] == 2
    await house.act(payment, "pay")
    await house.until_paid(page)
    await books(house)
    orphans = await house.http.get(f"{house.stack.simulator_url}/_sim/payments", params={"order_id": order_id})
    assert [orphan["status"] for orphan in orphans.json()["payments"]] == ["CANCELED"]


async def test_the_same_notification_five_times(house: House) -> None:
    page = await house.wish()
    payment = await house.until_open(page)
    await house.act(payment, "pay", order="confirmed_first")
    await house.act(payment, "notify", status="CONFIRMED", times=5)
    await house.until_paid(page)
    await asyncio.sleep(2)
    assert await house.pool.fetchval("SELECT count(*) FROM alerts") == 1
    assert await house.pool.fetchval("SELECT all_minor FROM (SELECT sum(net_minor) AS all_minor FROM streamer_totals)")
    await books(house)


@pytest.mark.parametrize("killed", ["worker", "relay", "payments", "checks", "web"])
async def test_a_program_killed_while_donations_come(house: House, killed: str) -> None:
    pages = []
    for number in range(6):
        page = await house.wish(message=f"номер {number}")
        payment = await house.until_open(page)
        if number == 2:
            house.stack[killed].kill()
            if killed == "web":
                # The bank sends again what it could not deliver.
                await house.act(payment, "pay")
                house.stack[killed].start()
                pages.append(page)
                continue
        await house.act(payment, "pay")
        if number == 2:
            await asyncio.sleep(0.5)
            house.stack[killed].start()
        pages.append(page)
    for page in pages:
        await house.until_paid(page, seconds=90)
    assert await house.pool.fetchval("SELECT count(*) FROM alerts") == len(pages)
    await books(house)


async def test_everything_restarted_between_payment_and_alert(
    house: House, open_overlay: OpenOverlay, services: Servers
) -> None:
    """The bank has told us and nobody has acted on it when Redis is emptied, RabbitMQ and PostgreSQL start anew."""
    await house.pool.execute("UPDATE streamers SET alert_min_seconds = 3, alert_max_seconds = 3")
    obs = await open_overlay()
    pages: dict[str, str] = {}

    async def told() -> bool:
        sql = "SELECT count(*) FROM inbox WHERE order_id = $1 AND convert_from(body, 'UTF8') LIKE '%CONFIRMED%'"
        return bool(await house.pool.fetchval(sql, payment["order_id"]))

    restarts: dict[str, Any] = {"редис": services.valkey, "кролик": services.rabbitmq, "база": services.postgres}
    for name, server in restarts.items():
        pages[name] = page = await house.wish(message=name)
        payment = await house.until_open(page, seconds=90)
        house.stack["worker"].kill()
        await house.act(payment, "pay")
        await until(told, "the bank's notification is stored")
        assert await house.alert(page) is None
        server.restart()
        house.stack["worker"].start()
        await house.until_paid(page, seconds=90)

    # The bank's notification finds PostgreSQL just up, or not yet.
    pages["вовремя"] = await house.wish(message="вовремя")
    payment = await house.until_open(pages["вовремя"], seconds=90)
    services.postgres.restart()
    await house.act(payment, "pay")
    await house.until_paid(pages["вовремя"], seconds=90)
    pages["после всего"] = await house.donate(message="после всего")

    for page in pages.values():
        await house.until_alert(page, "shown", seconds=90)
        assert await showings(house, page) == 1
    texts = await obs.shown_texts()
    assert [sum(message in text for text in texts) for message in pages] == [1] * len(pages), texts
    assert await house.pool.fetchval("SELECT count(*) FROM alerts") == len(pages)
    await books(house)
    await obs.close()
