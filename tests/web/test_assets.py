"""Static files: kept for good under an address that changes with them."""

import asyncio
import gc
import gzip
import warnings

import pytest

from infra.assets import STATIC_DIR, assets_version
from tests.support.site import Site
from tests.web.test_security import make_settings
from web.app import create_app
from web.assets import asset


async def test_the_address_holds_the_version_and_relative_imports_keep_it(site: Site) -> None:
    address = asset("js/dashboard.js")
    assert address == f"/static/v-{assets_version()}/js/dashboard.js"
    assert (await site.client.get(address)).headers["Content-Type"].startswith("text/javascript")
    imported = address.replace("js/dashboard.js", "vendor/socket.io.esm.min.js")
    assert (await site.client.get(imported)).status_code == 200


async def test_in_production_a_file_is_kept_for_good_but_not_under_an_old_address() -> None:
    app = create_app(make_settings(environment="production"))
    async with app.test_app():
        client = app.test_client()
        new = await client.get(asset("css/app.css"))
        old = await client.get("/static/v-000000000000/css/app.css")
        plain = await client.get("/static/css/app.css")
    assert new.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert old.headers["Cache-Control"] == "no-cache"
    assert plain.headers["Cache-Control"] == "no-cache"
    assert await old.get_data() == await new.get_data() == (STATIC_DIR / "css/app.css").read_bytes()


async def test_text_is_compressed_for_who_can_read_it(site: Site) -> None:
    whole = await site.client.get("/static/css/app.css", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in whole.headers
    async with site.client.stream("GET", "/static/css/app.css", headers={"Accept-Encoding": "gzip"}) as answer:
        packed = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed) == whole.content
    assert len(packed) < len(whole.content) / 2
    assert answer.headers["ETag"] != whole.headers["ETag"]


async def test_a_known_file_is_not_sent_again(site: Site) -> None:
    for encoding in ("gzip", "identity"):
        first = await site.client.get("/static/css/app.css", headers={"Accept-Encoding": encoding})
        again = await site.client.get(
            "/static/css/app.css", headers={"Accept-Encoding": encoding, "If-None-Match": first.headers["ETag"]}
        )
        assert (again.status_code, again.content) == (304, b"")


async def test_nothing_but_static_files_is_served(site: Site) -> None:
    for path in (
        "nothing.css",
        "../web/app.py",
        "..%2fweb/app.py",
        "%2e%2e/web/app.py",
        "vendor/.stamp",
        "",
        "css",
        "css/",
    ):
        assert (await site.client.get(f"/static/{path}")).status_code == 404, path
        assert (await site.client.get(f"/static/v-{assets_version()}/{path}")).status_code == 404, path


async def test_no_page_asks_another_origin(site: Site) -> None:
    for path in ("/", "/sign-in", "/overlay"):
        page = (await site.client.get(path)).text
        assert 'src="http' not in page
        assert 'href="http' not in page


def test_a_file_that_is_not_there_is_an_error_of_the_template() -> None:
    with pytest.raises(FileNotFoundError):
        asset("css/nothing.css")


async def test_who_leaves_in_the_middle_leaves_no_file_open(site: Site) -> None:
    host, port = site.url.removeprefix("http://").split(":")
    request = f"GET /static/img/icon.svg HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()

    async def leave_after(seconds: float) -> None:
        _reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        await writer.drain()
        await asyncio.sleep(seconds)
        writer.transport.abort()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        for tenth_ms in range(150):
            await leave_after(tenth_ms / 10_000)
        assert (await site.client.get("/static/img/icon.svg")).status_code == 200
        gc.collect()
    assert [str(warning.message) for warning in caught if "icon.svg" in str(warning.message)] == []
