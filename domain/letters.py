"""Letters: rows written in the transaction of the fact they tell of, mailed by an actor (queue `mail`).

    waiting → sent | failed

A try claims the letter for a while and writes what became of it only if no later try has taken it over. Killed between
the mail server's yes and our note, a letter is sent twice with one Message-ID: mail programs show it once.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain import outbox
from domain.events import Actor
from domain.terminals import Box
from infra import queries

LETTER_MINUTES = 24 * 60
"""For how long a letter is tried, unless what it says is of no use sooner."""
CLAIM_SECONDS = 120.0
"""Longer than one try may take."""
_BACK_OFF_SECONDS = (10.0, 30.0, 60.0, 300.0, 900.0, 1800.0)


class Kind(StrEnum):
    """What a letter says: `templates/letters/<kind>.<locale>.txt`."""

    REGISTER = "register"
    VERIFY = "verify"
    """Registered through the API: the code confirms the address, and what the account's owner agrees to."""
    TAKEN = "taken"
    PASSWORD = "password"  # noqa: S105
    EMAIL = "email"
    EMAIL_CHANGED = "email_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_RESET = "password_reset"  # noqa: S105
    IDENTITY_LINKED = "identity_linked"
    TERMINAL_CONNECTED = "terminal_connected"
    KEY_MADE = "key_made"
    APPLICATION_ALLOWED = "application_allowed"
    DELETION = "deletion"
    TEST = "test"


class LetterStatus(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True)
class Letter:
    """One that this try may send."""

    id: int
    kind: Kind
    recipient: str
    locale: str
    data: dict[str, Any]
    secret_encrypted: str | None = field(repr=False)
    message_id: str
    tries: int
    created_at: datetime
    is_late: bool
    """It is of no use any more and is not sent."""

    @property
    def is_tried_once(self) -> bool:
        """A person watches what becomes of a test letter: the first answer is the one that is wanted."""
        return self.kind is Kind.TEST


@dataclass(frozen=True)
class LetterState:
    id: int
    kind: str
    recipient: str
    status: LetterStatus
    tries: int
    error_reason: str
    error_message: str
    created_at: datetime
    finished_at: datetime | None


async def post(
    connection: Any,
    kind: Kind,
    recipient: str,
    locale: str,
    *,
    site: str,
    user_id: int | None = None,
    data: dict[str, Any] | None = None,
    box: Box | None = None,
    secret: str | None = None,
    minutes: int = LETTER_MINUTES,
) -> int:
    """Ask for a letter; wake the relay after the commit. Returns its id.

    `site` is the host in its Message-ID, `user_id` whose account it is about; `secret` (a code) is kept encrypted with
    `box` until it is sent.
    """
    encrypted = None
    if secret is not None:
        assert box is not None, "a secret is never kept in clear"
        encrypted = box.encrypt(secret)
    letter_id: int = await queries.letters.insert_letter(
        connection,
        kind=kind,
        recipient=recipient,
        user_id=user_id,
        locale=locale,
        data=data or {},
        secret_encrypted=encrypted,
        message_id=f"<{secrets.token_urlsafe(18)}@{site}>",
        minutes=minutes,
    )
    await outbox.add_task(connection, Actor.SEND_LETTER, letter_id)
    return letter_id


async def claim(connection: Any, letter_id: int) -> Letter | None:
    """Begin a try. None: it is over, another try is at it, or its time has not come."""
    row = await queries.letters.claim_letter(connection, letter_id=letter_id, seconds=CLAIM_SECONDS)
    return None if row is None else Letter(**{**dict(row), "kind": Kind(row["kind"])})


async def note_sent(connection: Any, letter: Letter) -> None:
    await _finish(connection, letter, LetterStatus.SENT)


async def give_up(connection: Any, letter: Letter, reason: str, message: str) -> None:
    """It is not tried again."""
    await _finish(connection, letter, LetterStatus.FAILED, reason, message)


async def _finish(connection: Any, letter: Letter, status: LetterStatus, reason: str = "", message: str = "") -> None:
    await queries.letters.finish_letter(
        connection, letter_id=letter.id, tries=letter.tries, status=status, reason=reason, message=message[:500]
    )


async def try_later(connection: Any, letter: Letter, reason: str, message: str) -> float:
    """Put the next try off, longer each time, and ask for it. Returns in how many seconds it is."""
    seconds = _BACK_OFF_SECONDS[min(letter.tries, len(_BACK_OFF_SECONDS)) - 1]
    postponed = await queries.letters.postpone_letter(
        connection, letter_id=letter.id, tries=letter.tries, seconds=seconds, reason=reason, message=message[:500]
    )
    if postponed == "UPDATE 1":
        await outbox.add_task(connection, Actor.SEND_LETTER, letter.id, delay_seconds=seconds)
    return seconds


async def ask_due(connection: Any) -> int:
    """Ask again for letters whose message got lost; how many."""
    asked = 0
    async for row in queries.letters.list_due_letters(connection):
        await outbox.add_task(connection, Actor.SEND_LETTER, row["id"])
        asked += 1
    return asked


async def get_letter(connection: Any, letter_id: int) -> LetterState | None:
    row = await queries.letters.get_letter(connection, letter_id=letter_id)
    return None if row is None else _state(row)


async def list_latest(connection: Any, *, limit: int) -> list[LetterState]:
    return [_state(row) async for row in queries.letters.list_latest_letters(connection, limit=limit)]


def _state(row: Any) -> LetterState:
    return LetterState(**{**dict(row), "status": LetterStatus(row["status"])})
