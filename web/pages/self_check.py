"""`/admin/self-check`: what the self-check knows, for the operator; and a button to have it look at everything now."""

from dataclasses import dataclass
from typing import Any

from quart import Blueprint, Response, render_template, request
from quart.typing import ResponseReturnValue

from domain import self_check
from domain.self_check import ALL_RULES, Depth, Finding, Progress, Rule, Severity, State, Subject
from web.context import parts
from web.pages import desk
from web.pages.self_check_words import FOUND, SEVERITIES, SUBJECTS
from web.sessions import require_superuser

blueprint = Blueprint("self_check", __name__)

SILENT_SECONDS = 900.0
"""Each five minutes there is a run: when the last one is older, nobody does them."""
SLOW_SECONDS = 30.0
TIME_ZONE = "Europe/Moscow"


@dataclass(frozen=True)
class Line:
    """A rule on the page; an example is an id and where it leads, None where there is no page for it."""

    severity: Severity
    severity_words: str
    words: str
    found: int
    subject: str
    examples: list[tuple[int, str | None]]


@blueprint.get("/admin/self-check")
async def show() -> Response | str:
    """The page; to HTMX, which asks each second while a run is under way, only its part that changes."""
    await require_superuser()
    run_id = request.args.get("run", type=int)
    async with parts().pool.acquire() as connection:
        state = await self_check.read_state(connection)
        progress = None if run_id is None else await self_check.get_progress(connection, run_id)
    values: dict[str, Any] = {
        "state": state,
        "headline": headline(state),
        "lines": [_line(finding) for finding in _worst_first(state) if finding.found],
        "clean": [FOUND[finding.rule]() for finding in _worst_first(state) if not finding.found],
        "run_id": run_id,
        "is_running": _is_running(progress),
        "is_slow": progress is not None and progress.waited_seconds > SLOW_SECONDS,
        "is_silent": state is not None and state.last.age_seconds > SILENT_SECONDS,
        "time_zone": TIME_ZONE,
    }
    if "HX-Request" in request.headers:
        return await render_template("partials/self_check.html", **values)
    return await desk.render("pages/self_check.html", None, current="self_check.show", **values)


@blueprint.post("/admin/self-check")
async def check_now() -> ResponseReturnValue:
    user = await require_superuser()
    async with parts().pool.acquire() as connection, connection.transaction():
        run_id = await self_check.ask_for_run(connection, Depth.FULL, user.id)
    parts().relay.wake()
    return desk.go_to("self_check.show", run=run_id)


def headline(state: State | None) -> str:
    """The worst of what is known: `unknown`, `clean`, or a severity."""
    if state is None:
        return "unknown"
    found = {ALL_RULES[finding.rule].severity for finding in state.findings if finding.found}
    return next((severity.value for severity in Severity if severity in found), "clean")


def _is_running(progress: Progress | None) -> bool:
    return progress is not None and not progress.is_finished


def _worst_first(state: State | None) -> list[Finding]:
    order = list(Severity)
    findings = () if state is None else state.findings
    return sorted(findings, key=lambda finding: order.index(ALL_RULES[finding.rule].severity))


def _line(finding: Finding) -> Line:
    rule = ALL_RULES[finding.rule]
    return Line(
        severity=rule.severity,
        severity_words=SEVERITIES[rule.severity](),
        words=FOUND[rule.name](),
        found=finding.found,
        subject=SUBJECTS[rule.subject]() if finding.examples else "",
        examples=[(example, _address(rule, example)) for example in finding.examples],
    )


def _address(rule: Rule, example: int) -> str | None:
    return f"/admin/payments?q={example}" if rule.subject is Subject.PAYMENT else None
