"""What news do to money: twice, late, reordered, contradictory; the payment ends where the bank says."""

import asyncpg
import pytest

from domain.donations import DonorState, read_donor_view, retry
from domain.errors import NotAllowedError
from domain.ledger import BookedAs
from domain.news import News, Outcome, Source, apply_news, next_status
from domain.payment_status import NewsStatus
from domain.payments import PaymentStatus, get_payment
from domain.totals import read_totals, recount
from tests.builders import (
    check_books,
    hear,
    latest_payment,
    make_donation,
    make_streamer,
    open_donation,
    open_payment,
)

P, N = PaymentStatus, NewsStatus


@pytest.mark.parametrize("before", [P.NEW, P.OPENING, P.PENDING, P.AUTHORIZED, P.FAILED, P.EXPIRED, P.CANCELLED])
def test_confirmed_is_paid_whatever_we_called_it(before: PaymentStatus) -> None:
    assert next_status(before, N.CONFIRMED, Source.NOTIFICATION) is P.CONFIRMED


@pytest.mark.parametrize("late", [N.PENDING, N.PROCESSING, N.AUTHORIZED, N.CONFIRMED, N.FAILED, N.CANCELLED, N.EXPIRED])
@pytest.mark.parametrize("taken", [P.CONFIRMED, P.PARTIALLY_REFUNDED, P.REFUNDED])
@pytest.mark.parametrize("source", [*Source])
def test_money_taken_is_undone_by_refunds_only(taken: PaymentStatus, late: NewsStatus, source: Source) -> None:
    assert next_status(taken, late, source) is taken


@pytest.mark.parametrize("status", [*P])
@pytest.mark.parametrize("news", [N.UNKNOWN, N.REFUNDING])
def test_words_that_say_nothing_change_nothing(status: PaymentStatus, news: NewsStatus) -> None:
    assert next_status(status, news, Source.NOTIFICATION) is status


def test_a_decline_is_soft() -> None:
    assert next_status(P.PENDING, N.FAILED, Source.NOTIFICATION) is P.FAILED
    assert next_status(P.FAILED, N.PENDING, Source.POLL) is P.PENDING
    assert next_status(P.FAILED, N.CONFIRMED, Source.NOTIFICATION) is P.CONFIRMED


def test_a_late_decline_does_not_undo_a_hold() -> None:
    assert next_status(P.AUTHORIZED, N.FAILED, Source.NOTIFICATION) is P.AUTHORIZED
    assert next_status(P.AUTHORIZED, N.FAILED, Source.POLL) is P.FAILED


