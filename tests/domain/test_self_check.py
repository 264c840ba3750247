"""Each rule of the self-check against the wrong state it is there for, really made; a busy healthy site is clean."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from cryptography.fernet import Fernet

from domain import alerts, goals, ledger, payments, refunds, returns, self_check
from domain.goals import GoalFields
from domain.ledger import BookedAs
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.payments import Payment, claim_opening, get_payment
from domain.review import accept
from domain.self_check import ALL_RULES, Change, Depth, Finding, Severity, State, look
from infra.crypto import SecretBox
from infra.database import connect_patiently, look_at_one_moment
from tests.builders import (
    BOX,
    BuiltStreamer,
    check_books,
    hear,
    latest_payment,
    make_donation,
    make_streamer,
    open_donation,
    open_payment,
)
from tests.domain.test_alerts import connect


async def read(connection: Any, payment: Payment) -> Payment:
    found = await get_payment(connection, payment.id)
    assert found is not None
    return found


async def pay(connection: Any, streamer: BuiltStreamer, **fields: Any) -> Payment:
    _, payment = await open_donation(connection, streamer, **fields)
    await hear(connection, payment, N.CONFIRMED)
    return await read(connection, payment)


async def give_back(connection: Any, payment: Payment, left_minor: int) -> None:
    """The bank, asked, says how much of a payment is left."""
    status = N.PARTIALLY_REFUNDED if left_minor else N.REFUNDED
    await hear(connection, payment, status, source=Source.POLL, amount_minor=left_minor)


async def pay_again(connection: Any, streamer: BuiltStreamer) -> tuple[Payment, Payment]:
    """A donation paid by two attempts: what pays it, and the surplus."""
    donation, first = await open_donation(connection, streamer)
    await payments.add_attempt(
        connection,
        donation_id=donation.id,
        streamer_id=streamer.id,
        terminal_id=streamer.terminal_id,
        amount_minor=first.amount_minor,
        link_minutes=30,
    )
    second = await open_payment(connection, await latest_payment(connection, donation))
    await hear(connection, first, N.CONFIRMED)
    await hear(connection, second, N.CONFIRMED)
    return await read(connection, first), await read(connection, second)


async def review(connection: Any, streamer: BuiltStreamer) -> Payment:
    """Another amount than asked for came."""
    _, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.CONFIRMED, source=Source.POLL, amount_minor=payment.amount_minor - 100)
    return await read(connection, payment)


async def charge_back(connection: Any, payment: Payment, minor: int, reversed_minor: int = 0) -> None:
    names: dict[str, Any] = {
        "streamer_id": payment.streamer_id,
        "payment_id": payment.id,
        "booked_as": BookedAs.DONATION,
    }
    transaction, delta = await ledger.book_chargeback(connection, charged_back_minor=minor, **names)
    assert transaction is not None
    await returns.settle_return(connection, payment, transaction, delta, BookedAs.DONATION)
    if reversed_minor:
        transaction, delta = await ledger.book_chargeback_reversal(connection, reversed_minor=reversed_minor, **names)
        assert transaction is not None
        await returns.settle_return(connection, payment, transaction, -delta, BookedAs.DONATION)


@dataclass(frozen=True)
class Town:
    """A busy site where all is well: two streamers, and payments of every fate."""

    streamer: BuiltStreamer
    other: BuiltStreamer
    paid: Payment
    waiting: Payment
    unopened: Payment
    opening: Payment
    partly_back: Payment
    charged_back: Payment
    surplus: Payment
    review: Payment


async def build_town(connection: Any) -> Town:
    streamer, other = await make_streamer(connection), await make_streamer(connection)
    _, waiting = await open_donation(connection, streamer)
    unopened = await latest_payment(connection, await make_donation(connection, streamer))
    opening = await latest_payment(connection, await make_donation(connection, streamer))
    await claim_opening(connection, opening.id, link_minutes=30)
    for status in (N.FAILED, N.CANCELLED, N.EXPIRED, N.AUTHORIZED):
        _, payment = await open_donation(connection, streamer)
        await hear(connection, payment, status, source=Source.POLL)
    _, told = await open_donation(connection, other)
    await hear(connection, told, N.PARTIALLY_REFUNDED)
    paid, partly_back = await pay(connection, streamer), await pay(connection, streamer)
    await give_back(connection, partly_back, 10_000)
    await give_back(connection, await pay(connection, other), 0)
    charged_back = await pay(connection, streamer)
    await charge_back(connection, charged_back, 30_000)
    await charge_back(connection, await pay(connection, streamer), 30_000, 30_000)
    await charge_back(connection, await pay(connection, other), 10_000, 5_000)
    _, surplus = await pay_again(connection, streamer)
    await give_back(connection, surplus, 0)
    await give_back(connection, await review(connection, streamer), 0)
    reviewed = await review(connection, streamer)
    await accept(
        connection,
        streamer_id=other.id,
        payment_id=(await review(connection, other)).id,
        user_id=other.owner_id,
    )
    wished = await refunds.request_refund(
        connection, streamer_id=streamer.id, payment_id=paid.id, amount_minor=100, reason="просьба",
        user_id=streamer.owner_id,
    )  # fmt: skip
    claimed = await refunds.claim_refund(connection, wished.id)
    assert claimed is not None
    await refunds.note_call(connection, claimed, 0)
    await give_back(connection, paid, 29_900)
    # Money that came under another of the bank's ids than the one we know for this order.
    await hear(connection, waiting, N.CONFIRMED, provider_payment_id="999000999")
    _, waiting = await open_donation(connection, streamer)
    await alerts.enqueue_test(connection, streamer.id, 10_000, "Аня", "Проверка")
    await connect(connection, streamer)
    await connection.execute("INSERT INTO relays (id, listening, dead_letters) VALUES (gen_random_uuid(), true, 0)")
    await check_books(connection)
    return Town(
        streamer=streamer,
        other=other,
        paid=await read(connection, paid),
        waiting=waiting,
        unopened=unopened,
        opening=opening,
        partly_back=await read(connection, partly_back),
        charged_back=charged_back,
        surplus=await read(connection, surplus),
        review=reviewed,
    )


async def found(connection: Any, depth: Depth = Depth.FULL, box: SecretBox = BOX) -> dict[str, tuple[int, ...]]:
    """The rules that find something, with their examples."""
    return {finding.rule: finding.examples for finding in await look(connection, box, depth) if finding.found}


@pytest.mark.parametrize("depth", Depth)
async def test_a_busy_healthy_site_is_clean(connection: asyncpg.Connection, depth: Depth) -> None:
    await build_town(connection)
    findings = await look(connection, BOX, depth)
    assert [finding.rule for finding in findings] == list(ALL_RULES)
    assert [finding for finding in findings if finding.found] == []


@pytest.mark.parametrize("depth", Depth)
async def test_an_empty_site_lacks_only_its_relay(connection: asyncpg.Connection, depth: Depth) -> None:
    assert await found(connection, depth) == {"relay_missing": ()}


# Each rule, and the wrong state it is there for.

Break = Callable[[Any, Town], Awaitable[Any]]
BREAKS: list[tuple[str, Break, set[str]]] = []
"""What is broken, how, and which rules say so: the one it is there for, and those that cannot but see it too."""


def breaks(*rules: str) -> Callable[[Break], Break]:
    def remember(how: Break) -> Break:
        BREAKS.append((how.__name__, how, set(rules)))
        return how

    return remember


async def freely(connection: Any, sql: str, *values: Any) -> None:
    """As somebody with a psql prompt could: no triggers, no foreign keys."""
    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    await connection.execute("SET LOCAL session_replication_role = replica")
    await connection.execute(sql, *values)
    await connection.execute("SET LOCAL session_replication_role = origin")


async def without_constraints(connection: Any, *names: str) -> None:
    """Each is `table.constraint`."""
    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for name in names:
        table, constraint = name.split(".")
        await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")


async def without_checks(connection: Any, table: str) -> None:
    rows = await connection.fetch(
        "SELECT conname FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype = 'c'", table
    )
    await without_constraints(connection, *(f'{table}."{row["conname"]}"' for row in rows))


@breaks("transaction_unbalanced", "ledger_unbalanced", "wrong_amount")
async def an_entry_was_changed(connection: Any, town: Town) -> None:
    await freely(
        connection,
        "UPDATE ledger_entries SET amount_minor = amount_minor + 1 WHERE account = 'provider_clearing'"
        " AND transaction_id = (SELECT id FROM ledger_transactions WHERE payment_id = $1 AND kind = 'payment')",
        town.paid.id,
    )


@breaks("transaction_unbalanced")
async def a_transaction_has_no_entries(connection: Any, town: Town) -> None:
    await freely(
        connection,
        "INSERT INTO ledger_transactions (kind, streamer_id, payment_id, reached_minor) VALUES ('fee', $1, $2, 5)",
        town.streamer.id,
        town.paid.id,
    )


@breaks("taken_unbooked", "unexplained_state")
async def a_payment_was_made_taken_by_hand(connection: Any, town: Town) -> None:
    await without_checks(connection, "payments")
    await connection.execute("UPDATE payments SET status = 'confirmed' WHERE id = $1", town.waiting.id)


@breaks("booked_untaken", "unexplained_state")
async def a_booked_payment_was_made_expired_by_hand(connection: Any, town: Town) -> None:
    await connection.execute("UPDATE payments SET status = 'expired' WHERE id = $1", town.paid.id)


@breaks("wrong_account")
async def a_surplus_was_called_a_review(connection: Any, town: Town) -> None:
    _, surplus = await pay_again(connection, town.streamer)
    await give_back(connection, surplus, 100)
    await refunds.request_refund(
        connection, streamer_id=town.streamer.id, payment_id=surplus.id, amount_minor=100, reason="дважды",
        user_id=town.streamer.owner_id,
    )  # fmt: skip
    assert await found(connection) == {}
    await connection.execute("UPDATE payments SET booked_as = 'review' WHERE id = $1", surplus.id)


@breaks("wrong_amount")
async def the_taken_amount_was_changed(connection: Any, town: Town) -> None:
    await without_constraints(connection, "payments.payments_right_amount")
    await connection.execute("UPDATE payments SET confirmed_minor = 31_000 WHERE id = $1", town.partly_back.id)


@breaks("wrong_refund_state", "unexplained_state")
async def a_refunded_payment_was_called_confirmed(connection: Any, town: Town) -> None:
    await connection.execute("UPDATE payments SET status = 'confirmed' WHERE id = $1", town.partly_back.id)


@breaks("reversal_without_chargeback", "wrong_totals")
async def more_came_again_than_was_charged_back(connection: Any, town: Town) -> None:
    await ledger.book_chargeback_reversal(
        connection,
        streamer_id=town.streamer.id,
        payment_id=town.paid.id,
        reversed_minor=100,
        booked_as=BookedAs.DONATION,
    )


@breaks("paid_without_payment", "wrong_account")
async def a_donations_payment_was_called_surplus(connection: Any, town: Town) -> None:
    await connection.execute("UPDATE payments SET booked_as = 'surplus' WHERE id = $1", town.charged_back.id)


@breaks("paid_twice", "wrong_account", "wrong_donation_state")
async def two_payments_pay(connection: Any, town: Town) -> None:
    await connection.execute("DROP INDEX payments_paying")
    await connection.execute("UPDATE payments SET booked_as = 'donation' WHERE id = $1", town.surplus.id)


@breaks("money_unnoticed", "wrong_count")
async def a_paid_donation_was_called_failed(connection: Any, town: Town) -> None:
    await connection.execute("DELETE FROM alerts WHERE donation_id = $1", town.paid.donation_id)
    await connection.execute(
        "UPDATE donations SET status = 'failed', paid_at = NULL WHERE id = $1", town.paid.donation_id
    )


@breaks("money_unnoticed")
async def a_donation_under_review_was_called_failed(connection: Any, town: Town) -> None:
    await connection.execute("UPDATE donations SET status = 'failed' WHERE id = $1", town.review.donation_id)


@breaks("wrong_donation_state")
async def a_refund_does_not_stand_at_its_donation(connection: Any, town: Town) -> None:
    await connection.execute("UPDATE donations SET refunded_minor = 0 WHERE id = $1", town.partly_back.donation_id)


@breaks("wrong_donation_state", "wrong_count")
async def a_charged_back_donation_was_called_paid(connection: Any, town: Town) -> None:
    await connection.execute("UPDATE donations SET status = 'paid' WHERE id = $1", town.charged_back.donation_id)


@breaks("paid_without_alert")
async def an_alert_is_gone(connection: Any, town: Town) -> None:
    await connection.execute("DELETE FROM alerts WHERE donation_id = $1", town.paid.donation_id)


@breaks("unpaid_alert")
async def an_alert_of_a_refunded_donation_waits(connection: Any, town: Town) -> None:
    await connection.execute(
        "UPDATE alerts SET status = 'queued', finished_at = NULL WHERE donation_id = $1", town.charged_back.donation_id
    )


@breaks("unpaid_alert")
async def an_alert_of_an_unpaid_donation_waits(connection: Any, town: Town) -> None:
    await alerts.enqueue_donation(
        connection, streamer_id=town.streamer.id, donation_id=town.waiting.donation_id, donor_name=None, message="",
        amount_minor=1,
    )  # fmt: skip


@breaks("hold_missing")
async def an_alert_is_held_without_a_hold(connection: Any, town: Town) -> None:
    await _let_an_alert_be_held(connection, town)


@breaks("hold_missing")
async def an_alert_is_held_after_its_hold_was_settled(connection: Any, town: Town) -> None:
    await connection.execute(
        "INSERT INTO holds (alert_id, streamer_id, donation_id, reason, decide_by, outcome, settled_at)"
        " SELECT id, streamer_id, donation_id, 'rules', now(), 'skip', now() FROM alerts"
        " WHERE donation_id = $1 AND kind = 'donation'",
        town.paid.donation_id,
    )
    await _let_an_alert_be_held(connection, town)


async def _let_an_alert_be_held(connection: Any, town: Town) -> None:
    await connection.execute(
        "UPDATE alerts SET status = 'held', created_at = now() - interval '6 minutes' WHERE donation_id = $1",
        town.paid.donation_id,
    )


@breaks("goal_behind")
async def a_goal_is_owed_a_donation(connection: Any, town: Town) -> None:
    await connection.execute(
        "INSERT INTO goal_arrears (donation_id, streamer_id, created_at)"
        " SELECT id, streamer_id, now() - interval '6 minutes' FROM donations WHERE id = $1",
        town.paid.donation_id,
    )


@breaks("wrong_goal_sums")
async def _a_goal_forgot_a_donation(connection: Any, town: Town) -> None:
    goal_id = await goals.create_goal(
        connection, town.streamer.id, GoalFields("Микрофон", "", 100_000, 0, starts_at=None, ends_at=None)
    )
    await goals.start(connection, town.streamer.id, goal_id)
    await pay(connection, town.streamer)
    await connection.execute("UPDATE goals SET given_minor = 0")


@breaks("wrong_totals", "wrong_days")
async def a_total_was_changed(connection: Any, town: Town) -> None:
    await connection.execute(
        "UPDATE streamer_totals SET net_minor = net_minor + 1 WHERE streamer_id = $1", town.streamer.id
    )


@breaks("wrong_totals", "wrong_days", "wrong_count")
async def the_totals_are_gone(connection: Any, town: Town) -> None:
    await connection.execute("DELETE FROM streamer_totals WHERE streamer_id = $1", town.streamer.id)


@breaks("wrong_days")
async def a_day_is_gone(connection: Any, town: Town) -> None:
    await connection.execute("DELETE FROM streamer_days WHERE streamer_id = $1", town.streamer.id)


@breaks("wrong_count")
async def a_donation_is_counted_twice(connection: Any, town: Town) -> None:
    for table in ("streamer_totals", "streamer_days"):
        await connection.execute(f"UPDATE {table} SET donations = donations + 1 WHERE streamer_id = $1", town.other.id)


@breaks("wrong_moved_days")
async def a_day_of_the_money_page_is_wrong(connection: Any, town: Town) -> None:
    await connection.execute(
        "INSERT INTO ledger_folds (streamer_id, time_zone, ledger_transaction_id)"
        " SELECT streamer_id, 'UTC', max(id) FROM ledger_transactions GROUP BY streamer_id"
    )
    await connection.execute(
        """
        INSERT INTO ledger_days (streamer_id, day, came_minor, refunded_minor, charged_back_minor, fees_minor,
                                 donations)
        SELECT streamer_id, '2026-11-24', net_minor, 0, 0, 0, donations FROM streamer_totals
        """
    )
    assert await found(connection) == {}
    await connection.execute("UPDATE ledger_days SET fees_minor = 1 WHERE streamer_id = $1", town.other.id)


async def bring_registry(connection: Any, town: Town, payment: Payment) -> None:
    """A file, an hour old, in which the donor's bank takes 100 kopecks of a payment back."""
    file_id = await connection.fetchval(
        """
        INSERT INTO registry_files (streamer_id, terminal_id, provider, name, sha256, first_day, last_day, rows,
                                    created_at, next_read_at)
        VALUES ($1, $2, 'tbank', 'november.csv', sha256(''), '2026-11-01', '2026-11-02', 1,
                now() - interval '1 hour', NULL)
        RETURNING id
        """,
        town.streamer.id,
        town.streamer.terminal_id,
    )
    await connection.execute(
        """
        INSERT INTO registry_rows (file_id, streamer_id, terminal_id, number, kind, provider_kind, provider_payment_id,
            order_id, operated_at, amount_minor, fee_minor, net_minor, reference, occurrence, raw, payment_id)
        VALUES ($1, $2, $3, 1, 'chargeback', 'Chargeback', '1', '1', now(), 100, 0, 100, '', 1, '', $4)
        """,
        file_id,
        town.streamer.id,
        town.streamer.terminal_id,
        payment.id,
    )


