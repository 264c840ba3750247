"""Money of another amount than asked for: accepted as it came, or given back; never counted twice, never for ever."""

import asyncio
from typing import Any

import asyncpg
import pytest

from domain import refunds, review
from domain.donations import CreatedDonation, DonorState, list_feed, read_donor_view, retry
from domain.errors import NotAllowedError, NotFoundError
from domain.ledger import BookedAs, book_chargeback, book_chargeback_reversal
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.payments import Payment, PaymentStatus, get_payment
from domain.returns import settle_return
from domain.totals import read_totals, recount
from tests.builders import BuiltStreamer, check_books, hear, latest_payment, make_streamer, open_donation, open_payment


async def brought(connection: Any, amount_minor: int = 50_000) -> tuple[BuiltStreamer, CreatedDonation, Payment]:
    """A donation of 300 ₽ for which another amount came."""
    streamer = await make_streamer(connection)
    donation, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.CONFIRMED, source=Source.POLL, amount_minor=amount_minor)
    return streamer, donation, await read(connection, payment)


async def read(connection: Any, payment: Payment) -> Payment:
    found = await get_payment(connection, payment.id)
    assert found is not None
    return found


async def accept(connection: Any, streamer: BuiltStreamer, payment: Payment) -> bool:
    wake = await review.accept(connection, streamer_id=streamer.id, payment_id=payment.id, user_id=streamer.owner_id)
    return wake is not None


async def status_of(connection: Any, donation: CreatedDonation) -> str:
    return str(await connection.fetchval("SELECT status FROM donations WHERE id = $1", donation.id))


async def donor_state(connection: Any, donation: CreatedDonation) -> DonorState:
    view = await read_donor_view(connection, donation.public_id)
    assert view is not None
    return view.state


async def second_attempt(
    connection: Any, streamer: BuiltStreamer, donation: CreatedDonation, amount_minor: int
) -> Payment:
    """A second attempt that was open when the first one's money came, and is paid with this amount."""
    await connection.execute(
        "INSERT INTO payments (donation_id, streamer_id, terminal_id, attempt, order_id, amount_minor, due_at)"
        " VALUES ($1, $2, $3, 2, 'order-of-the-second-one', 30000, now())",
        donation.id, streamer.id, streamer.terminal_id,
    )  # fmt: skip
    payment = await open_payment(connection, await latest_payment(connection, donation))
    await hear(connection, payment, N.CONFIRMED, source=Source.POLL, amount_minor=amount_minor)
    return await read(connection, payment)


async def events(connection: Any) -> list[str]:
    rows = await connection.fetch("SELECT name FROM outbox WHERE kind = 'event' ORDER BY id")
    return [row["name"] for row in rows]


