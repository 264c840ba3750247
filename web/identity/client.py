"""The three steps of OAuth 2 (RFC 6749, 7636): send the browser away, exchange the code it brings, ask who it is.

The parameters are Authlib's; the calls are httpx's, as everywhere here (decision 0032).
"""

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from providers.json_body import parse_body
from web.identity.providers import IdentityProvider, Person

TIMEOUT_SECONDS = 10.0
CODE_MAX_LENGTH = 2_048


class IdentityError(Exception):
    """The other site did not say who it is. `is_refusal`: its user, or it, said no; else it may be tried again."""

    def __init__(self, why: str, *, is_refusal: bool = False) -> None:
        super().__init__(why)
        self.is_refusal = is_refusal


@dataclass(frozen=True)
class Start:
    """Where the browser goes, and what must be remembered until it is back."""

    url: str
    state: str
    verifier: str


def start(provider: IdentityProvider, redirect_url: str) -> Start:
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    url = prepare_grant_uri(
        provider.authorize_url,
        client_id=provider.client_id,
        response_type="code",
        redirect_uri=redirect_url,
        scope=provider.scope,
        state=state,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
    )
    return Start(str(url), state, verifier)


async def find_person(
    http: httpx.AsyncClient,
    provider: IdentityProvider,
    *,
    code: str,
    device_id: str,
    state: str,
    verifier: str,
    redirect_url: str,
) -> Person:
    """Who brought this code. Raises IdentityError. `device_id` is VK ID's, given back to it with the code."""
    if not code or len(code) > CODE_MAX_LENGTH or len(device_id) > CODE_MAX_LENGTH:
        raise IdentityError("no code")
    form = {
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
        "code": code,
        "code_verifier": verifier,
        "device_id": device_id,
    }
    if device_id:
        form["state"] = state
    body = prepare_token_request("authorization_code", redirect_uri=redirect_url, **form)
    answer = await _call(http, "POST", provider.token_url, data=dict(parse_qsl(body)))
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise IdentityError("no access token", is_refusal="error" in answer)
    try:
        return provider.read_person(await _ask(http, provider, token))
    except (KeyError, TypeError, ValueError) as error:
        raise IdentityError(f"it does not say who it is: {type(error).__name__}") from error


async def _ask(http: httpx.AsyncClient, provider: IdentityProvider, token: str) -> dict[str, Any]:
    if provider.asks_by == "form":
        form = {"client_id": provider.client_id, "access_token": token}
        return await _call(http, "POST", provider.person_url, data=form)
    scheme = "OAuth" if provider.asks_by == "oauth" else "Bearer"
    return await _call(http, "GET", provider.person_url, headers={"Authorization": f"{scheme} {token}"})


async def _call(http: httpx.AsyncClient, method: str, url: str, **more: Any) -> dict[str, Any]:
    try:
        answer = await http.request(method, url, timeout=TIMEOUT_SECONDS, follow_redirects=False, **more)
        if answer.status_code >= 500:
            raise IdentityError(f"HTTP {answer.status_code}")
        return parse_body(answer.content)
    except (httpx.HTTPError, ValueError) as error:
        # No more than the kind of error: an answer or an address may hold the code.
        raise IdentityError(type(error).__name__) from error