@breaks("dispute_unbooked")
async def a_chargeback_was_told_and_not_booked(connection: Any, town: Town) -> None:
    await bring_registry(connection, town, town.paid)
    assert await found(connection) == {}
    await connection.execute(
        "UPDATE payments SET confirmed_at = confirmed_at - interval '1 hour' WHERE id = $1", town.paid.id
    )


@breaks("registry_late")
async def nobody_reads_a_registry(connection: Any, town: Town) -> None:
    await bring_registry(connection, town, town.charged_back)
    assert await found(connection) == {}
    await connection.execute("UPDATE registry_files SET next_read_at = now() - interval '21 minutes'")


@breaks("unexplained_state")
async def a_payments_news_are_gone(connection: Any, town: Town) -> None:
    await freely(connection, "DELETE FROM payment_news WHERE payment_id = $1", town.paid.id)


@breaks("uncovered_refund")
async def a_refund_is_called_done_that_never_was(connection: Any, town: Town) -> None:
    await connection.execute("UPDATE refunds SET amount_minor = 200 WHERE payment_id = $1", town.paid.id)


@breaks("payment_forgotten")
async def nobody_will_look_at_a_payment(connection: Any, town: Town) -> None:
    await connection.execute("UPDATE payments SET next_check_at = NULL WHERE id = $1", town.waiting.id)


