"""Requests to addresses that strangers give us: only ever to the public internet.

Whoever may name an address could have us call what only we can reach: the database beside us, a router, a cloud's
metadata. So each request resolves the host by itself, looks at every address found, and connects to one of those it
looked at: what DNS says a moment later does not count. httpcore is used without httpx: no redirects, no cookies, no
proxies of the environment.
"""

import asyncio
import contextlib
import functools
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

import httpcore
import httpx

TIMEOUT_SECONDS = 10.0
"""For all of it: resolving, connecting, sending, and the answer's status."""
BODY_SECONDS = 1.0
"""For so long an answer's first bytes are waited for, once its status is known."""
CONNECT_SECONDS = 3.0
"""For each of a host's addresses but the last, which has what is left..."""
CONNECT_ALL_SECONDS = 6.0
"""...and for those together: silent ones must not take the time of the one that answers."""
ANSWER_MAX_BYTES = 1024
"""So much of an answer is read, then the connection is closed."""
SLOW_SECONDS = 3.0
"""Whoever takes longer to answer is slow until he answers sooner."""
_PLACES = 4
_PLACES_OF_SLOW = 2
_RESOLVERS = 4
_WELL_KNOWN_PORTS = 1024

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""All addresses of a host; raises OSError when there is none."""

# Only what is handed out for the internet. Outside of it are loopback, link-local, site-local, multicast, mapped
# (::ffff:0:0/96), compatible and NAT64 (64:ff9b::/96) addresses, which all could lead to an IPv4 address within.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# Within that: Teredo and other protocol assignments, 6to4, documentation.
_NOT_HOSTS_6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
# Which versions of Python call some of these global: protocol assignments, 6to4 relays.
_NOT_HOSTS_4 = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")))


def is_public(address: Address) -> bool:
    """Whether an address belongs to a host on the internet, and to nothing nearer."""
    if isinstance(address, IPv6Address):
        return address in _GLOBAL_UNICAST and address.is_global and not any(address in net for net in _NOT_HOSTS_6)
    is_host = address.is_global and not address.is_multicast and not address.is_reserved
    return is_host and not any(address in net for net in _NOT_HOSTS_4)


def is_allowed_port(port: int) -> bool:
    """HTTPS, or a port that no well-known service has: nobody's mail server is spoken to."""
    return port == 443 or _WELL_KNOWN_PORTS <= port <= 65535


class NotSentError(Exception):
    """No answer came. `reason`: forbidden (an address we do not call), dns, connect, tls, timeout, protocol."""

    def __init__(self, reason: str, detail: str = "", *, took_ms: int = 0) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.took_ms = took_ms


@dataclass(frozen=True)
class Answer:
    """`start`: the first bytes of its body."""

    status: int
    start: bytes
    took_ms: int


@dataclass
class _Heard:
    """An answer as far as it came; `status` None: nothing of it."""

    status: int | None = None
    start: bytes = b""


class Places:
    """How many may be at it at once: the threads of a worker are also for others. Those that are known to be slow share
    a part of the places, however many they are, so that nobody else waits for them."""

    def __init__(self) -> None:
        self._taken = 0
        self._taken_by_slow = 0
        self._slow: set[int] = set()

    @contextlib.contextmanager
    def take(self, who: int) -> Iterator[bool]:
        """A place within. False: there is none."""
        is_slow = who in self._slow
        if self._taken >= _PLACES or (is_slow and self._taken_by_slow >= _PLACES_OF_SLOW):
            yield False
            return
        self._taken += 1
        self._taken_by_slow += is_slow
        try:
            yield True
        finally:
            self._taken -= 1
            self._taken_by_slow -= is_slow

    def note(self, who: int, took_ms: int) -> bool:
        """How long an answer took, or its lack; whether that is slow."""
        is_slow = took_ms > SLOW_SECONDS * 1000
        (self._slow.add if is_slow else self._slow.discard)(who)
        return is_slow


