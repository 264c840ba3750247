"""The feed's rows and the bar's warnings: what they say, and what their buttons do."""

import uuid

import httpx
import pytest

from domain.overlay_tokens import rotate_overlay_token
from domain.streamers import Streamer
from domain.users import create_user
from tests.support.site import Site
from tests.web.conftest import PASSWORD, signed_in
from tests.web.test_dashboard import add_paid, alert_statuses, box_of, connect_obs, play

HTMX = {"HX-Request": "true"}
NBSP = "\N{NO-BREAK SPACE}"


async def read(client: httpx.AsyncClient, part: str) -> str:
    answer = await client.get(f"/dashboard/part/{part}", headers=HTMX)
    assert answer.status_code == 200
    return answer.text


async def add_manual(
    site: Site, streamer: Streamer, name: str, ago: str = "0 seconds", *, deleted: bool = False
) -> None:
    await site.pool.execute(
        "INSERT INTO manual_donations (public_id, streamer_id, donor_name, message, amount_minor, source, received_at,"
        " deleted_at) VALUES ($1, $2, $3, '<i>Hi</i>', 70000, 'cash', now() - $4::text::interval,"
        " CASE WHEN $5 THEN now() END)",
        uuid.uuid4().hex, streamer.id, name, ago, deleted,
    )  # fmt: skip


