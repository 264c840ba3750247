"""Files of donations: asked for, watched, fetched, and by whom. How they are made: tests/tasks/test_exports.py."""

import re
from urllib.parse import unquote

import httpx

from domain.streamers import Streamer
from domain.users import create_user
from tasks.exports import export_donations
from tasks.runtime import close_parts, open_parts
from tests.support.site import Site
from tests.web.conftest import PASSWORD, signed_in
from tests.web.money import add_paid

EXPORTS = "/dashboard/donations/exports"
HTMX = {"HX-Request": "true"}


async def make_all(site: Site) -> None:
    """As the worker does."""
    parts = await open_parts(site.settings, pool_size=2)
    for row in await site.rows("SELECT id FROM exports"):
        await export_donations(parts, row["id"])
    await close_parts(parts)


def said(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return str(httpx.URL(answer.headers["Location"]).params.get("said", ""))


async def test_from_asking_to_the_file(site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
    await add_paid(site, streamer, message="слон")
    await add_paid(site, streamer, message="кит")
    assert "No files yet" in (await her.get(EXPORTS)).text
    assert said(await her.post(EXPORTS, params={"q": "слон"}, data={"format": "csv"})) == "export-asked"
    assert said(await her.post(EXPORTS, data={"format": "xlsx"})) == "export-under-way"
    page = (await her.get(EXPORTS)).text
    assert "waits for its turn" in page
    assert "“слон”" in page
    (path,) = set(re.findall(rf'hx-get="({EXPORTS}/[^"]+)"', page))
    assert (await her.get(f"{path}/file")).status_code == 404, "it is not made yet"
    assert (await her.get(path)).headers["Location"] == EXPORTS
    await make_all(site)
    part = (await her.get(path, headers=HTMX)).text
    assert part.lstrip().startswith("<li")
    assert "1 row, 1 KB" in part
    assert "hx-trigger" not in part

    file = await her.get(f"{path}/file")
    assert (file.status_code, file.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    disposition = file.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="donations-anna-')
    assert "filename*=UTF-8''Donations%20anna%20" in disposition
    assert file.headers["Content-Length"] == str(len(file.content))
    assert "слон" in file.text
    assert "кит" not in file.text
    russian = await her.get(f"{path}/file", headers={"Accept-Language": "ru"})
    assert "Донаты anna" in unquote(russian.headers["Content-Disposition"])


async def test_cancel(site: Site, her: httpx.AsyncClient) -> None:
    assert said(await her.post(EXPORTS, data={"format": "xlsx"})) == "export-asked"
    path = f"{EXPORTS}/{(await site.rows('SELECT public_id FROM exports'))[0]['public_id']}"
    assert said(await her.post(f"{path}/cancel")) == "export-cancelled"
    assert said(await her.post(f"{path}/cancel")) == "too-late"
    await make_all(site)
    assert (await her.get(f"{path}/file")).status_code == 404
    assert said(await her.post(EXPORTS, data={"format": "csv"})) == "export-asked"


async def test_a_wrong_filter_makes_no_file_of_everything(site: Site, her: httpx.AsyncClient) -> None:
    answer = await her.post(EXPORTS, params={"min": "много", "q": "слон"}, data={"format": "csv"})
    location = httpx.URL(answer.headers["Location"])
    assert (location.path, dict(location.params)) == ("/dashboard/donations", {"min": "много", "q": "слон"})
    for wrong in ("", "pdf", "\x00"):
        assert (await her.post(EXPORTS, data={"format": wrong})).status_code == 422
    assert await site.rows("SELECT id FROM exports") == []


async def test_who_may(site: Site, streamer: Streamer, her: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    await her.post(EXPORTS, data={"format": "csv"})
    await make_all(site)
    path = f"{EXPORTS}/{(await site.rows('SELECT public_id FROM exports'))[0]['public_id']}"
    about = {"streamer": streamer.slug}
    origin = {"Origin": site.url}
    for address in (EXPORTS, path, f"{path}/file"):
        assert (await site.client.get(address)).headers["Location"].startswith("/sign-in"), address
        assert (await stranger.get(address, params=about)).status_code == 404, address
    assert (await stranger.get(path, headers=HTMX)).status_code == 404
    assert (await stranger.get(f"{path}/file")).status_code == 404
    assert (await stranger.post(f"{path}/cancel")).status_code == 404
    assert (await stranger.post(EXPORTS, params=about, data={"format": "csv"})).status_code == 404
    assert (await site.client.post(EXPORTS, headers=origin)).headers["Location"].startswith("/sign-in")
    assert (await site.client.post(f"{path}/cancel", headers=origin)).headers["Location"].startswith("/sign-in")
    for wrong in ("x" * 22, "a", "%00" * 22, path.rsplit("/", 1)[1] + "x"):
        assert (await her.get(f"{EXPORTS}/{wrong}/file")).status_code == 404, wrong
        assert (await her.post(f"{EXPORTS}/{wrong}/cancel")).status_code == 404, wrong
    async with site.pool.acquire() as connection:
        await create_user(connection, "root@example.org", PASSWORD, is_superuser=True)
    async with signed_in(site, "root@example.org") as boss:
        assert (await boss.get(f"{path}/file", params=about)).status_code == 200
        assert (await boss.get(EXPORTS, params=about)).status_code == 200
        assert said(await boss.post(EXPORTS, params=about, data={"format": "xlsx"})) == "export-asked"
