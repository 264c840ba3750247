"""The streamer's page of moderators, the link's own pages, and the log."""

import re
import secrets
from datetime import timedelta

import httpx
import pytest

from domain.streamers import Streamer
from tests.support.site import Site
from tests.web.moderation_cast import invite, let_in
from tests.web.test_moderation import HOSTILE, HTMX, hold

LINK = re.compile(r"http://[^<\"\s]+/moderate/join/[\w-]+")


@pytest.fixture
async def site(_kept_site: Site) -> Site:
    """One for all tests of this file: each has a streamer of its own."""
    return _kept_site


@pytest.fixture
async def streamer(site: Site) -> Streamer:
    return await site.add_streamer(f"anna-{secrets.token_hex(4)}", "Анна")


async def made_link(her: httpx.AsyncClient, **form: object) -> str:
    """Invite by the form; the link as the next page shows it."""
    answer = await her.post("/dashboard/moderators", data={"rights": ["queue"], "days": "7", **form})
    assert answer.status_code == 303, answer.text
    (found,) = set(LINK.findall((await her.get("/dashboard/moderators")).text))
    return str(found)


async def test_nobody_helps_yet(her: httpx.AsyncClient) -> None:
    page = await her.get("/dashboard/moderators")
    assert page.status_code == 200
    assert "No moderators yet" in page.text


