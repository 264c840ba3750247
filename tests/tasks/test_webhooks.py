"""Telling webhooks: what is told of what, in which order, how often, and what is never in it."""

import asyncio
import dataclasses
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from domain import goals, holds, outbox, webhook_deliveries, webhook_events, webhooks
from domain.donor_requests import erase
from domain.errors import NotAllowedError, NotFoundError
from domain.events import Actor, EventType, Queue
from domain.goals import GoalFields
from domain.history import set_hidden
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.payments import Payment
from domain.showing import Word, mark_seen
from domain.webhook_events import WebhookEvent
from domain.webhook_payloads import kofi_token, sign
from domain.webhooks import Fields, Format, OffReason, Webhook
from infra.outgoing import Outgoing
from infra.settings import Settings
from tasks.runtime import Parts, close_parts, open_parts
from tasks.sweeps import sweep
from tasks.webhooks import send_webhook
from tests.builders import BuiltStreamer, hear, make_streamer, open_donation
from tests.domain.test_money_races import wait_for_a_lock
from tests.domain.test_self_check import charge_back
from tests.support.receiver import Receiver, receiving
from tests.tasks.rabbit import Rabbit
from tests.tasks.test_relay import add_tasks, running_relay, until_empty

ALL = tuple(WebhookEvent)


@dataclasses.dataclass
class House:
    parts: Parts
    streamer: BuiltStreamer

    async def listen(
        self, receiver: Receiver, events: Sequence[WebhookEvent] = ALL, kind: Format = Format.STANDARD
    ) -> int:
        fields = Fields("", f"{receiver.url}/hook", kind, tuple(events))
        async with self.parts.pool.acquire() as connection, connection.transaction():
            return await webhooks.create_webhook(
                connection, self.parts.box, self.streamer.id, fields, allows_loopback=True
            )

    async def pay(self, **fields: Any) -> Payment:
        async with self.parts.pool.acquire() as connection, connection.transaction():
            _, payment = await open_donation(connection, self.streamer, **fields)
            await hear(connection, payment, N.CONFIRMED)
        return payment

    async def publish(self) -> list[int]:
        """What the relay does with the outbox, without a broker; the webhooks it asked for."""
        async with self.parts.pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch("SELECT * FROM outbox ORDER BY id")
            told = [row for row in rows if row["kind"] == "event" and row["name"] in webhook_events.TOLD]
            await webhook_events.note_events(connection, told)
            await connection.execute("DELETE FROM outbox WHERE id = ANY($1)", [row["id"] for row in rows])
            asked = await connection.fetch("DELETE FROM outbox WHERE name = $1 RETURNING data", Actor.SEND_WEBHOOK)
        return [row["data"]["argument"] for row in asked]

    async def tell(self) -> None:
        for webhook_id in await self.publish():
            await send_webhook(self.parts, webhook_id)

    async def be_due(self) -> None:
        await self.parts.pool.execute("UPDATE webhook_deliveries SET next_try_at = now() WHERE status = 'waiting'")
        await self.parts.pool.execute("UPDATE webhooks SET due_at = now() WHERE due_at IS NOT NULL")

    async def webhook(self, webhook_id: int) -> Webhook:
        async with self.parts.pool.acquire() as connection:
            return await webhooks.get_webhook(connection, self.streamer.id, webhook_id)

    async def statuses(self, webhook_id: int) -> list[str]:
        rows = await self.parts.pool.fetch(
            "SELECT status FROM webhook_deliveries WHERE webhook_id = $1 ORDER BY id", webhook_id
        )
        return [row["status"] for row in rows]

    async def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.parts.pool.fetch(sql, *values)]


@pytest.fixture
async def house(settings: Settings) -> AsyncIterator[House]:
    more = {"environment": "development", "webhooks_to_loopback": True, "smtp_host": "127.0.0.1"}
    parts = await open_parts(settings.model_copy(update=more), pool_size=6)
    async with parts.pool.acquire() as connection:
        streamer = await make_streamer(connection, box=parts.box)
    yield House(parts, streamer)
    await close_parts(parts)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


# What is told.


