"""Chargebacks: the books, the donation and its alert follow the registry; the streamer is told, the stream is not."""

import json
import uuid

import asyncpg
import pytest

from domain import alerts, chargebacks, control, registry, showing
from domain.errors import NotFoundError
from domain.ledger import BookedAs
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.payments import Payment, get_payment
from domain.pressers import Presser, PresserKind
from domain.refunds import refundable_minor
from domain.registry_rows import RegistryKind as K
from domain.totals import read_totals
from tests.builders import (
    BuiltStreamer,
    hear,
    latest_payment,
    make_donation,
    make_streamer,
    open_donation,
    open_payment,
)
from tests.domain.test_alerts import connect, pick
from tests.registry_files import bring_and_read, check_all, line, read


async def confirmed(connection: asyncpg.Connection, amount_minor: int = 30_000) -> tuple[BuiltStreamer, Payment]:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer, amount_minor=amount_minor)
    await hear(connection, payment, N.CONFIRMED)
    return streamer, payment


async def donation_of(connection: asyncpg.Connection, payment: Payment) -> tuple[str, int]:
    row = await connection.fetchrow(
        "SELECT status, charged_back_minor FROM donations WHERE id = $1", payment.donation_id
    )
    assert row is not None
    return row["status"], row["charged_back_minor"]


async def test_a_chargeback_takes_the_donation_back_everywhere(connection: asyncpg.Connection) -> None:
    streamer, payment = await confirmed(connection)
    await bring_and_read(connection, streamer, line(payment), line(payment, K.CHARGEBACK))

    assert await donation_of(connection, payment) == ("charged_back", 30_000)
    after = await read_totals(connection, streamer.id)
    assert (after.all_minor, after.donations, after.today_minor) == (0, 0, 0)
    assert await connection.fetchval("SELECT status FROM alerts") == "dropped"
    now = await get_payment(connection, payment.id)
    assert now is not None
    assert await refundable_minor(connection, now) == 0
    news = await connection.fetchrow("SELECT source, note, raw FROM payment_news ORDER BY id DESC LIMIT 1")
    assert news is not None
    assert (news["source"], news["note"]) == ("registry", "30000 kopecks charged back")
    assert news["raw"].decode().startswith("chargeback;")
    [event] = await connection.fetch("SELECT data FROM outbox WHERE name = 'payment.charged_back'")
    data = event["data"] if isinstance(event["data"], dict) else json.loads(event["data"])
    assert data == {
        "booked_as": "donation",
        "payment_id": payment.id,
        "donation_id": payment.donation_id,
        "streamer_id": streamer.id,
        "amount_minor": 30_000,
        "charged_back_minor": 30_000,
        "reversed_minor": 0,
        "currency": "RUB",
    }
    # Never on stream: nobody is woken to show anything but what changed.
    assert await connection.fetchval("SELECT count(*) FROM alerts") == 1
    await check_all(connection)


async def test_reading_again_changes_nothing(connection: asyncpg.Connection) -> None:
    streamer, payment = await confirmed(connection)
    stored = await bring_and_read(connection, streamer, line(payment, fee_minor=700), line(payment, K.CHARGEBACK))
    await chargebacks.mark_read(connection, streamer.id, payment.id, streamer.owner_id)
    before = await connection.fetchval("SELECT count(*) FROM ledger_transactions")
    await read(connection, stored.id)
    await read(connection, stored.id)
    assert await chargebacks.book(connection, payment.id) is None
    assert await connection.fetchval("SELECT count(*) FROM ledger_transactions") == before
    assert await connection.fetchval("SELECT count(*) FROM outbox WHERE name = 'payment.charged_back'") == 1
    assert await chargebacks.count_unread(connection, streamer.id) == 0
    await check_all(connection)