@breaks("check_late")
async def nobody_looked_at_a_payment(connection: Any, town: Town) -> None:
    await connection.execute(
        "UPDATE payments SET next_check_at = now() - interval '16 minutes' WHERE id = $1", town.waiting.id
    )


@breaks("question_stuck")
async def a_question_ends_in_a_year(connection: Any, town: Town) -> None:
    await connection.execute(
        "UPDATE payments SET asked_until = now() + interval '1 year' WHERE id = $1", town.waiting.id
    )


@breaks("question_stuck")
async def a_question_was_never_ended(connection: Any, town: Town) -> None:
    await connection.execute(
        "UPDATE payments SET asked_until = now() - interval '2 hours' WHERE id = $1", town.waiting.id
    )


@breaks("opening_old")
async def a_payment_is_opened_without_end(connection: Any, town: Town) -> None:
    await connection.execute(
        "UPDATE payments SET created_at = now() - interval '31 minutes' WHERE id = $1", town.opening.id
    )


@breaks("opening_old")
async def a_payment_is_never_opened(connection: Any, town: Town) -> None:
    await connection.execute(
        "UPDATE payments SET created_at = now() - interval '31 minutes' WHERE id = $1", town.unopened.id
    )


async def store(connection: Any, town: Town, **columns: Any) -> None:
    given = {"terminal_id": town.streamer.terminal_id, "dedup_key": "key", "body": b"{}", **columns}
    numbers = ", ".join(f"${number}" for number in range(1, len(given) + 1))
    await connection.execute(f"INSERT INTO inbox ({', '.join(given)}) VALUES ({numbers})", *given.values())