async def test_a_paid_donation_is_told_signed(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    payment = await house.pay(donor_name="Аня", message="Привет из Омска", amount_minor=30_050)
    await house.tell()
    (heard,) = receiver.heard
    assert heard.path == "/hook"
    event_id = heard.headers["webhook-id"]
    body = heard.json
    assert set(body) == {"id", "type", "occurred_at", "is_test", "data"}
    assert (body["id"], body["type"], body["is_test"]) == (event_id, "donation.paid", False)
    assert abs((datetime.fromisoformat(body["occurred_at"]) - datetime.now(UTC)).total_seconds()) < 60
    donation = body["data"]["donation"]
    assert datetime.fromisoformat(donation.pop("paid_at")).tzinfo is not None
    assert donation == {
        "id": payment.donation_id, "amount_minor": 30_050, "currency": "RUB", "name": "Аня",
        "message": "Привет из Омска", "is_hidden": False, "is_held": False,
    }  # fmt: skip
    async with house.parts.pool.acquire() as connection:
        secret = await webhooks.reveal_secret(connection, house.parts.box, await house.webhook(webhook_id))
    timestamp = int(heard.headers["webhook-timestamp"])
    assert heard.headers["webhook-signature"] == sign(secret, event_id, timestamp, heard.body)
    assert heard.headers["content-type"] == "application/json"
    assert await house.statuses(webhook_id) == ["delivered"]
    webhook = await house.webhook(webhook_id)
    assert webhook.delivered_at is not None
    assert webhook.waiting == 0


async def test_every_kind_of_event_is_told(house: House, receiver: Receiver) -> None:
    await house.listen(receiver)
    async with house.parts.pool.acquire() as connection, connection.transaction():
        goal_id = await goals.create_goal(
            connection, house.streamer.id, GoalFields("Микрофон", "", 30_000, 0, None, None)
        )
        await goals.start(connection, house.streamer.id, goal_id)
    payment = await house.pay()
    lease_id, alert_id = await play(house)
    async with house.parts.pool.acquire() as connection, connection.transaction():
        await see(connection, house.streamer.id, alert_id, lease_id)
        # A second word of the same showing tells nothing new.
        await see(connection, house.streamer.id, alert_id, lease_id)
    async with house.parts.pool.acquire() as connection, connection.transaction():
        await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=20_000)
    await house.tell()
    told = {body["type"]: body["data"] for body in (heard.json for heard in receiver.heard)}
    assert sorted(receiver.types) == ["alert.shown", "donation.paid", "donation.refunded", "goal.reached"]
    assert told["donation.refunded"]["refunded_minor"] == 10_000
    assert told["donation.refunded"]["donation"]["id"] == payment.donation_id
    assert told["goal.reached"]["goal"]["title"] == "Микрофон"
    # As it is when it is told: after the refund.
    assert told["goal.reached"]["goal"]["raised_minor"] == 20_000
    alert = told["alert.shown"]["alert"]
    assert (alert["id"], alert["kind"], alert["donation_id"]) == (str(alert_id), "donation", payment.donation_id)
    assert (alert["name"], alert["message"]) == ("Аня", "Привет из Омска")


async def play(house: House) -> tuple[uuid.UUID, uuid.UUID]:
    """As if an overlay had been offered the donation's alert."""
    async with house.parts.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "UPDATE alerts SET status = 'playing', lease_id = gen_random_uuid(), started_at = now(),"
            " leased_until = now() + interval '1 minute' WHERE kind = 'donation' RETURNING lease_id, alert_id"
        )
        assert row is not None
        overlay_id = uuid.uuid4()
        await connection.execute(
            "INSERT INTO alert_leases (lease_id, alert_id, overlay_id) VALUES ($1, $2, $3)",
            row["lease_id"], row["alert_id"], overlay_id,
        )  # fmt: skip
    return row["lease_id"], row["alert_id"]


async def see(connection: Any, streamer_id: int, alert_id: uuid.UUID, lease_id: uuid.UUID) -> None:
    assert await mark_seen(connection, streamer_id, None, alert_id, lease_id) is Word.COUNTED


