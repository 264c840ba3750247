"""Payments of REST API v1: a client's order is one payment, and who asks how it is learns no more than that."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest

from domain.streamers import Streamer
from tests.api.conftest import calling, jwt_of
from tests.api.money import INIT, TBANK_INIT, bank_that_opens, confirm, order, read, send
from tests.support.site import Site
from web.api import wishes
from web.donate_form import CONSENT_VERSION

pytestmark = pytest.mark.usefixtures("ledger_site")

CHECK = "/api/v1/payments/tbank/check/{order_id}"
STATUS = "/api/v1/payments/status/{payment_id}"


@pytest.fixture
async def bank(site: Site) -> AsyncIterator[None]:
    async with bank_that_opens(site):
        yield


def at(address: str, site: Site) -> httpx.AsyncClient:
    """A program at this address."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    return httpx.AsyncClient(base_url=f"{site.url}/api/v1", transport=transport, timeout=30)


@pytest.mark.usefixtures("bank")
class TestOrders:
    async def test_an_order_opens_a_payment(self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
        for path, order_id in ((INIT, "a"), (TBANK_INIT, "b")):
            opened = (await send(nobody, path, order(streamer, order_id=order_id))).json()
            assert opened["success"] is True
            assert opened["payment_url"] == opened["confirmation_url"]
            assert (opened["order_id"], opened["amount"]) == (order_id, 150.5)
            [donation] = await site.rows("SELECT * FROM donations WHERE id = $1", opened["donation_id"])
            assert (donation["donor_name"], donation["message"]) == ("Аня", "Привет из Омска")
            assert (donation["amount_minor"], donation["status"]) == (15_050, "pending")
            assert (donation["consent_version"], donation["terms_id"]) == ("api-v1", None)
            [payment] = await site.rows("SELECT * FROM payments WHERE donation_id = $1", donation["id"])
            assert payment["payment_url"] == opened["payment_url"]
            assert payment["order_id"] == opened["payment_id"] != order_id

    @pytest.mark.parametrize("at_once", [True, False])
    async def test_the_same_order_is_the_same_payment(
        self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer, at_once: bool
    ) -> None:
        if at_once:
            answers = await asyncio.gather(*(send(nobody, TBANK_INIT, order(streamer)) for _ in range(5)))
        else:
            answers = [await send(nobody, path, order(streamer)) for path in (TBANK_INIT, INIT, TBANK_INIT)]
        assert {answer.status_code for answer in answers} == {200}
        assert len({str(answer.json()) for answer in answers}) == 1
        assert len(await site.rows("SELECT FROM donations")) == len(await site.rows("SELECT FROM payments")) == 1

    async def test_the_same_order_a_day_later(self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
        first = (await send(nobody, INIT, order(streamer))).json()
        await site.pool.execute("DELETE FROM donation_forms")
        await site.pool.execute("UPDATE donations SET created_at = created_at - interval '1 day'")
        assert (await send(nobody, INIT, order(streamer))).json() == first

    async def test_another_amount_is_another_order(
        self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        await send(nobody, INIT, order(streamer))
        refused = await send(nobody, INIT, order(streamer, amount=150.51))
        assert refused.status_code == 400
        assert "another amount" in refused.json()["detail"]
        assert len(await site.rows("SELECT FROM donations")) == 1

    async def test_who_knows_the_id_and_the_amount_alone_learns_nothing(
        self, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        """An answer says where the donation can be paid and who gave it: only its client may have it again."""
        first = (await send(nobody, INIT, order(streamer))).json()
        other_amount = (await send(nobody, INIT, order(streamer, amount=151))).json()
        for guess in (
            {"message": None},
            {"message": "Привет из Омска!"},
            {"donor_name": None},
            {"donor_name": "Аня "},
            {"is_anonymous": True},
            {"payment_method": "card"},
            {"donor_email": "anna@example.org"},
        ):
            for path in (INIT, TBANK_INIT):
                refused = await send(nobody, path, order(streamer, **guess))
                assert (refused.status_code, refused.json()) == (400, other_amount), guess
        assert (await send(nobody, INIT, order(streamer))).json() == first

    async def test_an_order_from_before_its_requests_were_kept(
        self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        await send(nobody, INIT, order(streamer))
        await site.pool.execute("UPDATE api_donations SET asked_digest = NULL")
        assert (await send(nobody, INIT, order(streamer))).status_code == 400

    async def test_guesses_are_counted_and_beyond_them_a_right_one_is_not_told(
        self, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        await send(nobody, INIT, order(streamer))
        wrong = [await nobody.post("/payments/init", json=order(streamer, donor_name=f"Г{n}")) for n in range(15)]
        for n in range(15):
            assert (await nobody.get(f"/payments/tbank/check/guess-{n}")).status_code == 200
        assert {answer.status_code for answer in wrong} == {400}
        refused = await nobody.post("/payments/init", json=order(streamer, donor_name="Г"))
        assert refused.status_code == 429
        assert (await nobody.post("/payments/init", json=order(streamer))).status_code == 429
        # An order of one's own goes on: many donors share an address.
        assert (await nobody.post("/payments/init", json=order(streamer, order_id="mine"))).status_code == 200

    async def test_nobody_comes_to_an_order_by_a_form(
        self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        """A page's form says its key, which would be an order's."""
        opened = (await send(nobody, INIT, order(streamer, donor_email=None))).json()
        for prefix in ("order-", "order:"):
            key = f"{prefix}{hashlib.sha256(b'order-1').hexdigest()[:56]}"
            form = {"key": key, "amount": "150,50", "name": "Аня", "message": "Привет из Омска"}
            async with httpx.AsyncClient(base_url=site.url) as browser:
                answer = await browser.post(f"/donate/{streamer.slug}", data={**form, "consent": CONSENT_VERSION})
            assert opened["status_url"] not in answer.headers.get("Location", "") + answer.text
            assert opened["status_url"].rpartition("/")[2] not in answer.headers.get("Location", "") + answer.text

    async def test_of_two_amounts_at_once_one_is_made(
        self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        answers = await asyncio.gather(
            *(send(nobody, INIT, order(streamer, amount=amount)) for amount in (100, 200, 100, 200))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 200, 400, 400]
        assert len(await site.rows("SELECT FROM donations")) == 1

    async def test_other_streamers_orders_are_others(self, site: Site, nobody: httpx.AsyncClient) -> None:
        anna, boris = await site.add_streamer(), await site.add_streamer("boris", "Борис")
        answers = [await send(nobody, INIT, order(streamer)) for streamer in (anna, boris)]
        assert len({answer.json()["payment_id"] for answer in answers}) == 2

    async def test_an_order_whose_link_died_gets_another(
        self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        first = (await send(nobody, INIT, order(streamer))).json()
        await site.pool.execute("UPDATE payments SET due_at = now() - interval '1 minute'")
        again = (await send(nobody, INIT, order(streamer))).json()
        assert again["donation_id"] == first["donation_id"]
        assert again["payment_url"] != first["payment_url"]

    async def test_every_order_can_be_asked_about(self, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
        for order_id in ("2026/11/29-1", "a%2Fb", "?a=1#b", "№ 7;x=1", "a\\b", "...", ".a/b.", "status/x"):
            opened = (await send(nobody, INIT, order(streamer, order_id=order_id))).json()
            for address in (quote(order_id, safe=""), quote(order_id, safe="/"), quote(order_id, safe="/") + "/"):
                checked = (await read(nobody, CHECK, address)).json()
                assert (checked["order_id"], checked["payment_id"]) == (order_id, opened["payment_id"])

    async def test_an_order_id_can_be_printed(self, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
        for order_id in (
            "", "x" * 129, "a\nb", "a\0b", "\N{ZERO WIDTH SPACE}", ".", "..", "a/../b", "./a", "/", "/a", "a/", "a//b",
        ):  # fmt: skip
            refused = await send(nobody, INIT, order(streamer, order_id=order_id))
            assert refused.status_code == 422
            assert refused.json()["detail"][0]["loc"] == ["body", "order_id"]

    async def test_a_wrong_order_is_refused(self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
        closed = await site.add_streamer("vera", "Вера", terminal=False)
        yookassa = await site.add_streamer("yuri", "Юрий")
        await site.pool.execute("UPDATE terminals SET provider = 'yookassa' WHERE streamer_id = $1", yookassa.id)
        for status, path, body in (
            (404, INIT, order(streamer, streamer_id=2**31 - 1)),
            (400, INIT, order(streamer, payment_method="gold")),
            (400, INIT, order(streamer, payment_method="yookassa")),
            (400, INIT, order(streamer, payment_method="test")),
            (400, INIT, order(closed)),
            (400, INIT, order(streamer, amount=9.99)),
            (400, INIT, order(streamer, amount=-10)),
            (400, INIT, order(streamer, amount=15_000.01)),
            (400, TBANK_INIT, order(yookassa, payment_method="card")),
            (422, INIT, order(streamer, amount=150.505)),
            (422, INIT, order(streamer, message="я" * 301)),
            (422, INIT, order(streamer, donor_name="я" * 61)),
        ):
            assert (await send(nobody, path, body)).status_code == status, body
        assert await site.rows("SELECT FROM donations") == []

    async def test_words_for_any_bank_lead_to_the_streamers(
        self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        await site.pool.execute("UPDATE terminals SET provider = 'yookassa' WHERE streamer_id = $1", streamer.id)
        for method in ("card", "sberbank", "tinkoff", "yookassa"):
            answer = await send(nobody, INIT, order(streamer, order_id=method, payment_method=method))
            assert answer.status_code == 200, method

    async def test_two_hundred_donors_behind_one_address_all_pay(
        self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        for number in range(0, 200, 20):
            orders = [order(streamer, order_id=f"donor-{number + more}") for more in range(20)]
            answers = await asyncio.gather(*(nobody.post("/payments/init", json=body) for body in orders))
            assert {answer.status_code for answer in answers} == {200}
        assert len(await site.rows("SELECT FROM donations")) == 200

    async def test_too_often_the_same_order(self, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
        answers = [await nobody.post("/payments/init", json=order(streamer)) for _ in range(21)]
        assert [answer.status_code for answer in answers] == [200] * 20 + [429]

    async def test_a_stranger_uses_up_his_own_times(self, site: Site, streamer: Streamer) -> None:
        """Who knows an order's id keeps its client neither from sending it again nor from looking how it is."""
        async with at("127.0.0.1", site) as client, at("127.0.0.2", site) as stranger:
            assert (await client.post("/payments/init", json=order(streamer))).status_code == 200
            for _ in range(20):
                await stranger.post("/payments/init", json=order(streamer, amount=151))
            assert (await stranger.post("/payments/init", json=order(streamer))).status_code == 429
            assert (await client.post("/payments/init", json=order(streamer))).status_code == 200
            for _ in range(120):
                await stranger.get("/payments/tbank/check/order-1")
            assert (await stranger.get("/payments/tbank/check/order-1")).status_code == 429
            assert (await client.get("/payments/tbank/check/order-1")).status_code == 200


@pytest.mark.usefixtures("bank")
async def test_a_paid_order_stays_paid(site: Site, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
    first = (await send(nobody, INIT, order(streamer))).json()
    await confirm(site, first["donation_id"])
    assert (await send(nobody, INIT, order(streamer))).json() == first
    assert len(await site.rows("SELECT FROM payments")) == 1


async def test_a_bank_that_takes_too_long(
    site: Site, nobody: httpx.AsyncClient, streamer: Streamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wishes, "WAIT_SECONDS", 0.3)
    slow = await send(nobody, INIT, order(streamer))
    assert slow.status_code == 504
    [donation] = await site.rows("SELECT public_id, status FROM donations")
    assert donation["status"] == "pending"
    assert f"{site.url}/d/{donation['public_id']}" in slow.json()["detail"]
    async with bank_that_opens(site):
        monkeypatch.setattr(wishes, "WAIT_SECONDS", 15.0)
        assert (await send(nobody, INIT, order(streamer))).status_code == 200
    assert len(await site.rows("SELECT FROM donations")) == 1


async def test_a_bank_that_refuses(site: Site, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
    async def refuse() -> None:
        while not await site.pool.fetchval(
            "UPDATE payments SET status = 'failed', closed_at = now(), next_check_at = NULL RETURNING true"
        ):
            await asyncio.sleep(0.02)

    answer, _ = await asyncio.gather(send(nobody, INIT, order(streamer)), refuse())
    assert answer.status_code == 400
    assert "refuses" in answer.json()["detail"]


@pytest.mark.usefixtures("bank")
class TestLooking:
    async def test_how_a_payment_is(self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
        opened = (await send(nobody, INIT, order(streamer))).json()
        for bank_word, told in (("NEW", "pending"), ("CONFIRMED", "completed")):
            checked = (await read(nobody, CHECK, "order-1")).json()
            assert checked == {
                "success": True,
                "order_id": "order-1",
                "payment_id": opened["payment_id"],
                "status": bank_word,
                "donation_found": True,
                "donation_id": opened["donation_id"],
                "donation_status": told,
            }
            status = (await read(nobody, STATUS, opened["payment_id"])).json()
            assert status == {
                "payment_id": opened["payment_id"],
                "status": told,
                "donation_id": opened["donation_id"],
                "provider_status": bank_word,
            }
            if told == "pending":
                await confirm(site, opened["donation_id"])

    async def test_what_there_is_not(self, nobody: httpx.AsyncClient) -> None:
        checked = (await read(nobody, CHECK, "nothing")).json()
        assert (checked["success"], checked["donation_found"], checked["status"]) == (False, False, None)
        for payment_id in ("0" * 32, "nothing", "1", "%00", "Ж", "x" * 500):
            assert (await read(nobody, STATUS, payment_id)).status_code == 404
        assert (await read(nobody, CHECK, "%00")).json()["donation_found"] is False

    async def test_one_id_of_two_streamers_orders(self, site: Site, nobody: httpx.AsyncClient) -> None:
        anna, boris = await site.add_streamer(), await site.add_streamer("boris", "Борис")
        opened = [(await send(nobody, INIT, order(streamer))).json() for streamer in (anna, boris)]
        assert (await read(nobody, CHECK, "order-1")).status_code == 400
        for streamer, payment in zip((anna, boris), opened, strict=True):
            checked = (await read(nobody, CHECK, "order-1", streamer_id=streamer.id)).json()
            assert checked["payment_id"] == payment["payment_id"]

    async def test_guessing_is_slow_and_looking_is_not(self, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
        for number in range(30):
            assert (await nobody.get(f"/payments/tbank/check/guess-{number}")).status_code == 200
        assert (await nobody.get("/payments/tbank/check/guess-30")).status_code == 429
        assert (await nobody.get(f"/payments/status/{'0' * 32}")).status_code == 429
        opened = (await send(nobody, INIT, order(streamer))).json()
        for _ in range(40):
            assert (await nobody.get(f"/payments/status/{opened['payment_id']}")).status_code == 200

    async def test_one_payment_is_looked_at_twice_a_second_at_most(
        self, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        opened = (await send(nobody, INIT, order(streamer))).json()
        address = f"/payments/status/{opened['payment_id']}"
        statuses = [(await nobody.get(address)).status_code for _ in range(121)]
        assert statuses == [200] * 120 + [429]


class TestOperator:
    async def test_open_payments_are_asked_about_now(
        self, site: Site, nobody: httpx.AsyncClient, operators: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        async with bank_that_opens(site):
            paid = (await send(nobody, INIT, order(streamer, order_id="paid"))).json()
            await confirm(site, paid["donation_id"])
            opened = (await send(nobody, INIT, order(streamer))).json()
        listed = (await read(operators, "/api/v1/payments/pending-payments")).json()
        assert (listed["success"], listed["count"]) == (True, 1)
        [pending] = listed["donations"]
        assert (pending["id"], pending["payment_id"]) == (opened["donation_id"], opened["payment_id"])
        assert (pending["amount"], pending["streamer_id"]) == (150.5, streamer.id)
        assert (pending["donor_name"], pending["is_anonymous"]) == (None, False)

        later = "SELECT count(*) FROM payments WHERE next_check_at > now()"
        assert await site.pool.fetchval(later) == 1
        answer = (await operators.post("/payments/check-pending")).json()
        assert answer["success"] is True
        assert answer["message"].startswith("1 ")
        assert answer["task_id"]
        assert await site.pool.fetchval(later) == 0
        assert (await operators.post("/payments/check-pending")).json()["message"].startswith("0 ")

    async def test_nobody_else(self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
        async with calling(site, await jwt_of(site, streamer.owner_id)) as hers:
            for client, status in ((nobody, 403), (hers, 400)):
                assert (await read(client, "/api/v1/payments/pending-payments")).status_code == status
                assert (await client.post("/payments/check-pending")).status_code == status
