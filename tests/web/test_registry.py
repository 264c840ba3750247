"""Bringing the bank's registry: taken whole or refused with a line, read into the books, differences settled."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from domain.streamers import Streamer
from infra.settings import ROOT
from tests.support.site import Site
from tests.support.too_much import post_too_much
from tests.web.conftest import signed_in
from tests.web.money_cast import built, file_of, give, lines_of, payment_row, read_files
from tests.web.registry_file import bank_file, bank_line
from web.uploads import REGISTRY_BYTES

PATH = "/dashboard/money/registry"


async def bring(client: httpx.AsyncClient, raw: bytes, name: str = "registry.csv", path: str = PATH) -> httpx.Response:
    return await client.post(path, files={"file": (name, raw, "text/csv")})


async def test_a_file_is_read_into_the_books(site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
    payments = [await give(site, streamer), await give(site, streamer)]
    raw = await file_of(site, streamer, (payments[0], "Debit"), (payments[1], "Debit"), (payments[1], "Chargeback"))
    answer = await bring(her, raw)
    assert answer.status_code == 303
    page = (await her.get(answer.headers["Location"])).text
    assert "The file is taken." in page
    assert "being read …" in page
    assert 'http-equiv="refresh"' in page
    await read_files(site)
    page = (await her.get(PATH)).text
    assert "Everything agrees up to" in page
    assert "1 chargeback" in page
    assert "refresh" not in page
    fees = await site.rows("SELECT sum(amount_minor) AS fees FROM ledger_entries WHERE account = 'fees'")
    assert fees == [{"fees": 1_500}]
    # The same file once more.
    answer = await bring(her, raw, "the same under another name.csv")
    assert "nothing was booked twice" in (await her.get(answer.headers["Location"])).text
    assert len(await site.rows("SELECT id FROM registry_files")) == 1


async def test_a_malformed_file_leaves_nothing(site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
    payment = await give(site, streamer)
    good, bad = await lines_of(site, streamer, (payment, "Debit"), (payment, "Credit"))
    answer = await bring(her, bank_file(good, bad.replace(".2026", "/2026")))
    assert answer.status_code == 422
    assert "Line 2 of the file cannot be read" in answer.text
    for raw in (b"", b"\x00\x01\x02", b"\r\n", "Не реестр".encode(), b"a;b;c\r\n"):
        assert (await bring(her, raw)).status_code == 422, raw
    assert (await her.post(PATH, data={"nothing": "here"})).status_code == 422
    assert await site.rows("SELECT id FROM registry_files") == []
    assert await site.rows("SELECT id FROM registry_rows") == []


async def test_another_streamers_file(site: Site, her: httpx.AsyncClient) -> None:
    boris = await site.add_streamer("boris", "Борис")
    theirs = await give(site, boris)
    answer = await bring(her, await file_of(site, boris, (theirs, "Chargeback")))
    assert answer.status_code == 422
    assert "of the terminal boris-terminal, which is not yours" in answer.text
    assert await site.rows("SELECT id FROM registry_files") == []


async def test_who_may_bring_one(site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
    raw = await file_of(site, streamer, (await give(site, streamer), "Debit"))
    await site.add_streamer("boris", "Борис")
    async with signed_in(site, "boris@example.org") as stranger:
        assert (await bring(stranger, raw, path=f"{PATH}?streamer={streamer.slug}")).status_code == 404
    assert (await bring(site.client, raw)).headers["Location"].startswith("/sign-in")
    foreign = await her.post(PATH, files={"file": ("r.csv", raw)}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert await site.rows("SELECT id FROM registry_files") == []
    await site.pool.execute("UPDATE users SET is_superuser = true WHERE email = 'boris@example.org'")
    async with signed_in(site, "boris@example.org") as operator:
        answer = await bring(operator, raw, path=f"{PATH}?streamer={streamer.slug}")
        assert answer.headers["Location"] == f"{PATH}?said=registry-taken&streamer={streamer.slug}"


async def test_only_this_address_takes_large_files(her: httpx.AsyncClient) -> None:
    large = b";" * (200 * 1024)
    # Large, and read: it is no registry.
    assert (await bring(her, large)).status_code == 422
    answer = await bring(her, b";" * (REGISTRY_BYTES + 1))
    assert (answer.status_code, "larger than 5 MB" in answer.text) == (422, True)
    status, page = await post_too_much(her, PATH, REGISTRY_BYTES + 20_000)
    assert (status, "larger than 5 MB" in page) == (422, True)
    settle = await her.post(f"{PATH}/settle", files={"file": ("r.csv", large)})
    assert settle.status_code == 413


async def test_a_large_file_of_a_busy_month(site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
    payment = await give(site, streamer)
    row, key = await payment_row(site, payment), (await built(site, streamer)).terminal_key
    lines = [bank_line(1, key, row)]
    lines += [bank_line(number, key, row, payment=str(number), order=f"other-{number}") for number in range(2, 12_000)]
    raw = bank_file(*lines)
    assert 2_000_000 < len(raw) < REGISTRY_BYTES
    assert (await bring(her, raw)).status_code == 303
    await read_files(site)
    page = (await her.get(PATH)).text
    assert page.count('name="difference"') == 200
    assert "there are more" in page
    assert await site.rows("SELECT rows, new_rows, read_at IS NOT NULL AS is_read FROM registry_files") == [
        {"rows": 11_999, "new_rows": 11_999, "is_read": True}
    ]


async def test_a_difference_is_settled_with_a_note(site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
    payment = await give(site, streamer, donor_name="<b>Аня</b>")
    row, key = await payment_row(site, payment), (await built(site, streamer)).terminal_key
    await bring(her, bank_file(bank_line(1, key, row, amount="299.00")))
    await read_files(site)
    page = (await her.get(PATH)).text
    assert "The amount differs" in page
    assert "<b>Аня" not in page
    [difference] = set(re.findall(r'name="difference" value="([^"]+)"', page))

    answer = await her.post(f"{PATH}/settle", data={"difference": difference, "note": " "})
    assert "Write a few words" in (await her.get(answer.headers["Location"])).text
    await her.post(f"{PATH}/settle", data={"difference": difference, "note": "ошибка банка"})
    assert "The amount differs" not in (await her.get(PATH)).text
    settled = (await her.get(f"{PATH}?settled=yes")).text
    assert "ошибка банка" in settled
    assert "anna@example.org" in settled
    await her.post(f"{PATH}/settle", data={"difference": difference, "undo": "yes"})
    assert "The amount differs" in (await her.get(PATH)).text


async def test_a_terminal_that_serves_another_shop_too(site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
    payment = await give(site, streamer)
    row, key = await payment_row(site, payment), (await built(site, streamer)).terminal_key
    others = [bank_line(n, key, row, payment=str(n), order="shoes") for n in range(2, 6)]
    await bring(her, bank_file(bank_line(1, key, row, amount="299.00"), *others))
    await read_files(site)
    assert (await her.get(PATH)).text.count("that we do not know</strong>") == 4
    await her.post(f"{PATH}/settle-unknown")
    page = (await her.get(PATH)).text
    assert "that we do not know</strong>" not in page
    assert "The amount differs" in page


async def test_a_file_is_read_again_when_she_wants(site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
    await bring(her, await file_of(site, streamer, (await give(site, streamer), "Debit")))
    await read_files(site)
    [file] = await site.rows("SELECT id FROM registry_files")
    await site.pool.execute("DELETE FROM outbox")
    assert (await her.post(f"{PATH}/read", data={"file": str(file["id"])})).status_code == 303
    assert await site.rows("SELECT name, data FROM outbox") == [
        {"name": "read_registry", "data": {"argument": file["id"]}}
    ]
    await site.add_streamer("boris", "Борис")
    async with signed_in(site, "boris@example.org") as stranger:
        assert (await stranger.post(f"{PATH}/read", data={"file": str(file["id"])})).status_code == 404
    assert (await her.post(f"{PATH}/read", data={"file": "x"})).status_code == 422


async def test_a_streamer_without_a_registry(site: Site) -> None:
    await site.add_streamer("noname", "Без терминала", terminal=False)
    async with signed_in(site, "noname@example.org") as client:
        assert "None of your terminals" in (await client.get(PATH)).text
        assert (await bring(client, b"x")).status_code == 422


@pytest.mark.parametrize("case", ["good", "again", "malformed", "nobody", "absent"])
async def test_from_the_command_line(site: Site, streamer: Streamer, tmp_path: Path, case: str) -> None:
    raw = await file_of(site, streamer, (await give(site, streamer), "Debit"))
    path = tmp_path / "registry.csv"
    if case != "absent":
        path.write_bytes(raw if case != "malformed" else raw.replace(b"MSK", b"CET"))
    environment = {
        "PATH": "/usr/bin:/bin",
        "ENVIRONMENT": "development",
        "DATABASE_URL": site.settings.database_url,
        "REDIS_URL": "redis://127.0.0.1:1",
        "SECRET_KEYS": site.settings.secret_keys.get_secret_value(),
        "WEB_URL": site.url,
        "REALTIME_URL": site.url,
    }

    def run() -> "subprocess.CompletedProcess[str]":
        slug = "nobody" if case == "nobody" else streamer.slug
        command = [sys.executable, "-m", "web.manage", "import-registry", "--slug", slug, str(path)]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)

    done = run()
    if case in ("good", "again"):
        assert (done.returncode, done.stderr) == (0, "")
        assert "Stored 1 lines" in done.stdout
        if case == "again":
            assert "stored before" in run().stdout
        assert len(await site.rows("SELECT id FROM registry_files")) == 1
        return
    assert done.returncode == 1
    words = {"malformed": "Line 1: ", "nobody": "no streamer nobody", "absent": "cannot be read"}
    assert words[case] in done.stderr
    assert await site.rows("SELECT id FROM registry_files") == []