class TestRows:
    async def test_what_was_entered_by_hand_stands_among_them_marked(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        assert "Without what was entered by hand" not in await read(her, "totals")
        await add_manual(site, streamer, "Older", "1 hour")
        await add_paid(site, streamer, name="Paid")
        await add_manual(site, streamer, "Newer")
        await add_manual(site, streamer, "Gone", deleted=True)
        feed = await read(her, "feed")
        places = [feed.index(name) for name in ("Newer", "Paid", "Older")]
        assert places == sorted(places)
        assert "Gone" not in feed
        assert feed.count("entered by hand") == 2
        assert "&lt;i&gt;Hi&lt;/i&gt;" in feed
        assert "cash" in feed
        totals = await read(her, "totals")
        assert "Without what was entered by hand." in totals
        assert f"700{NBSP}₽" not in totals

    async def test_the_row_that_plays_has_its_progress(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await add_paid(site, streamer)
        assert "row-playing" not in await read(her, "feed")
        overlay_id = await connect_obs(site, streamer)
        await play(site, streamer, overlay_id)
        feed = await read(her, "feed")
        assert "row-playing" in feed
        assert "data-progress data-duration-ms=" in feed
        assert "on screen" in feed

    async def test_it_is_shown_once_more_however_often_pressed(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        donation_id = await add_paid(site, streamer)
        assert "/dashboard/feed/replay" not in await read(her, "feed")  # It waits to be shown at all.
        await site.pool.execute("UPDATE alerts SET status = 'shown', shown_at = now(), finished_at = now()")
        assert "/dashboard/feed/replay" in await read(her, "feed")
        first = await her.post("/dashboard/feed/replay", data={"donation_id": str(donation_id)}, headers=HTMX)
        assert "It plays once more" in first.text
        second = await her.post("/dashboard/feed/replay", data={"donation_id": str(donation_id)})
        assert second.headers["Location"] == "/dashboard?said=too-late#feed"
        assert await alert_statuses(site) == ["shown", "queued"]
        # A repeat that plays is seen at its donation.
        await play(site, streamer, await connect_obs(site, streamer))
        assert "data-progress" in await read(her, "feed")

    async def test_nobody_repeats_anothers_donation(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        boris = await site.add_streamer("boris", "Борис")
        his = await add_paid(site, boris)
        for text in (str(his), "0", str(2**31 - 1)):
            answer = await her.post("/dashboard/feed/replay", data={"donation_id": text})
            assert answer.headers["Location"].startswith("/dashboard?said=too-late")
        for text in ("", "-1", "1e3", "x", "²", str(2**31), "9" * 40):
            assert (await her.post("/dashboard/feed/replay", data={"donation_id": text})).status_code == 422, text
        assert await alert_statuses(site) == ["queued"]
        assert streamer.id != boris.id

    async def test_it_is_hidden_wherever_its_alert_is_and_let_in_again(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        hidden = {"donation_id": str(await add_paid(site, streamer, name="Plays")), "hidden": "yes"}
        await play(site, streamer, await connect_obs(site, streamer))
        waits = {"donation_id": str(await add_paid(site, streamer, name="Waits")), "hidden": "yes"}
        held = {"donation_id": str(await add_paid(site, streamer, name="Held")), "hidden": "yes"}
        await site.pool.execute(
            "UPDATE alerts SET status = 'held', place = NULL, playable_at = NULL WHERE donation_id = $1",
            int(held["donation_id"]),
        )
        for fields in (hidden, waits):
            answer = await her.post("/dashboard/feed/hide", data=fields, headers=HTMX)
            assert "Hidden: not on the screen, not in public lists." in answer.text
        assert (await her.post("/dashboard/feed/hide", data=held)).headers["Location"] == "/dashboard?said=hidden#feed"
        assert await alert_statuses(site) == ["skipped", "dropped", "dropped"]
        feed = await read(her, "feed")
        assert feed.count("Do not hide") == 3
        again = await her.post("/dashboard/feed/hide", data=hidden)
        assert again.headers["Location"] == "/dashboard?said=too-late#feed"
        back = await her.post("/dashboard/feed/hide", data={**hidden, "hidden": "no"}, headers=HTMX)
        assert "It may be seen in public lists again." in back.text
        # What was kept off the screen stays off it.
        assert await alert_statuses(site) == ["skipped", "dropped", "dropped"]
        assert await site.pool.fetchval("SELECT count(hidden_at) FROM donations") == 2

    async def test_who_waits_for_a_decision_is_not_called_anonymous(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        donation_id = await add_paid(site, streamer)
        await site.pool.execute(
            "UPDATE donations SET donor_name = NULL, public_donor_name = NULL WHERE id = $1", donation_id
        )
        assert "Anonymous" in await read(her, "feed")
        await site.pool.execute("UPDATE alerts SET status = 'held', place = NULL, playable_at = NULL")
        feed = await read(her, "feed")
        assert "The name and the text wait for your decision" in feed
        assert "Anonymous" not in feed

    async def test_nobody_hides_anothers_donation(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        boris = await site.add_streamer("boris", "Борис")
        his = str(await add_paid(site, boris))
        answer = await her.post("/dashboard/feed/hide", data={"donation_id": his, "hidden": "yes"})
        assert answer.headers["Location"].startswith("/dashboard?said=too-late")
        for fields in ({"donation_id": his}, {"donation_id": his, "hidden": "maybe"}, {"hidden": "yes"}):
            assert (await her.post("/dashboard/feed/hide", data=fields)).status_code == 422, fields
        assert await alert_statuses(site) == ["queued"]
        assert await site.pool.fetchval("SELECT count(hidden_at) FROM donations") == 0
        assert streamer.id != boris.id

    async def test_a_refunded_one_offers_nothing(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        donation_id = await add_paid(site, streamer)
        public_id = await site.pool.fetchval("SELECT public_id FROM donations WHERE id = $1", donation_id)
        assert f"/dashboard/donations/{public_id}/refund" in await read(her, "feed")
        await site.pool.execute("UPDATE donations SET status = 'refunded', refunded_minor = amount_minor")
        feed = await read(her, "feed")
        assert "row-acts" not in feed
        assert "refunded" in feed


class TestBar:
    async def test_the_first_thing_to_do(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        assert "Go on setting up" in await read(her, "bar")
        async with site.pool.acquire() as connection:
            await rotate_overlay_token(connection, box_of(site), streamer.id)
        await her.post("/dashboard/first-steps/dismiss", data={"dismissed": "yes"})
        bar = await read(her, "bar")
        assert "Go on setting up" not in bar
        assert "/dashboard/test" in bar
        await site.pool.execute("DELETE FROM terminals")
        assert "Go on setting up" in await read(her, "bar")

    async def test_how_many_sources_and_since_when(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await connect_obs(site, streamer)
        await site.pool.execute("UPDATE overlays SET connected_at = date_trunc('day', now()) - interval '3 days'")
        bar = await read(her, "bar")
        assert "connected, 1 source" in bar
        assert "since " in bar

    async def test_alerts_that_wait_for_ten_minutes_alarm(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await add_paid(site, streamer)
        bar = await read(her, "bar")
        assert "bar-warn" in bar
        assert "already" not in bar
        await site.pool.execute("UPDATE alerts SET playable_at = now() - interval '11 minutes'")
        bar = await read(her, "bar")
        assert "bar-bad" in bar
        assert "already." in bar
        assert "The money has been received." in bar
        # An overlay that left a moment ago is no alarm yet.
        await site.pool.execute(
            "INSERT INTO speakers (streamer_id, last_present_at) VALUES ($1, now() - interval '1 minute')", streamer.id
        )
        assert "bar-bad" not in await read(her, "bar")

    async def test_notifications_that_wait_are_told_and_hurried(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await site.pool.execute(
            "INSERT INTO inbox (terminal_id, dedup_key, body) SELECT id, 'one', '{}' FROM terminals"
        )
        assert "notification of the bank" not in await read(her, "bar")
        await site.pool.execute("UPDATE inbox SET last_received_at = now() - interval '4 minutes'")
        bar = await read(her, "bar")
        assert "1 notification of the bank has waited since" in bar
        assert "bar-warn" in bar
        answer = await her.post("/dashboard/feed/hurry", headers=HTMX)
        assert "Asked to look at them now." in answer.text
        assert [row["name"] for row in await site.rows("SELECT name FROM outbox")] == ["apply_notification"]
        for _ in range(4):
            await her.post("/dashboard/feed/hurry")
        assert (await her.post("/dashboard/feed/hurry")).status_code == 429
        await site.pool.execute("UPDATE inbox SET processed_at = now(), outcome = 'applied'")
        assert "notification of the bank" not in await read(her, "bar")
        assert streamer.slug

    async def test_anothers_notifications_are_not_hers(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        boris = await site.add_streamer("boris", "Борис")
        await site.pool.execute(
            "INSERT INTO inbox (terminal_id, dedup_key, body, last_received_at)"
            " SELECT id, 'one', '{}', now() - interval '1 hour' FROM terminals WHERE streamer_id = $1", boris.id,
        )  # fmt: skip
        assert "notification of the bank" not in await read(her, "bar")
        answer = await her.post("/dashboard/feed/hurry")
        assert answer.headers["Location"] == "/dashboard?said=too-late#bar"
        assert await site.rows("SELECT name FROM outbox") == []
        assert streamer.id != boris.id

    async def test_dead_letters_are_the_operators_trouble(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await site.pool.execute("INSERT INTO relays (id, listening, dead_letters) VALUES (gen_random_uuid(), true, 3)")
        assert "given up" not in await read(her, "bar")
        async with site.pool.acquire() as connection:
            await create_user(connection, "root@example.org", PASSWORD, is_superuser=True)
        async with signed_in(site, "root@example.org") as boss:
            page = (await boss.get(f"/dashboard?streamer={streamer.slug}")).text
        assert "3 messages inside the site were given up" in page
        assert "/admin/self-check" in page


@pytest.mark.usefixtures("streamer")
async def test_the_best_of_the_month(site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
    assert " hidden " in (await read(her, "best")).partition(">")[0] + " "
    for name, amount in (("Аня", 100_000), ("Борис", 200_000), ("аня", 150_000), (None, 900_000)):
        await add_paid(site, streamer, amount, name=name)
    best = await read(her, "best")
    assert best.index(f"2{NBSP}500") < best.index("Борис")
    assert "Anonymous" not in best
