"""The ledger: each account, booked once, never changed, always in balance; the database is the last guard."""

from typing import Any

import asyncpg
import pytest

from domain import ledger
from domain.ledger import BookedAs
from domain.payment_status import NewsStatus as N
from domain.payments import Payment
from tests.builders import BuiltStreamer, check_books, hear, make_streamer, open_donation


async def confirmed(connection: Any) -> tuple[BuiltStreamer, Payment]:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.CONFIRMED)
    return streamer, payment


async def accounts(connection: asyncpg.Connection) -> dict[str, int]:
    """Credits are above zero here: what each account has got."""
    rows = await connection.fetch("SELECT account, -sum(amount_minor) AS sum FROM ledger_entries GROUP BY 1")
    return {row["account"]: int(row["sum"]) for row in rows if row["sum"]}


async def test_a_fee_is_booked_up_to_what_was_kept(connection: asyncpg.Connection) -> None:
    streamer, payment = await confirmed(connection)
    of_payment: dict[str, Any] = {"streamer_id": streamer.id, "payment_id": payment.id}
    booked, more_minor = await ledger.book_fee(connection, **of_payment, fees_minor=700)
    assert booked is not None
    assert more_minor == 700
    assert await ledger.book_fee(connection, **of_payment, fees_minor=700) == (None, 0)
    assert await ledger.book_fee(connection, **of_payment, fees_minor=500) == (None, 0)
    _, more_minor = await ledger.book_fee(connection, **of_payment, fees_minor=950)
    assert more_minor == 250
    assert await accounts(connection) == {"provider_clearing": -29_050, "streamer": 30_000, "fees": -950}


@pytest.mark.parametrize(
    ("booked_as", "account"), [("donation", "chargebacks"), ("surplus", "surplus"), ("review", "review")]
)
async def test_a_chargeback_takes_from_the_account_that_had_it(
    connection: asyncpg.Connection, booked_as: str, account: str
) -> None:
    streamer, payment = await confirmed(connection)
    of_payment: dict[str, Any] = {"streamer_id": streamer.id, "payment_id": payment.id}
    kind = BookedAs(booked_as)
    before = await accounts(connection)
    _, taken_minor = await ledger.book_chargeback(connection, **of_payment, charged_back_minor=20_000, booked_as=kind)
    again = await ledger.book_chargeback(connection, **of_payment, charged_back_minor=20_000, booked_as=kind)
    assert (taken_minor, again) == (20_000, (None, 0))
    after = await accounts(connection)
    assert after[account] == before.get(account, 0) - 20_000
    assert after["provider_clearing"] == -10_000

    _, given_minor = await ledger.book_chargeback_reversal(
        connection, **of_payment, reversed_minor=20_000, booked_as=kind
    )
    again = await ledger.book_chargeback_reversal(connection, **of_payment, reversed_minor=20_000, booked_as=kind)
    assert (given_minor, again) == (20_000, (None, 0))
    assert await accounts(connection) == before


async def test_money_that_moved_before_it_was_booked_says_when(connection: asyncpg.Connection) -> None:
    streamer, payment = await confirmed(connection)
    of_payment: dict[str, Any] = {"streamer_id": streamer.id, "payment_id": payment.id}
    moved_at = await connection.fetchval("SELECT now() - interval '3 days'")
    await ledger.book_fee(connection, **of_payment, fees_minor=700, moved_at=moved_at)
    # A file that tells of tomorrow does not make money move there.
    tomorrow = await connection.fetchval("SELECT now() + interval '1 day'")
    await ledger.book_fee(connection, **of_payment, fees_minor=900, moved_at=tomorrow)
    rows = await connection.fetch("SELECT moved_at FROM ledger_transactions ORDER BY id")
    assert [row["moved_at"] for row in rows] == [None, moved_at, None]


@pytest.mark.parametrize("table", ["ledger_transactions", "ledger_entries", "payment_news"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET payment_id = payment_id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
async def test_what_was_written_stays(connection: asyncpg.Connection, table: str, statement: str) -> None:
    await confirmed(connection)
    # Else PostgreSQL itself refuses to empty a table whose balance is still to be checked.
    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    if table == "ledger_entries":
        statement = statement.replace("payment_id = payment_id", "amount_minor = amount_minor")
    with pytest.raises(asyncpg.RestrictViolationError, match="append only"):
        async with connection.transaction():
            await connection.execute(statement.format(table))
    await check_books(connection)


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [("provider_clearing", 500)],
        [("provider_clearing", 500), ("fees", -499)],
        [("provider_clearing", 500), ("fees", -300), ("streamer", -100)],
    ],
)
async def test_a_transaction_out_of_balance_is_refused_at_commit(
    pool: asyncpg.Pool, entries: list[tuple[str, int]]
) -> None:
    async def write(connection: Any, streamer: BuiltStreamer, payment: Payment) -> None:
        async with connection.transaction():
            transaction_id = await connection.fetchval(
                "INSERT INTO ledger_transactions (kind, streamer_id, payment_id, reached_minor)"
                " VALUES ('fee', $1, $2, 500) RETURNING id",
                streamer.id,
                payment.id,
            )
            for account, amount_minor in entries:
                await connection.execute(
                    "INSERT INTO ledger_entries (transaction_id, streamer_id, account, amount_minor)"
                    " VALUES ($1, $2, $3, $4)",
                    transaction_id,
                    streamer.id,
                    account,
                    amount_minor,
                )

    async with pool.acquire() as connection:
        streamer, payment = await confirmed(connection)
        with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
            await write(connection, streamer, payment)
        assert await connection.fetchval("SELECT count(*) FROM ledger_transactions WHERE kind = 'fee'") == 0
        await check_books(connection)


async def test_an_entry_added_to_a_transaction_later_is_refused(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        streamer, _ = await confirmed(connection)
        with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
            await connection.execute(
                "INSERT INTO ledger_entries (transaction_id, streamer_id, account, amount_minor)"
                " SELECT id, $1, 'fees', 100 FROM ledger_transactions",
                streamer.id,
            )
        await check_books(connection)
