"""Self-check: ledger, payments, donations, totals, alerts and queues compared with each other, all the time (DESIGN 5).

Each rule is a row below: what must never be, a query that finds it, and how bad it is. A rule that cries wolf is worse
than none, so what is in flight is none of its business: money moves in one transaction, and all rules of a run look at
one snapshot; what waits is given minutes before it is called stuck.

A run is asked for by a row of `self_checks` (`ask_for_run`, `ask_due_runs`), done by who claims it. `recent` looks at
payments that changed lately and at all that waits; `full` looks at everything. What is known is both together:
`read_state`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain import outbox
from domain.events import Actor
from domain.payments import FAILURES_TO_REST
from domain.terminals import Box
from infra import queries


class Severity(StrEnum):
    BROKEN = "broken"
    """The books are wrong, or an alert and its donation disagree: a bug, or somebody wrote into the tables."""
    STUCK = "stuck"
    """Something stands still that should move by itself."""
    ATTENTION = "attention"
    """All works, and a person has to decide or look."""

    @property
    def is_alarm(self) -> bool:
        """Whether the command's exit code and the error log speak of it."""
        return self is not Severity.ATTENTION


class Subject(StrEnum):
    """What a rule's examples are ids of."""

    TRANSACTION = "ledger transaction"
    PAYMENT = "payment"
    DONATION = "donation"
    STREAMER = "streamer"
    ALERT = "alert"
    NOTIFICATION = "notification"
    OUTBOX = "outbox row"
    TERMINAL = "terminal"
    REGISTRY = "registry"
    NOTHING = ""


class Depth(StrEnum):
    RECENT = "recent"
    FULL = "full"


RECENT_SECONDS = 1800.0
RECENT_LIMIT = 50_000
"""Of each kind of change the newest: bounds what `recent` looks at on the busiest site."""
RECENT_STREAMERS = 200
EXAMPLES = 5


@dataclass(frozen=True)
class Scope:
    """What a run looks at; None is everything."""

    payment_ids: list[int] | None = None
    streamer_ids: list[int] | None = None


@dataclass(frozen=True)
class Rule:
    name: str
    severity: Severity
    subject: Subject
    sentence: str
    """What was found, for logs; `web` has the words for people."""
    find: Callable[[Any, Scope], Any]
    is_scoped: bool = False
    """Looks only at recent payments or streamers in a recent run: what it found before stays true until a full one."""


@dataclass(frozen=True)
class Finding:
    """What a rule found; at most five examples, the newest first."""

    rule: str
    found: int
    examples: tuple[int, ...] = ()


_sql, _waits, _runs = queries.self_check, queries.self_check_waits, queries.self_check_runs
_B, _S, _A = Severity.BROKEN, Severity.STUCK, Severity.ATTENTION

