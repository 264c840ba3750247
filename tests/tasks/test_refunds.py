"""Giving money back at the (simulated) bank: done once, whatever gets lost on the way, and known to be done."""

import asyncio
import dataclasses
from typing import Any

import pytest

from domain import refunds, terminals
from domain.donations import CreatedDonation, DonorState, read_donor_view
from domain.ledger import BookedAs
from domain.payment_status import NewsStatus as N
from domain.payments import Payment, PaymentStatus, get_payment
from domain.refunds import Refund, RefundStatus, claim_refund
from domain.totals import read_totals
from providers.provider import Credentials, PaymentState
from providers.provider import Refund as RefundCall
from providers.tbank.client import QrRefusal, TBankClient
from tasks.checks import check_payment
from tasks.payments import create_payment
from tasks.refunds import make_refund
from tasks.runtime import Parts
from tests.builders import hear, latest_payment, make_donation
from tests.tasks.conftest import World, with_tbank
from tests.tasks.test_payments import books, donor_state, newest, read, try_again, wish


async def paid(world: World, source: str = "cards") -> tuple[CreatedDonation, Payment]:
    """A donation of 300 ₽, paid at the bank and known to be."""
    donation, payment = await wish(world)
    await create_payment(world.parts, payment.id)
    opened = await read(world, payment)
    await world.bank.act(opened.provider_payment_id, "pay", source=source, notify=False)
    await check_payment(world.parts, payment.id)
    after = await read(world, payment)
    assert after.status is PaymentStatus.CONFIRMED
    return donation, after


async def wish_back(world: World, payment: Payment, amount_minor: int = 30_000) -> Refund:
    async with world.parts.pool.acquire() as connection, connection.transaction():
        return await refunds.request_refund(
            connection,
            streamer_id=world.streamer.id,
            payment_id=payment.id,
            amount_minor=amount_minor,
            reason="Просил вернуть",
            user_id=world.streamer.owner_id,
        )


async def now(world: World, refund: Refund) -> Refund:
    async with world.parts.pool.acquire() as connection:
        found = await refunds.get_refund(connection, refund.id)
    assert found is not None
    return found


async def look(world: World, refund: Refund, parts: Parts | None = None) -> Refund:
    """Its time has come: the actor looks at it."""
    await world.parts.pool.execute("UPDATE refunds SET next_try_at = now() WHERE next_try_at IS NOT NULL")
    await make_refund(parts or world.parts, refund.id)
    return await now(world, refund)


async def long_ago(world: World, seconds: int = 700) -> None:
    """As if the provider had been called so long ago."""
    await world.parts.pool.execute("UPDATE refunds SET called_at = called_at - make_interval(secs => $1)", seconds)


async def at_the_bank(world: World, payment: Payment) -> tuple[str, int]:
    """What the bank shows of it, and how often money was given back there."""
    (found,) = await world.bank.payments(payment.order_id)
    return found["status"], [status for status, _at in found["history"]].count("REFUNDING")


async def in_the_cabinet(world: World, payment: Payment, amount_minor: int, left_minor: int = 30_000) -> None:
    """The streamer gives money back in the bank's own cabinet."""
    assert payment.provider_payment_id is not None
    async with world.parts.pool.acquire() as connection:
        terminal = await terminals.get_terminal(connection, payment.terminal_id)
    account = world.parts.account(terminal)
    await account.provider.refund(
        account.credentials,
        RefundCall(payment.provider_payment_id, amount_minor, left_minor, key=f"cabinet-{amount_minor}-{left_minor}"),
    )


async def charge_back(world: World, payment: Payment) -> None:
    """The donor's bank takes all of it back, in the books alone."""
    await world.parts.pool.execute(
        "WITH booked AS (INSERT INTO ledger_transactions (kind, streamer_id, payment_id, reached_minor)"
        " VALUES ('chargeback', $1, $2, 30000) RETURNING id)"
        " INSERT INTO ledger_entries (transaction_id, streamer_id, account, amount_minor)"
        " SELECT booked.id, $1, entry.account, entry.amount FROM booked,"
        " (VALUES ('chargebacks', 30000), ('provider_clearing', -30000)) AS entry (account, amount)",
        world.streamer.id, payment.id,
    )  # fmt: skip


