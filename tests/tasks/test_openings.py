"""Attempts that need no opening any more, cannot be opened, or whose former attempt stands in the way."""

from typing import Any

import pytest
from dramatiq.errors import Retry

from domain.donations import DonorState
from domain.news import Source
from domain.payment_status import NewsStatus
from domain.payments import Payment, PaymentStatus
from domain.terminals import set_terminal
from providers.provider import Credentials, PaymentState
from providers.tbank.client import TBankClient
from tasks.checks import check_payment
from tasks.payments import create_payment
from tests.builders import TERMINAL_PASSWORD, hear
from tests.tasks.conftest import World, with_tbank
from tests.tasks.test_payments import books, donor_state, newest, read, try_again, wish


async def declined(world: World) -> tuple[Any, Payment, Payment]:
    """A donation whose first attempt was declined, and a second that waits for its worker."""
    donation, first = await wish(world)
    await create_payment(world.parts, first.id)
    first = await read(world, first)
    await world.bank.act(first.provider_payment_id, "decline", notify=False)
    await check_payment(world.parts, first.id)
    await try_again(world, donation)
    return donation, first, await newest(world, donation)


async def test_news_of_money_came_before_the_next_attempt_was_opened(world: World) -> None:
    donation, first, second = await declined(world)
    async with world.parts.pool.acquire() as connection, connection.transaction():
        await hear(connection, first, NewsStatus.CONFIRMED)
    await create_payment(world.parts, second.id)
    assert await world.bank.payments(second.order_id) == []
    assert (await read(world, second)).status is PaymentStatus.CANCELLED
    assert await donor_state(world, donation) is DonorState.QUEUED
    await books(world)


async def test_given_up_is_not_opened(world: World) -> None:
    donation, _, second = await declined(world)
    await world.parts.pool.execute("UPDATE payments SET created_at = now() - interval '11 minutes'")
    await world.bank.fail("GetState", "error_500", times=1)
    await create_payment(world.parts, second.id)
    assert await world.bank.payments(second.order_id) == []
    assert (await read(world, second)).status is PaymentStatus.FAILED
    assert await donor_state(world, donation) is DonorState.UNAVAILABLE


async def test_a_former_terminal_that_is_gone_does_not_stand_in_the_way(world: World) -> None:
    donation, first, second = await declined(world)
    await world.bank.fail("GetState", "error_code", code="204", times=5)
    await create_payment(world.parts, second.id)
    assert await donor_state(world, donation) is DonorState.OPEN
    assert (await read(world, first)).status is PaymentStatus.FAILED


async def test_a_former_attempt_paid_while_it_is_called_off(world: World) -> None:
    """The bank gives the money back, which nobody could foresee: the donation is refunded, not offered again."""

    class PaidMeanwhile(TBankClient):
        async def get_state(self, credentials: Credentials, provider_payment_id: str) -> PaymentState:
            state = await super().get_state(credentials, provider_payment_id)
            await world.bank.act(provider_payment_id, "pay", notify=False)
            return state

    donation, first = await wish(world)
    await create_payment(world.parts, first.id)
    await world.parts.pool.execute("UPDATE payments SET due_at = now() - interval '1 minute'")
    await try_again(world, donation)
    second = await newest(world, donation)
    parts = with_tbank(world.parts, PaidMeanwhile)
    await create_payment(parts, second.id)
    assert (await read(world, first)).status is PaymentStatus.REFUNDED
    assert await world.bank.payments(second.order_id) == []
    assert await donor_state(world, donation) is DonorState.REFUNDED
    await books(world)


async def test_an_opening_the_bank_will_not_speak_of_is_given_up(world: World) -> None:
    donation, payment = await wish(world)
    await world.bank.fail("Init", "timeout_after", times=1, seconds=5)
    with pytest.raises(Retry):
        await create_payment(world.parts, payment.id)
    await world.bank.fail("CheckOrder", "error_code", code="204", times=5)
    with pytest.raises(Retry):
        await create_payment(world.parts, payment.id)
    await world.parts.pool.execute("UPDATE payments SET created_at = now() - interval '11 minutes'")
    await create_payment(world.parts, payment.id)
    after = await read(world, payment)
    assert (after.status, after.next_check_at) == (PaymentStatus.FAILED, None)
    assert await donor_state(world, donation) is DonorState.UNAVAILABLE
    await try_again(world, donation)
    await create_payment(world.parts, (await newest(world, donation)).id)
    assert await donor_state(world, donation) is DonorState.OPEN


async def test_a_lost_opening_is_followed_on_the_terminal_of_now(world: World) -> None:
    donation, payment = await wish(world)
    await world.bank.fail("Init", "timeout_after", times=1, seconds=5)
    with pytest.raises(Retry):
        await create_payment(world.parts, payment.id)
    async with world.parts.pool.acquire() as connection, connection.transaction():
        terminal = await set_terminal(
            connection, world.parts.box, world.streamer.id, "tbank", "NEWTERMINALDEMO", TERMINAL_PASSWORD
        )
    await world.bank.add_terminal("NEWTERMINALDEMO")
    await create_payment(world.parts, payment.id)
    second = await newest(world, donation)
    assert second.terminal_id == terminal.id
    await create_payment(world.parts, second.id)
    assert await donor_state(world, donation) is DonorState.OPEN


