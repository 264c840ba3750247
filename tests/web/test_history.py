"""The page of all donations: its filters in the address, garbage in them, its rows' buttons, and who may see it."""

import re
from urllib.parse import quote

import httpx
import pytest

from domain import alerts
from domain.streamers import Streamer
from tests.support.site import Site
from tests.web.money import add_paid, go_back

NBSP = "\N{NO-BREAK SPACE}"
HTMX = {"HX-Request": "true"}
LIST = "/dashboard/donations"
GARBAGE = [
    ("from", "99", "Write the day"),
    ("from", "0001-01-01", "Write the day"),
    ("to", "2026-02-30", "Write the day"),
    ("to", "9999-12-31", "Write the day"),
    ("min", "-1", "Write an amount"),
    ("min", "9" * 40, "Write an amount"),
    ("max", "999999999", "Write an amount"),
    ("max", "NaN", "Write an amount"),
    ("state", "x' OR 1=1", "no such state"),
    ("anonymous", "\x00", "anonymous only"),
    ("q", "ж" * 101, "Too long"),
    ("q", "ж" * 10_000, "Too long"),
    ("donor", "д" * 101, "Too long"),
]
"""A filter, what comes in it, and what is said."""
HOSTILE = '"><script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}'


async def show(client: httpx.AsyncClient, **query: str) -> str:
    answer = await client.get(LIST, params=query)
    assert answer.status_code == 200, answer.text
    return answer.text.replace(NBSP, " ")


def rows(page: str) -> list[str]:
    """The sums of the rows."""
    return re.findall(r'<p class="donation-sum"><a [^>]*>([^<]*)</a>', page)


