"""A site that sends mail: letters really go by SMTP into the simulator's mailbox, whenever a test says so."""

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from domain.events import Actor
from infra.embedded import free_port
from simulator.clock import Clock
from simulator.mailbox import Mailbox, ReceivedLetter
from tasks.letters import send_letter
from tasks.runtime import Parts, close_parts, open_parts
from tests.support.site import Site, open_site

PASSWORD = "correct horse battery"
CONSENT = "2026-11-28"


@dataclass
class Post:
    site: Site
    parts: Parts
    box: Mailbox

    async def deliver(self) -> None:
        """Send what is asked for in the outbox, as the relay and the worker would."""
        tasks = await self.site.rows("DELETE FROM outbox WHERE name = $1 RETURNING data", Actor.SEND_LETTER)
        for row in tasks:
            await send_letter(self.parts, row["data"]["argument"])

    async def letters_to(self, address: str) -> list[ReceivedLetter]:
        """Newest first."""
        await self.deliver()
        return [letter for letter in self.box.letters if address in letter.recipients]

    async def code_to(self, address: str) -> str:
        """The code in the newest letter."""
        letter = (await self.letters_to(address))[0]
        found = re.search(r"^ +([0-9A-Z-]{6,9})$", letter.text, re.MULTILINE)
        assert found is not None, letter.text
        return found[1]


@asynccontextmanager
async def open_post(database_url: str, redis_url: str, **more: Any) -> AsyncIterator[Post]:
    port = free_port()
    box = Mailbox(Clock(time.time))
    server = await box.listen("127.0.0.1", port)
    values: dict[str, Any] = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "none",
        "registration": "open",
    }
    values |= {"smtp_timeout_seconds": 3, **more}
    async with open_site(database_url, redis_url, **values) as site:
        parts = await open_parts(site.settings, pool_size=2)
        try:
            yield Post(site, parts, box)
        finally:
            await close_parts(parts)
            server.close()


@asynccontextmanager
async def new_browser(site: Site, language: str = "en") -> AsyncIterator[httpx.AsyncClient]:
    """Somebody's browser; it says of each request that our own page sent it."""
    headers = {"Origin": site.url, "Accept-Language": language}
    async with httpx.AsyncClient(base_url=site.url, headers=headers, timeout=30) as client:
        yield client


async def try_code(client: httpx.AsyncClient, path: str, code: str, **more: str) -> str:
    """The page after a code that does not fit. Reloading it tries nothing again."""
    answer = await client.post(path, data={"code": code, **more})
    assert answer.status_code == 303, answer.text
    address = answer.headers["Location"]
    assert "?tried=" in address, address
    page = await client.get(address)
    assert page.status_code == 200
    return page.text


def registration(email: str, **fields: str) -> dict[str, str]:
    return {"email": email, "password": PASSWORD, "consent": CONSENT, **fields}
