"""What a period brought: by days, by hours of the week, and by donors.

    GET /dashboard/statistics            ?period=7|30|90|month|year, or period=own&from=2026-11-01&to=2026-11-24
    GET /dashboard/statistics/days.csv   the same period by days, as a file

The figures are `domain/statistics.py`'s, in the streamer's time zone.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from babel.dates import format_date as babel_format_date
from babel.dates import get_day_names
from quart import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from domain import statistics
from domain.statistics import DAYS_MAX, Counted, Period, Sum
from domain.streamers import Streamer
from web.context import parts
from web.csv_files import MARK, csv_line, download, rubles
from web.i18n import _, current_locale, format_money, ngettext, zone
from web.pages import desk
from web.sessions import require_streamer

blueprint = Blueprint("statistics", __name__)

PERIODS = ("7", "30", "90", "month", "year", "own")
_BY_DAYS_UP_TO = 92
_BY_WEEKS_UP_TO = 400


@dataclass(frozen=True)
class Asked:
    """What the address asks for. With an error the period is the usual one."""

    name: str
    period: Period
    since: str
    until: str
    error: str = ""


@dataclass(frozen=True)
class Bar:
    """A bar of the chart and a row of the table below it: a day, a week or a month."""

    label: str
    short: str
    brought: Sum


@dataclass(frozen=True)
class Cell:
    """An hour of the week; `level` is 0 to 5, how dark it is."""

    hour: int
    brought: Sum
    level: int


@blueprint.get("/dashboard/statistics")
async def show() -> Response:
    streamer = await require_streamer()
    asked = _asked(streamer)
    async with parts().pool.acquire() as connection:
        days = await statistics.read_days(connection, streamer.id, asked.period)
        former = await statistics.sum_days(connection, streamer.id, asked.period.former())
        counted = await statistics.count_period(connection, streamer, asked.period)
    total = sum(days.values(), Sum())
    return await desk.render(
        "pages/statistics.html",
        streamer,
        current="statistics.show",
        status=422 if asked.error else 200,
        asked=asked,
        periods=[(name, _period_words(name)) for name in PERIODS],
        period_words=_day_name(asked.period.first) + " – " + _day_name(asked.period.last),
        total=total,
        compared=compare(total, former, asked.period),
        counted=counted,
        bars=_bars(days),
        bars_title=_bars_title(asked.period),
        hours=_hours(counted),
        week=_week(counted),
        query={name: value for name, value in request.args.items() if name in ("period", "from", "to")},
    )


@blueprint.get("/dashboard/statistics/days.csv")
async def download_days() -> Response:
    streamer = await require_streamer()
    asked = _asked(streamer)
    if asked.error:
        raise NotFound
    async with parts().pool.acquire() as connection:
        days = await statistics.read_days(connection, streamer.id, asked.period)
    lines = [MARK, csv_line([_("Day"), _("Donations"), _("Brought, ₽"), _("On average, ₽")])]
    for day, brought in days.items():
        average = rubles(brought.average_minor)
        lines.append(csv_line([day.isoformat(), brought.donations, rubles(brought.net_minor), average]))
    name = f"streamcash-{streamer.slug}-{asked.period.first}-{asked.period.last}.csv"
    return download(name, "".join(lines))


# The period.


def _asked(streamer: Streamer) -> Asked:
    today = datetime.now(zone(streamer.time_zone)).date()
    name = request.args.get("period", "30")
    since, until = request.args.get("from", ""), request.args.get("to", "")
    usual = Period(today - timedelta(days=29), today)
    match name:
        case "7" | "30" | "90":
            period = Period(today - timedelta(days=int(name) - 1), today)
        case "month":
            period = Period(today.replace(day=1), today)
        case "year":
            period = Period(today.replace(month=1, day=1), today)
        case "own":
            first, last = _day(since), _day(until)
            if first is None or last is None:
                return Asked(name, usual, since, until, _("Enter both days."))
            if first > last:
                return Asked(name, usual, since, until, _("The first day is after the last one: swap them."))
            period = Period(first, min(last, today) if first <= today else last)
            if period.days > DAYS_MAX:
                return Asked(name, usual, since, until, _("Three years at most: choose fewer days."))
        case _:
            raise NotFound
    return Asked(name, period, period.first.isoformat(), period.last.isoformat())


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2100 else None


def _period_words(name: str) -> str:
    return {
        "7": ngettext("%(num)s day", "%(num)s days", 7),
        "30": ngettext("%(num)s day", "%(num)s days", 30),
        "90": ngettext("%(num)s day", "%(num)s days", 90),
        "month": _("This month"),
        "year": _("This year"),
        "own": _("My own"),
    }[name]


def compare(now: Sum, before: Sum, period: Period) -> str:
    """How a period did against as many days before it, in words."""
    if before.net_minor <= 0:
        return ""
    days = ngettext("%(num)s day", "%(num)s days", period.days)
    change = round((now.net_minor - before.net_minor) / before.net_minor * 100)
    values = {"percent": abs(change), "days": days, "money": format_money(before.net_minor)}
    if change > 0:
        return _("%(percent)s %% more than in the %(days)s before: %(money)s", **values)
    if change < 0:
        return _("%(percent)s %% less than in the %(days)s before: %(money)s", **values)
    return _("As much as in the %(days)s before", days=days)


# Tables.


def _bars(days: dict[date, Sum]) -> list[Bar]:
    bars: dict[date, Sum] = {}
    for day, brought in days.items():
        begin = _bar_of(day, len(days))
        bars[begin] = bars.get(begin, Sum()) + brought
    return [Bar(_bar_name(begin, len(days)), _short_name(begin, len(days)), brought) for begin, brought in bars.items()]


def _bar_of(day: date, days: int) -> date:
    if days <= _BY_DAYS_UP_TO:
        return day
    return day - timedelta(days=day.weekday()) if days <= _BY_WEEKS_UP_TO else day.replace(day=1)


def _bar_name(begin: date, days: int) -> str:
    if days <= _BY_DAYS_UP_TO:
        return str(babel_format_date(begin, "d MMMM, EEE", locale=current_locale()))
    if days <= _BY_WEEKS_UP_TO:
        return _("from %(day)s", day=_day_name(begin))
    return str(babel_format_date(begin, "LLLL y", locale=current_locale()))


def _short_name(begin: date, days: int) -> str:
    pattern = "d MMM" if days <= _BY_WEEKS_UP_TO else "LLL yy"
    return str(babel_format_date(begin, pattern, locale=current_locale()))


def _bars_title(period: Period) -> str:
    if period.days <= _BY_DAYS_UP_TO:
        return _("By days")
    return _("By weeks") if period.days <= _BY_WEEKS_UP_TO else _("By months")


def _day_name(day: date) -> str:
    return str(babel_format_date(day, "d MMMM y", locale=current_locale()))


def _hours(counted: Counted) -> list[Sum]:
    """Hours of the day, whatever the weekday."""
    hours = [Sum()] * 24
    for found in counted.hours:
        hours[found.hour] += Sum(found.net_minor, found.donations)
    return hours


def _week(counted: Counted) -> list[tuple[str, str, list[Cell]]]:
    """Weekdays with their hours: short name, name, cells."""
    found = {(hour.weekday, hour.hour): Sum(hour.net_minor, hour.donations) for hour in counted.hours}
    most = max((brought.donations for brought in found.values()), default=0)
    short, long = (get_day_names(width, "stand-alone", current_locale()) for width in ("abbreviated", "wide"))
    week = []
    for weekday in range(1, 8):
        cells = []
        for hour in range(24):
            brought = found.get((weekday, hour), Sum())
            cells.append(Cell(hour, brought, -(-5 * brought.donations // most) if most else 0))
        week.append((short[weekday - 1], long[weekday - 1], cells))
    return week
