"""Wishing money back: what may be wished, who holds it, and when it is done."""

import asyncio
from typing import Any

import asyncpg
import pytest

from domain import refunds
from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.payments import Payment, get_payment
from domain.refunds import Refund, RefundStatus
from infra import queries
from tests.builders import BuiltStreamer, check_books, hear, make_streamer, open_donation

FORM = "form-key-00000001"


async def paid(connection: Any, **fields: Any) -> tuple[BuiltStreamer, Payment]:
    """A streamer with a confirmed payment of 300 ₽."""
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer, **fields)
    await hear(connection, payment, N.CONFIRMED)
    after = await get_payment(connection, payment.id)
    assert after is not None
    return streamer, after


async def wish(
    connection: Any,
    streamer: BuiltStreamer,
    payment: Payment,
    amount_minor: int = 30_000,
    reason: str = "Просил вернуть",
    form_key: str | None = None,
) -> Refund:
    return await refunds.request_refund(
        connection,
        streamer_id=streamer.id,
        payment_id=payment.id,
        amount_minor=amount_minor,
        reason=reason,
        user_id=streamer.owner_id,
        form_key=form_key,
    )


async def now(connection: Any, refund: Refund) -> Refund:
    found = await refunds.get_refund(connection, refund.id)
    assert found is not None
    return found


async def held(connection: Any, refund: Refund) -> Refund:
    claimed = await refunds.claim_refund(connection, refund.id)
    assert claimed is not None
    return claimed


async def called(connection: Any, refund: Refund, before_minor: int = 0) -> Refund:
    claimed = await held(connection, refund)
    assert await refunds.note_call(connection, claimed, before_minor)
    return claimed


async def gone_back(connection: Any, payment: Payment, left_minor: int) -> None:
    status = N.PARTIALLY_REFUNDED if left_minor else N.REFUNDED
    await hear(connection, payment, status, source=Source.POLL, amount_minor=left_minor)


async def its_time(connection: Any) -> None:
    await connection.execute("UPDATE refunds SET next_try_at = now() WHERE next_try_at IS NOT NULL")


class TestWishes:
    async def test_a_wish_is_written_down_and_asked_for(self, connection: Any) -> None:
        streamer, payment = await paid(connection)
        refund = await wish(connection, streamer, payment, 10_000, "  Ошиблась\n суммой ")
        assert (refund.status, refund.amount_minor, refund.reason) == (RefundStatus.WISHED, 10_000, "Ошиблась суммой")
        assert await connection.fetchval("SELECT count(*) FROM outbox WHERE name = 'make_refund'") == 1
        news = await connection.fetchrow("SELECT note, user_id FROM payment_news ORDER BY id DESC LIMIT 1")
        assert news["user_id"] == streamer.owner_id
        assert news["note"] == "refund of 10000 kopecks wished: Ошиблась суммой"
        # Nothing went back yet.
        await check_books(connection)
        assert await refunds.refundable_minor(connection, payment) == 30_000

    @pytest.mark.parametrize(
        ("amount_minor", "reason", "field", "code"),
        [
            (0, "Да", "amount", "too_small"),
            (-1, "Да", "amount", "too_small"),
            (30_001, "Да", "amount", "too_large"),
            (10**18, "Да", "amount", "too_large"),
            (100, " \n ", "reason", "required"),
            (100, "а" * 301, "reason", "too_long"),
        ],
    )
    async def test_what_may_not_be_wished(
        self, connection: Any, amount_minor: int, reason: str, field: str, code: str
    ) -> None:
        streamer, payment = await paid(connection)
        with pytest.raises(InvalidInputError) as caught:
            await wish(connection, streamer, payment, amount_minor, reason)
        assert (caught.value.field, caught.value.code) == (field, code)
        assert await connection.fetchval("SELECT count(*) FROM refunds") == 0

    async def test_nobody_gives_back_anothers_money(self, connection: Any) -> None:
        _, payment = await paid(connection)
        stranger = await make_streamer(connection)
        with pytest.raises(NotFoundError):
            await wish(connection, stranger, payment)
        with pytest.raises(NotFoundError):
            await refunds.request_refund(
                connection,
                streamer_id=stranger.id,
                payment_id=2**31 - 1,
                amount_minor=1,
                reason="Да",
                user_id=stranger.owner_id,
            )

    async def test_an_unpaid_payment_has_nothing_to_give_back(self, connection: Any) -> None:
        streamer = await make_streamer(connection)
        _, payment = await open_donation(connection, streamer)
        with pytest.raises(NotAllowedError, match="nothing_to_refund"):
            await wish(connection, streamer, payment)

    async def test_one_at_a_time(self, connection: Any) -> None:
        streamer, payment = await paid(connection)
        await wish(connection, streamer, payment, 10_000)
        with pytest.raises(NotAllowedError, match="refund_under_way"):
            await wish(connection, streamer, payment, 10_000)

    async def test_no_more_than_is_left(self, connection: Any) -> None:
        streamer, payment = await paid(connection)
        await gone_back(connection, payment, 20_000)
        with pytest.raises(InvalidInputError) as caught:
            await wish(connection, streamer, payment, 20_001)
        assert caught.value.data["most_minor"] == 20_000
        await gone_back(connection, payment, 0)
        with pytest.raises(NotAllowedError, match="nothing_to_refund"):
            await wish(connection, streamer, payment, 1)

    async def test_the_same_form_is_the_same_refund_even_after_it_was_done(self, connection: Any) -> None:
        streamer, payment = await paid(connection)
        first = await wish(connection, streamer, payment, 10_000, form_key=FORM)
        assert (await wish(connection, streamer, payment, 10_000, form_key=FORM)).id == first.id
        await called(connection, first)
        await gone_back(connection, payment, 20_000)
        again = await wish(connection, streamer, payment, 10_000, form_key=FORM)
        assert (again.id, again.status) == (first.id, RefundStatus.DONE)
        with pytest.raises(NotAllowedError, match="form_used"):
            await wish(connection, streamer, payment, 5_000, form_key=FORM)
        assert await connection.fetchval("SELECT count(*) FROM refunds") == 1
        assert await connection.fetchval("SELECT count(*) FROM outbox WHERE name = 'make_refund'") == 1

    async def test_a_doubled_submit_is_one_refund(self, pool: asyncpg.Pool) -> None:
        async with pool.acquire() as connection:
            streamer, payment = await paid(connection)

        async def submit(form_key: str | None) -> Refund:
            async with pool.acquire() as connection, connection.transaction():
                return await wish(connection, streamer, payment, 10_000, form_key=form_key)

        made = await asyncio.gather(*(submit(FORM) for _ in range(6)))
        assert len({refund.id for refund in made}) == 1
        others = await asyncio.gather(*(submit(None) for _ in range(4)), return_exceptions=True)
        assert all(isinstance(other, NotAllowedError) for other in others)
        assert await pool.fetchval("SELECT count(*) FROM refunds") == 1


