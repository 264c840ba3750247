"""Short secrets that a browser keeps for us between two pages: which code it was asked for, which link it came by.

They stand in no address, so neither history nor logs nor a screenshot has them.
"""

from quart import Quart, Response, g, request

from web.security import is_secure


def setup_secret_cookies(app: Quart) -> None:
    app.after_request(_send)


def _name(name: str) -> str:
    return f"__Host-{name}" if is_secure() else name


def read_cookie(name: str) -> str:
    """What the browser keeps under this name, or an empty text."""
    pending: dict[str, tuple[str, int]] = g.get("secret_cookies", {})
    if name in pending:
        return pending[name][0]
    value = request.cookies.get(_name(name), "")
    return value if len(value) <= 200 and value.isascii() else ""


def keep_cookie(name: str, value: str, *, seconds: int) -> None:
    """The answer of this request carries it."""
    g.setdefault("secret_cookies", {})[name] = (value, seconds)


def forget_cookie(name: str) -> None:
    keep_cookie(name, "", seconds=0)


async def _send(response: Response) -> Response:
    pending: dict[str, tuple[str, int]] = g.get("secret_cookies", {})
    for name, (value, seconds) in pending.items():
        if value:
            response.set_cookie(
                _name(name), value, max_age=seconds, path="/", secure=is_secure(), httponly=True, samesite="Lax"
            )
        else:
            response.delete_cookie(_name(name), path="/", secure=is_secure(), httponly=True, samesite="Lax")
    return response
