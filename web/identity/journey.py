"""What a browser keeps while it is away at another site, and while its owner agrees to a new account: an encrypted
cookie for ten minutes, so that nobody else's answer can be brought back to it."""

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from infra.crypto import UndecryptableError
from web.context import parts
from web.secret_cookies import forget_cookie, keep_cookie, read_cookie

SECONDS = 600
_COOKIE = "journey"


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
    kept = {"is": type(journey).__name__, "until": time.time() + SECONDS, **asdict(journey)}
    keep_cookie(_COOKIE, parts().box.encrypt(json.dumps(kept)), seconds=SECONDS)


def forget() -> None:
    forget_cookie(_COOKIE)


def recall_away() -> Away | None:
    """None: it set out from no page of ours, or too long ago."""
    kept = _read("Away")
    return None if kept is None else Away(**kept)


def recall_newcomer() -> Newcomer | None:
    kept = _read("Newcomer")
    return None if kept is None else Newcomer(**kept)


def _read(kind: str) -> dict[str, Any] | None:
    try:
        kept = json.loads(parts().box.decrypt(read_cookie(_COOKIE)))
        if kept.pop("is") != kind or kept.pop("until") < time.time():
            return None
    except (UndecryptableError, ValueError, TypeError, KeyError, AttributeError):
        # Anything encrypted by us but meant for something else is no journey either.
        return None
    return dict(kept)
