"""What is kept how long: the one list of it. `tasks/sweeps.py` forgets what is older, in batches.

Nothing here touches money: payments, the ledger and the logs of both are kept for good. What is listed is deleted, or
emptied of what says something about a person. The operator may choose the days (`KeepDays` in `infra/settings.py`);
those without a choice are part of how a thing works. People read this list on `/kept` (`web/pages/kept.py`).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain import idempotency
from domain.sessions import KNOWN_BROWSER_DAYS
from infra import queries

_sql = queries.retention

BATCH = 1_000
"""Rows a look, of each rule: a look a minute keeps up with a million rows a day."""


@dataclass(frozen=True)
class Rule:
    name: str
    """As in `KeepDays`, if the operator chooses the days."""
    forget: tuple[Callable[..., Awaitable[str]], ...]
    """Queries that take `days` and `limit` and forget one batch."""
    fixed_days: int | None = None
    """Days that nobody chooses; after its own end, where a thing has one."""


RULES: tuple[Rule, ...] = (
    Rule("sessions", (_sql.delete_ended_sessions,), fixed_days=0),
    Rule("browsers", (_sql.delete_browsers,), fixed_days=KNOWN_BROWSER_DAYS),
    Rule("confirmations", (_sql.delete_confirmations,), fixed_days=1),
    Rule("awaiting", (_sql.delete_awaiting,), fixed_days=1),
    Rule("links", (_sql.delete_links,)),
    Rule("keys", (_sql.delete_keys, _sql.delete_grants), fixed_days=30),
    Rule("tokens", (_sql.delete_unused_codes, _sql.delete_access_tokens, _sql.delete_refresh_tokens), fixed_days=1),
    Rule("letters", (_sql.delete_letters,)),
    Rule("account_log", (_sql.delete_account_log,)),
    Rule("exports", (_sql.delete_exports,)),
    Rule("archives", (_sql.delete_archives,)),
    Rule("addresses", (_sql.delete_addresses,)),
    Rule("refused_files", (_sql.delete_refused_files,), fixed_days=1),
    Rule("unpaid_texts", (_sql.erase_unpaid_texts,)),
    Rule("receipt_emails", (_sql.erase_receipt_emails,)),
    Rule("deleted_by_hand", (_sql.erase_deleted_by_hand,)),
    Rule("controls", (_sql.delete_controls,)),
    Rule("custom_alerts", (_sql.erase_custom_alerts,), fixed_days=30),
    Rule("idempotency_keys", (_sql.delete_idempotency_keys,), fixed_days=idempotency.DAYS),
    Rule("webhook_log", (_sql.delete_webhook_log,)),
    Rule("decisions", (_sql.erase_decisions,)),
    Rule("notifications", (_sql.erase_bodies, _sql.erase_raw_news)),
)


def days_of(rule: Rule, keep_days: Mapping[str, int]) -> int:
    return keep_days[rule.name] if rule.fixed_days is None else rule.fixed_days


async def forget_old(connection: Any, keep_days: Mapping[str, int], *, limit: int = BATCH) -> int:
    """Forget the next batch of each rule; how many rows that were. `keep_days`: what the operator chose."""
    forgotten = 0
    for rule in RULES:
        for forget in rule.forget:
            tag = await forget(connection, days=days_of(rule, keep_days), limit=limit)
            forgotten += int(tag.rpartition(" ")[2])
    return forgotten
