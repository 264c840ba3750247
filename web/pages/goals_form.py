"""A goal's form: what was typed, what it means, and what to say when it means nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.errors import DomainError, InvalidInputError
from domain.goals import Goal, GoalFields, GoalStatus, clean_fields, find_problems
from web.donate_form import parse_amount
from web.field_words import too_long_words
from web.i18n import _, format_amount, format_money, ngettext, zone


@dataclass(frozen=True)
class Typed:
    """As it was typed; times as browsers write them, on the streamer's clock: 2026-12-31T21:00."""

    title: str = ""
    description: str = ""
    target: str = ""
    start: str = ""
    starts_at: str = ""
    ends_at: str = ""


NEW = Typed()


def typed_from(form: Mapping[str, str]) -> Typed:
    return Typed(**{name: form.get(name, "") for name in Typed.__dataclass_fields__})


def typed_of(goal: Goal, time_zone: str) -> Typed:
    return Typed(
        title=goal.title,
        description=goal.description,
        target=format_amount(goal.target_minor),
        start=format_amount(goal.start_minor) if goal.start_minor else "",
        starts_at=_format_moment(goal.starts_at, time_zone),
        ends_at=_format_moment(goal.ends_at, time_zone),
    )


def check_form(typed: Typed, time_zone: str, goal: Goal | None = None) -> GoalFields | dict[str, str]:
    """What it means, or the words for each field that means nothing. `goal`: the one that is changed, of which the form
    asks less the further it is."""
    errors: dict[str, str] = {}
    if goal is not None and not goal.is_open:
        target_minor, start_minor = goal.target_minor, goal.start_minor
        starts_at = ends_at = None
    else:
        target_minor = _read_amount("target", typed.target, errors)
        start_minor = _read_amount("start", typed.start, errors) if typed.start.strip() else 0
        is_started = goal is not None and goal.status is not GoalStatus.PLANNED
        starts_at = None if is_started else _read_moment("starts_at", typed.starts_at, time_zone, errors)
        ends_at = _read_moment("ends_at", typed.ends_at, time_zone, errors)
    fields = clean_fields(GoalFields(typed.title, typed.description, target_minor, start_minor, starts_at, ends_at))
    for problem in find_problems(fields, now=datetime.now(UTC)):
        # What could not be read has its words already.
        errors = {**error_words(problem), **errors}
    return errors or fields


def error_words(error: DomainError) -> dict[str, str]:
    """By field; "form" for the whole."""
    match error:
        case InvalidInputError(field="title", code="required"):
            words = _("Say what it is for: donors read it.")
        case InvalidInputError(code="too_long"):
            words = too_long_words(error.data["over"], error.data["limit"])
        case InvalidInputError(code="too_small"):
            words = _("At least %(money)s.", money=format_money(error.data["least_minor"]))
        case InvalidInputError(code="too_large"):
            words = _("At most %(money)s.", money=format_money(error.data["most_minor"]))
        case InvalidInputError(code="past"):
            words = _("That moment has passed. Choose a later one, or leave it empty: then it has no end.")
        case InvalidInputError(code="before_start"):
            words = _("It would end before it starts. Choose a later moment.")
        case _ if error.code == "too_many":
            limit = error.data["limit"]
            words = ngettext(
                "There is room for %(num)s planned goal. Delete one you do not need.",
                "There is room for %(num)s planned goals. Delete some you do not need.",
                limit,
            )
        case _:
            words = _("The time of this goal is over already. Choose a later end.")
    return {error.field if isinstance(error, InvalidInputError) else "form": words}


def _read_amount(name: str, text: str, errors: dict[str, str]) -> int:
    amount_minor = parse_amount(text)
    if amount_minor is None:
        errors[name] = _("We can't read this amount. Type it in digits, for example 5000 or 5000.50.")
        # Something that passes, so that the other fields are looked at.
        return 100
    return amount_minor


def _read_moment(name: str, text: str, time_zone: str, errors: dict[str, str]) -> datetime | None:
    text = text.strip()
    if not text:
        return None
    try:
        local = datetime.fromisoformat(text)
        moment = local.replace(tzinfo=zone(time_zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or not 2000 <= moment.year <= 2200:
        errors[name] = _("We can't read this moment. Choose a day and a time.")
        return None
    return moment


def _format_moment(moment: datetime | None, time_zone: str) -> str:
    return "" if moment is None else moment.astimezone(zone(time_zone)).strftime("%Y-%m-%dT%H:%M")