RULES: tuple[Rule, ...] = (
    Rule("transaction_unbalanced", _B, Subject.TRANSACTION, "A ledger transaction does not sum to zero.",
         lambda c, s: _sql.find_unbalanced_transactions(c, payment_ids=s.payment_ids), is_scoped=True),
    Rule("ledger_unbalanced", _B, Subject.STREAMER, "A streamer's whole ledger does not sum to zero.",
         lambda c, s: _sql.find_unbalanced_streamers(c, streamer_ids=s.streamer_ids), is_scoped=True),
    Rule("taken_unbooked", _B, Subject.PAYMENT, "A payment was taken and is not in the ledger.",
         lambda c, s: _sql.find_taken_unbooked(c, payment_ids=s.payment_ids), is_scoped=True),
    Rule("booked_untaken", _B, Subject.PAYMENT, "A payment is in the ledger and was not taken.",
         lambda c, s: _sql.find_booked_untaken(c, payment_ids=s.payment_ids), is_scoped=True),
    Rule("wrong_account", _B, Subject.PAYMENT, "A payment's money stands on another account than it was booked as.",
         lambda c, s: _sql.find_wrong_accounts(c, payment_ids=s.payment_ids), is_scoped=True),
    Rule("wrong_amount", _B, Subject.PAYMENT, "Another amount was booked than the provider took.",
         lambda c, s: _sql.find_wrong_amounts(c, payment_ids=s.payment_ids), is_scoped=True),
    Rule("wrong_refund_state", _B, Subject.PAYMENT, "A payment's state and the refunds in the ledger differ.",
         lambda c, s: _sql.find_wrong_refund_states(c, payment_ids=s.payment_ids), is_scoped=True),
    Rule("reversal_without_chargeback", _B, Subject.PAYMENT, "More of a payment came again than was charged back.",
         lambda c, s: _sql.find_reversals_without_chargeback(c, payment_ids=s.payment_ids), is_scoped=True),
    Rule("paid_without_payment", _B, Subject.DONATION, "A donation is paid and no payment pays it.",
         lambda c, s: _sql.find_paid_without_payment(c, payment_ids=s.payment_ids), is_scoped=True),
    Rule("paid_twice", _B, Subject.DONATION, "Two payments pay one donation.",
         lambda c, s: _sql.find_paid_twice(c, payment_ids=s.payment_ids), is_scoped=True),
    Rule("money_unnoticed", _B, Subject.PAYMENT, "Money was booked and its donation does not say so.",
         lambda c, s: _sql.find_money_unnoticed(c, payment_ids=s.payment_ids), is_scoped=True),
    Rule("wrong_donation_state", _B, Subject.DONATION, "A paid donation's state or sums differ from the ledger.",
         lambda c, s: _sql.find_wrong_donation_states(c, payment_ids=s.payment_ids), is_scoped=True),
    Rule("paid_without_alert", _B, Subject.DONATION, "A paid donation has no alert.",
         lambda c, s: _sql.find_paid_without_alert(c, payment_ids=s.payment_ids), is_scoped=True),
    Rule("unpaid_alert", _B, Subject.ALERT, "An alert waits or plays and its donation is not paid.",
         lambda c, _: _sql.find_unpaid_alerts(c)),
    Rule("wrong_totals", _B, Subject.STREAMER, "A streamer's total differs from the ledger.",
         lambda c, s: _sql.find_wrong_totals(c, streamer_ids=s.streamer_ids), is_scoped=True),
    Rule("wrong_days", _B, Subject.STREAMER, "A streamer's days do not add up to the total.",
         lambda c, s: _sql.find_wrong_days(c, streamer_ids=s.streamer_ids), is_scoped=True),
    Rule("wrong_count", _B, Subject.STREAMER, "A streamer's number of donations is not counted right.",
         lambda c, s: _sql.find_wrong_counts(c, streamer_ids=s.streamer_ids), is_scoped=True),
    Rule("wrong_moved_days", _B, Subject.STREAMER, "The days of a streamer's money do not add up to the ledger.",
         lambda c, s: _sql.find_wrong_moved_days(c, streamer_ids=s.streamer_ids), is_scoped=True),
    Rule("wrong_goal_sums", _B, Subject.STREAMER, "A goal's sums differ from its donations.",
         lambda c, s: _sql.find_wrong_goal_sums(c, streamer_ids=s.streamer_ids), is_scoped=True),
    Rule("unexplained_state", _B, Subject.PAYMENT, "No news explains the state a payment is in.",
         lambda c, s: _sql.find_unexplained_states(c, payment_ids=s.payment_ids), is_scoped=True),
    Rule("uncovered_refund", _B, Subject.PAYMENT, "A refund is done and the ledger does not know of it.",
         lambda c, _: _sql.find_uncovered_refunds(c)),
    Rule("payment_forgotten", _S, Subject.PAYMENT, "A payment is not over and nobody will look at it.",
         lambda c, s: _waits.find_forgotten_payments(c, payment_ids=s.payment_ids), is_scoped=True),
    Rule("check_late", _S, Subject.PAYMENT, "A payment was to be looked at 15 minutes ago.",
         lambda c, _: _waits.find_late_checks(c, failures_to_rest=FAILURES_TO_REST)),
    Rule("question_stuck", _S, Subject.PAYMENT, "Somebody is asking about a payment without end.",
         lambda c, _: _waits.find_stuck_questions(c)),
    Rule("opening_old", _S, Subject.PAYMENT, "A payment has had no link for 30 minutes.",
         lambda c, _: _waits.find_old_openings(c)),
    Rule("notification_unprocessed", _S, Subject.NOTIFICATION, "A notification has not been acted on for 5 minutes.",
         lambda c, _: _waits.find_unprocessed_notifications(c)),
    Rule("refund_late", _S, Subject.PAYMENT, "A refund was to be looked at 15 minutes ago.",
         lambda c, _: _waits.find_late_refunds(c)),
    Rule("dispute_unbooked", _S, Subject.PAYMENT, "A registry told of a chargeback and the books lack it.",
         lambda c, _: _waits.find_unbooked_disputes(c)),
    Rule("registry_late", _S, Subject.REGISTRY, "A registry was to be read 20 minutes ago.",
         lambda c, _: _waits.find_late_registries(c)),
    Rule("outbox_late", _S, Subject.OUTBOX, "The outbox has not been published for 60 seconds.",
         lambda c, _: _waits.find_late_outbox(c)),
    Rule("outbox_failing", _S, Subject.OUTBOX, "A row of the outbox was tried five times and more.",
         lambda c, _: _waits.find_failing_outbox(c)),
    Rule("relay_missing", _S, Subject.NOTHING, "No relay is running.",
         lambda c, _: _waits.find_missing_relays(c)),
    Rule("alert_waiting", _S, Subject.ALERT, "Alerts wait for 10 minutes though an overlay could show them.",
         lambda c, _: _waits.find_waiting_alerts(c)),
    Rule("lease_dead", _S, Subject.ALERT, "An alert plays without end.",
         lambda c, _: _waits.find_dead_leases(c)),
    Rule("hold_missing", _S, Subject.ALERT, "An alert is held and nobody will ever decide on it.",
         lambda c, _: _waits.find_missing_holds(c)),
    Rule("goal_behind", _S, Subject.DONATION, "A goal has waited for a donation's money for 5 minutes.",
         lambda c, _: _waits.find_goals_behind(c)),
    Rule("vain_check", _A, Subject.PAYMENT, "A provider has been asked for hours and settles nothing: see its cabinet.",
         lambda c, _: _waits.find_vain_checks(c)),
    Rule("notification_unknown", _A, Subject.NOTIFICATION, "A notification of an unknown order, or one we cannot read.",
         lambda c, _: _waits.find_unsettled_notifications(c)),
    Rule("refund_long", _A, Subject.PAYMENT, "A refund has been under way for two hours.",
         lambda c, _: _waits.find_long_refunds(c)),
    Rule("refund_refused", _A, Subject.PAYMENT, "A refund was refused and nobody has read why.",
         lambda c, _: _waits.find_refused_refunds(c)),
    Rule("surplus_waiting", _A, Subject.PAYMENT, "A donation was paid twice and the second payment was not given back.",
         lambda c, _: _waits.find_waiting_surplus(c)),
    Rule("review_waiting", _A, Subject.PAYMENT, "Another amount than asked for has waited for a decision for a day.",
         lambda c, _: _waits.find_waiting_reviews(c)),
    Rule("dead_letters", _A, Subject.NOTHING, "Messages that no retry will try again.",
         lambda c, _: _waits.find_dead_letters(c)),
    Rule("relay_deaf", _A, Subject.NOTHING, "A relay is not woken by the database and looks each second.",
         lambda c, _: _waits.find_deaf_relays(c)),
    Rule("provider_failing", _A, Subject.NOTHING, "A payment provider does not answer.",
         lambda c, _: _waits.find_failing_providers(c, failures_to_rest=FAILURES_TO_REST)),
)  # fmt: skip

