"""Webhooks as they are kept: gone with their account, their secrets under a new key, and what a streamer without any
costs."""

from typing import Any

from cryptography.fernet import Fernet

from domain import webhook_events, webhooks
from domain.erasure import erase_settings
from domain.key_rotation import rotate_webhooks
from domain.payment_status import NewsStatus as N
from domain.webhook_events import WebhookEvent
from domain.webhooks import Fields, Format
from infra.crypto import SecretBox
from tests.builders import BOX, BuiltStreamer, hear, make_streamer, open_donation

FIELDS = Fields("Bot", "https://bot.example.org/", Format.STANDARD, (WebhookEvent.DONATION_PAID,))


async def made(connection: Any, box: SecretBox = BOX) -> tuple[BuiltStreamer, int]:
    streamer = await make_streamer(connection, box=box)
    return streamer, await webhooks.create_webhook(connection, box, streamer.id, FIELDS)


async def paid(connection: Any, streamer: BuiltStreamer) -> list[Any]:
    """The events of a donation, as the relay finds them."""
    _, payment = await open_donation(connection, streamer)
    await hear(connection, payment, N.CONFIRMED)
    rows = await connection.fetch("SELECT * FROM outbox ORDER BY id")
    return [row for row in rows if row["name"] in webhook_events.TOLD]


async def test_they_go_with_the_account(connection: Any) -> None:
    streamer, _ = await made(connection)
    other, kept_id = await made(connection)
    await webhook_events.note_events(connection, await paid(connection, streamer))
    assert await connection.fetchval("SELECT count(*) FROM webhook_deliveries") == 1
    await erase_settings(connection, streamer.id)
    assert [row["id"] for row in await connection.fetch("SELECT id FROM webhooks")] == [kept_id]
    assert await connection.fetchval("SELECT count(*) FROM webhook_deliveries") == 0
    assert (await webhooks.get_webhook(connection, other.id, kept_id)).name == "Bot"


async def test_their_secrets_get_a_new_key(connection: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    streamer, webhook_id = await made(connection, SecretBox(old))
    await webhooks.rotate_secret(connection, SecretBox(old), streamer.id, webhook_id)
    webhook = await webhooks.get_webhook(connection, streamer.id, webhook_id)
    secret = await webhooks.reveal_secret(connection, SecretBox(old), webhook)
    done = await rotate_webhooks(connection, SecretBox(f"{new},{old}"), 0)
    assert (done.renewed, done.current, done.lost) == (2, 0, 0)
    assert await webhooks.reveal_secret(connection, SecretBox(new), webhook) == secret
    again = await rotate_webhooks(connection, SecretBox(f"{new},{old}"), 0)
    assert (again.renewed, again.current) == (0, 2)


class Counted:
    """A connection that counts its statements."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.statements = 0

    def __getattr__(self, name: str) -> Any:
        if name in ("fetch", "fetchrow", "fetchval", "execute"):
            self.statements += 1
        return getattr(self._connection, name)


async def test_who_has_none_costs_one_statement_a_batch(connection: Any) -> None:
    streamer = await make_streamer(connection)
    events = [row for _ in range(3) for row in await paid(connection, streamer)]
    counted = Counted(connection)
    assert not (await webhook_events.note_events(counted, events)).has_any
    assert counted.statements == 1


async def test_what_is_off_hears_nothing(connection: Any) -> None:
    streamer, webhook_id = await made(connection)
    await webhooks.switch_off(connection, streamer.id, webhook_id, webhooks.OffReason.OWNER)
    assert not (await webhook_events.note_events(connection, await paid(connection, streamer))).has_any
    assert await webhooks.switch_on(connection, streamer.id, webhook_id)
    assert not await webhooks.switch_on(connection, streamer.id, webhook_id)
    assert (await webhook_events.note_events(connection, await paid(connection, streamer))).has_any
