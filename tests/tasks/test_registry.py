"""The simulated bank's registry, read by the actor: fees, chargebacks, and what the bank knows and we do not."""

import asyncio
import hashlib
from datetime import datetime
from zoneinfo import ZoneInfo

import asyncpg
import httpx

from domain import differences, registry
from domain.differences import DifferenceKind
from domain.payment_status import NewsStatus
from domain.payments import Payment, PaymentStatus
from domain.registry_rows import RegistryKind
from domain.terminals import list_terminals
from providers.provider import Credentials, Refund
from tasks.checks import check_payment
from tasks.payments import create_payment
from tasks.registry import read_registry
from tests.builders import TERMINAL_PASSWORD, hear, make_streamer, open_donation
from tests.registry_files import bring as bring_file
from tests.registry_files import line
from tests.support.programs import Stack
from tests.tasks.conftest import World
from tests.tasks.test_payments import books, read, wish


async def opened(world: World) -> Payment:
    _, payment = await wish(world)
    await create_payment(world.parts, payment.id)
    return await read(world, payment)


async def paid(world: World) -> Payment:
    payment = await opened(world)
    await world.bank.act(payment.provider_payment_id, "pay", notify=False)
    await check_payment(world.parts, payment.id)
    return await read(world, payment)


async def bring(world: World) -> int:
    """Today's registry from the bank, stored and read; its file's id."""
    day = datetime.now(ZoneInfo("Europe/Moscow")).date()
    query = {"terminal_key": world.streamer.terminal_key, "day": day.isoformat()}
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{world.bank.url}/_sim/registry", params=query)
    assert answer.status_code == 200
    rows = world.parts.providers["tbank"].parse_registry(answer.content)
    async with world.parts.pool.acquire() as connection, connection.transaction():
        terminals = await list_terminals(connection, world.streamer.id)
        [stored] = await registry.store_file(
            connection,
            terminals=terminals,
            chosen=terminals[0],
            name="registry.csv",
            sha256=hashlib.sha256(answer.content).digest(),
            rows=rows,
            user_id=None,
        )
    await read_registry(world.parts, stored.id)
    return stored.id


async def kinds(world: World) -> list[DifferenceKind]:
    async with world.parts.pool.acquire() as connection:
        found = await differences.list_differences(connection, world.streamer.id)
    return sorted(difference.kind for difference in found)


async def fees(world: World) -> int:
    async with world.parts.pool.acquire() as connection:
        found = await connection.fetchval("SELECT sum(amount_minor) FROM ledger_entries WHERE account = 'fees'")
    return int(found or 0)


async def status_of(world: World, payment: Payment) -> str:
    async with world.parts.pool.acquire() as connection:
        return str(await connection.fetchval("SELECT status FROM donations WHERE id = $1", payment.donation_id))


async def test_fees_and_a_dispute_won_at_last(world: World) -> None:
    payment = await paid(world)
    await bring(world)
    assert await kinds(world) == []
    fee_minor = await fees(world)
    assert fee_minor == payment.amount_minor * 25 // 1000

    await world.bank.act(payment.provider_payment_id, "chargeback", fee_minor=5_000)
    first = await bring(world)
    assert await fees(world) == fee_minor + 5_000
    assert await status_of(world, payment) == "charged_back"
    await world.bank.act(payment.provider_payment_id, "chargeback_reversal")
    await bring(world)
    assert await status_of(world, payment) == "paid"
    await read_registry(world.parts, first)
    assert await status_of(world, payment) == "paid"
    assert await fees(world) == fee_minor + 5_000
    assert await kinds(world) == []
    await books(world)


async def test_what_the_bank_knows_and_we_do_not_is_asked_about(world: World) -> None:
    lost, given_back = await opened(world), await paid(world)
    await world.bank.act(lost.provider_payment_id, "pay", notify=False)
    assert given_back.provider_payment_id is not None
    credentials = Credentials(world.streamer.terminal_key, TERMINAL_PASSWORD)
    refund = Refund(given_back.provider_payment_id, 10_000, remaining_minor=30_000, key="cabinet")
    await world.parts.providers["tbank"].refund(credentials, refund)
    file_id = await bring(world)
    assert await kinds(world) == [DifferenceKind.NOT_BOOKED, DifferenceKind.REFUND]

    async with world.parts.pool.acquire() as connection:
        rows = await connection.fetch("SELECT id FROM payments WHERE next_check_at <= now()")
    assert {row["id"] for row in rows} == {lost.id, given_back.id}
    for row in rows:
        await check_payment(world.parts, row["id"])
    assert await kinds(world) == []
    assert (await read(world, lost)).status is PaymentStatus.CONFIRMED
    assert await status_of(world, given_back) == "partially_refunded"
    await read_registry(world.parts, file_id)
    assert await fees(world) == 2 * (lost.amount_minor * 25 // 1000)
    await books(world)


async def test_a_file_that_is_gone_is_nobodys_work(world: World) -> None:
    await read_registry(world.parts, 999)


async def test_a_file_is_read_by_the_workers_themselves(stack: Stack, pool: asyncpg.Pool) -> None:
    """From the page's transaction to the books: outbox, relay, queue, actor."""
    async with pool.acquire() as connection:
        streamer = await make_streamer(connection)
        _, payment = await open_donation(connection, streamer)
        await hear(connection, payment, NewsStatus.CONFIRMED)
        rows = [line(payment, fee_minor=700), line(payment, RegistryKind.CHARGEBACK)]
        await bring_file(connection, streamer, rows)
    stack.start("relay", "worker")
    async with asyncio.timeout(60):
        while not await pool.fetchval("SELECT read_at IS NOT NULL FROM registry_files"):
            await asyncio.sleep(0.1)
    assert await pool.fetchval("SELECT status FROM donations") == "charged_back"
    assert await pool.fetchval("SELECT sum(amount_minor) FROM ledger_entries WHERE account = 'fees'") == 700
