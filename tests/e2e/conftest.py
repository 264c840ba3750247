"""The whole system as processes, with a demo streamer, and people at it: a donor, OBS, the streamer."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from playwright.async_api import Browser, Page, Route

from tests.support.programs import Stack


@dataclass
class House:
    """All programs running; what a test needs to act in it and to look at the truth."""

    stack: Stack
    pool: asyncpg.Pool
    http: httpx.AsyncClient
    slug: str
    login: str
    password: str
    overlay_token: str

    @property
    def overlay_url(self) -> str:
        return f"{self.stack.web_url}/overlay#{self.overlay_token}"

    async def wish(self, *, amount: str = "300", name: str = "Аня", message: str = "Привет из Омска") -> str:
        """Send the donation form as a browser without scripts would; returns the donation's address."""
        form = await self.http.get(f"{self.stack.web_url}/donate/{self.slug}")
        form.raise_for_status()
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form.text))
        consent = re.search(r'name="consent" value="([^"]+)"', form.text)
        assert consent is not None
        answer = await self.http.post(
            f"{self.stack.web_url}/donate/{self.slug}",
            data={**fields, "amount": amount, "name": name, "message": message, "consent": consent[1]},
            headers={"Origin": self.stack.web_url},
            follow_redirects=False,
        )
        assert answer.status_code == 303, answer.text
        return httpx.URL(self.stack.web_url).join(answer.headers["Location"]).path

    async def payment(self, page: str) -> asyncpg.Record:
        """The newest attempt of the donation at this address."""
        row = await self.pool.fetchrow(
            """
            SELECT payments.* FROM payments JOIN donations ON donations.id = payments.donation_id
            WHERE donations.public_id = $1 ORDER BY attempt DESC LIMIT 1
            """,
            page.removeprefix("/d/"),
        )
        assert row is not None
        return row

    async def until_open(self, page: str, *, seconds: float = 60) -> asyncpg.Record:
        async def opened() -> bool:
            return (await self.payment(page))["payment_url"] is not None

        await until(opened, "the payment has its URL", seconds=seconds)
        return await self.payment(page)

    async def act(self, payment: asyncpg.Record, action: str, **options: Any) -> None:
        """At the bank: pay, decline, expire, notify…"""
        url = f"{self.stack.simulator_url}/_sim/payments/{payment['provider_payment_id']}/{action}"
        answer = await self.http.post(url, json=options)
        assert answer.status_code < 300, answer.text

    async def donate(self, **fields: str) -> str:
        """A paid donation, up to the bank's own answer; returns its address."""
        page = await self.wish(**fields)
        await self.act(await self.until_open(page), "pay")
        return page

    async def status(self, page: str) -> str:
        status: str = await self.pool.fetchval(
            "SELECT status FROM donations WHERE public_id = $1", page.removeprefix("/d/")
        )
        return status

    async def alert(self, page: str) -> asyncpg.Record | None:
        return await self.pool.fetchrow(
            """
            SELECT alerts.* FROM alerts JOIN donations ON donations.id = alerts.donation_id
            WHERE donations.public_id = $1 AND alerts.kind = 'donation'
            """,
            page.removeprefix("/d/"),
        )

    async def until_alert(self, page: str, status: str, *, seconds: float = 60) -> asyncpg.Record:
        async def reached() -> bool:
            alert = await self.alert(page)
            return alert is not None and alert["status"] == status

        await until(reached, f"the alert of {page} is {status}", seconds=seconds)
        alert = await self.alert(page)
        assert alert is not None
        return alert

    async def until_paid(self, page: str, *, seconds: float = 60) -> None:
        async def paid() -> bool:
            return await self.status(page) == "paid"

        await until(paid, f"the donation {page} is paid", seconds=seconds)


async def until(condition: Callable[[], Awaitable[bool]], what: str, *, seconds: float = 60) -> None:
    """Wait until a condition holds; a database that is away for a moment is no answer."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            if await condition():
                return
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            pass
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s in vain until {what}")
        await asyncio.sleep(0.05)


@pytest.fixture
async def house(stack: Stack, pool: asyncpg.Pool) -> AsyncIterator[House]:
    stack.start()
    seeded = json.loads(stack.manage("seed-demo", stdin=json.dumps({"password": "correct horse battery"})))
    async with httpx.AsyncClient(timeout=30) as http:
        yield House(stack, pool, http, seeded["slug"], seeded["login"], seeded["password"], seeded["overlay_token"])


class Obs:
    """An OBS browser source: a page with `window.obsstudio`, whose shown alerts are counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    async def shown_texts(self) -> list[str]:
        """The text of every plate that appeared since the page was loaded."""
        texts: list[str] = await self.page.evaluate("window.__plates")
        return texts

    async def close(self) -> None:
        await self.page.context.close()


# Remembers each alert's text as it comes on screen, as somebody watching would.
_WATCH = """
window.__plates = [];
addEventListener('DOMContentLoaded', () => {
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) {
      if (node.nodeType === 1 && node.matches('.alert, [data-alert]')) {
        setTimeout(() => window.__plates.push(node.innerText), 1200);
      }
    }
  }).observe(document.body, {childList: true, subtree: true});
});
"""
_OBS = """
window.obsstudio = {
  pluginVersion: '2.24.5',
  getControlLevel: (callback) => callback(1),
  getStatus: (callback) => callback({streaming: false, recording: false}),
};
"""


@pytest.fixture
def open_overlay(browser: Browser, house: House) -> Callable[..., Awaitable[Obs]]:
    async def open_overlay(*, in_obs: bool = True, storage: Any = None) -> Obs:
        context = await browser.new_context(viewport={"width": 1280, "height": 720}, storage_state=storage)
        await context.add_init_script((_OBS if in_obs else "") + _WATCH)
        page = await context.new_page()
        overlay = Obs(page)
        await page.goto(house.overlay_url)
        return overlay

    return open_overlay


async def stall_scripts(page: Page) -> None:
    """Scripts never arrive, as in a network that swallows them."""

    async def hold(_route: Route) -> None:
        await asyncio.Event().wait()

    await page.route("**/*.js", hold)
