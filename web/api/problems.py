"""The codes of problem documents: the one table of them. A program may rely on a code, which is the end of the problem's
`type`; the words may change.
"""

from dataclasses import dataclass
from typing import Any

from web.api.errors import Refused


@dataclass(frozen=True)
class Problem:
    status: int
    detail: str
    """For who reads a log; `{limit}` and the like are filled in where it is raised."""


PROBLEMS: dict[str, Problem] = {
    "scope": Problem(403, "This key may not do that: it needs {scope}"),
    "no_page": Problem(404, "There is no donation page here: its owner has not made one yet"),
    "cursor": Problem(422, "This is no cursor of this list: take one from `next` or `previous`, or leave it out"),
    "too_many_goals": Problem(409, "There are {limit} planned goals already: delete one first"),
    "goal_not_planned": Problem(409, "Only a planned goal can be started, and this one is not"),
    "goal_not_active": Problem(409, "Only the active goal can be ended, and this one is not active"),
    "goal_not_over": Problem(409, "Only a goal that is over can be put into the archive or taken out of it"),
    "goal_time_over": Problem(409, "The time of this goal is over already: give it a later end first"),
    "goal_has_money": Problem(409, "Money or a celebration speaks of this goal, so it stays: end and archive it"),
    "too_many_waiting": Problem(409, "{limit} of your own alerts are waiting already: let some play first"),
    "caught": Problem(422, "The streamer's rules would not let this text be shown: {rules}"),
    "foreign_file": Problem(422, "Only a file that was uploaded to this page can be used, once it is ready"),
    "nothing_to_block": Problem(409, "Nothing is known of this donor that could be blocked in this way"),
    "idempotency_key": Problem(422, "An Idempotency-Key is 1 to {limit} printable ASCII characters"),
    "idempotency_key_reused": Problem(
        422, "This Idempotency-Key belongs to another request: every request needs its own"
    ),
    "idempotency_in_progress": Problem(409, "The same request is being answered at this moment: ask again in a second"),
    "idempotency_answer_lost": Problem(409, "This request was done, but its answer is lost: look at what it changed"),
}


def problem(code: str, *, field: str | None = None, headers: dict[str, str] | None = None, **data: Any) -> Refused:
    """To be raised. `field`: the one of the body that is not right; `data` fills the words."""
    known = PROBLEMS[code]
    detail = known.detail.format(**data)
    faults = None if field is None else [{"loc": ["body", field], "msg": detail, "type": code}]
    return Refused(known.status, detail, headers=headers, faults=faults, code=code)
