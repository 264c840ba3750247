"""The pages of webhooks: adding, changing, trying and switching them; their secrets, and their log."""

import base64
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import webhook_deliveries, webhooks
from domain.streamers import Streamer
from domain.webhook_events import WebhookEvent
from domain.webhook_urls import clean_url
from domain.webhooks import MAX_WEBHOOKS
from infra.crypto import SecretBox
from tests.support.site import Site, open_site
from tests.web.conftest import signed_in

URL = "https://bot.example.org/hook?key=hidden-key"


@pytest.fixture
async def site(kept_site: Site) -> Site:
    return kept_site


async def add(her: httpx.AsyncClient, url: str = URL, *events: str, **fields: str) -> int:
    data = {"url": url, "format": "standard", "events": list(events) or ["donation.paid"], **fields}
    made = await her.post("/dashboard/webhooks", data=data)
    assert made.status_code == 303, made.text
    match = re.search(r"/dashboard/webhooks/(\d+)\?said=webhook-made", made.headers["Location"])
    assert match is not None
    return int(match[1])


async def deliver(site: Site, webhook_id: int, status: str, name: str = "donation.paid", **more: object) -> int:
    """A line of the log."""
    values = {"tries": 1, "http_status": 500, "answer": "", "error": "", "detail": "", "took_ms": 12, **more}
    found: int = await site.pool.fetchval(
        "INSERT INTO webhook_deliveries (webhook_id, event_id, name, data, occurred_at, status, tries, tried_at,"
        " took_ms, http_status, error, detail, answer, next_try_at)"
        " VALUES ($1, gen_random_uuid(), $2, '{}', now(), $3, $4, now(), $5, $6, $7, $8, $9,"
        " CASE WHEN $3 = 'waiting' THEN now() + interval '1 hour' END) RETURNING id",
        webhook_id, name, status, values["tries"], values["took_ms"], values["http_status"], values["error"],
        values["detail"], values["answer"],
    )  # fmt: skip
    return found


def forms_of_any_kind() -> list[tuple[str, str, str, list[str]]]:
    hosts = st.one_of(
        st.sampled_from(["bot.example.org", "localhost", "127.1", "[::1]", "кот.рф", "a..b", "0x7f.1", "b.de:8443"]),
        st.text(max_size=30),
    )
    urls = st.one_of(
        st.text(max_size=600),
        st.builds(
            "{}://{}/{}".format, st.sampled_from(["https", "http", "HTTPS", "file"]), hosts, st.text(max_size=30)
        ),
        st.builds("https://{}@{}".format, st.text(max_size=10), hosts),
    )
    events = st.lists(st.one_of(st.sampled_from([*WebhookEvent]).map(str), st.text(max_size=20)), max_size=4)
    kinds = st.one_of(st.sampled_from(["standard", "kofi"]), st.text(max_size=10))
    forms: list[tuple[str, str, str, list[str]]] = []

    @settings(max_examples=80, deadline=None, database=None, suppress_health_check=[*HealthCheck])
    @given(st.tuples(urls, st.text(max_size=80), kinds, events))
    def collect(form: tuple[str, str, str, list[str]]) -> None:
        forms.append(form)

    collect()
    return forms


