"""Requests to strangers' addresses: what is called, what is never called, and what comes of every kind of answer."""

import asyncio
import datetime
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from infra.outgoing import ANSWER_MAX_BYTES, Answer, NotSentError, Outgoing, is_allowed_port, is_public

HOST = "receiver.example"
PUBLIC = "93.184.216.34"
Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.mark.parametrize(
    "text", ["93.184.216.34", "8.8.8.8", "2a00:1450:4010:c05::65", "2606:4700::1111", "1.1.1.1", "223.255.255.1"]
)
def test_hosts_of_the_internet_are_called(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.127.255.255", "100.100.100.200", "192.0.0.192", "192.88.99.1",
        "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.5", "224.0.0.1", "239.255.255.250",
        "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:93.184.216.34", "::127.0.0.1", "::5db8:d822",
        "64:ff9b::7f00:1", "64:ff9b::5db8:d822", "64:ff9b:1::1", "2002:7f00:1::", "2002:5db8:d822::1",
        "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "3fff::1", "fe80::1", "fe80::1%lo",
        "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "100::1", "5f00::1",
    ],
)  # fmt: skip
def test_nothing_nearer_is_called(text: str) -> None:
    assert not is_public(ip_address(text))


def test_ports_of_well_known_services_are_not_called() -> None:
    assert [port for port in (0, 22, 25, 80, 443, 993, 1023, 1024, 8443, 65535) if is_allowed_port(port)] == [
        443, 1024, 8443, 65535,
    ]  # fmt: skip


# Calling: names lead where a test says, and connections to public addresses end at a server of the test's.


class Names:
    """A name server. Each answer is used once, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def resolve(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        if host != HOST:
            raise OSError("unknown host")
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class Wires(httpcore.AsyncNetworkBackend):
    """Connects to the server of the test, and remembers which address was wanted."""

    def __init__(self, port: int, *, dead: frozenset[str] = frozenset(), silent: frozenset[str] = frozenset()) -> None:
        self._port = port
        self._dead = dead
        self._silent = silent
        self._real = httpcore.AnyIOBackend()
        self.wanted: list[str] = []

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        assert port == 443
        self.wanted.append(host)
        if host in self._dead:
            raise httpcore.ConnectError("dead")
        if host in self._silent:
            await asyncio.sleep(3600)
        return await self._real.connect_tcp("127.0.0.1", self._port)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A certificate of HOST, and of another host, each its own authority."""
    folder = tmp_path_factory.mktemp("tls")
    return {name: _certificate(folder, name) for name in (HOST, "other.example")}


def _certificate(folder: Path, host: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@asynccontextmanager
async def receiver(speak: Speak, certificate: Path | None = None) -> AsyncIterator[int]:
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await speak(reader, writer)
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(head.lower().partition("content-length: ")[2].partition("\r")[0])
    return head, await reader.readexactly(length)


def answering(answer: bytes, heard: list[tuple[str, bytes]] | None = None) -> Speak:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _read_request(reader)
        if heard is not None:
            heard.append(request)
        writer.write(answer)
        await writer.drain()

    return speak


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


@asynccontextmanager
async def calling(
    speak: Speak,
    certificate: Path,
    names: Names,
    *,
    trusted: Path | None = None,
    dead: frozenset[str] = frozenset(),
    silent: frozenset[str] = frozenset(),
    own_hosts: tuple[str, ...] = (),
) -> AsyncIterator[tuple[Outgoing, Wires]]:
    async with receiver(speak, certificate) as port:
        wires = Wires(port, dead=dead, silent=silent)
        outgoing = Outgoing(
            own_hosts=own_hosts, ssl_context=trusting(trusted or certificate), resolve=names.resolve, connect=wires
        )
        yield outgoing, wires
        outgoing.close()


async def test_the_address_that_was_looked_at_is_called_under_the_hosts_name(authority: dict[str, Path]) -> None:
    heard: list[tuple[str, bytes]] = []
    names = Names([PUBLIC])
    async with calling(answering(OK, heard), authority[HOST], names) as (outgoing, wires):
        answer = await outgoing.post(f"https://{HOST}/hook?a=1", {"webhook-id": "x"}, b"body")
    assert (answer.status, answer.start) == (200, b"ok")
    assert wires.wanted == [PUBLIC]
    ((head, body),) = heard
    assert head.startswith("POST /hook?a=1 HTTP/1.1\r\n")
    assert f"host: {HOST}\r\n" in head.lower()
    assert "webhook-id: x\r\n" in head
    assert body == b"body"


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"], ["10.0.0.7"], ["169.254.169.254"], ["::1"], ["::ffff:127.0.0.1"], ["fe80::1%lo"],
        ["64:ff9b::a00:1"],
        # One of several is enough, wherever it stands.
        [PUBLIC, "127.0.0.1"], ["192.168.0.1", PUBLIC], ["2a00:1450:4010:c05::65", "fd00::1"], ["no address"],
    ],
)  # fmt: skip
async def test_names_that_lead_inside_are_not_called(authority: dict[str, Path], found: list[str]) -> None:
    async with calling(answering(OK), authority[HOST], Names(found)) as (outgoing, wires):
        with pytest.raises(NotSentError) as caught:
            await outgoing.post(f"https://{HOST}/", {}, b"")
    assert caught.value.reason == "forbidden"
    assert wires.wanted == []


