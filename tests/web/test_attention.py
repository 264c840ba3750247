"""What waits for a person, on the streamer's page and on the operator's, and that it goes when it is dealt with."""

import json
import re
from typing import Any

import httpx

from domain import inbox
from domain.attention import count_attention, list_attention
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.streamers import Streamer
from tests.builders import hear, make_donation
from tests.support.site import Site
from tests.web.money import add_paid, add_second, built, go_back, refuse, wish_back

NBSP = "\N{NO-BREAK SPACE}"


async def add_notification(
    site: Site, streamer: Streamer, outcome: str = "unknown_order", order: str = "order-of-another-shop", **fields: Any
) -> int:
    """A signed notification that an actor could not place; its id."""
    terminal = await built(site, streamer)
    body = {
        "TerminalKey": terminal.terminal_key, "OrderId": order, "Success": True, "Status": "CONFIRMED",
        "PaymentId": 777000777, "ErrorCode": "0", "Amount": 123_400, "Token": "s1gnature", **fields,
    }  # fmt: skip
    async with site.pool.acquire() as connection, connection.transaction():
        for _ in range(3):
            await inbox.store_notification(
                connection,
                terminal_id=terminal.terminal_id,
                dedup_key=f"token-{order}",
                body=json.dumps(body).encode(),
                order_id=order,
                provider_payment_id="777000777",
            )
        inbox_id: int = await connection.fetchval("SELECT max(id) FROM inbox")
        await inbox.finish(connection, inbox_id, outcome)
        await connection.execute("DELETE FROM outbox")
    return inbox_id


async def page_of(client: httpx.AsyncClient, path: str = "/dashboard/attention", **query: str) -> str:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.text.replace(NBSP, " ")


async def count(site: Site, streamer: Streamer) -> int:
    async with site.pool.acquire() as connection:
        number = await count_attention(connection, streamer.id)
        assert number == len(await list_attention(connection, streamer.id, limit=100))
    return number