# The one rule that no query can answer: it needs the keys.
SECRET_UNREADABLE = Rule(
    "secret_unreadable",
    Severity.STUCK,
    Subject.TERMINAL,
    "None of SECRET_KEYS decrypts a terminal's secret.",
    lambda connection, _: _sql.list_secrets(connection),
)

ALL_RULES: dict[str, Rule] = {rule.name: rule for rule in (*RULES, SECRET_UNREADABLE)}


async def look(connection: Any, box: Box, depth: Depth) -> list[Finding]:
    """Ask all rules, in their order. In a REPEATABLE READ, READ ONLY transaction, so that they speak of one moment."""
    await _sql.plan_by_what_is_asked(connection)
    scope = Scope() if depth is Depth.FULL else await _recent(connection)
    findings = []
    for rule in RULES:
        rows = [row async for row in rule.find(connection, scope)]
        findings.append(_finding(rule, rows))
    return [*findings, await _check_secrets(connection, box)]


async def _recent(connection: Any) -> Scope:
    payments = _sql.list_recent_payments(connection, seconds=RECENT_SECONDS, limit=RECENT_LIMIT)
    streamers = _sql.list_recent_streamers(
        connection, seconds=RECENT_SECONDS, limit=RECENT_LIMIT, streamers_limit=RECENT_STREAMERS
    )
    return Scope([row["payment_id"] async for row in payments], [row["streamer_id"] async for row in streamers])


def _finding(rule: Rule, rows: Sequence[Any]) -> Finding:
    if not rows:
        return Finding(rule.name, 0)
    examples = tuple(int(row["example"]) for row in rows if row["example"] is not None)
    return Finding(rule.name, rows[0]["found"], examples)


async def _check_secrets(connection: Any, box: Box) -> Finding:
    unreadable = []
    async for row in _sql.list_secrets(connection):
        try:
            box.decrypt(row["secret_encrypted"])
        # What a box raises is its own; whatever it is, this secret is of no use.
        except Exception:
            unreadable.append(row["id"])
    return Finding(SECRET_UNREADABLE.name, len(unreadable), tuple(unreadable[:EXAMPLES]))


