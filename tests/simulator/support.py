"""The simulated bank on a real socket, a shop that it notifies, and T-Bank's own OpenAPI document."""

import asyncio
import json
import os
import socket
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from hypercorn.asyncio import serve
from hypercorn.config import Config
from jsonschema import Draft4Validator, ValidationError

from infra.settings import ROOT
from providers.outcomes import RefusalReason
from providers.tbank.errors import REASONS
from providers.tbank.signing import sign
from simulator.app import create_app

PASSWORD = "TinkoffBankTest"
"""Of the bank's public test terminal, which has the same name."""


class Clock:
    """The simulator's time: ours, moved ahead by hand."""

    def __init__(self) -> None:
        self.ahead_seconds = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_seconds


class Shop:
    """Takes notifications and answers what it is told to, `OK` by itself."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.answers: list[tuple[int, bytes]] = []
        """What to answer next; empty means HTTP 200 and `OK`."""
        self.is_silent = False
        self._closing = asyncio.Event()

    @property
    def statuses(self) -> list[str]:
        return [notification["Status"] for notification in self.received]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
            length = next(int(line.split(":")[1]) for line in head if line.startswith("content-length"))
            body = await reader.readexactly(length)
            self.bodies.append(body)
            self.received.append(json.loads(body))
            if self.is_silent:
                await self._closing.wait()
            else:
                status, answer = self.answers.pop(0) if self.answers else (200, b"OK")
                lines = f"HTTP/1.1 {status} x\r\nContent-Length: {len(answer)}\r\nConnection: close\r\n\r\n"
                writer.write(lines.encode() + answer)
                await writer.drain()
        finally:
            writer.close()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None, None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/notifications/tbank"
        async with server:
            yield
            self._closing.set()


class Simulator:
    """A running simulator, with its control API."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self.url = url
        self.http = http

    async def control(self, verb: str, path: str, /, **body: Any) -> dict[str, Any]:
        """Call the control API; anything but success fails the test with the answer."""
        response = await self.http.request(verb, f"{self.url}/_sim/{path}", json=body or None)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def payment(self, payment_id: str) -> dict[str, Any]:
        return await self.control("GET", f"payments/{payment_id}")

    async def until(self, payment_id: str, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The payment as soon as it is so; the tests' own time limit ends a wait in vain."""
        while True:
            payment = await self.payment(payment_id)
            if is_so(payment):
                return payment
            await asyncio.sleep(0.02)


async def call(simulator: Simulator, method: str, fields: dict[str, Any], token: str | None = None) -> Any:
    """What the bank answers; signed for its public test terminal, unless there is another Token ("": none)."""
    body = {"TerminalKey": "TinkoffBankTest", **fields}
    if token != "":
        body["Token"] = token or sign({k: v for k, v in body.items() if k != "Password"}, PASSWORD)
    response = await simulator.http.post(f"{simulator.url}/v2/{method}", json=body)
    assert response.status_code == 200
    return response.json()


async def refusal_of(simulator: Simulator, method: str, fields: dict[str, Any], token: str | None = None) -> str:
    """The code of a refused call, which has four fields and no more."""
    answer = await call(simulator, method, fields, token)
    assert answer.keys() == {"Success", "ErrorCode", "Message", "Details"}
    assert answer["Success"] is False
    return str(answer["ErrorCode"])


@asynccontextmanager
async def running_simulator(
    database: Path, clock: Clock, retry_seconds: float = 0.05
) -> AsyncGenerator[Simulator, None]:
    """Serve the simulator over `database` on a free port until the block ends, then look at all that was said."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.graceful_timeout = 0.5
    config.errorlog = None
    stopped = asyncio.Event()
    app = create_app(database, retry_seconds=retry_seconds, now=clock)
    server = asyncio.create_task(serve(app, config, shutdown_trigger=stopped.wait))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        async with httpx.AsyncClient(timeout=30) as http:
            while True:
                try:
                    await http.get(f"{url}/_sim/health")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.01)
            yield Simulator(url, http)
    finally:
        stopped.set()
        await server
        listener.detach()
    assert_exchanges_fit(database)


@cache
def openapi() -> dict[str, Any]:
    """T-Bank's OpenAPI document 1.80, which is not ours to keep in the repository."""
    default = ROOT.parent / "shared" / "contracts" / "tbank-openapi-1.80.json"
    path = Path(os.environ.get("TBANK_OPENAPI") or default)
    assert path.is_file(), (
        f"T-Bank's OpenAPI document is not at {path}. Set TBANK_OPENAPI to the path of"
        " tbank-openapi-1.80.json (T-Bank publishes it with its acquiring documentation)."
    )
    document: dict[str, Any] = json.loads(path.read_text())
    schemas = document["components"]["schemas"]
    # It allows exactly one of several shapes for Init's DATA, and its own example has two of them.
    data = schemas["Init_FULL"]["properties"]["DATA"]
    data["anyOf"] = data.pop("oneOf")
    # It wants a RequestKey of every QR, and says that only the linking of an account gives one.
    schemas["QrResponse_FULL"]["required"].remove("RequestKey")
    # It is older than the taxes of 2026.
    for items in ("Items_FFD_105", "Items_FFD_12"):
        schemas[items]["properties"]["Tax"]["enum"] += ["vat22", "vat122"]
    return document


UNDOCUMENTED = frozenset({"Resend"})
"""Methods that are not in the document, though in use."""


REFUSED_UNREAD = frozenset().union(
    REASONS[RefusalReason.BAD_REQUEST],
    REASONS[RefusalReason.DUE_DATE],
    REASONS[RefusalReason.CREDENTIALS],
    REASONS[RefusalReason.RECEIPT],
)
"""What a request is refused with that the bank's document does not allow, or that nobody has signed."""


def assert_exchanges_fit(database: Path) -> None:
    """Fail unless T-Bank's document allows every answer the simulator gave, and every request it took."""
    with closing(sqlite3.connect(database)) as connection:
        exchanges = connection.execute("SELECT method, body, answer FROM requests ORDER BY id").fetchall()
    for method, raw, text in exchanges:
        answer = json.loads(text)
        if "fault" in answer or method in UNDOCUMENTED:
            # The bank broke down before it looked, and answered nothing that is in its document.
            continue
        try:
            assert_answer_fits(method, answer)
            if answer["Success"] or answer["ErrorCode"] not in REFUSED_UNREAD:
                assert_request_fits(method, json.loads(raw))
        except (AssertionError, ValidationError) as error:
            reason = error.message if isinstance(error, ValidationError) else error
            raise AssertionError(f"{method} {raw.decode(errors='replace')} was answered {text}: {reason}") from None


def assert_request_fits(method: str, body: dict[str, Any]) -> None:
    """Fail unless T-Bank's document allows this request."""
    payment_id = body.get("PaymentId")
    if isinstance(payment_id, int | str) and not isinstance(payment_id, bool):
        # Text in the document, a number for GetQr; the bank takes both, and signs both alike (fact sheet 1.2, V2).
        body = {**body, "PaymentId": int(payment_id) if method == "GetQr" else str(payment_id)}
    _assert_fits(openapi()["paths"][f"/v2/{method}"]["post"]["requestBody"]["content"], body)


def assert_answer_fits(method: str, body: dict[str, Any]) -> None:
    """Fail unless T-Bank's document allows this answer."""
    content = openapi()["paths"][f"/v2/{method}"]["post"]["responses"]["200"]["content"]
    # The document has one shape for an answer, with everything about the payment in it. A refused call was seen to
    # have four fields and no more (fact sheet 2); what a payment was refused with comes in the whole shape.
    is_refusal = body.keys() == {"Success", "ErrorCode", "Message", "Details"} and body["Success"] is False
    if is_refusal:
        # Two of SBP's methods have no Details in the document; the refusals seen in life had them all the same.
        assert isinstance(body["Details"], str)
        body = {name: value for name, value in body.items() if name != "Details"}
    _assert_fits(content, body, complete=not is_refusal)


def assert_notification_fits(body: dict[str, Any]) -> None:
    """Fail unless T-Bank's document knows every field of this notification, with its type."""
    schema = openapi()["components"]["schemas"]["NotificationPayment"]
    assert set(body) <= set(schema["properties"])
    _validate(schema, body)


def _assert_fits(content: dict[str, Any], body: dict[str, Any], *, complete: bool = True) -> None:
    schema = _resolve(content["application/json"]["schema"])
    if not complete:
        schema = {name: value for name, value in schema.items() if name != "required"}
    _validate(schema, body)
    _assert_known(schema, body)


def _assert_known(schema: dict[str, Any], body: dict[str, Any]) -> None:
    """No field, nor one of the objects in a list, that the document does not have."""
    assert body.keys() <= schema["properties"].keys(), "the document knows no such field"
    for name, value in body.items():
        items = _resolve(_resolve(schema["properties"][name]).get("items", {}))
        if isinstance(value, list) and "properties" in items:
            for item in value:
                _assert_known(items, item)


def _resolve(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema
    while "$ref" in found:
        found = openapi()["components"]["schemas"][found["$ref"].rsplit("/", 1)[1]]
    return found


def _validate(schema: dict[str, Any], body: dict[str, Any]) -> None:
    # References look like "#/components/…": the components travel with each schema.
    Draft4Validator({**schema, "components": openapi()["components"]}).validate(body)
