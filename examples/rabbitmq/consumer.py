"""A consumer of our events on RabbitMQ: prints each once, in the order they were published (docs/events.md).

RABBITMQ_URL      amqp://user:password@host:5672/
CONSUMER_QUEUE    the queue's name, yours alone (default: consumer-example)
CONSUMER_EVENTS   which events, "payment.*,donation.moderated" (default: all)
CONSUMER_STATE    where it remembers (default: consumer-state.sqlite)
"""

import asyncio
import json
import os
import random
import sqlite3
import sys
from typing import Any

import aiormq
from aiormq.abc import AbstractChannel, DeliveredMessage

EXCHANGE = "streamcash.events"
QUEUE = os.environ.get("CONSUMER_QUEUE", "consumer-example")
DEAD = f"{QUEUE}.dead"
KEYS = os.environ.get("CONSUMER_EVENTS", "#").split(",")
PREFETCH = 20


class Memory:
    """Which events were handled: a repeat has the id of the first."""

    def __init__(self, path: str) -> None:
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS handled (id TEXT PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)"
        )
        self._file.execute("DELETE FROM handled WHERE at < datetime('now', '-14 days')")

    def handle(self, event: dict[str, Any]) -> None:
        """What is done and that it is done are one transaction, so that neither is without the other.

        What happens outside of this file (a letter, a message in a chat) should carry the event's id as its key.
        """
        self._file.execute("BEGIN IMMEDIATE")
        try:
            new = self._file.execute("INSERT OR IGNORE INTO handled (id) VALUES (?)", (event["id"],)).rowcount
            if new:
                act_on(event)
            self._file.execute("COMMIT")
        except BaseException:
            self._file.execute("ROLLBACK")
            raise


def act_on(event: dict[str, Any]) -> None:
    """Yours to write. Events and fields that you do not know are to be passed over: there will be more."""
    print(json.dumps({"type": event["type"], **event["data"]}, ensure_ascii=False), flush=True)


async def declare(channel: AbstractChannel) -> None:
    """A durable queue of our own, which keeps what comes while we are away, and one for what we cannot handle.

    The exchange is the site's: it is looked for, never made. The queue's limit drops the oldest: a queue that refuses
    instead ("reject-publish") would hold up the site's own events.
    """
    await channel.exchange_declare(exchange=EXCHANGE, exchange_type="topic", durable=True, passive=True)
    await channel.queue_declare(DEAD, durable=True, arguments={"x-queue-type": "quorum", "x-max-length": 10_000})
    arguments: dict[str, Any] = {
        "x-queue-type": "quorum",
        "x-max-length": 1_000_000,
        "x-overflow": "drop-head",
        "x-delivery-limit": 5,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": DEAD,
    }
    await channel.queue_declare(QUEUE, durable=True, arguments=arguments)
    for key in KEYS:
        await channel.queue_bind(QUEUE, EXCHANGE, routing_key=key.strip())


async def consume(url: str, memory: Memory) -> None:
    connection = await aiormq.connect(url)
    try:
        channel = await connection.channel()
        await declare(channel)
        await channel.basic_qos(prefetch_count=PREFETCH)

        async def take(message: DeliveredMessage) -> None:
            tag = message.delivery_tag
            assert tag is not None
            try:
                memory.handle(json.loads(message.body))
            except Exception as error:
                # It waits among the dead letters until somebody looks; what comes behind it goes on.
                print(f"cannot handle an event: {error!r}", file=sys.stderr, flush=True)
                await channel.basic_reject(tag, requeue=False)
            else:
                await channel.basic_ack(tag)

        await channel.basic_consume(QUEUE, take)
        print(f"consuming from {QUEUE}", file=sys.stderr, flush=True)
        # Whichever ends first, by RabbitMQ's doing or the network's.
        await asyncio.wait({connection.closing, channel.closing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await connection.close()


async def main() -> None:
    memory = Memory(os.environ.get("CONSUMER_STATE", "consumer-state.sqlite"))
    while True:
        try:
            await consume(os.environ["RABBITMQ_URL"], memory)
        except (OSError, aiormq.exceptions.AMQPError) as error:
            print(f"RabbitMQ is away: {error!r}", file=sys.stderr, flush=True)
        await asyncio.sleep(random.uniform(1, 3))


if __name__ == "__main__":
    asyncio.run(main())