async def donation_row(world: World, donation: CreatedDonation) -> tuple[str, int]:
    row = await world.parts.pool.fetchrow("SELECT status, refunded_minor FROM donations WHERE id = $1", donation.id)
    assert row is not None
    return row["status"], row["refunded_minor"]


async def all_minor(world: World) -> int:
    async with world.parts.pool.acquire() as connection:
        return (await read_totals(connection, world.streamer.id)).all_minor


class TestByCard:
    async def test_in_full(self, world: World) -> None:
        donation, payment = await paid(world)
        refund = await wish_back(world, payment)
        after = await look(world, refund)
        assert (after.status, after.before_minor, after.tries) == (RefundStatus.DONE, 0, 1)
        assert await at_the_bank(world, payment) == ("REFUNDED", 1)
        assert await donation_row(world, donation) == ("refunded", 30_000)
        assert await donor_state(world, donation) is DonorState.REFUNDED
        assert await world.parts.pool.fetchval("SELECT status FROM alerts") == "dropped", "it waited: withdrawn"
        assert await all_minor(world) == 0
        await books(world)
        # A message that comes again finds nothing to do.
        await make_refund(world.parts, refund.id)
        assert await at_the_bank(world, payment) == ("REFUNDED", 1)

    async def test_in_two_parts(self, world: World) -> None:
        donation, payment = await paid(world)
        first = await look(world, await wish_back(world, payment, 10_000))
        assert first.status is RefundStatus.DONE
        assert await donation_row(world, donation) == ("partially_refunded", 10_000)
        assert await donor_state(world, donation) is DonorState.PARTIALLY_REFUNDED
        assert await world.parts.pool.fetchval("SELECT status FROM alerts") == "queued", "what is left is shown"
        second = await look(world, await wish_back(world, payment, 20_000))
        assert (second.status, second.before_minor) == (RefundStatus.DONE, 10_000)
        assert await at_the_bank(world, payment) == ("REFUNDED", 2)
        assert await donation_row(world, donation) == ("refunded", 30_000)
        await books(world)

    async def test_two_equal_parts(self, world: World) -> None:
        """The bank tells of both in the same words."""
        donation, payment = await paid(world)
        for _ in range(2):
            assert (await look(world, await wish_back(world, payment, 10_000))).status is RefundStatus.DONE
        assert await donation_row(world, donation) == ("partially_refunded", 20_000)
        await books(world)

    async def test_what_plays_may_finish(self, world: World) -> None:
        donation, payment = await paid(world)
        await world.parts.pool.execute(
            "UPDATE alerts SET status = 'playing', lease_id = gen_random_uuid(),"
            " leased_until = now() + interval '1 minute'"
        )
        assert (await look(world, await wish_back(world, payment))).status is RefundStatus.DONE
        assert await world.parts.pool.fetchval("SELECT status FROM alerts") == "playing"
        assert await donation_row(world, donation) == ("refunded", 30_000)

    async def test_many_workers_at_once_ask_once(self, world: World) -> None:
        _, payment = await paid(world)
        refund = await wish_back(world, payment, 10_000)
        await asyncio.gather(*(make_refund(world.parts, refund.id) for _ in range(6)))
        assert (await now(world, refund)).status is RefundStatus.DONE
        assert await at_the_bank(world, payment) == ("PARTIAL_REFUNDED", 1)
        await books(world)

    @pytest.mark.parametrize("kind", ["timeout_after", "reset", "invalid_json"])
    async def test_the_answer_is_lost(self, world: World, kind: str) -> None:
        donation, payment = await paid(world)
        await world.bank.fail("Cancel", kind, seconds=5)
        refund = await wish_back(world, payment, 10_000)
        after = await look(world, refund)
        assert (after.status, after.before_minor) == (RefundStatus.ASKING, 0)
        after = await look(world, refund)
        assert after.status is RefundStatus.DONE
        assert await at_the_bank(world, payment) == ("PARTIAL_REFUNDED", 1)
        assert await donation_row(world, donation) == ("partially_refunded", 10_000)
        await books(world)

    async def test_the_answer_is_lost_and_the_bank_has_done_nothing(self, world: World) -> None:
        _, payment = await paid(world)
        await world.bank.fail("Cancel", "error_500")
        refund = await wish_back(world, payment)
        assert (await look(world, refund)).status is RefundStatus.ASKING
        assert await at_the_bank(world, payment) == ("CONFIRMED", 0)
        assert (await look(world, refund)).status is RefundStatus.DONE
        assert await at_the_bank(world, payment) == ("REFUNDED", 1)
        await books(world)

    async def test_the_worker_died_after_it_had_asked(self, world: World) -> None:
        _, payment = await paid(world)
        refund = await wish_back(world, payment, 10_000)
        async with world.parts.pool.acquire() as connection:
            claimed = await claim_refund(connection, refund.id)
            assert claimed is not None
            assert await refunds.note_call(connection, claimed, 0)
            account = world.parts.account(await terminals.get_terminal(connection, payment.terminal_id))
        assert payment.provider_payment_id is not None
        call = RefundCall(payment.provider_payment_id, 10_000, 30_000, key=refund.public_id)
        await account.provider.refund(account.credentials, call)
        # Nobody else touches it before its time.
        await make_refund(world.parts, refund.id)
        assert (await now(world, refund)).status is RefundStatus.ASKING
        assert (await look(world, refund)).status is RefundStatus.DONE
        assert await at_the_bank(world, payment) == ("PARTIAL_REFUNDED", 1)
        await books(world)

    async def test_the_worker_died_before_it_asked(self, world: World) -> None:
        _, payment = await paid(world)
        refund = await wish_back(world, payment)
        async with world.parts.pool.acquire() as connection:
            assert await claim_refund(connection, refund.id) is not None
        assert (await look(world, refund)).status is RefundStatus.DONE
        assert await at_the_bank(world, payment) == ("REFUNDED", 1)

    async def test_the_bank_tells_of_it_before_the_actor_does(self, world: World) -> None:
        """Its notification makes the checker ask while the actor's answer is lost."""
        donation, payment = await paid(world)
        await world.bank.fail("Cancel", "timeout_after", seconds=5)
        refund = await wish_back(world, payment)
        await look(world, refund)
        await check_payment(world.parts, payment.id)
        assert (await now(world, refund)).status is RefundStatus.DONE
        assert await donation_row(world, donation) == ("refunded", 30_000)
        await books(world)

    async def test_the_bank_is_away_then_back(self, world: World) -> None:
        _, payment = await paid(world)
        refund = await wish_back(world, payment)
        world.simulator.kill()
        after = await look(world, refund)
        assert (after.status, after.error_code, after.before_minor) == (RefundStatus.WISHED, "unreachable", None)
        assert after.next_try_at is not None
        world.simulator.start()
        assert (await look(world, refund)).status is RefundStatus.DONE
        await books(world)

    async def test_the_bank_goes_away_between_question_and_call(self, world: World) -> None:
        class GoesAway(TBankClient):
            async def get_state(self, credentials: Credentials, provider_payment_id: str) -> PaymentState:
                state = await super().get_state(credentials, provider_payment_id)
                world.simulator.kill()
                return state

        _, payment = await paid(world)
        refund = await wish_back(world, payment)
        after = await look(world, refund, with_tbank(world.parts, GoesAway))
        assert (after.status, after.before_minor) == (RefundStatus.WISHED, None), "not a byte has left"
        world.simulator.start()
        assert (await look(world, refund)).status is RefundStatus.DONE


