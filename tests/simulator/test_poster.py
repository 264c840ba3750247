"""The courier's way of speaking HTTP: kept connections, odd answers, shops that hang up."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from simulator.poster import Answer, Poster, PostError


@asynccontextmanager
async def shop_answering(*scripts: list[bytes]) -> AsyncGenerator[str, None]:
    """A shop whose n-th connection answers its requests with the n-th script, then hangs up."""
    waiting = list(scripts)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in waiting.pop(0) if waiting else []:
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/notifications?from=bank"


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


async def test_a_connection_is_kept_and_replaced_when_the_shop_closed_it() -> None:
    poster = Poster()
    async with shop_answering([OK, OK], [OK]) as url:
        assert [await poster.post(url, b"{}") for _ in range(3)] == [Answer(200, b"OK")] * 3
        with pytest.raises(PostError):
            await poster.post(url, b"{}")
    poster.close()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n", Answer(200, b"OK")),
        (b"HTTP/1.0 200 OK\r\n\r\nOK", Answer(200, b"OK")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Answer(204, b"")),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", Answer(302, b"")),
    ],
)
async def test_answers_come_in_many_forms(answer: bytes, expected: Answer) -> None:
    poster = Poster()
    async with shop_answering([answer]) as url:
        assert await poster.post(url, b"{}") == expected
    poster.close()


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0 hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nOK", OK[:-1]]
)
async def test_what_is_no_answer_is_an_error(answer: bytes) -> None:
    poster = Poster()
    async with shop_answering([answer]) as url:
        with pytest.raises(PostError):
            await poster.post(url, b"{}")
    poster.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://[broken/", "http://127.0.0.1:99999/", "nowhere"])
async def test_an_address_that_leads_nowhere_is_an_error(url: str) -> None:
    with pytest.raises(PostError):
        await Poster().post(url, b"{}")
