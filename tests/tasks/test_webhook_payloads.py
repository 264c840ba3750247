"""What webhooks are told of what, and what is never in it."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from domain import goals, holds, outbox, webhook_deliveries, webhooks
from domain.donor_requests import erase
from domain.events import EventType
from domain.goals import GoalFields
from domain.history import set_hidden
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.showing import Word, mark_seen
from domain.webhook_events import WebhookEvent
from domain.webhook_payloads import kofi_token, sign
from domain.webhooks import Format
from tasks.webhooks import send_webhook
from tests.builders import hear, make_streamer, open_donation
from tests.domain.test_self_check import charge_back
from tests.support.receiver import Receiver
from tests.tasks.webhook_house import ALL, House


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
