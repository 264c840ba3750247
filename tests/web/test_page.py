"""The donation page's settings: what she types is saved, shown and said, and nothing typed is lost."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from domain.profiles import streamer_look
from domain.streamers import Streamer
from tests.support.pictures import animation, opened, picture
from tests.support.site import Site
from tests.support.too_much import post_too_much
from tests.web.conftest import signed_in
from web.pages.page import PICTURES

PAGE = "/dashboard/page"
HTMX = {"HX-Request": "true"}
GOOD = {
    "display_name": "Анна играет",
    "slug": "anna",
    "about": "Хорроры\nпо вторникам",
    "link-1": "twitch.tv/anna",
    "link-3": "https://t.me/anna",
    "thanks": "Ты чудо!",
    "has_accent": "yes",
    "accent": "#7a3ff2",
    "min_amount": "50",
    "max_amount": "5 000",
    "preset-1": "500",
    "preset-2": "",
    "preset-3": "100",
    "preset-4": "500",
    "message_max_length": "200",
    "time_zone": "Asia/Omsk",
    "is_listed": "yes",
}

WRONG = [
    ("display_name", " \u202e ", "Write the name"),
    ("display_name", "я" * 61, "At most 60"),
    ("about", "я" * 503, "remove 3"),
    ("thanks", "я" * 301, "remove 1"),
    ("link-2", "javascript:alert(1)", "not an address"),
    ("link-8", "http://anna.example", "https://"),
    ("accent", "red;}", "Choose a colour"),
    ("min_amount", "9,99", "SBP takes no less"),
    ("min_amount", "много", "can&#39;t read"),
    ("max_amount", "49", "Less than the least"),
    ("max_amount", "1000001", "At most"),
    ("preset-2", "49", "Less than the least"),
    ("preset-6", "5001", "More than the largest"),
    ("preset-5", "x", "can&#39;t read"),
    ("message_max_length", "1001", "from 0 to 1000"),
    ("message_max_length", "-1", "from 0 to 1000"),
    ("message_max_length", "²", "from 0 to 1000"),
    ("time_zone", "Mars/Olympus", "from the list"),
    ("slug", "ан на", "Latin letters"),
    ("slug", "admin", "kept for the site"),
    ("slug", "", "Latin letters"),
]
"""A field, what stands in it, and a word of what is said beside it."""


@pytest.fixture
def site(kept_site: Site) -> Site:
    return kept_site


@pytest.fixture
async def boris(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """Another streamer's browser."""
    await site.add_streamer("boris", "Борис")
    async with signed_in(site, "boris@example.org") as client:
        yield client


async def row(site: Site, slug: str = "anna") -> dict[str, Any]:
    (found,) = await site.rows("SELECT * FROM streamers WHERE slug = $1", slug)
    return found


def error_of(page: str, field: str) -> str:
    found = re.search(rf'<p class="field-error" id="{field}-error"[^>]*>([^<]*)</p>', page)
    return found[1] if found else ""


def value_of(page: str, field: str) -> str:
    found = re.search(rf'<input id="{field}"[^>]*? value="([^"]*)"', page)
    assert found is not None, field
    return found[1]


def value_of_hidden(page: str, name: str) -> str:
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