async def test_a_name_that_leads_elsewhere_a_moment_later_is_looked_at_each_time(authority: dict[str, Path]) -> None:
    names = Names([PUBLIC], ["127.0.0.1"])
    async with calling(answering(OK), authority[HOST], names) as (outgoing, wires):
        await outgoing.post(f"https://{HOST}/", {}, b"")
        # Asked once a call: what is connected to is what was looked at.
        assert names.asked == [HOST]
        with pytest.raises(NotSentError, match="forbidden"):
            await outgoing.post(f"https://{HOST}/", {}, b"")
    assert wires.wanted == [PUBLIC]


async def test_we_do_not_call_ourselves(authority: dict[str, Path]) -> None:
    for own, called in ((HOST, f"https://{HOST}/"), (HOST, f"https://{HOST.upper()}./")):
        async with calling(answering(OK), authority[HOST], Names([PUBLIC]), own_hosts=(own,)) as (outgoing, wires):
            with pytest.raises(NotSentError, match="forbidden"):
                await outgoing.post(called, {}, b"")
        assert wires.wanted == []


async def test_nor_another_name_of_ours() -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return [PUBLIC]

    outgoing = Outgoing(own_hosts=("we.example",), resolve=resolve, connect=Wires(1))
    with pytest.raises(NotSentError, match="forbidden"):
        await outgoing.post("https://alias.example/", {}, b"")
    outgoing.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://receiver.example/", "https://receiver.example:22/", "https://receiver.example:99999/",
        "https://u:p@receiver.example/", "ftp://receiver.example/", "https://127.0.0.1/", "https://[::1]/",
        "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://localhost/",
    ],
)  # fmt: skip
async def test_what_should_not_have_been_stored_is_not_called_either(url: str) -> None:
    # With the system's own names: numbers of every form are read by it.
    wires = Wires(1)
    if HOST in url:
        outgoing = Outgoing(own_hosts=(), resolve=Names([PUBLIC]).resolve, connect=wires)
    else:
        outgoing = Outgoing(own_hosts=(), connect=wires)
    with pytest.raises(NotSentError) as caught:
        await outgoing.post(url, {}, b"")
    outgoing.close()
    assert caught.value.reason == "forbidden"
    assert wires.wanted == []


async def test_an_unknown_host_and_one_whose_name_server_is_silent() -> None:
    async def silent(_host: str, _port: int) -> list[str]:
        await asyncio.sleep(60)
        return []

    outgoing = Outgoing(own_hosts=(), resolve=Names([PUBLIC]).resolve)
    with pytest.raises(NotSentError, match="dns"):
        await outgoing.post("https://nobody.example/", {}, b"")
    outgoing.close()
    outgoing = Outgoing(own_hosts=(), resolve=silent)
    with pytest.raises(NotSentError, match="timeout"):
        await outgoing.post(f"https://{HOST}/", {}, b"", timeout_seconds=0.2)
    outgoing.close()


async def test_the_next_address_is_tried_when_one_is_dead(authority: dict[str, Path]) -> None:
    names = Names(["93.184.216.1", PUBLIC])
    dead = frozenset(["93.184.216.1"])
    async with calling(answering(OK), authority[HOST], names, dead=dead) as (outgoing, wires):
        assert (await outgoing.post(f"https://{HOST}/", {}, b"")).status == 200
    assert wires.wanted == ["93.184.216.1", PUBLIC]


