"""A bank that gives one prepared answer, byte for byte, over a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class CannedBank:
    """Answers every request with `status` and `body`, or drops the connection, or stays silent."""

    def __init__(self) -> None:
        self.status = "200 OK"
        self.body = b"{}"
        self.body_of: dict[str, bytes] = {}
        """Answers of single methods, by the last part of the path; `body` is everybody else's."""
        self.drops = False
        self.is_silent = False
        self.url = ""
        self.requests: list[tuple[str, dict[str, Any]]] = []
        """Path and JSON body of what was asked, {} without a body."""
        self.heads: list[str] = []
        """The same requests' first lines and headers."""
        self._released = asyncio.Event()

    def answers(self, body: Any, status: str = "200 OK") -> None:
        self.status = status
        self.body = _bytes(body)

    def answers_to(self, method: str, body: Any) -> None:
        self.body_of[method] = _bytes(body)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lengths = [line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length")]
            body = await reader.readexactly(int(lengths[0])) if lengths else b"{}"
            self.heads.append(head)
            self.requests.append((head.split()[1], json.loads(body)))
            if self.is_silent:
                await self._released.wait()
            elif not self.drops:
                body = self.body_of.get(self.requests[-1][0].rsplit("/", 1)[-1], self.body)
                head = f"HTTP/1.1 {self.status}\r\nContent-Length: {len(body)}\r\nConnection: close"
                writer.write(head.encode() + b"\r\n\r\n" + body)
                await writer.drain()
        finally:
            writer.close()

    def release(self) -> None:
        self._released.set()


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()


@asynccontextmanager
async def listening(bank: CannedBank) -> AsyncIterator[str]:
    server = await asyncio.start_server(bank.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}/v2"
    finally:
        bank.release()
        server.close()
        await server.wait_closed()
