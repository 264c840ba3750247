"""Problems that a program may act on: the one table of their codes, each with its status and its words.

A code is the end of a problem's `type`. Codes are added, never changed; the words may be.
"""

from dataclasses import dataclass

from domain.custom_alerts import WAITING_MAX
from domain.goals import OPEN_MAX
from domain.idempotency import KEY_MAX_LENGTH, NAMES_A_DAY
from web.api import errors
from web.api.errors import Refused


@dataclass(frozen=True)
class Problem:
    status: int
    detail: str


_OURS: dict[str, Problem] = {
    "cursor": Problem(422, "This is no cursor of this list: take one from `next` or `previous`, or leave it out."),
    "period": Problem(422, "The first day is after the last one, or there are more than three years between them."),
    "too-many-goals": Problem(409, f"There are {OPEN_MAX} planned goals already: delete one first."),
    "goal-not-planned": Problem(409, "Only a planned goal can be started, and this one is not."),
    "goal-not-active": Problem(409, "Only the active goal can be ended, and this one is not active."),
    "goal-not-over": Problem(409, "Only a goal that is over goes into the archive or out of it."),
    "goal-time-over": Problem(409, "The time of this goal is over already: give it a later end first."),
    "goal-has-money": Problem(409, "Money or a celebration speaks of this goal, so it stays: end and archive it."),
    "too-many-waiting": Problem(409, f"{WAITING_MAX} of your own alerts wait already: let some of them play first."),
    "caught": Problem(422, "The streamer's rules would not let this text be shown; `errors` names the rules."),
    "foreign-file": Problem(422, "Only a picture or a sound that was uploaded to this page will do, once it is ready."),
    "file-in-use": Problem(400, "Some level uses this file; `detail` names them."),
    "takes-no-donations": Problem(400, "This streamer does not take donations now."),
    "blocked": Problem(403, "This streamer does not take donations from here."),
    "amount": Problem(400, "Less or more than this streamer takes; `detail` says from what to what."),
    "payment-method": Problem(400, "There is no such payment method, or this streamer does not take money by it."),
    "order-id": Problem(400, "The `order_id` is another payment's, or several streamers know it; `detail` says which."),
    "too-many-attempts": Problem(400, "Too many tries to pay this order: make another."),
    "bank-refuses": Problem(400, "The streamer's bank refuses to open this payment."),
    "not-opened-yet": Problem(504, "The bank is slow. The donation is kept, and can be paid at the page in `detail`."),
    "nothing-to-block": Problem(409, "Nothing is known of this donor that could be blocked in this way."),
    "idempotency-key": Problem(422, f"An Idempotency-Key is 1 to {KEY_MAX_LENGTH} printable ASCII characters."),
    "idempotency-key-reused": Problem(422, "This Idempotency-Key belongs to another request: each needs its own."),
    "idempotency-in-progress": Problem(
        409, "The same request is being answered at this moment: ask again when Retry-After says."
    ),
    "idempotency-answer-lost": Problem(409, "This request was done, but its answer is lost: look at what it changed."),
    "too-many-names": Problem(
        429, f"More than {NAMES_A_DAY} requests with an Idempotency-Key in a day. Retry-After says when to come again."
    ),
}

TABLE: dict[str, Problem] = {code: Problem(*known) for code, known in errors.PROBLEMS.items()} | _OURS
"""All of them, for the documentation."""


def problem(
    code: str,
    *,
    field: str | None = None,
    where: str = "body",
    said: str | None = None,
    headers: dict[str, str] | None = None,
) -> Refused:
    """To be raised. `field`: what is not right, and `where` it stands; `said`: instead of the words."""
    known = _OURS[code]
    faults = None if field is None else [{"loc": [where, field], "msg": said or known.detail, "type": code}]
    return Refused(known.status, known.detail, headers=headers, faults=faults, code=code)
