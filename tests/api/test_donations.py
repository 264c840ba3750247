"""Donations of REST API v1: made by the form's rules, read by those who sent or received them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from domain.access_tokens import create_key
from domain.scopes import Scope
from domain.streamers import Streamer
from domain.users import create_user
from tests.api.conftest import calling, jwt_of
from tests.api.money import DONATIONS, INIT, bank_that_opens, confirm, order, read, send, wish
from tests.support.site import Site
from tests.web.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("ledger_site")

ONE = "/api/v1/donations/{donation_id}"
MY = "/api/v1/donations/my"
STATS = "/api/v1/donations/stats/{user_id}"


@pytest.fixture(autouse=True)
async def bank(site: Site) -> AsyncIterator[None]:
    async with bank_that_opens(site):
        yield


async def give(client: httpx.AsyncClient, streamer: Streamer, **changed: Any) -> dict[str, Any]:
    answer = await send(client, DONATIONS, wish(streamer, **changed))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def give_paid(site: Site, client: httpx.AsyncClient, streamer: Streamer, **changed: Any) -> dict[str, Any]:
    donation = await give(client, streamer, **changed)
    await confirm(site, donation["id"])
    return donation


async def ids(client: httpx.AsyncClient, **query: Any) -> list[int]:
    answer = await read(client, DONATIONS, **query)
    assert answer.status_code == 200, answer.text
    return [donation["id"] for donation in answer.json()]


@pytest.fixture
async def donors(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """The program of somebody with an account and no page."""
    async with site.pool.acquire() as connection:
        donor = await create_user(connection, "donor@example.org", PASSWORD)
    async with calling(site, await jwt_of(site, donor.id)) as client:
        client.headers["X-Id"] = str(donor.id)
        yield client


def id_of(client: httpx.AsyncClient) -> int:
    return int(client.headers["X-Id"])


async def key_of(site: Site, streamer: Streamer, *scopes: Scope) -> str:
    async with site.pool.acquire() as connection, connection.transaction():
        key = await create_key(connection, streamer.owner_id, streamer.id, name="бот", scopes=scopes, days=None)
    return key.token


class TestMaking:
    async def test_a_donation_comes_with_its_payment(
        self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        donation = await give(nobody, streamer, donor_name=" Аня ", message="Привет")
        assert donation["payment_url"] == donation["confirmation_url"] != ""
        assert donation["payment_id"]
        assert (donation["donor_name"], donation["message"], donation["amount"]) == ("Аня", "Привет", 150.5)
        assert (donation["recipient_id"], donation["streamer_id"]) == (streamer.owner_id, streamer.id)
        assert (donation["status"], donation["is_alert_shown"], donation["donor_id"]) == ("pending", False, None)
        page = await site.client.get(donation["status_url"].removeprefix(site.url))
        assert page.status_code == 200
        assert await site.rows("SELECT FROM alerts") == []
        [row] = await site.rows("SELECT * FROM donations")
        assert (row["consent_version"], row["terms_id"]) == ("api-v1", None)

    @pytest.mark.parametrize(
        ("changed", "is_anonymous", "is_public"),
        [
            ({"is_anonymous": True}, True, True),
            ({"donor_name": None}, True, True),
            ({"donor_name": "\u200b"}, True, True),
            ({"is_public": False}, False, False),
        ],
    )
    async def test_who_does_not_want_to_be_seen(
        self,
        site: Site,
        nobody: httpx.AsyncClient,
        streamer: Streamer,
        changed: dict[str, Any],
        is_anonymous: bool,
        is_public: bool,
    ) -> None:
        donation = await give(nobody, streamer, **changed)
        assert (donation["is_anonymous"], donation["is_public"]) == (is_anonymous, is_public)
        [row] = await site.rows("SELECT donor_name, hidden_at FROM donations")
        assert (row["donor_name"] is None, row["hidden_at"] is None) == (is_anonymous, is_public)

    async def test_an_order_sent_again_is_the_same_donation(
        self, site: Site, nobody: httpx.AsyncClient, donors: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        """Whoever repeats a request whose answer got lost pays once. Without an order id it is another donation."""
        first, *others = await asyncio.gather(*(give(donors, streamer, order_id="a") for _ in range(4)))
        assert others == [first] * 3
        assert (first["order_id"], first["donor_id"]) == ("a", id_of(donors))
        assert len(await site.rows("SELECT FROM donations")) == len(await site.rows("SELECT FROM payments")) == 1
        await confirm(site, first["id"])
        again = await give(donors, streamer, order_id="a")
        assert (again["id"], again["status"], again["payment_url"]) == (
            first["id"], "completed", first["payment_url"],
        )  # fmt: skip
        assert (await give(nobody, streamer, order_id="a"))["donor_id"] is None
        assert (await give(nobody, streamer, order_id="b"))["id"] != first["id"]
        assert (await give(nobody, streamer))["id"] != (await give(nobody, streamer))["id"]

    async def test_an_order_is_one_whichever_way_it_came(
        self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        donation = await give(nobody, streamer, order_id="a")
        opened = (await send(nobody, INIT, order(streamer, order_id="a"))).json()
        assert (opened["donation_id"], opened["payment_id"]) == (donation["id"], donation["payment_id"])
        checked = await read(nobody, "/api/v1/payments/tbank/check/{order_id}", "a")
        assert checked.json()["donation_id"] == donation["id"]
        for changed in ({"amount": 151}, {"donor_name": "Яна"}, {"message": None}, {"is_public": False}):
            refused = await send(nobody, DONATIONS, wish(streamer, order_id="a", **changed))
            assert refused.status_code == 400
            assert "order_id" in refused.json()["detail"]
        for order_id in ("", "x" * 129, "a\0b"):
            assert (await send(nobody, DONATIONS, wish(streamer, order_id=order_id))).status_code == 422
        assert len(await site.rows("SELECT FROM donations")) == 1

    async def test_no_kopeck_is_lost(self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
        for amount, minor in (
            (10, 1000), (10.1, 1010), (1.1e2, 11000), (150.29, 15029), (4.35e2, 43500), (1234.57, 123457),
            (15000, 1500000),
        ):  # fmt: skip
            donation = await give(nobody, streamer, amount=amount)
            assert donation["amount"] == amount
            found = await site.pool.fetchval("SELECT amount_minor FROM donations WHERE id = $1", donation["id"])
            assert found == minor

    async def test_what_is_refused(self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
        for status, changed in (
            (422, {"amount": 10.001}),
            (422, {"amount": 15.1 + 15.2}),
            (400, {"amount": 0}),
            (400, {"amount": -150.5}),
            (400, {"amount": 9.99}),
            (400, {"amount": 15_000.01}),
            (400, {"amount": 999_999_999}),
            (400, {"payment_method": "yookassa"}),
            (400, {"payment_method": "test"}),
            (422, {"message": "я" * 301}),
            (422, {"donor_name": "я" * 61}),
        ):
            answer = await send(nobody, DONATIONS, wish(streamer, **changed))
            assert answer.status_code == status, changed
        shapeless: tuple[dict[str, Any], ...] = (
            {"amount": True}, {"amount": None}, {"amount": "много"}, {"amount": 1e300}, {"amount": [10]},
            {"payment_method": "gold"}, {"recipient_id": "x"}, {"message": 5}, {"is_anonymous": "perhaps"},
        )  # fmt: skip
        for changed in shapeless:
            answer = await nobody.post("/donations/", json=wish(streamer, **changed))
            assert answer.status_code == 422, changed
            assert answer.json()["detail"][0]["loc"] == ["body", *changed]
        for body in (b"", b"{", b"[]", b"null", b'{"amount": NaN}'):
            answer = await nobody.post("/donations/", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in (400, 422), body
            assert answer.json()["detail"]
        assert await site.rows("SELECT FROM donations") == []

    async def test_a_receipt_needs_an_address(self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
        await site.pool.execute(
            "UPDATE streamers SET receipts = 'fiscal', taxation = 'usn_income', vat = 'none' WHERE id = $1",
            streamer.id,
        )
        for email in (None, "нет"):
            refused = await send(nobody, DONATIONS, wish(streamer, donor_email=email))
            assert refused.status_code == 422
            assert refused.json()["detail"][0]["loc"] == ["body", "donor_email"]
        await give(nobody, streamer, donor_email="anna@mail.example")
        assert await site.pool.fetchval("SELECT donor_email FROM donations") == "anna@mail.example"

    async def test_a_page_that_is_closed(self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
        unready = await site.add_streamer("vera", "Вера", terminal=False)
        assert (await send(nobody, DONATIONS, wish(unready))).status_code == 400
        await site.pool.execute("UPDATE users SET is_active = false WHERE id = $1", streamer.owner_id)
        assert (await send(nobody, DONATIONS, wish(streamer))).status_code == 404

    async def test_both_with_and_without_a_slash(self, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
        assert (await nobody.post("/donations", json=wish(streamer))).status_code == 200


async def test_whom_an_id_means(site: Site, nobody: httpx.AsyncClient) -> None:
    async with site.pool.acquire() as connection:
        await create_user(connection, "first@example.org", PASSWORD)
    anna, boris = await site.add_streamer(), await site.add_streamer("boris", "Борис")
    # The ids of users are one ahead: Boris' page has the id of Anna's account.
    assert (anna.id, anna.owner_id, boris.id, boris.owner_id) == (1, 2, 2, 3)
    for said, meant in (({"recipient_id": 2}, anna), ({"recipient_id": 1}, anna), ({"recipient_id": 3}, boris)):
        assert (await give(nobody, boris, **said))["streamer_id"] == meant.id, said
    assert (await give(nobody, boris, recipient_id=2, streamer_id=2))["streamer_id"] == boris.id
    for said in ({"recipient_id": 4}, {"recipient_id": 0}, {"recipient_id": -1}, {"recipient_id": 10**12}):
        assert (await send(nobody, DONATIONS, wish(anna, **said))).status_code == 404


async def test_a_blocked_address(site: Site, nobody: httpx.AsyncClient, streamer: Streamer) -> None:
    await give(nobody, streamer)
    await site.pool.execute(
        "INSERT INTO blocks (streamer_id, kind, value, shown, expires_at)"
        " SELECT $1, 'address', encode(address_hash, 'hex'), 'Тролль', now() + interval '1 day'"
        " FROM donation_addresses",
        streamer.id,
    )
    assert (await send(nobody, DONATIONS, wish(streamer))).status_code == 403
    assert len(await site.rows("SELECT FROM donations")) == 1


class TestWhoReads:
    async def test_only_who_sent_or_received(
        self,
        site: Site,
        nobody: httpx.AsyncClient,
        hers: httpx.AsyncClient,
        strangers: httpx.AsyncClient,
        operators: httpx.AsyncClient,
        donors: httpx.AsyncClient,
        streamer: Streamer,
    ) -> None:
        sent = await give_paid(site, donors, streamer)
        other = await give_paid(site, nobody, streamer)
        assert sent["donor_id"] == id_of(donors)
        for client, seen in (
            (hers, [other["id"], sent["id"]]), (donors, [sent["id"]]), (strangers, []), (operators, []),
        ):  # fmt: skip
            assert await ids(client) == seen
            for donation in (sent, other):
                answer = await read(client, ONE, donation["id"])
                assert answer.status_code == (200 if donation["id"] in seen else 403)
        for path in (DONATIONS, MY):
            assert (await read(nobody, path)).status_code == 403
        assert (await read(nobody, ONE, sent["id"])).status_code == 403
        for unknown in (2**31 - 1, 10**12, 0):
            assert (await read(hers, ONE, unknown)).status_code == 404
        for as_donor, client, seen in (
            (True, hers, []), (False, hers, [other["id"], sent["id"]]),
            (True, donors, [sent["id"]]), (False, donors, []),
        ):  # fmt: skip
            answer = await read(client, MY, as_donor=as_donor)
            assert [donation["id"] for donation in answer.json()] == seen

    async def test_nobody_learns_whose_an_anonymous_donation_is(
        self, site: Site, hers: httpx.AsyncClient, donors: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        named = await give_paid(site, donors, streamer)
        hidden = await give_paid(site, donors, streamer, is_anonymous=True)
        seen = {donation["id"]: donation for donation in (await read(hers, DONATIONS)).json()}
        assert (seen[named["id"]]["donor_id"], seen[hidden["id"]]["donor_id"]) == (id_of(donors), None)
        assert seen[named["id"]]["donor_username"] == f"user{id_of(donors)}"
        assert seen[hidden["id"]]["donor_username"] is None
        assert await ids(hers, donor_id=id_of(donors)) == [named["id"]]
        assert await ids(donors, donor_id=id_of(donors)) == [hidden["id"], named["id"]]

    async def test_nothing_unmoderated_leaves(
        self, site: Site, hers: httpx.AsyncClient, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        keys = [await key_of(site, streamer, *scopes) for scopes in (
            (Scope.DONATIONS_READ,), (Scope.DONATIONS_READ, Scope.DONATIONS_ORIGINAL),
        )]  # fmt: skip
        donation = await give(nobody, streamer, donor_name="Тролль", message="Плохое слово")
        async with calling(site, keys[0]) as moderated, calling(site, keys[1]) as original:
            for client in (moderated, original, hers):
                unpaid = (await read(client, ONE, donation["id"])).json()
                assert (unpaid["donor_name"], unpaid["message"], unpaid["is_anonymous"]) == (None, None, False)
                assert unpaid["payment_url"] is None
            await confirm(site, donation["id"])
            await site.pool.execute("UPDATE donations SET public_donor_name = NULL, public_message = 'П***'")
            for client, written in ((moderated, None), (original, "Плохое слово"), (hers, "Плохое слово")):
                paid = (await read(client, ONE, donation["id"])).json()
                assert (paid["donor_name"], paid["message"], paid["is_anonymous"]) == (None, "П***", False)
                assert paid["original_message"] == written
                assert paid["original_name"] == (written and "Тролль")
                assert (await read(client, DONATIONS)).json() == [paid]

    async def test_a_key_has_what_its_scopes_say(
        self, site: Site, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        donation = await give_paid(site, nobody, streamer)
        boris = await site.add_streamer("boris", "Борис")
        async with calling(site, await jwt_of(site, streamer.owner_id)) as hers:
            sent = await give_paid(site, hers, boris)
        async with calling(site, await key_of(site, streamer, Scope.DONATIONS_READ)) as client:
            assert await ids(client) == [donation["id"]]
            assert (await read(client, MY, as_donor=True)).json() == []
            assert (await read(client, ONE, sent["id"])).status_code == 403
            assert (await read(client, STATS, streamer.owner_id)).status_code == 403
            made = await give(client, boris)
            assert made["donor_id"] is None, "a key's streamer is nobody's donor by that"
        async with calling(site, await key_of(site, streamer, Scope.STATS_READ)) as client:
            assert (await read(client, DONATIONS)).status_code == 403
            assert (await read(client, STATS, streamer.owner_id)).json()["total_amount"] == 150.5
            assert (await read(client, STATS, boris.owner_id)).status_code == 403


class TestFilters:
    async def test_each_filter(
        self, site: Site, hers: httpx.AsyncClient, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        small = (await give(nobody, streamer, amount=100))["id"]
        paid = (await give_paid(site, nobody, streamer, amount=200.5))["id"]
        hidden = (await give_paid(site, nobody, streamer, amount=300, is_anonymous=True))["id"]
        boris = await site.add_streamer("boris", "Борис")
        sent = (await give(hers, boris, amount=200.5))["id"]
        await site.pool.execute("UPDATE donations SET created_at = '2026-11-01T10:00+00' WHERE id = $1", small)
        everything = [sent, hidden, paid, small]
        for query, expected in (
            ({}, everything),
            ({"recipient_id": streamer.owner_id}, [hidden, paid, small]),
            ({"recipient_id": boris.owner_id}, [sent]),
            ({"recipient_id": 10**12}, []),
            ({"donor_id": streamer.owner_id}, [sent]),
            ({"donor_id": boris.owner_id}, []),
            ({"min_amount": 200.5}, [sent, hidden, paid]),
            ({"max_amount": 200.5}, [sent, paid, small]),
            ({"min_amount": 200.51, "max_amount": 299.99}, []),
            ({"date_from": "2026-11-01T10:00:00Z", "date_to": "2026-11-01T13:00:00+03:00"}, [small]),
            ({"date_to": "2026-11-01T10:00:00"}, [small]),
            ({"date_from": "2026-11-01T10:00:01Z"}, [sent, hidden, paid]),
            ({"status": "pending"}, [sent, small]),
            ({"status": "completed"}, [hidden, paid]),
            ({"status": "refunded"}, []),
            ({"is_anonymous": "true"}, [hidden]),
            ({"is_anonymous": "false"}, [sent, paid, small]),
            ({"limit": 2}, [sent, hidden]),
            ({"skip": 1, "limit": 2}, [hidden, paid]),
            ({"skip": 3}, [small]),
            ({"skip": 4}, []),
            ({"order_by": "created_at", "order_direction": "asc"}, [small, paid, hidden, sent]),
            ({"order_by": "amount", "order_direction": "DESC"}, [hidden, sent, paid, small]),
            ({"order_by": "amount", "order_direction": "asc", "skip": 1}, [paid, sent, hidden]),
            ({"order_by": "id", "order_direction": "asc", "limit": 2, "skip": 1}, [paid, hidden]),
        ):
            assert await ids(hers, **query) == expected, query

    async def test_what_no_filter_is(self, hers: httpx.AsyncClient) -> None:
        for query in (
            {"limit": 0}, {"limit": 1001}, {"skip": -1}, {"skip": 100_001}, {"order_by": "id; DROP TABLE users"},
            {"order_direction": "up"}, {"status": "paid"}, {"min_amount": "x"}, {"min_amount": "0.001"},
            {"max_amount": "nan"}, {"date_from": "yesterday"}, {"date_from": "0001-01-01T00:00:00+14:00"},
            {"recipient_id": "x"}, {"is_anonymous": "perhaps"}, {"skip": "9" * 5_000},
        ):  # fmt: skip
            assert (await read(hers, DONATIONS, **query)).status_code == 422, query
        for query in ({"donor_id": 10**30}, {"recipient_id": -5}, {"date_to": "9999-12-31T23:59:59Z"}, {"more": "1"}):
            assert (await read(hers, DONATIONS, **query)).json() == [], query

    async def test_slow_pages_are_few(self, hers: httpx.AsyncClient) -> None:
        for query in [{"order_by": "amount"}] * 15 + [{"skip": 5_001}] * 15:
            assert (await hers.get("/donations/", params=query)).status_code == 200
        assert (await hers.get("/donations/", params={"order_by": "id"})).status_code == 429
        assert (await hers.get("/donations/")).status_code == 200

    async def test_every_state_has_a_word(
        self, site: Site, hers: httpx.AsyncClient, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        donation = await give(nobody, streamer)
        for status, told in (
            ("pending", "pending"), ("review", "pending"), ("failed", "failed"), ("paid", "completed"),
            ("partially_refunded", "completed"), ("refunded", "refunded"), ("charged_back", "refunded"),
        ):  # fmt: skip
            has_money = status not in ("pending", "review", "failed")
            await site.pool.execute(
                "UPDATE donations SET status = $1, paid_at = CASE WHEN $2::boolean THEN now() END", status, has_money
            )
            found = (await read(hers, ONE, donation["id"])).json()
            assert (found["status"], found["updated_at"] is not None) == (told, has_money)
            assert await ids(hers, status=told) == [donation["id"]]

    async def test_an_alert_that_was_seen(
        self, site: Site, hers: httpx.AsyncClient, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        donation = await give_paid(site, nobody, streamer)
        assert (await read(hers, ONE, donation["id"])).json()["is_alert_shown"] is False
        await site.pool.execute("UPDATE alerts SET status = 'shown', shown_at = now()")
        assert (await read(hers, ONE, donation["id"])).json()["is_alert_shown"] is True

    async def test_how_a_donation_of_the_form_was_paid(
        self, site: Site, hers: httpx.AsyncClient, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        donation = await give(nobody, streamer, payment_method="card")
        assert (await read(hers, ONE, donation["id"])).json()["payment_method"] == "card"
        await site.pool.execute("DELETE FROM api_donations")
        for is_test, method in ((False, "tbank"), (True, "test")):
            await site.pool.execute("UPDATE terminals SET is_test = $1", is_test)
            assert (await read(hers, ONE, donation["id"])).json()["payment_method"] == method


class TestStats:
    async def test_days_are_those_of_her_clocks(
        self, site: Site, hers: httpx.AsyncClient, nobody: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        await give(nobody, streamer, amount=5000)
        for amount in (100.1, 200.2):
            await give_paid(site, nobody, streamer, amount=amount)
        # A zone where it is another day than in Moscow just now.
        now = datetime.now(UTC)
        moscow = (now + timedelta(hours=3)).date()
        zone = "Etc/GMT+12" if (now - timedelta(hours=12)).date() != moscow else "Etc/GMT-14"
        stats = (await read(hers, STATS, streamer.owner_id)).json()
        assert stats == {
            "total_amount": 300.3, "total_count": 2, "today_amount": 300.3, "today_count": 2,
            "this_month_amount": 300.3, "this_month_count": 2,
        }  # fmt: skip
        await site.pool.execute("UPDATE streamers SET time_zone = $1", zone)
        stats = (await read(hers, STATS, streamer.owner_id)).json()
        assert (stats["total_amount"], stats["today_amount"], stats["today_count"]) == (300.3, 0, 0)

    async def test_nobody_elses(
        self, hers: httpx.AsyncClient, donors: httpx.AsyncClient, operators: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        assert (await read(donors, STATS, id_of(donors))).json()["total_count"] == 0
        for client in (donors, operators):
            assert (await read(client, STATS, streamer.owner_id)).status_code == 403
        assert (await read(hers, STATS, id_of(donors))).status_code == 403
        assert (await read(hers, STATS, 10**12)).status_code == 403
