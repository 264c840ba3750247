"""Requests that name themselves, so that a repeat after a lost answer does nothing twice.

    begin ──▶ mark_acted ──▶ keep_answer
      │
      └──▶ forget        nothing was done

`mark_acted` is committed together with what the request does. So a process that dies before it has done nothing, and
another may begin anew; one that dies after it leaves a request that is done and has lost its answer.
"""

import math
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from infra import queries

DAYS = 1
"""For so long an answer is kept."""
SILENT_SECONDS = 60.0
"""A request that did nothing for so long has died with its process."""
KEY_MAX_LENGTH = 200
NAMES_A_DAY = 10_000
"""Of one person and all programs that act for her: each is a row with an answer."""
ANSWER_MAX_BYTES = 16 * 1024
"""A longer one is not kept: its request is known to be done."""

_sql = queries.idempotency


class Turn(StrEnum):
    """What a request that names itself finds."""

    MINE = "mine"
    """It is the first, or the one before it died: go on."""
    ANSWERED = "answered"
    BUSY = "busy"
    """The same request is being answered at this moment."""
    LOST = "lost"
    """It was done, and its answer got lost."""
    ANOTHER = "another"
    """The name belongs to a request that asks for something else."""


@dataclass(frozen=True)
class Name:
    """A request's name among those of its caller; `key_id` 0 is the person herself, less than 0 an application's."""

    user_id: int
    key_id: int
    key: str


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)
    """Encrypted: it may hold what its owner alone may read. Empty: it was too long."""


@dataclass(frozen=True)
class Begun:
    """`attempt` is set when it is this request's turn, `answer` when there is one, `wait_seconds` while it is BUSY."""

    turn: Turn
    attempt: uuid.UUID | None = None
    answer: Answer | None = None
    wait_seconds: int = 1


async def begin(connection: Any, name: Name, fingerprints: tuple[bytes, ...]) -> Begun:
    """In a transaction of its own, before anything is done. `fingerprints`: keyed hashes, each of 32 bytes, that say
    what is asked for; the first is kept."""
    attempt = uuid.uuid4()
    taken = await _sql.begin(
        connection,
        **vars(name),
        fingerprints=list(fingerprints),
        attempt=attempt,
        days=DAYS,
        silent_seconds=SILENT_SECONDS,
    )
    if taken is not None:
        return Begun(Turn.MINE, attempt)
    row = await _sql.get(connection, **vars(name))
    if row is None:
        # Forgotten between the two statements: whoever asks again will find it free.
        return Begun(Turn.BUSY)
    if row["fingerprint"] not in fingerprints:
        return Begun(Turn.ANOTHER)
    if row["status"] is not None:
        return Begun(Turn.ANSWERED, answer=Answer(row["status"], row["headers"], row["body"]))
    left_seconds = SILENT_SECONDS - row["age_seconds"]
    if row["acted_at"] is not None and left_seconds <= 0:
        return Begun(Turn.LOST)
    # The longer it takes the likelier it has died, which is known at the end of its silence.
    return Begun(Turn.BUSY, wait_seconds=max(1, math.ceil(min(row["age_seconds"], left_seconds))))


async def mark_acted(connection: Any, name: Name, attempt: uuid.UUID) -> bool:
    """In the transaction of what the request does. False: another attempt has taken over, so it must be undone."""
    return await _sql.mark_acted(connection, **vars(name), attempt=attempt) is not None


async def keep_answer(connection: Any, name: Name, attempt: uuid.UUID, answer: Answer) -> None:
    await _sql.keep_answer(connection, **vars(name), attempt=attempt, **vars(answer))


async def forget(connection: Any, name: Name, attempt: uuid.UUID) -> None:
    """Nothing was done. What was done meanwhile stays."""
    await _sql.forget(connection, **vars(name), attempt=attempt)
