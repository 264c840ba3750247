"""Programs with a key: as many scopes as the test says, and no others."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpx

from domain.access_tokens import create_key
from domain.scopes import Scope
from domain.streamers import Streamer
from tests.api.conftest import calling
from tests.support.site import Site


async def make_key(site: Site, streamer: Streamer, scopes: Iterable[Scope], *, name: str = "Чат-бот") -> str:
    async with site.pool.acquire() as connection, connection.transaction():
        made = await create_key(connection, streamer.owner_id, streamer.id, name=name, scopes=scopes, days=90)
    return made.token


@asynccontextmanager
async def with_key(
    site: Site, streamer: Streamer, *scopes: Scope, name: str = "Чат-бот"
) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(site, await make_key(site, streamer, scopes, name=name)) as client:
        yield client


def code_of(answer: httpx.Response) -> str:
    """Of a problem document."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["detail"]
    return str(problem["type"]).removeprefix("/docs/api#problem-")
