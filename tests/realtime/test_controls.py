"""Controls reach overlays within one wake, and without Redis by the net's next look; overlays say so."""

from collections.abc import Callable

import pytest
from playwright.async_api import Browser, expect

from domain import control, overlays
from domain.control import Action, Outcome
from domain.events import Topic
from domain.pressers import Presser, PresserKind
from infra.crypto import SecretBox
from infra.tickets import issue_dashboard_ticket
from tests.realtime.conftest import SECRET_KEY, Scene, Service
from tests.realtime.overlay_client import Client, word
from tests.realtime.test_overlay_page import obs_browser, open_in_obs, wait_until_connected, web_url
from tests.support.servers import Servers

__all__ = ["obs_browser", "web_url"]  # Fixtures.

OWNER = Presser(PresserKind.OWNER, 1, "Аня")
GAIN = """
window.AudioContext = class extends AudioContext {};
window.GainNode = class extends GainNode { constructor(...given) { super(...given); window.volume = this; } };
"""


async def mute(scene: Scene, muted: bool, *, wake: bool = True) -> None:
    async with scene.pool.acquire() as connection, connection.transaction():
        await overlays.set_muted(connection, scene.streamer.id, muted)
    if wake:
        await scene.wake(Topic.CONTROLS)


async def until_off_screen(scene: Scene, alerts: int) -> None:
    """Waits until overlays have said so of so many that they were told to end."""
    while await scene.pool.fetchval("SELECT count(stopped_at) FROM alert_leases") < alerts:
        pass


def dashboard(service: Service, scene: Scene) -> Client:
    ticket = issue_dashboard_ticket(SecretBox(SECRET_KEY), scene.streamer.id, scene.streamer.owner_id)
    return Client(service.url, "/dashboard", {"ticket": ticket})


