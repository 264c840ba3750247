"""The dashboard without scripts: what it shows, what its buttons do, and who may press them."""

import json
import time
import uuid
from typing import Any

import httpx

from domain import alerts, overlays
from domain.overlay_tokens import find_overlay_token, rotate_overlay_token
from domain.streamers import Streamer
from domain.users import create_user
from infra.crypto import SecretBox
from infra.tickets import issue_dashboard_ticket, read_dashboard_ticket
from tests.support.site import Site
from tests.web.conftest import PASSWORD, signed_in
from web.reveals import give_pass

HTMX = {"HX-Request": "true"}
NBSP = "\N{NO-BREAK SPACE}"

ACTIONS: dict[str, dict[str, str]] = {
    "/dashboard/test": {"amount_minor": "30000"},
    "/dashboard/skip": {"alert_id": str(uuid.uuid4())},
    "/dashboard/pause": {"paused": "yes"},
    "/dashboard/missed": {"answer": "drop"},
    "/dashboard/overlay-token": {},
    "/dashboard/reveal": {},
    "/dashboard/overlay-address": {},
    "/dashboard/feed/replay": {"donation_id": "1"},
    "/dashboard/feed/hurry": {},
}
PAGES = (
    "/dashboard",
    "/dashboard/part/feed",
    "/dashboard/part/overlay",
    "/dashboard/part/best",
    "/dashboard/ticket",
)


def box_of(site: Site) -> SecretBox:
    return SecretBox(site.settings.secret_keys.get_secret_value())


async def add_paid(
    site: Site, streamer: Streamer, amount_minor: int = 30_000, message: str = "Привет", name: str | None = "Аня"
) -> int:
    """A donation as it stands after its payment was confirmed, its alert waiting."""
    async with site.pool.acquire() as connection, connection.transaction():
        donation_id: int = await connection.fetchval(
            "INSERT INTO donations (public_id, streamer_id, status, amount_minor, public_donor_name, public_message,"
            " consent_version, paid_at) VALUES ($1, $2, 'paid', $3, $4, $5, '1', now()) RETURNING id",
            uuid.uuid4().hex, streamer.id, amount_minor, name, message,
        )  # fmt: skip
        await alerts.enqueue_donation(
            connection, streamer_id=streamer.id, donation_id=donation_id, donor_name=name, message=message,
            amount_minor=amount_minor,
        )  # fmt: skip
    return donation_id


async def connect_obs(site: Site, streamer: Streamer, *, in_obs: bool = True) -> uuid.UUID:
    """An overlay that speaks, as realtime writes it down."""
    process_id, overlay_id = uuid.uuid4(), uuid.uuid4()
    async with site.pool.acquire() as connection, connection.transaction():
        await rotate_overlay_token(connection, box_of(site), streamer.id)
        token_id = await connection.fetchval("SELECT max(id) FROM overlay_tokens")
        await overlays.renew_process(connection, process_id)
        await overlays.connect_overlay(
            connection, process_id=process_id, streamer_id=streamer.id, token_id=token_id, overlay_id=overlay_id,
            in_obs=in_obs, visible=True, active=in_obs,
        )  # fmt: skip
        await overlays.choose_speaker(connection, streamer.id)
        await connection.execute("UPDATE speakers SET resume_at = NULL")
    return overlay_id


async def play(site: Site, streamer: Streamer, overlay_id: uuid.UUID) -> uuid.UUID:
    async with site.pool.acquire() as connection:
        row = await connection.fetchrow(
            "UPDATE alerts SET status = 'playing', lease_id = gen_random_uuid(), started_at = now(),"
            " leased_until = now() + interval '1 minute'"
            " WHERE id = (SELECT id FROM alerts WHERE streamer_id = $1 AND status = 'queued'"
            " ORDER BY place LIMIT 1) RETURNING alert_id, lease_id",
            streamer.id,
        )
        assert row is not None, "nothing waits"
        await connection.execute(
            "INSERT INTO alert_leases (lease_id, alert_id, overlay_id) VALUES ($1, $2, $3)",
            row["lease_id"], row["alert_id"], overlay_id,
        )  # fmt: skip
        found: uuid.UUID = row["alert_id"]
        return found