class TestHolding:
    async def test_who_gets_it_holds_it_alone(self, connection: Any) -> None:
        streamer, payment = await paid(connection)
        refund = await wish(connection, streamer, payment)
        assert (await held(connection, refund)).status is RefundStatus.ASKING
        assert await refunds.claim_refund(connection, refund.id) is None
        await its_time(connection)
        assert (await held(connection, refund)).tries == 2

    async def test_who_lost_it_neither_calls_nor_writes(self, connection: Any) -> None:
        streamer, payment = await paid(connection)
        refund = await wish(connection, streamer, payment)
        slow = await held(connection, refund)
        await connection.execute("UPDATE refunds SET asked_at = asked_at - interval '1 minute', next_try_at = now()")
        quick = await called(connection, refund)
        # Both are of this transaction, whose clock stands still: make the slow one's word what it would be.
        await connection.execute("UPDATE refunds SET asked_at = asked_at + interval '1 second'")
        assert not await refunds.note_call(connection, slow, 0)
        assert not await refunds.postpone(connection, slow, RefundStatus.WISHED, 5)
        assert not await refunds.refuse(connection, slow, error_code="1")
        now_ = await now(connection, refund)
        assert (now_.status, now_.before_minor, quick.id) == (RefundStatus.ASKING, 0, refund.id)

    async def test_a_call_is_held_for_longer_than_it_takes(self, connection: Any) -> None:
        streamer, payment = await paid(connection)
        refund = await wish(connection, streamer, payment)
        claimed = await held(connection, refund)
        await connection.execute("UPDATE refunds SET next_try_at = now() + interval '1 second'")
        assert await refunds.note_call(connection, claimed, 0)
        assert await connection.fetchval("SELECT next_try_at > now() + interval '50 seconds' FROM refunds")
        assert await refunds.get_called_seconds(connection, refund.id) == 0

    async def test_what_was_noted_at_the_first_call_counts(self, connection: Any) -> None:
        streamer, payment = await paid(connection)
        refund = await wish(connection, streamer, payment, 10_000)
        claimed = await called(connection, refund, 0)
        await refunds.postpone(connection, claimed, RefundStatus.ASKING, 30)
        await its_time(connection)
        await called(connection, refund, 5_000)
        assert (await now(connection, refund)).before_minor == 0

    async def test_back_to_wished_forgets_the_call(self, connection: Any) -> None:
        streamer, payment = await paid(connection)
        refund = await wish(connection, streamer, payment)
        claimed = await called(connection, refund)
        assert await refunds.postpone(connection, claimed, RefundStatus.WISHED, 60, error_code="3029")
        after = await now(connection, refund)
        assert (after.status, after.before_minor, after.error_code) == (RefundStatus.WISHED, None, "3029")
        assert not after.may_be_done

    async def test_the_sweeper_finds_what_is_due(self, connection: Any) -> None:
        streamer, payment = await paid(connection)
        await wish(connection, streamer, payment)
        assert await refunds.ask_due(connection) == 0
        await its_time(connection)
        assert await refunds.ask_due(connection) == 1

    async def test_the_database_refuses_half_a_truth(self, connection: Any) -> None:
        streamer, payment = await paid(connection)
        refund = await wish(connection, streamer, payment)
        for wrong in (
            "status = 'pending'",
            "before_minor = 0",
            "status = 'done'",
            "next_try_at = NULL",
            "dismissed_at = now()",
        ):
            with pytest.raises(asyncpg.CheckViolationError):
                async with connection.transaction():
                    await connection.execute(f"UPDATE refunds SET {wrong} WHERE id = $1", refund.id)


