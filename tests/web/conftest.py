"""The site in this process, and its streamer, signed in. Who needs another cast has fixtures of his own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from domain.streamers import Streamer
from tests.support.site import Site, open_site

PASSWORD = "correct horse battery"


@pytest.fixture
async def site(fresh_database_url: str, redis_url: str) -> AsyncIterator[Site]:
    async with open_site(fresh_database_url, redis_url) as site:
        yield site


@pytest.fixture
async def streamer(site: Site) -> Streamer:
    return await site.add_streamer()


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
