"""Totals, statistics and the best donors."""

from datetime import date, datetime, timedelta

from quart_schema import validate_querystring, validate_response

from domain import statistics
from domain.scopes import Scope
from domain.statistics import DAYS_MAX, Period, Sum
from domain.streamers import Streamer
from domain.totals import read_totals
from web.api.access import callers_streamer, needs
from web.api.blueprints import new_api
from web.api.etags import tagged
from web.api.openapi import examples
from web.api.problems import problem
from web.api.schemas.statistics import (
    Brought,
    Donor,
    DonorsQuery,
    Hour,
    PeriodName,
    PeriodQuery,
    Ranking,
    Statistics,
    TopDonors,
    Totals,
)
from web.context import parts
from web.i18n import zone

blueprint = new_api("statistics", "")

CURRENCY = "RUB"


@blueprint.get("/totals")
@needs(Scope.STATS_READ)
@tagged
@examples(
    response={
        "today_minor": 150000,
        "today_donations": 4,
        "month_minor": 4210000,
        "all_minor": 90730000,
        "donations": 2113,
        "currency": "RUB",
        "time_zone": "Europe/Moscow",
    }
)
@validate_response(Totals)
async def show_totals() -> Totals:
    """What came in today, this month and ever

    Running sums, cheap to ask for. The answer has an `ETag`.
    """
    streamer = await callers_streamer()
    async with parts().pool.acquire() as connection:
        totals = await read_totals(connection, streamer.id)
    return Totals(**vars(totals), time_zone=streamer.time_zone)


@blueprint.get("/statistics")
@needs(Scope.STATS_READ)
@tagged
@validate_querystring(PeriodQuery)
@examples(
    response={
        "first_day": "2026-11-27",
        "last_day": "2026-11-28",
        "time_zone": "Europe/Moscow",
        "currency": "RUB",
        "net_minor": 150000,
        "donations": 4,
        "average_minor": 37500,
        "median_minor": 30000,
        "largest_minor": 60000,
        "former_minor": 90000,
        "named": 3,
        "returning_named": 1,
        "anonymous_donations": 1,
        "anonymous_minor": 30000,
        "tests_minor": 0,
        "days": [
            {"day": "2026-11-27", "net_minor": 0, "donations": 0},
            {"day": "2026-11-28", "net_minor": 150000, "donations": 4},
        ],
        "hours": [{"weekday": 6, "hour": 21, "net_minor": 150000, "donations": 4}],
        "counted_at": None,
    }
)
@validate_response(Statistics)
async def show(query_args: PeriodQuery) -> Statistics:
    """What a period brought

    By days, by hours of the week, and what kind of donations they were. The answer has an `ETag`.
    """
    streamer = await callers_streamer()
    period = _period(query_args, streamer)
    async with parts().pool.acquire() as connection:
        days = await statistics.read_days(connection, streamer.id, period)
        former = await statistics.sum_days(connection, streamer.id, period.former())
        counted = await statistics.count_period(connection, streamer, period)
    total = sum(days.values(), Sum())
    return Statistics(
        first_day=period.first,
        last_day=period.last,
        time_zone=streamer.time_zone,
        currency=CURRENCY,
        net_minor=total.net_minor,
        donations=total.donations,
        average_minor=total.average_minor,
        former_minor=former.net_minor,
        days=[Brought(day=day, **vars(brought)) for day, brought in days.items()],
        hours=[Hour(**vars(hour)) for hour in counted.hours],
        **{name: getattr(counted, name) for name in _COUNTED},
    )


_COUNTED = (
    "median_minor",
    "largest_minor",
    "named",
    "returning_named",
    "anonymous_donations",
    "anonymous_minor",
    "tests_minor",
    "counted_at",
)


@blueprint.get("/top-donors")
@needs(Scope.STATS_READ)
@tagged
@validate_querystring(DonorsQuery)
@examples(
    response={
        "first_day": "2026-11-01",
        "last_day": "2026-11-28",
        "time_zone": "Europe/Moscow",
        "currency": "RUB",
        "donors": [{"name": "Аня", "net_minor": 500000, "donations": 7}],
    }
)
@validate_response(TopDonors)
async def show_donors(query_args: DonorsQuery) -> TopDonors:
    """The best donors of a period

    By sum or by number, by the names that may be shown; names that differ only by case are one donor. The answer has an
    `ETag`.
    """
    streamer = await callers_streamer()
    period = _period(query_args, streamer)
    async with parts().pool.acquire() as connection:
        counted = await statistics.count_period(connection, streamer, period)
    best = counted.by_sum if query_args.by is Ranking.SUM else counted.by_count
    return TopDonors(
        first_day=period.first,
        last_day=period.last,
        time_zone=streamer.time_zone,
        currency=CURRENCY,
        donors=[Donor(**vars(donor)) for donor in best[: query_args.limit]],
    )


def _period(asked: PeriodQuery, streamer: Streamer) -> Period:
    """Raises Refused(422): the days are the wrong way round, or too many."""
    today = datetime.now(zone(streamer.time_zone)).date()
    if asked.first_day is None and asked.last_day is None:
        return _named(asked.period, today)
    last = asked.last_day or max(today, asked.first_day or today)
    first = asked.first_day or last
    if first > last or (last - first).days >= DAYS_MAX:
        raise problem("period", field="first_day", where="query")
    return Period(first, last)


def _named(name: PeriodName, today: date) -> Period:
    match name:
        case PeriodName.TODAY:
            return Period(today, today)
        case PeriodName.YESTERDAY:
            return Period(today - timedelta(days=1), today - timedelta(days=1))
        case PeriodName.WEEK:
            return Period(today - timedelta(days=6), today)
        case PeriodName.DAYS_30:
            return Period(today - timedelta(days=29), today)
        case PeriodName.MONTH:
            return Period(today.replace(day=1), today)
        case PeriodName.YEAR:
            return Period(today.replace(month=1, day=1), today)