class TestSetting:
    async def test_the_empty_page_says_what_it_is_for(self, her: httpx.AsyncClient) -> None:
        page = (await her.get("/dashboard/webhooks")).text
        assert "Nobody is told yet" in page
        assert "donation.charged_back" in page

    async def test_one_is_added_and_changed(self, site: Site, her: httpx.AsyncClient) -> None:
        webhook_id = await add(her, URL, "goal.reached", "donation.paid", name="Bot")
        (row,) = await site.rows("SELECT name, url, format, events, is_on FROM webhooks")
        assert row == {
            "name": "Bot", "url": URL, "format": "standard", "events": ["donation.paid", "goal.reached"], "is_on": True,
        }  # fmt: skip
        changed = {"url": "https://кот.рф/x", "name": "", "format": "kofi"}
        answer = await her.post(f"/dashboard/webhooks/{webhook_id}", data=changed)
        assert answer.status_code == 303
        (row,) = await site.rows("SELECT name, url, format, events FROM webhooks")
        assert row == {
            "name": "кот.рф", "url": "https://xn--j1aim.xn--p1ai/x", "format": "kofi", "events": ["donation.paid"],
        }  # fmt: skip
        page = (await her.get("/dashboard/webhooks")).text
        assert "кот.рф" in page
        assert "As Ko-fi sends it" in page

    @pytest.mark.parametrize(
        ("fields", "field", "words"),
        [
            ({"url": ""}, "url", "Paste the address"),
            ({"url": "http://bot.example.org/"}, "url", "begin with https://"),
            ({"url": "https://127.0.0.1/"}, "url", "not by a number"),
            ({"url": "https://localhost/"}, "url", "A host on the internet"),
            ({"url": "https://a:b@bot.example.org/"}, "url", "Without a name and password"),
            ({"url": "https://bot.example.org:25/"}, "url", "Port 443"),
            ({"url": f"https://bot.example.org/{'a' * 600}"}, "url", "remove 124"),
            ({"url": "https://\x00/"}, "url", "This is no address"),
            ({"name": "я" * 70}, "name", "remove 10"),
            ({"events": ""}, "events", "Choose at least one"),
        ],
    )
    async def test_what_is_wrong_is_said_where_it_is(
        self, site: Site, her: httpx.AsyncClient, fields: dict[str, str], field: str, words: str
    ) -> None:
        data = {"url": URL, "name": "", "format": "standard", "events": "donation.paid", **fields}
        answer = await her.post("/dashboard/webhooks", data={name: value for name, value in data.items() if value})
        assert answer.status_code == 422
        error = re.search(f'id="{field}-error">(.*?)</p>', answer.text)
        assert error is not None
        assert words in error[1]
        assert await site.rows("SELECT id FROM webhooks") == []

    async def test_garbage_is_refused(self, site: Site, her: httpx.AsyncClient) -> None:
        for data in ({"format": "xml"}, {"events": ["no.such.event"]}):
            answer = await her.post("/dashboard/webhooks", data={"url": URL, "events": "donation.paid", **data})
            assert answer.status_code == 422
        assert await site.rows("SELECT id FROM webhooks") == []

    async def test_whatever_is_typed_is_an_address_on_the_internet_or_refused(
        self, site: Site, her: httpx.AsyncClient
    ) -> None:
        for url, name, kind, events in forms_of_any_kind():
            data = {"url": url, "name": name, "format": kind, "events": events}
            answer = await her.post("/dashboard/webhooks", data=data)
            assert answer.status_code in (303, 422), data
            rows = await site.rows("DELETE FROM webhooks RETURNING url, name, events")
            assert len(rows) == (answer.status_code == 303), data
            for row in rows:
                assert clean_url(row["url"]) == row["url"]
                assert 0 < len(row["name"]) <= 60
                assert set(row["events"]) <= set(WebhookEvent)

    async def test_there_are_at_most_ten(self, her: httpx.AsyncClient) -> None:
        for _ in range(MAX_WEBHOOKS):
            await add(her)
        answer = await her.post("/dashboard/webhooks", data={"url": URL, "events": "donation.paid"})
        assert answer.status_code == 422
        assert "at most 10 webhooks" in answer.text
        assert "at most 10 webhooks" in (await her.get("/dashboard/webhooks")).text

    async def test_deleting_asks_to_be_sure(self, site: Site, her: httpx.AsyncClient) -> None:
        webhook_id = await add(her)
        await deliver(site, webhook_id, "delivered")
        await her.post(f"/dashboard/webhooks/{webhook_id}/delete")
        assert len(await site.rows("SELECT id FROM webhooks")) == 1
        await her.post(f"/dashboard/webhooks/{webhook_id}/delete", data={"sure": "yes"})
        assert await site.rows("SELECT id FROM webhooks") == []
        assert await site.rows("SELECT id FROM webhook_deliveries") == []
        assert (await her.get(f"/dashboard/webhooks/{webhook_id}")).status_code == 404

    async def test_another_streamers_is_not_there(self, site: Site, her: httpx.AsyncClient) -> None:
        webhook_id = await add(her)
        delivery_id = await deliver(site, webhook_id, "failed")
        await site.add_streamer("boris", "Борис")
        async with signed_in(site, "boris@example.org") as stranger:
            for path in ("", "/test", "/off", "/rotate", "/reveal", "/secret", f"/log/{delivery_id}/again"):
                assert (await stranger.post(f"/dashboard/webhooks/{webhook_id}{path}")).status_code == 404
            own = await add(stranger)
            # Her delivery by his webhook, either.
            for act in ("again", "skip"):
                answer = await stranger.post(f"/dashboard/webhooks/{own}/log/{delivery_id}/{act}")
                assert answer.status_code == 404
        assert await site.rows("SELECT status FROM webhook_deliveries") == [{"status": "failed"}]


