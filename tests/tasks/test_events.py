"""Events on `streamcash.events` are what docs/events.md promises; the example consumer handles each of them once."""

import asyncio
import json
import os
import re
import sys
import uuid
from pathlib import Path
from typing import Any

import aiormq
import asyncpg
import jsonschema
from aiormq.abc import AbstractChannel

from domain import holds, showing
from domain.alerts import KNOWN_KINDS
from domain.event_schemas import DATA_OF, check_event, schema_text
from domain.events import EVENTS_EXCHANGE, EventType
from domain.holds import Decision
from domain.moderation import Act, Rule
from domain.moderation import Settings as ModerationSettings
from domain.moderation_settings import save_settings
from domain.news import Source
from domain.payment_status import NewsStatus
from domain.payments import Payment
from domain.pressers import Presser, PresserKind
from domain.registry_rows import RegistryKind
from infra.settings import ROOT, Settings
from tests.builders import BuiltStreamer, hear, make_streamer, open_donation
from tests.domain.test_alerts import connect
from tests.registry_files import bring_and_read, line
from tests.tasks.rabbit import Rabbit
from tests.tasks.test_relay import running_relay, until_empty

SCHEMA = ROOT / "docs" / "events.schema.json"
PAGE = ROOT / "docs" / "events.md"
CONSUMER = ROOT / "examples" / "rabbitmq" / "consumer.py"
QUEUE = "test-consumer"
WAIT_SECONDS = 30


def test_the_schema_in_git_is_current() -> None:
    """After a change: `UPDATE_EVENTS=1 make test ARGS=tests/tasks/test_events.py`."""
    if os.environ.get("UPDATE_EVENTS"):
        SCHEMA.write_text(schema_text(), encoding="utf-8")
    assert SCHEMA.read_text(encoding="utf-8") == schema_text()


def test_an_alert_of_any_kind_may_be_shown() -> None:
    for kind in KNOWN_KINDS:
        data = {"streamer_id": 1, "alert_id": str(uuid.uuid4()), "donation_id": None, "kind": kind}
        DATA_OF[EventType.ALERT_SHOWN].model_validate(data)
        assert f"`{kind}`" in PAGE.read_text(encoding="utf-8")


