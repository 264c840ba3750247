"""A moderator's page without script: cards, decisions, what may be seen, the controls, who else is there."""

import re
import secrets

import httpx
import pytest

from domain.moderation import Mode, Settings
from domain.moderation_settings import save_settings
from domain.streamers import Streamer
from tests.support.site import Site
from tests.web.moderation_cast import let_in
from tests.web.money import add_paid
from tests.web.test_moderation import HOSTILE, HTMX, hold

ALL = ("queue", "amounts", "block", "controls")
MONEY = "300\N{NO-BREAK SPACE}₽"


@pytest.fixture
async def site(_kept_site: Site) -> Site:
    """One for all tests of this file: each has a streamer of its own."""
    return _kept_site


@pytest.fixture
async def streamer(site: Site) -> Streamer:
    return await site.add_streamer(f"anna-{secrets.token_hex(4)}", "Анна")


async def test_nothing_waits(site: Site, streamer: Streamer) -> None:
    async with let_in(site, streamer) as bob:
        page = (await bob.client.get(bob.at)).text
    assert "The queue is empty" in page
    assert '<meta http-equiv="refresh" content="20;url=?">' in page
    assert "only you" in page


async def test_one_card_at_a_time(site: Site, streamer: Streamer) -> None:
    first, _ = await hold(site, streamer)
    second, _ = await hold(site, streamer, "ещё сука", donor_name="Кузьма")
    async with let_in(site, streamer) as bob:
        page = (await bob.client.get(bob.at)).text
        assert '<mark class="caught" title="Swearing and slurs">сука</mark>, привет' in page
        assert "1 more waits" in page
        assert "Кузьма" not in page
        assert MONEY not in page
        assert "@example.org" not in page
        for decision, words in (("show", "about to be shown"), ("hide", "about to be hidden")):
            alert_id = first if decision == "show" else second
            answer = await bob.client.post(f"{bob.at}/decide", data={"alert_id": alert_id, "decision": decision})
            assert (answer.status_code, answer.headers["Location"]) == (303, bob.at)
            assert words in (await bob.client.get(bob.at)).text
        page = (await bob.client.get(bob.at)).text
        assert "The queue is empty" in page
        undone = await bob.client.post(f"{bob.at}/undo", data={"alert_id": second})
        assert "Taken back" in (await bob.client.get(undone.headers["Location"])).text
        assert "Кузьма" in (await bob.client.get(bob.at)).text
    rows = await site.rows(
        "SELECT what, by_kind, by_name FROM moderation_decisions WHERE by_kind <> 'rules' AND streamer_id = $1"
        " ORDER BY id",
        streamer.id,
    )
    assert [row["what"] for row in rows] == ["show", "hide", "undo"]
    assert {(row["by_kind"], row["by_name"]) for row in rows} == {("moderator", "Боб")}


