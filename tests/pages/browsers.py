"""A browser that walks all pages of the table, signed in as who may see them, and notes what goes wrong on the way."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from tests.pages.addresses import address_of, rules_of
from tests.pages.cast import OPERATOR, Cast
from tests.pages.routes import ROUTES, Route, Who
from tests.pages.stage import begin_again
from tests.web.conftest import PASSWORD

Scheme = Literal["light", "dark"]
Locale = Literal["ru", "en"]
PEOPLE = (Who.EVERYBODY, Who.STREAMER, Who.MODERATOR, Who.OPERATOR)
HEIGHTS = {360: 760, 1440: 900}


@dataclass
class Visit:
    """A page that is open."""

    name: str
    page: Page
    troubles: list[str] = field(default_factory=list)
    """What its scripts and requests did wrong."""


def pages_of(cast: Cast) -> list[tuple[str, str, Who]]:
    """Name, address and reader of every page of the table."""
    found = []
    for rule, method in rules_of(cast):
        route: Route = ROUTES[rule.endpoint]
        if method == "GET" and route.page:
            found.append((route.page, address_of(cast, rule, route), route.who))
    return sorted(found)


async def walk(
    browser: Browser, cast: Cast, *, width: int, scheme: Scheme, locale: Locale, only: Collection[str] = ()
) -> AsyncIterator[Visit]:
    """Every page (or those of these names), one after the other, as its reader sees it."""
    options: dict[str, Any] = {
        "viewport": {"width": width, "height": HEIGHTS[width]},
        "color_scheme": scheme,
        "locale": {"ru": "ru-RU", "en": "en-US"}[locale],
        "reduced_motion": "reduce",
    }
    async with _people(browser, cast, options) as people:
        for name, address, who in pages_of(cast):
            if only and name not in only:
                continue
            await begin_again(cast.site)
            page = await people[who].new_page()
            visit = Visit(name, page)
            _listen(visit, cast)
            await page.goto(cast.site.url + address)
            yield visit
            await page.close()


@asynccontextmanager
async def _people(browser: Browser, cast: Cast, options: dict[str, Any]) -> AsyncIterator[dict[Who, BrowserContext]]:
    contexts = {who: await browser.new_context(**options) for who in PEOPLE}
    for who, email in ((Who.STREAMER, f"{cast.streamer.slug}@example.org"), (Who.OPERATOR, OPERATOR)):
        answer = await contexts[who].request.post(
            f"{cast.site.url}/sign-in",
            form={"email": email, "password": PASSWORD},
            headers={"Origin": cast.site.url},
            max_redirects=0,
        )
        assert answer.status == 303, await answer.text()
    session = cast.moderators["all"].session
    await contexts[Who.MODERATOR].add_cookies([{"name": "moderator", "value": session, "url": cast.site.url}])
    contexts[Who.USER], contexts[Who.SECRET] = contexts[Who.STREAMER], contexts[Who.EVERYBODY]
    yield contexts
    for context in set(contexts.values()):
        await context.close()


def _listen(visit: Visit, cast: Cast) -> None:
    def said(message: ConsoleMessage) -> None:
        # Realtime is not there in these tests: its socket is refused again and again.
        if message.type == "error" and "/socket.io/" not in message.text:
            visit.troubles.append(f"console: {message.text}")

    def asked(request: Request) -> None:
        if not request.url.startswith((cast.site.url, "data:", "blob:")):
            visit.troubles.append(f"another origin: {request.url}")

    visit.page.on("console", said)
    visit.page.on("pageerror", lambda error: visit.troubles.append(f"script: {error}"))
    visit.page.on("request", asked)
    visit.page.on("dialog", lambda dialog: visit.troubles.append(f"dialog: {dialog.message}"))
