"""Terminals: a streamer's accounts at payment providers, their secrets encrypted (DESIGN 6)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from domain.errors import InvalidInputError, NotAllowedError
from infra import queries

TERMINAL_KEY_MAX_LENGTH = 20
"""T-Bank's own limit; what it sends with a longer one is not its."""


class Box(Protocol):
    """What encrypts secrets at rest: `infra.crypto.SecretBox`."""

    def encrypt(self, text: str) -> str: ...
    def decrypt(self, encrypted: str) -> str: ...


@dataclass(frozen=True)
class Terminal:
    id: int
    streamer_id: int
    provider: str
    terminal_key: str
    secret_encrypted: str = field(repr=False)
    retired_at: datetime | None

    def secret(self, box: Box) -> str:
        return box.decrypt(self.secret_encrypted)


def clean_terminal_key(text: str) -> str:
    """The key as the provider gave it. Raises InvalidInputError("terminal_key", "malformed")."""
    key = text.strip()
    if not 1 <= len(key) <= TERMINAL_KEY_MAX_LENGTH or not key.isascii() or not key.isprintable():
        raise InvalidInputError("terminal_key", "malformed", limit=TERMINAL_KEY_MAX_LENGTH)
    return key


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


async def set_terminal(
    connection: Any, box: Box, streamer_id: int, provider: str, terminal_key: str, secret: str
) -> Terminal:
    """Make this the streamer's terminal at `provider`; the former one is retired, its open payments go on.

    The same key with another secret replaces the secret. Raises NotAllowedError("terminal_taken") when the key
    belongs to another streamer, InvalidInputError("terminal_key", "malformed").
    """
    terminal_key = clean_terminal_key(terminal_key)
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
        )
    )
    if terminal is None:
        raise NotAllowedError("terminal_taken", terminal_key=terminal_key)
    return terminal