async def alert_statuses(site: Site) -> list[str]:
    return [row["status"] for row in await site.rows("SELECT status FROM alerts ORDER BY id")]


class TestRoles:
    async def test_a_stranger_is_sent_to_sign_in_whatever_he_asks_for(self, site: Site, streamer: Streamer) -> None:
        for path in PAGES:
            answer = await site.client.get(path)
            assert answer.status_code == 303, path
            assert answer.headers["Location"].startswith("/sign-in"), path
        for path, fields in ACTIONS.items():
            answer = await site.client.post(f"{path}?streamer={streamer.slug}", data=fields)
            assert answer.headers["Location"].startswith("/sign-in?next=/dashboard?streamer"), path
        assert await alert_statuses(site) == []

    async def test_to_another_streamer_her_dashboard_does_not_exist(self, site: Site, streamer: Streamer) -> None:
        donation_id = await add_paid(site, streamer)
        await site.add_streamer("boris", "Борис")
        async with signed_in(site, "boris@example.org") as his:
            for path in PAGES:
                mark = "&" if "?" in path else "?"
                answer = await his.get(f"{path}{mark}streamer={streamer.slug}", headers=HTMX)
                assert answer.status_code == 404, path
            for path, fields in ACTIONS.items():
                answer = await his.post(f"{path}?streamer={streamer.slug}", data=fields)
                assert answer.status_code == 404, path
            alert = await site.pool.fetchval("SELECT alert_id FROM alerts WHERE donation_id = $1", donation_id)
            await his.post("/dashboard/skip", data={"alert_id": str(alert)})
        assert await alert_statuses(site) == ["queued"]

    async def test_a_superuser_sees_everybody(self, site: Site, streamer: Streamer, boss: httpx.AsyncClient) -> None:
        everybody = await boss.get("/dashboard")
        assert f"/dashboard?streamer={streamer.slug}" in everybody.text
        page = await boss.get(f"/dashboard?streamer={streamer.slug}")
        assert page.status_code == 200
        assert f"/dashboard/test?streamer={streamer.slug}" in page.text
        answer = await boss.post(f"/dashboard/test?streamer={streamer.slug}", data=ACTIONS["/dashboard/test"])
        assert answer.headers["Location"] == f"/dashboard?said=test-waits&streamer={streamer.slug}#stage"
        assert await alert_statuses(site) == ["queued"]
        assert (await boss.get("/dashboard?streamer=nobody")).status_code == 404

    async def test_a_user_without_a_page_is_led_to_the_first_steps(self, site: Site) -> None:
        async with site.pool.acquire() as connection:
            await create_user(connection, "viewer@example.org", PASSWORD)
        async with signed_in(site, "viewer@example.org") as client:
            answer = await client.get("/dashboard")
            assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard/first-steps")


