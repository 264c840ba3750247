"""Receipts: the streamer's choice, and the e-mail that a fiscal one needs from the donor, and nobody else sees."""

import json
import logging
import re
from typing import Any

import httpx
import pytest

from domain.donations import list_feed, read_donor_view
from domain.receipts import Receipts, set_settings
from domain.streamers import Streamer
from infra import queries
from providers.provider import Receipt
from tasks.payments import receipt_of
from tests.support.site import Site
from tests.web.conftest import signed_in
from tests.web.test_donate import fields, send

EMAIL = "anya.petrova+don@mail.ru"
SETTINGS = "SELECT receipts, receipts_since, taxation, vat, receipt_item FROM streamers"


@pytest.fixture
def site(kept_site: Site) -> Site:
    return kept_site


async def choose(site: Site, streamer: Streamer, kind: Receipts) -> None:
    async with site.pool.acquire() as connection, connection.transaction():
        await set_settings(
            connection, streamer.id, kind=kind, taxation="usn_income", vat="none", item="Добровольная поддержка"
        )


@pytest.fixture
async def fiscal(site: Site, streamer: Streamer) -> Streamer:
    await choose(site, streamer, Receipts.FISCAL)
    return streamer


class TestChoice:
    async def test_none_to_begin_with(self, site: Site, her: httpx.AsyncClient) -> None:
        page = (await her.get("/dashboard/receipts")).text
        assert re.search(r'value="none"[^>]* checked', page)
        assert "This is not legal advice" in page
        [row] = await site.rows(SETTINGS)
        assert row["receipts_since"] is None

    async def test_fiscal_receipts_are_switched_on(self, site: Site, her: httpx.AsyncClient) -> None:
        form = {"receipts": "fiscal", "taxation": "patent", "vat": "vat22", "receipt_item": "  Поддержка   канала "}
        answer = await her.post("/dashboard/receipts", data=form)
        assert answer.headers["Location"] == "/dashboard/receipts?said=receipts-saved"
        [row] = await site.rows(SETTINGS)
        since = row.pop("receipts_since")
        assert since is not None
        assert row == {"receipts": "fiscal", "taxation": "patent", "vat": "vat22", "receipt_item": "Поддержка канала"}
        page = (await her.get(answer.headers["Location"])).text
        assert "Saved." in page
        assert '<option value="patent" selected>' in page
        assert '<option value="vat22" selected>VAT 22%' in page
        assert "Donors are asked for an e-mail." in (await her.get("/dashboard/terminals")).text
        # Saved once more: it is on since the first time.
        await her.post("/dashboard/receipts", data=form)
        assert (await site.rows(SETTINGS))[0]["receipts_since"] == since
        await her.post("/dashboard/receipts", data={**form, "receipts": "none"})
        assert (await site.rows(SETTINGS))[0]["receipts_since"] is None

    async def test_another_kind_keeps_what_the_fiscal_one_said(self, site: Site, her: httpx.AsyncClient) -> None:
        form = {"receipts": "fiscal", "taxation": "osn", "vat": "vat122", "receipt_item": "Поддержка"}
        await her.post("/dashboard/receipts", data=form)
        [before] = await site.rows(SETTINGS)
        await her.post("/dashboard/receipts", data={**form, "receipts": "npd", "receipt_item": "", "vat": "none"})
        [after] = await site.rows(SETTINGS)
        assert after == {**before, "receipts": "npd", "receipts_since": after["receipts_since"]}
        assert after["receipts_since"] > before["receipts_since"]
        assert "You make them yourself" in (await her.get("/dashboard/terminals")).text

    @pytest.mark.parametrize(
        ("item", "words"),
        [
            (" ", "Write what the receipt should say."),
            ("я" * 131, "Longer than 128 characters: remove 3."),
            ("Чек\u0000", "Only characters that can be seen."),
        ],
    )
    async def test_a_line_that_cannot_be_printed(
        self, site: Site, her: httpx.AsyncClient, item: str, words: str
    ) -> None:
        form = {"receipts": "fiscal", "taxation": "osn", "vat": "none", "receipt_item": item}
        answer = await her.post("/dashboard/receipts", data=form)
        assert answer.status_code == 422
        assert words in answer.text
        assert re.search(r'value="fiscal"[^>]* checked', answer.text), "the choice is kept"
        assert (await site.rows(SETTINGS))[0]["receipts"] == "none"

    @pytest.mark.parametrize(
        "changed", [{"receipts": ""}, {"receipts": "all"}, {"taxation": "envd"}, {"vat": "vat20"}, {"vat": ""}], ids=str
    )
    async def test_garbage(self, site: Site, her: httpx.AsyncClient, changed: dict[str, str]) -> None:
        form = {"receipts": "fiscal", "taxation": "osn", "vat": "none", "receipt_item": "Поддержка", **changed}
        assert (await her.post("/dashboard/receipts", data=form)).status_code == 422
        assert (await site.rows(SETTINGS))[0]["receipts"] == "none"

    async def test_strangers_and_other_sites(self, site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
        await site.add_streamer("boris", "Борис")
        async with signed_in(site, "boris@example.org") as him:
            address = f"/dashboard/receipts?streamer={streamer.slug}"
            assert (await him.get(address)).status_code == 404
            assert (await him.post(address, data={"receipts": "npd"})).status_code == 404
        answer = await her.post(
            "/dashboard/receipts", data={"receipts": "npd"}, headers={"Origin": "https://evil.example"}
        )
        assert answer.status_code == 403
        assert {row["receipts"] for row in await site.rows(SETTINGS)} == {"none"}


class TestDonorsEmail:
    @pytest.mark.parametrize("kind", [Receipts.NONE, Receipts.NPD])
    async def test_nobody_is_asked_without_need(self, site: Site, streamer: Streamer, kind: Receipts) -> None:
        await choose(site, streamer, kind)
        assert 'name="email"' not in (await site.client.get("/donate/anna")).text
        assert (await send(site, await fields(site, email=EMAIL))).status_code == 303
        [donation] = await site.rows("SELECT donor_email FROM donations")
        assert donation["donor_email"] is None, "what nobody asked for is not kept"

    @pytest.mark.usefixtures("fiscal")
    async def test_it_is_asked_for_with_the_reason(self, site: Site) -> None:
        page = (await site.client.get("/donate/anna")).text
        assert "Почта для чека" in page
        assert "По закону чек отправляют вам." in page
        assert re.search(r'<input id="email"[^>]* required', page)
        assert "электронная почта для чека" in (await site.client.get("/donate/anna/consent")).text

    async def test_it_is_kept_for_the_provider(self, site: Site, fiscal: Streamer) -> None:
        assert (await send(site, await fields(site, email=f" {EMAIL} "))).status_code == 303
        [donation] = await site.rows("SELECT id, donor_email FROM donations")
        assert donation["donor_email"] == EMAIL
        async with site.pool.acquire() as connection:
            row = await queries.donations.get_for_opening(connection, donation_id=donation["id"])
        assert receipt_of(row) == Receipt(EMAIL, "Добровольная поддержка", "usn_income", "none")
        # Switched off since: nothing of it goes to the provider.
        await choose(site, fiscal, Receipts.NONE)
        async with site.pool.acquire() as connection:
            row = await queries.donations.get_for_opening(connection, donation_id=donation["id"])
        assert receipt_of(row) is None

    @pytest.mark.usefixtures("fiscal")
    @pytest.mark.parametrize(
        ("email", "words"),
        [
            ("", "Нужна почта: по закону вам отправят чек."),
            ("   ", "Нужна почта"),
            ("аня", "Не похоже на почту."),
            ("anya@", "Не похоже на почту."),
            ("anya@mail", "Не похоже на почту."),
            ("anya@@mail.ru", "Не похоже на почту."),
            ("anya..p@mail.ru", "Не похоже на почту."),
            ("anya p@mail.ru", "Не похоже на почту."),
            ("anya@mail.ru\nBcc: x@y.ru", "Не похоже на почту."),
            ("аня@почта.рф", "Не похоже на почту."),
            ("<b>@mail.ru", "Не похоже на почту."),
            ("a" * 60 + "@mail.ru", "Не похоже на почту."),
        ],
    )
    async def test_what_is_no_email(self, site: Site, email: str, words: str) -> None:
        answer = await send(site, await fields(site, email=email))
        assert answer.status_code == 422
        assert re.search(rf'<p class="error" id="email-error">{words}', answer.text)
        assert re.search(r'<input id="email"[^>]*aria-invalid="true"', answer.text)
        assert await site.rows("SELECT FROM donations") == []

    @pytest.mark.usefixtures("fiscal")
    async def test_a_form_from_before_asks_for_it_and_keeps_the_rest(self, site: Site) -> None:
        answer = await send(site, await fields(site))
        assert answer.status_code == 422
        assert "Привет из Омска" in answer.text
        assert 'name="email"' in answer.text

    @pytest.mark.usefixtures("fiscal")
    async def test_a_preset_without_scripts_keeps_it(self, site: Site) -> None:
        answer = await send(site, await fields(site, email=EMAIL, set_amount="500"))
        assert f'value="{EMAIL}"' in answer.text
        assert "email-error" not in answer.text

    @pytest.mark.usefixtures("fiscal")
    async def test_another_email_is_another_donation(self, site: Site) -> None:
        values = await fields(site, email=EMAIL)
        first, again, other = [
            (await send(site, {**values, "email": email})).headers["Location"] for email in (EMAIL, EMAIL, "b@mail.ru")
        ]
        assert first == again != other

    async def test_it_never_leaves(
        self, site: Site, fiscal: Streamer, her: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        answer = await send(site, await fields(site, email=EMAIL))
        public_id = answer.headers["Location"].removeprefix("/d/")
        await site.pool.execute("UPDATE donations SET status = 'paid', paid_at = now()")
        await site.pool.execute(
            "INSERT INTO alerts (streamer_id, donation_id, kind, status, place, playable_at, donor_name, message,"
            " amount_minor, duration_ms) SELECT streamer_id, id, 'donation', 'queued', nextval('alert_places'), now(),"
            " donor_name, message, amount_minor, 8000 FROM donations"
        )
        async with site.pool.acquire() as connection:
            seen: list[Any] = [
                await read_donor_view(connection, public_id),
                await list_feed(connection, fiscal.id),
            ]
        for page in (answer.headers["Location"], f"{answer.headers['Location']}/state", "/donate/anna"):
            seen.append((await site.client.get(page)).text)
        for page in ("/dashboard", "/dashboard/part/feed", "/dashboard/part/stage", "/dashboard/terminals"):
            seen.append((await her.get(page)).text)
        seen += await site.rows("SELECT * FROM outbox") + await site.rows("SELECT * FROM alerts")
        seen.append(json.dumps([record.getMessage() for record in caplog.records]))
        assert len(await site.rows("SELECT FROM outbox")) == 1
        assert "anya.petrova" not in repr(seen)
        assert "mail.ru" not in "\n".join(record.getMessage() for record in caplog.records)