@breaks("notification_unprocessed")
async def a_notification_waits(connection: Any, town: Town) -> None:
    await store(connection, town)
    assert await found(connection) == {}
    await connection.execute("UPDATE inbox SET last_received_at = now() - interval '6 minutes'")


@breaks("notification_unknown")
async def a_notification_of_nobodys_order(connection: Any, town: Town) -> None:
    await store(connection, town, outcome="unknown_order")
    await store(connection, town, outcome="malformed", dedup_key="settled")
    await connection.execute("UPDATE inbox SET processed_at = now()")
    await connection.execute("UPDATE inbox SET settled_at = now() WHERE dedup_key = 'settled'")


async def wish(connection: Any, town: Town) -> refunds.Refund:
    return await refunds.request_refund(
        connection, streamer_id=town.streamer.id, payment_id=town.partly_back.id, amount_minor=100, reason="просьба",
        user_id=town.streamer.owner_id,
    )  # fmt: skip


@breaks("refund_late")
async def nobody_looks_at_a_refund(connection: Any, town: Town) -> None:
    wished = await wish(connection, town)
    assert await found(connection) == {}
    await connection.execute("UPDATE refunds SET next_try_at = now() - interval '16 minutes' WHERE id = $1", wished.id)


@breaks("refund_long")
async def a_refund_takes_hours(connection: Any, town: Town) -> None:
    wished = await wish(connection, town)
    await connection.execute("UPDATE refunds SET created_at = now() - interval '3 hours' WHERE id = $1", wished.id)


