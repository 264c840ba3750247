"""A moderator's socket hears of what he may see, and ends with his session."""

import asyncio
import uuid

from domain import moderators
from domain.events import Topic
from infra.crypto import SecretBox
from infra.tickets import issue_dashboard_ticket, issue_moderator_ticket
from realtime.dashboard_socket import MAX_OF_MODERATOR
from tests.realtime.conftest import SECRET_KEY, Scene, Service
from tests.realtime.overlay_client import Client, refused

BOX = SecretBox(SECRET_KEY)


async def let_in(scene: Scene, nick: str) -> moderators.Moderator:
    async with scene.pool.acquire() as connection, connection.transaction():
        link = await moderators.invite(connection, scene.streamer.id, nick=nick, rights=["queue"], days=7)
        joined = await moderators.join(connection, link.token, nick="")
        assert joined is not None
        public_id = await connection.fetchval("SELECT public_id FROM moderators WHERE id = $1", link.moderator_id)
        found = await moderators.find_moderator(connection, public_id, joined[1])
    assert found is not None
    return found


def socket_of(service: Service, moderator: moderators.Moderator) -> Client:
    ticket = issue_moderator_ticket(BOX, moderator.streamer_id, moderator.session_id)
    return Client(service.url, "/dashboard", {"ticket": ticket})


async def test_only_topics_and_only_what_he_may_see(service: Service, scene: Scene) -> None:
    bob = await let_in(scene, "Боб")
    hers = issue_dashboard_ticket(BOX, scene.streamer.id, scene.streamer.owner_id)
    async with socket_of(service, bob) as his, Client(service.url, "/dashboard", {"ticket": hers}) as streamer:
        await scene.wake(Topic.TOTALS, Topic.GOALS)
        assert await streamer.wait_for("changed") == {"topics": ["goals", "totals"]}
        await scene.wake(Topic.TOTALS, Topic.ALERTS)
        assert await streamer.wait_for("changed") == {"topics": ["alerts", "totals"]}
        assert await his.next() == ("changed", {"topics": ["alerts"]}), "the first was not for him"
        await scene.wake(Topic.MODERATORS)
        assert await his.next() == ("changed", {"topics": ["moderators"]})
        assert (await his.say("offer", {}))["code"] == "unknown_message"


async def test_who_is_revoked_is_cut_off_at_once(service: Service, scene: Scene) -> None:
    bob, vera = await let_in(scene, "Боб"), await let_in(scene, "Вера")
    async with socket_of(service, bob) as his, socket_of(service, vera) as hers:
        async with scene.pool.acquire() as connection, connection.transaction():
            await moderators.revoke(connection, scene.streamer.id, bob.id)
        await scene.wake(Topic.MODERATORS)
        await his.wait_for("disconnect")
        await scene.wake(Topic.ALERTS)
        while "alerts" not in (await hers.wait_for("changed"))["topics"]:
            pass
        assert hers.heard_so_far() == []


async def test_without_redis_the_next_look_ends_it(service: Service, scene: Scene) -> None:
    """A new link, a time that is over: nobody says a word of it on Redis."""
    bob, vera = await let_in(scene, "Боб"), await let_in(scene, "Вера")
    async with socket_of(service, bob) as his, socket_of(service, vera) as hers:
        async with scene.pool.acquire() as connection, connection.transaction():
            await moderators.renew_link(connection, scene.streamer.id, bob.id)
            await connection.execute("UPDATE moderators SET expires_at = now() WHERE id = $1", vera.id)
        await asyncio.gather(his.wait_for("disconnect"), hers.wait_for("disconnect"))
    # A ticket of that session is good for a minute and lets in for a moment.
    async with socket_of(service, bob) as his:
        await his.wait_for("disconnect")


async def test_his_tabs_do_not_keep_the_streamer_out(service: Service, scene: Scene) -> None:
    bob, vera = await let_in(scene, "Боб"), await let_in(scene, "Вера")
    tabs = [await socket_of(service, bob).connect() for _ in range(MAX_OF_MODERATOR)]
    assert (await refused(socket_of(service, bob)))["code"] == "too_many"
    async with socket_of(service, vera):
        await tabs.pop().leave()
    for tab in tabs:
        await tab.leave()


async def test_a_session_that_never_was(service: Service, scene: Scene) -> None:
    ticket = issue_moderator_ticket(BOX, scene.streamer.id, uuid.uuid4())
    async with Client(service.url, "/dashboard", {"ticket": ticket}) as socket:
        await socket.wait_for("disconnect")