async def test_a_won_dispute_brings_the_donation_back_and_not_its_alert(connection: asyncpg.Connection) -> None:
    streamer, payment = await confirmed(connection)
    await bring_and_read(connection, streamer, line(payment), line(payment, K.CHARGEBACK))
    await bring_and_read(connection, streamer, line(payment, K.CHARGEBACK_REVERSAL))
    assert await donation_of(connection, payment) == ("paid", 0)
    after = await read_totals(connection, streamer.id)
    assert (after.all_minor, after.donations) == (30_000, 1)
    assert await connection.fetchval("SELECT status FROM alerts") == "dropped"
    # And taken again, after the arbitration.
    await bring_and_read(connection, streamer, line(payment, K.CHARGEBACK, provider_kind="2Chargeback"))
    assert await donation_of(connection, payment) == ("charged_back", 30_000)
    [found] = await chargebacks.list_chargebacks(connection, streamer.id)
    assert (found.charged_back_minor, found.reversed_minor, found.held_minor) == (60_000, 30_000, 30_000)
    await check_all(connection)


async def test_a_reversal_told_before_its_chargeback_waits(connection: asyncpg.Connection) -> None:
    streamer, payment = await confirmed(connection)
    taken, given = line(payment, K.CHARGEBACK), line(payment, K.CHARGEBACK_REVERSAL)
    await bring_and_read(connection, streamer, given)
    assert await connection.fetchval("SELECT count(*) FROM ledger_transactions WHERE kind <> 'payment'") == 0
    await bring_and_read(connection, streamer, taken)
    assert await donation_of(connection, payment) == ("paid", 0)
    await check_all(connection)


async def test_a_part_charged_back_leaves_the_rest(connection: asyncpg.Connection) -> None:
    streamer, payment = await confirmed(connection)
    await bring_and_read(connection, streamer, line(payment, K.CHARGEBACK, 10_000))
    assert await donation_of(connection, payment) == ("partially_refunded", 10_000)
    assert (await read_totals(connection, streamer.id)).all_minor == 20_000
    assert await connection.fetchval("SELECT status FROM alerts") == "queued"
    await check_all(connection)


async def test_a_refund_and_then_a_chargeback_cost_more_than_came(connection: asyncpg.Connection) -> None:
    """The bank may do both, and then the books say so."""
    streamer, payment = await confirmed(connection)
    await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
    await bring_and_read(connection, streamer, line(payment), line(payment, K.REFUND), line(payment, K.CHARGEBACK))
    after = await read_totals(connection, streamer.id)
    assert (after.all_minor, after.donations) == (-30_000, 0)
    await check_all(connection)