@breaks("refund_refused")
async def a_refund_was_refused(connection: Any, town: Town) -> None:
    wished = await wish(connection, town)
    claimed = await refunds.claim_refund(connection, wished.id)
    assert claimed is not None
    assert await refunds.refuse(connection, claimed, error_code="1", error_message="нет")


@breaks("surplus_waiting")
async def a_donation_was_paid_twice(connection: Any, town: Town) -> None:
    await pay_again(connection, town.streamer)


@breaks("review_waiting")
async def a_review_is_forgotten(connection: Any, town: Town) -> None:
    await connection.execute(
        "UPDATE payments SET confirmed_at = confirmed_at - interval '25 hours' WHERE id = $1", town.review.id
    )


@breaks("outbox_late")
async def nobody_publishes(connection: Any, _: Town) -> None:
    await connection.execute("UPDATE outbox SET available_at = now() - interval '61 seconds'")


@breaks("outbox_failing")
async def a_row_cannot_be_published(connection: Any, _: Town) -> None:
    await connection.execute("UPDATE outbox SET tries = 5 WHERE id = (SELECT max(id) FROM outbox)")


@breaks("relay_missing")
async def the_relay_fell_silent(connection: Any, _: Town) -> None:
    await connection.execute("UPDATE relays SET renewed_at = now() - interval '61 seconds', dead_letters = 7")


