"""What a streamer does about her webhooks' deliveries: tests, sending again, skipping, switching off and on."""

import asyncio

import pytest

from domain import webhook_deliveries, webhooks
from domain.errors import NotAllowedError, NotFoundError
from domain.webhook_events import WebhookEvent
from domain.webhooks import OffReason
from tasks.webhooks import send_webhook
from tests.support.receiver import Receiver
from tests.tasks.webhook_house import ALL, House


async def test_a_test_is_sent_at_once_and_once(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver, [WebhookEvent.GOAL_REACHED, WebhookEvent.DONATION_PAID])
    receiver.statuses = [500]
    await house.pay()
    await house.tell()
    async with house.parts.pool.acquire() as connection, connection.transaction():
        delivery_id = await webhook_deliveries.send_test(connection, await house.webhook(webhook_id))
    await send_webhook(house.parts, webhook_id)
    async with house.parts.pool.acquire() as connection:
        logged = await webhook_deliveries.get_delivery(connection, house.streamer.id, webhook_id, delivery_id)
    assert (logged.status, logged.http_status, logged.tries) == ("delivered", 200, 1)
    test = receiver.heard[1].json
    assert (test["type"], test["is_test"]) == ("donation.paid", True)
    # It arrived, so what waited for a later try does not wait any longer.
    assert await house.statuses(webhook_id) == ["delivered", "delivered"]
    assert [heard.json["is_test"] for heard in receiver.heard] == [False, True, False]


async def test_a_test_that_fails_changes_nothing_else(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    async with house.parts.pool.acquire() as connection, connection.transaction():
        await webhooks.switch_off(connection, house.streamer.id, webhook_id, OffReason.OWNER)
        await webhook_deliveries.send_test(connection, await house.webhook(webhook_id))
    receiver.statuses = [410]
    await send_webhook(house.parts, webhook_id)
    await send_webhook(house.parts, webhook_id)
    assert len(receiver.heard) == 1
    webhook = await house.webhook(webhook_id)
    assert (webhook.off_reason, webhook.failing_since) == (OffReason.OWNER, None)
    assert await house.statuses(webhook_id) == ["failed"]


async def test_a_test_looks_like_the_event(house: House, receiver: Receiver) -> None:
    async with house.parts.pool.acquire() as connection, connection.transaction():
        for event in ALL:
            webhook_id = await house.listen(receiver, [event])
            await webhook_deliveries.send_test(connection, await house.webhook(webhook_id))
    for row in await house.rows("SELECT id FROM webhooks ORDER BY id"):
        await send_webhook(house.parts, row["id"])
    assert receiver.types == list(ALL)


async def test_one_is_sent_again_under_its_number(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    await house.pay()
    await house.tell()
    (row,) = await house.rows("SELECT id FROM webhook_deliveries")
    async with house.parts.pool.acquire() as connection, connection.transaction():
        await webhook_deliveries.send_again(connection, house.streamer.id, webhook_id, row["id"])
        with pytest.raises(NotAllowedError):
            await webhook_deliveries.send_again(connection, house.streamer.id, webhook_id, row["id"])
        with pytest.raises(NotFoundError):
            await webhook_deliveries.send_again(connection, house.streamer.id + 1, webhook_id, row["id"])
    await send_webhook(house.parts, webhook_id)
    first, again = receiver.heard
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert first.body == again.body
    assert await house.statuses(webhook_id) == ["delivered"]


async def test_one_that_waits_can_be_skipped(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    receiver.statuses = [500]
    await house.pay()
    second = await house.pay()
    await house.tell()
    (row,) = await house.rows("SELECT min(id) AS id FROM webhook_deliveries")
    async with house.parts.pool.acquire() as connection, connection.transaction():
        assert await webhook_deliveries.skip(connection, house.streamer.id, webhook_id, row["id"])
        assert not await webhook_deliveries.skip(connection, house.streamer.id, webhook_id, row["id"])
    await send_webhook(house.parts, webhook_id)
    assert await house.statuses(webhook_id) == ["dropped", "delivered"]
    assert receiver.heard[-1].json["data"]["donation"]["id"] == second.donation_id


async def test_switching_off_and_skipping_while_it_is_sent_end_well(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    for status in (200, 500):
        receiver.statuses = [status] * 4
        receiver.delay_seconds = 0.05
        for _ in range(4):
            await house.pay()
        await house.publish()

        async def skip_all() -> None:
            for row in await house.rows("SELECT id FROM webhook_deliveries ORDER BY id"):
                async with house.parts.pool.acquire() as connection, connection.transaction():
                    await webhook_deliveries.skip(connection, house.streamer.id, webhook_id, row["id"])

        async def switch() -> None:
            for _ in range(8):
                async with house.parts.pool.acquire() as connection, connection.transaction():
                    await webhooks.switch_off(connection, house.streamer.id, webhook_id, OffReason.OWNER)
                async with house.parts.pool.acquire() as connection, connection.transaction():
                    await webhooks.switch_on(connection, house.streamer.id, webhook_id)

        await asyncio.gather(send_webhook(house.parts, webhook_id), skip_all(), switch())
        await send_webhook(house.parts, webhook_id)
    assert set(await house.statuses(webhook_id)) <= {"delivered", "dropped"}
