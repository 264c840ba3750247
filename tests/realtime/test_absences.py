"""Redis, PostgreSQL, or the overlay itself is away for a while; alerts wait and then play."""

import asyncio

import aiohttp

from domain import missed
from domain.events import Topic
from domain.missed import Answer
from infra.crypto import SecretBox
from infra.tickets import issue_dashboard_ticket
from tests.realtime.conftest import SECRET_KEY, Scene, Service
from tests.realtime.overlay_client import WAIT_SECONDS, Client, word
from tests.support.servers import Servers


async def read_health(service: Service) -> tuple[int, dict[str, object]]:
    async with aiohttp.ClientSession() as session, session.get(f"{service.url}/health") as response:
        return response.status, await response.json()


async def test_without_redis_alerts_still_play(services: Servers, service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as overlay:
        await overlay.wait_for("welcome")
        services.valkey.kill()
        for number in range(3):
            donation_id = await scene.donate(f"№ {number}")
            await overlay.show(await overlay.offer())
            assert await scene.status(donation_id) == "shown"
        status, body = await read_health(service)
        assert (status, body["status"], body["services"]) == (
            200,
            "degraded",
            {"database": "connected", "redis": "disconnected"},
        )
        await scene.rotate_token()
        await overlay.wait_for("refused")


async def test_without_redis_dashboards_hear_all_the_same(services: Servers, service: Service, scene: Scene) -> None:
    ticket = issue_dashboard_ticket(SecretBox(SECRET_KEY), scene.streamer.id, scene.streamer.owner_id)
    services.valkey.kill()
    async with Client(service.url, "/dashboard", {"ticket": ticket}) as dashboard:
        assert set((await dashboard.wait_for("changed"))["topics"]) == set(Topic)


async def test_dashboards_hear_of_what_was_said_while_nobody_listened(service: Service, scene: Scene) -> None:
    ticket = issue_dashboard_ticket(SecretBox(SECRET_KEY), scene.streamer.id, scene.streamer.owner_id)
    async with Client(service.url, "/dashboard", {"ticket": ticket}) as dashboard:
        # Redis itself is there all the time: nobody notices by asking it.
        await scene.redis.client_kill_filter(_type="pubsub")
        assert set((await dashboard.wait_for("changed"))["topics"]) == set(Topic)


async def test_when_redis_is_back_wakes_are_heard_again(services: Servers, service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as overlay:
        await overlay.wait_for("welcome")
        services.valkey.restart()
        for _ in range(3):
            await scene.donate()
            await overlay.show(await overlay.offer())
        while (await read_health(service))[1]["status"] != "healthy":
            pass


async def test_sockets_outlive_the_databases_absence(services: Servers, service: Service, scene: Scene) -> None:
    # However slowly PostgreSQL comes back, it plays for longer.
    await scene.set(alert_max_seconds=60, alert_min_seconds=60)
    async with service.overlay(scene) as overlay:
        donation_id = await scene.donate("до")
        offer = await overlay.offer()
        await overlay.say("started", word(offer))
        services.postgres.stop()
        assert (await overlay.say("seen", word(offer)))["code"] == "try_again"
        assert (await read_health(service))[0] == 503
        services.postgres.start()
        async with asyncio.timeout(WAIT_SECONDS):
            while not (await overlay.say("seen", word(offer)))["ok"]:
                await asyncio.sleep(0.1)
        assert (await overlay.say("finished", word(offer)))["ok"]
        assert await scene.status(donation_id) == "shown"
        await scene.donate("после")
        assert (await overlay.offer())["message"] == "после"
        assert "disconnect" not in overlay.heard_so_far()


async def test_after_a_short_absence_the_queue_waits_a_little(service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as overlay:
        await overlay.wait_for("welcome")
    while await scene.pool.fetchval("SELECT count(*) FROM overlays"):
        pass
    await scene.pool.execute("UPDATE speakers SET last_present_at = now() - interval '21 seconds'")
    await scene.set(overlay_return_seconds=2)
    donation_id = await scene.donate()
    async with service.overlay(scene) as overlay:
        await overlay.wait_for("welcome")
        # From the moment at which it was let in, however long its welcome took.
        assert await scene.pool.fetchval("SELECT resume_at - connected_at = interval '2 s' FROM speakers, overlays")
        await overlay.show(await overlay.offer())
        early = await scene.pool.fetchval(
            "SELECT offered_at < (SELECT resume_at FROM speakers) FROM alert_leases JOIN alerts USING (alert_id)"
            " WHERE donation_id = $1",
            donation_id,
        )
        assert not early


async def test_after_a_long_absence_it_asks_and_plays_nothing_by_itself(service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as overlay:
        await overlay.wait_for("welcome")
    while await scene.pool.fetchval("SELECT count(*) FROM overlays"):
        pass
    donations = [await scene.donate(f"№ {number}") for number in range(4)]
    await scene.pool.execute("UPDATE speakers SET last_present_at = now() - interval '11 minutes'")
    async with service.overlay(scene) as overlay:
        await overlay.wait_for("welcome")
        asked = await missed.get_missed(scene.pool, scene.streamer.id)
        assert asked is not None
        assert (asked.alerts, asked.amount_minor, asked.postponed) == (4, 120_000, False)
        assert (await overlay.say("state", {}))["ok"]
        assert [await scene.status(donation_id) for donation_id in donations] == ["queued"] * 4
        async with scene.pool.acquire() as connection, connection.transaction():
            assert await missed.answer_missed(connection, scene.streamer.id, Answer.SUMMARY)
        await scene.wake(Topic.CONTROLS)
        offer = await overlay.offer()
        assert (offer["kind"], offer["donations"], offer["amount_minor"]) == ("summary", 4, 120_000)
        assert offer["message"] == "Аня"
        await overlay.show(offer)
        assert [await scene.status(donation_id) for donation_id in donations] == ["shown"] * 4