class TestWhatItShows:
    async def test_an_empty_dashboard_says_what_to_do(self, her: httpx.AsyncClient) -> None:
        page = (await her.get("/dashboard")).text
        assert "It is quiet so far" in page
        assert "no donations yet" in page
        assert "Nothing plays now" in page
        assert "Make the address" in page

    async def test_donations_newest_first_with_what_became_of_them(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        states = ["shown", "playing", "queued", "skipped", "dropped", "held"]
        for _ in states:
            await add_paid(site, streamer)
        ids = [row["id"] for row in await site.rows("SELECT id FROM alerts ORDER BY id")]
        for alert_id, state in zip(ids, states, strict=True):
            await site.pool.execute(
                "UPDATE alerts SET status = $2,"
                " shown_at = CASE WHEN $2 = 'shown' THEN '2026-01-01 18:43+00'::timestamptz END,"
                " lease_id = CASE WHEN $2 = 'playing' THEN gen_random_uuid() END,"
                " leased_until = CASE WHEN $2 = 'playing' THEN now() END WHERE id = $1",
                alert_id, state,
            )  # fmt: skip
        page = (await her.get("/dashboard")).text
        words = ["being checked", "not shown", "skipped", "waits", "on screen", "shown 21:43"]
        places = [page.index(f"</svg>{word}</span>") for word in words]
        assert places == sorted(places)
        assert f"300{NBSP}₽" in page

    async def test_money_that_went_astray_is_named(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        for status, refunded in (("refunded", 30_000), ("partially_refunded", 100), ("review", 0)):
            donation_id = await add_paid(site, streamer)
            await site.pool.execute(
                "UPDATE donations SET status = $2, refunded_minor = $3,"
                " paid_at = CASE WHEN $2 = 'review' THEN NULL ELSE paid_at END WHERE id = $1",
                donation_id, status, refunded,
            )  # fmt: skip
        await _confirm_review(site, streamer)
        page = (await her.get("/dashboard")).text
        for words in (">refunded<", ">refunded in part<", ">another amount came<"):
            assert words in page

    async def test_what_a_donor_wrote_is_text(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        evil = '<script>alert(1)</script>" onmouseover="x'
        await add_paid(site, streamer, message=evil, name="<b>Аня</b>")
        await play(site, streamer, await connect_obs(site, streamer))
        page = (await her.get("/dashboard")).text
        assert "<script>alert" not in page
        assert "<b>Аня" not in page
        assert page.count("&lt;script&gt;alert(1)") == 2

    async def test_totals(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        await site.pool.execute(
            "INSERT INTO streamer_totals (streamer_id, net_minor, donations) VALUES ($1, 123456789, 4321)", streamer.id
        )
        page = (await her.get("/dashboard")).text
        assert f"1{NBSP}234{NBSP}567.89{NBSP}₽" in page
        assert f"4{NBSP}321 donations" in page

    async def test_the_bar_answers_three_questions(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        async def bar() -> str:
            return (await her.get("/dashboard/part/bar", headers=HTMX)).text

        assert "not connected" in await bar()
        assert 'class="bar"' in await bar()
        for _ in range(4):
            await add_paid(site, streamer)
        assert "OBS is not connected, 4 alerts wait. The money has been received." in await bar()
        assert "bar-warn" in await bar()
        assert "4 wait for OBS" in await bar()
        assert "about" not in await bar(), "no time is promised where nothing moves"
        await connect_obs(site, streamer)
        assert "connected, 1 source" in await bar()
        assert "4, about 21 s" in await bar()
        assert 'class="bar"' in await bar()
        async with site.pool.acquire() as connection:
            await overlays.set_paused(connection, streamer.id, True)
        assert "Paused: 4 alerts wait." in await bar()
        assert "4, paused" in await bar()
        assert "about" not in await bar()
        await site.pool.execute("UPDATE terminals SET retired_at = now()")
        assert "Connect a way to receive money" in await bar()
        assert "bar-bad" in await bar()

    async def test_the_question_about_missed_alerts_stands_alone(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        for _ in range(5):
            await add_paid(site, streamer)
        await connect_obs(site, streamer)
        await site.pool.execute("UPDATE speakers SET resume_at = now() + interval '15 seconds'")
        for path in ("/dashboard", "/dashboard/control"):
            assert "The queue goes on in a moment" in (await her.get(path)).text, path
        await site.pool.execute("UPDATE speakers SET asking_since = now()")
        for path in ("/dashboard", "/dashboard/control"):
            page = (await her.get(path)).text
            assert "The queue goes on in a moment" not in page, path
            assert "As one summary" in page, path
        bar = (await her.get("/dashboard/part/bar", headers=HTMX)).text
        assert "5 wait for your answer" in bar
        assert "about" not in bar

    async def test_a_reached_goal_is_called_so_wherever_one_presses(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await add_paid(site, streamer, amount_minor=500_000, name=None)
        goal_id = await site.pool.fetchval(
            "INSERT INTO goals (streamer_id, title, target_minor, place) VALUES ($1, 'Мечта', 50000, 1) RETURNING id",
            streamer.id,
        )
        await site.pool.execute("UPDATE alerts SET kind = 'goal', donation_id = NULL, goal_id = $1", goal_id)
        await play(site, streamer, await connect_obs(site, streamer))
        for path in ("/dashboard/part/stage", "/dashboard/control/part"):
            part = (await her.get(path, headers=HTMX)).text
            assert "Goal reached!" in part, path
            assert "Anonymous" not in part, path

    async def test_a_tab_that_speaks_is_no_obs(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        await connect_obs(site, streamer, in_obs=False)
        page = (await her.get("/dashboard")).text
        assert "Alerts play in a browser tab, as a preview" in page
        assert "plays alerts" in page

    async def test_a_longer_feed_on_request(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        for _ in range(51):
            await add_paid(site, streamer)
        first = (await her.get("/dashboard")).text
        assert first.count('id="donation-') == 50
        assert "/dashboard/part/feed?rows=100" in first
        assert (await her.get("/dashboard?rows=100")).text.count('id="donation-') == 51
        for rows in ("-1", "999999999999999999999", "x", "", "1.5"):
            assert (await her.get("/dashboard", params={"rows": rows})).status_code == 200, rows

    async def test_parts_are_parts_and_unknown_ones_are_not_found(self, her: httpx.AsyncClient) -> None:
        for name in ("bar", "stage", "missed", "feed", "totals", "overlay"):
            answer = await her.get(f"/dashboard/part/{name}", headers=HTMX)
            assert f'id="{name}"' in answer.text
            assert "<html" not in answer.text
            assert answer.headers["Cache-Control"] == "no-store"
        assert (await her.get("/dashboard/part/secrets", headers=HTMX)).status_code == 404
        assert (await her.get("/dashboard/part/feed")).headers["Location"] == "/dashboard"

    async def test_it_speaks_russian(self, her: httpx.AsyncClient) -> None:
        page = (await her.get("/dashboard", headers={"Accept-Language": "ru"})).text
        for words in ("Сегодня", "Пропустить", "Проверить алерт", "не подключён", "Пока тихо"):
            assert words in page


async def _confirm_review(site: Site, streamer: Streamer) -> None:
    """The payment whose other amount put its donation under review."""
    await site.pool.execute(
        "INSERT INTO payments (donation_id, streamer_id, terminal_id, attempt, order_id, provider_payment_id, status,"
        " amount_minor, confirmed_minor, booked_as, confirmed_at, due_at)"
        " SELECT id, $1, (SELECT max(id) FROM terminals), 1, 'order-0123456789abcdef', '1', 'confirmed',"
        " amount_minor, amount_minor + 1, 'review', now(), now() FROM donations WHERE status = 'review'",
        streamer.id,
    )


class TestButtons:
    async def test_a_test_alert_waits_in_the_queue(self, site: Site, her: httpx.AsyncClient) -> None:
        answer = await her.post("/dashboard/test", data={"amount_minor": "500000"})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard?said=test-waits#stage")
        rows = await site.rows("SELECT kind, status, amount_minor, donation_id FROM alerts")
        assert rows == [{"kind": "test", "status": "queued", "amount_minor": 500_000, "donation_id": None}]
        assert "The test is in the queue." in (await her.get("/dashboard?said=test-waits")).text

    async def test_a_test_alert_is_on_its_way_only_where_something_plays_it(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await connect_obs(site, streamer)
        answer = await her.post("/dashboard/test", data={"amount_minor": "30000"}, headers=HTMX)
        assert "The test is on its way to OBS." in answer.text
        async with site.pool.acquire() as connection:
            await overlays.set_paused(connection, streamer.id, True)
        answer = await her.post("/dashboard/test", data={"amount_minor": "30000"}, headers=HTMX)
        assert "The test is in the queue." in answer.text

    async def test_a_waiting_test_is_no_money(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        await her.post("/dashboard/test", data={"amount_minor": "30000"})
        bar = (await her.get("/dashboard/part/bar", headers=HTMX)).text
        assert "OBS is not connected, 1 alert waits." in bar
        assert "The money has been received." not in bar
        await add_paid(site, streamer)
        bar = (await her.get("/dashboard/part/bar", headers=HTMX)).text
        assert "OBS is not connected, 2 alerts wait. The money has been received." in bar

    async def test_htmx_gets_the_changed_part_and_the_words(self, her: httpx.AsyncClient) -> None:
        answer = await her.post("/dashboard/test", data={"amount_minor": "30000"}, headers=HTMX)
        assert answer.status_code == 200
        assert answer.text.lstrip().startswith('<section id="stage"')
        assert '<div id="notice" hx-swap-oob="innerHTML">' in answer.text

    async def test_skip_hits_the_alert_it_was_pressed_for_and_no_other(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await add_paid(site, streamer)
        await add_paid(site, streamer)
        overlay_id = await connect_obs(site, streamer)
        first = await play(site, streamer, overlay_id)
        assert str(first) in (await her.get("/dashboard")).text
        answer = await her.post("/dashboard/skip", data={"alert_id": str(first)}, headers=HTMX)
        assert "Skipped." in answer.text
        second = await play(site, streamer, overlay_id)
        late = await her.post("/dashboard/skip", data={"alert_id": str(first)}, headers=HTMX)
        assert "Already skipped by @Анна." in late.text
        assert await alert_statuses(site) == ["skipped", "playing"]
        assert second != first

    async def test_pausing_twice_is_pausing(self, site: Site, her: httpx.AsyncClient) -> None:
        for _ in range(2):
            await her.post("/dashboard/pause", data={"paused": "yes"})
        assert await site.pool.fetchval("SELECT paused_at IS NOT NULL FROM speakers")
        assert 'value="no"' in (await her.get("/dashboard/part/stage", headers=HTMX)).text
        for _ in range(2):
            await her.post("/dashboard/pause", data={"paused": "no"})
        assert await site.pool.fetchval("SELECT paused_at IS NULL FROM speakers")

    async def test_missed_alerts_are_asked_about_and_answered_once(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        for _ in range(4):
            await add_paid(site, streamer)
        await connect_obs(site, streamer)
        await site.pool.execute("UPDATE speakers SET asking_since = now()")
        page = (await her.get("/dashboard")).text
        assert f"While OBS was away, 4 alerts came for 1{NBSP}200{NBSP}₽" in page
        answer = await her.post("/dashboard/missed", data={"answer": "summary"}, headers=HTMX)
        assert "One summary stands for the missed alerts." in answer.text
        again = await her.post("/dashboard/missed", data={"answer": "drop"}, headers=HTMX)
        assert "It was already done" in again.text
        kinds = await site.rows("SELECT kind, status FROM alerts ORDER BY id")
        assert kinds[-1] == {"kind": "summary", "status": "queued"}
        assert all(row["status"] == "queued" for row in kinds)

    async def test_nonsense_is_422_and_changes_nothing(self, site: Site, her: httpx.AsyncClient) -> None:
        nonsense: list[tuple[str, dict[str, Any]]] = [
            ("/dashboard/test", {}),
            ("/dashboard/test", {"amount_minor": "1"}),
            ("/dashboard/test", {"amount_minor": "9" * 40}),
            ("/dashboard/test", {"amount_minor": "-30000"}),
            ("/dashboard/test", {"amount_minor": "٣٠٠٠٠x"}),
            ("/dashboard/skip", {}),
            ("/dashboard/skip", {"alert_id": "1; DROP TABLE alerts"}),
            ("/dashboard/pause", {"paused": "maybe"}),
            ("/dashboard/missed", {"answer": ""}),
            ("/dashboard/missed", {"answer": "\x00"}),
        ]
        for path, fields in nonsense:
            assert (await her.post(path, data=fields)).status_code == 422, (path, fields)
        assert await alert_statuses(site) == []
        assert await site.rows("SELECT * FROM speakers") == []

    async def test_tests_are_limited_wherever_they_are_asked_for(self, her: httpx.AsyncClient) -> None:
        for _ in range(30):
            assert (await her.post("/dashboard/test", data={"amount_minor": "30000"})).status_code == 303
        for path in ("/dashboard/test", "/dashboard/first-steps/test"):
            answer = await her.post(path, data={"amount_minor": "30000"})
            assert answer.status_code == 429, path
            assert "Retry-After" in answer.headers


class TestOverlayAddress:
    async def test_it_is_in_no_page_until_asked_for(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        async with site.pool.acquire() as connection:
            token = await rotate_overlay_token(connection, box_of(site), streamer.id)
        masked = (await her.get("/dashboard")).text
        assert token not in masked
        assert "••••••••" in masked
        shown = await her.post("/dashboard/reveal", headers=HTMX, follow_redirects=True)
        assert f"{site.url}/overlay#{token}" in shown.text
        assert "<html" not in shown.text
        page = await her.post("/dashboard/reveal", follow_redirects=True)
        assert f"{site.url}/overlay#{token}" in page.text
        assert "<html" in page.text
        given = await her.post("/dashboard/overlay-address")
        assert given.json() == {"address": f"{site.url}/overlay#{token}"}
        assert given.headers["Cache-Control"] == "no-store"

    async def test_no_link_brings_it_on_the_screen(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        async with site.pool.acquire() as connection:
            token = await rotate_overlay_token(connection, box_of(site), streamer.id)
        box = box_of(site)
        passes = (
            "overlay",
            "",
            "\x00",
            give_pass(box, streamer.id + 1),
            issue_dashboard_ticket(box, streamer.id, streamer.owner_id),
            box.encrypt(json.dumps(["reveal", streamer.id, time.time() - 1])),
            box.encrypt("1"),
        )
        for given in passes:
            for url in ("/dashboard", "/dashboard/part/overlay"):
                answer = await her.get(url, params={"reveal": given}, headers=HTMX)
                assert answer.status_code == 200
                assert token not in answer.text, given
        assert (await her.get("/dashboard/overlay-address")).status_code == 405
        assert (await her.get("/dashboard/reveal")).status_code == 405

    async def test_rotating_makes_a_new_one_and_the_old_one_opens_nothing(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        assert (await her.post("/dashboard/overlay-address")).status_code == 404
        await her.post("/dashboard/overlay-token")
        first = (await her.post("/dashboard/overlay-address")).json()["address"].partition("#")[2]
        answer = await her.post("/dashboard/overlay-token", headers=HTMX)
        assert "The overlay has a new address." in answer.text
        second = (await her.post("/dashboard/overlay-address")).json()["address"].partition("#")[2]
        assert second != first
        assert second not in answer.text
        async with site.pool.acquire() as connection:
            old, new = await find_overlay_token(connection, first), await find_overlay_token(connection, second)
        assert old is not None
        assert old.revoked
        assert new is not None
        assert not new.revoked
        assert new.streamer_id == streamer.id

    async def test_the_ticket_is_for_this_streamer(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        answer = await her.get("/dashboard/ticket")
        ticket = read_dashboard_ticket(box_of(site), answer.json()["ticket"])
        assert ticket is not None
        assert (ticket.streamer_id, ticket.user_id) == (streamer.id, streamer.owner_id)
        assert answer.headers["Cache-Control"] == "no-store"
