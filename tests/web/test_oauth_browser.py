"""A streamer lets a stranger's application in, in a real browser on her phone, and takes the access back."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from tests.support.site import Site
from tests.web.oauth_cast import opens, register


@pytest.fixture
async def program_port() -> AsyncIterator[int]:
    """Where the application listens on her computer; what comes to /back is led on to another origin, /done."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1]
        head = b"HTTP/1.1 200 OK\r\n"
        if path.startswith(b"/back"):
            there = f"http://localhost:{port}".encode() + path.replace(b"/back", b"/done")
            head = b"HTTP/1.1 302 Found\r\nLocation: " + there + b"\r\n"
        writer.write(head + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield port


async def test_from_the_application_and_back_to_it(her_page: Page, site: Site, program_port: int) -> None:
    page = her_page
    program = await register(site, await site.add_streamer("boris", "Борис"), uris=("http://127.0.0.1/back",))
    back = f"http://127.0.0.1:{program_port}/back"
    address = program.address(scope="donations:read donations:original alerts:control", state="s1", redirect_uri=back)
    await page.goto(f"{site.url}{address}")
    await expect(page.locator("h1")).to_have_text("«Чат-бот» просит доступ")
    await expect(page.locator(".consent")).to_contain_text("Сайт не проверял, кто сделал это приложение")
    await expect(page.locator(".is-delicate")).to_have_count(2)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360

    await page.get_by_role("button", name="Отказать").click()
    await page.wait_for_url("http://localhost:*/done?error=access_denied*")
    assert await site.rows("SELECT * FROM grants") == []

    await page.goto(f"{site.url}{address}")
    await page.get_by_role("button", name="Разрешить").click()
    await page.wait_for_url("http://localhost:*/done?code=*")
    code = await page.evaluate("new URL(location).searchParams.get('code')")
    assert await page.evaluate("new URL(location).searchParams.get('iss')") == site.url
    assert await page.evaluate("document.referrer") == ""
    tokens = (await program.exchange(code, redirect_uri=back)).json()
    assert await opens(site, tokens["access_token"])

    await page.goto(f"{site.url}/dashboard/api")
    allowed = page.locator("#applications")
    await expect(allowed).to_contain_text("Исходные тексты донатов")
    await allowed.get_by_text("Забрать доступ…").click()
    await allowed.get_by_role("button", name="Забрать доступ", exact=True).click()
    await expect(allowed).to_contain_text("Ни у одного приложения нет доступа")
    assert not await opens(site, tokens["access_token"])

    # A key is shown once, and copied without being looked at.
    await page.locator("#name").fill("Скрипт")
    await page.get_by_label("Суммы и статистика").check()
    await page.locator("#password").fill("correct horse battery")
    await page.get_by_role("button", name="Создать ключ").click()
    key = await page.locator("#new-key .address-text").inner_text()
    assert await opens(site, key)
    await page.get_by_role("button", name="Спрятать").click()
    await expect(page.locator("#new-key")).to_have_count(0)
    assert key not in await page.content()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
