"""The money page: months and days that add up, a file that opens in Excel, and nobody else's eyes."""

import csv
import io
from datetime import UTC, datetime

import httpx
import pytest

from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.streamers import Streamer
from tests.builders import hear
from tests.support.site import Site
from tests.web.conftest import signed_in
from tests.web.money_cast import file_of, give, read_files
from web.csv_files import MARK, csv_line, rubles

NBSP = "\N{NO-BREAK SPACE}"
PAGES = ("/dashboard/money", "/dashboard/money/ledger.csv?month=2026-11", "/dashboard/money/registry")


def this_month() -> str:
    return datetime.now(UTC).strftime("%Y-%m")


async def test_only_she_and_the_operator_get_in(site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
    await site.add_streamer("boris", "Борис")
    async with signed_in(site, "boris@example.org") as stranger:
        for path in PAGES:
            assert (await her.get(path)).status_code == 200, path
            assert (await site.client.get(path)).status_code == 303, path
            sep = "&" if "?" in path else "?"
            assert (await stranger.get(f"{path}{sep}streamer={streamer.slug}")).status_code == 404, path


async def test_a_year_before_anything_came(her: httpx.AsyncClient) -> None:
    page = (await her.get("/dashboard/money?year=2025")).text
    assert "No money moved in 2025." in page
    assert "No money moved in this month." in (await her.get("/dashboard/money?month=2025-03")).text


@pytest.mark.parametrize("query", ["year=x", "year=3026", "year=²⁰²⁶", "month=2026-13", "month=2026", "month=x"])
async def test_what_is_no_month_is_no_page(her: httpx.AsyncClient, query: str) -> None:
    assert (await her.get(f"/dashboard/money?{query}")).status_code == 404
    assert (await her.get("/dashboard/money/ledger.csv")).status_code == 404


async def test_months_days_and_what_is_held(site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
    first = await give(site, streamer, amount_minor=50_000)
    second = await give(site, streamer, amount_minor=20_000)
    async with site.pool.acquire() as connection, connection.transaction():
        await hear(connection, second, N.REFUNDED, source=Source.POLL, amount_minor=0)
        await hear(connection, first, N.CONFIRMED, provider_payment_id="777")
    page = (await her.get("/dashboard/money")).text
    assert f"700{NBSP}₽" in page
    assert f"\N{MINUS SIGN}200{NBSP}₽" in page
    assert "Paid twice" in page
    assert "/dashboard/attention" in page
    assert "bring the file, and they are counted" in page
    days = (await her.get(f"/dashboard/money?month={this_month()}")).text
    assert f"\N{MINUS SIGN}200{NBSP}₽" in days
    assert "Ledger as CSV" in days

    await her.post(
        "/dashboard/money/registry", files={"file": ("r.csv", await file_of(site, streamer, (first, "Debit")))}
    )
    await read_files(site)
    page = (await her.get("/dashboard/money")).text
    assert f"\N{MINUS SIGN}12.50{NBSP}₽" in page


async def test_the_ledger_as_a_file(site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
    payment = await give(site, streamer, amount_minor=30_050, donor_name="=1+1", message="x")
    async with site.pool.acquire() as connection, connection.transaction():
        await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=20_050)
    answer = await her.get(f"/dashboard/money/ledger.csv?month={this_month()}")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    text = answer.content.decode("utf-8")
    assert text.startswith(MARK)
    head, paid, refunded = csv.reader(io.StringIO(text.removeprefix(MARK)), delimiter=";")
    assert head[:4] == ["Moved at", "Operation", "To you, ₽", "Held, ₽"]
    assert paid[1:4] == ["Payment", "300,50", "0,00"]
    assert refunded[1:4] == ["Refund", "-100,00", "0,00"]
    assert paid[5] == "'=1+1"
    assert paid[8] == payment.order_id
    russian = await her.get(f"/dashboard/money/ledger.csv?month={this_month()}&lang=ru")
    assert "Возврат" in russian.text


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("=SUM(A1)", "'=SUM(A1)"),
        ("+7", "'+7"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("\r=1", '"\'\r=1"'),
        ("＝1", "'＝1"),
        ("a;b", '"a;b"'),
        ('he said "=1"', '"he said ""=1"""'),
        ("a=1", "a=1"),
        ("", ""),
        (" ", " "),
        (rubles(-5), "-0,05"),
        (-5, "-5"),
    ],
)
def test_a_strangers_text_is_never_calculated(field: str | int, written: str) -> None:
    assert csv_line(["x", field]) == f"x;{written}\r\n"
