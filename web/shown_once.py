"""A secret that was made a moment ago, shown to the browser that made it for five minutes, and never again.

It waits in a cookie that only this site can read, so that a reload does not lose it and no address has it.
"""

from web.context import parts
from web.secret_cookies import forget_cookie, keep_cookie, read_cookie

SECONDS = 300


def keep(name: str, thing_id: int, secret: str) -> None:
    """`thing_id`: what it opens."""
    keep_cookie(name, parts().box.encrypt(f"{thing_id}:{secret}"), seconds=SECONDS)


def find(name: str) -> tuple[int, str] | None:
    """What it opens, and the secret; whose it is, is the caller's to ask."""
    kept = read_cookie(name)
    opened = parts().box.try_decrypt(kept) if kept else None
    thing_id, _, secret = (opened or "").partition(":")
    return (int(thing_id), secret) if thing_id.isdigit() and secret else None


def forget(name: str) -> None:
    forget_cookie(name)