class TestSaving:
    async def test_everything_is_kept_and_shown(self, site: Site, her: httpx.AsyncClient) -> None:
        answer = await her.post(PAGE, data=GOOD)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGE}?said=page-saved")
        saved = await row(site)
        assert saved["preset_amounts_minor"] == [50_000, 10_000], "in her order, each once"
        assert (saved["min_amount_minor"], saved["max_amount_minor"]) == (5_000, 500_000)
        assert (saved["message_max_length"], saved["time_zone"], saved["is_listed"]) == (200, "Asia/Omsk", True)
        assert saved["links"] == ["https://twitch.tv/anna", "https://t.me/anna"]
        assert "Saved. Donors see it already." in (await her.get(answer.headers["Location"])).text
        page = (await site.client.get("/donate/anna")).text
        for words in ("Анна играет", "Хорроры\nпо вторникам", "/media/look/7a3ff2.css", "До 200 символов"):
            assert words in page
        assert re.findall(r'name="set_amount" value="([^"]+)"', page) == ["500", "100"]
        assert (
            '<a href="https://twitch.tv/anna" target="_blank" rel="noopener noreferrer nofollow ugc">Twitch</a>' in page
        )
        # And again as it is: the form gives back what it showed.
        form = (await her.get(PAGE)).text
        assert value_of(form, "max_amount") == "5\xa0000"
        assert value_of(form, "link-2") == "https://t.me/anna"
        assert value_of(form, "accent") == "#7a3ff2"

    async def test_a_form_of_yesterday_does_not_silently_undo_what_was_saved_since(
        self, site: Site, her: httpx.AsyncClient
    ) -> None:
        opened = value_of_hidden((await her.get(PAGE)).text, "version")
        other_tab = {**GOOD, "about": "Новое", "link-3": "https://t.me/new"}
        assert (await her.post(PAGE, data={**other_tab, "version": opened})).status_code == 303
        mine = {**GOOD, "about": "Старое & доброе", "version": opened}
        answer = await her.post(PAGE, data=mine)
        assert answer.status_code == 409
        assert "meanwhile the page was saved elsewhere" in answer.text
        assert error_of(answer.text, "about") == "Saved by now: “Новое”."
        assert error_of(answer.text, "link-2") == "Saved by now: “https://t.me/new”."
        assert re.findall(r'id="([\w-]+)-error"', answer.text) == ["about", "link-2"]
        assert (await row(site))["about"] == "Новое"
        # Knowing it, she keeps hers.
        again = value_of_hidden(answer.text, "version")
        assert (await her.post(PAGE, data={**mine, "version": again})).status_code == 303
        assert (await row(site))["about"] == "Старое & доброе"
        # What is saved just so already is no quarrel, and looking keeps the form's age.
        assert (await her.post(PAGE, data=mine)).status_code == 303
        looked = await her.post(PAGE, data={**mine, "preview": "yes"})
        assert value_of_hidden(looked.text, "version") == opened

    async def test_of_two_tabs_at_once_one_is_asked(self, her: httpx.AsyncClient) -> None:
        opened = value_of_hidden((await her.get(PAGE)).text, "version")
        answers = await asyncio.gather(
            *(her.post(PAGE, data={**GOOD, "about": about, "version": opened}) for about in ("Один", "Два"))
        )
        assert sorted(answer.status_code for answer in answers) == [303, 409]

    async def test_what_may_be_empty(self, site: Site, her: httpx.AsyncClient) -> None:
        bare = {
            name: GOOD[name]
            for name in ("display_name", "slug", "min_amount", "max_amount", "message_max_length", "time_zone")
        }
        await her.post(PAGE, data=GOOD)
        assert (await her.post(PAGE, data={**bare, "message_max_length": "0"})).status_code == 303
        saved = await row(site)
        assert (saved["about"], saved["thanks"], saved["accent"], saved["links"]) == ("", "", "", [])
        assert (saved["preset_amounts_minor"], saved["is_listed"]) == ([], False)

    async def test_what_is_wrong_is_said_beside_it_and_nothing_is_lost_or_saved(
        self, site: Site, her: httpx.AsyncClient
    ) -> None:
        before = await row(site)
        for field, value, words in WRONG:
            typed = {**GOOD, "thanks": "Ещё не сохранено", field: value}
            answer = await her.post(PAGE, data=typed)
            assert answer.status_code == 422, field
            assert words in error_of(answer.text, field), (field, value)
            assert re.findall(r'id="([\w-]+)-error"', answer.text) == [field], (field, value)
            assert value_of(answer.text, "link-3") == "https://t.me/anna"
            assert typed["thanks"] in answer.text
        assert await row(site) == before

    @pytest.mark.parametrize(
        ("content", "content_type"),
        [
            (b"", "application/x-www-form-urlencoded"),
            (b"display_name=%ff%fe%00&slug=%00", "application/x-www-form-urlencoded"),
            (b'{"slug": 1}', "application/json"),
            (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        ],
    )
    async def test_garbage(self, site: Site, her: httpx.AsyncClient, content: bytes, content_type: str) -> None:
        before = await row(site)
        for path in (PAGE, f"{PAGE}/preview", f"{PAGE}/pictures"):
            answer = await her.post(path, content=content, headers={"Content-Type": content_type})
            assert answer.status_code in (200, 400, 422), path
        assert await row(site) == before


async def test_a_full_page_is_still_light(site: Site, her: httpx.AsyncClient) -> None:
    """HTML and styles over the wire, as the donor's form promises."""
    links = {f"link-{number}": f"https://anna-{number}.example/watch" for number in range(1, 9)}
    presets = {f"preset-{number}": str(number * 100) for number in range(1, 7)}
    await her.post(PAGE, data={**GOOD, **links, **presets, "about": "Ж" * 300}, files={"avatar": ("a", picture())})
    page = (await site.client.get("/donate/anna")).text
    styles = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page)
    assert len(styles) == 2
    weight = 0
    for path in ("/donate/anna", *styles):
        async with site.client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
            await answer.aread()
            weight += answer.num_bytes_downloaded
    assert weight <= 14 * 1024


