"""A streamer's pictures and sounds on her desk: uploaded, seen and heard, deleted unless a level uses them."""

import re
from dataclasses import replace

import httpx
import pytest
from playwright.async_api import Browser, expect

from domain import alert_settings, media_files
from domain.media_files import Found, Kind
from domain.streamers import Streamer
from tests.infra.test_media_check import SCRIPT, SOUNDS
from tests.support.chromium import take_picture
from tests.support.hostile import HOSTILE
from tests.support.pictures import animation
from tests.support.site import Site
from tests.support.too_much import post_too_much
from tests.web.conftest import desk_of
from tests.web.test_exports import said
from web import media_uploads

FILES = "/dashboard/alerts/files"
GIF = animation("GIF")


@pytest.fixture
def site(kept_site: Site) -> Site:
    return kept_site


async def upload(client: httpx.AsyncClient, content: bytes, name: str = "кот.gif") -> httpx.Response:
    return await client.post(FILES, files={"file": (name, content)})


async def use(site: Site, streamer: Streamer, url: str, level: str = "Золото") -> None:
    """In one level, as its picture."""
    async with site.pool.acquire() as connection, connection.transaction():
        settings = await alert_settings.get_settings(connection, streamer.id)
        tier = replace(settings.tiers[0], name=level, gif_urls=(url,))
        await alert_settings.update_tier(connection, streamer.id, tier, {url})


async def url_of(site: Site) -> str:
    [row] = await site.rows("SELECT public_id, content_type FROM media_files")
    return media_files.url_of(row["public_id"], row["content_type"])


async def test_more_than_the_address_takes(site: Site, her: httpx.AsyncClient) -> None:
    status, page = await post_too_much(her, FILES, 21 * 1024 * 1024)
    assert (status, "larger than 20 MB" in page) == (422, True)
    assert await site.rows("SELECT id FROM media_files") == []


@pytest.mark.usefixtures("worker")
async def test_from_the_first_file_to_the_last(site: Site, her: httpx.AsyncClient) -> None:
    assert "No files yet" in (await her.get(FILES)).text
    assert said(await upload(her, GIF)) == "file-added"
    assert said(await upload(her, SOUNDS["audio/mpeg"], "привет.mp3")) == "file-added"
    page = (await her.get(FILES)).text
    assert "кот.gif" in page
    assert "GIF · 60 × 60 · 1 KB" in page
    assert "привет.mp3" in page
    assert "MP3 · 1.5 s" in page
    for url in re.findall(r'src="(/static/uploads/[^"]+)"', page):
        assert (await site.client.get(url)).status_code == 200
    assert "media-src 'self'" in (await her.get(FILES)).headers["Content-Security-Policy"]
    for url in re.findall(r'name="url" value="([^"]+)"', page):
        assert said(await her.post(f"{FILES}/delete", data={"url": url})) == "file-deleted"
        assert (await site.client.get(url)).status_code == 404
        assert (await her.post(f"{FILES}/delete", data={"url": url})).status_code == 404
    assert "No files yet" in (await her.get(FILES)).text


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no picture and no sound"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture and no sound"),
        (SCRIPT, "no picture and no sound"),
        (b"GIF89a" + SCRIPT, "The file is damaged"),
        (b"ID3" + SCRIPT * 40, "The file is damaged"),
        (SOUNDS["audio/wav"] + b"\0" * (10 * 1024 * 1024), "larger than 10 MB"),
    ],
    ids=["nothing", "svg", "html", "gif", "mp3", "heavy"],
)
async def test_what_is_not_taken(site: Site, her: httpx.AsyncClient, content: bytes, words: str) -> None:
    answer = await upload(her, content)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'id="file-error"' in answer.text
    assert await site.rows("SELECT 1 FROM media_files WHERE content IS NOT NULL") == []
    assert 'name="url"' not in (await her.get(FILES)).text, "who was told need not find it in the list"


async def test_no_file_was_chosen(her: httpx.AsyncClient) -> None:
    answer = await her.post(FILES, files={"file": ("", b"")})
    assert answer.status_code == 422
    assert "Choose a file first." in answer.text