def test_the_page_tells_of_every_event_and_of_all_it_holds() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert set(DATA_OF) == set(EventType)
    for event, data in DATA_OF.items():
        section = re.search(rf"^### `{re.escape(event.value)}`\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
        assert section is not None, event
        for name in data.model_fields:
            assert f"`{name}`" in section[1], (event, name)


async def pay(connection: Any, streamer: BuiltStreamer, message: str = "Привет", **news: Any) -> Payment:
    _, payment = await open_donation(connection, streamer, message=message)
    await hear(connection, payment, NewsStatus.CONFIRMED, **news)
    return payment


async def live_through_everything(connection: Any) -> None:
    """Donations that were shown, masked, held and let go, held and hidden, not paid, refunded, charged back."""
    streamer = await make_streamer(connection)
    await connection.execute(
        "INSERT INTO goals (streamer_id, title, place, target_minor, status, started_at) "
        "VALUES ($1, 'Микрофон', 1, 100, 'active', now())",
        streamer.id,
    )
    overlay_id = await connect(connection, streamer)
    refunded = await pay(connection, streamer)
    offer = await showing.pick(connection, streamer.id, [overlay_id])
    assert offer is not None
    await showing.mark_seen(connection, streamer.id, overlay_id, offer.alert_id, offer.lease_id)
    await hear(connection, refunded, NewsStatus.REFUNDED, source=Source.POLL)
    await pay(connection, streamer, "Привет, хуй")
    await pay(connection, streamer, "Другая сумма", source=Source.POLL, amount_minor=100)
    _, failed = await open_donation(connection, streamer)
    await hear(connection, failed, NewsStatus.FAILED, error_code="1051")
    taken_back = await pay(connection, streamer)
    await bring_and_read(connection, streamer, line(taken_back), line(taken_back, RegistryKind.CHARGEBACK))
    await save_settings(connection, streamer.id, ModerationSettings(acts={Rule.WORDS: Act.HOLD}))
    owner = Presser(PresserKind.OWNER, streamer.owner_id, "anna@example.org")
    for message, decision in (("сука, покажите", Decision.SHOW), ("сука, спрячьте", Decision.HIDE)):
        payment = await pay(connection, streamer, message)
        row = await connection.fetchrow("SELECT id, alert_id FROM alerts WHERE donation_id = $1", payment.donation_id)
        await holds.decide(connection, streamer.id, row["alert_id"], decision, owner)
        await connection.execute("UPDATE holds SET takes_effect_at = now() WHERE alert_id = $1", row["id"])
        await holds.settle(connection, row["id"])


class Consumer:
    """The example, and what it prints."""

    def __init__(self, url: str, folder: Path) -> None:
        self._environment = {
            "PATH": os.environ["PATH"], "RABBITMQ_URL": url, "CONSUMER_QUEUE": QUEUE,
            "CONSUMER_STATE": str(folder / "state.sqlite"),
        }  # fmt: skip
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(CONSUMER),
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert self.process.stderr is not None
        async with asyncio.timeout(WAIT_SECONDS):
            while "consuming" not in (await self.process.stderr.readline()).decode():
                assert self.process.returncode is None

    async def event(self) -> Any:
        assert self.process is not None
        assert self.process.stdout is not None
        async with asyncio.timeout(WAIT_SECONDS):
            return json.loads(await self.process.stdout.readline())

    async def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            await self.process.wait()
            self.process = None


async def delete_queues(channel: AbstractChannel) -> None:
    for name in (QUEUE, f"{QUEUE}.dead"):
        await channel.queue_delete(name)


async def test_every_event_of_a_donations_life_fits_and_the_consumer_handles_it_once(
    pool: asyncpg.Pool, rabbit: Rabbit, settings: Settings, rabbitmq_url: str, tmp_path: Path
) -> None:
    schema = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    consumer = Consumer(rabbitmq_url, tmp_path)
    async with rabbit.channel() as channel:
        await channel.exchange_declare(exchange=EVENTS_EXCHANGE, exchange_type="topic", durable=True)
        await delete_queues(channel)
        ours = (await channel.queue_declare(exclusive=False, auto_delete=False)).queue
        await channel.queue_bind(ours, EVENTS_EXCHANGE, routing_key="#")
        try:
            await consumer.start()
            # It is away while events come: its queue keeps them.
            await consumer.stop()
            async with pool.acquire() as connection, connection.transaction():
                await live_through_everything(connection)
            async with running_relay(settings):
                await until_empty(pool)
            bodies = await rabbit.take_all(ours)
            await consumer.start()
            printed = [await consumer.event() for _ in bodies]

            found = [check_event(body) for body in bodies]
            for body in bodies:
                schema.validate(json.loads(body))
            assert {event.type for event in found} == set(EventType)
            assert printed == [{"type": event.type.value, **event.data} for event in found]
            check_texts(bodies)

            # A repeat is handled once, what is no event waits apart, and what is new comes behind them.
            properties = aiormq.spec.Basic.Properties(content_type="application/json", delivery_mode=2)
            new = {**json.loads(bodies[0]), "id": "4b4c0a52-6a2f-4f5e-9f57-0d6a6d1f5c11"}
            for body in (bodies[0], b"{}", b"\xff", json.dumps(new).encode()):
                await channel.basic_publish(
                    body, exchange=EVENTS_EXCHANGE, routing_key="donation.created", properties=properties
                )
            assert await consumer.event() == {"type": new["type"], **new["data"]}
            await rabbit.until_holds(f"{QUEUE}.dead", 2)
        finally:
            await consumer.stop()
            await channel.queue_delete(ours)
            await delete_queues(channel)


def check_texts(bodies: list[bytes]) -> None:
    """Only what may leave: nothing of what was masked or hidden, of what was held only what a person let go."""
    texts = [body.decode() for body in bodies]
    assert not [text for text in texts if "хуй" in text or "спрячьте" in text]
    assert any('"message": "Привет, ' in text for text in texts)
    (shown,) = [text for text in texts if "покажите" in text]
    assert json.loads(shown)["data"]["decision"] == "show"
