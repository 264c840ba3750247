"""A stranger's application and a streamer who is asked, through real HTTP."""

import html
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from domain import applications
from domain.access_tokens import find_access
from domain.streamers import Streamer
from domain.tokens import hash_token
from tests.support.site import Site

BACK = "https://bot.example.org/back"
SCOPES = "donations:read stats:read"


Changes = dict[str, str | None]


@dataclass
class Program:
    """An application, as its maker runs it."""

    site: Site
    id: int
    client_id: str
    secret: str | None
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def request(self, **changed: str | None) -> dict[str, str]:
        """The parameters of an authorization request; None leaves one out."""
        fields = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": BACK,
            "scope": SCOPES,
            "state": "what it was about & ю",
            "code_challenge": create_s256_code_challenge(self.verifier),
            "code_challenge_method": "S256",
            **changed,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def address(self, **changed: str | None) -> str:
        return f"/oauth/authorize?{urlencode(self.request(**changed))}"

    @property
    def credentials(self) -> dict[str, str]:
        return {"client_id": self.client_id} | ({} if self.secret is None else {"client_secret": self.secret})

    async def post(self, path: str, form: dict[str, Any], **more: Any) -> httpx.Response:
        answer = await self.site.client.post(path, data=form, **more)
        assert answer.headers["Content-Type"].startswith("application/"), answer.text
        assert "no-store" in answer.headers["Cache-Control"]
        return answer

    async def exchange(self, code: str | None, **changed: str | None) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": self.verifier,
            **self.credentials,
            **changed,
        }
        return await self.post("/oauth/token", {name: value for name, value in form.items() if value is not None})

    async def refresh(self, token: str, **changed: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token, **self.credentials, **changed}
        return await self.post("/oauth/token", form)

    async def revoke(self, token: str, **changed: str) -> httpx.Response:
        return await self.post("/oauth/revoke", {"token": token, **self.credentials, **changed})

    async def given(self, her: httpx.AsyncClient, **changed: str | None) -> dict[str, Any]:
        """She allows it; the tokens."""
        answer = await self.exchange(await code_from(her, self, **changed))
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens


async def register(
    site: Site, owner: Streamer, *, is_public: bool = False, uris: tuple[str, ...] = (BACK,), name: str = "Чат-бот"
) -> Program:
    fields = applications.check_fields(name, "https://bot.example.org", uris)
    async with site.pool.acquire() as connection, connection.transaction():
        made = await applications.create_application(connection, owner.owner_id, fields, is_public=is_public)
    return Program(site, made.id, made.client_id, made.secret)


def fields_of(page: str) -> dict[str, str]:
    """What the consent's form says again."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found}


async def decide(her: httpx.AsyncClient, address: str, decision: str = "allow") -> dict[str, str]:
    """Open the page, press a button; what the browser takes back, "" being where to."""
    page = await her.get(address)
    assert page.status_code == 200, page.text
    answer = await her.post("/oauth/authorize", data={**fields_of(page.text), "decision": decision})
    assert answer.status_code == 303, answer.text
    where, _, query = answer.headers["Location"].partition("?")
    return {"": where, **dict(parse_qsl(query, keep_blank_values=True))}


async def code_from(her: httpx.AsyncClient, program: Program, **changed: str | None) -> str:
    return (await decide(her, program.address(**changed)))["code"]


async def opens(site: Site, token: str) -> bool:
    """Whether this bearer is good at this moment."""
    async with site.pool.acquire() as connection:
        return await find_access(connection, hash_token(token)) is not None


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error", "")
