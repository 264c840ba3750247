"""Money of terminals for trying out: who is one is written down, and what came through it is a test everywhere."""

import csv
import html
import io
import re
from datetime import UTC, datetime

import httpx
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from domain.streamers import Streamer
from domain.terminals import set_terminal
from infra.crypto import SecretBox
from tests.builders import latest_payment, make_donation, open_payment
from tests.support.site import Site, open_site
from tests.web.conftest import signed_in
from tests.web.money_cast import built, give
from tests.web.test_exports import EXPORTS, make_all
from web.csv_files import MARK

NBSP = "\N{NO-BREAK SPACE}"
CHIP = "</svg>test</span>"


@pytest.fixture
async def trying(site: Site, streamer: Streamer) -> Streamer:
    """A self-employed streamer who received 300 ₽ by a test card, and 500 ₽ of real money since."""
    await site.pool.execute("UPDATE streamers SET receipts = 'npd', receipts_since = now() - interval '1 hour'")
    await site.pool.execute("UPDATE terminals SET is_test = true")
    await give(site, streamer, amount_minor=30_000, donor_name="Проба")
    box = SecretBox(site.settings.secret_keys.get_secret_value())
    async with site.pool.acquire() as connection, connection.transaction():
        await set_terminal(connection, box, streamer.id, "tbank", "1234567890123", "secret", is_test=False)
    await give(site, streamer, amount_minor=50_000, donor_name="Взаправду")
    return streamer


def words(page: str) -> str:
    """What is read on a page, without its tags."""
    return re.sub("<[^>]+>", "", page)


async def test_sorted_when_the_site_starts(fresh_database_url: str, redis_url: str) -> None:
    keys = SecretStr(Fernet.generate_key().decode())
    box = SecretBox(keys.get_secret_value())
    terminals = [
        ("tbank", "1234567890123DEMO", "secret", True),
        ("tbank", "1234567890124", "secret", False),
        ("yookassa", "100500", "test_secret", True),
        ("yookassa", "100501", "live_secret", False),
    ]
    async with open_site(fresh_database_url, redis_url, secret_keys=keys) as site:
        for number, (provider, key, secret, _) in enumerate(terminals):
            streamer = await site.add_streamer(f"s-{number}", "Стример", terminal=False)
            async with site.pool.acquire() as connection, connection.transaction():
                await set_terminal(connection, box, streamer.id, provider, key, secret)
        lost = await site.add_streamer("lost", "Потерян", terminal=False)
        async with site.pool.acquire() as connection, connection.transaction():
            other_box = SecretBox(Fernet.generate_key().decode())
            await set_terminal(connection, other_box, lost.id, "yookassa", "100502", "test_secret")
        assert await site.rows("SELECT id FROM terminals WHERE is_test IS NOT NULL") == []
    async with open_site(fresh_database_url, redis_url, secret_keys=keys) as site:
        rows = await site.rows("SELECT terminal_key, is_test FROM terminals")
    found = {row["terminal_key"]: row["is_test"] for row in rows}
    assert found == {key: is_test for _, key, _, is_test in terminals} | {"100502": None}


@pytest.mark.usefixtures("trying")
async def test_no_income_and_no_cheque(site: Site, her: httpx.AsyncClient) -> None:
    page = (await her.get("/dashboard/npd")).text
    assert f"500{NBSP}₽" in page.partition('class="figure"')[2].partition("</p>")[0]
    assert f"Test payments are not counted and need no cheques: 300{NBSP}₽." in words(page)
    assert "Взаправду" in page
    assert "Проба" not in page
    text = (await her.get("/dashboard/npd/cheques.csv")).text
    assert len(list(csv.reader(io.StringIO(text.removeprefix(MARK)), delimiter=";"))) == 2
    # A page from before the terminal was known as one for trying out.
    [test] = await site.rows("SELECT id FROM donations WHERE donor_name = 'Проба'")
    await her.post("/dashboard/npd/issued", data={"cheque": f"{test['id']}:30000"})
    assert await site.rows("SELECT id FROM npd_cheques") == []


