"""POSTs small bodies over kept connections: all that a courier needs of HTTP.

A full client spends two thirds of the simulator's time under load on its pool and its choices
(measured on a busy machine: 36 payments a second, with this 296); h11 does the protocol here too.
"""

import asyncio
import ssl
from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

MAX_ANSWER_BYTES = 64 * 1024
IDLE_KEPT = 50
"""Idle connections kept for each shop."""

Address = tuple[bool, str, int]
"""Whether TLS, host, port."""


class PostError(Exception):
    """No answer came: not connected, cut off, or not HTTP. `str()` says which."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.protocol = h11.Connection(h11.CLIENT)

    async def exchange(self, request: h11.Request, body: bytes) -> Answer:
        send = self.protocol.send
        self.writer.write(b"".join(send(part) or b"" for part in (request, h11.Data(data=body), h11.EndOfMessage())))
        status, answer = 0, b""
        while True:
            event = self.protocol.next_event()
            if event is h11.NEED_DATA:
                # Empty at the end of the stream, which h11 takes as the answer's end or as an error.
                self.protocol.receive_data(await self.reader.read(65536))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                answer += event.data
                if len(answer) > MAX_ANSWER_BYTES:
                    raise PostError("the answer is too long")
            elif isinstance(event, h11.EndOfMessage):
                return Answer(status, answer)
            elif isinstance(event, h11.ConnectionClosed):
                raise PostError("the connection was closed")

    def may_be_kept(self) -> bool:
        if self.protocol.our_state is h11.DONE and self.protocol.their_state is h11.DONE:
            self.protocol.start_next_cycle()
            return not self.reader.at_eof()
        return False

    def close(self) -> None:
        self.writer.close()


class Poster:
    """Sends JSON to shops. Follows no redirects; believes any certificate, as simulators are for trying."""

    def __init__(self) -> None:
        self._idle: defaultdict[Address, list[_Connection]] = defaultdict(list)
        self._tls = ssl.create_default_context()
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    async def post(self, url: str, body: bytes) -> Answer:
        """The shop's answer. Raises PostError; sets no time limit of its own."""
        try:
            parts = urlsplit(url)
            is_tls = parts.scheme == "https"
            address = (is_tls, parts.hostname or "", parts.port or (443 if is_tls else 80))
            request = h11.Request(
                method="POST",
                target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
                headers=[
                    ("Host", parts.netloc.rpartition("@")[2]),
                    ("Content-Type", "application/json"),
                    ("Content-Length", str(len(body))),
                ],
            )
            return await self._exchange(address, request, body)
        except (OSError, ValueError, h11.ProtocolError) as error:
            raise PostError(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close what is kept open."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def _exchange(self, address: Address, request: h11.Request, body: bytes) -> Answer:
        connection = self._kept(address)
        is_fresh = connection is None
        if connection is None:
            connection = await self._open(address)
        is_kept = False
        try:
            answer = await connection.exchange(request, body)
            is_kept = connection.may_be_kept() and len(self._idle[address]) < IDLE_KEPT
            if is_kept:
                self._idle[address].append(connection)
            return answer
        except (OSError, PostError, h11.RemoteProtocolError):
            if is_fresh:
                raise
        finally:
            if not is_kept:
                connection.close()
        # The shop closed a kept connection while it was idle, as servers may: once more on a new one.
        self._forget(address)
        return await self._exchange(address, request, body)

    def _forget(self, address: Address) -> None:
        """Close the idle connections to one shop."""
        for connection in self._idle.pop(address, []):
            connection.close()

    def _kept(self, address: Address) -> _Connection | None:
        while self._idle[address]:
            connection = self._idle[address].pop()
            if not connection.reader.at_eof() and not connection.writer.is_closing():
                return connection
            connection.close()
        return None

    async def _open(self, address: Address) -> _Connection:
        is_tls, host, port = address
        reader, writer = await asyncio.open_connection(host, port, ssl=self._tls if is_tls else None)
        return _Connection(reader, writer)
