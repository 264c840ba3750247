"""The way of an alert: offer, started, seen, finished; and what happens when one of them is missing."""

from tests.realtime.conftest import Scene, Service
from tests.realtime.overlay_client import word


async def test_an_alert_is_offered_shown_and_over(service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as overlay:
        welcome = await overlay.wait_for("welcome")
        assert (welcome["role"], welcome["protocol"], welcome["goes_on"]) == ("speaker", 1, False)
        donation_id = await scene.donate("Привет из Омска", amount_minor=100_000)

        offer = await overlay.offer()

        assert (offer["message"], offer["donor_name"], offer["amount_minor"]) == ("Привет из Омска", "Аня", 100_000)
        assert (offer["level"], offer["kind"], offer["donation_id"]) == ("sparks", "donation", donation_id)
        assert (offer["duration_ms"], offer["seen_after_ms"]) == (5_900, 2_950)
        assert await scene.status(donation_id) == "playing"
        await overlay.show(offer)
        assert await scene.status(donation_id) == "shown"
        assert not (await scene.alert(donation_id))["interrupted"]


async def test_alerts_play_one_at_a_time_and_in_order(service: Service, scene: Scene) -> None:
    donations = [await scene.donate(f"№ {number}") for number in range(5)]
    async with service.overlay(scene) as overlay:
        for donation_id in donations:
            offer = await overlay.offer()
            assert offer["donation_id"] == donation_id
            assert overlay.heard_so_far() == []
            await overlay.show(offer)


async def test_an_overlay_that_comes_after_the_payment_still_shows_it_once(service: Service, scene: Scene) -> None:
    donation_id = await scene.donate()
    async with service.overlay(scene) as overlay:
        await overlay.show(await overlay.offer())
    async with service.overlay(scene) as again:
        await again.wait_for("welcome")
        await scene.donate("следующий")
        assert (await again.offer())["message"] == "следующий"
    assert await scene.status(donation_id) == "shown"


async def test_killed_before_seen_it_plays_again(service: Service, scene: Scene) -> None:
    donation_id = await scene.donate()
    overlay = await service.overlay(scene).connect()
    first = await overlay.offer()
    await overlay.say("started", word(first))
    await overlay.break_off()
    async with service.overlay(scene) as reopened:
        again = await reopened.offer()
        assert again["alert_id"] == first["alert_id"]
        assert again["lease_id"] != first["lease_id"]
        await reopened.show(again)
    assert await scene.status(donation_id) == "shown"


async def test_killed_after_seen_it_does_not(service: Service, scene: Scene) -> None:
    donation_id = await scene.donate()
    overlay = await service.overlay(scene).connect()
    first = await overlay.offer()
    await overlay.say("started", word(first))
    await overlay.say("seen", word(first))
    await overlay.break_off()
    async with service.overlay(scene) as reopened:
        await reopened.wait_for("welcome")
        await scene.donate("следующий")
        assert (await reopened.offer())["message"] == "следующий"
    row = await scene.alert(donation_id)
    assert (row["status"], row["interrupted"]) == ("shown", True)


async def test_a_short_break_of_the_network_does_not_stop_what_plays(service: Service, scene: Scene) -> None:
    donation_id = await scene.donate()
    overlay = await service.overlay(scene).connect()
    offer = await overlay.offer()
    await overlay.say("started", word(offer))
    await overlay.break_off()
    async with service.overlay(scene, overlay_id=overlay.overlay_id, playing=word(offer)) as back:
        assert (await back.wait_for("welcome"))["goes_on"]
        assert await back.say("seen", word(offer)) == {"ok": True, "late": False}
        assert await back.say("finished", word(offer)) == {"ok": True, "late": False}
        assert "offer" not in back.heard_so_far()
    assert await scene.status(donation_id) == "shown"


async def test_what_was_seen_while_offline_is_only_confirmed(service: Service, scene: Scene) -> None:
    donation_id = await scene.donate()
    overlay = await service.overlay(scene).connect()
    offer = await overlay.offer()
    await overlay.break_off()
    async with service.overlay(scene, seen=[{**word(offer), "finished": True}]) as reloaded:
        await reloaded.wait_for("welcome")
        assert await scene.status(donation_id) == "shown"
        await scene.donate("следующий")
        assert (await reloaded.offer())["message"] == "следующий"
    assert not (await scene.alert(donation_id))["interrupted"]


async def test_a_late_seen_counts_although_the_lease_ended(service: Service, scene: Scene) -> None:
    donation_id = await scene.donate()
    overlay = await service.overlay(scene).connect()
    offer = await overlay.offer()
    await overlay.leave()
    async with service.overlay(scene, visible=False) as hidden:
        await hidden.wait_for("welcome")
        while await scene.status(donation_id) != "queued":
            pass
    async with service.overlay(scene, seen=[word(offer)]) as back:
        await back.wait_for("welcome")
        row = await scene.alert(donation_id)
        assert (row["status"], row["interrupted"]) == ("shown", True)
        assert "offer" not in back.heard_so_far()


async def test_a_page_that_forgot_what_it_plays_is_offered_it_anew(service: Service, scene: Scene) -> None:
    await scene.donate()
    overlay = await service.overlay(scene).connect()
    first = await overlay.offer()
    await overlay.break_off()
    async with service.overlay(scene, overlay_id=overlay.overlay_id) as back:
        assert not (await back.wait_for("welcome"))["goes_on"]
        again = await back.offer()
        assert (again["alert_id"], again["lease_id"] == first["lease_id"]) == (first["alert_id"], False)


async def test_an_alert_that_ended_unseen_goes_back_to_the_queue(service: Service, scene: Scene) -> None:
    donation_id = await scene.donate()
    async with service.overlay(scene) as overlay:
        first = await overlay.offer()
        await overlay.say("started", word(first))
        assert (await overlay.say("finished", word(first)))["ok"]
        second = await overlay.offer()
        assert second["alert_id"] == first["alert_id"]
        # The former lease still counts for what it says.
        assert await overlay.say("seen", word(first)) == {"ok": True, "late": True}
        await overlay.say("finished", word(second))
    assert await scene.status(donation_id) == "shown"


async def test_an_overlay_that_hides_gives_back_what_nobody_could_read(service: Service, scene: Scene) -> None:
    donation_id = await scene.donate()
    async with service.overlay(scene) as overlay:
        first = await overlay.offer()
        assert await overlay.say("state", {"visible": False}) == {"ok": True}
        assert (await overlay.wait_for("stop"))["lease_id"] == first["lease_id"]
        assert await scene.status(donation_id) == "queued"
        assert await overlay.say("state", {"visible": True, "active": True}) == {"ok": True}
        assert (await overlay.offer())["alert_id"] == first["alert_id"]


async def test_a_lease_nobody_speaks_of_runs_out(service: Service, scene: Scene) -> None:
    donation_id = await scene.donate()
    async with service.overlay(scene) as overlay:
        first = await overlay.offer()
        await scene.pool.execute("UPDATE alerts SET leased_until = now() WHERE donation_id = $1", donation_id)
        assert (await overlay.wait_for("stop"))["lease_id"] == first["lease_id"]
        assert (await overlay.offer())["alert_id"] == first["alert_id"]


async def test_skipping_stops_it_and_never_hits_the_next(service: Service, scene: Scene) -> None:
    first_id, second_id = await scene.donate("первый"), await scene.donate("второй")
    async with service.overlay(scene) as overlay:
        first = await overlay.offer()
        assert await scene.skip(first["alert_id"])
        assert await overlay.wait_for("stop") == {"lease_id": first["lease_id"]}
        second = await overlay.offer()
        assert not await scene.skip(first["alert_id"])
        assert second["message"] == "второй"
        assert overlay.heard_so_far() == []
        await overlay.show(second)
    assert (await scene.status(first_id), await scene.status(second_id)) == ("skipped", "shown")


async def test_a_second_socket_of_a_page_takes_over(service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as former:
        await former.wait_for("welcome")
        async with service.overlay(scene, overlay_id=former.overlay_id) as latter:
            assert (await latter.wait_for("welcome"))["role"] == "speaker"
            await scene.donate()
            offer = await latter.offer()
            assert (await former.say("started", word(offer)))["code"] == "not_connected"
            await former.leave()
            await latter.show(offer)