@breaks("relay_deaf")
async def the_relay_does_not_listen(connection: Any, _: Town) -> None:
    await connection.execute("UPDATE relays SET listening = false")
    assert await found(connection) == {}
    await connection.execute("UPDATE relays SET started_at = now() - interval '3 minutes'")


@breaks("dead_letters")
async def messages_died(connection: Any, _: Town) -> None:
    await connection.execute("UPDATE relays SET dead_letters = 7")


@breaks("provider_failing")
async def a_bank_does_not_answer(connection: Any, _: Town) -> None:
    await connection.execute("INSERT INTO provider_health (provider, failures) VALUES ('tbank', 3)")
    # Left alone on purpose meanwhile: nothing stands still by our fault.
    await connection.execute(
        "UPDATE payments SET next_check_at = now() - interval '1 hour' WHERE next_check_at IS NOT NULL"
    )


@breaks("vain_check")
async def a_bank_settles_nothing(connection: Any, town: Town) -> None:
    await connection.execute("UPDATE payments SET checks = 50 WHERE id = $1", town.waiting.id)


async def let_wait(connection: Any) -> None:
    """Alerts have waited for a quarter of an hour, with an overlay there all the time."""
    await connection.execute("UPDATE alerts SET playable_at = playable_at - interval '15 minutes'")
    await connection.execute("UPDATE overlays SET connected_at = connected_at - interval '15 minutes'")
    await connection.execute("UPDATE speakers SET resume_at = NULL")


@breaks("alert_waiting")
async def a_queue_stands_still(connection: Any, _: Town) -> None:
    await let_wait(connection)


@breaks("lease_dead")
async def an_alert_plays_without_end(connection: Any, town: Town) -> None:
    await let_wait(connection)
    await connection.execute(
        "UPDATE alerts SET status = 'playing', lease_id = gen_random_uuid(),"
        " leased_until = now() - interval '3 minutes'"
        " WHERE id = (SELECT min(id) FROM alerts WHERE status = 'queued' AND streamer_id = $1)",
        town.streamer.id,
    )


@breaks("secret_unreadable")
async def a_secret_has_no_key(connection: Any, town: Town) -> None:
    lost = SecretBox(Fernet.generate_key().decode())
    await connection.execute(
        "UPDATE terminals SET secret_encrypted = $1 WHERE id = $2", lost.encrypt("x"), town.other.terminal_id
    )


@pytest.mark.parametrize("depth", Depth)
@pytest.mark.parametrize(
    ("how", "rules"), [(how, rules) for _, how, rules in BREAKS], ids=[name for name, _, _ in BREAKS]
)
async def test_what_is_wrong_is_found_and_nothing_else(
    connection: asyncpg.Connection, how: Break, rules: set[str], depth: Depth
) -> None:
    town = await build_town(connection)
    await how(connection, town)
    assert set(await found(connection, depth)) == rules


def test_every_rule_has_its_wrong_state() -> None:
    assert {rule for _, _, rules in BREAKS for rule in rules} == set(ALL_RULES)
    assert all(rule.sentence.endswith(".") for rule in ALL_RULES.values())


# What is in flight, or held back on purpose, is not wrong.


async def hide(connection: Any) -> None:
    await connection.execute("UPDATE overlays SET visible = false")


async def connect_just_now(connection: Any) -> None:
    await connection.execute("UPDATE overlays SET connected_at = now()")


async def pause(connection: Any) -> None:
    await connection.execute("UPDATE speakers SET paused_at = now()")


async def ask_what_to_do(connection: Any) -> None:
    await connection.execute("UPDATE speakers SET asking_since = now()")


async def leave(connection: Any) -> None:
    await connection.execute("DELETE FROM realtime_processes")


async def offer(connection: Any) -> None:
    await connection.execute(
        "INSERT INTO alert_leases (lease_id, alert_id, overlay_id)"
        " SELECT gen_random_uuid(), alert_id, gen_random_uuid() FROM alerts ORDER BY id LIMIT 1"
    )


