"""Money is booked whatever goes wrong beside it: alert, moderation and goal fail really, and are made up for."""

import logging
from typing import Any

import asyncpg
import pytest

from domain import booking, goal_progress, goals, holds
from domain.goals import GoalFields
from domain.holds import Decision
from domain.moderation import Mode, Settings
from domain.moderation_settings import save_settings
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.pressers import Presser, PresserKind
from tasks.goals import settle_goals
from tasks.sweeps import sweep
from tests.builders import BuiltStreamer, check_books, hear, make_streamer, open_donation


async def break_table(connection: Any, table: str, event: str = "INSERT") -> None:
    """From now on every such statement raises, as a bug would."""
    await connection.execute(
        "CREATE OR REPLACE FUNCTION raise_always() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE EXCEPTION 'broken by a test'; END $$"
    )
    await connection.execute(
        f"CREATE TRIGGER broken BEFORE {event} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION raise_always()"
    )


async def mend_table(connection: Any, table: str) -> None:
    await connection.execute(f"DROP TRIGGER broken ON {table}")


async def pay(connection: Any, streamer: BuiltStreamer, message: str = "Привет") -> Any:
    _, payment = await open_donation(connection, streamer, message=message)
    await hear(connection, payment, N.CONFIRMED)
    return payment


async def begin_goal(connection: Any, streamer: BuiltStreamer, *, target_minor: int = 100_000) -> int:
    fields = GoalFields("Микрофон", "", target_minor, 0, starts_at=None, ends_at=None)
    goal_id = await goals.create_goal(connection, streamer.id, fields)
    await goals.start(connection, streamer.id, goal_id)
    return goal_id


async def texts_of(connection: Any, payment: Any) -> tuple[Any, ...]:
    """The alert as it waits, and what may leave us of the donation."""
    return tuple(
        await connection.fetchrow(
            "SELECT alerts.status, alerts.donor_name, alerts.message, public_donor_name, public_message,"
            " donations.status FROM donations JOIN alerts ON alerts.donation_id = donations.id WHERE donations.id = $1",
            payment.donation_id,
        )
    )


KEPT_BACK = ("held", None, "", None, "", "paid")