async def test_from_an_invitation_to_a_revocation(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    link = await made_link(her, nick="")
    assert "has not opened the link" in (await her.get("/dashboard/moderators")).text
    # A messenger looks first, and uses nothing.
    path = link.removeprefix(site.url)
    for method in ("HEAD", "GET", "GET"):
        assert (await site.client.request(method, path)).status_code == 303
    async with httpx.AsyncClient(
        base_url=site.url, headers={"Accept-Language": "en", "Origin": site.url}, timeout=30
    ) as phone:
        answer = await phone.get(path)
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Location"] == "/moderate/join"
        page = await phone.get("/moderate/join")
        assert "Анна" in page.text
        assert "Decide what is shown" in page.text
        empty = await phone.post("/moderate/join", data={"nick": " "})
        assert empty.status_code == 422
        assert "Write a nick" in empty.text
        joined = await phone.post("/moderate/join", data={"nick": "Вера"})
        address = joined.headers["Location"].partition("?")[0]
        cookie = next(one for one in joined.headers.get_list("Set-Cookie") if one.startswith("moderator="))
        assert f"Path={address};" in f"{cookie};"
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Keep this page" in (await phone.get(joined.headers["Location"])).text
        # Used up, also for the phone itself.
        assert (await phone.get(path)).status_code == 404
        listed = (await her.get("/dashboard/moderators")).text
        assert "on the page" in listed
        assert "<bdi>Вера</bdi>" in listed
        assert not LINK.search(listed), "it was used"

        moderator_id = await site.pool.fetchval("SELECT id FROM moderators WHERE streamer_id = $1", streamer.id)
        revoked = await her.post(f"/dashboard/moderators/{moderator_id}/revoke")
        assert revoked.headers["Location"] == "/dashboard/moderators?said=moderator-revoked"
        for answer in (
            await phone.get(address),
            await phone.post(f"{address}/decide"),
            await phone.get(f"{address}/ticket"),
        ):
            assert answer.status_code == 404
            assert "Ask the streamer for a new link." in answer.text
        part = await phone.get(f"{address}/queue", headers=HTMX)
        assert (part.status_code, part.headers["HX-Refresh"]) == (404, "true")
    assert "No moderators yet" in (await her.get("/dashboard/moderators")).text


async def test_a_link_is_shown_for_a_while_to_who_made_it(her: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    link = await made_link(her, nick="Боб")
    assert (await her.post("/dashboard/moderators/link")).json() == {"address": link}
    await her.post("/dashboard/on-air", data={"on": "yes"})
    assert link not in (await her.get("/dashboard/moderators")).text, "she shares her screen"
    assert (await her.post("/dashboard/moderators/link")).json() == {"address": link}
    # Another browser of hers, and a stranger with her cookie, get nothing of it.
    cookie = her.cookies.get("new-moderator")
    assert cookie
    stranger.cookies.set("new-moderator", cookie)
    assert link not in (await stranger.get("/dashboard/moderators")).text
    assert (await stranger.post("/dashboard/moderators/link")).status_code == 410
    her.cookies.delete("new-moderator")
    assert (await her.post("/dashboard/moderators/link")).status_code == 410


async def test_changing_and_renewing(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    async with let_in(site, streamer) as bob:
        answer = await her.post(
            f"/dashboard/moderators/{bob.id}",
            data={"nick": "Роберт", "rights": ["controls", "amounts"], "days": "never"},
        )
        assert answer.headers["Location"] == f"/dashboard/moderators?said=moderator-saved#moderator-{bob.id}"
        page = (await bob.client.get(bob.at)).text
        assert 'id="controls"' in page
        assert 'id="queue"' not in page
        row = await site.pool.fetchrow("SELECT nick, rights, expires_at FROM moderators WHERE id = $1", bob.id)
        assert row is not None
        assert (row["nick"], set(row["rights"]), row["expires_at"]) == ("Роберт", {"controls", "amounts"}, None)
        nothing = await her.post(f"/dashboard/moderators/{bob.id}", data={"rights": ["amounts"], "days": "keep"})
        assert nothing.status_code == 422
        assert "Choose at least one of" in nothing.text
        assert f'id="change-{bob.id}" open' in nothing.text

        await her.post(f"/dashboard/moderators/{bob.id}/renew")
        assert (await bob.client.get(bob.at)).status_code == 404
        page = (await her.get("/dashboard/moderators")).text
        assert LINK.search(page)
        assert "has not opened the link" in page


async def test_garbage(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    bob = (await invite(site, streamer)).moderator_id
    for path, form, status in (
        ("", {"rights": ["queue"], "days": "2"}, 422),
        ("", {"rights": ["queue"]}, 422),
        ("", {"rights": ["money"], "days": "7"}, 422),
        ("", {"rights": [], "days": "7"}, 422),
        ("", {"nick": "ж" * 61, "rights": ["queue"], "days": "7"}, 422),
        (f"/{bob}", {"rights": ["queue"], "days": "soon"}, 422),
        (f"/{bob}", {"nick": "ж" * 61, "rights": ["queue"]}, 422),
        ("/2147483647", {"rights": ["queue"]}, 404),
        ("/99999999999999", {"rights": ["queue"]}, 404),
    ):
        answer = await her.post(f"/dashboard/moderators{path}", data=form)
        assert answer.status_code == status, (path, form)
    assert await site.pool.fetchval("SELECT count(*) FROM moderators WHERE streamer_id = $1", streamer.id) == 1
    for token in ("x", "я" * 300, "%00", "..%2f"):
        assert (await site.client.get(f"/moderate/join/{token}")).status_code in (404, 422), token
    assert (await site.client.get("/moderate/join")).status_code == 404
    assert (await site.client.post("/moderate/join", data={"nick": "Боб"})).status_code == 404


async def test_the_log_says_who_decided_what(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    assert "Nobody has decided anything yet" in (await her.get("/dashboard/moderation/log")).text
    alert_id, public_id = await hold(site, streamer, HOSTILE, donor_name="<i>Петя</i>")
    async with let_in(site, streamer, nick="<b>Боб") as bob:
        await bob.client.post(f"{bob.at}/decide", data={"alert_id": alert_id, "decision": "hide"})
        await her.post("/dashboard/moderation/undo", data={"alert_id": alert_id})
        page = (await her.get("/dashboard/moderation/log")).text
        assert "<bdi>&lt;b&gt;Боб</bdi>" in page
        assert "<bdi>Анна</bdi>" in page
        assert "&lt;i&gt;Петя&lt;/i&gt;" in page
        assert f"/dashboard/donations/{public_id}" in page
        assert 'class="caught"' in page
        assert "Swearing and slurs" in page
        assert "<script>alert(1)" not in page
        his = (await her.get(f"/dashboard/moderation/log?moderator={bob.id}")).text
        assert his.count("log-line") == 1
        assert "1 decision in a week" in (await her.get("/dashboard/moderators")).text
    for query in ("before=0", "before=x", "after=99999999999999999999", "moderator=-1"):
        assert (await her.get(f"/dashboard/moderation/log?{query}")).status_code == 200, query


async def test_the_log_has_pages(her: httpx.AsyncClient, site: Site, streamer: Streamer) -> None:
    await hold(site, streamer)
    await site.pool.execute(
        "INSERT INTO moderation_decisions (streamer_id, donation_id, what, by_kind, by_id, by_name, decided_at)"
        " SELECT $1, donation_id, 'hide', 'owner', 1, 'line ' || n, now() + n * $2::interval"
        " FROM holds, generate_series(1, 120) n WHERE streamer_id = $1",
        streamer.id,
        timedelta(seconds=1),
    )
    page = (await her.get("/dashboard/moderation/log")).text
    seen = [re.findall(r"<bdi>line (\d+)</bdi>", page)]
    while older := re.search(r'href="([^"]+)" rel="next"', page):
        page = (await her.get(older.group(1).replace("&amp;", "&"))).text
        seen.append(re.findall(r"<bdi>line (\d+)</bdi>", page))
    assert [int(number) for part in seen for number in part] == list(range(120, 0, -1))
    newer = re.search(r'href="([^"]+)" rel="prev"', page)
    assert newer is not None
    page = (await her.get(newer.group(1).replace("&amp;", "&"))).text
    assert re.findall(r"<bdi>line (\d+)</bdi>", page) == seen[1]