class TestAddress:
    async def test_the_old_address_leads_to_the_new_one(self, site: Site, her: httpx.AsyncClient) -> None:
        form = await site.client.get("/donate/anna")
        answer = await her.post(PAGE, data={**GOOD, "slug": " Anna-Plays "})
        assert answer.headers["Location"] == f"{PAGE}?said=page-moved"
        assert "The old address goes on leading here" in (await her.get(answer.headers["Location"])).text
        old = await site.client.get("/donate/anna?a=300&from=qr")
        assert (old.status_code, old.headers["Location"]) == (302, "/donate/anna-plays?a=300&from=qr")
        assert (await site.client.get("/donate/anna/consent")).headers["Location"] == "/donate/anna-plays/consent"
        assert (await site.client.get("/donate/anna-plays")).status_code == 200
        # The form that was open meanwhile.
        key = re.search(r'name="key" value="([^"]+)"', form.text)
        assert key is not None
        sent = {"key": key[1], "amount": "300", "consent": "2026-11-2"}
        assert (await site.client.post("/donate/anna", data=sent)).status_code == 303
        assert "anna" in (await her.get(PAGE)).text.split("Leads here too: ")[1][:10]

    async def test_nobody_takes_a_left_address(
        self, site: Site, her: httpx.AsyncClient, boris: httpx.AsyncClient
    ) -> None:
        await her.post(PAGE, data={**GOOD, "slug": "anna-2"})
        for wanted in ("anna", "anna-2"):
            answer = await boris.post(PAGE, data={**GOOD, "slug": wanted})
            assert answer.status_code == 422
            assert "another streamer" in error_of(answer.text, "slug")
        assert (await her.post(PAGE, data=GOOD)).headers["Location"].endswith("page-moved")
        assert (await site.client.get("/donate/anna-2")).headers["Location"] == "/donate/anna"

    async def test_two_want_the_same_at_once(self, her: httpx.AsyncClient, boris: httpx.AsyncClient) -> None:
        wanted = {**GOOD, "slug": "wanted"}
        answers = await asyncio.gather(her.post(PAGE, data=wanted), boris.post(PAGE, data=wanted))
        assert sorted(answer.status_code for answer in answers) == [303, 422]