class TestMoney:
    async def test_nothing(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        await add_paid(site, streamer)
        assert "Nothing needs attention" in await page_of(her)
        assert await count(site, streamer) == 0
        assert "Needs attention: " not in (await her.get("/dashboard")).text

    async def test_a_surplus_until_it_is_on_its_way_back(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        donation, _ = await add_paid(site, streamer)
        second = await add_second(site, streamer, donation)
        assert await count(site, streamer) == 1
        page = await page_of(her)
        assert "300 ₽ came on top" in page
        assert f"/dashboard/donations/{donation.public_id}" in page
        board = (await her.get("/dashboard")).text
        assert re.search(r'href="/dashboard/attention">Needs attention: 1<', board)
        assert "paid twice" in board

        await go_back(site, second, 10_000)
        assert "100 ₽ came on top" in await page_of(her), "what is left of it"
        refund_id = await wish_back(site, second, streamer)
        assert await count(site, streamer) == 0
        assert "refund under way" in (await her.get("/dashboard")).text
        await refuse(site, refund_id)
        assert await count(site, streamer) == 2, "the refusal, and the money again"
        await go_back(site, second, 0)
        assert await count(site, streamer) == 1

    async def test_another_amount_until_it_is_accepted(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        donation, payment = await add_paid(site, streamer, 50_000)
        assert "500 ₽ came instead of 300 ₽" in await page_of(her)
        await her.post(f"/dashboard/donations/{donation.public_id}/accept", data={"payment_id": payment.id})
        assert await count(site, streamer) == 0

    async def test_a_refused_refund_until_it_is_dealt_with_or_wished_again(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        _, payment = await add_paid(site, streamer)
        first = await wish_back(site, payment, streamer)
        await refuse(site, first)
        page = await page_of(her)
        assert "The refund of 100 ₽ was refused" in page
        assert "Top it up and repeat the refund" in page
        second = await wish_back(site, payment, streamer)
        assert await count(site, streamer) == 0, "wished again"
        await refuse(site, second)
        assert await count(site, streamer) == 1
        for said in ("settled", "nothing-to-do"):
            answer = await her.post("/dashboard/attention/dismiss", data={"id": second})
            assert answer.headers["Location"] == f"/dashboard/attention?said={said}"
        assert await count(site, streamer) == 0


class TestNotifications:
    async def test_what_came_is_told_and_that_it_may_be_anothers(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await add_notification(site, streamer)
        page = await page_of(her)
        for words in ("CONFIRMED", "1 234 ₽", "777000777", "order-of-another-shop", "2 times", "another site"):
            assert words in page, words
        assert "s1gnature" not in page
        assert "As it came" not in page

    async def test_the_operator_sees_it_as_it_came_without_its_signature(
        self, site: Site, streamer: Streamer, boss: httpx.AsyncClient
    ) -> None:
        await add_notification(site, streamer, DATA="<script>")
        page = await page_of(boss, "/admin/attention")
        assert "As it came" in page
        assert "s1gnature" not in page
        assert "<script>" not in page.replace("<script src", "")

    async def test_malformed_ones_have_other_words(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        await add_notification(site, streamer, "malformed", Status=["?"])
        page = await page_of(her)
        assert "that we do not understand" in page
        assert "777000777" in page, "as far as it was read when it came"

    async def test_other_outcomes_need_nobody(self, site: Site, streamer: Streamer) -> None:
        for number, outcome in enumerate(("applied", "asked", "not_about_a_payment", "nothing_new", "other_payment")):
            await add_notification(site, streamer, outcome, order=f"order-{number}")
        assert await count(site, streamer) == 0

    async def test_once_more(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        inbox_id = await add_notification(site, streamer)
        answer = await her.post("/dashboard/attention/again", data={"id": inbox_id})
        assert answer.headers["Location"] == "/dashboard/attention?said=asked-again"
        (row,) = await site.rows("SELECT processed_at, next_ask_at > now() AS later FROM inbox")
        assert (row["processed_at"], row["later"]) == (None, True)
        tasks = await site.rows("SELECT data FROM outbox WHERE name = 'apply_notification'")
        assert [task["data"] for task in tasks] == [{"argument": inbox_id}]
        assert "looked at once more" in await page_of(her)
        # The order is known by now: the actor finds its payment.
        async with site.pool.acquire() as connection, connection.transaction():
            await make_donation(connection, await built(site, streamer))
            await connection.execute("UPDATE payments SET order_id = 'order-of-another-shop'")
            stored = await inbox.lock_unprocessed(connection, inbox_id)
            assert stored is not None
            assert stored.payment_id is not None
            await inbox.finish(connection, inbox_id, "applied", stored.payment_id)
        assert await count(site, streamer) == 0

    async def test_dealt_with(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        inbox_id = await add_notification(site, streamer)
        note = "  Это  мой магазин " + "я" * 600
        answer = await her.post("/dashboard/attention/settle", data={"id": inbox_id, "note": note})
        assert answer.headers["Location"] == "/dashboard/attention?said=settled"
        (row,) = await site.rows("SELECT settled_note, settled_by FROM inbox")
        assert row["settled_by"] == streamer.owner_id
        assert row["settled_note"].startswith("Это мой магазин я")
        assert len(row["settled_note"]) == 500
        assert await count(site, streamer) == 0
        for act in ("again", "settle"):
            answer = await her.post(f"/dashboard/attention/{act}", data={"id": inbox_id})
            assert answer.headers["Location"] == "/dashboard/attention?said=nothing-to-do"

    async def test_only_ones_own(self, site: Site, her: httpx.AsyncClient) -> None:
        boris = await site.add_streamer("boris", "Борис")
        inbox_id = await add_notification(site, boris)
        _, payment = await add_paid(site, boris)
        refund_id = await wish_back(site, payment, boris)
        await refuse(site, refund_id)
        for act, number in (("again", inbox_id), ("settle", inbox_id), ("dismiss", refund_id)):
            answer = await her.post(f"/dashboard/attention/{act}", data={"id": number, "back": "admin"})
            assert answer.headers["Location"] == "/dashboard/attention?said=nothing-to-do"
            answer = await her.post(f"/dashboard/attention/{act}?streamer=boris", data={"id": number})
            assert answer.status_code == 404
        assert await count(site, boris) == 2
        assert "Nothing needs attention" in await page_of(her)

    async def test_garbage_for_an_id(self, her: httpx.AsyncClient) -> None:
        for act in ("again", "settle", "dismiss"):
            for wrong in ("", "x", "-1", "1.0", "9" * 30, "١", str(2**63)):
                answer = await her.post(f"/dashboard/attention/{act}", data={"id": wrong})
                assert answer.status_code == 404, (act, wrong)
            answer = await her.post(
                f"/dashboard/attention/{act}", data={"id": "1"}, headers={"Origin": "https://evil.example"}
            )
            assert answer.status_code == 403, act

    async def test_not_all_the_time(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        inbox_id = await add_notification(site, streamer)
        answers = [await her.post("/dashboard/attention/again", data={"id": inbox_id}) for _ in range(21)]
        assert answers[-1].status_code == 429


class TestOperator:
    async def test_only_operators(self, site: Site, her: httpx.AsyncClient) -> None:
        for path in ("/admin/attention", "/admin/payments"):
            assert (await her.get(path)).status_code == 404, path
            assert (await site.client.get(path)).headers["Location"].startswith("/sign-in"), path
        page = (await her.get("/dashboard/attention")).text
        assert "/admin/" not in page

    async def test_all_streamers_and_back_to_the_list(
        self, site: Site, streamer: Streamer, boss: httpx.AsyncClient
    ) -> None:
        boris = await site.add_streamer("boris", "Борис")
        first = await add_notification(site, streamer)
        second = await add_notification(site, boris)
        page = await page_of(boss, "/admin/attention")
        assert "Анна" in page
        assert "Борис" in page
        answer = await boss.post(
            "/dashboard/attention/settle?streamer=boris", data={"id": second, "back": "admin", "note": "x"}
        )
        assert answer.headers["Location"] == "/admin/attention?said=settled"
        answer = await boss.post("/dashboard/attention/again?streamer=anna", data={"id": first})
        assert answer.headers["Location"] == "/dashboard/attention?said=asked-again&streamer=anna"

    async def test_page_by_page_nothing_is_lost_or_shown_twice(
        self, site: Site, streamer: Streamer, boss: httpx.AsyncClient
    ) -> None:
        donation, payment = await add_paid(site, streamer)
        await refuse(site, await wish_back(site, payment, streamer))
        await add_second(site, streamer, donation)
        await add_paid(site, streamer, 50_000)
        for number in range(66):
            await add_notification(site, streamer, order=f"order-of-another-shop-{number}")
        # Many at one moment: the kind and the number decide.
        await site.pool.execute("UPDATE inbox SET received_at = '2026-01-01' WHERE id % 2 = 0")
        await site.pool.execute("UPDATE refunds SET finished_at = '2026-01-01'")
        seen: list[str] = []
        after = ""
        for _ in range(10):
            page = await page_of(boss, "/admin/attention", after=after)
            seen += re.findall(r'<li class="card money" id="([a-z]+-\d+)"', page)
            main = page.split("<main")[1].split("</main>")[0]
            found = re.search(r"after=([^\"&]+)", main)
            if found is None:
                break
            after = str(httpx.URL(f"http://x/?after={found[1]}").params["after"])
        assert len(seen) == len(set(seen)) == 69
        assert {name.split("-")[0] for name in seen} == {"surplus", "review", "refund", "notification"}

    async def test_a_broken_place_is_the_beginning(
        self, site: Site, streamer: Streamer, boss: httpx.AsyncClient
    ) -> None:
        await add_notification(site, streamer)
        for after in (
            "x",
            "~~",
            "2026-01-01~refund~1",
            "2026-01-01T00:00:00+00:00~nothing~1",
            "2026~refund~x",
            "~" * 99,
        ):
            assert "order-of-another-shop" in await page_of(boss, "/admin/attention", after=after), after
        assert "There is nothing older" in await page_of(
            boss, "/admin/attention", after="2001-01-01T00:00:00+00:00~refund~1"
        )

    async def test_a_payment_is_found_by_whatever_one_has(
        self, site: Site, streamer: Streamer, boss: httpx.AsyncClient
    ) -> None:
        donation, payment = await add_paid(site, streamer)
        await add_paid(site, streamer)
        assert payment.provider_payment_id is not None
        for text in (payment.order_id, payment.provider_payment_id, donation.public_id, f" {payment.id} "):
            page = await page_of(boss, "/admin/payments", q=text)
            link = f"/dashboard/donations/{donation.public_id}?streamer=anna#payment-{payment.id}"
            assert link in page, text
            assert page.count("<tr>") == 2, text
        for text in ("nothing", "9" * 30, "x" * 101, "%", "' OR 1=1", "\N{GREEK SMALL LETTER ALPHA}"):
            assert "Nothing found" in await page_of(boss, "/admin/payments", q=text), text
        assert "Nothing found" not in await page_of(boss, "/admin/payments")


class TestFeed:
    async def test_chips_tell_where_the_money_is(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        _, part = await add_paid(site, streamer, donor_name="Часть")
        await go_back(site, part, 10_000)
        _, whole = await add_paid(site, streamer, donor_name="Целиком")
        await go_back(site, whole, 0)
        await add_paid(site, streamer, donor_name="Отозван")
        await site.pool.execute(
            "UPDATE donations SET status = 'charged_back', charged_back_minor = 30000 WHERE donor_name = 'Отозван'"
        )
        donation, under_way = await add_paid(site, streamer, donor_name="Идёт")
        await wish_back(site, under_way, streamer)
        board = (await her.get("/dashboard")).text
        chips = {
            name: re.sub(r"<[^>]+>", " ", board.split(f"{name} <time")[1].split("</li>")[0])
            for name in ("Часть", "Целиком", "Отозван", "Идёт")
        }
        assert "refunded in part" in chips["Часть"]
        assert "waits" in chips["Часть"]
        assert "refunded" in chips["Целиком"]
        assert "waits" not in chips["Целиком"]
        assert "taken back by the donor" in chips["Отозван"]
        assert "refund under way" in chips["Идёт"]
        assert f'href="/dashboard/donations/{donation.public_id}"' in board


async def test_a_donor_whose_other_amount_went_back_may_try_again(site: Site, streamer: Streamer) -> None:
    donation, payment = await add_paid(site, streamer, 50_000)
    await go_back(site, payment, 0)
    page = (await site.client.get(f"/d/{donation.public_id}", headers={"Accept-Language": "en"})).text
    assert "The money was returned" in page
    assert f"/d/{donation.public_id}/retry" in page
    async with site.pool.acquire() as connection, connection.transaction():
        await hear(connection, payment, N.REFUNDED, source=Source.NOTIFICATION, amount_minor=0)
