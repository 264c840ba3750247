"""Money received elsewhere: written down, changed, deleted and brought back, shown; no money of ours."""

from typing import Any

import httpx

from domain import manual_donations
from domain.alerts import list_queue
from domain.streamers import Streamer
from tests.builders import check_books
from tests.support.site import Site
from tests.web.conftest import signed_in

NBSP = "\N{NO-BREAK SPACE}"
NEW = "/dashboard/donations/new"
FIELDS = {
    "key": "a-form-key-of-the-tests",
    "amount": "1 500,50",
    "name": "Дядя Ваня",
    "message": "На микрофон",
    "source": "перевод",
    "received_at": "2026-11-20T21:30",
}

GARBAGE = [
    ("amount", "", "Write an amount"),
    ("amount", "0", "at least one kopeck"),
    ("amount", "100000000", "At most"),
    ("amount", "\x00", "Write an amount"),
    ("received_at", "вчера", "Write day and time"),
    ("received_at", "0001-01-01T00:00", "Write day and time"),
    ("received_at", "9999-12-31T23:59", "still to come"),
    ("received_at", "2009-01-01T00:00", "Not earlier"),
    ("name", "я" * 61, "Longer than 60"),
    ("message", "я" * 1001, "Longer than 1000"),
    ("source", "я" * 70, "Longer than 60"),
]
"""A field, what comes in it, and what is said."""


def said(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return str(httpx.URL(answer.headers["Location"]).params.get("said", ""))


async def only(site: Site) -> dict[str, Any]:
    (row,) = await site.rows("SELECT * FROM manual_donations")
    return row


async def test_written_down_changed_deleted_and_brought_back(
    site: Site, streamer: Streamer, her: httpx.AsyncClient
) -> None:
    assert (await her.get(NEW)).status_code == 200
    assert said(await her.post(NEW, data=FIELDS)) == "manual-added"
    assert said(await her.post(NEW, data=FIELDS)) == "manual-known"
    row = await only(site)
    assert (row["amount_minor"], row["donor_name"], row["source"]) == (150_050, "Дядя Ваня", "перевод")
    assert (row["received_at"].isoformat(), row["created_by"]) == ("2026-11-20T18:30:00+00:00", streamer.owner_id)
    listed = (await her.get("/dashboard/donations")).text.replace(NBSP, " ")
    for words in ("1 500,50 ₽", "by hand", "Received through: перевод", "Beside them 1 by hand"):
        assert words.replace(",", ".") in listed or words in listed, words

    path = f"/dashboard/donations/manual/{row['public_id']}"
    page = (await her.get(path)).text
    assert 'value="2026-11-20T21:30"' in page
    assert said(await her.post(path, data={**FIELDS, "amount": "7", "name": ""})) == "manual-changed"
    row = await only(site)
    assert (row["amount_minor"], row["donor_name"]) == (700, None)

    assert said(await her.post(f"{path}/delete")) == "manual-deleted"
    assert said(await her.post(f"{path}/delete")) == "too-late"
    assert said(await her.post(path, data=FIELDS)) == "too-late"
    assert said(await her.post(f"{path}/replay")) == "too-late"
    assert "No donations yet" in (await her.get("/dashboard/donations")).text
    assert "Bring it back" in (await her.get(path)).text
    assert said(await her.post(f"{path}/restore")) == "manual-restored"
    assert said(await her.post(f"{path}/restore")) == "too-late"
    assert (await only(site))["amount_minor"] == 700
    async with site.pool.acquire() as connection, connection.transaction():
        await check_books(connection)
    assert await site.rows("SELECT * FROM ledger_transactions") == []
    assert await site.rows("SELECT net_minor FROM streamer_totals WHERE net_minor <> 0") == []


async def test_its_alert_is_no_test_and_nobodys_donation(
    site: Site, streamer: Streamer, her: httpx.AsyncClient
) -> None:
    assert said(await her.post(NEW, data={**FIELDS, "shows": "yes"})) == "manual-added-shown"
    async with site.pool.acquire() as connection:
        (alert,) = await list_queue(connection, streamer.id)
    assert (alert.kind, alert.donor_name, alert.amount_minor) == ("manual", "Дядя Ваня", 150_050)
    assert alert.donation_id is None
    path = f"/dashboard/donations/manual/{(await only(site))['public_id']}"
    assert said(await her.post(f"{path}/replay")) == "not-replayed-waits"
    assert "waits" in (await her.get(path)).text
    await her.post(f"{path}/delete")
    async with site.pool.acquire() as connection:
        assert await list_queue(connection, streamer.id) == []
    await her.post(f"{path}/restore")
    answer = await her.post(f"{path}/replay?state=manual", data={"from": "list"})
    assert said(answer) == "replayed"
    assert "state=manual" in answer.headers["Location"]


async def test_garbage_is_said_beside_its_field(site: Site, her: httpx.AsyncClient) -> None:
    for field, value, words in GARBAGE:
        answer = await her.post(NEW, data={**FIELDS, field: value})
        assert answer.status_code == 422, (field, value)
        assert words in answer.text.replace(NBSP, " "), (field, value)
        assert f'id="{field}-error"' in answer.text
        kept = "На микрофон" if field != "message" else "Дядя Ваня"
        assert kept in answer.text
    assert await site.rows("SELECT * FROM manual_donations") == []


async def test_texts_are_cleaned(site: Site, her: httpx.AsyncClient) -> None:
    await her.post(NEW, data={**FIELDS, "name": "\x00\u202e", "message": "<b>\x00раз</b>\r\n\r\nдва", "key": "short"})
    row = await only(site)
    assert (row["donor_name"], row["message"]) == (None, "<b>раз</b>\nдва")
    assert "&lt;b&gt;раз" in (await her.get("/dashboard/donations")).text


async def test_who_may(site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
    await her.post(NEW, data=FIELDS)
    path = f"/dashboard/donations/manual/{(await only(site))['public_id']}"
    origin = {"Origin": site.url}
    await site.add_streamer("boris", "Борис")
    async with signed_in(site, "boris@example.org") as stranger:
        for address in (path, f"{path}/delete", f"{path}/restore", f"{path}/replay"):
            assert (await site.client.post(address, headers=origin)).headers["Location"].startswith("/sign-in")
            for query in ({}, {"streamer": streamer.slug}):
                assert (await stranger.post(address, params=query, data=FIELDS)).status_code == 404, address
            wrong = address.replace(path[-10:], "x" * 10)
            assert (await her.post(wrong, data=FIELDS)).status_code == 404, wrong
        assert (await stranger.get(path)).status_code == 404
        assert (await stranger.post(NEW, params={"streamer": streamer.slug}, data=FIELDS)).status_code == 404
    assert (await site.client.get(NEW)).headers["Location"].startswith("/sign-in")
    async with site.pool.acquire() as connection:
        assert (await manual_donations.find(connection, streamer.id, path.rsplit("/", 1)[1])).deleted_at is None