async def test_nothing_is_said_where_there_is_none(site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
    await give(site, streamer)
    for path in ("/dashboard/npd", "/dashboard/money", "/dashboard/statistics", "/dashboard", "/dashboard/donations"):
        page = (await her.get(path)).text
        assert "Test payments" not in page
        assert CHIP not in page


@pytest.mark.usefixtures("trying")
async def test_called_a_test_wherever_it_is_listed(site: Site, her: httpx.AsyncClient) -> None:
    for path in ("/dashboard", "/dashboard/donations"):
        assert (await her.get(path)).text.count(CHIP) == 1, path
    rows = {
        row["donor_name"]: row["public_id"] for row in await site.rows("SELECT donor_name, public_id FROM donations")
    }
    assert CHIP in (await her.get(f"/dashboard/donations/{rows['Проба']}")).text
    assert CHIP not in (await her.get(f"/dashboard/donations/{rows['Взаправду']}")).text
    donor = (await site.client.get(f"/d/{rows['Проба']}", headers={"Accept-Language": "en"})).text
    assert "Test mode: no real money moves here." in donor
    assert '<span class="test-mark">test</span>' in donor
    assert "Test mode" not in (await site.client.get(f"/d/{rows['Взаправду']}", headers={"Accept-Language": "en"})).text


@pytest.mark.usefixtures("trying")
async def test_told_of_the_sums(her: httpx.AsyncClient) -> None:
    month = datetime.now(UTC).strftime("%Y-%m")
    for path in ("/dashboard/money", f"/dashboard/money?month={month}", "/dashboard/statistics"):
        page = (await her.get(path)).text
        assert f"800{NBSP}₽" in page, path
        assert f"Test payments among it: 300{NBSP}₽." in words(page), path
    assert "Test payments" not in (await her.get("/dashboard/money?year=2025")).text


@pytest.mark.usefixtures("trying")
async def test_a_column_of_the_files(site: Site, her: httpx.AsyncClient) -> None:
    month = datetime.now(UTC).strftime("%Y-%m")
    text = (await her.get(f"/dashboard/money/ledger.csv?month={month}")).text
    assert _test_column(text) == {"Проба": "yes", "Взаправду": ""}
    await her.post(EXPORTS, data={"format": "csv"})
    await make_all(site)
    [export] = await site.rows("SELECT public_id FROM exports")
    text = (await her.get(f"{EXPORTS}/{export['public_id']}/file")).content.decode()
    assert _test_column(text) == {"Проба": "yes", "Взаправду": ""}


def _test_column(text: str) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO(text.removeprefix(MARK)), delimiter=";")
    return {row["Name"]: row["Test"] for row in rows}


async def test_said_before_it_is_paid(site: Site, streamer: Streamer) -> None:
    await site.pool.execute("UPDATE terminals SET is_test = true")
    async with site.pool.acquire() as connection, connection.transaction():
        donation = await make_donation(connection, await built(site, streamer))
        await open_payment(connection, await latest_payment(connection, donation))
    page = (await site.client.get(f"/d/{donation.public_id}", headers={"Accept-Language": "en"})).text
    assert "Pay with the bank's test card." in html.unescape(page)


async def test_not_in_the_public_list(fresh_database_url: str, redis_url: str) -> None:
    for environment, is_shown in (("development", True), ("production", False)):
        async with open_site(fresh_database_url, redis_url, environment=environment) as site:
            if environment == "development":
                await site.add_streamer("anna", "Анна")
                await site.pool.execute("UPDATE terminals SET is_test = true; UPDATE streamers SET is_listed = true")
            assert ("/donate/anna" in (await site.client.get("/streamers")).text) is is_shown


async def test_a_second_payment_by_a_test_card_makes_no_test_of_a_donation(
    site: Site, her: httpx.AsyncClient, streamer: Streamer
) -> None:
    """Paid twice: by real money, which is what counts, and by a card for trying out."""
    await site.pool.execute("UPDATE streamers SET receipts = 'npd', receipts_since = now() - interval '1 hour'")
    payment = await give(site, streamer, amount_minor=30_000)
    await site.pool.execute(
        "INSERT INTO terminals (streamer_id, provider, terminal_key, secret_encrypted, is_test)"
        " VALUES ($1, 'yookassa', '100500', 'x', true)",
        streamer.id,
    )
    await site.pool.execute(
        "INSERT INTO payments (donation_id, streamer_id, terminal_id, attempt, order_id, status, amount_minor, due_at,"
        " opened_at, payment_url, provider_payment_id, confirmed_minor, confirmed_at, closed_at, booked_as)"
        " SELECT donation_id, streamer_id, (SELECT max(id) FROM terminals), 2, reverse(order_id), status,"
        " amount_minor, due_at, opened_at, payment_url, 'second', confirmed_minor, confirmed_at, closed_at, 'surplus'"
        " FROM payments WHERE id = $1",
        payment.id,
    )
    page = (await her.get("/dashboard/npd")).text
    assert f"300{NBSP}₽" in page.partition('class="figure"')[2].partition("</p>")[0]
    assert "Test payments" not in page
    for path in ("/dashboard", "/dashboard/donations"):
        assert CHIP not in (await her.get(path)).text, path


@pytest.mark.usefixtures("trying")
async def test_hers_alone(site: Site) -> None:
    """Another's test money is not told of here."""
    other = await site.add_streamer("boris", "Борис")
    await give(site, other, amount_minor=10_000)
    async with signed_in(site, "boris@example.org") as his:
        assert "Test payments" not in (await his.get("/dashboard/statistics")).text