class TestSecret:
    async def test_it_is_shown_only_when_asked(self, site: Site, her: httpx.AsyncClient) -> None:
        webhook_id = await add(her)
        secret = (await her.post(f"/dashboard/webhooks/{webhook_id}/secret")).json()["address"]
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
        for path in ("/dashboard/webhooks", f"/dashboard/webhooks/{webhook_id}"):
            assert secret not in (await her.get(path)).text
        shown = await her.post(f"/dashboard/webhooks/{webhook_id}/reveal")
        assert secret not in shown.headers["Location"]
        assert secret in (await her.get(shown.headers["Location"])).text
        (row,) = await site.rows("SELECT secret_encrypted FROM webhooks")
        assert secret not in row["secret_encrypted"]

    async def test_a_new_one_leaves_the_former_for_a_day(self, site: Site, her: httpx.AsyncClient) -> None:
        webhook_id = await add(her)
        former = (await her.post(f"/dashboard/webhooks/{webhook_id}/secret")).json()["address"]
        await her.post(f"/dashboard/webhooks/{webhook_id}/rotate")
        assert (await her.post(f"/dashboard/webhooks/{webhook_id}/secret")).json()["address"] != former
        assert (
            "The secret before this one signs, too, until" in (await her.get(f"/dashboard/webhooks/{webhook_id}")).text
        )
        (row,) = await site.rows(
            "SELECT former_secret_encrypted, round(extract(epoch FROM former_until - now()) / 3600) AS hours"
            " FROM webhooks"
        )
        box = SecretBox(site.settings.secret_keys.get_secret_value())
        assert (box.decrypt(row["former_secret_encrypted"]), row["hours"]) == (former, 24)

    async def test_on_air_nothing_secret_is_on_the_page(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        webhook_id = await add(her)
        await deliver(site, webhook_id, "failed", answer="a stack trace")
        shown = await her.post(f"/dashboard/webhooks/{webhook_id}/reveal")
        secret = (await her.post(f"/dashboard/webhooks/{webhook_id}/secret")).json()["address"]
        await site.pool.execute(
            "UPDATE users SET on_air = true, on_air_chosen_at = now() WHERE id = $1", streamer.owner_id
        )
        for path in ("/dashboard/webhooks", shown.headers["Location"]):
            # What is to be changed stands in a part that is closed.
            page = (await her.get(path)).text.partition('<details class="card">')[0]
            for private in (secret, "hidden-key", "bot.example.org", "a stack trace"):
                assert private not in page


class TestTrying:
    async def test_a_test_is_asked_for_and_watched(self, site: Site, her: httpx.AsyncClient) -> None:
        webhook_id = await add(her)
        answer = await her.post(f"/dashboard/webhooks/{webhook_id}/test")
        assert answer.status_code == 303
        page = (await her.get(f"/dashboard/webhooks/{webhook_id}")).text
        assert 'hx-trigger="every 1s"' in page
        assert '<noscript><meta http-equiv="refresh" content="3;url=?"></noscript>' in page
        assert await site.rows("SELECT data FROM outbox WHERE name = 'send_webhook'") == [
            {"data": {"argument": webhook_id}}
        ]
        (row,) = await site.rows("SELECT id FROM webhook_deliveries WHERE is_test")
        await site.pool.execute(
            "UPDATE webhook_deliveries SET status = 'delivered', next_try_at = NULL, http_status = 204, took_ms = 37,"
            " tried_at = now(), tries = 1"
        )
        path = f"/dashboard/webhooks/{webhook_id}/log/{row['id']}"
        await site.pool.execute("UPDATE webhooks SET delivered_at = now()")
        part = (await her.get(path, headers={"HX-Request": "true"})).text
        assert '<section class="card section webhook-state webhook-good" id="state"' in part
        assert "Answer 204" in part
        assert "37 ms" in part
        assert "hx-trigger" not in part
        assert (await her.get(path)).status_code == 303

    async def test_tests_are_limited(self, her: httpx.AsyncClient) -> None:
        webhook_id = await add(her)
        answers = [(await her.post(f"/dashboard/webhooks/{webhook_id}/test")).status_code for _ in range(61)]
        assert answers == [303] * 60 + [429]

    async def test_the_log_says_what_to_do(self, site: Site, her: httpx.AsyncClient) -> None:
        webhook_id = await add(her)
        for error, detail, words in (
            ("timeout", "", "No answer within 10 seconds"),
            ("dns", "", "There is no such host"),
            ("connect", "Connection refused", "No connection: Connection refused"),
            ("tls", "certificate has expired", "The certificate does not fit: certificate has expired"),
            ("protocol", "", "The answer is no HTTP"),
            ("forbidden", "10.0.0.1", "an address that is not on the internet"),
            ("nothing", "", "nothing left to tell"),
            ("unreadable", "", "make a new one below"),
        ):
            await deliver(site, webhook_id, "failed", error=error, detail=detail, http_status=None)
            page = (await her.get(f"/dashboard/webhooks/{webhook_id}")).text
            assert words in page, error
        await deliver(site, webhook_id, "waiting", http_status=302, error="redirect", tries=3)
        page = (await her.get(f"/dashboard/webhooks/{webhook_id}")).text
        assert "Answer 302, a redirect, which is not followed" in page
        assert "3 tries" in page
        assert "Next try" in page

    async def test_an_answer_is_text(self, site: Site, her: httpx.AsyncClient) -> None:
        webhook_id = await add(her)
        await deliver(site, webhook_id, "failed", answer="<script>alert(1)</script>")
        page = (await her.get(f"/dashboard/webhooks/{webhook_id}")).text
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page

    async def test_one_is_sent_again_or_skipped(self, site: Site, her: httpx.AsyncClient) -> None:
        webhook_id = await add(her)
        failed, waiting = [await deliver(site, webhook_id, status) for status in ("failed", "waiting")]
        for _ in range(2):
            answer = await her.post(f"/dashboard/webhooks/{webhook_id}/log/{failed}/again")
            assert answer.status_code == 303
        answer = await her.post(f"/dashboard/webhooks/{webhook_id}/log/{waiting}/skip")
        assert answer.headers["Location"].endswith("said=webhook-skipped")
        answer = await her.post(f"/dashboard/webhooks/{webhook_id}/log/{waiting}/skip")
        assert answer.headers["Location"].endswith("said=too-late")
        rows = await site.rows("SELECT status, is_single FROM webhook_deliveries ORDER BY id")
        assert rows == [{"status": "waiting", "is_single": True}, {"status": "dropped", "is_single": False}]

    async def test_all_that_did_not_arrive(self, site: Site, her: httpx.AsyncClient) -> None:
        webhook_id = await add(her)
        for status in ("failed", "delivered", "dropped"):
            await deliver(site, webhook_id, status)
        assert "Send 2 undelivered again" in (await her.get(f"/dashboard/webhooks/{webhook_id}")).text
        await her.post(f"/dashboard/webhooks/{webhook_id}/missed")
        rows = await site.rows("SELECT status FROM webhook_deliveries ORDER BY id")
        assert [row["status"] for row in rows] == ["waiting", "delivered", "waiting"]
        again = await her.post(f"/dashboard/webhooks/{webhook_id}/missed")
        assert "said=nothing-to-do" in again.headers["Location"]

    async def test_older_lines_are_a_page_further(self, site: Site, her: httpx.AsyncClient) -> None:
        webhook_id = await add(her)
        ids = [await deliver(site, webhook_id, "delivered") for _ in range(webhook_deliveries.LISTED + 2)]
        page = (await her.get(f"/dashboard/webhooks/{webhook_id}")).text
        assert f'id="delivery-{ids[-1]}"' in page
        assert f'id="delivery-{ids[0]}"' not in page
        older = re.search(r'href="([^"]*before=[^"]*)" rel="next"', page)
        assert older is not None
        page = (await her.get(older[1].replace("&amp;", "&"))).text
        assert all(f'id="delivery-{one}"' in page for one in ids[:2])
        assert 'rel="prev"' in page


class TestSwitching:
    async def test_off_drops_what_waits_and_on_begins_anew(self, site: Site, her: httpx.AsyncClient) -> None:
        webhook_id = await add(her)
        await deliver(site, webhook_id, "waiting")
        await her.post(f"/dashboard/webhooks/{webhook_id}/off")
        assert await site.rows("SELECT status FROM webhook_deliveries") == [{"status": "dropped"}]
        assert "You switched it off" in (await her.get("/dashboard/webhooks")).text
        for _ in range(2):
            assert (await her.post(f"/dashboard/webhooks/{webhook_id}/on")).status_code == 303
        assert "nothing sent yet" in (await her.get("/dashboard/webhooks")).text

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ("delivered_at = now()", "delivers"),
            ("failing_since = now() - interval '3 hours'", "Nothing arrives since"),
            ("off_reason = 'failing', off_at = now()", "Nothing arrived for a day"),
            ("off_reason = 'gone', off_at = now()", "The receiver answered 410"),
        ],
    )
    async def test_its_state_is_said(self, site: Site, her: httpx.AsyncClient, change: str, words: str) -> None:
        webhook_id = await add(her)
        await site.pool.execute(f"UPDATE webhooks SET {change}")
        for path in ("/dashboard/webhooks", f"/dashboard/webhooks/{webhook_id}"):
            assert words in (await her.get(path)).text
        settings = (await her.get("/dashboard/settings")).text
        assert ("one is switched off" in settings) == ("off_reason" in change)


@pytest.fixture
async def beside(fresh_database_url: str, redis_url: str) -> AsyncIterator[Site]:
    async with open_site(fresh_database_url, redis_url, webhooks_to_loopback=True) as site:
        yield site


async def test_in_development_a_program_beside_may_be_told(beside: Site) -> None:
    await beside.add_streamer()
    async with signed_in(beside, "anna@example.org") as her:
        await add(her, "http://127.0.0.1:5000/")
    async with beside.pool.acquire() as connection:
        (streamer,) = await beside.rows("SELECT id FROM streamers")
        (webhook,) = await webhooks.list_webhooks(connection, streamer["id"])
    assert webhook.url == "http://127.0.0.1:5000/"