class TestAccepting:
    @pytest.mark.parametrize("amount_minor", [50_000, 100])
    async def test_the_donation_is_paid_with_what_came(self, connection: Any, amount_minor: int) -> None:
        streamer, donation, payment = await brought(connection, amount_minor)
        assert await donor_state(connection, donation) is DonorState.REVIEW
        assert await connection.fetchval("SELECT count(*) FROM alerts") == 0
        before = await events(connection)

        assert await accept(connection, streamer, payment)
        row = await connection.fetchrow(
            "SELECT status, amount_minor, wished_minor, paid_at = now() AS now FROM donations"
        )
        assert tuple(row) == ("paid", amount_minor, 30_000, True)
        after = await read(connection, payment)
        assert (after.booked_as, after.accepted_at is not None) == (BookedAs.DONATION, True)
        assert after.version > payment.version
        totals = await read_totals(connection, streamer.id)
        assert (totals.all_minor, totals.donations) == (amount_minor, 1)
        assert await connection.fetchval("SELECT amount_minor FROM alerts") == amount_minor
        assert (await events(connection))[len(before) :] == [
            "payment.completed",
            "notification.send",
            "streamer.stats.update",
        ]
        news = await connection.fetchrow("SELECT note, user_id FROM payment_news ORDER BY id DESC LIMIT 1")
        assert tuple(news) == (f"{amount_minor} kopecks accepted as they came", streamer.owner_id)
        assert await donor_state(connection, donation) is DonorState.QUEUED
        await check_books(connection)
        await connection.execute("UPDATE streamer_totals SET ledger_transaction_id = 0")
        assert await recount(connection, streamer.id)
        await check_books(connection)

    async def test_twice_is_once(self, connection: Any) -> None:
        streamer, _, payment = await brought(connection)
        assert await accept(connection, streamer, payment)
        assert not await accept(connection, streamer, payment)
        assert (await read_totals(connection, streamer.id)).donations == 1
        await check_books(connection)

    async def test_two_at_once_are_once(self, pool: asyncpg.Pool) -> None:
        async with pool.acquire() as connection:
            streamer, _, payment = await brought(connection)

        async def press() -> bool:
            async with pool.acquire() as connection, connection.transaction():
                return await accept(connection, streamer, payment)

        pressed = await asyncio.gather(*(press() for _ in range(5)))
        assert sorted(pressed) == [False, False, False, False, True]
        async with pool.acquire() as connection:
            await check_books(connection)
            assert await connection.fetchval("SELECT count(*) FROM alerts") == 1

    async def test_the_banks_word_again_changes_nothing(self, connection: Any) -> None:
        streamer, donation, payment = await brought(connection)
        await accept(connection, streamer, payment)
        for source in (Source.POLL, Source.NOTIFICATION):
            await hear(connection, payment, N.CONFIRMED, source=source, amount_minor=50_000)
        assert await status_of(connection, donation) == "paid"
        assert (await read_totals(connection, streamer.id)).all_minor == 50_000
        await check_books(connection)

    async def test_an_accepted_one_can_be_given_back(self, connection: Any) -> None:
        streamer, donation, payment = await brought(connection)
        await accept(connection, streamer, payment)
        await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=20_000)
        assert await status_of(connection, donation) == "partially_refunded"
        assert (await read_totals(connection, streamer.id)).all_minor == 20_000
        await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
        assert await status_of(connection, donation) == "refunded"
        assert (await read_totals(connection, streamer.id)).donations == 0
        assert await connection.fetchval("SELECT status FROM alerts") == "dropped"
        await check_books(connection)

    async def test_nobody_accepts_for_another(self, connection: Any) -> None:
        _, _, payment = await brought(connection)
        stranger = await make_streamer(connection)
        with pytest.raises(NotFoundError):
            await accept(connection, stranger, payment)

    async def test_what_is_not_under_review_cannot_be_accepted(self, connection: Any) -> None:
        streamer = await make_streamer(connection)
        _, payment = await open_donation(connection, streamer)
        with pytest.raises(NotAllowedError, match="not_in_review"):
            await accept(connection, streamer, payment)
        await hear(connection, payment, N.CONFIRMED)
        with pytest.raises(NotAllowedError, match="not_in_review"):
            await accept(connection, streamer, payment)

    async def test_not_while_or_after_it_goes_back(self, connection: Any) -> None:
        streamer, _, payment = await brought(connection)
        await refunds.request_refund(
            connection,
            streamer_id=streamer.id,
            payment_id=payment.id,
            amount_minor=20_000,
            reason="Лишнее",
            user_id=streamer.owner_id,
        )
        with pytest.raises(NotAllowedError, match="refund_under_way"):
            await accept(connection, streamer, payment)
        await connection.execute("UPDATE refunds SET status = 'refused', finished_at = now(), next_try_at = NULL")
        await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=30_000)
        with pytest.raises(NotAllowedError, match="partly_returned"):
            await accept(connection, streamer, payment)
        await check_books(connection)

    async def test_not_while_another_waits_too(self, connection: Any) -> None:
        streamer, donation, first = await brought(connection)
        second = await second_attempt(connection, streamer, donation, 40_000)
        assert second.booked_as is BookedAs.REVIEW
        for payment in (first, second):
            with pytest.raises(NotAllowedError, match="several_payments"):
                await accept(connection, streamer, payment)
        await hear(connection, first, N.REFUNDED, source=Source.POLL, amount_minor=0)
        assert await status_of(connection, donation) == "review"
        assert await accept(connection, streamer, second)
        await check_books(connection)

    async def test_not_when_another_paid_the_donation(self, connection: Any) -> None:
        streamer, donation, first = await brought(connection)
        await second_attempt(connection, streamer, donation, 30_000)
        assert await status_of(connection, donation) == "paid"
        with pytest.raises(NotAllowedError, match="already_paid"):
            await accept(connection, streamer, first)
        (row,) = await list_feed(connection, streamer.id)
        assert row.surplus_minor == 50_000
        await check_books(connection)

    async def test_the_right_amount_after_it_was_accepted_is_surplus(self, connection: Any) -> None:
        streamer, donation, first = await brought(connection)
        await accept(connection, streamer, first)
        second = await second_attempt(connection, streamer, donation, 30_000)
        assert second.booked_as is BookedAs.SURPLUS
        await check_books(connection)