async def test_a_chargeback_is_told(house: House, receiver: Receiver) -> None:
    await house.listen(receiver)
    payment = await house.pay()
    async with house.parts.pool.acquire() as connection, connection.transaction():
        await charge_back(connection, payment, payment.amount_minor)
        facts = {"booked_as": "donation", "donation_id": payment.donation_id, "streamer_id": house.streamer.id}
        sums = {"charged_back_minor": payment.amount_minor, "reversed_minor": 0}
        await outbox.add_event(connection, EventType.PAYMENT_CHARGED_BACK, facts | sums)
    await house.tell()
    assert receiver.types == ["donation.paid", "donation.charged_back"]
    data = receiver.heard[1].json["data"]
    assert (data["charged_back_minor"], data["reversed_minor"]) == (payment.amount_minor, 0)


async def test_only_what_was_chosen_is_told(house: House, receiver: Receiver) -> None:
    await house.listen(receiver, [WebhookEvent.DONATION_REFUNDED])
    payment = await house.pay()
    async with house.parts.pool.acquire() as connection, connection.transaction():
        await hear(connection, payment, N.REFUNDED, source=Source.POLL)
    await house.tell()
    assert receiver.types == ["donation.refunded"]


async def test_money_that_is_no_donation_is_told_to_nobody(house: House, receiver: Receiver) -> None:
    await house.listen(receiver)
    async with house.parts.pool.acquire() as connection, connection.transaction():
        _, payment = await open_donation(connection, house.streamer)
        # Another amount than was asked for: it is looked at first.
        await hear(connection, payment, N.CONFIRMED, source=Source.POLL, amount_minor=payment.amount_minor - 1)
        assert await connection.fetchval("SELECT booked_as FROM payments") == "review"
        await hear(connection, payment, N.REFUNDED, source=Source.POLL)
    await house.tell()
    assert receiver.heard == []


async def test_others_hear_nothing_of_it(house: House, receiver: Receiver) -> None:
    await house.listen(receiver)
    async with house.parts.pool.acquire() as connection, connection.transaction():
        other = await make_streamer(connection, box=house.parts.box)
        _, payment = await open_donation(connection, other)
        await hear(connection, payment, N.CONFIRMED)
    assert await house.publish() == []
    assert receiver.heard == []


async def test_held_words_leave_when_they_may(house: House, receiver: Receiver) -> None:
    await house.listen(receiver)
    await house.parts.pool.execute(
        "INSERT INTO moderation_settings (streamer_id, mode) VALUES ($1, 'approve')", house.streamer.id
    )
    await house.pay(message="Ждёт решения", donor_name="Борис")
    await house.tell()
    (first,) = receiver.heard
    assert first.json["data"]["donation"]["is_held"] is True
    assert "Борис" not in first.body.decode()
    assert "Ждёт" not in first.body.decode()
    async with house.parts.pool.acquire() as connection, connection.transaction():
        (alert_id,) = [row["id"] for row in await connection.fetch("SELECT id FROM alerts")]
        await connection.execute(
            "UPDATE holds SET decision = 'show', by_kind = 'owner', takes_effect_at = now() - interval '1 second'"
        )
        await holds.settle(connection, alert_id)
    await house.tell()
    body = receiver.heard[1].json
    assert (body["type"], body["data"]["decision"]) == ("donation.moderated", "show")
    assert body["data"]["donation"]["message"] == "Ждёт решения"
    assert body["data"]["donation"]["is_held"] is False


