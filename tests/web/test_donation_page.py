"""One donation's page: its story in words, raw messages for operators only, and what its buttons do."""

import re

import httpx
import pytest

from domain import refunds
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.streamers import Streamer
from tests.builders import check_books, hear, make_donation
from tests.support.site import Site
from tests.web.money import add_paid, add_second, built, go_back, refuse, wish_back
from web.pages.payment_words import note_words, raw_words

NBSP = "\N{NO-BREAK SPACE}"
HTMX = {"HX-Request": "true"}


async def show(client: httpx.AsyncClient, public_id: str, **query: str) -> str:
    answer = await client.get(f"/dashboard/donations/{public_id}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.text.replace(NBSP, " ")


def said(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return str(httpx.URL(answer.headers["Location"]).params.get("said", ""))


class TestStory:
    async def test_everything_is_told_in_words(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        donation, payment = await add_paid(site, streamer, donor_name="Аня <b>", message="Привет & <script>alert(1)")
        page = await show(her, donation.public_id)
        assert "300 ₽" in page
        assert "Аня &lt;b&gt;" in page
        assert "Привет &amp; &lt;script&gt;alert(1)" in page
        for words in ("bank card", "the donation", "T-Bank", "version 2026-11-22", "waits", payment.order_id):
            assert words in page, words
        assert payment.provider_payment_id is not None
        assert payment.provider_payment_id in page
        story = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
        assert "we, by ourselves being opened → waits for payment The payment was opened." in story
        assert "the bank answered our question waits for payment → paid CONFIRMED" in story

    async def test_a_programs_donor_agreed_to_the_program(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        donation, _ = await add_paid(site, streamer)
        assert "What was agreed to" in await show(her, donation.public_id)
        await site.pool.execute("UPDATE donations SET consent_version = 'api-v1' WHERE id = $1", donation.id)
        page = await show(her, donation.public_id)
        assert "given to the program that sent the donation through the API" in page
        assert "What was agreed to" not in page
        assert "api-v1" not in page

    async def test_an_unpaid_one_has_a_page_too(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        async with site.pool.acquire() as connection, connection.transaction():
            donation = await make_donation(connection, await built(site, streamer))
        page = await show(her, donation.public_id)
        assert "waits for payment" in page
        assert "Give money back" not in page

    async def test_raw_messages_are_for_operators_and_without_signatures(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient, boss: httpx.AsyncClient
    ) -> None:
        donation, payment = await add_paid(site, streamer)
        garbage = b'{"Token": "s3cr3t-signature", "Status":"CONFIRMED", "x": "\xff\x00<script>"}'
        async with site.pool.acquire() as connection, connection.transaction():
            await hear(connection, payment, N.UNKNOWN, source=Source.NOTIFICATION, raw=garbage)
        assert "s3cr3t" not in await show(her, donation.public_id)
        assert "As it came" not in await show(her, donation.public_id)
        page = await show(boss, donation.public_id, streamer=streamer.slug)
        assert "As it came" in page
        assert "s3cr3t" not in page
        assert "\ufffd\ufffd&lt;script&gt;" in page

    async def test_whose_it_is_not_has_no_page(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient, stranger: httpx.AsyncClient
    ) -> None:
        donation, payment = await add_paid(site, streamer)
        base = f"/dashboard/donations/{donation.public_id}"
        for path in (base, f"{base}/part", f"{base}/refund", "/dashboard/attention"):
            for address in (path, f"{path}?streamer={streamer.slug}"):
                if address == "/dashboard/attention":
                    continue
                assert (await stranger.get(address)).status_code == 404, address
            assert (await site.client.get(path)).headers["Location"].startswith("/sign-in"), path
        for path in (f"{base}/check", f"{base}/accept", f"{base}/refund"):
            for address in (path, f"{path}?streamer={streamer.slug}"):
                answer = await stranger.post(address, data={"payment_id": payment.id, "amount": "1", "reason": "x"})
                assert answer.status_code == 404, address
        for wrong in ("x" * 22, "a", "%00" * 22, "../../etc", donation.public_id + "x"):
            assert (await her.get(f"/dashboard/donations/{wrong}")).status_code == 404, wrong

    async def test_the_part_alone_leads_to_the_page(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        donation, _ = await add_paid(site, streamer)
        path = f"/dashboard/donations/{donation.public_id}"
        assert (await her.get(f"{path}/part")).headers["Location"] == path
        part = await her.get(f"{path}/part", headers=HTMX)
        assert part.text.lstrip().startswith('<div id="story"')

    async def test_it_asks_for_itself_only_while_a_refund_is_under_way(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        donation, payment = await add_paid(site, streamer)
        assert "every 2s" not in await show(her, donation.public_id)
        await wish_back(site, payment, streamer)
        page = await show(her, donation.public_id)
        assert "every 2s" in page
        assert "On the way to the bank…" in page
        assert "Refund of 100 ₽ wished: Просил вернуть" in page
        assert "Give money back" not in page
        async with site.pool.acquire() as connection, connection.transaction():
            (refund,) = await refunds.list_refunds_of_donation(connection, donation.id)
            claimed = await refunds.claim_refund(connection, refund.id)
            assert claimed is not None
            await refunds.note_call(connection, claimed, 0)
        assert "finding out whether the money went back" in await show(her, donation.public_id)
        await go_back(site, payment, 20_000)
        page = await show(her, donation.public_id)
        assert "every 2s" not in page
        assert "refunded in part" in page
        assert "Give money back" in page
        assert "200 ₽" in page

    async def test_a_refusal_says_what_to_do(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        donation, payment = await add_paid(site, streamer)
        await refuse(site, await wish_back(site, payment, streamer))
        page = await show(her, donation.public_id)
        assert "Top it up and repeat the refund" in page
        assert "3002" in page
        assert "Мало денег" in page

    async def test_the_bank_asks_to_wait(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        donation, payment = await add_paid(site, streamer)
        refund_id = await wish_back(site, payment, streamer)
        await site.pool.execute(
            "UPDATE refunds SET tries = 1, error_code = '3029', error_reason = 'refund_later',"
            " next_try_at = '2030-01-01 09:05+00' WHERE id = $1",
            refund_id,
        )
        assert "We try again by ourselves: 1 January 2030, 12:05." in await show(her, donation.public_id)

    async def test_an_operator_is_not_named_to_a_streamer(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient, boss: httpx.AsyncClient
    ) -> None:
        donation, payment = await add_paid(site, streamer)
        path = f"/dashboard/donations/{donation.public_id}/check?streamer={streamer.slug}"
        assert said(await boss.post(path, data={"payment_id": payment.id})) == "asked-bank"
        page = await show(her, donation.public_id)
        assert "the operator of the site" in page
        assert "root@example.org" not in page
        assert "you" in await show(boss, donation.public_id, streamer=streamer.slug)


class TestAskingTheBank:
    async def test_it_is_asked_and_the_page_waits_for_the_answer(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        donation, payment = await add_paid(site, streamer)
        path = f"/dashboard/donations/{donation.public_id}"
        answer = await her.post(f"{path}/check", data={"payment_id": payment.id})
        assert answer.headers["Location"] == f"{path}?said=asked-bank"
        tasks = await site.rows("SELECT name, data FROM outbox WHERE name = 'check_payment'")
        assert [row["data"] for row in tasks] == [{"argument": payment.id}]
        page = await show(her, donation.public_id)
        assert "every 2s" in page
        assert "Asked the bank at once." in page

    async def test_not_all_the_time(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient, boss: httpx.AsyncClient
    ) -> None:
        donation, payment = await add_paid(site, streamer)
        path = f"/dashboard/donations/{donation.public_id}/check"
        answers = [await her.post(path, data={"payment_id": payment.id}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [303] * 5 + [429]
        answer = await boss.post(f"{path}?streamer={streamer.slug}", data={"payment_id": payment.id})
        assert answer.status_code == 303

    async def test_only_the_donations_own_payments(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        donation, _ = await add_paid(site, streamer)
        _, other = await add_paid(site, streamer)
        for wrong in (str(other.id), "", "0", "-1", "x", "9" * 40, "1 OR 1=1"):
            for act in ("check", "accept", "refund"):
                answer = await her.post(
                    f"/dashboard/donations/{donation.public_id}/{act}", data={"payment_id": wrong, "amount": "1"}
                )
                assert answer.status_code == 404, (wrong, act)

    async def test_another_site_cannot_press(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        donation, payment = await add_paid(site, streamer, 50_000)
        for act in ("check", "accept", "refund"):
            answer = await her.post(
                f"/dashboard/donations/{donation.public_id}/{act}",
                data={"payment_id": payment.id, "amount": "1", "reason": "x", "key": "k" * 32, "step": "confirm"},
                headers={"Origin": "https://evil.example"},
            )
            assert answer.status_code == 403, act
        assert await site.rows("SELECT id FROM refunds") == []
        assert (await site.rows("SELECT status FROM donations"))[0]["status"] == "review"


class TestDecisions:
    async def test_another_amount_is_accepted(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        donation, payment = await add_paid(site, streamer, 50_000)
        page = await show(her, donation.public_id)
        assert "500 ₽ came instead of 300 ₽" in page
        assert "Accept 500 ₽ as support" in page
        path = f"/dashboard/donations/{donation.public_id}/accept"
        assert said(await her.post(path, data={"payment_id": payment.id})) == "accepted"
        assert said(await her.post(path, data={"payment_id": payment.id})) == "accepted", "pressed twice"
        page = await show(her, donation.public_id, said="accepted")
        assert "Accepted. The donation counts" in page
        assert "accepted as it came" in page
        assert "Accept 500 ₽" not in page
        assert [row["amount_minor"] for row in await site.rows("SELECT amount_minor FROM alerts")] == [50_000]
        async with site.pool.acquire() as connection:
            await check_books(connection)

    async def test_why_it_cannot_be_accepted(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        donation, payment = await add_paid(site, streamer, 50_000)
        await wish_back(site, payment, streamer, 50_000)
        path = f"/dashboard/donations/{donation.public_id}/accept"
        answer = await her.post(path, data={"payment_id": payment.id})
        assert said(answer) == "not-accepted-refund_under_way"
        assert "already on its way back" in (await her.get(answer.headers["Location"])).text

    async def test_each_refusal_has_its_words(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        donation, _ = await add_paid(site, streamer)
        for code in ("not_in_review", "refund_under_way", "partly_returned", "several_payments", "already_paid"):
            assert "notice-said" in await show(her, donation.public_id, said=f"not-accepted-{code}"), code

    async def test_a_surplus_has_its_own_button(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        donation, _ = await add_paid(site, streamer)
        second = await add_second(site, streamer, donation)
        page = await show(her, donation.public_id)
        assert "300 ₽ came on top" in page
        assert "Return 300 ₽…" in page
        refund = await her.get(f"/dashboard/donations/{donation.public_id}/refund", params={"payment": second.id})
        assert "Return what came on top" in refund.text


class TestWords:
    def test_every_note_we_write_has_words(self) -> None:
        assert note_words("refund of 10000 kopecks wished: две\nстроки") == f"Возврат 100{NBSP}₽: две\nстроки"
        assert note_words("asked: amount 5000") == f"Названа другая сумма, 50{NBSP}₽: спрашиваем банк."
        assert note_words("something new") == "something new"

    @pytest.mark.parametrize(
        ("raw", "hidden"),
        [
            (b'{"Token":"abc123","Status":"NEW"}', b"abc123"),
            (b"{'token' : 'abc123'}", b"abc123"),
            (b"Token=abc123&Status=NEW", b"abc123"),
            (b'{"Password": "abc123"', b"abc123"),
            (b'{"secret_key":"abc123', b"abc123"),
        ],
    )
    def test_secrets_are_hidden_in_whatever_came(self, raw: bytes, hidden: bytes) -> None:
        assert hidden.decode() not in raw_words(raw)
        assert "•••" in raw_words(raw)

    def test_any_bytes_are_text(self) -> None:
        assert raw_words(bytes(range(256)))
        assert "\0" not in raw_words(b"a\0b")