class TestRefusals:
    async def test_too_little_on_the_account(self, world: World) -> None:
        donation, payment = await paid(world)
        await world.bank.fail("Cancel", "error_code", code="3002")
        refund = await wish_back(world, payment)
        after = await look(world, refund)
        assert (after.status, after.error_code) == (RefundStatus.REFUSED, "3002")
        assert after.error_reason == "refund_without_funds"
        assert await donation_row(world, donation) == ("paid", 0)
        # After the top-up it is wished anew.
        again = await look(world, await wish_back(world, payment))
        assert again.status is RefundStatus.DONE
        await books(world)

    async def test_only_for_now(self, world: World) -> None:
        _, payment = await paid(world)
        await world.bank.fail("Cancel", "error_code", code="3029", times=2)
        refund = await wish_back(world, payment)
        after = await look(world, refund)
        assert (after.status, after.error_reason) == (RefundStatus.WISHED, "refund_later")
        minutes = await world.parts.pool.fetchval("SELECT extract(epoch FROM next_try_at - now()) / 60 FROM refunds")
        assert 60 < minutes < 65, "banks take one attempt an hour"
        assert (await look(world, refund)).status is RefundStatus.WISHED
        assert (await look(world, refund)).status is RefundStatus.DONE
        assert await at_the_bank(world, payment) == ("REFUNDED", 1)
        await books(world)

    async def test_for_now_for_a_day_and_a_half(self, world: World) -> None:
        _, payment = await paid(world)
        await world.bank.fail("Cancel", "error_code", code="3029")
        refund = await wish_back(world, payment)
        await world.parts.pool.execute("UPDATE refunds SET created_at = now() - interval '37 hours'")
        after = await look(world, refund)
        assert (after.status, after.error_reason) == (RefundStatus.REFUSED, "refund_later")

    async def test_key_and_secret_do_not_fit(self, world: World) -> None:
        _, payment = await paid(world)
        await world.bank.add_terminal(world.streamer.terminal_key, "another-password")
        refund = await wish_back(world, payment)
        after = await look(world, refund)
        assert (after.status, after.error_reason) == (RefundStatus.REFUSED, "credentials")

    async def test_key_and_secret_do_not_fit_any_more_while_it_may_be_done(self, world: World) -> None:
        """Then nobody may say that it was refused."""
        _, payment = await paid(world)
        await world.bank.fail("Cancel", "timeout_after", seconds=5)
        refund = await wish_back(world, payment)
        await look(world, refund)
        await world.bank.add_terminal(world.streamer.terminal_key, "another-password")
        after = await look(world, refund)
        assert (after.status, after.error_reason) == (RefundStatus.ASKING, "credentials")
        await world.bank.add_terminal(world.streamer.terminal_key)
        assert (await look(world, refund)).status is RefundStatus.DONE
        await books(world)