@pytest.mark.parametrize("hold", [hide, connect_just_now, pause, ask_what_to_do, leave, offer])
async def test_a_queue_that_waits_for_a_reason_does_not_stand_still(
    connection: asyncpg.Connection, hold: Callable[[Any], Awaitable[None]]
) -> None:
    await build_town(connection)
    await let_wait(connection)
    await hold(connection)
    assert await found(connection) == {}


async def test_a_tab_beside_a_hidden_obs_speaks_to_nobody(connection: asyncpg.Connection) -> None:
    town = await build_town(connection)
    await hide(connection)
    await connect(connection, town.streamer, in_obs=False)
    await let_wait(connection)
    assert await found(connection) == {}
    await connection.execute("DELETE FROM overlays WHERE in_obs")
    assert await found(connection) == {"alert_waiting": await found_alert(connection, town)}


async def found_alert(connection: Any, town: Town) -> tuple[int, ...]:
    first = await connection.fetchval(
        "SELECT min(alerts.id) FROM alerts JOIN donations ON donations.id = alerts.donation_id"
        " WHERE alerts.status = 'queued' AND alerts.streamer_id = $1",
        town.streamer.id,
    )
    return (first,)


async def test_a_refund_while_the_alert_plays_is_no_fault(connection: asyncpg.Connection) -> None:
    town = await build_town(connection)
    await connection.execute(
        "UPDATE alerts SET status = 'playing', lease_id = gen_random_uuid(), leased_until = now() + interval '1 minute'"
        " WHERE donation_id = $1",
        town.paid.donation_id,
    )
    await give_back(connection, town.paid, 0)
    assert await found(connection) == {}


async def test_a_note_written_beside_news_explains_nothing(connection: asyncpg.Connection) -> None:
    """An act of our own is noted with the state its writer last saw: it may be an older one by then."""
    town = await build_town(connection)
    await connection.execute(
        "INSERT INTO payment_news (payment_id, source, status_before, status_after, note)"
        " VALUES ($1, 'own', 'confirmed', 'confirmed', 'refund refused')",
        town.partly_back.id,
    )
    assert await found(connection) == {}


async def test_a_look_sees_one_moment(pool: asyncpg.Pool, fresh_database_url: str) -> None:
    """Money that comes between two rules is seen by both or by none."""
    async with pool.acquire() as connection:
        streamer = await make_streamer(connection)
        _, payment = await open_donation(connection, streamer)
    looking = await connect_patiently(fresh_database_url, program="tests")
    async with look_at_one_moment(looking):
        assert await found(looking) == {"relay_missing": ()}
        async with pool.acquire() as connection, connection.transaction():
            await hear(connection, payment, N.CONFIRMED)
        assert await found(looking) == {"relay_missing": ()}
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await looking.execute("DELETE FROM alerts")
    await looking.close()


async def test_a_recent_look_leaves_old_payments_to_the_full_one(connection: asyncpg.Connection) -> None:
    town = await build_town(connection)
    await freely(connection, "UPDATE payment_news SET created_at = created_at - interval '1 day'")
    await freely(connection, "UPDATE ledger_transactions SET created_at = created_at - interval '1 day'")
    await connection.execute(
        "UPDATE payments SET created_at = created_at - interval '1 day' WHERE confirmed_at IS NOT NULL"
    )
    await connection.execute("DELETE FROM alerts WHERE donation_id = $1", town.paid.donation_id)
    await the_totals_are_gone(connection, town)
    assert await found(connection, Depth.RECENT) == {}
    assert set(await found(connection)) == {"paid_without_alert", "wrong_totals", "wrong_days", "wrong_count"}


# Runs, and what is known after them.


async def run(connection: Any, depth: Depth, *findings: Finding) -> list[Change]:
    run_id = await self_check.begin_run(connection, depth)
    return await self_check.finish_run(connection, run_id, findings)


async def known(connection: Any) -> dict[str, int]:
    state = await self_check.read_state(connection)
    assert state is not None
    return {finding.rule: finding.found for finding in state.findings}


async def test_what_a_full_look_found_stays_known_until_another_finds_it_gone(connection: asyncpg.Connection) -> None:
    assert await self_check.read_state(connection) is None
    changes = await run(connection, Depth.FULL, Finding("wrong_totals", 2, (7, 5)), Finding("outbox_late", 9))
    assert [(change.rule.name, change.before, change.finding.found) for change in changes] == [
        ("wrong_totals", 0, 2),
        ("outbox_late", 0, 9),
    ]
    # A recent look sees few streamers, and the whole outbox.
    changes = await run(connection, Depth.RECENT, Finding("wrong_totals", 0), Finding("outbox_late", 0))
    assert [(change.rule.name, change.finding.found) for change in changes] == [("outbox_late", 0)]
    assert await known(connection) == {"wrong_totals": 2, "outbox_late": 0}
    assert [change.finding.found for change in await run(connection, Depth.RECENT, Finding("wrong_totals", 3))] == [3]
    assert await run(connection, Depth.RECENT, Finding("wrong_totals", 0)) == []
    state = await self_check.read_state(connection)
    assert isinstance(state, State)
    assert [finding.rule for finding in state.alarms] == ["wrong_totals"]
    assert state.last_full is not None
    assert state.last.id == state.last_full.id + 3
    await run(connection, Depth.FULL, Finding("wrong_totals", 0))
    assert await known(connection) == {"wrong_totals": 0}


