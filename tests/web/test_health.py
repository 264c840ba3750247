"""`/health`: 200 while requests can be served, 503 when not, and what is behind it (contracts/api-v1.md)."""

import asyncio
import uuid

from infra import queries
from tests.support.servers import Servers
from tests.support.site import Site
from tests.web.test_security import make_settings
from web.app import create_app
from web.health import amqp_greets


async def renew_relay(site: Site, *, dead_letters: int | None = 0, listening: bool = True) -> None:
    await queries.relays.renew_relay(site.pool, relay_id=uuid.uuid4(), listening=listening, dead_letters=dead_letters)


async def test_everything_is_well(site: Site) -> None:
    await renew_relay(site)
    answer = await site.client.get("/health")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "healthy"
    assert body["services"] == {"database": "connected", "redis": "connected", "rabbitmq": "disconnected"}
    assert body["broker"] == "redis"
    assert body["outbox"] == {"rows": 0, "oldest_seconds": 0.0, "relay": "on time"}
    assert body["relays"] == {"running": 1, "listening": True, "dead_letters": 0}


async def test_a_relay_that_says_nothing_any_more_is_not_there(site: Site) -> None:
    await renew_relay(site, dead_letters=5)
    await site.pool.execute("UPDATE relays SET renewed_at = now() - interval '1 minute'")
    answer = await site.client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["relays"] == {"running": 0, "listening": None, "dead_letters": None}


async def test_a_relay_that_is_not_woken_is_shown(site: Site) -> None:
    await renew_relay(site, dead_letters=None)
    await renew_relay(site, dead_letters=None, listening=False)
    body = (await site.client.get("/health")).json()
    assert body["status"] == "degraded"
    assert body["relays"] == {"running": 2, "listening": False, "dead_letters": None}


async def test_dead_letters_are_shown(site: Site) -> None:
    """They are for somebody to look at; whatever they were about is asked for again by its state."""
    await renew_relay(site, dead_letters=3)
    body = (await site.client.get("/health")).json()
    assert (body["status"], body["relays"]["dead_letters"]) == ("healthy", 3)


async def test_without_redis_requests_are_served(site: Site, services: Servers) -> None:
    services.valkey.stop()
    answer = await site.client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["services"]["redis"] == "disconnected"
    assert (await site.client.get("/sign-in")).status_code == 200


async def test_without_the_database_they_are_not() -> None:
    app = create_app(make_settings())
    async with app.test_app():
        answer = await app.test_client().get("/health")
    assert answer.status_code == 503
    body = await answer.get_json()
    assert body["status"] == "degraded"
    assert body["services"]["database"] == "disconnected"
    assert body["outbox"]["relay"] == "unknown"
    assert body["relays"] == {"running": None, "listening": None, "dead_letters": None}


async def test_an_outbox_that_nobody_empties_is_shown(site: Site) -> None:
    await site.pool.execute(
        "INSERT INTO outbox (kind, name, data, available_at) VALUES ('event', 'x', '{}', now() - interval '1 minute')"
    )
    body = (await site.client.get("/health")).json()
    assert body["status"] == "degraded"
    assert body["outbox"]["rows"] == 1
    assert body["outbox"]["relay"] == "late"
    assert body["outbox"]["oldest_seconds"] >= 60


async def test_rabbitmq_is_connected_when_it_greets(rabbitmq_url: str) -> None:
    assert await amqp_greets(rabbitmq_url)


async def test_what_is_not_rabbitmq_is_not_connected(redis_url: str) -> None:
    assert not await amqp_greets(redis_url.replace("redis://", "amqp://"))
    assert not await amqp_greets("amqp://127.0.0.1:1")


async def test_a_broker_that_accepts_and_stays_silent_is_not_connected() -> None:
    async def stay_silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.close()

    server = await asyncio.start_server(stay_silent, "127.0.0.1", 0)
    async with server:
        assert not await amqp_greets(f"amqp://127.0.0.1:{server.sockets[0].getsockname()[1]}")