async def test_a_mute_reaches_all_overlays_and_survives_a_reconnection(service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as obs, service.overlay(scene, in_obs=False) as tab:
        for overlay in (obs, tab):
            assert (await overlay.wait_for("welcome"))["muted"] is False
        await mute(scene, True)
        for overlay in (obs, tab):
            assert await overlay.wait_for("controls") == {"muted": True}
        await mute(scene, True)
        await mute(scene, False)
        assert await obs.wait_for("controls") == {"muted": False}
        await mute(scene, True)
        assert await obs.wait_for("controls") == {"muted": True}
    async with service.overlay(scene) as back:
        assert (await back.wait_for("welcome"))["muted"] is True


async def test_a_mute_is_heard_before_the_next_alert(service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as overlay:
        await overlay.wait_for("welcome")
        await mute(scene, True, wake=False)
        # One wake-up for both: what was muted first is told first.
        await scene.wake(Topic.CONTROLS, Topic.ALERTS)
        await scene.donate()
        heard = [(await overlay.next())[0] for _ in range(2)]
        assert heard == ["controls", "offer"]


async def test_the_overlay_says_that_it_is_silent_and_the_dashboard_hears(service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as overlay:
        await overlay.wait_for("welcome")
        async with dashboard(service, scene) as page:
            await mute(scene, True)
            assert "controls" in (await page.wait_for("changed"))["topics"]
            await overlay.wait_for("controls")
            assert await overlay.say("muted", {"muted": True}) == {"ok": True}
            assert "overlays" in (await page.wait_for("changed"))["topics"]
            assert (await overlays.get_controls(scene.pool, scene.streamer.id)).speaker_muted is True
    # A page that comes back has to say it anew.
    async with service.overlay(scene, overlay_id=overlay.overlay_id) as back:
        await back.wait_for("welcome")
        assert (await overlays.get_controls(scene.pool, scene.streamer.id)).speaker_muted is False


async def test_a_skip_is_confirmed_by_the_overlay(service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as overlay, dashboard(service, scene) as page:
        await scene.donate()
        offer = await overlay.offer()
        await overlay.say("started", word(offer))
        async with scene.pool.acquire() as connection, connection.transaction():
            pressed = await control.skip_playing(connection, scene.streamer.id, OWNER)
        assert pressed.outcome is Outcome.DONE
        await scene.wake(Topic.ALERTS)
        assert await overlay.wait_for("stop") == {"lease_id": offer["lease_id"]}
        act = await control.get_last_act(scene.pool, scene.streamer.id, seconds=60)
        assert act is not None
        assert not act.off_screen
        # What was told of the offer and of the press is told before this.
        await scene.wake(Topic.GOALS)
        while "goals" not in (await page.wait_for("changed"))["topics"]:
            pass
        assert await overlay.say("stopped", {"lease_id": offer["lease_id"]}) == {"ok": True}
        assert "alerts" in (await page.wait_for("changed"))["topics"]
        act = await control.get_last_act(scene.pool, scene.streamer.id, seconds=60)
        assert act is not None
        assert act.off_screen


async def test_words_that_are_not_right(service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as overlay, service.overlay(scene) as other:
        await scene.donate()
        offer = await overlay.offer()
        lease = {"lease_id": offer["lease_id"]}
        wrong = [
            (overlay, "stopped", {}, "bad_message"),
            (overlay, "stopped", {"lease_id": 5}, "bad_message"),
            (overlay, "stopped", {"lease_id": str(overlay.overlay_id)}, "unknown_lease"),
            (other, "stopped", lease, "unknown_lease"),
            (overlay, "muted", {}, "bad_message"),
            (overlay, "muted", {"muted": "yes"}, "bad_message"),
        ]
        for socket, event, data, code in wrong:
            assert (await socket.say(event, data))["code"] == code, (event, data)
        await overlay.show(offer)


async def test_without_redis_by_the_nets_next_look(service: Service, scene: Scene, services: Servers) -> None:
    await scene.set(alert_max_seconds=60, alert_min_seconds=60)
    async with service.overlay(scene) as overlay:
        await overlay.wait_for("welcome")
        donation_id = await scene.donate()
        offer = await overlay.offer()
        services.valkey.kill()
        await mute(scene, True, wake=False)
        assert await overlay.wait_for("controls") == {"muted": True}
        async with scene.pool.acquire() as connection, connection.transaction():
            await control.skip_playing(connection, scene.streamer.id, OWNER)
            await overlays.set_paused(connection, scene.streamer.id, True)
        assert await overlay.wait_for("stop") == {"lease_id": offer["lease_id"]}
        assert await scene.status(donation_id) == "skipped"


async def test_two_processes_both_tell_their_overlays(start_service: Callable[[], Service], scene: Scene) -> None:
    first, second = start_service(), start_service()
    async with first.overlay(scene) as here, second.overlay(scene) as there:
        for overlay in (here, there):
            await overlay.wait_for("welcome")
        await mute(scene, True)
        for overlay in (here, there):
            assert await overlay.wait_for("controls") == {"muted": True}


async def test_a_cleared_queue_plays_nothing_and_put_back_it_goes_on(service: Service, scene: Scene) -> None:
    async with service.overlay(scene) as overlay:
        await scene.donate("first")
        offer = await overlay.offer()
        waiting = [await scene.donate(f"№ {number}") for number in range(2)]
        async with scene.pool.acquire() as connection, connection.transaction():
            cleared = await control.clear_queue(connection, scene.streamer.id, OWNER)
        await overlay.show(offer)
        assert [await scene.status(donation_id) for donation_id in waiting] == ["dropped"] * 2
        assert cleared.act_id is not None
        async with scene.pool.acquire() as connection, connection.transaction():
            undone = await control.undo_clear(connection, scene.streamer.id, OWNER, cleared.act_id)
        assert (undone.action, undone.alerts) == (Action.UNDO_CLEAR, 2)
        await scene.wake(Topic.ALERTS)
        for donation_id in waiting:
            offer = await overlay.offer()
            assert offer["donation_id"] == donation_id
            await overlay.show(offer)


@pytest.mark.usefixtures("service")
async def test_the_page_is_silent_says_so_to_us_and_to_no_viewer(
    scene: Scene, web_url: str, obs_browser: Browser
) -> None:
    # Whatever happens here, an alert plays for longer.
    await scene.set(alert_max_seconds=60, alert_min_seconds=60)
    page = await open_in_obs(obs_browser, f"{web_url}/overlay#{scene.token}", script=GAIN)
    await wait_until_connected(scene)
    assert await page.evaluate("volume.gain.value") == 1
    await mute(scene, True)
    while not await scene.pool.fetchval("SELECT muted FROM overlays"):
        pass
    assert await page.evaluate("volume.gain.value") == 0
    await expect(page.locator("#notice")).to_be_hidden()
    donation_id = await scene.donate("молча")
    await expect(page.locator(".message")).to_have_text("молча")
    # Not the same once more: it may be that it was seen.
    assert await scene.skip(str((await scene.alert(donation_id))["alert_id"]))
    await until_off_screen(scene, 1)
    await page.reload()
    donation_id = await scene.donate("и потом")
    await expect(page.locator(".message")).to_have_text("и потом")
    assert await page.evaluate("volume.gain.value") == 0
    while not await scene.pool.fetchval("SELECT bool_or(muted) FROM overlays"):
        pass
    await mute(scene, False)
    while await scene.pool.fetchval("SELECT bool_or(muted) FROM overlays"):
        pass
    assert await page.evaluate("volume.gain.value") == 1
    # Skipped, it leaves the screen and says so.
    alert_id = (await scene.alert(donation_id))["alert_id"]
    assert await scene.skip(str(alert_id))
    await until_off_screen(scene, 2)
    await expect(page.locator(".alert")).to_have_count(0)
    assert page.problems == []  # type: ignore[attr-defined]
