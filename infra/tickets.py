"""Tickets to the dashboard's socket: a page of `web` gives one, `realtime` lets its holder in (DESIGN 17)."""

import json
import time
from dataclasses import dataclass

from infra.crypto import SecretBox, UndecryptableError

TICKET_SECONDS = 60
_PURPOSE = "dashboard"


@dataclass(frozen=True)
class DashboardTicket:
    streamer_id: int
    user_id: int


def issue_dashboard_ticket(box: SecretBox, streamer_id: int, user_id: int) -> str:
    """A ticket that lets in for the next minute whoever holds it. Who may have it is the caller's to check."""
    return box.encrypt(
        json.dumps(
            {
                "purpose": _PURPOSE,
                "streamer_id": streamer_id,
                "user_id": user_id,
                "expires_at": time.time() + TICKET_SECONDS,
            }
        )
    )


def read_dashboard_ticket(box: SecretBox, ticket: str) -> DashboardTicket | None:
    """None for what we did not issue, or issued more than a minute ago."""
    try:
        data = json.loads(box.decrypt(ticket))
        if data["purpose"] != _PURPOSE or data["expires_at"] < time.time():
            return None
        return DashboardTicket(streamer_id=data["streamer_id"], user_id=data["user_id"])
    except (UndecryptableError, ValueError, TypeError, KeyError):
        # Anything encrypted by us but meant for something else is no ticket either.
        return None