async def test_what_was_hidden_or_erased_meanwhile_does_not_leave(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    receiver.statuses = [500]
    payment = await house.pay(donor_name="Вера", message="Моё письмо")
    await house.tell()
    assert "Вера" in receiver.heard[0].body.decode()
    async with house.parts.pool.acquire() as connection, connection.transaction():
        await set_hidden(connection, house.streamer.id, payment.donation_id, True)
    await house.be_due()
    await send_webhook(house.parts, webhook_id)
    assert "Вера" not in receiver.heard[1].body.decode()
    assert receiver.heard[1].json["data"]["donation"]["is_hidden"] is True
    assert receiver.heard[1].headers["webhook-id"] == receiver.heard[0].headers["webhook-id"]
    async with house.parts.pool.acquire() as connection, connection.transaction():
        await set_hidden(connection, house.streamer.id, payment.donation_id, False)
        owner_id = house.streamer.owner_id
        await erase(
            connection, house.streamer.id, payment.donation_id, with_others=False, user_id=owner_id, user_name=""
        )
        (delivery,) = await connection.fetch("SELECT id FROM webhook_deliveries")
        await webhook_deliveries.send_again(connection, house.streamer.id, webhook_id, delivery["id"])
    await send_webhook(house.parts, webhook_id)
    assert "письмо" not in receiver.heard[2].body.decode()


async def test_who_was_told_hears_that_it_may_not_be_shown(house: House, receiver: Receiver) -> None:
    await house.listen(receiver)
    payment = await house.pay(donor_name="Вера", message="Моё письмо")
    async with house.parts.pool.acquire() as connection, connection.transaction():
        await set_hidden(connection, house.streamer.id, payment.donation_id, True)
        # Hidden already: nothing new.
        await set_hidden(connection, house.streamer.id, payment.donation_id, True)
    await house.tell()
    async with house.parts.pool.acquire() as connection, connection.transaction():
        await set_hidden(connection, house.streamer.id, payment.donation_id, False)
    await house.tell()
    owner_id = house.streamer.owner_id
    async with house.parts.pool.acquire() as connection, connection.transaction():
        await erase(
            connection, house.streamer.id, payment.donation_id, with_others=False, user_id=owner_id, user_name=""
        )
    await house.tell()
    told = [heard.json["data"] for heard in receiver.heard if heard.json["type"] == "donation.moderated"]
    assert [(data["decision"], data["donation"]["name"]) for data in told] == [
        ("hide", None),
        ("show", "Вера"),
        ("erase", None),
    ]


async def test_nothing_of_a_person_is_in_it(house: House, receiver: Receiver) -> None:
    await house.listen(receiver)
    payment = await house.pay(message="грубое слово")
    await house.parts.pool.execute(
        "UPDATE donations SET donor_email = 'anya@example.org', public_message = 'г*** слово' WHERE id = $1",
        payment.donation_id,
    )
    await house.tell()
    text = receiver.heard[0].body.decode() + str(receiver.heard[0].headers)
    assert "anya@" not in text
    assert "грубое" not in text
    assert "г*** слово" in text
    assert "order" not in text
    kept = await house.rows("SELECT data, answer, detail FROM webhook_deliveries")
    assert kept == [{"data": {"donation_id": payment.donation_id}, "answer": "thanks", "detail": ""}]


async def test_kofi_gets_what_kofi_sends(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver, ALL, Format.KOFI)
    assert (await house.webhook(webhook_id)).events == (WebhookEvent.DONATION_PAID,)
    await house.pay(donor_name=None, amount_minor=12_305, message="Ура & так далее")
    await house.tell()
    (heard,) = receiver.heard
    assert heard.headers["content-type"] == "application/x-www-form-urlencoded"
    fields = json.loads(heard.form["data"])
    async with house.parts.pool.acquire() as connection:
        token = await webhooks.reveal_secret(connection, house.parts.box, await house.webhook(webhook_id))
    assert uuid.UUID(fields["verification_token"]) == uuid.UUID(token)
    assert all(uuid.UUID(fields[name]).version for name in ("message_id", "kofi_transaction_id"))
    assert (fields["type"], fields["amount"], fields["currency"]) == ("Donation", "123.05", "RUB")
    assert (fields["from_name"], fields["message"], fields["email"]) == ("Аноним", "Ура & так далее", "")
    assert fields["is_public"] is True
    assert set(fields) == {
        "verification_token", "message_id", "timestamp", "type", "is_public", "from_name", "message", "amount", "url",
        "email", "currency", "is_subscription_payment", "is_first_subscription_payment", "kofi_transaction_id",
        "shop_items", "tier_name", "shipping",
    }  # fmt: skip


async def test_both_secrets_sign_for_a_day(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    box = house.parts.box
    async with house.parts.pool.acquire() as connection:
        former = await webhooks.reveal_secret(connection, box, await house.webhook(webhook_id))
        await webhooks.rotate_secret(connection, box, house.streamer.id, webhook_id)
        secret = await webhooks.reveal_secret(connection, box, await house.webhook(webhook_id))
    assert secret != former
    assert kofi_token(secret) != kofi_token(former)
    await house.pay()
    await house.tell()
    await house.parts.pool.execute("UPDATE webhooks SET former_until = now()")
    await house.pay()
    await house.tell()
    both, one = receiver.heard
    for heard, signers in ((both, [secret, former]), (one, [secret])):
        message_id, timestamp = heard.headers["webhook-id"], int(heard.headers["webhook-timestamp"])
        expected = [sign(signer, message_id, timestamp, heard.body) for signer in signers]
        assert heard.headers["webhook-signature"].split(" ") == expected


# Order, repeats, failures.


async def test_the_next_waits_for_the_one_before(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver, [WebhookEvent.DONATION_PAID])
    receiver.statuses = [500, 503]
    payments = [await house.pay() for _ in range(3)]
    await house.tell()
    await send_webhook(house.parts, webhook_id)
    # It failed: neither it nor the others are tried before its time.
    assert len(receiver.heard) == 1
    await house.be_due()
    await send_webhook(house.parts, webhook_id)
    assert len(receiver.heard) == 2
    await house.be_due()
    await send_webhook(house.parts, webhook_id)
    ids = [heard.json["data"]["donation"]["id"] for heard in receiver.heard]
    first, second, third = (payment.donation_id for payment in payments)
    assert ids == [first, first, first, second, third]
    assert len({heard.headers["webhook-id"] for heard in receiver.heard[:3]}) == 1
    assert await house.statuses(webhook_id) == ["delivered"] * 3
    assert (await house.webhook(webhook_id)).failing_since is None


async def test_one_that_fails_holds_up_no_other(house: House, receiver: Receiver) -> None:
    async with receiving(statuses=[500] * 9) as broken:
        broken_id = await house.listen(broken)
        working_id = await house.listen(receiver)
        for _ in range(2):
            await house.pay()
            await house.tell()
        assert (await house.statuses(broken_id), await house.statuses(working_id)) == (
            ["waiting", "waiting"],
            ["delivered", "delivered"],
        )


async def test_two_workers_at_once_send_one_after_the_other(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver, [WebhookEvent.DONATION_PAID])
    receiver.delay_seconds = 0.05
    payments = [await house.pay() for _ in range(5)]
    await house.publish()
    await asyncio.gather(*(send_webhook(house.parts, webhook_id) for _ in range(4)))
    assert [heard.json["data"]["donation"]["id"] for heard in receiver.heard] == [p.donation_id for p in payments]
    assert receiver.most_at_once == 1


async def test_an_event_published_twice_is_told_once(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    await house.pay()
    async with house.parts.pool.acquire() as connection, connection.transaction():
        rows = [r for r in await connection.fetch("SELECT * FROM outbox") if r["name"] in webhook_events.TOLD]
        await webhook_events.note_events(connection, rows)
        await webhook_events.note_events(connection, rows)
    await send_webhook(house.parts, webhook_id)
    await send_webhook(house.parts, webhook_id)
    assert len(receiver.heard) == 1


async def test_what_comes_in_while_a_run_ends_is_not_forgotten(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    async with house.parts.pool.acquire() as noting, house.parts.pool.acquire() as ending:
        await house.pay()
        await house.publish()
        run = await webhook_deliveries.claim(ending, webhook_id)
        assert run is not None
        delivery = await webhook_deliveries.pick(ending, run)
        assert delivery is not None
        await webhook_deliveries.note_result(ending, run, delivery, webhook_deliveries.Result(1, 200), site=None)
        await house.pay()
        transaction = noting.transaction()
        await transaction.start()
        rows = [r for r in await noting.fetch("SELECT * FROM outbox") if r["name"] in webhook_events.TOLD]
        await webhook_events.note_events(noting, rows)

        async def end() -> bool:
            async with ending.transaction():
                return await webhook_deliveries.end_run(ending, run)

        ended = asyncio.create_task(end())
        await wait_for_a_lock(house.parts.pool)
        assert not ended.done()
        await transaction.commit()
        assert await ended is True
    await send_webhook(house.parts, webhook_id)
    assert len(receiver.heard) == 1


async def test_a_worker_that_died_in_the_middle(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    await house.pay()
    await house.publish()
    async with house.parts.pool.acquire() as connection:
        dead = await webhook_deliveries.claim(connection, webhook_id)
        assert dead is not None
        delivery = await webhook_deliveries.pick(connection, dead)
        assert delivery is not None
        assert await webhook_deliveries.claim(connection, webhook_id) is None
        assert await webhook_events.ask_due(connection) == 0
        await connection.execute("UPDATE webhooks SET claimed_until = now(), asked_until = now()")
        assert await webhook_events.ask_due(connection) == 1
        # Its message is on the way: nobody is asked every second.
        assert await webhook_events.ask_due(connection) == 0
    await send_webhook(house.parts, webhook_id)
    assert len(receiver.heard) == 1
    async with house.parts.pool.acquire() as connection:
        # Its late word counts for nothing.
        await webhook_deliveries.note_result(connection, dead, delivery, webhook_deliveries.Result(9, 500), site=None)
        assert await webhook_deliveries.pick(connection, dead) is None
    assert await house.statuses(webhook_id) == ["delivered"]


async def test_the_sweep_finds_what_nobody_thinks_of(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    await house.pay()
    await house.publish()
    await house.parts.pool.execute("UPDATE webhooks SET due_at = NULL")
    async with house.parts.pool.acquire() as connection, connection.transaction():
        await sweep(connection)
        assert await connection.fetchval("SELECT due_at <= now() FROM webhooks")
    await house.parts.pool.execute("UPDATE webhooks SET asked_until = now()")
    await send_webhook(house.parts, webhook_id)
    assert len(receiver.heard) == 1


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


async def test_a_goal_deleted_meanwhile_is_passed_over(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    async with house.parts.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO outbox (kind, name, data) VALUES ('event', 'goal.reached', $1)",
            {"goal_id": 999, "streamer_id": house.streamer.id},
        )
    await house.pay()
    await house.tell()
    assert await house.statuses(webhook_id) == ["failed", "delivered"]
    assert (await house.webhook(webhook_id)).failing_since is None


async def test_slow_receivers_leave_room_for_payments(house: House, receiver: Receiver) -> None:
    receiver.delay_seconds = 0.5
    ids = [await house.listen(receiver) for _ in range(6)]
    await house.pay()
    await house.publish()
    await asyncio.gather(*(send_webhook(house.parts, webhook_id) for webhook_id in ids))
    assert receiver.most_at_once == 4
    # The others are asked for again at once.
    async with house.parts.pool.acquire() as connection:
        assert await webhook_events.ask_due(connection) == 2


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


async def test_the_log_is_trimmed(house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_deliveries, "MOST_LOGGED", 3)
    webhook_id = await house.listen(receiver)
    for _ in range(5):
        await house.pay()
    await house.tell()
    assert len(receiver.heard) == 5
    assert len(await house.statuses(webhook_id)) == 3


# With the relay, and with a broker.


async def test_the_whole_way(house: House, rabbit: Rabbit, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    await house.pay()
    async with running_relay(house.parts.settings):
        await until_empty(house.parts.pool)
        await rabbit.until_holds(Queue.WEBHOOKS, 1)
    assert await rabbit.arguments_of(Queue.WEBHOOKS) == [webhook_id]
    await send_webhook(house.parts, webhook_id)
    assert receiver.types == ["donation.paid"]


async def test_where_it_cannot_be_noted_the_event_goes_out_and_is_tried_again(
    house: House, rabbit: Rabbit, receiver: Receiver
) -> None:
    await house.listen(receiver)
    await house.parts.pool.execute(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'not now'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON webhook_deliveries EXECUTE FUNCTION refuse();
        """
    )
    await house.pay()
    async with running_relay(house.parts.settings):
        await until_empty(house.parts.pool)
        rows = await house.rows("SELECT name, tries, last_error FROM outbox")
        assert [(row["name"], row["last_error"]) for row in rows] == [("payment.completed", "not noted for webhooks")]
        await house.parts.pool.execute("DROP TRIGGER refuse ON webhook_deliveries")
        await house.parts.pool.execute("UPDATE outbox SET available_at = now()")
        await rabbit.until_holds(Queue.WEBHOOKS, 1)
        await until_empty(house.parts.pool)
    assert await house.rows("SELECT status FROM webhook_deliveries") == [{"status": "waiting"}]


@pytest.mark.usefixtures("rabbit")
async def test_a_webhook_that_somebody_holds_keeps_nobody_elses_events_waiting(
    house: House, receiver: Receiver
) -> None:
    """A worker that froze in the middle of writing: nothing waits for it but what its own webhook is to hear."""
    held_id = await house.listen(receiver)
    async with house.parts.pool.acquire() as connection, connection.transaction():
        other = await make_streamer(connection, box=house.parts.box)
    others = dataclasses.replace(house, streamer=other)
    free_ids = [await house.listen(receiver), await others.listen(receiver)]
    async with house.parts.pool.acquire() as frozen:
        transaction = frozen.transaction()
        await transaction.start()
        await frozen.execute("SELECT FROM webhooks WHERE id = $1 FOR NO KEY UPDATE", held_id)
        for _ in range(3):
            await house.pay()
            await others.pay()
        async with running_relay(house.parts.settings):
            async with asyncio.timeout(10):
                for webhook_id in free_ids:
                    while await house.statuses(webhook_id) != ["waiting"] * 3:
                        await asyncio.sleep(0.05)
            assert await house.statuses(held_id) == []
            kept = await house.rows("SELECT DISTINCT name, last_error FROM outbox WHERE kind = 'event'")
            assert kept == [{"name": "payment.completed", "last_error": "not noted for webhooks"}]
            await transaction.rollback()
            await house.parts.pool.execute("UPDATE outbox SET available_at = now()")
            async with asyncio.timeout(10):
                while await house.statuses(held_id) != ["waiting"] * 3:
                    await asyncio.sleep(0.05)
    # Published again, they were noted once.
    for webhook_id in free_ids:
        assert await house.statuses(webhook_id) == ["waiting"] * 3


async def test_nor_does_the_sweep_wait_for_one(house: House, receiver: Receiver) -> None:
    held_id, free_id = [await house.listen(receiver) for _ in range(2)]
    await house.pay()
    await house.publish()
    await house.parts.pool.execute("UPDATE webhooks SET due_at = NULL")
    async with house.parts.pool.acquire() as frozen, frozen.transaction():
        await frozen.execute("SELECT FROM webhooks WHERE id = $1 FOR NO KEY UPDATE", held_id)
        async with house.parts.pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL lock_timeout = '100ms'")
            assert await webhook_events.ask_forgotten(connection) == 1
    assert await house.rows("SELECT id FROM webhooks WHERE due_at IS NOT NULL") == [{"id": free_id}]


async def test_a_run_that_fails_is_not_asked_for_again_at_once(house: House, receiver: Receiver) -> None:
    """Whatever it failed at would most likely be there a moment later."""
    webhook_id = await house.listen(receiver)
    await house.pay()
    await house.publish()
    await house.parts.pool.execute("ALTER TABLE donations RENAME TO no_donations")
    with pytest.raises(asyncpg.UndefinedTableError):
        await send_webhook(house.parts, webhook_id)
    await house.parts.pool.execute("ALTER TABLE no_donations RENAME TO donations")
    assert await house.rows("SELECT name FROM outbox WHERE name = 'send_webhook'") == []
    async with house.parts.pool.acquire() as connection:
        assert await webhook_events.ask_due(connection) == 0
    await send_webhook(house.parts, webhook_id)
    assert receiver.heard == []
    # Its time comes, and it is as good as any.
    await house.be_due()
    await send_webhook(house.parts, webhook_id)
    assert receiver.types == ["donation.paid"]
    assert await house.rows("SELECT due_at FROM webhooks") == [{"due_at": None}]


async def test_what_is_due_is_asked_for_by_the_relay(house: House, rabbit: Rabbit, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver)
    receiver.statuses = [500]
    await house.pay()
    await house.tell()
    async with running_relay(house.parts.settings):
        # Something goes out first: it has begun.
        await add_tasks(house.parts.pool, 1)
        await until_empty(house.parts.pool)
        await house.be_due()
        await rabbit.until_holds(Queue.WEBHOOKS, 1)
    assert await rabbit.arguments_of(Queue.WEBHOOKS) == [webhook_id]