async def test_who_is_second_is_told_who_was_first(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    alert_id, _ = await hold(site, streamer)
    await her.post("/dashboard/moderation/decide", data={"alert_id": alert_id, "decision": "hide"})
    async with let_in(site, streamer) as bob:
        late = await bob.client.post(f"{bob.at}/decide", data={"alert_id": alert_id, "decision": "show"}, headers=HTMX)
        assert "Already decided: hide it (Анна)." in late.text
        assert "@example.org" not in late.text
        plain = await bob.client.post(f"{bob.at}/decide", data={"alert_id": alert_id, "decision": "show"})
        assert "Somebody was first" in (await bob.client.get(plain.headers["Location"])).text


async def test_amounts_only_for_whom_they_are_allowed(site: Site, streamer: Streamer) -> None:
    await hold(site, streamer)
    async with site.pool.acquire() as connection:
        await save_settings(connection, streamer.id, Settings(mode=Mode.OFF))
    await add_paid(site, streamer, donor_name="Вера")
    await site.pool.execute(
        "UPDATE alerts SET status = 'shown', shown_at = now(), finished_at = now()"
        " WHERE status = 'queued' AND streamer_id = $1",
        streamer.id,
    )
    for rights, is_shown in (((*ALL,), True), (("queue", "block", "controls"), False)):
        async with let_in(site, streamer, rights=rights) as bob:
            await bob.client.post(f"{bob.at}/pause", data={"paused": "yes"})
            pages = [(await bob.client.get(bob.at)).text]
            pages.append((await bob.client.post(f"{bob.at}/replay", headers=HTMX)).text)
            pages.append((await bob.client.post(f"{bob.at}/replay", headers=HTMX)).text)
            pages.append((await bob.client.get(f"{bob.at}/controls", headers=HTMX)).text)
            pages.append((await bob.client.get(f"{bob.at}/queue", headers=HTMX)).text)
        assert (MONEY in pages[0]) is is_shown
        assert any("₽" in page for page in pages) is is_shown, rights
        assert "Вера" in "".join(pages)


async def test_the_controls(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    async with let_in(site, streamer, rights=["controls"]) as bob:
        page = (await bob.client.get(bob.at)).text
        assert "Nothing plays now" in page
        assert 'id="queue"' not in page
        assert (await bob.client.post(f"{bob.at}/pause", data={"paused": "yes"})).headers["Location"] == bob.at
        again = await bob.client.post(f"{bob.at}/pause", data={"paused": "yes"}, headers=HTMX)
        assert "The pause is on already" in again.text
        assert 'aria-pressed="true"' in again.text
        muted = await bob.client.post(f"{bob.at}/mute", data={"muted": "yes"}, headers=HTMX)
        assert muted.text.count('aria-pressed="true"') == 2
        nothing = await bob.client.post(f"{bob.at}/replay", headers=HTMX)
        assert "There is nothing to show again yet" in nothing.text
        for path, form in (("pause", {}), ("mute", {"muted": "maybe"}), ("skip", {"alert_id": "x"})):
            assert (await bob.client.post(f"{bob.at}/{path}", data=form)).status_code == 422, path
    acts = (await her.get("/dashboard/control")).text
    assert "@Боб" in acts
    assert await site.pool.fetchval(
        "SELECT paused_at IS NOT NULL AND muted_at IS NOT NULL FROM speakers WHERE streamer_id = $1", streamer.id
    )


async def test_blocking_and_exceptions(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    alert_id, _ = await hold(site, streamer, donor_name="Спамер")
    async with let_in(site, streamer, rights=["queue", "block"]) as bob:
        assert "“сука” is fine" in (await bob.client.get(bob.at)).text
        blocked = await bob.client.post(f"{bob.at}/block", data={"alert_id": alert_id, "kind": "name"}, headers=HTMX)
        assert "Blocked. Decide about this message, too." in blocked.text
        none = await bob.client.post(f"{bob.at}/block", data={"alert_id": alert_id, "kind": "address"}, headers=HTMX)
        assert "nothing left to block" in none.text
        for kind in ("payer", "", "money"):
            answer = await bob.client.post(f"{bob.at}/block", data={"alert_id": alert_id, "kind": kind})
            assert answer.status_code == 422, kind
        # Hers is blocked now, whatever she wrote; another's is only caught by the word.
        other_id, _ = await hold(site, streamer, donor_name="Вера")
        allowed = await bob.client.post(f"{bob.at}/allow", data={"alert_id": other_id, "match": "0"}, headers=HTMX)
        assert "Added to the exceptions" in allowed.text
        assert "about to be shown" in allowed.text
    assert "Спамер" in (await her.get("/dashboard/blocks")).text
    log = (await her.get("/dashboard/moderation/log")).text
    assert "Donor blocked" in log
    assert "Exception added" in log


async def test_who_else_is_there(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    async with let_in(site, streamer) as bob, let_in(site, streamer, nick="<i>Вера") as vera:
        await bob.client.get(bob.at)
        here = re.sub(r"<(?!bdi|/bdi)[^>]+>", "", (await vera.client.post(f"{vera.at}/here", headers=HTMX)).text)
        assert here.strip() == "Here now: <bdi>Боб</bdi>, you"
        hers = (await her.get("/dashboard/moderation")).text
        assert "<bdi>&lt;i&gt;Вера</bdi>, <bdi>Боб</bdi>, you" in hers
        assert "<bdi>Анна</bdi>" in (await bob.client.post(f"{bob.at}/here", headers=HTMX)).text
        await site.pool.execute(
            "UPDATE moderation_presence SET seen_at = now() - interval '31 seconds' WHERE streamer_id = $1", streamer.id
        )
        assert "only you" in (await her.post("/dashboard/moderation/here", headers=HTMX)).text


async def test_hostile_texts_are_texts(site: Site, streamer: Streamer) -> None:
    await hold(site, streamer, HOSTILE, donor_name="<img src=x onerror=alert(1)>")
    async with let_in(site, streamer, nick="<script>", rights=ALL) as bob:
        page = (await bob.client.get(bob.at)).text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


async def test_another_site_makes_nobody_press(site: Site, streamer: Streamer) -> None:
    alert_id, _ = await hold(site, streamer)
    async with let_in(site, streamer) as bob:
        press = {"alert_id": alert_id, "decision": "show"}
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        ):
            answer = await bob.client.post(f"{bob.at}/decide", data=press, headers=headers)
            assert answer.status_code == 403, headers
        same = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
        assert (await bob.client.post(f"{bob.at}/decide", data=press, headers=same)).status_code == 303


async def test_signing_out(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    async with let_in(site, streamer) as bob:
        await bob.client.get(bob.at)
        assert (await bob.client.post(f"{bob.at}/leave")).headers["Location"] == "/"
        assert (await bob.client.get(bob.at)).status_code == 404
    page = (await her.get("/dashboard/moderators")).text
    assert "needs a new link" in page
    assert "last here just now" in page


async def test_two_streamers_in_one_browser(site: Site, streamer: Streamer) -> None:
    boris = await site.add_streamer("boris-too", "Борис")
    async with let_in(site, streamer) as bob, let_in(site, boris) as other:
        for cookie in other.client.cookies.jar:
            bob.client.cookies.jar.set_cookie(cookie)
        assert "Анна" in (await bob.client.get(bob.at)).text
        assert "Борис" in (await bob.client.get(other.at)).text
