"""The site in this process, and its streamer, signed in. Who needs another cast has fixtures of his own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from playwright.async_api import Browser, Page

from domain.streamers import Streamer
from domain.users import create_user
from tests.support.media_worker import media_worker
from tests.support.servers import Servers
from tests.support.site import Site, keep_site, open_site
from tests.web.oauth_cast import Program, register

PASSWORD = "correct horse battery"


@pytest.fixture
async def site(fresh_database_url: str, redis_url: str) -> AsyncIterator[Site]:
    async with open_site(fresh_database_url, redis_url) as site:
        yield site


@pytest.fixture(scope="module")
async def _kept_site(_servers: Servers) -> AsyncIterator[Site]:
    async with keep_site(_servers) as site:
        yield site


@pytest.fixture
async def kept_site(_kept_site: Site, services: Servers) -> AsyncIterator[Site]:
    """One site for all tests of a file, emptied after each: many short tests need not each wait for a start."""
    yield _kept_site
    services.heal()
    await _kept_site.empty()


@pytest.fixture
async def streamer(site: Site) -> Streamer:
    return await site.add_streamer()


@pytest.fixture
async def worker(site: Site) -> AsyncIterator[None]:
    """Looks at uploaded files while the test runs."""
    async with media_worker(site):
        yield


@asynccontextmanager
async def signed_in(site: Site, email: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which this person is signed in; it says of each request that our own page sent it."""
    headers = {"Origin": site.url, "Accept-Language": "en"}
    async with httpx.AsyncClient(base_url=site.url, headers=headers, timeout=30) as client:
        answer = await client.post("/sign-in", data={"email": email, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        yield client


@pytest.fixture
async def her(site: Site, streamer: Streamer) -> AsyncIterator[httpx.AsyncClient]:
    """The streamer's browser."""
    async with signed_in(site, f"{streamer.slug}@example.org") as client:
        yield client


@pytest.fixture
async def stranger(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of another streamer of the same site."""
    await site.add_streamer("boris", "Борис")
    async with signed_in(site, "boris@example.org") as client:
        yield client


@pytest.fixture
async def boss(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of a superuser without a page of her own."""
    async with site.pool.acquire() as connection:
        await create_user(connection, "root@example.org", PASSWORD, is_superuser=True)
    async with signed_in(site, "root@example.org") as client:
        yield client


@pytest.fixture
async def maker(site: Site) -> Streamer:
    """Who made the applications."""
    return await site.add_streamer("boris", "Борис")


@pytest.fixture
async def program(site: Site, maker: Streamer) -> Program:
    """An application on its maker's server, with a secret."""
    return await register(site, maker)


@pytest.fixture
async def public(site: Site, maker: Streamer) -> Program:
    """An application in its users' hands."""
    return await register(site, maker, is_public=True)


@asynccontextmanager
async def desk_of(
    browser: Browser, site: Site, streamer: Streamer, *, width: int = 360, height: int = 760, scripts: bool = True
) -> AsyncIterator[Page]:
    """The streamer signs in by the form, in Russian, and is on the live page."""
    context = await browser.new_context(
        locale="ru-RU", viewport={"width": width, "height": height}, java_script_enabled=scripts
    )
    page = await context.new_page()
    await page.goto(f"{site.url}/sign-in")
    await page.locator("#email").fill(f"{streamer.slug}@example.org")
    await page.locator("#password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/dashboard")
    yield page
    await context.close()


@pytest.fixture
async def her_page(browser: Browser, site: Site, streamer: Streamer) -> AsyncIterator[Page]:
    """The streamer's phone."""
    async with desk_of(browser, site, streamer, width=360, height=760) as page:
        yield page
