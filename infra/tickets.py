"""Tickets to the dashboard's socket: a page of `web` gives one, `realtime` lets its holder in (DESIGN 17)."""

import json
import time
import uuid
from dataclasses import dataclass

from infra.crypto import SecretBox, UndecryptableError

TICKET_SECONDS = 60
_PURPOSE = "dashboard"


@dataclass(frozen=True)
class DashboardTicket:
    """For a user, or for a moderator's session, with which the connection ends."""

    streamer_id: int
    user_id: int | None
    moderator_session_id: uuid.UUID | None = None


def issue_dashboard_ticket(box: SecretBox, streamer_id: int, user_id: int) -> str:
    """A ticket that lets in for the next minute whoever holds it. Who may have it is the caller's to check."""
    return _issue(box, streamer_id, user_id=user_id)


def issue_moderator_ticket(box: SecretBox, streamer_id: int, session_id: uuid.UUID) -> str:
    """The same for a moderator."""
    return _issue(box, streamer_id, user_id=None, moderator_session_id=str(session_id))


def _issue(box: SecretBox, streamer_id: int, **who: int | str | None) -> str:
    expires_at = time.time() + TICKET_SECONDS
    return box.encrypt(json.dumps({"purpose": _PURPOSE, "streamer_id": streamer_id, "expires_at": expires_at, **who}))


def read_dashboard_ticket(box: SecretBox, ticket: str) -> DashboardTicket | None:
    """None for what we did not issue, or issued more than a minute ago."""
    try:
        data = json.loads(box.decrypt(ticket))
        if data["purpose"] != _PURPOSE or data["expires_at"] < time.time():
            return None
        session_id = data.get("moderator_session_id")
        return DashboardTicket(
            streamer_id=data["streamer_id"],
            user_id=data["user_id"],
            moderator_session_id=None if session_id is None else uuid.UUID(session_id),
        )
    except (UndecryptableError, ValueError, TypeError, KeyError):
        # Anything encrypted by us but meant for something else is no ticket either.
        return None
