"""The bank's notifications at our door: stored once, answered right, applied by the actor to the right payment."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quart.typing import TestClientProtocol as Client

from domain import moderation
from domain.moderation_settings import save_settings
from domain.payments import Payment, PaymentStatus, get_payment
from domain.totals import read_totals
from infra.crypto import SecretBox
from infra.settings import Settings
from tasks.notifications import apply_notification
from tasks.runtime import Parts, close_parts, open_parts
from tests.builders import (
    BuiltStreamer,
    check_books,
    latest_payment,
    make_donation,
    make_streamer,
    notification_body,
    open_donation,
)
from tests.domain.test_booking import begin_goal, break_table
from tests.support.servers import Servers
from web.app import create_app

WEBHOOK = "/api/v1/payments/webhook/tbank"


@pytest.fixture
def app_settings(fresh_database_url: str, redis_url: str) -> Settings:
    return Settings(
        database_url=fresh_database_url,
        redis_url=redis_url,
        secret_keys=Fernet.generate_key().decode(),
        web_url="http://127.0.0.1:8000",
        realtime_url="http://127.0.0.1:8001",
        # Whatever asks the bank in these tests finds nobody there.
        provider_api_urls={"tbank": "http://127.0.0.1:9/v2"},
    )


@pytest.fixture
async def client(app_settings: Settings) -> AsyncIterator[Client]:
    async with create_app(app_settings).test_app() as app:
        yield app.test_client()


@pytest.fixture
async def parts(app_settings: Settings) -> AsyncIterator[Parts]:
    parts = await open_parts(app_settings, pool_size=4)
    yield parts
    await close_parts(parts)


@pytest.fixture
async def streamer(pool: asyncpg.Pool, app_settings: Settings) -> BuiltStreamer:
    box = SecretBox(app_settings.secret_keys.get_secret_value())
    async with pool.acquire() as connection:
        return await make_streamer(connection, box=box)


@pytest.fixture
async def payment(pool: asyncpg.Pool, streamer: BuiltStreamer) -> Payment:
    async with pool.acquire() as connection:
        _, payment = await open_donation(connection, streamer, amount_minor=15_050)
    return payment


async def post(client: Client, body: bytes) -> tuple[int, str]:
    response = await client.post(WEBHOOK, data=body, headers={"Content-Type": "application/json"})
    return response.status_code, await response.get_data(as_text=True)


async def apply_all(parts: Parts) -> None:
    """As the relay and the worker would: each wish in the outbox, in the order it was written."""
    rows = await parts.pool.fetch("DELETE FROM outbox WHERE name = 'apply_notification' RETURNING id, data")
    for row in sorted(rows, key=lambda row: row["id"]):
        await apply_notification(parts, row["data"]["argument"])


async def now(parts: Parts, payment: Payment) -> Payment:
    async with parts.pool.acquire() as connection:
        found = await get_payment(connection, payment.id)
        await check_books(connection)
    assert found is not None
    return found


async def outcomes(parts: Parts) -> list[str]:
    return [row["outcome"] for row in await parts.pool.fetch("SELECT outcome FROM inbox ORDER BY id")]


async def test_a_notification_five_times_is_one_donation(
    client: Client, parts: Parts, streamer: BuiltStreamer, payment: Payment
) -> None:
    body = notification_body(streamer.terminal_key, payment, "CONFIRMED")
    for _ in range(5):
        assert await post(client, body) == (200, "OK")
    assert await parts.pool.fetchval("SELECT repeats FROM inbox") == 4
    await apply_all(parts)
    assert await post(client, body) == (200, "OK")
    await apply_all(parts)
    assert (await now(parts, payment)).status is PaymentStatus.CONFIRMED
    async with parts.pool.acquire() as connection:
        assert (await read_totals(connection, streamer.id)).all_minor == 15_050
    assert await parts.pool.fetchval("SELECT count(*) FROM alerts") == 1
    assert await parts.pool.fetchval("SELECT body FROM inbox") == body


async def test_confirmed_before_authorized(
    client: Client, parts: Parts, streamer: BuiltStreamer, payment: Payment
) -> None:
    for status in ("CONFIRMED", "AUTHORIZED"):
        assert await post(client, notification_body(streamer.terminal_key, payment, status)) == (200, "OK")
    await apply_all(parts)
    assert (await now(parts, payment)).status is PaymentStatus.CONFIRMED
    assert await outcomes(parts) == ["applied", "nothing_new"]


async def test_a_wrong_token_is_refused_and_not_stored(
    client: Client, parts: Parts, streamer: BuiltStreamer, payment: Payment
) -> None:
    forged = notification_body(streamer.terminal_key, payment, "CONFIRMED", password="guessed")
    changed = json.loads(notification_body(streamer.terminal_key, payment, "CONFIRMED"))
    changed["Amount"] = 1
    without = json.loads(notification_body(streamer.terminal_key, payment, "CONFIRMED"))
    del without["Token"]
    for body in (forged, json.dumps(changed).encode(), json.dumps(without).encode()):
        status, _ = await post(client, body)
        assert status == 403
    assert await parts.pool.fetchval("SELECT count(*) FROM inbox") == 0
    assert (await now(parts, payment)).status is PaymentStatus.PENDING


async def test_an_unknown_terminal_is_refused(client: Client, parts: Parts, payment: Payment) -> None:
    assert (await post(client, notification_body("NOBODY", payment, "CONFIRMED")))[0] == 403
    assert await parts.pool.fetchval("SELECT count(*) FROM inbox") == 0


async def test_a_wrong_amount_pays_nothing_and_the_bank_is_asked(
    client: Client, parts: Parts, streamer: BuiltStreamer, payment: Payment
) -> None:
    assert await post(client, notification_body(streamer.terminal_key, payment, "CONFIRMED", Amount=100)) == (200, "OK")
    await apply_all(parts)
    assert (await now(parts, payment)).status is PaymentStatus.PENDING
    assert await outcomes(parts) == ["asked"]
    assert await parts.pool.fetchval("SELECT count(*) FROM outbox WHERE name = 'check_payment'") == 1


async def test_an_unknown_order_is_kept_and_answered(
    client: Client, parts: Parts, streamer: BuiltStreamer, payment: Payment
) -> None:
    body = notification_body(streamer.terminal_key, payment, "CONFIRMED", OrderId="somebody-elses-order")
    assert await post(client, body) == (200, "OK")
    await apply_all(parts)
    assert await outcomes(parts) == ["unknown_order"]
    assert (await now(parts, payment)).status is PaymentStatus.PENDING


async def test_another_terminal_cannot_speak_for_a_payment(client: Client, parts: Parts, payment: Payment) -> None:
    async with parts.pool.acquire() as connection:
        stranger = await make_streamer(connection, box=parts.box)
    body = notification_body(stranger.terminal_key, payment, "CONFIRMED")
    assert await post(client, body) == (200, "OK")
    await apply_all(parts)
    assert await outcomes(parts) == ["unknown_order"]
    assert (await now(parts, payment)).status is PaymentStatus.PENDING


@pytest.mark.parametrize("status", ["NEW", "FORM_SHOWED", "AUTHORIZED", "REJECTED", "SOMETHING_NEW", ""])
async def test_what_is_not_confirmed_is_not_paid(
    client: Client, parts: Parts, streamer: BuiltStreamer, payment: Payment, status: str
) -> None:
    success = status != "REJECTED"
    body = notification_body(streamer.terminal_key, payment, status, success=success)
    assert await post(client, body) == (200, "OK")
    await apply_all(parts)
    assert (await now(parts, payment)).booked_as is None
    async with parts.pool.acquire() as connection:
        assert (await read_totals(connection, streamer.id)).all_minor == 0


async def test_news_before_our_payment_id_is_written(client: Client, parts: Parts, streamer: BuiltStreamer) -> None:
    async with parts.pool.acquire() as connection:
        payment = await latest_payment(connection, await make_donation(connection, streamer))
        await connection.execute("UPDATE payments SET status = 'opening', opening_at = now()")
    body = notification_body(streamer.terminal_key, payment, "CONFIRMED", PaymentId=4242)
    assert await post(client, body) == (200, "OK")
    await apply_all(parts)
    after = await now(parts, payment)
    assert (after.status, after.provider_payment_id) == (PaymentStatus.CONFIRMED, "4242")


@pytest.mark.parametrize(
    "extra", [{"NotificationType": "LINKACCOUNT", "RequestKey": "1"}, {"NotificationType": "LINKCARD"}]
)
async def test_messages_that_are_not_about_a_payment_are_kept(
    client: Client, parts: Parts, streamer: BuiltStreamer, payment: Payment, extra: dict[str, Any]
) -> None:
    assert await post(client, notification_body(streamer.terminal_key, payment, "COMPLETED", **extra)) == (200, "OK")
    await apply_all(parts)
    assert await outcomes(parts) == ["not_about_a_payment"]
    assert (await now(parts, payment)).status is PaymentStatus.PENDING


@pytest.mark.parametrize(
    ("strange", "is_known"),
    [
        ({"Success": "yes"}, True),
        ({"Amount": {"value": 15050}}, True),
        ({"ErrorCode": []}, True),
        # Then the bank's own id says whose it is.
        ({"OrderId": {}}, True),
        ({"OrderId": {}, "PaymentId": 17}, False),
    ],
    ids=repr,
)
async def test_what_the_bank_signed_and_we_cannot_read_is_kept(
    client: Client,
    parts: Parts,
    streamer: BuiltStreamer,
    payment: Payment,
    caplog: pytest.LogCaptureFixture,
    strange: dict[str, Any],
    is_known: bool,
) -> None:
    """Nobody wants it again; whose payment it is about, the bank is asked."""
    await parts.pool.execute("UPDATE payments SET next_check_at = now() + interval '1 hour'")
    assert await post(client, notification_body(streamer.terminal_key, payment, "CONFIRMED", **strange)) == (200, "OK")
    await apply_all(parts)
    assert await outcomes(parts) == ["malformed"]
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert f"malformed: {next(iter(strange))}" in record.getMessage()
    assert (await now(parts, payment)).status is PaymentStatus.PENDING
    assert await parts.pool.fetchval("SELECT next_check_at <= now() FROM payments") is is_known


async def test_what_we_cannot_read_and_nobody_signed_is_refused(
    client: Client, parts: Parts, streamer: BuiltStreamer, payment: Payment
) -> None:
    body = notification_body(streamer.terminal_key, payment, "CONFIRMED", password="guessed", Success="yes")
    assert (await post(client, body))[0] == 403
    assert await parts.pool.fetchval("SELECT count(*) FROM inbox") == 0


async def test_a_receipt_changes_no_payment(
    client: Client, parts: Parts, streamer: BuiltStreamer, payment: Payment
) -> None:
    body = notification_body(streamer.terminal_key, payment, "RECEIPT", FiscalNumber=1, Receipt={"Items": []})
    assert await post(client, body) == (200, "OK")
    await apply_all(parts)
    assert (await now(parts, payment)).status is PaymentStatus.PENDING


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"TerminalKey": 1}', b'{"TerminalKey": "X"', b"a=b&c=d", b"[" * 5000],
)
async def test_garbage_is_refused(client: Client, parts: Parts, body: bytes) -> None:
    status, _ = await post(client, body)
    assert status in (400, 403)
    assert await parts.pool.fetchval("SELECT count(*) FROM inbox") == 0


async def test_a_huge_body_is_refused(client: Client) -> None:
    assert (await post(client, b"{" + b" " * 200_000 + b"}"))[0] == 413


async def test_any_bytes_get_a_plain_answer(client: Client) -> None:
    @settings(max_examples=50, deadline=None, suppress_health_check=[*HealthCheck])
    @given(st.binary(max_size=300))
    def collect(body: bytes) -> None:
        bodies.append(body)

    bodies: list[bytes] = []
    collect()
    for body in bodies:
        assert (await post(client, body))[0] in (400, 403)


async def test_the_database_is_away(
    client: Client, parts: Parts, streamer: BuiltStreamer, payment: Payment, services: Servers
) -> None:
    body = notification_body(streamer.terminal_key, payment, "CONFIRMED")
    services.postgres.stop()
    assert (await post(client, body))[0] == 503
    services.postgres.start()
    for _ in range(50):
        if await post(client, body) == (200, "OK"):
            break
    await apply_all(parts)
    assert (await now(parts, payment)).status is PaymentStatus.CONFIRMED


@pytest.mark.parametrize(
    ("table", "event"), [("holds", "INSERT"), ("moderation_decisions", "INSERT"), ("goals", "UPDATE")]
)
async def test_what_breaks_beside_the_booking_does_not_keep_it_back(
    client: Client,
    parts: Parts,
    streamer: BuiltStreamer,
    payment: Payment,
    caplog: pytest.LogCaptureFixture,
    table: str,
    event: str,
) -> None:
    async with parts.pool.acquire() as connection:
        await save_settings(connection, streamer.id, moderation.Settings(mode=moderation.Mode.APPROVE))
        await begin_goal(connection, streamer)
        await break_table(connection, table, event)
    await post(client, notification_body(streamer.terminal_key, payment, "CONFIRMED"))
    await apply_all(parts)
    assert (await now(parts, payment)).status is PaymentStatus.CONFIRMED
    assert await outcomes(parts) == ["applied"]
    assert await parts.pool.fetchval("SELECT status FROM donations") == "paid"
    assert await parts.pool.fetchval("SELECT count(*) FROM payment_news WHERE provider_status = 'CONFIRMED'") == 1
    assert len([record for record in caplog.records if "applied anew, with savepoints" in record.message]) == 1
    # Nothing of the first try is left, and nothing of the second is missing but what broke.
    assert await parts.pool.fetchval("SELECT count(*) FROM alerts") == 1
    assert await parts.pool.fetchval("SELECT count(*) FROM goal_arrears") == (1 if table == "goals" else 0)


async def test_the_address_says_that_it_is_reachable(client: Client) -> None:
    for address in (WEBHOOK, "/api/v1/payments/webhook/tinkoff"):
        response = await client.get(address)
        assert response.status_code == 200
