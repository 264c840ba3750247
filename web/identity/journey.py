"""What a browser keeps while it is away at another site, and while its owner agrees to a new account: an encrypted
cookie for ten minutes, so that nobody else's answer can be brought back to it."""

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from quart import g, request

from infra.crypto import UndecryptableError
from web.context import parts
from web.security import is_secure

SECONDS = 600


@dataclass(frozen=True)
class Away:
    """On the way to another site. `user_id`: an account is to be linked to this user."""

    provider: str
    state: str
    verifier: str
    back: str
    user_id: int | None


@dataclass(frozen=True)
class Newcomer:
    """Somebody whom the other site has named, and who has no account here yet."""

    provider: str
    subject: str
    name: str
    email: str
    back: str


def remember(journey: Away | Newcomer) -> None:
    """This answer's cookie keeps it."""
    kept = {"is": type(journey).__name__, "until": time.time() + SECONDS, **asdict(journey)}
    g.journey_cookie = parts().box.encrypt(json.dumps(kept))


def forget() -> None:
    g.journey_cookie = ""


def recall_away() -> Away | None:
    """None: it set out from no page of ours, or too long ago."""
    kept = _read("Away")
    return None if kept is None else Away(**kept)


def recall_newcomer() -> Newcomer | None:
    kept = _read("Newcomer")
    return None if kept is None else Newcomer(**kept)


def _read(kind: str) -> dict[str, Any] | None:
    try:
        kept = json.loads(parts().box.decrypt(request.cookies.get(_cookie_name(), "")))
        if kept.pop("is") != kind or kept.pop("until") < time.time():
            return None
    except (UndecryptableError, ValueError, TypeError, KeyError, AttributeError):
        # Anything encrypted by us but meant for something else is no journey either.
        return None
    return dict(kept)


def _cookie_name() -> str:
    return "__Host-journey" if is_secure() else "journey"


async def send_cookie(response: Any) -> Any:
    """To be run after each request of these pages."""
    value: str | None = g.get("journey_cookie")
    if value:
        response.set_cookie(
            _cookie_name(), value, max_age=SECONDS, path="/", secure=is_secure(), httponly=True, samesite="Lax"
        )
    elif value is not None:
        response.delete_cookie(_cookie_name(), path="/", secure=is_secure(), httponly=True, samesite="Lax")
    return response
