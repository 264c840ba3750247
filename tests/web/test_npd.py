"""НПД's page: in the menu of the self-employed alone, cheques marked one by one or by the day, and as a file."""

import csv
import io
import re

import httpx
import pytest

from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.streamers import Streamer
from tests.builders import hear
from tests.support.site import Site
from tests.web.conftest import signed_in
from tests.web.money_cast import give
from web.csv_files import MARK

NBSP = "\N{NO-BREAK SPACE}"
PATH = "/dashboard/npd"


@pytest.fixture
async def self_employed(site: Site, streamer: Streamer) -> Streamer:
    await site.pool.execute("UPDATE streamers SET receipts = 'npd', receipts_since = now() - interval '1 hour'")
    return streamer


def cheques(page: str) -> list[str]:
    """What is to be issued, each as the button of its row would send it."""
    return re.findall(r'<button[^>]*name="cheque" value="(\d+:\d+)"', page)


async def test_in_the_menu_only_of_the_self_employed(site: Site, her: httpx.AsyncClient) -> None:
    assert PATH not in (await her.get("/dashboard/money")).text
    assert "only for looking" in (await her.get(PATH)).text
    await site.pool.execute("UPDATE streamers SET receipts = 'npd'")
    assert PATH in (await her.get("/dashboard/money")).text
    assert "only for looking" not in (await her.get(PATH)).text


async def test_one_and_then_the_rest_of_the_day(site: Site, her: httpx.AsyncClient, self_employed: Streamer) -> None:
    for amount_minor in (30_000, 20_000, 10_000):
        await give(site, self_employed, amount_minor=amount_minor)
    page = (await her.get(PATH)).text
    assert f"600{NBSP}₽" in page
    assert f"0 % of the year's limit of 2{NBSP}400{NBSP}000{NBSP}₽" in page
    first, *rest = cheques(page)
    answer = await her.post(f"{PATH}/issued", data={"cheque": first})
    assert answer.headers["Location"] == f"{PATH}?said=cheques-issued"
    assert cheques((await her.get(PATH)).text) == rest
    # Pressed twice.
    answer = await her.post(f"{PATH}/issued", data={"cheque": first})
    assert answer.headers["Location"] == f"{PATH}?said=cheques-changed"
    await her.post(f"{PATH}/issued", data={"cheque": rest})
    page = (await her.get(PATH)).text
    assert "All cheques are issued." in page
    assert len(await site.rows("SELECT id FROM npd_cheques")) == 3


async def test_annulled_after_a_refund(site: Site, her: httpx.AsyncClient, self_employed: Streamer) -> None:
    payment = await give(site, self_employed)
    await her.post(f"{PATH}/issued", data={"cheque": cheques((await her.get(PATH)).text)})
    async with site.pool.acquire() as connection, connection.transaction():
        await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=20_000)
    page = (await her.get(PATH)).text
    assert "To annul" in page
    [cheque] = await site.rows("SELECT id FROM npd_cheques")
    await her.post(f"{PATH}/annulled", data={"cheque": str(cheque["id"])})
    assert cheques((await her.get(PATH)).text) == [f"{payment.donation_id}:20000"]
    answer = await her.post(f"{PATH}/annulled", data={"cheque": str(cheque["id"])})
    assert answer.headers["Location"] == f"{PATH}?said=cheques-changed"


async def test_a_mark_by_mistake(site: Site, her: httpx.AsyncClient, self_employed: Streamer) -> None:
    await give(site, self_employed)
    due = cheques((await her.get(PATH)).text)
    await her.post(f"{PATH}/issued", data={"cheque": due})
    [cheque] = await site.rows("SELECT id FROM npd_cheques")
    await her.post(f"{PATH}/unmark", data={"cheque": str(cheque["id"])})
    assert cheques((await her.get(PATH)).text) == due


async def test_as_a_file(site: Site, her: httpx.AsyncClient, self_employed: Streamer) -> None:
    await give(site, self_employed, amount_minor=30_050, donor_name="@Аня")
    text = (await her.get(f"{PATH}/cheques.csv?lang=ru")).content.decode()
    _, line = csv.reader(io.StringIO(text.removeprefix(MARK)), delimiter=";")
    assert line[1:4] == ["300,50", "Физическое лицо", "Добровольная поддержка"]
    assert line[5] == "'@Аня"


@pytest.mark.parametrize(("income_minor", "words"), [(192_000_000, "Near the limit"), (230_000_000, "Very near"),
                                                     (250_000_000, "The limit is exceeded")])  # fmt: skip
async def test_warned_in_time(
    site: Site, her: httpx.AsyncClient, self_employed: Streamer, income_minor: int, words: str
) -> None:
    await give(site, self_employed, amount_minor=income_minor)
    assert words in (await her.get(PATH)).text


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("issued", ""),
        ("issued", "1"),
        ("issued", "1:x"),
        ("issued", "99999999999:1"),
        ("issued", "-1:5"),
        ("annulled", "x"),
        ("annulled", "99999999999"),
        ("unmark", ""),
    ],
)
async def test_garbage(her: httpx.AsyncClient, action: str, value: str) -> None:
    assert (await her.post(f"{PATH}/{action}", data={"cheque": value})).status_code == 422
    assert (await her.get(f"{PATH}?year=3000")).status_code == 404


async def test_nobody_elses(site: Site, her: httpx.AsyncClient, self_employed: Streamer) -> None:
    await give(site, self_employed)
    due = cheques((await her.get(PATH)).text)
    await site.add_streamer("boris", "Борис")
    async with signed_in(site, "boris@example.org") as stranger:
        assert (await stranger.get(f"{PATH}?streamer={self_employed.slug}")).status_code == 404
        await stranger.post(f"{PATH}/issued", data={"cheque": due})
    assert (await site.client.get(PATH)).status_code == 303
    assert await site.rows("SELECT id FROM npd_cheques") == []