async def test_a_second_payment_charged_back_leaves_its_donation_alone(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    donation = await make_donation(connection, streamer)
    first = await open_payment(connection, await latest_payment(connection, donation))
    await hear(connection, first, N.CONFIRMED)
    await hear(connection, first, N.CONFIRMED, provider_payment_id="777")
    twin = await latest_payment(connection, donation)
    assert twin.booked_as is BookedAs.SURPLUS
    await bring_and_read(connection, streamer, line(first), line(twin), line(twin, K.CHARGEBACK))
    assert await donation_of(connection, first) == ("paid", 0)
    assert (await read_totals(connection, streamer.id)).all_minor == 30_000
    assert await connection.fetchval("SELECT sum(amount_minor) FROM ledger_entries WHERE account = 'surplus'") == 0
    [found] = await chargebacks.list_chargebacks(connection, streamer.id, only_unread=True)
    assert (found.payment_id, found.booked_as) == (twin.id, BookedAs.SURPLUS)
    await check_all(connection)


async def test_a_chargeback_of_a_payment_not_booked_yet_waits_for_it(connection: asyncpg.Connection) -> None:
    streamer = await make_streamer(connection)
    _, payment = await open_donation(connection, streamer)
    await bring_and_read(connection, streamer, line(payment), line(payment, K.CHARGEBACK))
    assert await connection.fetchval("SELECT count(*) FROM chargebacks") == 0
    assert await connection.fetchval("SELECT next_check_at <= now() FROM payments")

    await hear(connection, payment, N.CONFIRMED, source=Source.POLL)
    assert await registry.ask_due(connection) == 1
    await read(connection, await connection.fetchval("SELECT id FROM registry_files"))
    assert await donation_of(connection, payment) == ("charged_back", 30_000)
    assert await registry.ask_due(connection) == 0
    await check_all(connection)


@pytest.mark.parametrize("amount_minor", [30_000, 10_000])
async def test_a_disputed_alert_is_not_shown_again(connection: asyncpg.Connection, amount_minor: int) -> None:
    streamer, payment = await confirmed(connection)
    await connection.execute("UPDATE alerts SET status = 'shown', shown_at = now(), finished_at = now()")
    replay = (
        "INSERT INTO alerts (streamer_id, donation_id, kind, status, place, playable_at, amount_minor, duration_ms)"
        " VALUES ($1, $2, 'replay', 'queued', nextval('alert_places'), now(), 30000, 5000) RETURNING id"
    )
    waiting = await connection.fetchval(replay, streamer.id, payment.donation_id)
    await bring_and_read(connection, streamer, line(payment, K.CHARGEBACK, amount_minor))
    assert await connection.fetchval("SELECT status FROM alerts WHERE id = $1", waiting) == "dropped"
    # Whoever queues one afterwards: it is never played.
    late = await connection.fetchval(replay, streamer.id, payment.donation_id)
    assert await connection.fetchval("SELECT is_paid(alerts) FROM alerts WHERE id = $1", late) is False
    assert (await alerts.measure_queue(connection, streamer.id)).waiting == 1


async def replay_shown_before(connection: asyncpg.Connection) -> tuple[BuiltStreamer, Payment, uuid.UUID]:
    """A donation that was shown, and the alert of its replay that waits."""
    streamer, payment = await confirmed(connection)
    await connection.execute("UPDATE alerts SET status = 'shown', shown_at = now(), finished_at = now()")
    alert_id = await alerts.replay(connection, streamer.id, payment.donation_id)
    assert alert_id is not None
    return streamer, payment, alert_id


async def test_a_replay_that_was_cleared_does_not_come_back_after_a_chargeback(connection: asyncpg.Connection) -> None:
    streamer, payment, alert_id = await replay_shown_before(connection)
    owner = Presser(PresserKind.OWNER, 1, "Аня")
    cleared = await control.clear_queue(connection, streamer.id, owner)
    assert cleared.act_id is not None
    await bring_and_read(connection, streamer, line(payment, K.CHARGEBACK, 10_000))
    await control.undo_clear(connection, streamer.id, owner, cleared.act_id)
    assert await connection.fetchval("SELECT status FROM alerts WHERE alert_id = $1", alert_id) == "dropped"


async def test_a_replay_that_is_cut_off_does_not_play_again_after_a_chargeback(connection: asyncpg.Connection) -> None:
    streamer, payment, alert_id = await replay_shown_before(connection)
    overlay_id = await connect(connection, streamer)
    assert (await pick(connection, streamer, overlay_id)).alert_id == alert_id
    await bring_and_read(connection, streamer, line(payment, K.CHARGEBACK, 10_000))
    assert await connection.fetchval("SELECT status FROM alerts WHERE alert_id = $1", alert_id) == "playing"
    await showing.return_leases(connection, streamer.id, overlay_id)
    assert await connection.fetchval("SELECT status FROM alerts WHERE alert_id = $1", alert_id) == "dropped"


async def test_the_case_for_the_bank(connection: asyncpg.Connection) -> None:
    streamer, payment = await confirmed(connection)
    await connection.execute("UPDATE alerts SET status = 'shown', shown_at = now(), finished_at = now()")
    await bring_and_read(connection, streamer, line(payment), line(payment, K.CHARGEBACK, reference="RRN-1"))
    case = await chargebacks.get_case(connection, streamer.id, payment.id)
    assert (case.written_name, case.written_message, case.consent_version) == ("Аня", "Привет из Омска", "2026-11-22")
    assert (case.order_id, case.provider_payment_id) == (payment.order_id, payment.provider_payment_id)
    assert [(operation.kind, operation.amount_minor) for operation in case.operations] == [
        (K.PAYMENT, 30_000),
        (K.CHARGEBACK, 30_000),
    ]
    [showing] = case.showings
    assert (showing.kind, showing.status, showing.message) == ("donation", "shown", "Привет из Омска")
    assert showing.shown_at is not None

    stranger = await make_streamer(connection)
    with pytest.raises(NotFoundError):
        await chargebacks.get_case(connection, stranger.id, payment.id)
    await chargebacks.mark_read(connection, stranger.id, payment.id, stranger.owner_id)
    assert await chargebacks.count_unread(connection, streamer.id) == 1
