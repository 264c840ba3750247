"""Whether a terminal takes money now: how its provider answers, and what it refuses."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.donations import GAVE_UP
from domain.payments import FAILURES_TO_REST
from infra import queries


@dataclass(frozen=True)
class Health:
    """How a provider answers us. `is_away`: it has failed so often in a row that it is asked ever less."""

    failures: int
    failing_since: datetime | None
    is_away: bool


@dataclass(frozen=True)
class Refusal:
    """A payment that the provider would not open. `reason` is its `RefusalReason`, `message` its own words."""

    reason: str
    message: str
    refused_at: datetime
    has_opened_since: bool


async def read_health(connection: Any, provider: str) -> Health:
    row = await queries.terminals.get_health(connection, provider=provider)
    if row is None:
        return Health(0, None, is_away=False)
    return Health(row["failures"], row["failing_since"], is_away=row["failures"] >= FAILURES_TO_REST)


async def read_refusal(connection: Any, terminal_id: int) -> Refusal | None:
    """The last one of the last 24 hours. That nobody answered is none."""
    row = await queries.terminals.get_refusal(connection, terminal_id=terminal_id, gave_up=GAVE_UP)
    return None if row is None else Refusal(**row)
