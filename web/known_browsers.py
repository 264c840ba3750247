"""A browser that has signed in to an account before is known to it (docs/decisions/0023)."""

from typing import Any

from domain.sessions import KNOWN_BROWSER_DAYS, is_known_browser, note_known_browser
from domain.tokens import hash_token, new_token
from web.secret_cookies import keep_cookie, read_cookie

_COOKIE = "browser"
_MIN_LENGTH = 40


async def remember_browser(connection: Any, user_id: int) -> None:
    """From now on nobody else's wrong passwords keep this browser out of the account."""
    token = read_cookie(_COOKIE)
    if len(token) < _MIN_LENGTH:
        token = new_token()
    await note_known_browser(connection, user_id, hash_token(token))
    keep_cookie(_COOKIE, token, seconds=KNOWN_BROWSER_DAYS * 24 * 3600)


async def known_browser_key(connection: Any, email: str) -> str | None:
    """What stands for this browser in a limit's key, if it is known to the account of this address."""
    token = read_cookie(_COOKIE)
    if len(token) < _MIN_LENGTH or not await is_known_browser(connection, email, hash_token(token)):
        return None
    return hash_token(token).hex()
