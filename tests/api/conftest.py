"""The API of a site in this process, and callers: the streamer, a stranger, an operator, and keys."""

import itertools
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.streamers import Streamer
from domain.users import create_user, get_token_holder
from infra.crypto import SecretBox
from infra.jwt import issue_jwt
from infra.settings import ROOT
from tests.support.servers import Servers
from tests.support.site import Site, keep_database, keep_site, open_site
from tests.web.conftest import PASSWORD, worker
from tests.web.post import Post, open_post

__all__ = ["worker"]

FRONT = "https://front.example.org"
"""A site whose pages may call the API."""

_numbers = itertools.count(1)


@pytest.fixture
async def own_site(fresh_database_url: str, redis_url: str) -> AsyncIterator[Site]:
    async with open_site(fresh_database_url, redis_url, cors_origins=FRONT) as site:
        yield site


@pytest.fixture(scope="module")
async def _kept_site(_servers: Servers) -> AsyncIterator[Site]:
    async with keep_site(_servers, cors_origins=FRONT, api_calls_per_minute=1_000_000) as site:
        yield site


@pytest.fixture
async def kept_site(_kept_site: Site, services: Servers) -> AsyncIterator[Site]:
    """One site for all tests of a file, emptied after each."""
    yield _kept_site
    services.heal()
    await _kept_site.empty()


@pytest.fixture
async def ledger_site(_kept_site: Site, services: Servers) -> AsyncIterator[Site]:
    """The same for tests that write the ledger: the books are forgotten, too."""
    yield _kept_site
    services.heal()
    await _kept_site.empty_with_books()


@pytest.fixture(scope="session")
async def shared_site(_servers: Servers) -> AsyncIterator[Site]:
    """One site for many tests, which is never emptied: also for those that write the ledger. So each has streamers of
    its own, with `new_slug`, and looks at nothing else."""
    async with keep_site(_servers, api_calls_per_minute=1_000_000) as site:
        yield site


@pytest.fixture
def site(request: pytest.FixtureRequest) -> Site:
    """Of this test alone, unless its file asks for another: `pytestmark = pytest.mark.usefixtures("kept_site")`."""
    asked = (name for name in ("kept_site", "ledger_site", "shared_site") if name in request.fixturenames)
    site: Site = request.getfixturevalue(next(asked, "own_site"))
    return site


def new_slug() -> str:
    return f"anna-{next(_numbers)}"


@pytest.fixture
async def streamer(request: pytest.FixtureRequest, site: Site) -> Streamer:
    return await site.add_streamer(new_slug() if "shared_site" in request.fixturenames else "anna", "Анна")


async def jwt_of(site: Site, user_id: int, *, lifetime_seconds: int = 3600) -> str:
    """What signing in through the API gives."""
    async with site.pool.acquire() as connection:
        holder = await get_token_holder(connection, user_id)
    assert holder is not None
    box = SecretBox(site.settings.secret_keys.get_secret_value())
    return issue_jwt(box, user_id, holder.token_version, lifetime_seconds=lifetime_seconds)


@asynccontextmanager
async def calling(site: Site, token: str | None) -> AsyncIterator[httpx.AsyncClient]:
    """A program that calls the API with this token."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"{site.url}/api/v1", headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
async def nobody(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A program without a token."""
    async with calling(site, None) as client:
        yield client


@pytest.fixture
async def hers(site: Site, streamer: Streamer) -> AsyncIterator[httpx.AsyncClient]:
    """The streamer's program, signed in as herself."""
    async with calling(site, await jwt_of(site, streamer.owner_id)) as client:
        yield client


@pytest.fixture
async def strangers(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """The program of another streamer of the same site."""
    other = await site.add_streamer(f"boris-{next(_numbers)}", "Борис")
    async with calling(site, await jwt_of(site, other.owner_id)) as client:
        yield client


@pytest.fixture
async def operators(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """An operator's program; she has no page of her own."""
    async with site.pool.acquire() as connection:
        root = await create_user(connection, "root@example.org", PASSWORD, is_superuser=True)
    async with calling(site, await jwt_of(site, root.id)) as client:
        yield client


@pytest.fixture(scope="module")
async def _kept_post(_servers: Servers) -> AsyncIterator[Post]:
    async with keep_database(_servers) as database_url, open_post(database_url, _servers.valkey.url()) as post:
        yield post


@pytest.fixture
async def post(_kept_post: Post, services: Servers) -> AsyncIterator[Post]:
    """One site that sends mail for all tests of a file, emptied after each."""
    yield _kept_post
    services.heal()
    await _kept_post.site.empty()
    for table in ("letters", "confirmations", "one_time_links"):
        await _kept_post.site.pool.execute(f"DELETE FROM {table}")
    _kept_post.box.letters.clear()


@pytest.fixture
async def program(post: Post) -> AsyncIterator[httpx.AsyncClient]:
    """A program that has no token and keeps no cookie, of a site that sends mail: hers and his look alike."""
    async with calling(post.site, None) as client:
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        yield client


@cache
def contract() -> dict[str, Any]:
    """The first version's OpenAPI document, which is not part of this repository."""
    default = ROOT.parent / "shared" / "contracts" / "api-v1-openapi.json"
    path = Path(os.environ.get("API_V1_CONTRACT") or default)
    assert path.is_file(), f"The contract of REST API v1 is not at {path}. Set API_V1_CONTRACT to its path."
    document: dict[str, Any] = json.loads(path.read_text())
    return document
