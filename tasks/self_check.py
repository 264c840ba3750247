"""Comparing the books with each other, and saying loudly what differs (domain/self_check.py)."""

import logging

from domain import outbox, self_check
from domain.events import Actor
from domain.self_check import Change
from infra import queries
from infra.database import connect_patiently, look_at_one_moment
from tasks.runtime import Parts

log = logging.getLogger(__name__)

_LOCK = 0x53656C66  # "Self"
_BUSY_SECONDS = 5.0


async def check_self(parts: Parts, run_id: int) -> None:
    """Do a run that was asked for, one at a time: it reads much. One that finds another at it comes back later.

    On a connection of its own: a whole ledger takes longer to add up than the pool allows a statement.
    """
    connection = await connect_patiently(parts.settings.database_url, program="self-check")
    try:
        if not await queries.self_check_runs.try_hold_runs(connection, lock=_LOCK):
            await outbox.add_task(connection, Actor.SELF_CHECK, run_id, delay_seconds=_BUSY_SECONDS)
            return
        depth = await self_check.claim_run(connection, run_id)
        if depth is None:
            return
        async with look_at_one_moment(connection):
            findings = await self_check.look(connection, parts.box, depth)
        async with connection.transaction():
            changes = await self_check.finish_run(connection, run_id, findings)
    finally:
        await connection.close()
    for change in changes:
        say(change)


def say(change: Change) -> None:
    """Once a change, not once a look: what is known is on the operator's page."""
    finding, rule = change.finding, change.rule
    if finding.found == 0:
        log.warning("self-check: over: %s", rule.sentence)
        return
    examples = ", ".join(map(str, finding.examples))
    log.log(
        logging.ERROR if rule.severity.is_alarm else logging.WARNING,
        "self-check: %s, %d found (before: %d): %s%s",
        rule.severity, finding.found, change.before, rule.sentence,
        f" {rule.subject} {examples}" if examples else "",
    )  # fmt: skip
