"""Two at once on one donation: nobody waits for the other for ever, whichever came first."""

import asyncio
from types import SimpleNamespace
from typing import Any

import asyncpg

from domain import alerts, holds, payments, showing, totals
from domain.alerts import AlertKind
from domain.holds import Decision
from domain.missed import Answer, answer_missed
from domain.moderation import Mode, Settings
from domain.moderation_settings import save_settings
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.payments import MAX_ATTEMPTS, PaymentStatus
from domain.pressers import Presser, PresserKind
from domain.showing import Seen
from infra import queries
from tasks.payments import _open_next
from tests.builders import check_books, hear, latest_payment, make_donation, make_streamer, open_donation
from tests.domain.test_alerts import connect, pick

PARTS: Any = SimpleNamespace(settings=SimpleNamespace(payment_link_minutes=30))


async def wait_for_a_lock(pool: asyncpg.Pool) -> None:
    """Until some statement waits for another's row."""
    async with asyncio.timeout(30):
        while not await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)


async def test_news_of_a_lost_opening_while_the_next_is_made(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        streamer = await make_streamer(connection)
        donation = await make_donation(connection, streamer)
        lost = await latest_payment(connection, donation)
        await payments.claim_opening(connection, lost.id, link_minutes=30)

    async def settle() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await _open_next(PARTS, connection, lost)

    async with pool.acquire() as connection:
        async with connection.transaction():
            # As apply_news does: the payment's row first, then its donation's.
            await queries.payments.lock_payment(connection, payment_id=lost.id)
            settling = asyncio.create_task(settle())
            await wait_for_a_lock(pool)
            await hear(connection, lost, N.CONFIRMED, provider_payment_id="777")
        await settling
        assert (await latest_payment(connection, donation)).status is PaymentStatus.CONFIRMED
        await check_books(connection)


async def test_totals_counted_anew_while_a_refund_comes(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        streamer = await make_streamer(connection)
        _, payment = await open_donation(connection, streamer)
        await hear(connection, payment, N.CONFIRMED)
        await connection.execute("UPDATE streamer_totals SET ledger_transaction_id = 0")

    async def refund() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)

    async with pool.acquire() as connection:
        async with connection.transaction():
            await queries.totals.lock_totals(connection, streamer_id=streamer.id)
            refunding = asyncio.create_task(refund())
            await wait_for_a_lock(pool)
            assert await totals.recount(connection, streamer.id)
        await refunding
        await check_books(connection)


async def test_the_last_attempt_is_the_last(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation = await make_donation(connection, streamer)
    lost = await latest_payment(connection, donation)
    await connection.execute("UPDATE payments SET attempt = $1, status = 'opening', opening_at = now()", MAX_ATTEMPTS)
    await _open_next(PARTS, connection, lost)
    assert await connection.fetchval("SELECT count(*) FROM payments") == 1
    assert await connection.fetchval("SELECT status FROM donations") == "failed"


async def held_donation(connection: Any) -> tuple[Any, Any]:
    """A paid donation whose alert waits for a decision that is due; its payment and its alert."""
    streamer = await make_streamer(connection)
    await save_settings(connection, streamer.id, Settings(mode=Mode.APPROVE))
    donation, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.CONFIRMED)
    await connection.execute("UPDATE holds SET decide_by = now()")
    return payment, await connection.fetchrow("SELECT id, alert_id FROM alerts WHERE donation_id = $1", donation.id)


async def test_a_held_alert_is_settled_while_its_donation_goes_back(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        payment, alert = await held_donation(connection)

    async def settle() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await holds.settle(connection, alert["id"])

    async with pool.acquire() as connection:
        async with connection.transaction():
            await queries.payments.lock_payment(connection, payment_id=payment.id)
            await connection.execute("SELECT FROM donations WHERE id = $1 FOR NO KEY UPDATE", payment.donation_id)
            settling = asyncio.create_task(settle())
            await wait_for_a_lock(pool)
            await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
        await settling
        assert await connection.fetchval("SELECT status FROM alerts") == "dropped"
        assert await connection.fetchval("SELECT public_message FROM donations") == ""
        await check_books(connection)


async def test_a_decision_while_the_deadline_is_carried_out(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        payment, alert = await held_donation(connection)

    async def decide() -> holds.Decided:
        async with pool.acquire() as connection, connection.transaction():
            by = Presser(PresserKind.OWNER, 1, "anna@example.org")
            return await holds.decide(connection, payment.streamer_id, alert["alert_id"], Decision.HIDE, by)

    async with pool.acquire() as connection:
        async with connection.transaction():
            # As the settling does.
            await queries.donations.lock_donation_by_id(connection, donation_id=payment.donation_id)
            async with asyncio.timeout(30):
                # Its line in the log only points at the donation.
                decided = await decide()
            assert await holds.settle(connection, alert["id"]) is None, "five seconds to undo it"
        assert decided.won


async def test_a_summary_is_skipped_while_a_part_of_it_goes_back(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        streamer = await make_streamer(connection)
        made = [await open_donation(connection, streamer) for _ in range(2)]
        for _, payment in made:
            await hear(connection, payment, N.CONFIRMED)
        await queries.overlays.lock_speaker(connection, streamer_id=streamer.id)
        await connection.execute("UPDATE speakers SET asking_since = now()")
        await answer_missed(connection, streamer.id, Answer.SUMMARY)
        summary: Any = await connection.fetchrow("SELECT id, alert_id FROM alerts WHERE kind = 'summary'")
        summary_id, alert_id = summary
        assert await connection.fetchval("SELECT count(*) FROM alerts WHERE summary_id = $1", summary_id) == 2

    async def refund() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await hear(connection, made[0][1], N.REFUNDED, source=Source.POLL, amount_minor=0)

    async with pool.acquire() as connection:
        async with connection.transaction():
            # As a skip does: the summary first.
            await connection.execute("SELECT FROM alerts WHERE id = $1 FOR NO KEY UPDATE", summary_id)
            refunding = asyncio.create_task(refund())
            await wait_for_a_lock(pool)
            assert await alerts.skip(connection, streamer.id, alert_id) is not None
        await refunding
        assert await connection.fetchval("SELECT count(*) FROM alerts WHERE status = 'skipped'") == 3
        await check_books(connection)


async def test_an_overlay_comes_back_while_what_it_showed_goes_back(pool: asyncpg.Pool) -> None:
    """It speaks of an alert that waits again, and plays a replay of the same donation."""
    async with pool.acquire() as connection:
        streamer = await make_streamer(connection)
        donation, payment = await open_donation(connection, streamer)
        await hear(connection, payment, N.CONFIRMED)
        overlay_id = await connect(connection, streamer)
        first = await pick(connection, streamer, overlay_id)
        await showing.return_leases(connection, streamer.id, overlay_id)
        await connection.execute("UPDATE alerts SET place = place + 100")
        assert await alerts.replay(connection, streamer.id, donation.id) is not None
        assert (await pick(connection, streamer, overlay_id)).kind is AlertKind.REPLAY

    async def come_back() -> None:
        async with pool.acquire() as connection, connection.transaction():
            seen = [Seen(first.alert_id, first.lease_id, finished=False)]
            await showing.catch_up(connection, streamer.id, overlay_id, seen=seen, playing=None)

    async with pool.acquire() as connection:
        async with connection.transaction():
            await queries.payments.lock_payment(connection, payment_id=payment.id)
            await connection.execute("SELECT FROM donations FOR NO KEY UPDATE")
            coming = asyncio.create_task(come_back())
            await wait_for_a_lock(pool)
            await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
        await coming
        statuses = await connection.fetch("SELECT status FROM alerts ORDER BY id")
        assert [row["status"] for row in statuses] == ["dropped", "dropped"]