class TestBesideTheCabinet:
    async def test_all_went_back_there_before_we_asked(self, world: World) -> None:
        donation, payment = await paid(world)
        refund = await wish_back(world, payment, 10_000)
        await in_the_cabinet(world, payment, 30_000)
        after = await look(world, refund)
        assert (after.status, after.error_code) == (RefundStatus.REFUSED, refunds.ALREADY_BACK)
        assert await at_the_bank(world, payment) == ("REFUNDED", 1)
        assert await donation_row(world, donation) == ("refunded", 30_000)
        await books(world)

    async def test_a_part_went_back_there_and_ours_follows(self, world: World) -> None:
        donation, payment = await paid(world)
        refund = await wish_back(world, payment, 10_000)
        await in_the_cabinet(world, payment, 15_000)
        after = await look(world, refund)
        assert (after.status, after.before_minor) == (RefundStatus.DONE, 15_000)
        assert await at_the_bank(world, payment) == ("PARTIAL_REFUNDED", 2)
        assert await donation_row(world, donation) == ("partially_refunded", 25_000)
        await books(world)

    async def test_too_much_went_back_there(self, world: World) -> None:
        _, payment = await paid(world)
        refund = await wish_back(world, payment, 20_000)
        await in_the_cabinet(world, payment, 15_000)
        after = await look(world, refund)
        assert (after.status, after.error_code) == (RefundStatus.REFUSED, refunds.TOO_LITTLE_LEFT)
        assert await at_the_bank(world, payment) == ("PARTIAL_REFUNDED", 1)
        await books(world)

    async def test_a_chargeback_came_meanwhile(self, world: World) -> None:
        """The bank would give back what it has; the streamer has lost it already."""
        _, payment = await paid(world)
        refund = await wish_back(world, payment, 20_000)
        await charge_back(world, payment)
        after = await look(world, refund)
        assert (after.status, after.error_code) == (RefundStatus.REFUSED, refunds.TOO_LITTLE_LEFT)
        assert await at_the_bank(world, payment) == ("CONFIRMED", 0)

    async def test_a_chargeback_ends_no_refund_that_may_be_done(self, world: World) -> None:
        """The answer was lost, and what the bank says of the payment is older than the refund."""

        class LagsBehind(TBankClient):
            async def get_state(self, credentials: Credentials, provider_payment_id: str) -> PaymentState:
                state = await super().get_state(credentials, provider_payment_id)
                return dataclasses.replace(state, status=N.CONFIRMED, provider_status="CONFIRMED", amount_minor=30_000)

        _, payment = await paid(world)
        refund = await wish_back(world, payment, 20_000)
        await world.bank.fail("Cancel", "timeout_after", seconds=5)
        lagging = with_tbank(world.parts, LagsBehind)
        assert (await look(world, refund, lagging)).status is RefundStatus.ASKING
        await charge_back(world, payment)
        assert (await look(world, refund, lagging)).status is RefundStatus.ASKING, "not refused before it would show"
        assert (await look(world, refund)).status is RefundStatus.DONE
        assert await at_the_bank(world, payment) == ("PARTIAL_REFUNDED", 1)


