"""Opening payments at the (simulated) bank, and what is left when a worker dies or the bank is silent."""

import asyncio

import pytest
from dramatiq.errors import Retry

from domain.donations import CreatedDonation, DonorState, read_donor_view, retry
from domain.ledger import BookedAs
from domain.payments import Payment, PaymentStatus, claim_opening, get_payment
from domain.terminals import get_terminal
from tasks.checks import check_payment
from tasks.payments import create_payment, open_at_provider
from tests.builders import check_books, latest_payment, make_donation
from tests.tasks.conftest import World


async def wish(world: World) -> tuple[CreatedDonation, Payment]:
    async with world.parts.pool.acquire() as connection, connection.transaction():
        donation = await make_donation(connection, world.streamer)
        return donation, await latest_payment(connection, donation)


async def read(world: World, payment: Payment) -> Payment:
    async with world.parts.pool.acquire() as connection:
        found = await get_payment(connection, payment.id)
    assert found is not None
    return found


async def newest(world: World, donation: CreatedDonation) -> Payment:
    async with world.parts.pool.acquire() as connection:
        return await latest_payment(connection, donation)


async def donor_state(world: World, donation: CreatedDonation) -> DonorState:
    async with world.parts.pool.acquire() as connection:
        view = await read_donor_view(connection, donation.public_id)
    assert view is not None
    return view.state


async def books(world: World) -> None:
    async with world.parts.pool.acquire() as connection:
        await check_books(connection)


async def try_again(world: World, donation: CreatedDonation) -> None:
    async with world.parts.pool.acquire() as connection, connection.transaction():
        await retry(connection, donation.public_id, link_minutes=30)


async def test_a_payment_gets_its_url_once(world: World) -> None:
    donation, payment = await wish(world)
    assert await donor_state(world, donation) is DonorState.CREATING
    await create_payment(world.parts, payment.id)
    await create_payment(world.parts, payment.id)
    after = await read(world, payment)
    assert after.status is PaymentStatus.PENDING
    assert after.payment_url
    assert len(await world.bank.payments(payment.order_id)) == 1
    assert await donor_state(world, donation) is DonorState.OPEN


async def test_two_workers_at_once_open_one_payment(world: World) -> None:
    _, payment = await wish(world)
    results = await asyncio.gather(*(create_payment(world.parts, payment.id) for _ in range(5)), return_exceptions=True)
    # One opens it; who comes when that is done finds nothing to do.
    assert None in results
    assert all(isinstance(result, Retry) for result in results if result is not None)
    assert len(await world.bank.payments(payment.order_id)) == 1


async def test_the_bank_is_away_then_back(world: World) -> None:
    donation, payment = await wish(world)
    world.simulator.kill()
    with pytest.raises(Retry):
        await create_payment(world.parts, payment.id)
    assert (await read(world, payment)).status is PaymentStatus.NEW
    assert await donor_state(world, donation) is DonorState.UNAVAILABLE
    world.simulator.start()
    await create_payment(world.parts, payment.id)
    assert await donor_state(world, donation) is DonorState.OPEN
    assert len(await world.bank.payments(payment.order_id)) == 1


async def test_the_answer_to_init_is_lost(world: World) -> None:
    """The bank made the payment and we never heard: it is called off, and a new attempt gets a new order."""
    donation, payment = await wish(world)
    await world.bank.fail("Init", "timeout_after", times=1, seconds=5)
    with pytest.raises(Retry):
        await create_payment(world.parts, payment.id)
    assert (await read(world, payment)).status is PaymentStatus.OPENING

    await create_payment(world.parts, payment.id)
    second = await newest(world, donation)
    assert second.attempt == 2
    assert second.order_id != payment.order_id
    await create_payment(world.parts, second.id)
    assert await donor_state(world, donation) is DonorState.OPEN
    assert [state["status"] for state in await world.bank.payments(payment.order_id)] == ["CANCELED"]
    assert (await read(world, payment)).status is PaymentStatus.CANCELLED
    await books(world)


async def test_the_worker_died_between_init_and_our_write(world: World) -> None:
    donation, payment = await wish(world)
    async with world.parts.pool.acquire() as connection:
        claimed = await claim_opening(connection, payment.id, link_minutes=30)
        assert claimed is not None
        terminal = await get_terminal(connection, payment.terminal_id)
    opened = await open_at_provider(world.parts, claimed, world.parts.account(terminal))

    # Somebody may still be at it: nobody else touches it yet.
    with pytest.raises(Retry):
        await create_payment(world.parts, payment.id)
    await world.parts.pool.execute("UPDATE payments SET opening_at = now() - interval '1 minute'")
    await asyncio.gather(*(create_payment(world.parts, payment.id) for _ in range(3)), return_exceptions=True)
    second = await newest(world, donation)
    assert second.attempt == 2
    await create_payment(world.parts, second.id)
    (orphan,) = await world.bank.payments(payment.order_id)
    assert (str(orphan["id"]), orphan["status"]) == (opened.provider_payment_id, "CANCELED")
    assert await donor_state(world, donation) is DonorState.OPEN


