"""Goals: what counts, what reaches them, once; what refunds, time and the next goal do."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import goal_progress, goals, ledger, returns
from domain.errors import NotAllowedError, NotFoundError
from domain.events import Actor
from domain.goals import GoalSettings, GoalStatus
from domain.ledger import BookedAs
from domain.missed import Answer, answer_missed, get_missed
from domain.payment_status import NewsStatus as N
from domain.payments import Payment
from domain.review import accept
from domain.self_check import Depth, look
from tasks.sweeps import sweep
from tests.builders import BOX, BuiltStreamer, check_books, hear, make_streamer, open_donation
from tests.domain.test_goals import begin, fields, plan, read
from tests.domain.test_self_check import charge_back, give_back, pay, pay_again, review


async def write_down(connection: Any, streamer: BuiltStreamer, amount_minor: int) -> int:
    """By hand."""
    manual_id: int = await connection.fetchval(
        "INSERT INTO manual_donations (public_id, streamer_id, amount_minor, received_at)"
        " VALUES (gen_random_uuid()::text, $1, $2, now()) RETURNING id",
        streamer.id,
        amount_minor,
    )
    return manual_id


async def celebrations(connection: Any, streamer: BuiltStreamer) -> list[Any]:
    rows: list[Any] = await connection.fetch(
        "SELECT * FROM alerts WHERE streamer_id = $1 AND kind = 'goal' ORDER BY place", streamer.id
    )
    return rows


async def switch(connection: Any, streamer: BuiltStreamer, *, goes_on: bool = True, carries: bool = True) -> None:
    await goals.set_settings(connection, streamer.id, GoalSettings(goes_on, carries))


async def check_sums(connection: Any, streamer: BuiltStreamer) -> None:
    await check_books(connection)
    wrong = {finding.rule for finding in await look(connection, BOX, Depth.FULL) if finding.found}
    assert "wrong_goal_sums" not in wrong
    assert await goal_progress.recount(connection, streamer.id) is False


# What counts.


async def test_a_donation_counts_for_the_goal_that_was_active_when_it_was_paid(
    connection: Any, streamer: BuiltStreamer
) -> None:
    await pay(connection, streamer)
    first = await begin(connection, streamer, start_minor=5_000)
    second = await plan(connection, streamer, "Второй")
    _, late = await open_donation(connection, streamer)
    await pay(connection, streamer)
    assert (await read(connection, streamer, first)).raised_minor == 35_000
    await goals.start(connection, streamer.id, second)
    await hear(connection, late, N.CONFIRMED)
    one, two = await read(connection, streamer, first), await read(connection, streamer, second)
    assert (one.status, one.raised_minor) == (GoalStatus.ENDED, 35_000)
    assert (two.status, two.raised_minor, two.percent) == (GoalStatus.ACTIVE, 30_000, 30)
    await check_sums(connection, streamer)


async def test_the_same_news_twice_count_once(connection: Any, streamer: BuiltStreamer) -> None:
    goal_id = await begin(connection, streamer)
    payment = await pay(connection, streamer)
    await hear(connection, payment, N.CONFIRMED)
    assert (await read(connection, streamer, goal_id)).raised_minor == 30_000


async def test_surplus_and_review_are_no_donations_until_accepted(connection: Any, streamer: BuiltStreamer) -> None:
    goal_id = await begin(connection, streamer)
    await pay_again(connection, streamer)
    waiting = await review(connection, streamer)
    assert (await read(connection, streamer, goal_id)).raised_minor == 30_000
    await accept(connection, streamer_id=streamer.id, payment_id=waiting.id, user_id=streamer.owner_id)
    assert (await read(connection, streamer, goal_id)).raised_minor == 30_000 + 29_900
    await check_sums(connection, streamer)


async def test_money_by_hand_counts_until_it_is_deleted(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        streamer = await make_streamer(connection)
        await write_down(connection, streamer, 99_000)
    async with pool.acquire() as connection, connection.transaction():
        goal_id = await begin(connection, streamer)
    async with pool.acquire() as connection:
        manual_id = await write_down(connection, streamer, 40_000)
        await write_down(connection, streamer, 60_000)
        goal = await read(connection, streamer, goal_id)
        assert (goal.manual_minor, goal.raised_minor, goal.reached_at) == (100_000, 100_000, None)
        # Nobody told the goals: the sweep sees it, and the actor celebrates it.
        async with connection.transaction():
            await sweep(connection)
        assert await connection.fetchval("SELECT count(*) FROM outbox WHERE name = $1", Actor.SETTLE_GOALS) == 1
        async with connection.transaction():
            assert await goal_progress.settle(connection, streamer.id)
        await connection.execute("UPDATE manual_donations SET deleted_at = now() WHERE id = $1", manual_id)
        goal = await read(connection, streamer, goal_id)
        assert (goal.raised_minor, goal.reached_at is not None) == (60_000, True)
        assert len(await celebrations(connection, streamer)) == 1


async def test_another_streamers_money_is_another_streamers(connection: Any, streamer: BuiltStreamer) -> None:
    other = await make_streamer(connection)
    goal_id = await begin(connection, streamer)
    await pay(connection, other)
    await write_down(connection, other, 5_000)
    assert (await read(connection, streamer, goal_id)).raised_minor == 0
    with pytest.raises(NotFoundError):
        await goals.start(connection, other.id, goal_id)


# Reached.


async def test_reached_is_celebrated_behind_the_alert_that_reached_it(connection: Any, streamer: BuiltStreamer) -> None:
    goal_id = await begin(connection, streamer, "Микрофон", 60_000)
    await pay(connection, streamer)
    assert await celebrations(connection, streamer) == []
    payment = await pay(connection, streamer)
    (celebration,) = await celebrations(connection, streamer)
    assert (celebration["message"], celebration["amount_minor"], celebration["status"]) == (
        "Микрофон",
        60_000,
        "queued",
    )
    places = await connection.fetch("SELECT donation_id, place FROM alerts WHERE kind = 'donation' ORDER BY place")
    assert places[-1]["donation_id"] == payment.donation_id
    assert celebration["place"] > places[-1]["place"]
    # Nothing is planned: it goes on collecting.
    await pay(connection, streamer)
    goal = await read(connection, streamer, goal_id)
    assert (goal.status, goal.percent, goal.surplus_minor) == (GoalStatus.ACTIVE, 150, 30_000)
    assert len(await celebrations(connection, streamer)) == 1


async def test_refunds_take_money_off_and_not_the_celebration(connection: Any, streamer: BuiltStreamer) -> None:
    goal_id = await begin(connection, streamer, target_minor=60_000)
    first, second = await pay(connection, streamer), await pay(connection, streamer)
    reached_at = (await read(connection, streamer, goal_id)).reached_at
    await give_back(connection, first, 10_000)
    await charge_back(connection, second, 30_000)
    goal = await read(connection, streamer, goal_id)
    assert (goal.given_minor, goal.returned_minor, goal.raised_minor) == (60_000, 50_000, 10_000)
    assert goal.reached_at == reached_at is not None
    await pay(connection, streamer, amount_minor=80_000)
    assert len(await celebrations(connection, streamer)) == 1
    await check_sums(connection, streamer)


async def test_a_chargeback_that_comes_again_counts_and_may_reach(connection: Any, streamer: BuiltStreamer) -> None:
    goal_id = await begin(connection, streamer, target_minor=70_000)
    payment = await pay(connection, streamer, amount_minor=60_000)
    await charge_back(connection, payment, 60_000)
    await pay(connection, streamer, amount_minor=20_000)
    assert (await read(connection, streamer, goal_id)).raised_minor == 20_000
    await charge_back_again(connection, payment)
    goal = await read(connection, streamer, goal_id)
    assert (goal.raised_minor, goal.reached_at is not None) == (80_000, True)
    await check_sums(connection, streamer)


async def charge_back_again(connection: Any, payment: Payment) -> None:
    transaction, delta = await ledger.book_chargeback_reversal(
        connection,
        streamer_id=payment.streamer_id,
        payment_id=payment.id,
        reversed_minor=60_000,
        booked_as=BookedAs.DONATION,
    )
    assert transaction is not None
    await returns.settle_return(connection, payment, transaction, -delta, BookedAs.DONATION)


async def test_a_lower_target_reaches_and_a_higher_one_takes_nothing_back(
    connection: Any, streamer: BuiltStreamer
) -> None:
    goal_id = await begin(connection, streamer)
    await pay(connection, streamer)
    await goals.update_goal(connection, streamer.id, goal_id, fields(target_minor=30_000))
    assert (await read(connection, streamer, goal_id)).reached_at is not None
    await goals.update_goal(connection, streamer.id, goal_id, fields(target_minor=90_000))
    await pay(connection, streamer, amount_minor=70_000)
    assert len(await celebrations(connection, streamer)) == 1


async def test_two_payments_at_once_cross_it_once(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        streamer = await make_streamer(connection)
        goal_id = await begin(connection, streamer, target_minor=60_000)
        next_id = await plan(connection, streamer, "Следующая")
        await switch(connection, streamer)
        payments = [(await open_donation(connection, streamer))[1] for _ in range(6)]

    async def confirm(payment: Payment) -> None:
        async with pool.acquire() as connection, connection.transaction():
            await hear(connection, payment, N.CONFIRMED)

    await asyncio.gather(*(confirm(payment) for payment in payments))
    async with pool.acquire() as connection:
        first, second = await read(connection, streamer, goal_id), await read(connection, streamer, next_id)
        # Each belongs to one goal: none fell between the two.
        assert (first.status, first.raised_minor) == (GoalStatus.REACHED, 60_000)
        assert (second.status, second.raised_minor) == (GoalStatus.ACTIVE, 120_000)
        assert len(await celebrations(connection, streamer)) == 2
        await check_books(connection)
        assert await goal_progress.recount(connection, streamer.id) is False


async def test_starting_ending_and_paying_at_once_lose_no_donation(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        streamer = await make_streamer(connection)
        await begin(connection, streamer)
        planned = [await plan(connection, streamer, f"Цель {number}") for number in range(4)]
        payments = [(await open_donation(connection, streamer))[1] for _ in range(8)]

    async def confirm(payment: Payment) -> None:
        async with pool.acquire() as connection, connection.transaction():
            await hear(connection, payment, N.CONFIRMED)

    async def press(goal_id: int) -> None:
        async with pool.acquire() as connection, connection.transaction():
            await goals.start(connection, streamer.id, goal_id)

    await asyncio.gather(*map(confirm, payments[:4]), *map(press, planned), *map(confirm, payments[4:]))
    async with pool.acquire() as connection:
        found = await goals.list_goals(connection, streamer.id)
        assert sum(goal.raised_minor - goal.carried_minor for goal in found) == 8 * 30_000
        assert [goal.status for goal in found].count(GoalStatus.ACTIVE) == 1
        assert await connection.fetchval("SELECT count(*) FROM donations WHERE goal_id IS NULL") == 0


# The next.


async def test_the_next_starts_by_itself_with_the_surplus(connection: Any, streamer: BuiltStreamer) -> None:
    await switch(connection, streamer)
    first = await begin(connection, streamer, target_minor=20_000)
    second, third = await plan(connection, streamer, "Два", 5_000), await plan(connection, streamer, "Три")
    payment = await pay(connection, streamer)
    one, two, three = [await read(connection, streamer, goal_id) for goal_id in (first, second, third)]
    # 300 reach the first, its surplus of 100 the second, and 50 of that the third starts with.
    assert [goal.status for goal in (one, two, three)] == ["reached", "reached", "active"]
    assert (two.carried_minor, three.carried_minor, three.raised_minor) == (10_000, 5_000, 5_000)
    assert [row["goal_id"] for row in await celebrations(connection, streamer)] == [first, second]
    # The donation stays the first one's; what follows from its refund reaches all of them.
    await give_back(connection, payment, 26_000)
    assert [(await read(connection, streamer, i)).raised_minor for i in (first, second, third)] == [
        26_000,
        6_000,
        1_000,
    ]
    await give_back(connection, payment, 0)
    assert [(await read(connection, streamer, i)).raised_minor for i in (first, second, third)] == [0, 0, 0]
    assert (await read(connection, streamer, second)).reached_at is not None
    await check_sums(connection, streamer)


async def test_without_the_switches_it_waits_and_carries_nothing(connection: Any, streamer: BuiltStreamer) -> None:
    await switch(connection, streamer, goes_on=False, carries=False)
    first = await begin(connection, streamer, target_minor=20_000)
    second = await plan(connection, streamer, "Два")
    await pay(connection, streamer)
    assert (await read(connection, streamer, first)).status is GoalStatus.ACTIVE
    await goals.end(connection, streamer.id, first)
    assert (await read(connection, streamer, second)).status is GoalStatus.PLANNED
    await goals.start(connection, streamer.id, second)
    assert (await read(connection, streamer, second)).raised_minor == 0
    # Switched on later, a planned goal takes the place of one that was reached.
    await pay(connection, streamer, amount_minor=150_000)
    third = await plan(connection, streamer, "Три")
    await switch(connection, streamer)
    goal = await read(connection, streamer, third)
    assert (goal.status, goal.carried_minor) == (GoalStatus.ACTIVE, 50_000)


async def test_a_surplus_is_carried_once(connection: Any, streamer: BuiltStreamer) -> None:
    first = await begin(connection, streamer, target_minor=20_000)
    await pay(connection, streamer)
    await goals.end(connection, streamer.id, first)
    second = await begin(connection, streamer, "Два")
    await goals.end(connection, streamer.id, second)
    third = await begin(connection, streamer, "Три")
    carried = [(await read(connection, streamer, goal_id)).carried_minor for goal_id in (second, third)]
    assert sum(carried) == 10_000


# Time.


async def test_the_deadline_ends_it_before_the_next_donation_counts(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        async with connection.transaction():
            streamer = await make_streamer(connection)
            first = await begin(connection, streamer, ends_at=datetime.now(UTC) + timedelta(hours=1))
            second = await plan(connection, streamer, "Два")
            await switch(connection, streamer)
        await connection.execute("UPDATE goals SET ends_at = now() - interval '1 second' WHERE id = $1", first)
        assert await goals.get_shown_goal(connection, streamer.id) is None
        async with connection.transaction():
            await pay(connection, streamer)
        one, two = await read(connection, streamer, first), await read(connection, streamer, second)
        assert (one.status, one.raised_minor) == (GoalStatus.ENDED, 0)
        assert (two.status, two.raised_minor) == (GoalStatus.ACTIVE, 30_000)


async def test_the_sweep_ends_and_starts_what_is_due(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        async with connection.transaction():
            streamer = await make_streamer(connection)
            first = await begin(connection, streamer)
            second = await plan(connection, streamer, "Позже", starts_at=datetime.now(UTC) + timedelta(hours=1))
            await switch(connection, streamer)
            await sweep(connection)
        asked = "SELECT count(*) FROM outbox WHERE name = $1"
        assert await connection.fetchval(asked, Actor.SETTLE_GOALS) == 0
        await connection.execute("UPDATE goals SET ends_at = now() - interval '1 second' WHERE id = $1", first)
        await connection.execute("UPDATE goals SET starts_at = now() - interval '1 second' WHERE id = $1", second)
        async with connection.transaction():
            await sweep(connection)
        assert await connection.fetchval(asked, Actor.SETTLE_GOALS) == 1
        async with connection.transaction():
            assert await goal_progress.settle(connection, streamer.id)
            assert not await goal_progress.settle(connection, streamer.id)
        assert (await read(connection, streamer, first)).status is GoalStatus.ENDED
        assert (await read(connection, streamer, second)).status is GoalStatus.ACTIVE


async def test_a_goal_whose_time_is_over_does_not_start(connection: Any, streamer: BuiltStreamer) -> None:
    goal_id = await plan(connection, streamer, ends_at=datetime.now(UTC) + timedelta(hours=1))
    await connection.execute("UPDATE goals SET ends_at = now() - interval '1 second' WHERE id = $1", goal_id)
    with pytest.raises(NotAllowedError, match="over"):
        await goals.start(connection, streamer.id, goal_id)


# Proof.


async def test_the_self_check_finds_a_wrong_sum_and_a_recount_mends_it(
    connection: Any, streamer: BuiltStreamer
) -> None:
    goal_id = await begin(connection, streamer)
    await give_back(connection, await pay(connection, streamer), 20_000)
    await check_sums(connection, streamer)
    for column in ("given_minor", "returned_minor"):
        await connection.execute(f"UPDATE goals SET {column} = {column} + 1 WHERE id = $1", goal_id)
        found = {finding.rule: finding for finding in await look(connection, BOX, Depth.FULL)}["wrong_goal_sums"]
        assert (found.found, found.examples) == (1, (streamer.id,))
        assert await goal_progress.recount(connection, streamer.id)
        await check_sums(connection, streamer)


ACTS = st.lists(
    st.tuples(st.sampled_from(["pay", "back", "charge", "end", "start", "hand"]), st.integers(1, 9)), max_size=12
)


@given(acts=ACTS, goes_on=st.booleans())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_progress_is_what_a_recount_says(connection: Any, acts: list[tuple[str, int]], goes_on: bool) -> None:
    trial = connection.transaction()
    await trial.start()
    streamer = await make_streamer(connection)
    await switch(connection, streamer, goes_on=goes_on)
    planned = [await plan(connection, streamer, f"Цель {number}", 20_000) for number in range(3)]
    paid: list[Payment] = []
    for act, size in acts:
        if act == "pay":
            paid.append(await pay(connection, streamer, amount_minor=size * 5_000))
        elif act == "back" and paid:
            payment = paid[size % len(paid)]
            await give_back(connection, payment, payment.amount_minor * (size % 3) // 4)
        elif act == "charge" and paid:
            await charge_back_some(connection, paid[size % len(paid)], size)
        elif act == "hand":
            await write_down(connection, streamer, size * 1_000)
            await goal_progress.settle(connection, streamer.id)
        elif act in ("end", "start"):
            move = goals.end if act == "end" else goals.start
            with contextlib.suppress(NotAllowedError):
                async with connection.transaction():
                    await move(connection, streamer.id, planned[size % 3])
    await check_sums(connection, streamer)
    facts = await connection.fetch(
        "SELECT goals.id, status, reached_at, (SELECT count(*) FROM alerts WHERE goal_id = goals.id) AS celebrated,"
        " (SELECT coalesce(sum(amount_minor - refunded_minor - charged_back_minor), 0) FROM donations"
        "  WHERE goal_id = goals.id) AS donated FROM goals WHERE streamer_id = $1",
        streamer.id,
    )
    found = {goal.id: goal for goal in await goals.list_goals(connection, streamer.id)}
    for fact in facts:
        goal = found[fact["id"]]
        assert goal.raised_minor == fact["donated"] + goal.carried_minor + goal.manual_minor
        assert fact["celebrated"] == (fact["reached_at"] is not None)
    await trial.rollback()


async def charge_back_some(connection: Any, payment: Payment, size: int) -> None:
    before = await ledger.sum_refunds(connection, payment.id)
    gone = await connection.fetchval(
        "SELECT coalesce(max(reached_minor), 0) FROM ledger_transactions WHERE payment_id = $1 AND kind = 'chargeback'",
        payment.id,
    )
    most = payment.amount_minor - before
    wished = max(1, most * size // 10)
    if most > 0 and wished > gone:
        await charge_back(connection, payment, wished)


# While nobody looks.


async def test_a_missed_celebration_brings_no_money_and_follows_the_summary(
    connection: Any, streamer: BuiltStreamer
) -> None:
    await begin(connection, streamer, target_minor=30_000)
    await pay(connection, streamer)
    await connection.execute("INSERT INTO speakers (streamer_id, asking_since) VALUES ($1, now())", streamer.id)
    missed = await get_missed(connection, streamer.id)
    assert missed is not None
    assert (missed.alerts, missed.amount_minor) == (1, 30_000)
    assert await answer_missed(connection, streamer.id, Answer.SUMMARY)
    waiting = await connection.fetch(
        "SELECT kind FROM alerts WHERE streamer_id = $1 AND status = 'queued' AND summary_id IS NULL ORDER BY place",
        streamer.id,
    )
    assert [row["kind"] for row in waiting] == ["summary", "goal"]
