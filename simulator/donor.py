"""A donor with a browser that runs no scripts: fills the form, waits for the link, pays at the simulated bank."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx

PAUSE_SECONDS = 0.5
WAIT_SECONDS = 30.0
"""Longer than the site keeps a waiting page."""


class DonorError(Exception):
    """The site or the bank did not do what its pages promise; the message says which."""


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Page:
    """What a donor finds on a page."""

    forms: list[Form] = field(default_factory=list)
    bank_link: str | None = None
    """To the bank's page, where one pays by card."""
    next_look: str | None = None
    """Where the page would ask for its next state; None: what it says is final."""
    is_paid: bool = False

    def has_form(self, action_end: str) -> bool:
        return any(form.action.endswith(action_end) for form in self.forms)

    def form(self, action_end: str) -> Form:
        for form in self.forms:
            if form.action.endswith(action_end):
                return form
        raise DonorError(f"the page has no form for …{action_end}")


def read_page(html: str) -> Page:
    reader = _Reader()
    reader.feed(html)
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        classes = values.get("class", "").split()
        if tag == "form":
            self.page.forms.append(Form(values.get("action", "")))
        elif tag == "input" and self.page.forms and values.get("type") in ("hidden", "checkbox"):
            # A donor ticks what has to be ticked; "anonymously" need not be.
            if values.get("type") == "hidden" or "required" in values:
                self.page.forms[-1].fields[values["name"]] = values["value"]
        elif tag == "a" and ("main" in classes or "other" in classes):
            # Where SBP is the main way, the bank's page is the other one, and comes later.
            self.page.bank_link = values["href"]
        elif tag == "svg" and "check" in classes:
            self.page.is_paid = True
        if "data-live" in values:
            self.page.next_look = values["hx-get"]


class Donor:
    """Patient: what fails because a program is away or restarts is tried again, as often as the caller waits."""

    def __init__(self, http: httpx.AsyncClient, donate_url: str) -> None:
        self._http = http
        self._donate_url = donate_url

    async def wish(self, *, amount: str, name: str, message: str) -> str:
        """Fill in and send the form; returns the address of the donation's page."""
        form_page = await self._send("GET", self._donate_url)
        form = read_page(form_page.text).form("/donate/" + self._donate_url.rpartition("/")[2])
        # The form's key makes one donation of it, however often it is sent.
        answer = await self._send(
            "POST",
            self._donate_url,
            data={**form.fields, "amount": amount, "name": name, "message": message},
            headers={"Origin": urljoin(self._donate_url, "/").rstrip("/")},
        )
        if answer.status_code != 303:
            raise DonorError(f"the form was answered with {answer.status_code}")
        return urljoin(self._donate_url, answer.headers["Location"])

    async def find_bank(self, page_url: str) -> str:
        """Wait on the donation's page until it has the link to pay by."""
        page = await self.look(page_url)
        while page.bank_link is None:
            page = await self.wait(page_url, page)
        return page.bank_link

    async def look(self, page_url: str) -> Page:
        """The donation's page as it is now."""
        return read_page((await self._send("GET", page_url)).text)

    async def ask_for_new_link(self, page_url: str) -> None:
        """Press "try again". Raises DonorError when the site says no."""
        origin = urljoin(page_url, "/").rstrip("/")
        await self._send("POST", f"{page_url}/retry", headers={"Origin": origin})

    async def pay(self, payment_url: str) -> float:
        """Press "pay by card" on the bank's page and wait to be sent back; returns when it was pressed.

        That is a time of `time.perf_counter`, in seconds.
        """
        return await self.press(payment_url, "card")

    async def press(self, payment_url: str, button: str) -> float:
        """Press any button of the bank's page; returns when."""
        page = read_page((await self._send("GET", payment_url)).text)
        address = urljoin(payment_url, page.form(f"/{button}").action)
        pressed_at = time.perf_counter()
        answer = await self._send("POST", address, headers={"Origin": urljoin(payment_url, "/").rstrip("/")})
        if answer.status_code != 303:
            raise DonorError(f"the bank answered {answer.status_code}")
        return pressed_at

    async def wait_until_shown(self, page_url: str) -> None:
        """Follow the donation's page until it says its last word. Raises DonorError if that is not "paid"."""
        page = await self.look(page_url)
        while page.next_look is not None:
            page = await self.wait(page_url, page)
        if not page.is_paid:
            raise DonorError("the donation's page does not say that it is paid")

    async def wait(self, page_url: str, page: Page) -> Page:
        """The page's next state, or the same page when there was nothing new for a while."""
        if page.next_look is None:
            raise DonorError("the donation's page stopped without a link to pay by")
        answer = await self._send("GET", urljoin(page_url, page.next_look), headers={"HX-Request": "true"})
        # 204: nothing new yet.
        return page if answer.status_code == 204 else read_page(answer.text)

    async def _send(
        self, method: str, url: str, *, data: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        while True:
            try:
                answer = await self._http.request(method, url, data=data, headers=headers, timeout=WAIT_SECONDS)
            except httpx.TransportError:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if answer.status_code < 500 and answer.status_code != 429:
                if answer.is_client_error:
                    raise DonorError(f"{method} {url} was answered with {answer.status_code}")
                return answer
            await asyncio.sleep(float(answer.headers.get("Retry-After", PAUSE_SECONDS)))