class TestRights:
    @pytest.mark.usefixtures("streamer")
    async def test_nobody_and_strangers(self, site: Site, boris: httpx.AsyncClient) -> None:
        before = await row(site)
        for method, path in (("GET", PAGE), ("POST", PAGE), ("POST", f"{PAGE}/preview"), ("POST", f"{PAGE}/pictures")):
            answer = await site.client.request(method, path, data=GOOD if method == "POST" else None)
            assert answer.headers["Location"].startswith("/sign-in"), path
            for slug in ("anna", "nobody"):
                sent = {**GOOD, "remove": "avatar"} if method == "POST" else None
                assert (await boris.request(method, f"{path}?streamer={slug}", data=sent)).status_code == 404, path
        assert await row(site) == before

    @pytest.mark.usefixtures("streamer")
    async def test_a_superuser_helps(self, site: Site, boris: httpx.AsyncClient) -> None:
        await site.pool.execute("UPDATE users SET is_superuser = true WHERE email = 'boris@example.org'")
        answer = await boris.post(f"{PAGE}?streamer=anna", data={**GOOD, "slug": "anna-2"})
        assert answer.headers["Location"] == f"{PAGE}?said=page-moved&streamer=anna-2"
        assert (await row(site, "anna-2"))["display_name"] == "Анна играет"
        assert (await row(site, "boris"))["display_name"] == "Борис"

    async def test_another_site_may_not_save(self, her: httpx.AsyncClient) -> None:
        answer = await her.post(PAGE, data=GOOD, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403


class TestPreview:
    async def test_it_is_the_page_itself(self, site: Site, her: httpx.AsyncClient) -> None:
        files = {"avatar": ("a.png", picture(), "image/png"), "banner": ("b.png", picture(), "image/png")}
        assert (await her.post(PAGE, data=GOOD, files=files)).status_code == 303

        def shown(page: str) -> str:
            main = page.partition('<main class="page">')[2].partition("</main>")[0]
            return re.sub(r'name="key" value="[^"]*"', "", main)

        page = (await site.client.get("/donate/anna", headers={"Accept-Language": "en"})).text
        preview = await her.post(f"{PAGE}/preview", data=GOOD)
        assert shown(preview.text) == shown(page) != ""
        assert shown((await her.get(PAGE)).text) == shown(page)
        styles = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page)
        assert re.findall(r'href="([^"]+\.css)"', preview.text)[: len(styles)] == styles != []

    async def test_it_saves_nothing_and_forgives(self, site: Site, her: httpx.AsyncClient) -> None:
        before = await row(site)
        wrong = {**GOOD, "display_name": "Новая", "min_amount": "много", "link-1": "ht"}
        preview = await her.post(f"{PAGE}/preview", data=wrong, headers=HTMX)
        assert preview.status_code == 200
        assert "Новая" in preview.text
        assert "<html" not in preview.text
        pressed = await her.post(PAGE, data={**wrong, "preview": "yes"})
        assert pressed.status_code == 200
        assert "Only shown, not saved yet." in pressed.text
        assert value_of(pressed.text, "min_amount") == "много"
        assert await row(site) == before

    async def test_a_corrected_colour_is_said(self, her: httpx.AsyncClient) -> None:
        yellow = (await her.post(f"{PAGE}/preview", data={**GOOD, "accent": "#ffd23f"})).text
        assert "darker in the light theme: #" in yellow
        navy = (await her.post(f"{PAGE}/preview", data={**GOOD, "accent": "#000080"})).text
        assert "lighter in the dark theme: #" in navy
        both = (await her.post(f"{PAGE}/preview", data={**GOOD, "accent": "#808080"})).text
        assert "in the light theme (#" in both
        own = {name: value for name, value in GOOD.items() if name != "has_accent"}
        assert "accent-corrected" not in (await her.post(f"{PAGE}/preview", data=own)).text

    async def test_the_thanks_are_read_after_paying_only(self, site: Site, her: httpx.AsyncClient) -> None:
        await her.post(PAGE, data=GOOD)
        assert "Ты чудо!" not in (await site.client.get("/donate/anna")).text
        assert "Ты чудо!" in (await her.get(PAGE)).text


