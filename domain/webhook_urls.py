"""Where a webhook may lead: a public address by its name, over HTTPS.

What the name leads to is looked at when it is called (`infra/outgoing.py`), each time anew: DNS answers differently a
moment later. Here is what can be said without asking anybody.
"""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

import idna

from domain.errors import InvalidInputError

URL_MAX_LENGTH = 500
_UNFIT = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# An address written so that a browser or a resolver reads it as numbers: 2130706433, 0x7f.1, 127.1.
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)


def clean_url(text: str, *, allows_loopback: bool = False) -> str:
    """An address as it is stored: the host in ASCII letters, without a fragment.

    `allows_loopback`: a receiver beside the program, by http, in development. Raises InvalidInputError("url",
    "required" | "too_long" | "unfit" | "not_https" | "credentials" | "port" | "number" | "local").
    """
    text = text.strip()
    if not text:
        raise InvalidInputError("url", "required")
    if _UNFIT.search(text):
        raise InvalidInputError("url", "unfit")
    try:
        parts = urlsplit(text)
        port = parts.port
        host = parts.hostname or ""
    except ValueError:
        raise InvalidInputError("url", "unfit") from None
    is_beside = allows_loopback and host.rstrip(".").lower() in _LOOPBACK
    if parts.scheme != "https" and not (is_beside and parts.scheme == "http"):
        raise InvalidInputError("url", "not_https")
    if parts.username is not None or parts.password is not None:
        raise InvalidInputError("url", "credentials")
    if not is_beside:
        if port is not None and port != 443 and not 1024 <= port <= 65535:
            raise InvalidInputError("url", "port")
        host = _clean_host(host)
    url = urlunsplit((parts.scheme, _netloc(host, port), _ascii(parts.path) or "/", _ascii(parts.query), ""))
    if len(url) > URL_MAX_LENGTH:
        raise InvalidInputError("url", "too_long", over=len(url) - URL_MAX_LENGTH, limit=URL_MAX_LENGTH)
    return url


def _clean_host(host: str) -> str:
    """Raises InvalidInputError for what is no name of the internet's."""
    host = host.rstrip(".")
    if ":" in host or "[" in host:
        raise InvalidInputError("url", "number")
    try:
        ascii_host = idna.encode(host, uts46=True, transitional=False).decode().lower() if host else ""
    except idna.IDNAError:
        raise InvalidInputError("url", "unfit") from None
    labels = ascii_host.rstrip(".").split(".")
    if _NUMERIC.fullmatch(labels[-1]) or _is_address(ascii_host):
        raise InvalidInputError("url", "number")
    if len(labels) < 2 or labels[-1] in ("localhost", "local", "internal", "intranet", "lan", "home", "arpa"):
        raise InvalidInputError("url", "local")
    return ".".join(labels)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _netloc(host: str, port: int | None) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"


def _ascii(part: str) -> str:
    """Letters of other scripts as a browser would send them."""
    return "".join(c if c.isascii() else "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "ignore")) for c in part)


def host_of(url: str) -> str:
    """For people: the name in its own letters."""
    parts: SplitResult = urlsplit(url)
    host = parts.hostname or ""
    try:
        shown = idna.decode(host)
    except idna.IDNAError:
        shown = host
    return shown if parts.port is None else f"{shown}:{parts.port}"
