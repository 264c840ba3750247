"""A streamer whose webhooks are told, and what the relay and the clock do for her."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from domain import webhook_events, webhooks
from domain.events import Actor
from domain.payment_status import NewsStatus as N
from domain.payments import Payment
from domain.webhook_events import WebhookEvent
from domain.webhooks import Fields, Format, Webhook
from tasks.runtime import Parts
from tasks.webhooks import send_webhook
from tests.builders import BuiltStreamer, hear, open_donation
from tests.support.receiver import Receiver

ALL = tuple(WebhookEvent)


@dataclasses.dataclass
class House:
    parts: Parts
    streamer: BuiltStreamer

    async def listen(
        self, receiver: Receiver, events: Sequence[WebhookEvent] = ALL, kind: Format = Format.STANDARD
    ) -> int:
        fields = Fields("", f"{receiver.url}/hook", kind, tuple(events))
        async with self.parts.pool.acquire() as connection, connection.transaction():
            return await webhooks.create_webhook(
                connection, self.parts.box, self.streamer.id, fields, allows_loopback=True
            )

    async def pay(self, **fields: Any) -> Payment:
        async with self.parts.pool.acquire() as connection, connection.transaction():
            _, payment = await open_donation(connection, self.streamer, **fields)
            await hear(connection, payment, N.CONFIRMED)
        return payment

    async def publish(self) -> list[int]:
        """What the relay does with the outbox, without a broker; the webhooks it asked for."""
        async with self.parts.pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch("SELECT * FROM outbox ORDER BY id")
            told = [row for row in rows if row["kind"] == "event" and row["name"] in webhook_events.TOLD]
            await webhook_events.note_events(connection, told)
            await connection.execute("DELETE FROM outbox WHERE id = ANY($1)", [row["id"] for row in rows])
            asked = await connection.fetch("DELETE FROM outbox WHERE name = $1 RETURNING data", Actor.SEND_WEBHOOK)
        return [row["data"]["argument"] for row in asked]

    async def tell(self) -> None:
        for webhook_id in await self.publish():
            await send_webhook(self.parts, webhook_id)

    async def be_due(self) -> None:
        await self.parts.pool.execute("UPDATE webhook_deliveries SET next_try_at = now() WHERE status = 'waiting'")
        await self.parts.pool.execute("UPDATE webhooks SET due_at = now() WHERE due_at IS NOT NULL")

    async def webhook(self, webhook_id: int) -> Webhook:
        async with self.parts.pool.acquire() as connection:
            return await webhooks.get_webhook(connection, self.streamer.id, webhook_id)

    async def statuses(self, webhook_id: int) -> list[str]:
        rows = await self.parts.pool.fetch(
            "SELECT status FROM webhook_deliveries WHERE webhook_id = $1 ORDER BY id", webhook_id
        )
        return [row["status"] for row in rows]

    async def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.parts.pool.fetch(sql, *values)]
