"""What waits, judged anew: the streamer made an exception of a word, or changed her rules."""

import uuid
from typing import Any

from domain import outbox
from domain.errors import InvalidInputError, NotFoundError
from domain.events import Actor
from domain.holds import expect_hold, list_holds, log_decision
from domain.judgement import encode_match, judge_donation
from domain.moderation import Action
from domain.moderation.judging import exception_for
from domain.moderation_settings import add_words
from domain.pressers import Presser
from infra import queries

_REJUDGED_MAX = 200


async def allow(connection: Any, streamer_id: int, alert_id: uuid.UUID, index: int, by: Presser) -> bool:
    """Make an exception of what this hold's match `index` caught, and judge what waits anew.

    What nothing is caught of any more is shown by itself. False: nobody waits for this decision any more.
    Raises NotFoundError("hold" | "match"), InvalidInputError("word", "not_a_word" | "too_many").
    """
    row = await queries.holds.lock_hold(connection, streamer_id=streamer_id, alert_id=alert_id)
    if row is None:
        await expect_hold(connection, streamer_id, alert_id)
        return False
    found = [hold for hold in await list_holds(connection, streamer_id, limit=1000) if hold.alert_id == alert_id]
    if not found or not 0 <= index < len(found[0].matches):
        raise NotFoundError("match")
    match = found[0].matches[index]
    pattern = exception_for(match)
    if pattern is None:
        raise InvalidInputError("word", "not_a_word")
    await add_words(connection, streamer_id, "exception", [pattern])
    await log_decision(connection, streamer_id, row["donation_id"], "exception", pattern, by)
    await rejudge(connection, streamer_id, by)
    return True


async def rejudge(connection: Any, streamer_id: int, by: Presser) -> None:
    """Judge what the rules hold anew, after the streamer changed them."""
    rows = [
        row async for row in queries.holds.list_open_holds(connection, streamer_id=streamer_id, limit=_REJUDGED_MAX)
    ]
    for row in rows:
        await _rejudge_one(connection, streamer_id, row["alert_id"], by)


async def _rejudge_one(connection: Any, streamer_id: int, alert_id: uuid.UUID, by: Presser) -> None:
    hold = await queries.holds.lock_hold(connection, streamer_id=streamer_id, alert_id=alert_id)
    if hold is None:
        return
    judged = await judge_donation(connection, streamer_id, hold["donation_id"], hold["amount_minor"])
    verdict = judged.verdict
    await queries.holds.rejudge(
        connection,
        alert_id=hold["alert_id"],
        matches=[encode_match(match) for match in verdict.matches],
        approved_name=verdict.approved_name,
        approved_message=verdict.approved_message,
        quiet_name=verdict.quiet_name,
    )
    if hold["reason"] == "rules" and verdict.action in (Action.SHOW, Action.MASK):
        await queries.holds.decide_now(
            connection, alert_id=hold["alert_id"], by_kind=by.kind, by_id=by.id, by_name=by.name
        )
        await outbox.add_task(connection, Actor.SETTLE_HOLD, hold["alert_id"])
