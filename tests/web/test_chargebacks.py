"""Disputed payments on the streamer's pages: told once, read once, and the facts ready for the bank."""

import httpx
import pytest

from domain.payments import Payment
from domain.streamers import Streamer
from tests.support.site import Site
from tests.web.conftest import signed_in
from tests.web.money_cast import file_of, give, read_files

NBSP = "\N{NO-BREAK SPACE}"
LIST = "/dashboard/chargebacks"


@pytest.fixture
async def disputed(site: Site, her: httpx.AsyncClient, streamer: Streamer) -> Payment:
    payment = await give(site, streamer, donor_name="Аня <script>", message="Привет из «Омска»")
    await site.pool.execute("UPDATE alerts SET status = 'shown', shown_at = now(), finished_at = now()")
    raw = await file_of(site, streamer, (payment, "Debit"), (payment, "Chargeback"))
    await her.post("/dashboard/money/registry", files={"file": ("r.csv", raw)})
    await read_files(site)
    return payment


async def test_told_until_it_is_read(her: httpx.AsyncClient, disputed: Payment) -> None:
    assert "bank took a payment back" in (await her.get("/dashboard/money")).text
    assert "Привет из «Омска»" in (await her.get("/dashboard/attention")).text
    page = (await her.get(LIST)).text
    assert "Привет из «Омска»" in page
    assert "<script>" not in page
    answer = await her.post(f"{LIST}/{disputed.id}/read")
    assert answer.headers["Location"] == LIST
    assert "I have seen it" not in (await her.get(LIST)).text
    assert "bank took a payment back" not in (await her.get("/dashboard/money")).text
    assert "Привет из «Омска»" not in (await her.get("/dashboard/attention")).text


async def test_the_facts_to_print(her: httpx.AsyncClient, disputed: Payment) -> None:
    page = (await her.get(f"{LIST}/{disputed.id}")).text
    for fact in (disputed.order_id, disputed.provider_payment_id or "", "anna-terminal", "RRN 835508576879",
                 "Alert, shown", "version 2026-11-22", "Moscow time", f"300{NBSP}₽"):  # fmt: skip
        assert fact in page, fact
    assert "<script>" not in page
    answer = await her.post(f"{LIST}/{disputed.id}/read", data={"back": "case"})
    assert answer.headers["Location"] == f"{LIST}/{disputed.id}"


async def test_the_facts_as_text_are_russian(her: httpx.AsyncClient, disputed: Payment) -> None:
    answer = await her.get(f"{LIST}/{disputed.id}/case.txt")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    text = answer.content.decode("utf-8-sig")
    assert "ЧТО БЫЛО НА СТРИМЕ" in text
    assert "Имя: Аня <script>" in text
    assert "Согласие с условиями: редакция 2026-11-22" in text
    assert f"Заказ: {disputed.order_id}" in text
    assert "Оспорен банком донатера (Chargeback): 300" in text


async def test_a_donors_lines_do_not_become_the_files(site: Site, her: httpx.AsyncClient, disputed: Payment) -> None:
    await site.pool.execute("UPDATE donations SET message = E'Привет\\nПолучатель: Мошенник'")
    text = (await her.get(f"{LIST}/{disputed.id}/case.txt")).content.decode("utf-8-sig")
    assert "\nПолучатель: Мошенник" not in text


async def test_nobody_elses(site: Site, her: httpx.AsyncClient, streamer: Streamer, disputed: Payment) -> None:
    await site.add_streamer("boris", "Борис")
    paths = (f"{LIST}/{disputed.id}", f"{LIST}/{disputed.id}/case.txt")
    async with signed_in(site, "boris@example.org") as stranger:
        for path in paths:
            assert (await stranger.get(path)).status_code == 404
            assert (await stranger.get(f"{path}?streamer={streamer.slug}")).status_code == 404
        await stranger.post(f"{LIST}/{disputed.id}/read")
    for path in paths:
        assert (await site.client.get(path)).status_code == 303
    assert "I have seen it" in (await her.get(LIST)).text
    assert (await her.get(f"{LIST}/99999999999999999999")).status_code == 404
