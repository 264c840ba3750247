"""HTTP to YooKassa's API v3: one call, one answer, nothing repeated.

HTTP Basic with shop id and secret key; every POST carries an Idempotence-Key, by which YooKassa knows a repeated
call for 24 hours (yookassa.ru/developers/using-api/interaction-format).
"""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import httpx

from providers.json_body import parse_body
from providers.outcomes import ProviderTemporaryError, ProviderUnknownOutcomeError
from providers.provider import Credentials
from providers.yookassa.errors import error_for

logger = logging.getLogger(__name__)


class YooKassaClient:
    """YooKassa over somebody else's `httpx.AsyncClient`, which decides on pools and certificates."""

    def __init__(
        self, http: httpx.AsyncClient, api_url: str, *, timeout_seconds: float, connect_timeout_seconds: float
    ) -> None:
        """`api_url` ends in `/v3`; `timeout_seconds` bounds a whole call, connecting included."""
        self._http = http
        self._api_url = api_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._timeout = httpx.Timeout(timeout_seconds, connect=connect_timeout_seconds)

    async def get(self, call: str, credentials: Credentials, path: str) -> dict[str, Any]:
        """The object at `path`. `call` names the call in the log and for `error_for`."""
        return await self._send(call, credentials, "GET", path, {}, None)

    async def post(
        self, call: str, credentials: Credentials, path: str, body: dict[str, Any], *, key: str
    ) -> dict[str, Any]:
        """The object that the call made or changed. `key`: 64 ASCII characters at most; again is the same call."""
        headers = {"Idempotence-Key": key, "Content-Type": "application/json"}
        return await self._send(call, credentials, "POST", path, headers, json.dumps(body, ensure_ascii=False).encode())

    async def _send(
        self,
        call: str,
        credentials: Credentials,
        verb: str,
        path: str,
        headers: dict[str, str],
        content: bytes | None,
    ) -> dict[str, Any]:
        subject = headers.get("Idempotence-Key", path)
        started = monotonic()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                response = await self._http.request(
                    verb,
                    f"{self._api_url}{path}",
                    content=content,
                    headers={"Accept": "application/json", **headers},
                    auth=httpx.BasicAuth(credentials.key, credentials.secret),
                    timeout=self._timeout,
                    follow_redirects=False,
                )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            # Not a byte of the request has left, so nothing can have happened there.
            logger.warning("YooKassa %s %s: not reached (%s)", call, subject, type(error).__name__)
            raise ProviderTemporaryError("unreachable", f"{type(error).__name__}: {error}") from error
        except (httpx.RequestError, TimeoutError) as error:
            logger.warning("YooKassa %s %s: no answer (%s)", call, subject, type(error).__name__)
            raise ProviderUnknownOutcomeError("no_answer", f"{type(error).__name__}: {error}") from error
        logger.info(
            "YooKassa %s %s: HTTP %d, %.0f ms",
            call, subject, response.status_code, (monotonic() - started) * 1000,
        )  # fmt: skip
        if response.status_code != httpx.codes.OK:
            raise error_for(
                call, response.status_code, _error_object(response.content), changes_something=verb == "POST"
            )
        with reading(call):
            return parse_body(response.content)


@contextmanager
def reading(call: str) -> Iterator[None]:
    """Turns "this answer makes no sense" into an unknown outcome: YooKassa did something, but what?"""
    try:
        yield
    except KeyError as error:
        raise ProviderUnknownOutcomeError("bad_answer", f"{call}: {error} is missing") from error
    except ValueError as error:
        raise ProviderUnknownOutcomeError("bad_answer", f"{call}: {error}") from error


def _error_object(raw: bytes) -> dict[str, Any] | None:
    """YooKassa's own error; None if something in between answered for it."""
    try:
        body = parse_body(raw)
    except ValueError:
        return None
    return body if body.get("type") == "error" else None
