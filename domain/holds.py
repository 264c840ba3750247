"""Alerts that wait for a decision: who decides, until when, and what happens when nobody does (DESIGN 15).

    held ──decide──▶ decided ──5 s──▶ settled: shown, shown without its message, or dropped
     ▲ │                │
     │ └──deadline──────┼───────────▶ settled with the outcome the streamer chose
     └──────undo────────┘

Each move is a conditional update, so that of two people, or of a person and the deadline, one wins. A decision takes
effect by a wish in the outbox; a sweep asks for those that were lost. Money is untouched by all of it. What becomes of
them when the rules change: `domain/rejudging.py`.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain import alerts, blocks, outbox
from domain.errors import NotFoundError
from domain.events import Actor, EventType, Topic, Wake
from domain.judgement import keep_texts_back, unjudged
from domain.moderation import Act, Match, Part, Rule
from domain.pressers import Presser, PresserKind
from infra import queries

log = logging.getLogger(__name__)

UNDO_SECONDS = 5
DEADLINE = "deadline"
"""Who decided where nobody did, as `by_kind` has it; the other kinds are those of who presses."""


class Decision(StrEnum):
    SHOW = "show"
    SHOW_WITHOUT_TEXT = "show_without_text"
    HIDE = "hide"


@dataclass(frozen=True)
class Hold:
    """An alert that waits, with its texts as written; `left_seconds` until the deadline.

    `decision`, `by_kind`, `by_name` and `undo_seconds` are set for the few seconds in which it may be undone.
    """

    alert_id: uuid.UUID
    donation_id: int
    public_id: str
    donor_name: str | None
    message: str
    amount_minor: int
    reason: str
    matches: tuple[Match, ...]
    held_at: datetime
    left_seconds: float
    outcome: str
    decision: Decision | None
    by_kind: str | None
    by_name: str
    undo_seconds: float | None


@dataclass(frozen=True)
class Decided:
    """What came of a press: `won` is False if somebody was first, with this `decision`; by whom, as a hold has it."""

    won: bool
    decision: str
    by_kind: str
    by_name: str


async def list_holds(connection: Any, streamer_id: int, *, limit: int = 50) -> list[Hold]:
    """What waits, oldest first."""
    rows = queries.holds.list_holds(connection, streamer_id=streamer_id, limit=limit)
    return [
        Hold(
            **{
                **row,
                "matches": decode_matches(row["matches"]),
                "decision": None if row["decision"] is None else Decision(row["decision"]),
            }
        )
        async for row in rows
    ]


async def count_holds(connection: Any, streamer_id: int) -> int:
    """How many nobody has decided on."""
    count: int = await queries.holds.count_holds(connection, streamer_id=streamer_id)
    return count


def decode_matches(stored: list[dict[str, Any]]) -> tuple[Match, ...]:
    return tuple(
        Match(**{**match, "part": Part(match["part"]), "rule": Rule(match["rule"]), "act": Act(match["act"])})
        for match in stored
    )


async def decide(connection: Any, streamer_id: int, alert_id: uuid.UUID, decision: Decision, by: Presser) -> Decided:
    """The first decision counts, from five seconds later on. Raises NotFoundError("hold") for what never waited."""
    row = await queries.holds.decide(
        connection,
        streamer_id=streamer_id,
        alert_id=alert_id,
        decision=decision,
        by_kind=by.kind,
        by_id=by.id,
        by_name=by.name,
        undo_seconds=float(UNDO_SECONDS),
    )
    if row is None:
        first = await expect_hold(connection, streamer_id, alert_id)
        return Decided(False, first["decision"] or "", first["by_kind"] or "", first["by_name"])
    await outbox.add_task(connection, Actor.SETTLE_HOLD, row["alert_id"], delay_seconds=UNDO_SECONDS)
    await log_decision(connection, streamer_id, row["donation_id"], decision, row["reason"], by)
    return Decided(True, decision, by.kind, by.name)


async def undo(connection: Any, streamer_id: int, alert_id: uuid.UUID, by: Presser) -> bool:
    """Take a decision back, anybody's, before it takes effect. False: it is too late.

    Raises NotFoundError("hold") for what never waited.
    """
    row = await queries.holds.undo(connection, streamer_id=streamer_id, alert_id=alert_id)
    if row is None:
        await expect_hold(connection, streamer_id, alert_id)
        return False
    await outbox.add_task(connection, Actor.SETTLE_HOLD, row["alert_id"], delay_seconds=row["left_seconds"])
    await log_decision(connection, streamer_id, row["donation_id"], "undo", row["reason"], by)
    return True


async def expect_hold(connection: Any, streamer_id: int, alert_id: uuid.UUID) -> Any:
    """What was decided about it. Raises NotFoundError("hold") for what never waited, or was settled long ago."""
    row = await queries.holds.get_decided(connection, streamer_id=streamer_id, alert_id=alert_id)
    if row is None:
        raise NotFoundError("hold")
    return row


async def settle(connection: Any, hold_id: int) -> Wake | None:
    """Let a hold's decision take effect, or its deadline, if it is time; to be published after the commit.

    A held alert that lost its hold gets one instead.
    """
    donation_id = await queries.holds.get_donation_id(connection, alert_id=hold_id)
    # Before the alert's row, as a refund does.
    await queries.donations.lock_donation_by_id(connection, donation_id=donation_id)
    row = await queries.holds.claim_due(connection, alert_id=hold_id)
    if row is None:
        return await _open_missing(connection, hold_id)
    decision = _decision_of(row)
    if row["decision"] is None:
        await log_decision(connection, row["streamer_id"], row["donation_id"], decision, row["reason"], None)
    name, message = None, ""
    if decision is Decision.HIDE:
        await alerts.drop(connection, row["streamer_id"], row["public_alert_id"])
    else:
        name, message = await _show(connection, row, decision)
        if row["is_hidden"]:
            name, message = None, ""
    await outbox.add_event(
        connection,
        EventType.DONATION_MODERATED,
        {
            "donation_id": row["donation_id"],
            "streamer_id": row["streamer_id"],
            "decision": decision,
            "by": row["by_kind"] or DEADLINE,
            "is_held": False,
            "donor_name": name,
            "message": message,
        },
    )
    topics = frozenset({Topic.ALERTS, Topic.DONATION})
    return Wake(row["streamer_id"], topics, row["donation_id"], plays_on=True)


async def _open_missing(connection: Any, alert_id: int) -> Wake | None:
    """A booking that could not write the hold left the alert held; without one nobody would ever decide."""
    judged = unjudged(None, "")
    row = await queries.holds.open_missing(
        connection,
        alert_id=alert_id,
        reason=judged.reason,
        hold_minutes=judged.settings.hold_minutes,
        outcome=judged.settings.outcome,
    )
    if row is None:
        return None
    log.error("alert %d was held and nobody would have decided: it waits for a person now", alert_id)
    await keep_texts_back(connection, row["donation_id"])
    await outbox.add_task(
        connection, Actor.SETTLE_HOLD, alert_id, delay_seconds=float(judged.settings.hold_minutes * 60)
    )
    await queries.moderation.insert_decision(
        connection,
        streamer_id=row["streamer_id"],
        donation_id=row["donation_id"],
        what="hold",
        reason=judged.reason,
        by_kind="rules",
        by_id=None,
        by_name="",
        matches=[],
    )
    return Wake(row["streamer_id"], frozenset({Topic.ALERTS, Topic.DONATION}), row["donation_id"])


def _decision_of(row: Any) -> Decision:
    if row["decision"] is not None:
        return Decision(row["decision"])
    return Decision.HIDE if row["outcome"] == "skip" else Decision.SHOW_WITHOUT_TEXT


async def _show(connection: Any, row: Any, decision: Decision) -> tuple[str | None, str]:
    """The text goes into the alert before it may play, and leaves us only if it may. Returns what leaves."""
    is_whole = decision is Decision.SHOW
    name = row["approved_name"] if is_whole else row["quiet_name"]
    message = row["approved_message"] if is_whole else ""
    await queries.holds.set_alert_text(
        connection,
        alert_id=row["alert_id"],
        donor_name=name,
        message=message,
    )
    if not await alerts.approve(connection, row["streamer_id"], row["public_alert_id"]):
        return None, ""
    await queries.moderation.set_public_texts(
        connection, donation_id=row["donation_id"], donor_name=name, message=message
    )
    return name, message


async def ask_due(connection: Any, *, limit: int = 200) -> int:
    """Ask for what should have been settled and was not, and for holds that are missing; how many."""
    rows = [row async for row in queries.holds.list_due(connection, limit=limit)]
    rows += [row async for row in queries.holds.list_missing(connection, limit=limit)]
    for row in rows:
        await outbox.add_task(connection, Actor.SETTLE_HOLD, row["alert_id"])
    await queries.holds.delete_settled(connection)
    return len(rows)


async def block_donor(
    connection: Any, streamer_id: int, alert_id: uuid.UUID, kind: blocks.BlockKind, by: Presser
) -> None:
    """Block whoever sent what waits, by an address for a day; what waits is still to be decided.

    Raises NotFoundError("hold"), NotAllowedError("nothing_to_block").
    """
    row = await queries.holds.find_held_donation(connection, streamer_id=streamer_id, alert_id=alert_id)
    if row is None:
        raise NotFoundError("hold")
    user_id = None if by.kind is PresserKind.MODERATOR else by.id
    await blocks.block(
        connection, streamer_id, row["public_id"], kind, note=by.name, days=blocks.ADDRESS_DAYS[0], user_id=user_id
    )
    await log_decision(connection, streamer_id, row["donation_id"], "block", f"blocked_{kind}", by)


async def log_decision(
    connection: Any, streamer_id: int, donation_id: int, what: str, reason: str, by: Presser | None
) -> None:
    """A line that `domain/moderation_log.py` reads. `by` None: nobody decided in time."""
    await queries.moderation.insert_decision(
        connection,
        streamer_id=streamer_id,
        donation_id=donation_id,
        what=what,
        reason=reason,
        by_kind=DEADLINE if by is None else by.kind,
        by_id=None if by is None else by.id,
        by_name="" if by is None else by.name,
        matches=[],
    )