async def test_the_bank_refuses_for_good(world: World) -> None:
    donation, payment = await wish(world)
    await world.bank.fail("Init", "error_code", code="204", times=1)
    await create_payment(world.parts, payment.id)
    assert (await read(world, payment)).status is PaymentStatus.FAILED
    assert await donor_state(world, donation) is DonorState.REFUSED
    assert await world.parts.pool.fetchval("SELECT count(*) FROM outbox WHERE name = 'payment.failed'") == 1

    await try_again(world, donation)
    await create_payment(world.parts, (await newest(world, donation)).id)
    assert await donor_state(world, donation) is DonorState.OPEN


async def test_after_ten_minutes_nobody_waits(world: World) -> None:
    donation, payment = await wish(world)
    await world.parts.pool.execute("UPDATE payments SET created_at = now() - interval '11 minutes'")
    world.simulator.kill()
    await create_payment(world.parts, payment.id)
    assert (await read(world, payment)).status is PaymentStatus.FAILED
    assert await donor_state(world, donation) is DonorState.UNAVAILABLE


async def test_a_new_attempt_calls_off_the_one_before(world: World) -> None:
    donation, first = await wish(world)
    await create_payment(world.parts, first.id)
    await world.parts.pool.execute("UPDATE payments SET due_at = now() - interval '1 minute'")
    await try_again(world, donation)
    await create_payment(world.parts, (await newest(world, donation)).id)
    assert (await read(world, first)).status is PaymentStatus.CANCELLED
    assert [state["status"] for state in await world.bank.payments(first.order_id)] == ["CANCELED"]
    assert await donor_state(world, donation) is DonorState.OPEN


async def test_a_declined_attempt_that_is_paid_after_all_is_surplus(world: World) -> None:
    donation, first = await wish(world)
    await create_payment(world.parts, first.id)
    await world.bank.act((await read(world, first)).provider_payment_id, "decline", notify=False)
    await check_payment(world.parts, first.id)
    assert await donor_state(world, donation) is DonorState.DECLINED

    await try_again(world, donation)
    second = await newest(world, donation)
    await create_payment(world.parts, second.id)
    assert await donor_state(world, donation) is DonorState.OPEN
    for payment in (second, first):
        await world.bank.act((await read(world, payment)).provider_payment_id, "pay", notify=False)
        await check_payment(world.parts, payment.id)
    assert (await read(world, second)).booked_as is BookedAs.DONATION
    assert (await read(world, first)).booked_as is BookedAs.SURPLUS
    await books(world)


async def test_the_earlier_attempt_was_paid_meanwhile(world: World) -> None:
    donation, first = await wish(world)
    await create_payment(world.parts, first.id)
    provider_payment_id = (await read(world, first)).provider_payment_id
    await world.bank.act(provider_payment_id, "decline", notify=False)
    await check_payment(world.parts, first.id)
    await try_again(world, donation)
    second = await newest(world, donation)
    await world.bank.act(provider_payment_id, "pay", notify=False)

    await create_payment(world.parts, second.id)
    assert (await read(world, first)).status is PaymentStatus.CONFIRMED
    assert (await read(world, second)).status is PaymentStatus.CANCELLED
    assert await donor_state(world, donation) is DonorState.QUEUED
    assert await world.bank.payments(second.order_id) == []
    await books(world)


async def test_a_check_finds_what_no_notification_told(world: World) -> None:
    donation, payment = await wish(world)
    await create_payment(world.parts, payment.id)
    await world.bank.act((await read(world, payment)).provider_payment_id, "pay", notify=False)
    await check_payment(world.parts, payment.id)
    await check_payment(world.parts, payment.id)
    assert await donor_state(world, donation) is DonorState.QUEUED
    await books(world)


async def test_silence_never_expires_a_payment_but_an_answer_does(world: World) -> None:
    _, payment = await wish(world)
    await create_payment(world.parts, payment.id)
    await world.parts.pool.execute("UPDATE payments SET due_at = now() - interval '2 hours'")
    await world.bank.fail("GetState", "error_500", times=1)
    await check_payment(world.parts, payment.id)
    assert (await read(world, payment)).status is PaymentStatus.PENDING
    await check_payment(world.parts, payment.id)
    after = await read(world, payment)
    assert (after.status, after.next_check_at) == (PaymentStatus.EXPIRED, None)


async def test_an_expired_link_is_found_by_asking(world: World) -> None:
    donation, payment = await wish(world)
    await create_payment(world.parts, payment.id)
    await world.bank.act((await read(world, payment)).provider_payment_id, "expire")
    await check_payment(world.parts, payment.id)
    assert await donor_state(world, donation) is DonorState.EXPIRED
