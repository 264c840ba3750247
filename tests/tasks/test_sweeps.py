"""What stands still is found by its state and asked for again, without a flood of wishes."""

import uuid

import asyncpg
import pytest

from domain import overlays
from domain.payment_status import NewsStatus as N
from domain.payments import ask_due_payments
from tasks.sweeps import sweep
from tests.builders import (
    hear,
    latest_payment,
    make_donation,
    make_streamer,
    notification_body,
    open_donation,
)
from tests.domain.test_alerts import connect


async def wishes(connection: asyncpg.Connection) -> list[tuple[str, int]]:
    rows = await connection.fetch("DELETE FROM outbox WHERE kind = 'task' RETURNING name, data")
    return sorted((row["name"], row["data"]["argument"]) for row in rows)


async def test_a_payment_nobody_opened_is_asked_for(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    payment = await latest_payment(connection, await make_donation(connection, streamer))
    assert await ask_due_payments(connection) == 0
    await connection.execute("UPDATE payments SET next_check_at = now()")
    assert await ask_due_payments(connection) == 1
    assert await wishes(connection) == [("create_payment", payment.id)]
    assert await ask_due_payments(connection) == 0


async def test_checks_get_rarer(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    waits = []
    for _ in range(7):
        await connection.execute("UPDATE payments SET next_check_at = now()")
        assert await ask_due_payments(connection) == 1
        waits.append(
            await connection.fetchval("SELECT extract(epoch FROM next_check_at - now())::float8 FROM payments")
        )
    assert await wishes(connection) == [("check_payment", payment.id)] * 7
    expected = [10, 20, 40, 80, 160, 180, 180]
    assert all(0.85 * wanted < wait < 1.15 * wanted for wanted, wait in zip(expected, waits, strict=True)), waits


async def test_a_final_payment_is_never_asked_about(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.CONFIRMED)
    assert await connection.fetchval("SELECT next_check_at FROM payments WHERE id = $1", payment.id) is None


async def test_an_unprocessed_notification_is_asked_for(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    inbox_id = await connection.fetchval(
        "INSERT INTO inbox (terminal_id, dedup_key, body) VALUES ($1, 'token', $2) RETURNING id",
        streamer.terminal_id,
        notification_body(streamer.terminal_key, payment, "CONFIRMED"),
    )
    await wishes(connection)
    assert await sweep(connection) == 0
    await connection.execute("UPDATE inbox SET next_ask_at = now()")
    assert await sweep(connection) == 1
    assert await wishes(connection) == [("apply_notification", inbox_id)]
    assert await sweep(connection) == 0


async def test_totals_behind_the_ledger_are_asked_for(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.CONFIRMED)
    await wishes(connection)
    assert await sweep(connection) == 0
    await connection.execute("UPDATE streamer_totals SET ledger_transaction_id = 0")
    assert await sweep(connection) == 1
    assert await wishes(connection) == [("update_totals", streamer.id)]


async def test_an_alert_waits_while_an_overlay_is_connected(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.CONFIRMED)
    await connection.execute("UPDATE alerts SET playable_at = now() - interval '1 minute'")
    await wishes(connection)
    assert await sweep(connection) == 0
    await connection.execute(
        """
        WITH process AS (INSERT INTO realtime_processes (id) VALUES (gen_random_uuid()) RETURNING id),
             token AS (INSERT INTO overlay_tokens (streamer_id, token_hash, token_encrypted)
                       VALUES ($1, sha256('x'), 'x') RETURNING id)
        INSERT INTO overlays (id, streamer_id, token_id, process_id, in_obs)
        SELECT gen_random_uuid(), $1, token.id, process.id, true FROM process, token
        """,
        streamer.id,
    )
    assert await sweep(connection) == 1
    assert await wishes(connection) == [("wake_overlay", streamer.id)]


@pytest.mark.parametrize("broken", ["letters", "blocks", "realtime_processes"])
async def test_a_part_that_fails_keeps_no_other_back(
    connection: asyncpg.Connection, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Before, behind and at the end of what is asked for."""
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.CONFIRMED)
    await connection.execute("UPDATE streamer_totals SET ledger_transaction_id = 0")
    await connection.execute(f"ALTER TABLE {broken} RENAME TO gone")
    assert await sweep(connection) == 1
    assert "failed; the rest is done without it" in caplog.text


async def test_old_forms_are_forgotten(connection: asyncpg.Connection) -> None:
    await make_donation(connection, await make_streamer(connection))
    await connection.execute("UPDATE donation_forms SET created_at = now() - interval '2 days'")
    await sweep(connection)
    assert await connection.fetchval("SELECT count(*) FROM donation_forms") == 0


async def be_up_for(connection: asyncpg.Connection, interval: str) -> None:
    """As if PostgreSQL had been started so long ago, until the transaction ends."""
    await connection.execute(
        f"""
        CREATE SCHEMA started;
        CREATE FUNCTION started.pg_postmaster_start_time() RETURNS timestamptz LANGUAGE sql
            RETURN now() - interval '{interval}';
        SET LOCAL search_path = started, pg_catalog, public;
        """
    )


async def test_overlays_of_a_dead_process_were_present_until_it_died(connection: asyncpg.Connection) -> None:
    await be_up_for(connection, "1 hour")
    streamer = await make_streamer(connection)
    await connect(connection, streamer)
    await connection.execute("UPDATE realtime_processes SET renewed_at = now() - interval '11 minutes'")
    await sweep(connection)
    assert await overlays.list_overlays(connection, streamer.id) == []
    assert await connection.fetchval("SELECT now() - last_present_at = interval '11 minutes' FROM speakers")


@pytest.mark.parametrize(("up_for", "silent_for"), [("30 seconds", "6 minutes"), ("1 hour", "30 seconds")])
async def test_a_process_that_may_live_is_left_alone(
    connection: asyncpg.Connection, up_for: str, silent_for: str
) -> None:
    """While PostgreSQL was away nobody could say that he lives."""
    await be_up_for(connection, up_for)
    streamer, process_id = await make_streamer(connection), uuid.uuid4()
    await connect(connection, streamer, process_id=process_id)
    await connection.execute("UPDATE realtime_processes SET renewed_at = now() - $1::text::interval", silent_for)
    await sweep(connection)
    assert len(await overlays.list_overlays(connection, streamer.id)) == 1