class TestEnds:
    async def test_done_when_the_books_have_reached_it(self, connection: Any) -> None:
        streamer, payment = await paid(connection)
        refund = await wish(connection, streamer, payment, 10_000)
        await called(connection, refund)
        await gone_back(connection, payment, 25_000)
        assert (await now(connection, refund)).is_open, "less than it came back"
        await gone_back(connection, payment, 20_000)
        assert (await now(connection, refund)).status is RefundStatus.DONE
        # And the next may be wished.
        second = await wish(connection, streamer, payment, 20_000)
        await called(connection, second, 10_000)
        await gone_back(connection, payment, 0)
        assert (await now(connection, second)).status is RefundStatus.DONE
        await check_books(connection)

    async def test_what_went_back_before_we_asked_is_not_ours(self, connection: Any) -> None:
        streamer, payment = await paid(connection)
        refund = await wish(connection, streamer, payment, 10_000)
        await gone_back(connection, payment, 20_000)
        assert (await now(connection, refund)).status is RefundStatus.WISHED
        await called(connection, refund, 10_000)
        await gone_back(connection, payment, 20_000)
        assert (await now(connection, refund)).status is RefundStatus.ASKING
        await gone_back(connection, payment, 10_000)
        assert (await now(connection, refund)).status is RefundStatus.DONE

    async def test_refused_says_why_in_the_log_and_may_be_dismissed_once(self, connection: Any) -> None:
        streamer, payment = await paid(connection)
        stranger = await make_streamer(connection)
        refund = await wish(connection, streamer, payment)
        assert not await refunds.dismiss_refusal(connection, streamer.id, refund.id, streamer.owner_id)
        claimed = await called(connection, refund)
        assert await refunds.refuse(connection, claimed, error_code="3002", error_reason="refund_without_funds")
        after = await now(connection, refund)
        assert (after.status, after.error_reason) == (RefundStatus.REFUSED, "refund_without_funds")
        note = await connection.fetchval("SELECT note FROM payment_news ORDER BY id DESC LIMIT 1")
        assert note == "refund of 30000 kopecks refused: 3002"
        # It was called for: should money go back all the same, somebody looks.
        assert await connection.fetchval("SELECT next_check_at IS NOT NULL FROM payments")
        assert not await refunds.dismiss_refusal(connection, stranger.id, refund.id, stranger.owner_id)
        assert await refunds.dismiss_refusal(connection, streamer.id, refund.id, streamer.owner_id)
        assert not await refunds.dismiss_refusal(connection, streamer.id, refund.id, streamer.owner_id)
        # It may be wished again.
        await wish(connection, streamer, payment)
        await check_books(connection)

    async def test_a_refusal_and_news_at_once_do_not_wait_for_each_other_for_ever(self, pool: asyncpg.Pool) -> None:
        async with pool.acquire() as connection:
            streamer, payment = await paid(connection)
            refund = await wish(connection, streamer, payment)
            claimed = await called(connection, refund)

        async def refuse() -> bool:
            async with pool.acquire() as connection, connection.transaction():
                return await refunds.refuse(connection, claimed, error_code="8")

        async with pool.acquire() as connection:
            async with connection.transaction():
                await queries.payments.lock_payment(connection, payment_id=payment.id)
                refusing = asyncio.create_task(refuse())
                async with asyncio.timeout(30):
                    while not await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                        await asyncio.sleep(0.01)
                await gone_back(connection, payment, 0)
            assert not await refusing, "it had been done meanwhile"
            assert (await now(connection, refund)).status is RefundStatus.DONE
            await check_books(connection)