# Runs.


@dataclass(frozen=True)
class Run:
    """A run that has finished; seconds."""

    id: int
    depth: Depth
    asked_at: datetime
    started_at: datetime
    finished_at: datetime
    took_seconds: float
    age_seconds: float
    """Since its end."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class State:
    """What is known by now: the last full run, and what the recent ones after it have seen.

    `findings` has each rule once, in the rules' order; rules that no run has asked yet are absent.
    """

    last: Run
    last_full: Run | None
    findings: tuple[Finding, ...]

    @property
    def alarms(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.found and is_alarm(finding))


def is_alarm(finding: Finding) -> bool:
    return ALL_RULES[finding.rule].severity.is_alarm


async def ask_for_run(connection: Any, depth: Depth, user_id: int) -> int:
    """Somebody wants a run now; its id. One that waits already is as good."""
    waiting_id: int | None = await _runs.find_waiting_run(connection, depth=depth)
    if waiting_id is not None:
        return waiting_id
    run_id: int = await _runs.ask_for_run(connection, depth=depth, asked_by=user_id)
    await outbox.add_task(connection, Actor.SELF_CHECK, run_id)
    return run_id


async def ask_due_runs(connection: Any) -> int:
    """Ask for what the schedule wants by now; how many runs."""
    rows = [row async for row in _runs.ask_due_runs(connection)]
    for row in rows:
        await outbox.add_task(connection, Actor.SELF_CHECK, row["id"])
    return len(rows)


async def begin_run(connection: Any, depth: Depth) -> int:
    """A run that the caller does itself, at once; its id."""
    run_id: int = await _runs.ask_for_run(connection, depth=depth, asked_by=None)
    await _runs.claim_run(connection, run_id=run_id)
    return run_id


async def claim_run(connection: Any, run_id: int) -> Depth | None:
    """Hold a run that was asked for; None when it is done, or somebody else does it."""
    row = await _runs.claim_run(connection, run_id=run_id)
    return None if row is None else Depth(row["depth"])


@dataclass(frozen=True)
class Change:
    """A rule that finds more, less or nothing where it did otherwise before."""

    rule: Rule
    before: int
    finding: Finding


async def finish_run(connection: Any, run_id: int, findings: Iterable[Finding]) -> list[Change]:
    """Keep what a run found; what is known differently by it."""
    before = await read_state(connection)
    results = [
        {"rule": finding.rule, "found": finding.found, "examples": list(finding.examples)} for finding in findings
    ]
    await _runs.finish_run(connection, run_id=run_id, results=results)
    await _runs.delete_old_runs(connection)
    known = {} if before is None else {finding.rule: finding.found for finding in before.findings}
    after = await read_state(connection)
    assert after is not None, "a run has finished"
    return [
        Change(ALL_RULES[finding.rule], known.get(finding.rule, 0), finding)
        for finding in after.findings
        if finding.found != known.get(finding.rule, 0)
    ]


@dataclass(frozen=True)
class Progress:
    """How a run that somebody asked for stands; seconds since it was asked for."""

    is_finished: bool
    waited_seconds: float


async def get_progress(connection: Any, run_id: int) -> Progress | None:
    """None: there is no such run (any more)."""
    row = await _runs.get_progress(connection, run_id=run_id)
    return None if row is None else Progress(**row)


async def read_state(connection: Any) -> State | None:
    """None before the first run."""
    runs = [_run(row) async for row in _runs.list_runs_since_full(connection)]
    if not runs:
        return None
    full = [run for run in runs if run.depth is Depth.FULL]
    return State(runs[-1], full[-1] if full else None, tuple(known_by(runs)))


def known_by(runs: Iterable[Run]) -> list[Finding]:
    """What runs, oldest first, say together. A recent run sees not all that a scoped rule speaks of: by it such a
    finding may come and not go."""
    known: dict[str, Finding] = {}
    for run in runs:
        for finding in run.findings:
            rule = ALL_RULES.get(finding.rule)
            if rule is None:
                # A rule of another version.
                continue
            former = known.get(finding.rule)
            if run.depth is Depth.RECENT and rule.is_scoped and former is not None and former.found > finding.found:
                continue
            known[finding.rule] = finding
    return [known[name] for name in ALL_RULES if name in known]


def _run(row: Any) -> Run:
    findings = tuple(Finding(result["rule"], result["found"], tuple(result["examples"])) for result in row["results"])
    return Run(
        id=row["id"],
        depth=Depth(row["depth"]),
        asked_at=row["asked_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        took_seconds=row["took_seconds"],
        age_seconds=row["age_seconds"],
        findings=findings,
    )