class TestPictures:
    async def send(self, her: httpx.AsyncClient, raw: bytes, name: str = "avatar", **headers: str) -> httpx.Response:
        return await her.post(
            f"{PAGE}/pictures", data=GOOD, files={name: ("cat.png", raw, "image/png")}, headers=headers
        )

    async def sha256(self, site: Site, streamer: Streamer, name: str = "avatar") -> str:
        async with site.pool.acquire() as connection:
            return str(getattr(await streamer_look(connection, streamer.id), name))

    @pytest.mark.parametrize(
        "raw", [picture("PNG"), picture("JPEG"), picture("WEBP"), picture("GIF"), animation("GIF")]
    )
    async def test_it_is_cut_kept_and_served(
        self, site: Site, her: httpx.AsyncClient, streamer: Streamer, raw: bytes
    ) -> None:
        for name, size in (("avatar", (256, 256)), ("banner", (1500, 500))):
            answer = await self.send(her, raw, name, **HTMX)
            assert answer.status_code == 200
            address = f"/media/{await self.sha256(site, streamer, name)}.webp"
            assert answer.text.count(address) >= 2, "in the form, and in the preview beside it"
            assert 'hx-swap-oob="outerHTML"' in answer.text
            assert address in (await site.client.get("/donate/anna")).text
            got = await site.client.get(address)
            assert opened(got.content).size == size

    async def test_headers(self, site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
        await self.send(her, picture())
        address = f"/media/{await self.sha256(site, streamer)}.webp"
        got = await site.client.get(address)
        assert got.headers["Content-Type"] == "image/webp"
        assert got.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert got.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert "Set-Cookie" not in got.headers
        again = await site.client.get(address, headers={"If-None-Match": got.headers["ETag"]})
        assert again.status_code == 304
        colour = await site.client.get("/media/look/ffd23f.css")
        assert colour.headers["Content-Type"] == "text/css; charset=utf-8"
        assert "immutable" in colour.headers["Cache-Control"]
        assert "--action:#ffd23f;--action-ink:#111318" in colour.text

    @pytest.mark.parametrize(
        "path",
        [
            "/media/" + "0" * 64 + ".webp",
            "/media/x.webp",
            "/media/" + "0" * 64 + ".png",
            "/media/..%2f..%2fetc%2fpasswd.webp",
            "/media/look/red.css",
            "/media/look/ffd23f}.css",
            "/media/look/%00.css",
        ],
    )
    async def test_what_is_not_there(self, site: Site, path: str) -> None:
        assert (await site.client.get(path)).status_code == 404

    @pytest.mark.parametrize(
        ("raw", "words"),
        [
            (b"", "empty"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not a picture"),
            (b"<!doctype html><script>alert(1)</script>", "not a picture"),
            (picture("JPEG", (900, 900))[:700], "not a picture"),
            (b"\0" * (5 * 1024 * 1024 + 1), "Heavier than 5 MB"),
        ],
    )
    async def test_garbage_is_refused_and_what_was_there_stays(
        self, site: Site, her: httpx.AsyncClient, streamer: Streamer, raw: bytes, words: str
    ) -> None:
        await self.send(her, picture())
        before = await self.sha256(site, streamer)
        for headers in ({}, HTMX):
            answer = await self.send(her, raw, **headers)
            assert answer.status_code == 422
            assert words in error_of(answer.text, "avatar")
        assert await self.sha256(site, streamer) == before != ""

    async def test_more_than_the_address_takes(self, site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
        """Larger than both pictures together, the form is not read; the words stand beside the field all the same."""
        await self.send(her, picture())
        before = await self.sha256(site, streamer)
        for name in ("avatar", "banner"):
            headers = {**HTMX, "HX-Source": f"input#{name}"}
            status, page = await post_too_much(her, f"{PAGE}/pictures", 12 * 1024 * 1024, **headers)
            assert (status, 'id="pictures"' in page, "<html" in page) == (422, True, False)
            assert "Heavier than 5 MB" in error_of(page, name)
        for path in (PAGE, f"{PAGE}/pictures"):
            status, page = await post_too_much(her, path, 12 * 1024 * 1024)
            assert status == 422
            assert "each picture may have 5 MB" in error_of(page, "avatar")
            again = {**GOOD, "version": value_of_hidden(page, "version")}
            assert (await her.post(PAGE, data=again)).status_code == 303
        assert await self.sha256(site, streamer) == before != ""

    async def test_without_scripts_it_comes_with_the_form_and_is_not_lost_with_a_wrong_text(
        self, site: Site, her: httpx.AsyncClient, streamer: Streamer
    ) -> None:
        files = {"avatar": ("cat.png", picture(), "image/png"), "banner": ("", b"", "application/octet-stream")}
        answer = await her.post(PAGE, data={**GOOD, "min_amount": "1"}, files=files)
        assert answer.status_code == 422
        assert list(re.findall(r'id="(\w+)-error"', answer.text)) == ["min_amount"]
        sha256 = await self.sha256(site, streamer)
        assert f"/media/{sha256}.webp" in answer.text
        removed = await her.post(PAGE, data={**GOOD, "thanks": "Не сохранять", "remove": "avatar"})
        assert removed.status_code == 200
        assert "Не сохранять" in removed.text
        assert (await row(site))["thanks"] == ""
        assert await self.sha256(site, streamer) == ""
        assert (await site.client.get(f"/media/{sha256}.webp")).status_code == 404

    async def test_too_often(self, site: Site, her: httpx.AsyncClient, streamer: Streamer) -> None:
        async with Redis.from_url(site.settings.redis_url) as redis:
            await redis.set(f"streamcash:limit:{PICTURES.name}:{streamer.id}", PICTURES.count - 1, ex=60)
        answers = [await self.send(her, picture(), **HTMX) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 429]

    async def test_more_than_two_pictures_weigh_is_not_read(self, her: httpx.AsyncClient) -> None:
        try:
            assert (await self.send(her, b"\0" * (12 * 1024 * 1024))).status_code == 413
        except httpx.TransportError:
            pass  # The server hung up before all of it was sent.
        assert (await her.get(PAGE)).status_code == 200