class TestGoingBack:
    async def test_given_back_whole_the_donor_may_try_again(self, connection: Any) -> None:
        streamer, donation, payment = await brought(connection)
        await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=10_000)
        assert await donor_state(connection, donation) is DonorState.REVIEW
        await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
        assert await status_of(connection, donation) == "failed"
        assert await donor_state(connection, donation) is DonorState.RETURNED
        await check_books(connection)

        await retry(connection, donation.public_id, link_minutes=30)
        assert await donor_state(connection, donation) is DonorState.CREATING
        following = await open_payment(connection, await latest_payment(connection, donation))
        assert await donor_state(connection, donation) is DonorState.OPEN
        await hear(connection, following, N.CONFIRMED)
        assert await donor_state(connection, donation) is DonorState.QUEUED
        view = await read_donor_view(connection, donation.public_id)
        assert view is not None
        assert view.surplus_minor == 0
        assert (await read_totals(connection, streamer.id)).all_minor == 30_000
        await check_books(connection)

    async def test_an_older_attempt_may_still_pay_after_it(self, connection: Any) -> None:
        streamer, donation, first = await brought(connection)
        await hear(connection, first, N.REFUNDED, source=Source.POLL, amount_minor=0)
        second = await second_attempt(connection, streamer, donation, 30_000)
        assert second.booked_as is BookedAs.DONATION
        assert await status_of(connection, donation) == "paid"
        await check_books(connection)

    async def test_both_at_once(self, pool: asyncpg.Pool) -> None:
        async with pool.acquire() as connection:
            streamer, donation, first = await brought(connection)
            second = await second_attempt(connection, streamer, donation, 40_000)

        async def give_back(payment: Payment) -> None:
            async with pool.acquire() as connection, connection.transaction():
                await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)

        await asyncio.gather(give_back(first), give_back(second))
        async with pool.acquire() as connection:
            assert await status_of(connection, donation) == "failed"
            await check_books(connection)

    async def test_a_chargeback_ends_it_and_its_reversal_brings_it_back(self, connection: Any) -> None:
        streamer, donation, payment = await brought(connection)
        ids: dict[str, Any] = {"streamer_id": streamer.id, "payment_id": payment.id, "booked_as": BookedAs.REVIEW}
        transaction, delta = await book_chargeback(connection, charged_back_minor=50_000, **ids)
        assert transaction is not None
        await settle_return(connection, payment, transaction, delta, BookedAs.REVIEW)
        assert await donor_state(connection, donation) is DonorState.RETURNED
        transaction, delta = await book_chargeback_reversal(connection, reversed_minor=50_000, **ids)
        assert transaction is not None
        await settle_return(connection, payment, transaction, -delta, BookedAs.REVIEW)
        assert await donor_state(connection, donation) is DonorState.REVIEW
        # Its money came again: it may be taken.
        assert await accept(connection, streamer, payment)
        await check_books(connection)

    async def test_a_surplus_that_goes_back_leaves_the_donation(self, connection: Any) -> None:
        streamer = await make_streamer(connection)
        donation, first = await open_donation(connection, streamer)
        await hear(connection, first, N.CONFIRMED)
        second = await second_attempt(connection, streamer, donation, 30_000)
        assert second.booked_as is BookedAs.SURPLUS
        await hear(connection, second, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=10_000)
        view = await read_donor_view(connection, donation.public_id)
        assert view is not None
        assert (view.surplus_minor, view.state) == (10_000, DonorState.QUEUED)
        await hear(connection, second, N.REFUNDED, source=Source.POLL, amount_minor=0)
        assert await status_of(connection, donation) == "paid"
        assert (await read(connection, second)).status is PaymentStatus.REFUNDED
        assert (await read_totals(connection, streamer.id)).all_minor == 30_000
        await check_books(connection)
