"""Moderators for tests of pages: invited, let in, with a browser of their own."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from domain import moderators
from domain.streamers import Streamer
from tests.support.site import Site


@dataclass
class Helper:
    """A moderator and the browser in which he came by his link."""

    id: int
    at: str
    """The address of his page."""
    client: httpx.AsyncClient


async def invite(
    site: Site, streamer: Streamer, *, nick: str = "Боб", rights: Iterable[str] = ("queue",)
) -> moderators.NewLink:
    async with site.pool.acquire() as connection, connection.transaction():
        return await moderators.invite(connection, streamer.id, nick=nick, rights=rights, days=7)


@asynccontextmanager
async def let_in(
    site: Site, streamer: Streamer, *, nick: str = "Боб", rights: Iterable[str] = ("queue",)
) -> AsyncIterator[Helper]:
    """By the link's own pages."""
    link = await invite(site, streamer, nick=nick, rights=rights)
    headers = {"Origin": site.url, "Accept-Language": "en"}
    async with httpx.AsyncClient(base_url=site.url, headers=headers, timeout=30) as client:
        assert (await client.get(f"/moderate/join/{link.token}")).headers["Location"] == "/moderate/join"
        answer = await client.post("/moderate/join")
        assert answer.status_code == 303, answer.text
        yield Helper(link.moderator_id, answer.headers["Location"].partition("?")[0], client)