def said(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return str(httpx.URL(answer.headers["Location"]).params.get("said", ""))


class TestList:
    async def test_nothing_yet(self, streamer: Streamer, her: httpx.AsyncClient) -> None:
        page = await show(her)
        assert "No donations yet" in page
        assert f"/donate/{streamer.slug}" in page
        assert 'id="sums"' not in page

    async def test_rows_and_sums(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        donation, payment = await add_paid(site, streamer, donor_name=HOSTILE[:30], message=f"Привет {HOSTILE}")
        await go_back(site, payment, 20_000)
        await add_paid(site, streamer, 50_000, amount_minor=50_000, donor_name=None)
        page = await show(her)
        assert rows(page) == ["500 ₽", "300 ₽"]
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page
        for words in ("800 ₽", "100 ₽", "700 ₽", "refunded in part", "waits", "Anonymous"):
            assert words in page, words
        assert f"/dashboard/donations/{donation.public_id}" in page

    async def test_a_filter_is_in_all_addresses_and_cleared_alone(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        for number in range(52):
            await site.pool.execute(
                "INSERT INTO donations (public_id, streamer_id, status, amount_minor, message, public_message,"
                " consent_version, paid_at) VALUES ('a-donation-of-history-' || $1, $2, 'paid', $3::integer, 'ёж',"
                " 'ёж', '1', now() - $3::integer * interval '1 minute')",
                str(number), streamer.id, 1000 + number,
            )  # fmt: skip
        page = await show(her, q="Еж", period="month", min="1")
        assert len(rows(page)) == 50
        assert "“Еж”" in page
        for address in re.findall(r'href="(/dashboard/donations\?[^"]*(?:before|after)=[^"]*)"', page):
            for kept in (f"q={quote('Еж')}", "period=month", "min=1"):
                assert kept in address.replace("&amp;", "&"), address
        older = re.search(r'href="([^"]*)" rel="next"', page)
        assert older is not None
        second = (await her.get(older[1].replace("&amp;", "&"))).text
        assert len(rows(second)) == 2
        newer = re.search(r'href="([^"]*)" rel="prev"', second)
        assert newer is not None
        assert rows((await her.get(newer[1].replace("&amp;", "&"))).text.replace(NBSP, " ")) == rows(page)
        cleared = re.findall(r'class="chip chip-clear" href="([^"]*)"', page)
        assert [sorted(httpx.URL(a.replace("&amp;", "&")).params) for a in cleared] == [
            ["min", "period"],
            ["min", "q"],
            ["period", "q"],
        ]
        export = re.search(r'id="export" method="post" action="([^"]*)"', page)
        assert export is not None
        assert sorted(httpx.URL(export[1].replace("&amp;", "&")).params) == ["min", "period", "q"]

    async def test_nothing_fits(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        await add_paid(site, streamer)
        page = await show(her, q="жираф")
        assert "Nothing fits" in page
        assert rows(page) == []

    async def test_days_are_those_of_her_clocks(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        await site.pool.execute("UPDATE streamers SET time_zone = 'Asia/Vladivostok' WHERE id = $1", streamer.id)
        await add_paid(site, streamer)
        await site.pool.execute("UPDATE donations SET paid_at = '2026-11-23 14:00:00+00'")
        for query, found in (
            ({"from": "2026-11-24", "to": "24.11.2026"}, 1),
            ({"from": "2026-11-25"}, 0),
            ({"to": "2026-11-23"}, 0),
            ({"from": "2026-11-24"}, 1),
        ):
            assert len(rows(await show(her, **query))) == found, query

    async def test_garbage_is_said_and_the_rest_holds(
        self, streamer: Streamer, site: Site, her: httpx.AsyncClient
    ) -> None:
        await add_paid(site, streamer, message="слон")
        await add_paid(site, streamer, 40_000, amount_minor=40_000, message="кит", donor_name="Катя")
        for name, value, words in GARBAGE:
            other = {"donor": "катя"} if name == "q" else {"q": "кит"}
            page = await show(her, **{name: value, **other})
            assert words in page, (name, value[:20])
            assert rows(page) == ["400 ₽"], (name, value[:20])

    async def test_garbage_without_words(self, streamer: Streamer, site: Site, her: httpx.AsyncClient) -> None:
        await add_paid(site, streamer, message="слон")
        for query in (
            {"q": "\x00\x01"},
            {"q": "с\x00лон"},
            {"period": "\x00"},
            {"before": "9" * 18 + ".1"},
            {"before": "1.99999999999"},
            {"after": "x"},
            {"before": "\x00"},
            {"sums": "x"},
            {"from": "2026-12-01", "to": "2026-11-01"},
            {"min": "5", "max": "1"},
        ):
            assert len(rows(await show(her, **query))) == 1, query

    async def test_a_long_sum_comes_by_itself(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(3):
            await add_paid(site, streamer, message=f"слон {number}")
        assert "900 ₽" in await show(her, q="слон")
        monkeypatch.setattr("domain.history.sum_up.__kwdefaults__", {"steps": 1, "looked": 2})
        page = await show(her, q="слон")
        assert "900 ₽" not in page
        assert 'hx-trigger="load"' in page
        assert "900 ₽" in await show(her, q="слон", sums="all")
        part = await her.get(f"{LIST}/totals", params={"q": "слон"}, headers=HTMX)
        assert part.text.lstrip().startswith('<section class="card sums" id="sums"')
        assert "900 ₽" in part.text.replace(NBSP, " ")
        assert 'hx-trigger="load"' not in part.text
        plain = await her.get(f"{LIST}/totals", params={"q": "слон"})
        assert dict(httpx.URL(plain.headers["Location"]).params) == {"q": "слон", "sums": "all"}


class TestActs:
    async def test_hiding_from_a_row_and_from_the_page(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        donation, _ = await add_paid(site, streamer)
        path = f"{LIST}/{donation.public_id}"
        answer = await her.post(f"{path}/hide?q=привет&before=1.1", data={"from": "list"})
        location = httpx.URL(answer.headers["Location"])
        assert (location.path, location.fragment) == (LIST, f"d-{donation.public_id}")
        assert dict(location.params) == {"q": "привет", "before": "1.1", "said": "hidden"}
        assert len(rows(await show(her, state="hidden"))) == 1
        assert "Hidden" in (await her.get(path)).text
        for _ in range(2):
            assert said(await her.post(f"{path}/unhide")) == "unhidden"
        assert rows(await show(her, state="hidden")) == []
        totals = await site.rows("SELECT net_minor, donations FROM streamer_totals")
        assert totals == [{"net_minor": 30_000, "donations": 1}]

    async def test_replay_says_what_becomes_of_it(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        donation, payment = await add_paid(site, streamer)
        path = f"{LIST}/{donation.public_id}/replay"
        assert said(await her.post(path)) == "replayed"
        assert said(await her.post(path)) == "not-replayed-waits"
        page = (await her.get(f"{LIST}/{donation.public_id}")).text
        assert "with the donation" in page
        assert "replay" in page
        await go_back(site, payment, 0)
        assert said(await her.post(path)) == "not-replayed-returned"
        review, _ = await add_paid(site, streamer, 100)
        assert said(await her.post(f"{LIST}/{review.public_id}/replay")) == "not-replayed-unpaid"
        kinds = await site.rows("SELECT kind FROM alerts WHERE donation_id = $1 ORDER BY id", donation.id)
        assert [row["kind"] for row in kinds] == [alerts.AlertKind.DONATION, alerts.AlertKind.REPLAY]

    async def test_neighbours_keep_the_filters(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        ids = [
            (await add_paid(site, streamer, message=message))[0].public_id
            for message in ("слон", "кит", "слон", "слон")
        ]
        page = (await her.get(f"{LIST}/{ids[2]}", params={"q": "слон"})).text.replace("&amp;", "&")
        assert re.search(rf'href="{LIST}/{ids[0]}\?q=[^"]*" rel="next"', page)
        assert re.search(rf'href="{LIST}/{ids[3]}\?q=[^"]*" rel="prev"', page)
        page = (await her.get(f"{LIST}/{ids[2]}")).text
        assert f'href="{LIST}/{ids[1]}" rel="next"' in page

    async def test_what_was_masked_can_be_read_as_written(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        donation, _ = await add_paid(site, streamer, message="плохое слово")
        path = f"{LIST}/{donation.public_id}"
        assert "As the donor wrote it" not in (await her.get(path)).text
        await site.pool.execute("UPDATE donations SET public_message = '***'")
        page = (await her.get(path)).text
        assert "As the donor wrote it" in page
        assert "плохое слово" in page
        assert "плохое слово" not in await show(her)


async def test_who_may(
    site: Site, streamer: Streamer, her: httpx.AsyncClient, stranger: httpx.AsyncClient, boss: httpx.AsyncClient
) -> None:
    donation, _ = await add_paid(site, streamer, message="слон")
    about = {"streamer": streamer.slug}
    reading = (LIST, f"{LIST}/totals", f"{LIST}/{donation.public_id}")
    acting = tuple(f"{LIST}/{donation.public_id}/{act}" for act in ("hide", "unhide", "replay"))
    for path in reading:
        assert (await site.client.get(path)).headers["Location"].startswith("/sign-in"), path
        assert (await stranger.get(path, params=about)).status_code == 404, path
        assert (await boss.get(path, params=about, headers=HTMX)).status_code == 200, path
    for path in acting:
        origin = {"Origin": site.url}
        assert (await site.client.post(path, headers=origin)).headers["Location"].startswith("/sign-in"), path
        for query in ({}, about):
            assert (await stranger.post(path, params=query)).status_code == 404, path
        assert (await her.post(path.replace(donation.public_id, "x" * 22))).status_code == 404, path
        assert (await her.post(path.replace(donation.public_id, "%00" * 22))).status_code == 404, path
        assert (await boss.post(path, params=about)).status_code == 303, path
    assert "слон" not in await show(stranger)
    assert "слон" in await show(boss, **about)
