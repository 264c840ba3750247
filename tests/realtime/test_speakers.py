"""Several overlays on one token: one speaks, the others mirror (DESIGN 13)."""

from collections.abc import Callable

from domain import overlays
from domain.events import Topic
from tests.realtime.conftest import Scene, Service
from tests.realtime.overlay_client import word


async def test_two_overlays_one_speaks_and_one_mirrors(service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as first, service.overlay(scene) as second:
        assert (await first.wait_for("welcome"))["role"] == "speaker"
        assert (await second.wait_for("welcome"))["role"] == "mirror"
        await scene.donate()
        offer, mirrored = await first.offer(), await second.wait_for("mirror")
        assert mirrored == {**offer, "elapsed_ms": 0}
        # A mirror's word does not count.
        assert (await second.say("seen", word(offer)))["code"] == "unknown_lease"
        await first.show(offer)
        assert first.heard_so_far() == []
        assert "offer" not in second.heard_so_far()


async def test_when_the_speaker_leaves_the_other_takes_over(service: Service, scene: Scene) -> None:
    first = await service.overlay(scene).connect()
    await first.wait_for("welcome")
    async with service.overlay(scene) as second:
        await second.wait_for("welcome")
        await scene.donate()
        offer = await first.offer()
        await first.leave()
        assert (await second.wait_for("role"))["role"] == "speaker"
        again = await second.offer()
        assert again["alert_id"] == offer["alert_id"]
        await second.show(again)


async def test_obs_outranks_a_tab_and_active_outranks_visible(service: Service, scene: Scene) -> None:
    async with service.overlay(scene, in_obs=False) as tab:
        assert (await tab.wait_for("welcome"))["role"] == "speaker"
        async with service.overlay(scene) as preview:
            assert (await preview.wait_for("welcome"))["role"] == "speaker"
            assert (await tab.wait_for("role"))["role"] == "mirror"
            async with service.overlay(scene, active=True) as program:
                assert (await program.wait_for("welcome"))["role"] == "speaker"
                assert (await preview.wait_for("role"))["role"] == "mirror"
                await program.say("state", {"active": False})
                # Equal now, and the one that speaks goes on.
                await scene.donate()
                await program.show(await program.offer())
                await program.say("state", {"visible": False})
                assert (await preview.wait_for("role"))["role"] == "speaker"


async def test_a_tab_does_not_speak_while_obs_is_connected_though_hidden(service: Service, scene: Scene) -> None:
    async with service.overlay(scene, visible=False) as hidden, service.overlay(scene, in_obs=False) as tab:
        assert (await hidden.wait_for("welcome"))["role"] == "mirror"
        assert (await tab.wait_for("welcome"))["role"] == "mirror"
        donation_id = await scene.donate()
        await hidden.say("state", {"visible": False})
        await tab.say("state", {"visible": True})
        assert await scene.status(donation_id) == "queued"
        await hidden.say("state", {"visible": True})
        await hidden.show(await hidden.offer())


async def test_two_processes_share_one_speaker(start_service: Callable[[], Service], scene: Scene) -> None:
    one, two = start_service(), start_service()
    async with one.overlay(scene) as first, two.overlay(scene) as second:
        await first.wait_for("welcome")
        assert (await second.wait_for("welcome"))["role"] == "mirror"
        for number in range(5):
            await scene.donate(f"№ {number}")
            offer = await first.offer()
            assert (await second.wait_for("mirror"))["lease_id"] == offer["lease_id"]
            await first.show(offer)
        await first.leave()
        assert (await second.wait_for("role"))["role"] == "speaker"
        await scene.donate("последний")
        await second.show(await second.offer())
    assert await scene.pool.fetchval("SELECT count(*) FROM alert_leases") == 6


async def test_a_process_that_died_loses_its_speaker_to_the_other(
    start_service: Callable[[], Service], scene: Scene
) -> None:
    one, two = start_service(), start_service()
    first = await one.overlay(scene).connect()
    await first.wait_for("welcome")
    async with two.overlay(scene) as second:
        await second.wait_for("welcome")
        await scene.donate()
        offer = await first.offer()
        one.process.kill()
        await first.wait_for("disconnect")
        # The overlay itself lives, and is led to the other process by whatever stands before them.
        async with two.overlay(scene, overlay_id=first.overlay_id, playing=word(offer)) as moved:
            welcome = await moved.wait_for("welcome")
            assert (welcome["role"], welcome["goes_on"]) == ("speaker", True)
            assert (await moved.say("seen", word(offer)))["ok"]
            assert (await moved.say("finished", word(offer)))["ok"]
        assert (await second.wait_for("role"))["role"] == "speaker"
    await first.leave()


async def test_a_dead_process_is_buried(start_service: Callable[[], Service], scene: Scene) -> None:
    one, two = start_service(), start_service()
    first = await one.overlay(scene).connect()
    await first.wait_for("welcome")
    async with two.overlay(scene) as second:
        await second.wait_for("welcome")
        one.process.kill()
        assert (await second.wait_for("role"))["role"] == "speaker"
    await first.leave()


async def test_a_stopped_process_leaves_nothing_behind(service: Service, scene: Scene) -> None:
    overlay = await service.overlay(scene).connect()
    offer_of = await scene.donate()
    await overlay.offer()
    assert service.process.terminate() == 0
    assert await scene.pool.fetchval("SELECT count(*) FROM overlays") == 0
    assert await scene.pool.fetchval("SELECT count(*) FROM realtime_processes") == 0
    # What plays is the overlay's still: it will say so when it is back.
    assert await scene.status(offer_of) == "playing"
    await overlay.leave()


async def test_a_pause_holds_the_queue_and_lets_it_go(service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as overlay:
        await overlay.wait_for("welcome")
        await overlays.set_paused(scene.pool, scene.streamer.id, True)
        donation_id = await scene.donate()
        assert (await overlay.say("state", {}))["ok"]
        assert await scene.status(donation_id) == "queued"
        await overlays.set_paused(scene.pool, scene.streamer.id, False)
        await scene.wake(Topic.CONTROLS)
        await overlay.show(await overlay.offer())