async def test_a_confirmed_payment_pays_the_donation_once(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation, payment = await open_donation(connection, streamer, amount_minor=30_000)
    await connection.execute("DELETE FROM outbox")

    applied = await hear(connection, payment, N.CONFIRMED)
    assert applied.outcome is Outcome.APPLIED
    assert applied.wake is not None
    assert applied.wake.donation_id == donation.id

    for _ in range(4):
        again = await hear(connection, payment, N.CONFIRMED)
        assert again.outcome is Outcome.NOTHING_NEW

    totals = await read_totals(connection, streamer.id)
    assert (totals.today_minor, totals.month_minor, totals.all_minor, totals.donations) == (30_000, 30_000, 30_000, 1)
    assert await connection.fetchval("SELECT count(*) FROM alerts WHERE streamer_id = $1", streamer.id) == 1
    names = [row["name"] for row in await connection.fetch("SELECT name FROM outbox ORDER BY id")]
    assert names == ["payment.completed", "notification.send", "streamer.stats.update"]
    news = await connection.fetch("SELECT * FROM payment_news WHERE payment_id = $1 ORDER BY id", payment.id)
    assert [row["status_after"] for row in news] == ["pending"] + ["confirmed"] * 5
    await check_books(connection)


async def test_authorized_is_not_paid(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.AUTHORIZED)
    assert (await read_totals(connection, streamer.id)).all_minor == 0
    view = await read_donor_view(connection, donation.public_id)
    assert view is not None
    assert view.state is DonorState.CHECKING
    await check_books(connection)


async def test_confirmed_before_authorized(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.CONFIRMED)
    late = await hear(connection, payment, N.AUTHORIZED)
    assert late.outcome is Outcome.NOTHING_NEW
    after = await get_payment(connection, payment.id)
    assert after is not None
    assert after.status is P.CONFIRMED
    assert after.next_check_at is None
    await check_books(connection)


@pytest.mark.parametrize("ended", [N.FAILED, N.EXPIRED, N.CANCELLED])
async def test_paid_after_we_gave_it_up(connection: asyncpg.Connection, ended: NewsStatus) -> None:
    streamer = await make_streamer(connection)
    donation, payment = await open_donation(connection, streamer)
    await hear(connection, payment, ended, source=Source.POLL, error_code="1051")
    assert await connection.fetchval("SELECT status FROM donations WHERE id = $1", donation.id) == "failed"
    await hear(connection, payment, N.CONFIRMED)
    assert await connection.fetchval("SELECT status FROM donations WHERE id = $1", donation.id) == "paid"
    await check_books(connection)


async def test_both_attempts_confirmed_the_second_is_surplus(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation, first = await open_donation(connection, streamer, amount_minor=50_000)
    await hear(connection, first, N.FAILED)
    await retry(connection, donation.public_id, link_minutes=30)
    second = await open_payment(connection, await latest_payment(connection, donation))
    assert second.attempt == 2
    assert second.order_id != first.order_id

    await hear(connection, second, N.CONFIRMED)
    await hear(connection, first, N.CONFIRMED)

    booked = {payment.id: (await get_payment(connection, payment.id)) for payment in (first, second)}
    assert booked[second.id].booked_as is BookedAs.DONATION  # type: ignore[union-attr]
    assert booked[first.id].booked_as is BookedAs.SURPLUS  # type: ignore[union-attr]
    assert (await read_totals(connection, streamer.id)).all_minor == 50_000
    assert await connection.fetchval("SELECT count(*) FROM alerts WHERE streamer_id = $1", streamer.id) == 1
    view = await read_donor_view(connection, donation.public_id)
    assert view is not None
    assert view.surplus_minor == 50_000
    surplus = await connection.fetchval("SELECT -sum(amount_minor) FROM ledger_entries WHERE account = 'surplus'")
    assert surplus == 50_000
    assert await recount(connection, streamer.id) is False
    await check_books(connection)


async def test_another_amount_is_asked_about_then_put_to_review(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation, payment = await open_donation(connection, streamer, amount_minor=30_000)
    await connection.execute("DELETE FROM outbox")
    heard = await hear(connection, payment, N.CONFIRMED, amount_minor=100)
    assert heard.outcome is Outcome.ASKED
    assert [tuple(row) for row in await connection.fetch("SELECT kind, name FROM outbox")] == [
        ("task", "check_payment")
    ]
    assert (await read_totals(connection, streamer.id)).all_minor == 0

    await hear(connection, payment, N.CONFIRMED, source=Source.POLL, amount_minor=100)
    after = await get_payment(connection, payment.id)
    assert after is not None
    assert after.booked_as is BookedAs.REVIEW
    assert after.confirmed_minor == 100
    view = await read_donor_view(connection, donation.public_id)
    assert view is not None
    assert view.state is DonorState.REVIEW
    assert await connection.fetchval("SELECT count(*) FROM alerts") == 0
    assert (await read_totals(connection, streamer.id)).all_minor == 0
    await check_books(connection)


async def test_a_second_payment_of_one_order_without_money_changes_nothing(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    heard = await hear(connection, payment, N.FAILED, provider_payment_id="1")
    assert heard.outcome is Outcome.OTHER_PAYMENT
    assert await connection.fetchval("SELECT count(*) FROM payments") == 1
    after = await get_payment(connection, payment.id)
    assert after is not None
    assert after.status is P.PENDING


async def test_a_second_payment_of_one_order_that_brought_money_is_booked(connection: asyncpg.Connection) -> None:
    """The bank may make two payments of one order (a form opened twice); each that is paid is a payment of its own."""
    streamer = await make_streamer(connection)
    donation, payment = await open_donation(connection, streamer)
    for _ in range(2):
        heard = await hear(connection, payment, N.CONFIRMED, provider_payment_id="1")
    assert heard.payment.twin_of == payment.id
    twin = await get_payment(connection, heard.payment.id)
    assert twin is not None
    assert (twin.status, twin.booked_as, twin.provider_payment_id) == (P.CONFIRMED, BookedAs.DONATION, "1")

    await hear(connection, payment, N.CONFIRMED)
    first = await get_payment(connection, payment.id)
    assert first is not None
    assert first.booked_as is BookedAs.SURPLUS
    assert await connection.fetchval("SELECT count(*) FROM payments") == 2
    assert await connection.fetchval("SELECT count(*) FROM alerts") == 1
    # News of either find their own payment, whichever is asked.
    heard = await hear(
        connection, twin, N.REFUNDED, source=Source.POLL, provider_payment_id=payment.provider_payment_id
    )
    assert heard.payment.id == payment.id
    view = await read_donor_view(connection, donation.public_id)
    assert view is not None
    assert view.state is DonorState.QUEUED
    await check_books(connection)


async def test_news_before_our_own_payment_id_is_written_adopts_it(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation = await make_donation(connection, streamer)
    payment = await latest_payment(connection, donation)
    await connection.execute("UPDATE payments SET status = 'opening', opening_at = now() WHERE id = $1", payment.id)
    await hear(connection, payment, N.CONFIRMED, provider_payment_id="777")
    after = await get_payment(connection, payment.id)
    assert after is not None
    assert (after.status, after.provider_payment_id) == (P.CONFIRMED, "777")
    await check_books(connection)


async def test_a_stale_answer_is_not_applied(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.AUTHORIZED)
    stale = News(Source.POLL, N.FAILED, "REJECTED", payment.provider_payment_id, payment.amount_minor)
    applied = await apply_news(connection, payment.id, stale, expected_version=payment.version)
    assert applied.outcome is Outcome.STALE
    after = await get_payment(connection, payment.id)
    assert after is not None
    assert after.status is P.AUTHORIZED


async def test_refunds_are_settled_by_asking(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation, payment = await open_donation(connection, streamer, amount_minor=30_000)
    await hear(connection, payment, N.CONFIRMED)

    told = await hear(connection, payment, N.PARTIALLY_REFUNDED, amount_minor=1)
    assert told.outcome is Outcome.ASKED
    assert (await read_totals(connection, streamer.id)).all_minor == 30_000

    for remaining in (20_000, 20_000, 5_000):
        await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=remaining)
        assert (await read_totals(connection, streamer.id)).all_minor == remaining
        await check_books(connection)
    assert await connection.fetchval("SELECT status FROM alerts WHERE donation_id = $1", donation.id) == "queued"

    for _ in range(2):
        await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
    totals = await read_totals(connection, streamer.id)
    assert (totals.all_minor, totals.today_minor, totals.donations) == (0, 0, 0)
    row = await connection.fetchrow("SELECT status, refunded_minor FROM donations WHERE id = $1", donation.id)
    assert tuple(row) == ("refunded", 30_000)  # type: ignore[arg-type]
    assert await connection.fetchval("SELECT status FROM alerts WHERE donation_id = $1", donation.id) == "dropped"
    await check_books(connection)


async def test_refunded_before_we_ever_heard_it_was_paid(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
    assert await connection.fetchval("SELECT status FROM donations WHERE id = $1", donation.id) == "refunded"
    assert await connection.fetchval("SELECT status FROM alerts WHERE donation_id = $1", donation.id) == "dropped"
    assert (await read_totals(connection, streamer.id)).all_minor == 0
    await check_books(connection)


async def test_a_refund_the_bank_does_not_confirm_is_not_asked_about_for_ever(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.CONFIRMED)
    await hear(connection, payment, N.REFUNDED)
    asked = await get_payment(connection, payment.id)
    assert asked is not None
    assert asked.next_check_at is not None
    await hear(connection, payment, N.REFUNDING, source=Source.POLL)
    still = await get_payment(connection, payment.id)
    assert still is not None
    assert still.next_check_at is not None
    await hear(connection, payment, N.CONFIRMED, source=Source.POLL)
    settled = await get_payment(connection, payment.id)
    assert settled is not None
    assert (settled.status, settled.next_check_at) == (P.CONFIRMED, None)


async def test_a_paid_donation_is_not_tried_again(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.CONFIRMED)
    with pytest.raises(NotAllowedError, match="already_paid"):
        await retry(connection, donation.public_id, link_minutes=30)


async def test_totals_that_fell_behind_are_counted_anew(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection, time_zone="Asia/Kamchatka")
    for amount_minor in (10_000, 20_050):
        _, payment = await open_donation(connection, streamer, amount_minor=amount_minor)
        await hear(connection, payment, N.CONFIRMED)
    await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
    expected = await read_totals(connection, streamer.id)
    assert (expected.all_minor, expected.donations) == (10_000, 1)

    await connection.execute("UPDATE streamer_totals SET net_minor = 1, ledger_transaction_id = 0")
    await connection.execute("UPDATE streamer_days SET net_minor = 2, donations = 7")
    assert await recount(connection, streamer.id) is True
    assert await read_totals(connection, streamer.id) == expected
    await check_books(connection)


async def test_the_ledger_refuses_changes_and_imbalance(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.CONFIRMED)
    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for statement in (
        "UPDATE ledger_entries SET amount_minor = 1",
        "DELETE FROM ledger_entries",
        "TRUNCATE ledger_entries",
        "UPDATE ledger_transactions SET kind = 'fee'",
        "DELETE FROM payment_news",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            async with connection.transaction():
                await connection.execute(statement)
    with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
        async with connection.transaction():
            await connection.execute(
                "INSERT INTO ledger_transactions (kind, streamer_id, payment_id, reached_minor)"
                " VALUES ('fee', $1, $2, 5)",
                streamer.id,
                payment.id,
            )
