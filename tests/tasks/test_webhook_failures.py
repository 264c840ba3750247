"""Webhooks whose receivers fail: what is tried again and when, what is kept of answers, and when it ends."""

import dataclasses

import pytest

from domain import webhook_deliveries, webhooks
from domain.webhooks import OffReason
from infra.outgoing import Outgoing
from tasks.webhooks import send_webhook
from tests.support.receiver import Receiver
from tests.tasks.webhook_house import House


async def test_what_is_not_2xx_is_tried_again(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    receiver.headers = "location: http://127.0.0.1:1/\r\n"
    await house.pay()
    await house.publish()
    for status, error in ((301, "redirect"), (307, "redirect"), (400, ""), (404, ""), (500, ""), (599, "")):
        receiver.statuses = [status]
        await house.be_due()
        await send_webhook(house.parts, webhook_id)
        (row,) = await house.rows(
            "SELECT status, http_status, error, next_try_at > now() AS later FROM webhook_deliveries"
        )
        assert row == {"status": "waiting", "http_status": status, "error": error, "later": True}
    assert (await house.webhook(webhook_id)).failing_since is not None
    # Nothing was followed.
    assert len(receiver.heard) == 6


async def test_every_2xx_is_an_arrival(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    receiver.text = ""
    receiver.statuses = [200, 201, 202, 204, 299]
    for _ in range(5):
        await house.pay()
    await house.tell()
    assert receiver.statuses == []
    assert await house.statuses(webhook_id) == ["delivered"] * 5


async def test_the_log_keeps_a_kilobyte_of_any_answer(house: House, receiver: Receiver) -> None:
    await house.listen(receiver)
    receiver.text = "\x00<script>" + "я" * 5_000
    await house.pay()
    await house.tell()
    (row,) = await house.rows("SELECT answer, took_ms FROM webhook_deliveries")
    assert row["answer"].startswith("<script>яяя")
    assert len(row["answer"].encode()) <= 1_024
    assert row["took_ms"] >= 0


async def test_nobody_there_and_later_each_time(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    await house.parts.pool.execute("UPDATE webhooks SET url = 'http://127.0.0.1:1/'")
    await house.pay()
    await house.publish()
    waits = []
    for _ in range(9):
        await house.be_due()
        await send_webhook(house.parts, webhook_id)
        waits.append(
            await house.parts.pool.fetchval(
                "SELECT round(extract(epoch FROM next_try_at - now()))::int FROM webhook_deliveries"
            )
        )
    for wait, wanted in zip(waits, [5, 30, 120, 600, 1800, 3600, 7200, 14400, 14400], strict=True):
        assert abs(wait - wanted) <= 2
    (row,) = await house.rows("SELECT error, detail, tries FROM webhook_deliveries")
    assert (row["error"], row["tries"]) == ("connect", 9)


def test_the_schedule_fills_a_day() -> None:
    seconds, tries = 0.0, 0
    while True:
        tries += 1
        wait = webhook_deliveries.back_off_seconds(tries, seconds)
        if wait is None:
            break
        seconds += wait
    assert 24 * 3600 <= seconds < 24 * 3600 + 2
    assert 10 <= tries <= 20


async def test_after_a_day_it_is_switched_off_with_one_letter(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    receiver.statuses = [500] * 9
    await house.pay()
    await house.pay()
    await house.tell()
    await house.parts.pool.execute("UPDATE webhooks SET failing_since = now() - interval '23 hours 59 minutes'")
    await house.be_due()
    await send_webhook(house.parts, webhook_id)
    (row,) = await house.rows(
        "SELECT extract(epoch FROM next_try_at - now())::int AS s FROM webhook_deliveries LIMIT 1"
    )
    assert row["s"] <= 60
    assert (await house.webhook(webhook_id)).is_on
    await house.parts.pool.execute("UPDATE webhooks SET failing_since = now() - interval '24 hours 1 second'")
    await house.be_due()
    await send_webhook(house.parts, webhook_id)
    webhook = await house.webhook(webhook_id)
    assert webhook.off_reason is OffReason.FAILING
    assert await house.statuses(webhook_id) == ["failed", "dropped"]
    (letter,) = await house.rows("SELECT kind, recipient, locale, data FROM letters")
    assert letter["kind"] == "webhook_off"
    assert letter["recipient"] == f"{house.streamer.slug}@example.org"
    assert letter["data"]["name"] == webhook.name
    heard = len(receiver.heard)
    await house.pay()
    assert await house.publish() == []
    await send_webhook(house.parts, webhook_id)
    assert len(receiver.heard) == heard
    # On again: what did not arrive can be had, in its order.
    receiver.statuses = []
    async with house.parts.pool.acquire() as connection, connection.transaction():
        assert await webhooks.switch_on(connection, house.streamer.id, webhook_id)
        assert await webhook_deliveries.send_missed(connection, await house.webhook(webhook_id)) == 2
    await send_webhook(house.parts, webhook_id)
    assert await house.statuses(webhook_id) == ["delivered", "delivered"]


async def test_gone_means_gone(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    receiver.statuses = [410]
    await house.pay()
    await house.tell()
    assert (await house.webhook(webhook_id)).off_reason is OffReason.GONE
    assert await house.statuses(webhook_id) == ["failed"]
    assert [row["data"]["is_gone"] for row in await house.rows("SELECT data FROM letters")] == ["yes"]


async def test_too_much_waits_for_nobody(house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_deliveries, "MOST_WAITING", 2)
    webhook_id = await house.listen(receiver)
    receiver.statuses = [500]
    for _ in range(3):
        await house.pay()
    await house.tell()
    assert (await house.webhook(webhook_id)).off_reason is OffReason.FAILING


async def test_where_loopback_is_not_allowed_nothing_leaves(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    await house.pay()
    await house.publish()
    guarded = dataclasses.replace(house.parts, outgoing=Outgoing(own_hosts=()))
    await send_webhook(guarded, webhook_id)
    guarded.outgoing.close()
    assert receiver.heard == []
    (row,) = await house.rows("SELECT status, error FROM webhook_deliveries")
    assert row == {"status": "waiting", "error": "forbidden"}


async def test_a_secret_no_key_reads_is_said(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    await house.parts.pool.execute("UPDATE webhooks SET secret_encrypted = 'x'")
    await house.pay()
    await house.publish()
    await send_webhook(house.parts, webhook_id)
    assert receiver.heard == []
    assert await house.rows("SELECT error FROM webhook_deliveries") == [{"error": "unreadable"}]


async def test_what_is_our_fault_switches_no_webhook_off(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    receiver.statuses = [500]
    await house.pay()
    await house.tell()
    (kept,) = await house.rows("SELECT secret_encrypted FROM webhooks")
    await house.parts.pool.execute(
        "UPDATE webhooks SET secret_encrypted = 'x', failing_since = now() - interval '25 hours'"
    )
    for _ in range(3):
        await house.be_due()
        await send_webhook(house.parts, webhook_id)
    webhook = await house.webhook(webhook_id)
    assert (webhook.off_reason, webhook.failing_since) == (OffReason.ON, None)
    rows = await house.rows("SELECT status, error, tries, next_try_at > now() AS later FROM webhook_deliveries")
    assert rows == [{"status": "waiting", "error": "unreadable", "tries": 1, "later": True}]
    assert await house.rows("SELECT FROM letters") == []
    await house.parts.pool.execute("UPDATE webhooks SET secret_encrypted = $1", kept["secret_encrypted"])
    await house.be_due()
    await send_webhook(house.parts, webhook_id)
    assert await house.statuses(webhook_id) == ["delivered"]


async def test_but_too_much_of_it_waits_for_nobody(
    house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_deliveries, "MOST_WAITING", 2)
    webhook_id = await house.listen(receiver)
    await house.parts.pool.execute("UPDATE webhooks SET secret_encrypted = 'x'")
    for _ in range(3):
        await house.pay()
    await house.tell()
    assert not (await house.webhook(webhook_id)).is_on
    assert await house.statuses(webhook_id) == ["failed", "dropped", "dropped"]


@pytest.mark.parametrize("data", ["{}", '{"donation_id": "seven"}'])
async def test_one_that_cannot_be_read_holds_up_none(house: House, receiver: Receiver, data: str) -> None:
    webhook_id = await house.listen(receiver)
    await house.pay()
    await house.pay()
    await house.publish()
    await house.parts.pool.execute(
        "UPDATE webhook_deliveries SET data = $1::text::jsonb WHERE id = (SELECT min(id) FROM webhook_deliveries)", data
    )
    await send_webhook(house.parts, webhook_id)
    assert receiver.types == ["donation.paid"]
    assert await house.statuses(webhook_id) == ["failed", "delivered"]
    assert await house.rows("SELECT error FROM webhook_deliveries WHERE status = 'failed'") == [{"error": "broken"}]


async def test_the_log_is_trimmed(house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_deliveries, "MOST_LOGGED", 3)
    webhook_id = await house.listen(receiver)
    for _ in range(5):
        await house.pay()
    await house.tell()
    assert len(receiver.heard) == 5
    assert len(await house.statuses(webhook_id)) == 3


async def test_what_did_not_arrive_is_not_trimmed(
    house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off after a bad day, a webhook can be told all that it missed."""
    monkeypatch.setattr(webhook_deliveries, "MOST_LOGGED", 2)
    webhook_id = await house.listen(receiver)
    for _ in range(3):
        await house.pay()
    await house.tell()
    receiver.statuses = [500, 500]
    payments = [await house.pay() for _ in range(5)]
    await house.tell()
    await house.parts.pool.execute("UPDATE webhooks SET failing_since = now() - interval '25 hours'")
    await house.be_due()
    await send_webhook(house.parts, webhook_id)
    assert not (await house.webhook(webhook_id)).is_on
    assert await house.statuses(webhook_id) == ["delivered"] * 2 + ["failed"] + ["dropped"] * 4
    receiver.heard.clear()
    async with house.parts.pool.acquire() as connection, connection.transaction():
        await webhooks.switch_on(connection, house.streamer.id, webhook_id)
        assert await webhook_deliveries.count_missed(connection, await house.webhook(webhook_id)) == 5
        assert await webhook_deliveries.send_missed(connection, await house.webhook(webhook_id)) == 5
    await send_webhook(house.parts, webhook_id)
    told = [heard.json["data"]["donation"]["id"] for heard in receiver.heard]
    assert told == [payment.donation_id for payment in payments]
    # They arrived: they are trimmed as anything.
    assert await house.statuses(webhook_id) == ["delivered"] * 2


async def test_more_than_may_wait_is_sent_again_in_parts(
    house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_deliveries, "MOST_WAITING", 3)
    monkeypatch.setattr(webhook_deliveries, "MOST_AGAIN", 2)
    webhook_id = await house.listen(receiver)
    receiver.statuses = [500, 200, 500]
    for _ in range(4):
        await house.pay()
    await house.tell()
    assert not (await house.webhook(webhook_id)).is_on
    for waits in (True, False):
        async with house.parts.pool.acquire() as connection, connection.transaction():
            await webhooks.switch_on(connection, house.streamer.id, webhook_id)
            assert await webhook_deliveries.send_missed(connection, await house.webhook(webhook_id)) == 2
        await send_webhook(house.parts, webhook_id)
        # One failure among them does not switch it off again.
        assert (await house.webhook(webhook_id)).is_on
        assert await house.statuses(webhook_id) == (
            ["delivered", "waiting", "dropped", "dropped"] if waits else ["delivered"] * 4
        )
        await house.be_due()