@pytest.mark.parametrize("mode", [Mode.FILTER, Mode.APPROVE])
async def test_a_log_of_moderation_that_cannot_be_written(
    connection: Any, streamer: BuiltStreamer, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    """Even the second try fails, since the log of a held alert cannot be written either."""
    await save_settings(connection, streamer.id, Settings(mode=mode))
    await break_table(connection, "moderation_decisions")
    payment = await pay(connection, streamer, "сука")
    assert await texts_of(connection, payment) == KEPT_BACK
    await check_books(connection)
    assert [record.levelno for record in caplog.records if "failed" in record.message] == [logging.ERROR] * 2


async def test_a_hold_that_could_not_be_written_is_opened_by_the_next_sweep(
    connection: Any, streamer: BuiltStreamer, caplog: pytest.LogCaptureFixture
) -> None:
    await save_settings(connection, streamer.id, Settings(mode=Mode.APPROVE))
    await break_table(connection, "holds")
    payment = await pay(connection, streamer)
    assert await texts_of(connection, payment) == KEPT_BACK
    assert await holds.list_holds(connection, streamer.id) == []
    await mend_table(connection, "holds")
    await sweep(connection)
    task: Any = await connection.fetchrow("SELECT data FROM outbox WHERE name = 'settle_hold'")
    wake = await holds.settle(connection, task["data"]["argument"])
    assert wake is not None
    assert "nobody would have decided" in caplog.text
    (hold,) = await holds.list_holds(connection, streamer.id)
    assert (hold.reason, hold.donor_name, hold.message) == ("error", "Аня", "Привет")
    assert 590 < hold.left_seconds <= 600
    assert await texts_of(connection, payment) == KEPT_BACK
    # From here on it is a hold like any other, and asked for once.
    assert await holds.settle(connection, task["data"]["argument"]) is None
    await connection.execute("DELETE FROM outbox")
    await sweep(connection)
    assert await connection.fetchval("SELECT count(*) FROM outbox WHERE name = 'settle_hold'") == 0
    by = Presser(PresserKind.OWNER, streamer.owner_id, "anna@example.org")
    await holds.decide(connection, streamer.id, hold.alert_id, Decision.SHOW, by)
    await connection.execute("UPDATE holds SET takes_effect_at = now()")
    await holds.settle(connection, task["data"]["argument"])
    assert (await texts_of(connection, payment))[:5] == ("queued", "Аня", "Привет", "Аня", "Привет")


async def test_a_settled_hold_of_an_alert_that_is_still_held_begins_anew(
    connection: Any, streamer: BuiltStreamer
) -> None:
    await save_settings(connection, streamer.id, Settings(mode=Mode.APPROVE))
    await pay(connection, streamer)
    await connection.execute(
        "UPDATE holds SET settled_at = now(), decision = 'hide', by_kind = 'owner', takes_effect_at = now()"
    )
    await sweep(connection)
    await holds.settle(connection, await connection.fetchval("SELECT id FROM alerts"))
    (hold,) = await holds.list_holds(connection, streamer.id)
    assert (hold.reason, hold.decision, hold.message) == ("error", None, "Привет")


async def test_texts_that_cannot_be_masked_wait_for_a_person(connection: Any, streamer: BuiltStreamer) -> None:
    # Of the two names an alert may get, the stars are refused.
    await connection.execute("ALTER TABLE alerts ADD CHECK (message !~ '[*]')")
    payment = await pay(connection, streamer, "сука")
    assert await texts_of(connection, payment) == KEPT_BACK
    (hold,) = await holds.list_holds(connection, streamer.id)
    assert (hold.reason, hold.message) == ("error", "сука")
    assert 590 < hold.left_seconds <= 600
    await check_books(connection)


async def test_an_alert_that_cannot_be_made(
    connection: Any, streamer: BuiltStreamer, caplog: pytest.LogCaptureFixture
) -> None:
    await break_table(connection, "alerts")
    payment = await pay(connection, streamer)
    assert await connection.fetchval("SELECT status FROM payments WHERE id = $1", payment.id) == "confirmed"
    assert await connection.fetchval("SELECT net_minor FROM streamer_totals") == 30_000
    assert await connection.fetchval("SELECT public_message FROM donations") == ""
    assert "The alert of donation" in caplog.text
    # It gets one as soon as that is possible.
    await mend_table(connection, "alerts")
    await sweep(connection)
    tasks = await connection.fetch("SELECT data FROM outbox WHERE name = 'give_alert'")
    assert [task["data"]["argument"] for task in tasks] == [payment.donation_id]
    assert await booking.give_missing_alert(connection, payment.donation_id) is not None
    assert await texts_of(connection, payment) == ("queued", "Аня", "Привет", "Аня", "Привет", "paid")
    assert await booking.give_missing_alert(connection, payment.donation_id) is None
    assert await booking.ask_missing_alerts(connection) == 0
    await check_books(connection)


async def test_what_went_back_meanwhile_gets_no_alert(connection: Any, streamer: BuiltStreamer) -> None:
    await break_table(connection, "alerts")
    payment = await pay(connection, streamer)
    await mend_table(connection, "alerts")
    await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
    assert await booking.ask_missing_alerts(connection) == 0
    assert await booking.give_missing_alert(connection, payment.donation_id) is None


async def test_a_late_alert_is_judged_like_any_other(connection: Any, streamer: BuiltStreamer) -> None:
    await break_table(connection, "alerts")
    payment = await pay(connection, streamer, "Привет, сука")
    await mend_table(connection, "alerts")
    await booking.give_missing_alert(connection, payment.donation_id)
    assert await texts_of(connection, payment) == ("queued", "Аня", "Привет, ***", "Аня", "Привет, ***", "paid")


@pytest.mark.parametrize("table", ["goals", "alerts"])
async def test_a_goal_that_cannot_be_moved_is_made_up_for(
    connection: Any, streamer: BuiltStreamer, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    goal_id = await begin_goal(connection, streamer, target_minor=30_000)
    # Broken for the celebration alone.
    if table == "alerts":
        await connection.execute("ALTER TABLE alerts ADD CONSTRAINT broken CHECK (kind <> 'goal')")
    else:
        await break_table(connection, table, "UPDATE")
    payment = await pay(connection, streamer)
    assert (await texts_of(connection, payment))[0] == "queued"
    assert f"Counting donation {payment.donation_id} for a goal failed" in caplog.text
    assert (await goals.get_goal(connection, streamer.id, goal_id)).raised_minor == 0
    await check_books(connection)

    if table == "alerts":
        await connection.execute("ALTER TABLE alerts DROP CONSTRAINT broken")
    else:
        await mend_table(connection, table)
    await sweep(connection)
    assert await connection.fetchval("SELECT count(*) FROM outbox WHERE name = 'settle_goals'") == 1
    assert await goal_progress.catch_up(connection, streamer.id)
    goal = await goals.get_goal(connection, streamer.id, goal_id)
    assert (goal.raised_minor, goal.reached_at is not None) == (30_000, True)
    assert await connection.fetchval("SELECT count(*) FROM alerts WHERE kind = 'goal'") == 1
    assert not await goal_progress.catch_up(connection, streamer.id)
    await check_books(connection)


async def test_a_donation_owed_to_a_goal_that_is_over(connection: Any, streamer: BuiltStreamer) -> None:
    goal_id = await begin_goal(connection, streamer)
    await break_table(connection, "goals", "UPDATE")
    await pay(connection, streamer)
    await mend_table(connection, "goals")
    await goals.end(connection, streamer.id, goal_id)
    await begin_goal(connection, streamer)
    assert await goal_progress.catch_up(connection, streamer.id)
    assert (await goals.get_goal(connection, streamer.id, goal_id)).raised_minor == 30_000
    assert not await goal_progress.recount(connection, streamer.id)


async def test_what_goes_back_is_booked_though_the_goal_and_the_alert_fail(
    connection: Any, streamer: BuiltStreamer
) -> None:
    goal_id = await begin_goal(connection, streamer)
    payment = await pay(connection, streamer)
    await break_table(connection, "goals", "UPDATE")
    await break_table(connection, "alerts", "UPDATE")
    await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
    assert await connection.fetchval("SELECT status FROM donations") == "refunded"
    assert await connection.fetchval("SELECT net_minor FROM streamer_totals") == 0
    await mend_table(connection, "goals")
    assert await goal_progress.catch_up(connection, streamer.id)
    assert (await goals.get_goal(connection, streamer.id, goal_id)).raised_minor == 0
    await check_books(connection)


async def test_who_paid_need_not_be_known(connection: Any, streamer: BuiltStreamer) -> None:
    _, payment = await open_donation(connection, streamer)
    # Longer than its column.
    await hear(connection, payment, N.CONFIRMED, payer="4" * 65)
    assert await connection.fetchval("SELECT status FROM donations") == "paid"
    assert await connection.fetchval("SELECT payer FROM payments") == ""


async def test_the_mark_itself_may_fail(connection: Any, streamer: BuiltStreamer) -> None:
    await begin_goal(connection, streamer)
    await break_table(connection, "goals", "UPDATE")
    await break_table(connection, "goal_arrears")
    await pay(connection, streamer)
    await check_books(connection)


async def test_a_deadlock_is_no_bug(connection: Any, streamer: BuiltStreamer) -> None:
    """The whole booking is tried again: nothing is lost, and nothing has to be made up for."""
    await connection.execute(
        "CREATE FUNCTION raise_deadlock() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = '40P01'; END $$"
    )
    await connection.execute(
        "CREATE TRIGGER broken BEFORE INSERT ON alerts FOR EACH STATEMENT EXECUTE FUNCTION raise_deadlock()"
    )
    _, payment = await open_donation(connection, streamer)
    with pytest.raises(asyncpg.DeadlockDetectedError):
        async with connection.transaction():
            await hear(connection, payment, N.CONFIRMED)
    await mend_table(connection, "alerts")
    await hear(connection, payment, N.CONFIRMED)
    assert await connection.fetchval("SELECT status FROM alerts") == "queued"


async def test_the_task_makes_up_for_it_and_tells_who_shows_goals(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        streamer = await make_streamer(connection)
        goal_id = await begin_goal(connection, streamer)
        await break_table(connection, "goals", "UPDATE")
        await pay(connection, streamer)
        await mend_table(connection, "goals")
    told: list[Any] = []

    class Parts:
        def __init__(self) -> None:
            self.pool = pool

        async def wake(self, wakes: Any) -> None:
            told.extend(wakes)

    parts: Any = Parts()
    await settle_goals(parts, streamer.id)
    assert [wake.streamer_id for wake in told] == [streamer.id]
    async with pool.acquire() as connection:
        assert (await goals.get_goal(connection, streamer.id, goal_id)).raised_minor == 30_000
    await settle_goals(parts, streamer.id)
    assert len(told) == 1
