"""Files of API v1: uploaded, waited for, served safely, heard in part, deleted; and those that are refused."""

import asyncio
from typing import Any

import httpx
import pytest

from domain import erasure
from domain.streamers import Streamer
from infra.media_check import check as look
from tests.api.test_alerts import TIER, check
from tests.infra.test_media_check import SCRIPT, SOUNDS
from tests.infra.test_pictures import bomb
from tests.support.media_worker import media_worker
from tests.support.pictures import animation, opened, picture
from tests.support.site import Site
from tests.support.sounds import wav
from web import media_uploads
from web.limits import Limit

pytestmark = pytest.mark.usefixtures("kept_site")

GIF = animation("GIF")


async def upload(
    client: httpx.AsyncClient,
    content: bytes,
    kind: str = "image",
    *,
    name: str = "кот.gif",
    declared: str = "image/gif",
) -> httpx.Response:
    answer = await client.post(f"/alerts/upload/{kind}", files={"file": (name, content, declared)})
    if answer.status_code != 202:
        check(f"/alerts/upload/{kind}", "post", answer)
    return answer


async def uploaded(client: httpx.AsyncClient, content: bytes, kind: str = "image") -> str:
    answer = await upload(client, content, kind)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["file_url"])


@pytest.mark.usefixtures("worker")
class TestUploads:
    async def test_a_picture(self, site: Site, hers: httpx.AsyncClient) -> None:
        answer = (await upload(hers, GIF)).json()
        assert answer == {
            "success": True, "file_url": answer["file_url"], "filename": "кот.gif", "size": len(GIF),
            "type": "image/gif", "state": "ready",
        }  # fmt: skip
        assert answer["file_url"].startswith("/static/uploads/")
        served = await site.client.get(answer["file_url"])
        assert (served.status_code, served.content) == (200, GIF)

    async def test_the_same_bytes_are_kept_once(
        self, site: Site, hers: httpx.AsyncClient, strangers: httpx.AsyncClient
    ) -> None:
        first, second = await asyncio.gather(uploaded(hers, GIF), uploaded(hers, GIF))
        assert first == second
        assert await uploaded(strangers, GIF) != first
        assert len(await site.rows("SELECT 1 FROM media_files")) == 2

    @pytest.mark.parametrize("content_type", SOUNDS)
    async def test_a_sound(self, site: Site, hers: httpx.AsyncClient, content_type: str) -> None:
        url = await uploaded(hers, SOUNDS[content_type], "audio")
        served = await site.client.get(url)
        assert served.headers["Content-Type"] == content_type
        assert look(content_type, served.content).seconds == pytest.approx(1.5, abs=0.06)
        assert b"secret" not in served.content

    async def test_the_content_decides_and_not_what_is_declared(self, site: Site, hers: httpx.AsyncClient) -> None:
        answer = await upload(hers, picture("PNG"), name="cat.exe", declared="text/html")
        assert answer.json()["type"] == "image/png"
        served = await site.client.get(answer.json()["file_url"])
        assert served.headers["Content-Type"] == "image/png"

    @pytest.mark.parametrize(
        ("kind", "content", "words"),
        [
            ("image", b"", "empty"),
            ("image", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "no GIF, PNG, JPEG or WebP"),
            ("image", b"<!doctype html>" + SCRIPT, "no GIF, PNG, JPEG or WebP"),
            ("image", b"\0" * 100, "no GIF, PNG, JPEG or WebP"),
            ("image", wav(0.5), "no GIF, PNG, JPEG or WebP"),
            ("image", b"GIF89a" + SCRIPT, "damaged"),
            ("image", picture("JPEG", (400, 400))[:600], "damaged"),
            ("image", bomb(), "too large"),
            ("image", GIF + b"\0" * (20 * 1024 * 1024 + 1 - len(GIF)), "larger than 20 MB"),
            ("audio", GIF, "no MP3, WAV or Ogg"),
            ("audio", b"#EXTM3U\nfile:///etc/passwd", "no MP3, WAV or Ogg"),
            ("audio", b"ID3" + SCRIPT * 50, "damaged"),
            ("audio", wav(0.5) + b"\0" * (10 * 1024 * 1024), "larger than 10 MB"),
        ],
        ids=lambda value: str(value)[:24],
    )
    async def test_what_is_refused(
        self, site: Site, hers: httpx.AsyncClient, kind: str, content: bytes, words: str
    ) -> None:
        answer = await upload(hers, content, kind)
        assert answer.status_code == 400, answer.text
        assert words in answer.json()["detail"]
        assert await site.rows("SELECT 1 FROM media_files WHERE state <> 'refused' OR content IS NOT NULL") == []

    @pytest.mark.parametrize(("path", "limit"), [("upload/audio", 11), ("upload/audio/", 11), ("upload/image", 21)])
    async def test_a_body_beyond_all_limits(self, site: Site, hers: httpx.AsyncClient, path: str, limit: int) -> None:
        """It is refused by what its head says; nobody waits for it."""
        url = httpx.URL(site.url)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        head = (
            f"POST /api/v1/alerts/{path} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\n"
            f"Authorization: {hers.headers['Authorization']}\r\nContent-Length: {limit * 1024 * 1024}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        )
        writer.write(head.encode())
        status = await reader.readline()
        writer.close()
        assert b" 413 " in status

    async def test_all_who_bring_a_bad_file_at_once_are_told_why(self, hers: httpx.AsyncClient) -> None:
        for number in range(6):
            bad = GIF[: -40 - number]
            answers = await asyncio.gather(*(upload(hers, bad) for _ in range(8)))
            assert {answer.status_code for answer in answers} == {400}, [answer.text for answer in answers]
            assert len({answer.json()["detail"] for answer in answers}) == 1
            # Who comes later is told anew.
            assert (await upload(hers, bad)).json() == answers[0].json()

    async def test_no_file_or_two(self, hers: httpx.AsyncClient) -> None:
        for files in ([("other", ("a.gif", GIF))], [("file", ("a.gif", GIF)), ("file", ("b.gif", GIF))]):
            answer = await hers.post("/alerts/upload/image", files=files)
            assert answer.status_code == 422, answer.text
            assert check("/alerts/upload/image", "post", answer)["detail"][0]["loc"][:2] == ["body", "file"]
        assert (await hers.post("/alerts/upload/image", json={"file": "x"})).status_code == 422

    async def test_where_it_was_taken_is_not_served(self, site: Site, hers: httpx.AsyncClient) -> None:
        raw = picture("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0" + b"GPS secret", comment=b"GPS secret")
        assert b"GPS secret" in raw
        served = await site.client.get(await uploaded(hers, raw))
        assert b"GPS" not in served.content
        assert opened(served.content).format == "JPEG"


class TestWaiting:
    async def test_a_busy_worker_is_not_waited_for_for_ever(
        self, site: Site, hers: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(media_uploads, "WAIT_SECONDS", 0.2)
        answer = await upload(hers, GIF)
        assert answer.status_code == 202, answer.text
        url = answer.json()["file_url"]
        assert answer.json()["state"] == "waiting"
        assert (await site.client.get(url)).status_code == 404
        assert (await hers.post("/alerts/tier/glow/gif", params={"gif_url": url})).status_code == 422
        async with media_worker(site):
            while (await site.client.get(url)).status_code == 404:
                await asyncio.sleep(0.05)
        assert (await hers.post("/alerts/tier/glow/gif", params={"gif_url": url})).status_code == 200

    async def test_so_many_uploads_and_no_more(self, hers: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(media_uploads, "UPLOADS", Limit("upload", 2, 60))
        assert [(await upload(hers, b"no picture")).status_code for _ in range(2)] == [400, 400]
        answer = await hers.post("/alerts/upload/image", files={"file": ("a.gif", GIF)})
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.usefixtures("worker")
class TestServing:
    async def test_headers(self, site: Site, hers: httpx.AsyncClient) -> None:
        served = await site.client.get(await uploaded(hers, GIF))
        headers = {
            "Content-Type": "image/gif",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "public, max-age=31536000, immutable",
            "Accept-Ranges": "bytes",
        }
        assert {name: served.headers[name] for name in headers} == headers
        again = await site.client.get(served.url.path, headers={"If-None-Match": served.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")

    @pytest.mark.parametrize(
        ("asked", "first", "end"),
        [
            ("bytes=0-", 0, None),
            ("bytes=100-199", 100, 200),
            ("bytes=-10", -10, None),
            ("bytes=100-99999999", 100, None),
        ],
    )
    async def test_a_part(self, site: Site, hers: httpx.AsyncClient, asked: str, first: int, end: int | None) -> None:
        url = await uploaded(hers, SOUNDS["audio/wav"], "audio")
        whole = await site.client.get(url)
        part = await site.client.get(url, headers={"Range": asked})
        assert part.status_code == 206
        assert part.content == whole.content[first:end]
        start, _, size = part.headers["Content-Range"].removeprefix("bytes ").partition("-")
        assert int(size.rpartition("/")[2]) == len(whole.content)
        assert whole.content[int(start) :].startswith(part.content)
        assert part.headers["Content-Length"] == str(len(part.content))

    async def test_parts_that_cannot_be(self, site: Site, hers: httpx.AsyncClient) -> None:
        url = await uploaded(hers, SOUNDS["audio/wav"], "audio")
        whole = await site.client.get(url)
        beyond = await site.client.get(url, headers={"Range": "bytes=99999999-"})
        assert beyond.status_code == 416
        for asked in ("bytes=5-2", "lines=1-2", "bytes=0-1,5-6", "nonsense"):
            answer = await site.client.get(url, headers={"Range": asked})
            assert (answer.status_code, answer.content) == (200, whole.content), asked
        changed = await site.client.get(url, headers={"Range": "bytes=0-1", "If-Range": '"another"'})
        assert changed.status_code == 200
        same = await site.client.get(url, headers={"Range": "bytes=0-1", "If-Range": whole.headers["ETag"]})
        assert same.status_code == 206

    async def test_a_large_one_comes_whole(self, site: Site, hers: httpx.AsyncClient) -> None:
        raw = wav(120, rate=16_000)
        served = await site.client.get(await uploaded(hers, raw, "audio"))
        assert look("audio/wav", served.content).seconds == 120

    @pytest.mark.parametrize("name", ["0" * 32 + ".gif", "x", "..%2f..%2fetc%2fpasswd", "%00", "a" * 500])
    async def test_what_is_not_there(self, site: Site, name: str) -> None:
        assert (await site.client.get(f"/static/uploads/{name}")).status_code == 404


@pytest.mark.usefixtures("worker")
class TestFiles:
    async def test_a_used_one_stays_until_it_is_not(self, site: Site, hers: httpx.AsyncClient) -> None:
        url, sound = await uploaded(hers, GIF), await uploaded(hers, SOUNDS["audio/mpeg"], "audio")
        assert (await hers.put("/alerts/", json={"tiers": [{**TIER, "gif_url": url}]})).status_code == 200
        files = check("/alerts/upload/files", "get", await hers.get("/alerts/upload/files"))
        assert files == {
            "audio_files": [
                {"url": sound, "tier_name": "", "name": "кот.gif", "size": files["audio_files"][0]["size"],
                 "seconds": pytest.approx(1.5, abs=0.06)}
            ],
            "image_files": [
                {"url": url, "tier_name": "Золото", "name": "кот.gif", "size": len(GIF), "width": 60, "height": 60,
                 "frames": 2}
            ],
        }  # fmt: skip
        refused = await hers.delete("/alerts/upload/file", params={"file_url": url})
        assert refused.status_code == 400
        assert "“Золото”" in check("/alerts/upload/file", "delete", refused)["detail"]
        assert (await hers.put("/alerts/", json={"tiers": [TIER]})).status_code == 200
        deleted = await hers.delete("/alerts/upload/file", params={"file_url": url})
        assert check("/alerts/upload/file", "delete", deleted)["success"] is True
        assert (await site.client.get(url)).status_code == 404
        assert (await hers.delete("/alerts/upload/file", params={"file_url": url})).status_code == 404

    async def test_only_ones_own(self, hers: httpx.AsyncClient, strangers: httpx.AsyncClient) -> None:
        sound = await uploaded(hers, SOUNDS["audio/wav"], "audio")
        assert (await strangers.delete("/alerts/upload/file", params={"file_url": sound})).status_code == 404
        assert (await strangers.post("/alerts/preview-audio", params={"file_url": sound})).status_code == 404
        assert (await strangers.get("/alerts/upload/files")).json() == {"audio_files": [], "image_files": []}

    async def test_a_file_that_is_taken_into_use_while_it_is_deleted(self, site: Site, hers: httpx.AsyncClient) -> None:
        for number in range(5):
            url = await uploaded(hers, picture("PNG", (20 + number, 20)))
            used, deleted = await asyncio.gather(
                hers.put("/alerts/", json={"tiers": [{**TIER, "gif_url": url}]}),
                hers.delete("/alerts/upload/file", params={"file_url": url}),
            )
            assert (used.status_code, deleted.status_code) in ((200, 400), (422, 200))
            assert (await site.client.get(url)).status_code == (200 if used.status_code == 200 else 404)


@pytest.mark.usefixtures("worker")
class TestPreview:
    @pytest.mark.parametrize(
        ("times", "seconds"),
        [({}, 1.5), ({"start_time": 0.5, "end_time": 1.0}, 0.5), ({"start_time": 1}, 0.5), ({"end_time": 99}, 1.5)],
        ids=str,
    )
    async def test_a_part_of_a_sound(self, hers: httpx.AsyncClient, times: dict[str, float], seconds: float) -> None:
        url = await uploaded(hers, SOUNDS["audio/ogg"], "audio")
        answer = await hers.post("/alerts/preview-audio", params={"file_url": url, **times})
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "audio/mpeg"
        assert look("audio/mpeg", answer.content).seconds == pytest.approx(seconds, abs=0.06)
        again = await hers.post("/alerts/preview-audio", params={"file_url": url, **times})
        assert again.content == answer.content

    async def test_what_cannot_be_heard(self, hers: httpx.AsyncClient) -> None:
        sound, image = await uploaded(hers, SOUNDS["audio/wav"], "audio"), await uploaded(hers, GIF)
        wrong: list[tuple[dict[str, Any], int]] = [
            ({"file_url": sound, "start_time": 1, "end_time": 0.5}, 422),
            ({"file_url": sound, "start_time": 5}, 422),
            ({"file_url": sound, "start_time": -1}, 422),
            ({"file_url": sound, "start_time": "NaN"}, 422),
            ({"file_url": sound, "end_time": "inf"}, 422),
            ({"file_url": sound, "end_time": "soon"}, 422),
            ({}, 422),
            ({"file_url": image}, 400),
            ({"file_url": "https://evil.example/a.mp3"}, 404),
            ({"file_url": "/static/overlay/chime.wav"}, 404),
        ]
        for params, status in wrong:
            answer = await hers.post("/alerts/preview-audio", params=params)
            assert answer.status_code == status, (params, answer.text)
            check("/alerts/preview-audio", "post", answer)


async def test_an_account_that_is_emptied_leaves_no_files(
    site: Site, streamer: Streamer, hers: httpx.AsyncClient
) -> None:
    async with media_worker(site):
        url = await uploaded(hers, GIF)
    async with site.pool.acquire() as connection, connection.transaction():
        await erasure.erase_settings(connection, streamer.id)
    assert (await site.client.get(url)).status_code == 404
