"""What a streamer collects for."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from domain.goals import AMOUNT_MAX_MINOR, DESCRIPTION_MAX_LENGTH, TARGET_MIN_MINOR, TITLE_MAX_LENGTH, GoalStatus
from web.api.schemas.common import Model


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time needs its offset, for example 2026-12-31T21:00:00+03:00")
    if not 2000 <= moment.year <= 2200:
        raise ValueError("this is no time that a goal can have")
    return moment


Moment = Annotated[datetime, AfterValidator(_aware)]
Target = Annotated[int, Field(ge=TARGET_MIN_MINOR, le=AMOUNT_MAX_MINOR, description="Kopecks")]
Start = Annotated[int, Field(ge=0, le=AMOUNT_MAX_MINOR, description="Kopecks that are there before")]
Title = Annotated[str, Field(max_length=TITLE_MAX_LENGTH * 4, description=f"1 to {TITLE_MAX_LENGTH} characters")]
Description = Annotated[str, Field(max_length=DESCRIPTION_MAX_LENGTH * 4)]


class Goal(Model):
    """Amounts in kopecks. `raised_minor` is the sum of its sources less `returned_minor`."""

    id: int
    title: str
    description: str
    status: GoalStatus
    currency: str
    target_minor: int
    raised_minor: int
    percent: int = Field(description="Whole percent, rounded down")
    start_minor: int = Field(description="There before")
    carried_minor: int = Field(description="What the goal before it had above its target")
    given_minor: int = Field(description="By donations, as they were paid")
    returned_minor: int = Field(description="Of these, what went back by refunds and chargebacks")
    manual_minor: int = Field(description="Written down by hand")
    starts_at: datetime | None
    ends_at: datetime | None
    started_at: datetime | None
    reached_at: datetime | None = Field(description="Once, and for good")
    ended_at: datetime | None


class Goals(Model):
    """The active one, the planned in their order, then those that are over, the newest first."""

    goals: list[Goal]
    goes_on: bool = Field(description="The first planned one starts by itself when the active one is over")
    carries: bool = Field(description="What a goal has above its target is where the next one starts")


class NewGoal(Model):
    title: Title
    description: Description = ""
    target_minor: Target
    start_minor: Start = 0
    starts_at: Moment | None = None
    ends_at: Moment | None = None


class GoalChanges(Model):
    """What is left out stays as it is. Of a goal that is over only the words change; of one that has started not
    `starts_at`."""

    title: Title | None = None
    description: Description | None = None
    target_minor: Target | None = None
    start_minor: Start | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None


class GoalSettings(Model):
    """What is left out stays as it is."""

    goes_on: bool | None = None
    carries: bool | None = None