class Refuses(TBankClient):
    """SBP took a refund, and then did not: the payment is as before, and perhaps there is a code that says why."""

    why = QrRefusal("", "")

    async def get_state(self, credentials: Credentials, provider_payment_id: str) -> PaymentState:
        state = await super().get_state(credentials, provider_payment_id)
        return dataclasses.replace(
            state, status=N.CONFIRMED, provider_status="CONFIRMED", amount_minor=30_000, method="sbp"
        )

    async def get_qr_state(self, credentials: Credentials, provider_payment_id: str) -> QrRefusal:  # noqa: ARG002
        return self.why


class TestBySbp:
    async def test_it_takes_its_time(self, world: World) -> None:
        donation, payment = await paid(world, "qrsbp")
        refund = await wish_back(world, payment, 10_000)
        after = await look(world, refund)
        assert after.status is RefundStatus.PENDING
        assert await donation_row(world, donation) == ("paid", 0), "not back yet"
        after = await _until_over(world, refund)
        assert after.status is RefundStatus.DONE
        assert await at_the_bank(world, payment) == ("PARTIAL_REFUNDED", 1)
        assert await donation_row(world, donation) == ("partially_refunded", 10_000)
        await books(world)

    async def test_the_answer_is_lost(self, world: World) -> None:
        """SBP knows no keys: nothing is asked for again while the first may have been heard."""
        _, payment = await paid(world, "qrsbp")
        await world.bank.fail("Cancel", "timeout_after", seconds=5)
        refund = await wish_back(world, payment, 10_000)
        assert (await look(world, refund)).status is RefundStatus.ASKING
        after = await _until_over(world, refund)
        assert after.status is RefundStatus.DONE
        assert await at_the_bank(world, payment) == ("PARTIAL_REFUNDED", 1)
        await books(world)

    async def test_the_bank_has_done_nothing(self, world: World) -> None:
        _, payment = await paid(world, "qrsbp")
        await world.bank.fail("Cancel", "error_500")
        refund = await wish_back(world, payment, 10_000)
        for _ in range(3):
            assert (await look(world, refund)).status is RefundStatus.ASKING
        assert await at_the_bank(world, payment) == ("CONFIRMED", 0), "it may show yet"
        await long_ago(world)
        assert (await look(world, refund)).status is RefundStatus.PENDING
        assert (await _until_over(world, refund)).status is RefundStatus.DONE
        assert await at_the_bank(world, payment) == ("PARTIAL_REFUNDED", 1)
        await books(world)

    async def test_in_doubt_and_then_refused_for_now_it_is_still_in_doubt(self, world: World) -> None:
        """One attempt an hour: perhaps because the bank has heard the first."""
        _, payment = await paid(world, "qrsbp")
        await world.bank.fail("Cancel", "error_500")
        refund = await wish_back(world, payment, 10_000)
        await look(world, refund)
        await long_ago(world)
        await world.bank.fail("Cancel", "error_code", code="3029")
        after = await look(world, refund)
        assert (after.status, after.before_minor, after.error_code) == (RefundStatus.ASKING, 0, "3029")
        await in_the_cabinet(world, payment, 10_000)
        assert (await _until_over(world, refund)).status is RefundStatus.DONE
        assert await at_the_bank(world, payment) == ("PARTIAL_REFUNDED", 1)

    async def test_ours_waits_for_anothers_that_is_on_its_way(self, world: World) -> None:
        donation, payment = await paid(world, "qrsbp")
        await in_the_cabinet(world, payment, 5_000)
        refund = await wish_back(world, payment, 10_000)
        after = await look(world, refund)
        assert (after.status, after.before_minor) == (RefundStatus.WISHED, None)
        after = await _until_over(world, refund)
        assert (after.status, after.before_minor) == (RefundStatus.DONE, 5_000)
        assert await at_the_bank(world, payment) == ("PARTIAL_REFUNDED", 2)
        assert await donation_row(world, donation) == ("partially_refunded", 15_000)
        await books(world)

    async def test_refused_on_its_way(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        donation, payment = await paid(world, "qrsbp")
        parts = with_tbank(world.parts, Refuses)
        refund = await wish_back(world, payment, 10_000)
        for _ in range(3):
            after = await look(world, refund, parts)
            assert after.status is RefundStatus.PENDING, "no reason: its answers may be older than its doings"
        monkeypatch.setattr(Refuses, "why", QrRefusal("I05043", "Банк получателя отклонил"))
        after = await look(world, refund, parts)
        assert (after.status, after.error_code) == (RefundStatus.REFUSED, "I05043")
        assert after.error_reason == "refund_refused"
        assert await donation_row(world, donation) == ("paid", 0)
        await books(world)

    async def test_refused_without_a_word(self, world: World) -> None:
        _, payment = await paid(world, "qrsbp")
        parts = with_tbank(world.parts, Refuses)
        refund = await wish_back(world, payment, 10_000)
        await look(world, refund, parts)
        await long_ago(world)
        assert (await look(world, refund, parts)).status is RefundStatus.REFUSED
        # Wrongly, as it turns out: the next look at the payment finds the money gone, and the books say so.
        async with asyncio.timeout(20):
            while (await at_the_bank(world, payment))[0] != "PARTIAL_REFUNDED":
                await asyncio.sleep(0.1)
        await check_payment(world.parts, payment.id)
        assert (await read(world, payment)).status is PaymentStatus.PARTIALLY_REFUNDED
        await books(world)


async def _until_over(world: World, refund: Refund) -> Refund:
    async with asyncio.timeout(20):
        while (after := await look(world, refund)).is_open:
            await asyncio.sleep(0.3)
    return after


class TestOtherMoney:
    async def test_a_surplus_goes_back_and_the_donation_stays(self, world: World) -> None:
        donation, first = await wish(world)
        await create_payment(world.parts, first.id)
        await world.bank.act((await read(world, first)).provider_payment_id, "decline", notify=False)
        await check_payment(world.parts, first.id)
        await try_again(world, donation)
        second = await newest(world, donation)
        await create_payment(world.parts, second.id)
        for payment in (second, first):
            await world.bank.act((await read(world, payment)).provider_payment_id, "pay", notify=False)
            await check_payment(world.parts, payment.id)
        surplus = await read(world, first)
        assert surplus.booked_as is BookedAs.SURPLUS

        assert (await look(world, await wish_back(world, surplus))).status is RefundStatus.DONE
        assert await at_the_bank(world, second) == ("CONFIRMED", 0)
        assert await donation_row(world, donation) == ("paid", 0)
        assert await donor_state(world, donation) is DonorState.QUEUED
        assert await all_minor(world) == 30_000
        await books(world)

    async def test_money_under_review_goes_back_whole(self, world: World) -> None:
        donation, payment = await wish(world)
        await create_payment(world.parts, payment.id)
        # The bank takes 300 ₽, and we think that we had asked for 400.
        await world.parts.pool.execute("UPDATE payments SET amount_minor = 40000")
        await world.parts.pool.execute("UPDATE donations SET amount_minor = 40000")
        await world.bank.act((await read(world, payment)).provider_payment_id, "pay", notify=False)
        await check_payment(world.parts, payment.id)
        assert await donor_state(world, donation) is DonorState.REVIEW
        after = await look(world, await wish_back(world, await read(world, payment), 30_000))
        assert after.status is RefundStatus.DONE
        assert await donor_state(world, donation) is DonorState.RETURNED
        await books(world)


class TestAtYooKassa:
    """It knows keys, and a refund has a state of its own."""

    async def test_pending_then_done_then_refused(self, world: World) -> None:
        shop = "100777"
        key = "test_key_of_the_shop"

        async def shop_refunds(**how: Any) -> None:
            await world.bank._post(
                "/_sim/yookassa/shops", {"shop_id": shop, "secret_key": key, **({"refunds": how} if how else {})}
            )

        await shop_refunds(seconds=1, result="succeeded")
        async with world.parts.pool.acquire() as connection, connection.transaction():
            terminal = await terminals.set_terminal(
                connection, world.parts.box, world.streamer.id, "yookassa", shop, key
            )
            donation = await make_donation(connection, world.streamer)
            payment = await latest_payment(connection, donation)
        assert payment.terminal_id == terminal.id
        await create_payment(world.parts, payment.id)
        opened = await read(world, payment)
        await world.bank._post(
            f"/_sim/yookassa/payments/{opened.provider_payment_id}/pay", {"method": "sbp", "notify": False}
        )
        await check_payment(world.parts, payment.id)
        payment = await read(world, payment)
        assert payment.status is PaymentStatus.CONFIRMED

        refund = await wish_back(world, payment, 10_000)
        assert (await look(world, refund)).status is RefundStatus.PENDING
        assert (await _until_over(world, refund)).status is RefundStatus.DONE
        assert await donation_row(world, donation) == ("partially_refunded", 10_000)

        await shop_refunds(seconds=0, result="canceled", reason="insufficient_funds")
        after = await look(world, await wish_back(world, payment, 10_000))
        assert (after.status, after.error_code) == (RefundStatus.REFUSED, "insufficient_funds")
        assert after.error_reason == "refund_without_funds"

        await shop_refunds(seconds=0, result="succeeded")
        await world.bank.fail("yookassa.refunds", "timeout_after", seconds=5)
        refund = await wish_back(world, payment, 20_000)
        assert (await look(world, refund)).status is RefundStatus.ASKING
        assert (await look(world, refund)).status is RefundStatus.DONE
        assert await donation_row(world, donation) == ("refunded", 30_000)
        await books(world)


async def test_the_method_is_learned_when_a_poll_tells_it(world: World) -> None:
    """T-Bank's notifications do not say how it was paid."""
    _, payment = await wish(world)
    await create_payment(world.parts, payment.id)
    opened = await read(world, payment)
    async with world.parts.pool.acquire() as connection, connection.transaction():
        await hear(connection, opened, N.CONFIRMED)
    await world.bank.act(opened.provider_payment_id, "pay", source="qrsbp", notify=False)
    assert (await read(world, payment)).method == ""
    await check_payment(world.parts, payment.id)
    async with world.parts.pool.acquire() as connection:
        found = await get_payment(connection, payment.id)
    assert found is not None
    assert found.method == "sbp"


async def test_the_donor_sees_what_was_returned(world: World) -> None:
    donation, payment = await paid(world)
    await look(world, await wish_back(world, payment, 10_000))
    async with world.parts.pool.acquire() as connection:
        view = await read_donor_view(connection, donation.public_id)
    assert view is not None
    assert (view.state, view.refunded_minor) == (DonorState.PARTIALLY_REFUNDED, 10_000)
