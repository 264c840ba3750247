"""The browsers people are signed in with, and those that were before.

The caller keeps a browser's token in a cookie; here is only its hash.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.users import User, user_of
from infra import queries

SESSION_DAYS = 30
SESSION_RENEW_DAYS = 15
"""A session with fewer days left than this is prolonged to SESSION_DAYS when it is used."""
SEEN_MINUTES = 5
"""How exactly a session knows when it was used last."""
KNOWN_BROWSER_DAYS = 180


@dataclass(frozen=True)
class Session:
    """Who a session belongs to, since when, and how many seconds are left of it."""

    id: int
    user: User
    seconds_left: float
    unseen_seconds: float
    age_seconds: float
    """Since the password or another site signed it in."""

    @property
    def wants_renewal(self) -> bool:
        return self.seconds_left < SESSION_RENEW_DAYS * 24 * 3600

    @property
    def wants_a_look(self) -> bool:
        """It was not noted for a while that it is in use."""
        return self.unseen_seconds > SEEN_MINUTES * 60


@dataclass(frozen=True)
class SessionLine:
    """One of the browsers somebody is signed in with."""

    id: int
    user_agent: str
    created_at: datetime
    seen_at: datetime


# Sessions.


async def create_session(connection: Any, user_id: int, token_hash: bytes, user_agent: str) -> None:
    """Sign a browser in for SESSION_DAYS. Sessions that ended are swept on the way."""
    await queries.sessions.delete_ended_sessions(connection)
    await queries.sessions.insert_session(
        connection, token_hash=token_hash, user_id=user_id, days=SESSION_DAYS, user_agent=user_agent[:300]
    )


async def find_session(connection: Any, token_hash: bytes) -> Session | None:
    """Whose session this is, if it has not ended and its user is active."""
    row = await queries.sessions.find_session(connection, token_hash=token_hash)
    if row is None:
        return None
    return Session(row["session_id"], user_of(row), row["seconds_left"], row["unseen_seconds"], row["age_seconds"])


async def note_seen(connection: Any, session_id: int) -> None:
    await queries.sessions.note_seen(connection, session_id=session_id)


async def list_sessions(connection: Any, user_id: int) -> list[SessionLine]:
    """Those that have not ended, the one used last first."""
    return [SessionLine(**row) async for row in queries.sessions.list_sessions(connection, user_id=user_id)]


async def delete_session_of(connection: Any, user_id: int, session_id: int) -> bool:
    """Sign one of the user's browsers out. False: it was, or is another's."""
    tag = await queries.sessions.delete_session_of(connection, user_id=user_id, session_id=session_id)
    return bool(tag == "DELETE 1")


async def renew_session(connection: Any, token_hash: bytes) -> None:
    await queries.sessions.renew_session(connection, token_hash=token_hash, days=SESSION_DAYS)


async def delete_session(connection: Any, token_hash: bytes) -> None:
    """Sign a browser out; nothing happens when it was."""
    await queries.sessions.delete_session(connection, token_hash=token_hash)


# Browsers that signed in before (docs/decisions/0023): what strangers try does not lock them out.


async def note_known_browser(connection: Any, user_id: int, token_hash: bytes) -> None:
    await queries.sessions.insert_known_browser(connection, user_id=user_id, token_hash=token_hash)


async def is_known_browser(connection: Any, email: str, token_hash: bytes) -> bool:
    """Whether this browser has signed in to the account of this address."""
    return bool(
        await queries.sessions.is_known_browser(
            connection, email=email.strip().lower(), token_hash=token_hash, days=KNOWN_BROWSER_DAYS
        )
    )
