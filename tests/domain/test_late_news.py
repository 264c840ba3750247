"""News that come late, again, in part, or after the ground has moved under them; none is lost, none stops the next."""

import asyncpg
import pytest

from domain import inbox
from domain.donations import DonorState, list_feed, read_donor_view, retry
from domain.ledger import BookedAs
from domain.news import News, Outcome, Source, apply_news
from domain.payment_status import NewsStatus as N
from domain.payments import Payment, PaymentStatus, claim_opening, close_unopened, get_payment, record_opened
from domain.totals import read_totals, recount
from infra import queries
from tests.builders import (
    BuiltStreamer,
    check_books,
    hear,
    latest_payment,
    make_donation,
    make_streamer,
    open_donation,
    open_payment,
)


async def read(connection: asyncpg.Connection, payment: Payment) -> Payment:
    found = await get_payment(connection, payment.id)
    assert found is not None
    return found


async def store(connection: asyncpg.Connection, streamer: BuiltStreamer) -> int:
    await inbox.store_notification(
        connection,
        terminal_id=streamer.terminal_id,
        dedup_key="token",
        body=b"{}",
        order_id=None,
        provider_payment_id=None,
    )
    return int(await connection.fetchval("SELECT id FROM inbox"))


async def test_a_second_refund_told_in_the_words_of_the_first_is_asked_about(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    inbox_id = await store(connection, streamer)
    assert await inbox.lock_unprocessed(connection, inbox_id) is not None
    await inbox.finish(connection, inbox_id, Outcome.ASKED)
    assert await inbox.lock_unprocessed(connection, inbox_id) is None

    await store(connection, streamer)
    assert await inbox.lock_unprocessed(connection, inbox_id) is not None
    # The message to the actor may be lost: the sweeper finds it too.
    await connection.execute("UPDATE inbox SET next_ask_at = now()")
    assert await inbox.ask_unprocessed(connection) == 1


async def test_a_repeat_of_what_was_applied_stays_processed(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    inbox_id = await store(connection, streamer)
    await inbox.finish(connection, inbox_id, Outcome.APPLIED)
    await store(connection, streamer)
    assert await inbox.lock_unprocessed(connection, inbox_id) is None
    assert await connection.fetchval("SELECT repeats FROM inbox") == 1


async def test_a_refund_after_the_streamer_moved_to_another_zone(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection, time_zone="Pacific/Kiritimati")
    _, first = await open_donation(connection, streamer, amount_minor=30_000)
    _, second = await open_donation(connection, streamer, amount_minor=20_000)
    for payment in (first, second):
        await hear(connection, payment, N.CONFIRMED)
    await connection.execute("UPDATE streamers SET time_zone = 'Pacific/Pago_Pago'")

    for payment in (first, second):
        await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
    after = await read_totals(connection, streamer.id)
    assert (after.all_minor, after.donations) == (0, 0)
    await check_books(connection)

    await connection.execute("UPDATE streamer_totals SET ledger_transaction_id = 0")
    assert await recount(connection, streamer.id)
    assert [tuple(row) for row in await connection.fetch("SELECT net_minor, donations FROM streamer_days")] == [(0, 0)]


async def test_a_zone_the_database_does_not_know_is_refused(connection: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.PostgresError, match="Mars/Olympus"):
        await make_streamer(connection, time_zone="Mars/Olympus")


async def test_the_banks_answer_lags_behind_its_word_of_a_refund(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer, amount_minor=30_000)
    await hear(connection, payment, N.CONFIRMED)
    assert (await hear(connection, payment, N.REFUNDED)).outcome is Outcome.ASKED

    await hear(connection, payment, N.CONFIRMED, source=Source.POLL)
    assert (await read(connection, payment)).next_check_at is not None
    await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
    after = await read(connection, payment)
    assert (after.status, after.next_check_at) == (PaymentStatus.REFUNDED, None)
    await check_books(connection)


async def test_a_refund_that_never_was_is_not_asked_about_for_ever(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.CONFIRMED)
    await hear(connection, payment, N.REFUNDED)
    await connection.execute("UPDATE payments SET checks = 3")
    await hear(connection, payment, N.CONFIRMED, source=Source.POLL)
    assert (await read(connection, payment)).next_check_at is None


async def test_a_payment_opened_at_the_bank_before_we_know_still_gets_its_url(connection: asyncpg.Connection) -> None:
    """The terminal tells of NEW; the worker between Init and our write lives, or died."""
    streamer = await make_streamer(connection)
    donation = await make_donation(connection, streamer)
    claimed = await claim_opening(connection, (await latest_payment(connection, donation)).id, link_minutes=30)
    assert claimed is not None
    await hear(connection, claimed, N.PENDING, provider_payment_id="777")
    heard = await read(connection, claimed)
    assert (heard.status, heard.provider_payment_id) == (PaymentStatus.OPENING, "777")

    recorded = await record_opened(connection, claimed, provider_payment_id="777", payment_url="https://bank.example/7")
    assert recorded is not None
    assert recorded.status is PaymentStatus.PENDING


@pytest.mark.parametrize("is_closed", [False, True])
async def test_money_without_the_banks_payment_id_is_asked_about(
    connection: asyncpg.Connection, is_closed: bool
) -> None:
    streamer = await make_streamer(connection)
    payment = await latest_payment(connection, await make_donation(connection, streamer))
    await claim_opening(connection, payment.id, link_minutes=30)
    if is_closed:
        await close_unopened(connection, payment.id, PaymentStatus.CANCELLED)
    heard = await hear(connection, payment, N.CONFIRMED, provider_payment_id=None)
    assert heard.outcome is Outcome.ASKED
    await hear(connection, payment, N.CONFIRMED, source=Source.POLL, provider_payment_id="777")
    assert (await read(connection, payment)).booked_as is BookedAs.DONATION
    await check_books(connection)


async def test_the_same_answer_again_is_no_news(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    for word in ("NEW", "NEW", "FORM_SHOWED", "FORM_SHOWED", "FORM_SHOWED"):
        await hear(connection, payment, N.PENDING, source=Source.POLL, provider_status=word)
    rows = await connection.fetch("SELECT provider_status FROM payment_news WHERE source = 'poll' ORDER BY id")
    assert [row["provider_status"] for row in rows] == ["NEW", "FORM_SHOWED"]


async def test_a_surplus_given_back_is_shown_no_more(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation, first = await open_donation(connection, streamer, amount_minor=50_000)
    await hear(connection, first, N.FAILED)
    await retry(connection, donation.public_id, link_minutes=30)
    second = await open_payment(connection, await latest_payment(connection, donation))
    for payment in (second, first):
        await hear(connection, payment, N.CONFIRMED)
    shown = [(await list_feed(connection, streamer.id))[0].surplus_minor]
    for status, remaining in ((N.PARTIALLY_REFUNDED, 20_000), (N.REFUNDED, 0)):
        await hear(connection, first, status, source=Source.POLL, amount_minor=remaining)
        shown.append((await list_feed(connection, streamer.id))[0].surplus_minor)
    assert shown == [50_000, 20_000, 0]
    await check_books(connection)


async def test_a_hold_released_after_the_next_attempt_was_given_up(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation, first = await open_donation(connection, streamer)
    await hear(connection, first, N.FAILED)
    await retry(connection, donation.public_id, link_minutes=30)
    await hear(connection, first, N.AUTHORIZED, source=Source.POLL)
    second = await latest_payment(connection, donation)
    await close_unopened(connection, second.id, PaymentStatus.CANCELLED)
    await hear(connection, first, N.CANCELLED)
    assert await connection.fetchval("SELECT status FROM donations") == "failed"
    view = await read_donor_view(connection, donation.public_id)
    assert view is not None
    assert view.state is DonorState.UNAVAILABLE


async def test_a_link_dead_for_a_day_is_asked_about_hourly(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    await open_donation(connection, streamer)
    await connection.execute("UPDATE payments SET due_at = now() - interval '2 days', next_check_at = now()")
    rows = [
        row
        async for row in queries.payments.claim_due_payments(connection, limit=10, per_terminal=10, failures_to_rest=3)
    ]
    assert len(rows) == 1
    wait = await connection.fetchval("SELECT extract(epoch FROM next_check_at - now())::float8 FROM payments")
    assert 3200 < wait < 4000


@pytest.mark.parametrize("amount_minor", [30_000, 30_001, 0, None])
async def test_a_part_went_back_and_nobody_says_how_much(
    connection: asyncpg.Connection, amount_minor: int | None
) -> None:
    streamer = await make_streamer(connection)
    donation, payment = await open_donation(connection, streamer, amount_minor=30_000)
    await hear(connection, payment, N.CONFIRMED)
    answer = News(Source.POLL, N.PARTIALLY_REFUNDED, "PARTIAL_REFUNDED", payment.provider_payment_id, amount_minor)
    for _ in range(3):
        # However often it was asked before.
        await connection.execute("UPDATE payments SET checks = checks + 20")
        assert (await apply_news(connection, payment.id, answer)).outcome is Outcome.UNRESOLVED
        still = await read(connection, payment)
        assert (still.status, still.next_check_at is None) == (PaymentStatus.CONFIRMED, False)
    assert (await read_totals(connection, streamer.id)).all_minor == 30_000
    heard = [row["note"] for row in await connection.fetch("SELECT note FROM payment_news ORDER BY id")]
    assert heard == ["opened", "", "how much went back is not known"]
    await check_books(connection)

    await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=20_000)
    after = await read(connection, payment)
    assert (after.status, after.next_check_at) == (PaymentStatus.PARTIALLY_REFUNDED, None)
    assert (await read_totals(connection, streamer.id)).all_minor == 20_000
    status = await connection.fetchval("SELECT status FROM donations WHERE id = $1", donation.id)
    assert status == "partially_refunded"
    await check_books(connection)


async def test_a_part_of_what_we_never_heard_was_paid_went_back(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer, amount_minor=30_000)
    await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL)
    after = await read(connection, payment)
    assert (after.status, after.booked_as) == (PaymentStatus.CONFIRMED, BookedAs.DONATION)
    assert after.next_check_at is not None
    await check_books(connection)


@pytest.mark.parametrize("status", [N.CONFIRMED, N.AUTHORIZED])
async def test_money_without_its_amount_is_asked_about(connection: asyncpg.Connection, status: N) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    told = News(Source.NOTIFICATION, status, status.upper(), payment.provider_payment_id)
    assert (await apply_news(connection, payment.id, told)).outcome is Outcome.ASKED
    assert (await read(connection, payment)).status is PaymentStatus.PENDING
    assert await connection.fetchval("SELECT count(*) FROM outbox WHERE name = 'check_payment'") == 1


@pytest.mark.parametrize("source", [Source.NOTIFICATION, Source.POLL])
async def test_a_refund_that_overtakes_its_payments_word_is_asked_about_all_the_same(
    connection: asyncpg.Connection, source: Source
) -> None:
    """The bank tells REFUNDED before CONFIRMED came through; the check asked for at once is lost, or too early."""
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    inbox_id = await store(connection, streamer)
    told = await hear(connection, payment, N.REFUNDED, inbox_id=inbox_id)
    assert told.outcome is Outcome.ASKED
    await inbox.finish(connection, inbox_id, told.outcome, payment.id)

    await hear(connection, payment, N.CONFIRMED, source=source)
    after = await read(connection, payment)
    assert after.status is PaymentStatus.CONFIRMED
    assert after.next_check_at is not None

    await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
    after = await read(connection, payment)
    assert after.status is PaymentStatus.REFUNDED
    assert after.next_check_at is None
    await check_books(connection)


async def test_a_payment_that_was_asked_about_in_vain_is_left_alone_in_the_end(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    inbox_id = await store(connection, streamer)
    told = await hear(connection, payment, N.REFUNDED, inbox_id=inbox_id)
    await inbox.finish(connection, inbox_id, told.outcome, payment.id)
    await hear(connection, payment, N.CONFIRMED)
    await connection.execute("UPDATE payments SET checks = 3")
    await hear(connection, payment, N.CONFIRMED, source=Source.POLL)
    assert (await read(connection, payment)).next_check_at is None


async def test_an_answer_older_than_the_banks_word_of_a_refund_is_not_believed(connection: asyncpg.Connection) -> None:
    """We ask, the bank says "confirmed", gives the money back and tells us of that first."""
    _, payment = await open_donation(connection, await make_streamer(connection))
    asked = await read(connection, payment)
    await hear(connection, payment, N.REFUNDED)
    answer = News(
        source=Source.POLL,
        status=N.CONFIRMED,
        provider_status="CONFIRMED",
        provider_payment_id=payment.provider_payment_id,
        amount_minor=payment.amount_minor,
    )
    applied = await apply_news(connection, payment.id, answer, expected_version=asked.version)
    assert applied.outcome is Outcome.STALE
    assert (await read(connection, payment)).next_check_at is not None
