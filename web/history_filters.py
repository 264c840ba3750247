"""What an address selects of the donations: `?q=…&from=2026-11-01&state=paid`, read, checked, and written again.

What cannot be understood is said in words and left out; the rest holds.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from babel.dates import format_date as babel_format_date

from domain.history import Place, Selection, State
from domain.manual_donations import MOST_MINOR
from domain.streamers import Streamer
from domain.text import clean_name
from web.donate_form import parse_amount
from web.i18n import _, current_locale, format_money, zone

TEXT_MAX_LENGTH = 100
FIELDS = ("q", "period", "from", "to", "min", "max", "donor", "state", "anonymous")
"""The names in an address; paging and export keep them."""
PLACES = ("before", "after")

PERIODS = ("today", "yesterday", "week", "month")
_PLACE = re.compile(r"([0-9]{1,18})\.(-?[0-9]{1,10})")
_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})|([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
_YEARS = range(2000, 2200)


@dataclass(frozen=True)
class Chip:
    """A filter that holds: its words, and the fields that clear it."""

    text: str
    clears: tuple[str, ...]


@dataclass
class Filters:
    """What was asked for: `typed` as it came (what is too long is cut), `kept` what of it holds."""

    selection: Selection = field(default_factory=Selection)
    typed: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    chips: list[Chip] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def without(self, *names: str) -> dict[str, str]:
        return {name: value for name, value in self.kept.items() if name not in names}


def state_words() -> dict[State, str]:
    """In the order of the list of choices."""
    return {
        State.PAID: _("Paid"),
        State.SHOWN: _("Shown"),
        State.WAITING: _("Waiting to be shown"),
        State.HELD: _("Being checked"),
        State.PARTLY: _("Refunded in part"),
        State.REFUNDED: _("Refunded"),
        State.REVIEW: _("Another amount came"),
        State.HIDDEN: _("Hidden"),
        State.MANUAL: _("By hand"),
    }


def period_words() -> dict[str, str]:
    return {
        "today": _("Today"),
        "yesterday": _("Yesterday"),
        "week": _("7 days"),
        "month": _("This month"),
    }


def read_filters(values: Mapping[str, str], streamer: Streamer, now: datetime | None = None) -> Filters:
    """`now`: the moment that "today" is of."""
    filters = Filters(typed={name: values.get(name, "")[:200] for name in FIELDS})
    found: dict[str, Any] = {}
    _read_text(filters, found, "q", "words", values.get("q", ""), lambda text: _("“%(text)s”", text=text))
    _read_text(filters, found, "donor", "donor", values.get("donor", ""), lambda text: _("Donor: %(name)s", name=text))
    _read_time(filters, found, values, streamer, now or datetime.now(UTC))
    _read_amounts(filters, found, values)
    _read_choices(filters, found, values)
    filters.selection = Selection(**found)
    return filters


def _read_text(
    filters: Filters, found: dict[str, Any], name: str, into: str, typed: str, words: Callable[[str], str]
) -> None:
    # Nobody's donation holds more; and cleaning as it was cleaned makes it be found.
    text = clean_name(typed[:10_000])
    if not text:
        return
    if len(text) > TEXT_MAX_LENGTH:
        filters.errors[name] = _("Too long to search for: leave at most %(limit)s characters.", limit=TEXT_MAX_LENGTH)
        return
    found[into] = text
    filters.kept[name] = text
    filters.chips.append(Chip(words(text), (name,)))


def _read_time(
    filters: Filters, found: dict[str, Any], values: Mapping[str, str], streamer: Streamer, now: datetime
) -> None:
    days: dict[str, date] = {}
    for name in ("from", "to"):
        typed = values.get(name, "").strip()
        if not typed:
            continue
        day = _day(typed)
        if day is None:
            filters.errors[name] = _("Write the day as 2026-11-24 or 24.11.2026.")
        else:
            days[name] = day
    if len(days) == 2 and days["from"] > days["to"]:
        filters.errors["to"] = _("The last day is before the first one.")
        days = {}
    clocks = zone(streamer.time_zone)
    if days:
        for name, day in days.items():
            filters.kept[name] = day.isoformat()
        filters.chips.append(Chip(_days_words(days.get("from"), days.get("to")), ("from", "to")))
        first, last = days.get("from"), days.get("to")
    elif values.get("period") in PERIODS:
        # Not beside days: those say more.
        period = values["period"]
        first, last = _period_days(period, now.astimezone(clocks).date())
        filters.kept["period"] = period
        filters.chips.append(Chip(period_words()[period], ("period",)))
    else:
        return
    if first is not None:
        found["since"] = datetime.combine(first, time(), clocks).astimezone(UTC)
    if last is not None:
        found["until"] = datetime.combine(last + timedelta(days=1), time(), clocks).astimezone(UTC)


def _read_amounts(filters: Filters, found: dict[str, Any], values: Mapping[str, str]) -> None:
    amounts: dict[str, int] = {}
    for name in ("min", "max"):
        typed = values.get(name, "").strip()
        if not typed:
            continue
        amount_minor = parse_amount(typed)
        if amount_minor is None or amount_minor > MOST_MINOR:
            filters.errors[name] = _("Write an amount like 300 or 300,50.")
        else:
            amounts[name] = amount_minor
    if len(amounts) == 2 and amounts["min"] > amounts["max"]:
        filters.errors["max"] = _("The largest amount is below the smallest one.")
        amounts = {}
    for name, into in (("min", "least_minor"), ("max", "most_minor")):
        if name in amounts:
            found[into] = amounts[name]
            filters.kept[name] = f"{amounts[name] // 100}" + (
                f",{amounts[name] % 100:02}" if amounts[name] % 100 else ""
            )
    if len(amounts) == 2:
        words = _("%(least)s to %(most)s", least=format_money(amounts["min"]), most=format_money(amounts["max"]))
        filters.chips.append(Chip(words, ("min", "max")))
    elif "min" in amounts:
        filters.chips.append(Chip(_("from %(money)s", money=format_money(amounts["min"])), ("min",)))
    elif "max" in amounts:
        filters.chips.append(Chip(_("up to %(money)s", money=format_money(amounts["max"])), ("max",)))


def _read_choices(filters: Filters, found: dict[str, Any], values: Mapping[str, str]) -> None:
    state = values.get("state", "")
    if state in {*State}:
        found["state"] = State(state)
        filters.kept["state"] = state
        filters.chips.append(Chip(state_words()[State(state)], ("state",)))
    elif state:
        filters.errors["state"] = _("There is no such state: choose one of the list.")
    anonymous = values.get("anonymous", "")
    if anonymous in ("yes", "no"):
        found["is_anonymous"] = anonymous == "yes"
        filters.kept["anonymous"] = anonymous
        words = _("Anonymous only") if anonymous == "yes" else _("With a name only")
        filters.chips.append(Chip(words, ("anonymous",)))
    elif anonymous:
        filters.errors["anonymous"] = _("Choose: all, anonymous only, or with a name only.")


def _period_days(period: str, today: date) -> tuple[date, date]:
    match period:
        case "yesterday":
            return today - timedelta(days=1), today - timedelta(days=1)
        case "week":
            return today - timedelta(days=6), today
        case "month":
            return today.replace(day=1), today
    return today, today


def _day(text: str) -> date | None:
    """Years 1 and 9999 have no neighbours, and nobody gave before there were computers."""
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    year, month, day = (int(match[1] or match[6]), int(match[2] or match[5]), int(match[3] or match[4]))
    try:
        return date(year, month, day) if year in _YEARS else None
    except ValueError:
        return None


def _days_words(first: date | None, last: date | None) -> str:
    def words(day: date) -> str:
        return str(babel_format_date(day, "d MMMM y", locale=current_locale()))

    if first is not None and first == last:
        return words(first)
    if first is not None and last is not None:
        return _("%(first)s to %(last)s", first=words(first), last=words(last))
    return (
        _("from %(day)s on", day=words(first)) if first is not None else _("up to %(day)s", day=words(last or date.min))
    )


# Places in an address: microseconds and the key.


def write_place(place: Place | None) -> str:
    if place is None:
        return ""
    return f"{(place.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)}.{place.key}"


def read_place(text: str | None) -> Place | None:
    """None for what is no place: the list begins at its newest."""
    match = _PLACE.fullmatch(text or "")
    if match is None:
        return None
    try:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(match[1]))
    except OverflowError:
        return None
    key = int(match[2])
    return Place(at, key) if abs(key) < 2**31 and at.year < 9000 else None
