"""The log of moderation as its streamer reads it: who decided what, when, and what the rules had caught."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.holds import decode_matches
from domain.moderation import Match
from infra import queries


@dataclass(frozen=True)
class LogLine:
    """`name` and `message` as they were written; `matches` are those of the donation's first judgement."""

    id: int
    what: str
    reason: str
    by_kind: str
    by_name: str
    decided_at: datetime
    donation_public_id: str
    name: str | None
    message: str
    matches: tuple[Match, ...]


@dataclass(frozen=True)
class LogPage:
    """The newest first. `older` and `newer` are the ids to go on from, None where there is nothing more."""

    lines: tuple[LogLine, ...]
    older: int | None
    newer: int | None


async def read_log(
    connection: Any,
    streamer_id: int,
    *,
    limit: int,
    before: int | None = None,
    after: int | None = None,
    moderator_id: int | None = None,
) -> LogPage:
    """What people and deadlines decided, by keys: older than `before`, or newer than `after`, or the newest.

    `moderator_id`: one moderator's alone. What rules do by themselves stands with each donation.
    """
    values = {"streamer_id": streamer_id, "moderator_id": moderator_id, "limit": limit + 1}
    if after is not None:
        found = [row async for row in queries.moderation.list_log_after(connection, **values, after=after)]
        has_newer, has_older = len(found) > limit, bool(found)
        found = found[:limit][::-1]
    else:
        found = [row async for row in queries.moderation.list_log(connection, **values, before=before)]
        has_newer, has_older = before is not None and bool(found), len(found) > limit
        found = found[:limit]
    lines = tuple(LogLine(**{**row, "matches": decode_matches(row["matches"])}) for row in found)
    return LogPage(lines, older=lines[-1].id if has_older else None, newer=lines[0].id if has_newer else None)


@dataclass(frozen=True)
class LoggedDecision:
    """A line of a donation's moderation: `what` happened, by whom, and what the rules had caught."""

    what: str
    reason: str
    by_kind: str
    by_name: str
    matches: tuple[Match, ...]
    decided_at: datetime


async def list_decisions(connection: Any, streamer_id: int, donation_id: int) -> list[LoggedDecision]:
    rows = queries.moderation.list_decisions(connection, streamer_id=streamer_id, donation_id=donation_id)
    return [LoggedDecision(**{**row, "matches": decode_matches(row["matches"])}) async for row in rows]
