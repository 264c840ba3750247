"""What donations brought: kopecks, refunds are off, days by the streamer's clocks."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from domain.statistics import BEST_DONORS
from web.api.schemas.common import Model


class PeriodName(StrEnum):
    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "week"
    """The last seven days."""
    DAYS_30 = "30days"
    MONTH = "month"
    """This month; `year` likewise."""
    YEAR = "year"


def _plausible(day: date) -> date:
    if not 2000 <= day.year <= 2100:
        raise ValueError("years from 2000 to 2100 are counted")
    return day


Day = Annotated[date, AfterValidator(_plausible)]


class PeriodQuery(Model):
    """Which days: a period by name, or two days, both included, which say more."""

    period: PeriodName = Field(
        PeriodName.DAYS_30, description="`week`, `30days`: up to today; `month`, `year`: this one"
    )
    first_day: Day | None = Field(None, description="2026-11-01; with `last_day`, instead of `period`")
    last_day: Day | None = None


class Ranking(StrEnum):
    SUM = "sum"
    COUNT = "count"


class DonorsQuery(PeriodQuery):
    by: Ranking = Ranking.SUM
    limit: int = Field(BEST_DONORS, ge=1, le=BEST_DONORS)


class Totals(Model):
    today_minor: int
    today_donations: int
    month_minor: int
    all_minor: int
    donations: int = Field(description="Of all time")
    currency: str
    time_zone: str = Field(description="Whose days and months these are")


class Brought(Model):
    day: date
    net_minor: int
    donations: int


class Hour(Model):
    weekday: int = Field(description="1 is Monday")
    hour: int
    net_minor: int
    donations: int


class Statistics(Model):
    first_day: date
    last_day: date
    time_zone: str
    currency: str
    net_minor: int
    donations: int
    average_minor: int
    median_minor: int
    largest_minor: int
    former_minor: int = Field(description="What as many days just before brought")
    named: int = Field(description="How many names gave")
    returning_named: int = Field(description="How many of them had given before the period")
    anonymous_donations: int
    anonymous_minor: int
    tests_minor: int = Field(description="What of it all came through terminals for trying out, and is no money")
    days: list[Brought] = Field(description="Every day of the period")
    hours: list[Hour] = Field(description="Hours of the week in which something came")
    counted_at: datetime | None = Field(description="Null: just now. What is many to count is kept for some minutes")


class Donor(Model):
    name: str = Field(description="As it may be shown")
    net_minor: int
    donations: int


class TopDonors(Model):
    first_day: date
    last_day: date
    time_zone: str
    currency: str
    donors: list[Donor] = Field(description="The best first. Those the streamer has hidden are not among them")