class Outgoing:
    """Posts to addresses of strangers. `own_hosts` are ours and are not called; `allows_loopback` is for development,
    where the receiver may run beside us, and without TLS."""

    def __init__(
        self,
        *,
        own_hosts: Iterable[str],
        allows_loopback: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
        connect: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        # Apart from the loop's own threads: a name server that hangs must not hold up those who call a bank.
        self._threads = ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="resolve")
        self._own_hosts = frozenset(host.lower().rstrip(".") for host in own_hosts)
        self._allows_loopback = allows_loopback
        self._ssl_context = ssl_context or httpx.create_ssl_context()
        self._resolve = resolve or functools.partial(_resolve, self._threads)
        self._connect = connect or httpcore.AnyIOBackend()
        self.places = Places()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> Answer:
        """Raises NotSentError. Whatever the other side answers is an answer, also a redirect, which is not followed."""
        began = time.monotonic()
        heard = _Heard()
        try:
            async with asyncio.timeout(timeout_seconds) as limit:
                await self._post(url, headers, body, heard, limit)
        except TimeoutError as error:
            if heard.status is None:
                raise NotSentError("timeout", took_ms=_ms_since(began)) from error
        except NotSentError as error:
            error.took_ms = _ms_since(began)
            raise
        assert heard.status is not None
        return Answer(heard.status, heard.start[:ANSWER_MAX_BYTES], _ms_since(began))

    async def _post(
        self, url: str, headers: Mapping[str, str], body: bytes, heard: "_Heard", limit: asyncio.Timeout
    ) -> None:
        self._look_at_url(url)
        # One connection for one request: what was looked at is what is spoken to.
        pool = httpcore.AsyncConnectionPool(
            ssl_context=self._ssl_context,
            max_keepalive_connections=0,
            network_backend=_Guarded(self._find_addresses, self._connect),
        )
        try:
            async with pool, pool.stream("POST", url, headers=list(headers.items()), content=body) as response:
                heard.status = response.status
                _shorten(limit, BODY_SECONDS)
                with contextlib.suppress(httpcore.RemoteProtocolError, httpcore.NetworkError):
                    # Cut off in the middle of its body, or without an end, it is an answer all the same.
                    async for chunk in response.aiter_stream():
                        heard.start += chunk
                        if len(heard.start) >= ANSWER_MAX_BYTES:
                            break
        except httpcore.TimeoutException as error:
            raise NotSentError("timeout") from error
        except httpcore.ConnectError as error:
            tls = next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)), None)
            if tls is not None:
                raise NotSentError("tls", _tls_words(tls)) from error
            raise NotSentError("connect", _cause_words(error)) from error
        except httpcore.NetworkError as error:
            raise NotSentError("connect", _cause_words(error)) from error
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
            raise NotSentError("protocol", str(error)[:200]) from error

    def _look_at_url(self, url: str) -> None:
        """Once more what was looked at when it was stored: rules grow, and rows are older."""
        parts = urlsplit(url)
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise NotSentError("forbidden", "port") from None
        if self._allows_loopback:
            if parts.scheme not in ("http", "https"):
                raise NotSentError("forbidden", "scheme")
        elif parts.scheme != "https" or not is_allowed_port(port):
            raise NotSentError("forbidden", "scheme" if parts.scheme != "https" else "port")
        if parts.username is not None or parts.password is not None:
            raise NotSentError("forbidden", "credentials")

    async def _find_addresses(self, host: str, port: int) -> list[str]:
        """Those of a host, each of which may be called. Raises NotSentError, also when one of several may not."""
        if host.lower().rstrip(".") in self._own_hosts and not self._allows_loopback:
            raise NotSentError("forbidden", "our own address")
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise NotSentError("dns", str(error)[:200]) from error
        if not found:
            raise NotSentError("dns", "no address")
        own = set() if self._allows_loopback else await self._own_addresses()
        for text in found:
            self._look_at(text, own)
        return found

    def _look_at(self, text: str, own: set[Address]) -> None:
        try:
            address = ip_address(text)
        except ValueError:
            raise NotSentError("forbidden", text[:60]) from None
        if self._allows_loopback and address.is_loopback:
            return
        if not is_public(address) or address in own or _is_of_this_machine(address):
            raise NotSentError("forbidden", text[:60])

    async def _own_addresses(self) -> set[Address]:
        """Where our own hosts are: within a container no interface has the address that people reach us by."""
        found: set[Address] = set()
        for host in self._own_hosts:
            with contextlib.suppress(OSError, ValueError):
                found |= set(map(ip_address, await self._resolve(host, 443)))
        return found


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were looked at, and to nothing else; TLS and the Host header keep the host's name."""

    def __init__(self, find: Resolve, connect: httpcore.AsyncNetworkBackend) -> None:
        self._find = find
        self._connect = connect

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        *others, last = await self._find(host, port)
        for address in others:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout, TimeoutError):
                async with asyncio.timeout(min(CONNECT_SECONDS, CONNECT_ALL_SECONDS / len(others))):
                    return await self._connect.connect_tcp(address, port, timeout, local_address, socket_options)
        return await self._connect.connect_tcp(last, port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _resolve(threads: ThreadPoolExecutor, host: str, port: int) -> list[str]:
    look = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(threads, look)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_of_this_machine(address: Address) -> bool:
    """Whether one of our own interfaces has it: then the system sends from it to itself. No packet is sent."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))
            return ip_address(probe.getsockname()[0]) == address
    except OSError:
        # No way leads there: connecting will say so.
        return False


def _shorten(limit: asyncio.Timeout, seconds: float) -> None:
    """It ends in so many seconds, if not before."""
    when = limit.when()
    assert when is not None
    limit.reschedule(min(when, asyncio.get_running_loop().time() + seconds))


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _tls_words(error: ssl.SSLError) -> str:
    words = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else error.reason or str(error)
    return words[:200]


def _cause_words(error: BaseException) -> str:
    """What the system says of a connection: "Connection refused"."""
    said = (cause.strerror for cause in _causes(error) if isinstance(cause, OSError) and cause.strerror)
    return next(said, "")[:200]


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
