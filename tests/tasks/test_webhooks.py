"""Telling webhooks: in which order, how often, by whom at once, and the whole way through relay and broker."""

import asyncio
import dataclasses

import asyncpg
import pytest

from domain import webhook_deliveries, webhook_events, webhooks
from domain.events import Queue
from domain.webhook_events import WebhookEvent
from domain.webhooks import OffReason
from tasks.sweeps import sweep
from tasks.webhooks import send_webhook
from tests.builders import make_streamer
from tests.domain.test_money_races import wait_for_a_lock
from tests.support.receiver import Receiver, receiving
from tests.tasks.rabbit import Rabbit
from tests.tasks.test_relay import add_tasks, running_relay, until_empty
from tests.tasks.webhook_house import House


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
    # By then all of them have asked for their turn.
    receiver.delay_seconds = 1.5
    ids = [await house.listen(receiver) for _ in range(6)]
    await house.pay()
    await house.publish()
    await asyncio.gather(*(send_webhook(house.parts, webhook_id) for webhook_id in ids))
    assert receiver.most_at_once == 4
    # The others are asked for again at once.
    async with house.parts.pool.acquire() as connection:
        assert await webhook_events.ask_due(connection) == 2


async def test_those_known_to_be_slow_leave_places_for_others(house: House, receiver: Receiver) -> None:
    receiver.delay_seconds = 60
    slow_ids = [await house.listen(receiver) for _ in range(6)]
    for webhook_id in slow_ids:
        house.parts.outgoing.places.note(webhook_id, 9_000)
    async with receiving() as quick:
        quick_ids = [await house.listen(quick) for _ in range(3)]
        await house.pay()
        await house.publish()
        sending = [asyncio.create_task(send_webhook(house.parts, webhook_id)) for webhook_id in slow_ids]
        try:
            await asyncio.wait_for(asyncio.gather(*sending[2:]), 20)
            async with asyncio.timeout(20):
                while receiver.at_once < 2:
                    await asyncio.sleep(0.01)
            for webhook_id in quick_ids:
                await send_webhook(house.parts, webhook_id)
                assert await house.statuses(webhook_id) == ["delivered"]
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
    assert receiver.most_at_once == 2