@pytest.mark.usefixtures("worker")
async def test_a_level_that_uses_it_is_named(site: Site, streamer: Streamer, her: httpx.AsyncClient) -> None:
    await upload(her, GIF)
    url = await url_of(site)
    await use(site, streamer, url, "Золото <b>")
    page = (await her.get(FILES)).text
    assert "Used in “Золото &lt;b&gt;”." in page
    assert 'name="url"' not in page, "no button that would only be refused"
    answer = await her.post(f"{FILES}/delete", data={"url": url})
    assert answer.status_code == 409
    assert 'role="alert">Used in “Золото &lt;b&gt;”. Take it out there first' in answer.text
    assert (await site.client.get(url)).status_code == 200


async def test_while_it_is_checked(site: Site, her: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_uploads, "WAIT_SECONDS", 0.1)
    assert said(await upload(her, GIF)) == "file-waits"
    page = (await her.get(FILES)).text
    assert "being checked" in page
    assert '<meta http-equiv="refresh" content="5;url=?">' in page
    assert 'src="/static/uploads/' not in page
    # The worker says no after nobody waits any more.
    await site.pool.execute("UPDATE media_files SET state = 'refused', refusal = 'too_long', content = NULL")
    page = (await her.get(FILES)).text
    assert "longer than 10 minutes" in page
    assert 'http-equiv="refresh"' not in page
    [url] = re.findall(r'name="url" value="([^"]+)"', page)
    assert said(await her.post(f"{FILES}/delete", data={"url": url})) == "file-deleted"


@pytest.mark.usefixtures("worker")
async def test_anothers_files(site: Site, her: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    await upload(her, GIF)
    url = await url_of(site)
    assert url not in (await stranger.get(FILES)).text
    assert (await stranger.post(f"{FILES}/delete", data={"url": url})).status_code == 404
    for garbage in ("", "\0", "https://evil.example/a.gif", url + "x"):
        assert (await her.post(f"{FILES}/delete", data={"url": garbage})).status_code == 404
    answer = await her.post(FILES, files={"file": ("a.gif", GIF)}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


@pytest.mark.usefixtures("worker")
async def test_in_a_browser(browser: Browser, site: Site, streamer: Streamer) -> None:
    """Chosen with the keyboard's form, seen, and heard from its middle on."""
    async with desk_of(browser, site, streamer, width=360, height=760) as page:
        await page.goto(f"{site.url}{FILES}")
        for name, content, kind in (
            ("кот.gif", GIF, "image/gif"),
            ("привет.mp3", SOUNDS["audio/mpeg"], "audio/mpeg"),
        ):
            await page.locator("#file").set_input_files({"name": name, "mimeType": kind, "buffer": content})
            await page.get_by_role("button", name="Загрузить").click()
            await expect(page.get_by_text("Загружено.")).to_be_visible()
        width = await page.locator(".file-picture img").evaluate(
            "async (image) => (await image.decode(), image.naturalWidth)"
        )
        assert width == 60
        seconds = await page.locator("audio").evaluate(
            """(audio) => new Promise((done, failed) => {
              audio.onerror = () => failed(audio.error.message);
              audio.onseeked = () => done([audio.duration, audio.currentTime]);
              audio.onloadedmetadata = () => { audio.currentTime = 1; };
              audio.load();
            })"""
        )
        assert seconds[0] == pytest.approx(1.5, abs=0.1)
        assert seconds[1] == pytest.approx(1.0, abs=0.1)
        await page.get_by_text("Удалить", exact=True).first.click()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        assert len(await take_picture(page, full_page=True)) > 10_000
        await page.get_by_role("button", name="Удалить навсегда").first.click()
        await expect(page.get_by_text("Удалено.")).to_be_visible()
        # What a file is called is text, wherever it stands.
        async with site.pool.acquire() as connection, connection.transaction():
            for number, name in enumerate(HOSTILE):
                file = await media_files.add_file(connection, streamer.id, Kind.IMAGE, name, GIF + bytes([number]))
                assert await media_files.finish(connection, file.id, Found(GIF, width=60, height=60, frames=2))
        await page.reload()
        await expect(page.locator(".file")).to_have_count(1 + len(HOSTILE))
        assert await page.evaluate("window.struck") is None