async def test_an_opening_heard_of_and_lost_is_followed_by_another(world: World) -> None:
    """The terminal tells of NEW, then the worker dies before it writes the URL."""
    donation, payment = await wish(world)
    await world.bank.fail("Init", "timeout_after", times=1, seconds=5)
    with pytest.raises(Retry):
        await create_payment(world.parts, payment.id)
    (opened,) = await world.bank.payments(payment.order_id)
    async with world.parts.pool.acquire() as connection, connection.transaction():
        await hear(connection, payment, NewsStatus.PENDING, provider_payment_id=str(opened["id"]))
    await create_payment(world.parts, payment.id)
    second = await newest(world, donation)
    assert second.attempt == 2
    await create_payment(world.parts, second.id)
    assert await donor_state(world, donation) is DonorState.OPEN
    assert (await read(world, payment)).status is PaymentStatus.CANCELLED


async def test_a_link_never_had_has_not_expired(world: World) -> None:
    donation, payment = await wish(world)
    await world.bank.fail("Init", "timeout_after", times=1, seconds=5)
    with pytest.raises(Retry):
        await create_payment(world.parts, payment.id)
    await world.parts.pool.execute("UPDATE donations SET created_at = now() - interval '11 minutes'")
    await create_payment(world.parts, payment.id)
    assert (await newest(world, donation)).id == payment.id
    assert await donor_state(world, donation) is DonorState.UNAVAILABLE


async def test_what_the_bank_answered_can_be_read_later(world: World) -> None:
    _, payment = await wish(world)
    await create_payment(world.parts, payment.id)
    await world.bank.act((await read(world, payment)).provider_payment_id, "pay", notify=False)
    await check_payment(world.parts, payment.id)
    raw = await world.parts.pool.fetchval("SELECT raw FROM payment_news WHERE source = $1", Source.POLL)
    assert b'"CONFIRMED"' in raw


async def overdue(world: World) -> tuple[Any, Payment, Payment]:
    """A donation whose first link has run out, and a second attempt that waits for its worker."""
    donation, first = await wish(world)
    await create_payment(world.parts, first.id)
    await world.parts.pool.execute("UPDATE payments SET due_at = now() - interval '1 minute'")
    await try_again(world, donation)
    return donation, first, await newest(world, donation)


async def test_a_slow_bank_has_its_time_for_each_call(world: World) -> None:
    """The claim is younger than the answer before: who presses "try now" meanwhile finds a live worker."""
    donation, _, second = await overdue(world)
    calls: list[str] = []

    class SlowBank(TBankClient):
        async def _call(self, method: str, credentials: Credentials, fields: dict[str, Any]) -> dict[str, Any]:
            called_at = await world.parts.pool.fetchval("SELECT clock_timestamp()")
            claimed_at = (await read(world, second)).opening_at
            assert claimed_at is not None
            assert answered_at is None or answered_at <= claimed_at <= called_at
            calls.append(method)
            with pytest.raises(Retry):
                await create_payment(world.parts, second.id)
            answer = await super()._call(method, credentials, fields)
            await note_answer()
            return answer

    answered_at: Any = None

    async def note_answer() -> None:
        nonlocal answered_at
        answered_at = await world.parts.pool.fetchval("SELECT clock_timestamp()")

    parts = with_tbank(world.parts, SlowBank)
    await create_payment(parts, second.id)
    assert calls == ["GetState", "Cancel", "Init", "GetQr"]
    assert await donor_state(world, donation) is DonorState.OPEN
    assert (await newest(world, donation)).id == second.id


@pytest.mark.parametrize("method", ["GetState", "Cancel"])
async def test_who_was_taken_for_lost_stops(world: World, method: str) -> None:
    """Its worker hung for a minute; somebody settled the opening and went on with a third attempt."""
    donation, _, second = await overdue(world)

    class HangsOnce(TBankClient):
        async def _call(self, called: str, credentials: Credentials, fields: dict[str, Any]) -> dict[str, Any]:
            answer = await super()._call(called, credentials, fields)
            if called == method:
                await world.parts.pool.execute(
                    "UPDATE payments SET opening_at = now() - interval '1 minute' WHERE id = $1", second.id
                )
                await create_payment(world.parts, second.id)
                await create_payment(world.parts, (await newest(world, donation)).id)
            return answer

    parts = with_tbank(world.parts, HangsOnce)
    await create_payment(parts, second.id)
    assert await world.bank.payments(second.order_id) == []
    third = await newest(world, donation)
    assert third.attempt == 3
    assert [state["status"] for state in await world.bank.payments(third.order_id)] == ["NEW"]
    assert await donor_state(world, donation) is DonorState.OPEN
    await books(world)