async def test_a_rule_of_another_version_is_passed_over(connection: asyncpg.Connection) -> None:
    await run(connection, Depth.FULL, Finding("wrong_totals", 1))
    await connection.execute(
        'UPDATE self_checks SET results = results || \'[{"rule": "of_tomorrow", "found": 1, "examples": []}]\''
    )
    assert await known(connection) == {"wrong_totals": 1}


async def test_what_only_needs_a_person_is_no_alarm(connection: asyncpg.Connection) -> None:
    await run(connection, Depth.FULL, Finding("surplus_waiting", 1, (3,)))
    state = await self_check.read_state(connection)
    assert state is not None
    assert state.alarms == ()
    assert ALL_RULES["surplus_waiting"].severity is Severity.ATTENTION


async def tasks(connection: Any) -> list[int]:
    rows = await connection.fetch("DELETE FROM outbox WHERE name = 'self_check' RETURNING data")
    return sorted(row["data"]["argument"] for row in rows)


async def test_the_schedule_asks_once(connection: asyncpg.Connection) -> None:
    assert await self_check.ask_due_runs(connection) == 2
    first, second = await tasks(connection)
    depths = {await self_check.claim_run(connection, run_id) for run_id in (first, second)}
    assert depths == {Depth.RECENT, Depth.FULL}
    # Done by somebody, or lost: not asked for anew at once.
    assert await self_check.ask_due_runs(connection) == 0
    assert await self_check.claim_run(connection, first) is None

    await connection.execute("UPDATE self_checks SET asked_at = asked_at - interval '6 minutes'")
    assert await self_check.ask_due_runs(connection) == 1


async def test_a_full_run_that_was_lost_is_asked_for_again(connection: asyncpg.Connection) -> None:
    await self_check.ask_due_runs(connection)
    await connection.execute("UPDATE self_checks SET asked_at = asked_at - interval '31 minutes'")
    assert await self_check.ask_due_runs(connection) == 2
    await connection.execute(
        "UPDATE self_checks SET asked_at = asked_at - interval '2 days', started_at = now(), finished_at = now(),"
        " results = '[]'"
    )
    assert await self_check.ask_due_runs(connection) == 2


async def test_a_run_whose_worker_died_may_be_done_by_another(connection: asyncpg.Connection) -> None:
    run_id = await self_check.begin_run(connection, Depth.FULL)
    assert await self_check.claim_run(connection, run_id) is None
    await connection.execute("UPDATE self_checks SET started_at = now() - interval '16 minutes'")
    assert await self_check.claim_run(connection, run_id) is Depth.FULL
    await self_check.finish_run(connection, run_id, [])
    assert await self_check.claim_run(connection, run_id) is None


async def test_who_presses_twice_gets_one_run(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    run_id = await self_check.ask_for_run(connection, Depth.FULL, streamer.owner_id)
    assert await self_check.ask_for_run(connection, Depth.FULL, streamer.owner_id) == run_id
    assert await tasks(connection) == [run_id]
    progress = await self_check.get_progress(connection, run_id)
    assert progress is not None
    assert (progress.is_finished, progress.waited_seconds) == (False, 0.0)
    await self_check.claim_run(connection, run_id)
    assert await self_check.ask_for_run(connection, Depth.FULL, streamer.owner_id) != run_id


async def test_old_runs_are_forgotten_but_not_the_last_full_one(connection: asyncpg.Connection) -> None:
    await run(connection, Depth.FULL, Finding("wrong_totals", 1))
    await run(connection, Depth.FULL, Finding("wrong_totals", 1))
    full_id = await connection.fetchval("SELECT max(id) FROM self_checks")
    await connection.execute(
        "INSERT INTO self_checks (depth, started_at, finished_at, results)"
        " SELECT 'recent', now(), now(), '[]' FROM generate_series(1, 250)"
    )
    await run(connection, Depth.RECENT)
    assert await connection.fetchval("SELECT count(*) FROM self_checks") == 201
    assert await connection.fetchval("SELECT min(id) FROM self_checks") == full_id
    assert await known(connection) == {"wrong_totals": 1}
