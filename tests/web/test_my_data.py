"""The button for the file with one's own data, a donor's request, and the list of what is kept how long."""

import io
from zipfile import ZipFile

import httpx

from domain.streamers import Streamer
from infra.settings import KeepDays
from tasks.archives import pack_archive
from tasks.erasure import erase_account
from tasks.runtime import close_parts, open_parts
from tests.support.site import Site
from tests.web.conftest import PASSWORD, signed_in
from tests.web.money import add_paid

DATA = "/account/data"
HTMX = {"HX-Request": "true"}


async def pack_all(site: Site) -> None:
    """As the worker does."""
    parts = await open_parts(site.settings, pool_size=2)
    for row in await site.rows("SELECT id FROM exports WHERE format = 'zip'"):
        await pack_archive(parts, row["id"])
    await close_parts(parts)


def said(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return str(httpx.URL(answer.headers["Location"]).params.get("said", ""))


async def test_from_the_password_to_the_file(
    site: Site, streamer: Streamer, her: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    await add_paid(site, streamer, message="слон")
    page = (await her.get("/account")).text
    assert "Download my data" in page
    assert "You agreed to" not in page, "the operator made this account"
    await site.pool.execute("UPDATE users SET consent_version = '2026-11-28', consented_at = '2026-03-05 12:00+03'")
    assert (
        "You agreed to your data being processed on 5 March, 12:00, version 2026-11-28."
        in (await her.get("/account")).text
    )
    for wrong in ("", "not hers"):
        answer = await her.post(DATA, data={"data_password": wrong})
        assert answer.status_code == 422
        assert 'id="data_password-error"' in answer.text
    assert await site.rows("SELECT id FROM exports") == []
    assert said(await her.get(f"{DATA}/file")) == "archive-gone"
    assert said(await her.post(DATA, data={"data_password": PASSWORD})) == "archive-asked"
    assert said(await her.post(DATA, data={"data_password": PASSWORD})) == "archive-under-way"
    page = (await her.get("/account")).text
    assert f'hx-get="{DATA}"' in page
    assert "Download my data" not in page
    assert said(await her.get(f"{DATA}/file")) == "archive-gone"
    assert (await her.get(DATA)).headers["Location"] == "/account#data"
    await pack_all(site)
    part = (await her.get(DATA, headers=HTMX)).text
    assert "hx-trigger" not in part
    assert f'href="{DATA}/file"' in part

    file = await her.get(f"{DATA}/file")
    assert (file.status_code, file.headers["Content-Type"]) == (200, "application/zip")
    assert file.headers["Cache-Control"] == "private, no-store"
    assert file.headers["Content-Disposition"].startswith('attachment; filename="my-data-')
    archive = ZipFile(io.BytesIO(file.content))
    assert "слон" in archive.read("donations.json").decode()

    # Another has only his own; and his deleting is not hers.
    assert said(await stranger.get(f"{DATA}/file")) == "archive-gone"
    assert said(await stranger.post(f"{DATA}/delete")) == "nothing-to-do"
    assert (await site.client.get(f"{DATA}/file")).headers["Location"].startswith("/sign-in")
    # It is nobody's donations: the list of files does not show it.
    assert "No files yet" in (await her.get("/dashboard/donations/exports")).text

    assert said(await her.post(f"{DATA}/delete")) == "archive-deleted"
    assert said(await her.get(f"{DATA}/file")) == "archive-gone"
    assert await site.rows("SELECT export_id FROM export_chunks") == []


async def test_a_zip_of_donations_is_nothing_one_can_ask_for(her: httpx.AsyncClient) -> None:
    assert (await her.post("/dashboard/donations/exports", data={"format": "zip"})).status_code == 422


class TestDonorsRequest:
    async def test_found_by_its_address_and_emptied(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        donation, _ = await add_paid(site, streamer, donor_name="Петя Секретов", message="слон")
        await add_paid(site, streamer, donor_name="Петя Секретов", message="кит")
        status_page = f"{site.url}/d/{donation.public_id}"
        path = f"/dashboard/donations/{donation.public_id}"
        found = await her.get("/dashboard/donations", params={"q": status_page})
        assert f'href="{path}">This is the address of a donation' in found.text
        page = (await her.get(path)).text
        assert "Also from 1 more donation under the same name" in page
        assert said(await her.post(f"{path}/erase")) == "erase-unsure"
        assert "Петя Секретов" in (await her.get(path)).text
        assert said(await her.post(f"{path}/erase", data={"sure": "yes"})) == "erased"
        page = (await her.get(path)).text
        assert "Петя Секретов" not in page
        assert "слон" not in page
        assert "removed" in page
        assert "Name and message removed at the donor&#39;s request" in page
        assert f"300{chr(160)}₽" in page
        assert "2026-11-22" in page, "the consent stays, for a dispute"
        public = (await site.client.get(f"/d/{donation.public_id}", headers={"Accept-Language": "en"})).text
        assert "Петя Секретов" not in public
        assert "кит" in (await her.get("/dashboard/donations")).text

    async def test_who_may(self, site: Site, streamer: Streamer, stranger: httpx.AsyncClient) -> None:
        donation, _ = await add_paid(site, streamer, donor_name="Петя", message="слон")
        path = f"/dashboard/donations/{donation.public_id}/erase"
        sure = {"sure": "yes"}
        assert (await stranger.post(path, data=sure)).status_code == 404
        assert (await stranger.post(path, params={"streamer": "anna"}, data=sure)).status_code == 404
        assert (await site.client.post(path, data=sure, headers={"Origin": site.url})).status_code == 303
        assert await site.rows("SELECT id FROM donations WHERE donor_name IS NULL") == []

    async def test_the_operator_finds_it_and_may(self, site: Site, streamer: Streamer, boss: httpx.AsyncClient) -> None:
        donation, _ = await add_paid(site, streamer, donor_name="Петя", message="слон")
        found = await boss.get("/admin/payments", params={"q": f"{site.url}/d/{donation.public_id}"})
        assert f"/dashboard/donations/{donation.public_id}?streamer=anna" in found.text
        path = f"/dashboard/donations/{donation.public_id}/erase"
        assert said(await boss.post(path, params={"streamer": "anna"}, data={"sure": "yes"})) == "erased"
        assert len(await site.rows("SELECT id FROM donations WHERE donor_name IS NULL")) == 1

    async def test_the_donor_is_told_whom_to_write_to(
        self, site: Site, streamer: Streamer, her: httpx.AsyncClient
    ) -> None:
        donation, _ = await add_paid(site, streamer)
        english = {"Accept-Language": "en"}
        assert "write to the streamer" in (await site.client.get(f"/d/{donation.public_id}", headers=english)).text
        papers = {
            "kind": "npd", "full_name": "Анна Иванова", "inn": "500100732259", "email": "ask@example.org",
            "purpose": "На стримы", "refund_rule": "request", "refund_days": "10",
        }  # fmt: skip
        assert said(await her.post("/dashboard/requisites", data=papers)) == "requisites-saved"
        assert "write to ask@example.org" in (await site.client.get(f"/d/{donation.public_id}", headers=english)).text


async def test_what_is_kept_is_told_to_everybody(site: Site) -> None:
    page = (await site.client.get("/kept", headers={"Accept-Language": "en"})).text
    for words in ("Letters of the site", "30 days", "3 years", "400 days", "Payments, refunds and the books"):
        assert words in page
    assert "Сообщения банка о платежах" in (await site.client.get("/kept", headers={"Accept-Language": "ru"})).text


def test_the_banks_messages_are_kept_for_more_than_a_year() -> None:
    for wrong in ({"notifications": 30}, {"letters": 0}, {"payments": 30}):
        try:
            KeepDays(**wrong)
        except ValueError:
            continue
        raise AssertionError(wrong)


async def test_a_deleted_accounts_file_goes_with_it(site: Site, streamer: Streamer) -> None:
    async with signed_in(site, f"{streamer.slug}@example.org") as her:
        await her.post(DATA, data={"data_password": PASSWORD})
        await pack_all(site)
        await her.post("/account/delete", data={"delete_password": PASSWORD})
    await site.pool.execute("UPDATE users SET delete_at = now()")
    parts = await open_parts(site.settings, pool_size=2)
    await erase_account(parts, streamer.owner_id)
    await close_parts(parts)
    assert await site.rows("SELECT id FROM exports") == []
