"""Terminals: a streamer's accounts at payment providers, their secrets encrypted (DESIGN 6)."""

import hmac
import string
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from domain.errors import InvalidInputError, NotAllowedError
from infra import queries

KEY_MAX_LENGTH = 64
SECRET_MAX_LENGTH = 200

FORMER_SECRET_DAYS = 3
"""For how long what was signed with a replaced secret is still believed: banks repeat a notification for a day."""


class Box(Protocol):
    """What encrypts secrets at rest: `infra.crypto.SecretBox`."""

    def encrypt(self, text: str) -> str: ...
    def decrypt(self, encrypted: str) -> str: ...
    def try_decrypt(self, encrypted: str) -> str | None: ...


@dataclass(frozen=True)
class Terminal:
    id: int
    streamer_id: int
    provider: str
    terminal_key: str
    secret_encrypted: str = field(repr=False)
    former_secret_encrypted: str | None = field(repr=False)
    secret_replaced_at: datetime | None
    retired_at: datetime | None
    chosen_at: datetime
    checked_at: datetime | None

    def secret(self, box: Box) -> str:
        """What calls are signed with. Raises `infra.crypto.UndecryptableError` when no key fits."""
        return box.decrypt(self.secret_encrypted)

    def secrets(self, box: Box, now: datetime) -> list[str]:
        """What a notification may be signed with: the secret, and for some days the one before it."""
        found = [self.secret(box)]
        replaced_at = self.secret_replaced_at or now
        if self.former_secret_encrypted is not None and now - replaced_at < timedelta(days=FORMER_SECRET_DAYS):
            # One that a lost key of ours had encrypted is gone; the secret set since is as good as ever.
            former = box.try_decrypt(self.former_secret_encrypted)
            found += [] if former is None else [former]
        return found


def clean_terminal_key(text: str, *, limit: int = KEY_MAX_LENGTH) -> str:
    """The key as the provider gave it. Raises InvalidInputError("terminal_key", "malformed")."""
    key = _trim(text)
    if not 1 <= len(key) <= limit or not _is_plain(key):
        raise InvalidInputError("terminal_key", "malformed", limit=limit)
    return key


def clean_secret(text: str) -> str:
    """The secret without what copying adds around it. Raises InvalidInputError("secret", "required" | "malformed")."""
    secret = _trim(text)
    if not secret:
        raise InvalidInputError("secret", "required")
    if len(secret) > SECRET_MAX_LENGTH or not _is_plain(secret):
        raise InvalidInputError("secret", "malformed", limit=SECRET_MAX_LENGTH)
    return secret


def _trim(text: str) -> str:
    """Copied out of a page or a letter, a text may have spaces around it, some of them invisible."""
    return text.strip(_AROUND)


_AROUND = string.whitespace + "\u00a0\u200b\u200c\u200d\u2060\ufeff"


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _terminal(row: Any) -> Terminal | None:
    return None if row is None else Terminal(**row)


async def get_terminal(connection: Any, terminal_id: int) -> Terminal:
    terminal = _terminal(await queries.terminals.get_terminal(connection, terminal_id=terminal_id))
    assert terminal is not None, "payments reference their terminal"
    return terminal


async def find_terminal(connection: Any, provider: str, terminal_key: str) -> Terminal | None:
    return _terminal(await queries.terminals.find_terminal(connection, provider=provider, terminal_key=terminal_key))


async def get_active_terminal(connection: Any, streamer_id: int) -> Terminal | None:
    """The terminal a new payment goes through, or None while the streamer has none."""
    return _terminal(await queries.terminals.get_active_terminal(connection, streamer_id=streamer_id))


async def list_terminals(connection: Any, streamer_id: int) -> list[Terminal]:
    """All a streamer ever had: the one in use first, the retired last."""
    return [Terminal(**row) async for row in queries.terminals.list_terminals(connection, streamer_id=streamer_id)]


async def choose_terminal(connection: Any, streamer_id: int, terminal_id: int) -> bool:
    """The next payments go through this one. False: the streamer has no such terminal in use."""
    chosen = await queries.terminals.choose_terminal(connection, streamer_id=streamer_id, terminal_id=terminal_id)
    return bool(chosen == "UPDATE 1")


async def retire_terminal(connection: Any, streamer_id: int, terminal_id: int) -> bool:
    """Take no new payments through it; its open ones go on, and its news are heard."""
    retired = await queries.terminals.retire_terminal(connection, streamer_id=streamer_id, terminal_id=terminal_id)
    return bool(retired == "UPDATE 1")


async def list_unsorted(connection: Any) -> list[Terminal]:
    """Terminals of all streamers of which it is not written down whether they are for trying out."""
    return [Terminal(**row) async for row in queries.terminals.list_unsorted(connection)]


async def note_test(connection: Any, terminal_id: int, is_test: bool) -> None:
    """Write down whether payments through it bring money, unless somebody has."""
    await queries.terminals.note_test(connection, terminal_id=terminal_id, is_test=is_test)


async def note_checked(connection: Any, terminal_id: int) -> None:
    await queries.terminals.note_checked(connection, terminal_id=terminal_id)


async def set_terminal(
    connection: Any,
    box: Box,
    streamer_id: int,
    provider: str,
    terminal_key: str,
    secret: str,
    *,
    is_test: bool | None = None,
) -> Terminal:
    """Make this the streamer's terminal at `provider`, and the one in use; the former is retired, its payments go on.

    The same key with another secret replaces the secret. `is_test`: no money comes through it; None: not known here,
    the site looks at its next start. Raises NotAllowedError("terminal_taken") when the key belongs to another streamer,
    InvalidInputError("terminal_key", "malformed").
    """
    terminal_key = clean_terminal_key(terminal_key)
    await queries.terminals.lock_streamer(connection, streamer_id=streamer_id)
    known = await find_terminal(connection, provider, terminal_key)
    await queries.terminals.retire_other_terminals(
        connection, streamer_id=streamer_id, provider=provider, terminal_key=terminal_key
    )
    terminal = _terminal(
        await queries.terminals.upsert_terminal(
            connection,
            streamer_id=streamer_id,
            provider=provider,
            terminal_key=terminal_key,
            secret_encrypted=box.encrypt(secret),
            is_test=is_test,
            # The same secret once more (a form sent twice) must not push the real former one out.
            replaces=known is None or not _has_secret(known, box, secret),
        )
    )
    if terminal is None:
        raise NotAllowedError("terminal_taken", terminal_key=terminal_key)
    return terminal


def _has_secret(terminal: Terminal, box: Box, secret: str) -> bool:
    known = box.try_decrypt(terminal.secret_encrypted)
    return known is not None and hmac.compare_digest(known.encode(), secret.encode())