@pytest.mark.parametrize("silent", [["2a00:1450:4010:c05::65"], [f"93.184.216.{number}" for number in range(20)]])
async def test_silent_addresses_leave_time_for_the_one_that_answers(
    authority: dict[str, Path], silent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.outgoing.CONNECT_SECONDS", 0.3)
    monkeypatch.setattr("infra.outgoing.CONNECT_ALL_SECONDS", 0.6)
    names = Names([*silent, PUBLIC])
    async with calling(answering(OK), authority[HOST], names, silent=frozenset(silent)) as (outgoing, wires):
        assert (await outgoing.post(f"https://{HOST}/", {}, b"", timeout_seconds=5.0)).status == 200
    assert wires.wanted == [*silent, PUBLIC]


async def test_the_last_address_has_the_time_that_is_left(
    authority: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.outgoing.CONNECT_SECONDS", 0.0)
    names = Names(["93.184.216.1", PUBLIC])
    silent = frozenset(["93.184.216.1"])
    async with calling(answering(OK), authority[HOST], names, silent=silent) as (outgoing, _):
        assert (await outgoing.post(f"https://{HOST}/", {}, b"")).status == 200


async def test_the_certificate_must_be_the_hosts_own(authority: dict[str, Path]) -> None:
    for certificate, trusted in (
        (authority["other.example"], authority["other.example"]),
        (authority[HOST], authority["other.example"]),
    ):
        async with calling(answering(OK), certificate, Names([PUBLIC]), trusted=trusted) as (outgoing, _):
            with pytest.raises(NotSentError) as caught:
                await outgoing.post(f"https://{HOST}/", {}, b"")
        assert caught.value.reason == "tls"
        assert caught.value.detail


# What receivers do, over a plain connection in development.


async def post(speak: Speak, *, timeout_seconds: float = 20.0) -> Answer:
    async with receiver(speak) as port:
        outgoing = Outgoing(own_hosts=(), allows_loopback=True)
        try:
            return await outgoing.post(f"http://127.0.0.1:{port}/", {}, b"{}", timeout_seconds=timeout_seconds)
        finally:
            outgoing.close()


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    heard: list[tuple[str, bytes]] = []
    answer = await post(
        answering(b"HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/\r\ncontent-length: 0\r\n\r\n", heard)
    )
    assert answer.status == 302
    assert len(heard) == 1


async def test_of_a_huge_answer_the_first_bytes_are_read() -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await _read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent += 65_536

    answer = await post(flood)
    assert answer.start == b"x" * ANSWER_MAX_BYTES
    assert sent < 50_000_000


async def test_an_answer_cut_off_in_its_body_counts_by_its_status() -> None:
    answer = await post(answering(b"HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\nhalf"))
    assert (answer.status, answer.start) == (500, b"half")


async def _hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await _read_request(reader)
    await asyncio.sleep(60)


async def _trickle_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x-a: b\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _trickle_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _stop_in_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n")
    await asyncio.sleep(60)


@pytest.mark.parametrize("speak", [_trickle_body, _stop_in_body])
# With time for the body, and with none left for it.
@pytest.mark.parametrize("body_seconds", [0.2, 60.0])
async def test_a_body_that_does_not_end_is_an_answer(
    speak: Speak, body_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.outgoing.BODY_SECONDS", body_seconds)
    answer = await post(speak, timeout_seconds=2.0)
    assert answer.status == 200
    assert set(answer.start) == {ord("x")}


async def _promise_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _read_request(reader)
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("speak", [_hang, _trickle_head, _promise_for_ever])
async def test_all_of_it_has_one_limit(speak: Speak) -> None:
    with pytest.raises(NotSentError) as caught:
        await post(speak, timeout_seconds=0.4)
    assert caught.value.reason == "timeout"
    assert caught.value.took_ms >= 350


@pytest.mark.parametrize(
    "answer",
    [
        b"\x16\x03\x01\x02\x00garbage\r\n\r\n", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 2x0 OK\r\n\r\n", b"",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 300_000, b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
    ],
    ids=["tls", "ssh", "no status", "nothing", "endless header", "bad header"],
)  # fmt: skip
async def test_what_is_no_http_is_no_answer(answer: bytes) -> None:
    with pytest.raises(NotSentError) as caught:
        await post(answering(answer))
    assert caught.value.reason in ("protocol", "connect")


async def test_nobody_listens() -> None:
    outgoing = Outgoing(own_hosts=(), allows_loopback=True)
    with pytest.raises(NotSentError) as caught:
        await outgoing.post("http://127.0.0.1:1/", {}, b"")
    outgoing.close()
    assert caught.value.reason == "connect"


async def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await post(answering(OK))).status == 200


async def test_a_name_server_that_hangs_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()
    asked: list[str] = []

    def hang(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        let_go.wait(60)
        return []

    monkeypatch.setattr("infra.outgoing.socket.getaddrinfo", hang)
    threads = ThreadPoolExecutor(4)
    asyncio.get_running_loop().set_default_executor(threads)
    outgoing = Outgoing(own_hosts=())
    asking = asyncio.gather(
        *(outgoing.post(f"https://{HOST}/", {}, b"", timeout_seconds=60) for _ in range(8)), return_exceptions=True
    )
    try:
        async with asyncio.timeout(30):
            while len(asked) < 4:
                await asyncio.sleep(0.01)
            # The loop's own threads, which the bank's clients use, are free: were they not, this would not end.
            await asyncio.gather(*(asyncio.to_thread(int) for _ in range(4)))
        assert not asking.done()
    finally:
        let_go.set()
    results = await asking
    outgoing.close()
    assert all(isinstance(result, NotSentError) and result.reason == "dns" for result in results)
