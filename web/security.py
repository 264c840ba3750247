"""What each request must show and each answer carries: origin, client address, headers (DESIGN 16, 17)."""

from urllib.parse import urlsplit

from quart import Quart, Response, g, request
from werkzeug.exceptions import Forbidden

from infra.addresses import find_client
from web.certificate import is_trusted
from web.context import parts


class CrossSiteError(Forbidden):
    """Another site made this browser send a request."""


COOKIELESS = ("/api/", "/button/", "/oauth/token", "/oauth/revoke")
"""Addresses that read no cookie: a key, a button's address, a code or a secret is all the authority there is."""
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

CONTENT_SECURITY_POLICY: dict[str, tuple[str, ...]] = {
    "default-src": ("'none'",),
    "script-src": ("'self'",),
    "style-src": ("'self'",),
    "img-src": ("'self'",),
    "font-src": ("'self'",),
    "connect-src": ("'self'",),
    "form-action": ("'self'",),
    "base-uri": ("'none'",),
    "frame-ancestors": ("'none'",),
}

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


HSTS_SECONDS = 180 * 24 * 3600


def setup_security(app: Quart) -> None:
    app.before_request(_check_origin)
    app.after_request(_add_headers)


# Who asks.


def client_address() -> str:
    """The address a request came from; X-Forwarded-For is believed only from `trusted_proxies`."""
    client = request.scope.get("client")
    peer = str(client[0]) if client else ""
    return find_client(peer, request.headers.getlist("X-Forwarded-For"), parts().settings.trusted_proxies)


# Where the request was made.


async def _check_origin() -> None:
    """Refuse an unsafe request that another site made a browser send.

    With a session cookie the browser must prove that our own page sent it. Without one nothing is at stake
    but a form, so only what says itself that it comes from elsewhere is refused: an old browser without
    Sec-Fetch-Site, whose Origin our `no-referrer` makes `null`, may still donate and sign in.
    """
    # None of these reads a cookie: a key of ours, a button's address or a code is all the authority there is.
    if request.method in SAFE_METHODS or request.path.startswith(
        ("/api/", "/button/", "/oauth/token", "/oauth/revoke")
    ):
        return
    origin = request.headers.get("Origin", "null")
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if origin != "null":
        allowed = is_own_origin(origin)
    elif fetch_site is not None:
        allowed = fetch_site == "same-origin"
    else:
        allowed = not {session_cookie_name(), moderator_cookie_name()} & set(request.cookies)
    if not allowed:
        raise CrossSiteError


def is_own_origin(origin: str) -> bool:
    """True for the site's address, and for the host the browser asked (a machine has several names)."""
    own = parts().settings.web_url
    if origin == own:
        return True
    split = urlsplit(origin)
    return split.scheme == urlsplit(own).scheme and bool(split.netloc) and split.netloc == request.host


def is_secure() -> bool:
    """True when people reach us over TLS, wherever it ends."""
    return parts().settings.web_url.startswith("https://")


def session_cookie_name() -> str:
    return "__Host-session" if is_secure() else "session"


def moderator_cookie_name() -> str:
    return "__Secure-moderator" if is_secure() else "moderator"


# What the answer carries.


def allow_source(directive: str, *sources: str) -> None:
    """Widen this answer's Content-Security-Policy: `allow_source("media-src", "'self'")`."""
    policy = g.setdefault("csp", dict(CONTENT_SECURITY_POLICY))
    policy[directive] = tuple(source for source in policy.get(directive, ()) if source != "'none'") + sources


def allow_realtime() -> None:
    """Let this page connect to the Socket.IO service, over HTTP and WebSocket."""
    url = parts().settings.realtime_url
    allow_source("connect-src", url, "ws" + url.removeprefix("http"))


async def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    policy: dict[str, tuple[str, ...]] = g.get("csp", CONTENT_SECURITY_POLICY)
    response.headers.setdefault(
        "Content-Security-Policy",
        "; ".join(f"{directive} {' '.join(sources)}" for directive, sources in policy.items()),
    )
    settings = parts().settings
    if is_secure() and is_trusted(settings.certificate_file):
        # Only then: a browser that remembers it would refuse the site with a self-signed certificate (DESIGN 23).
        response.headers.setdefault("Strict-Transport-Security", f"max-age={HSTS_SECONDS}")
    # Pages hold keys of forms, tickets and addresses with tokens; only static files are for keeping.
    response.headers.setdefault("Cache-Control", "no-store")
    return response