async def test_a_slow_answer_ends_the_run_until_others_had_their_turn(
    house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.outgoing.SLOW_SECONDS", -1.0)
    webhook_id = await house.listen(receiver)
    for _ in range(2):
        await house.pay()
    await house.tell()
    assert await house.statuses(webhook_id) == ["delivered", "waiting"]
    # Nobody was asked at once; its time comes.
    assert await house.rows("SELECT FROM outbox") == []
    assert await house.rows("SELECT due_at IS NULL AS is_forgotten FROM webhooks") == [{"is_forgotten": False}]
    await house.be_due()
    await send_webhook(house.parts, webhook_id)
    assert await house.statuses(webhook_id) == ["delivered", "delivered"]


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
    """Somebody who froze in the middle of deleting it: nothing waits for that but what this webhook is to hear."""
    held_id = await house.listen(receiver)
    async with house.parts.pool.acquire() as connection, connection.transaction():
        other = await make_streamer(connection, box=house.parts.box)
    others = dataclasses.replace(house, streamer=other)
    free_ids = [await house.listen(receiver), await others.listen(receiver)]
    async with house.parts.pool.acquire() as frozen:
        transaction = frozen.transaction()
        await transaction.start()
        await frozen.execute("DELETE FROM webhooks WHERE id = $1", held_id)
        for _ in range(3):
            await house.pay()
            await others.pay()
        async with running_relay(house.parts.settings):
            async with asyncio.timeout(40):
                for webhook_id in free_ids:
                    while await house.statuses(webhook_id) != ["waiting"] * 3:
                        await asyncio.sleep(0.05)
            assert await house.statuses(held_id) == []
            kept = await house.rows("SELECT DISTINCT name, last_error FROM outbox WHERE kind = 'event'")
            assert kept == [{"name": "payment.completed", "last_error": "not noted for webhooks"}]
            await transaction.rollback()
            await house.parts.pool.execute("UPDATE outbox SET available_at = now()")
            async with asyncio.timeout(40):
                while await house.statuses(held_id) != ["waiting"] * 3:
                    await asyncio.sleep(0.05)
    # Published again, they were noted once.
    for webhook_id in free_ids:
        assert await house.statuses(webhook_id) == ["waiting"] * 3


async def test_what_is_told_while_somebody_holds_a_webhook_keeps_its_order(
    house: House, rabbit: Rabbit, receiver: Receiver
) -> None:
    """A worker that froze in the middle of writing: what came meanwhile stands before what comes afterwards."""
    held_id, free_id = [await house.listen(receiver, [WebhookEvent.DONATION_PAID]) for _ in range(2)]
    async with house.parts.pool.acquire() as frozen, running_relay(house.parts.settings):
        transaction = frozen.transaction()
        await transaction.start()
        await frozen.execute("SELECT FROM webhooks WHERE id = $1 FOR NO KEY UPDATE", held_id)
        payments = [await house.pay() for _ in range(2)]
        # Every event leaves, and is published no second time.
        await until_empty(house.parts.pool)
        async with asyncio.timeout(20):
            while await house.rows("SELECT FROM outbox"):
                await asyncio.sleep(0.05)
        for webhook_id in (held_id, free_id):
            assert await house.statuses(webhook_id) == ["waiting"] * 2
        await rabbit.until_holds(Queue.WEBHOOKS, 1)
        await transaction.rollback()
        # Free again, it is asked for.
        await rabbit.until_holds(Queue.WEBHOOKS, 2)
        payments.append(await house.pay())
        await until_empty(house.parts.pool)
    assert sorted(await rabbit.arguments_of(Queue.WEBHOOKS)) == [held_id, free_id]
    await send_webhook(house.parts, held_id)
    told = [heard.json["data"]["donation"]["id"] for heard in receiver.heard]
    assert told == [payment.donation_id for payment in payments]


async def note(house: House) -> webhook_events.Noted:
    """What the relay does with a donation's event."""
    await house.pay()
    async with house.parts.pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch("DELETE FROM outbox RETURNING *")
        return await webhook_events.note_events(connection, [r for r in rows if r["name"] in webhook_events.TOLD])


async def settle(house: House, webhook_ids: frozenset[int]) -> frozenset[int]:
    async with house.parts.pool.acquire() as connection, connection.transaction():
        return await webhook_events.settle(connection, webhook_ids)


async def test_what_was_written_while_a_run_ended_is_asked_for(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver, [WebhookEvent.DONATION_PAID])
    await note(house)
    async with house.parts.pool.acquire() as ending:
        run = await webhook_deliveries.claim(ending, webhook_id)
        assert run is not None
        delivery = await webhook_deliveries.pick(ending, run)
        assert delivery is not None
        await webhook_deliveries.note_result(ending, run, delivery, webhook_deliveries.Result(1, 200), site=None)
        async with ending.transaction():
            assert await webhook_deliveries.end_run(ending, run) is False
            noted = await note(house)
            assert noted == webhook_events.Noted(True, frozenset(), frozenset({webhook_id}))
            assert await settle(house, noted.unasked) == {webhook_id}
    # The run could not know of it.
    assert await house.rows("SELECT due_at FROM webhooks") == [{"due_at": None}]
    assert await settle(house, noted.unasked) == frozenset()
    await send_webhook(house.parts, webhook_id)
    assert await house.statuses(webhook_id) == ["delivered", "delivered"]


@pytest.mark.parametrize("is_settled", [True, False])
async def test_what_was_written_while_it_was_switched_off_is_dropped(
    house: House, receiver: Receiver, is_settled: bool
) -> None:
    """By whoever comes first: the relay, the sweep, or she who switches it on again."""
    webhook_id = await house.listen(receiver, [WebhookEvent.DONATION_PAID])
    await note(house)
    async with house.parts.pool.acquire() as switching, switching.transaction():
        await webhooks.switch_off(switching, house.streamer.id, webhook_id, OffReason.OWNER)
        noted = await note(house)
    assert await house.statuses(webhook_id) == ["dropped", "waiting"]
    await send_webhook(house.parts, webhook_id)
    if is_settled:
        assert await settle(house, noted.unasked) == frozenset()
        assert await house.statuses(webhook_id) == ["dropped", "dropped"]
    async with house.parts.pool.acquire() as connection, connection.transaction():
        assert await webhooks.switch_on(connection, house.streamer.id, webhook_id)
    await send_webhook(house.parts, webhook_id)
    assert receiver.heard == []
    assert await house.statuses(webhook_id) == ["dropped", "dropped"]
    # Nothing is lost: she may have it.
    async with house.parts.pool.acquire() as connection, connection.transaction():
        assert await webhook_deliveries.send_missed(connection, await house.webhook(webhook_id)) == 2
    await send_webhook(house.parts, webhook_id)
    assert await house.statuses(webhook_id) == ["delivered", "delivered"]


async def test_one_deleted_meanwhile_is_settled(house: House, receiver: Receiver) -> None:
    webhook_id = await house.listen(receiver, [WebhookEvent.DONATION_PAID])
    async with house.parts.pool.acquire() as frozen, frozen.transaction():
        await frozen.execute("SELECT FROM webhooks WHERE id = $1 FOR NO KEY UPDATE", webhook_id)
        noted = await note(house)
        await frozen.execute("DELETE FROM webhooks WHERE id = $1", webhook_id)
    assert noted.unasked == {webhook_id}
    assert await settle(house, noted.unasked) == frozenset()
    assert await house.rows("SELECT FROM webhook_deliveries") == []


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
