"""Donations as a list."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from domain.alerts import AlertStatus
from domain.history import State
from domain.manual_donations import MOST_MINOR
from web.api.paging import PageQuery
from web.api.schemas.common import Model
from web.history_filters import TEXT_MAX_LENGTH


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None or not 2000 <= moment.year <= 2200:
        raise ValueError("a time with its offset is expected, for example 2026-11-01T00:00:00Z")
    return moment


Moment = Annotated[datetime, AfterValidator(_aware)]
Text = Annotated[str, Field(max_length=TEXT_MAX_LENGTH)]
Minor = Annotated[int, Field(ge=0, le=MOST_MINOR)]


class FeedQuery(PageQuery):
    """What is left out selects everything."""

    q: Text | None = Field(None, description="Part of the message or the name, in any case")
    donor: Text | None = Field(None, description="Part of the name, in any case")
    since: Moment | None = Field(None, description="With its offset: 2026-11-01T00:00:00Z")
    until: Moment | None = Field(None, description="Up to, and without, this moment")
    min_minor: Minor | None = Field(None, description="Kopecks at least")
    max_minor: Minor | None = Field(None, description="Kopecks at most")
    state: State | None = Field(None, description="Of the money or of the alert")
    anonymous: bool | None = Field(None, description="Only those without a name, or only those with one")


class Kind(StrEnum):
    DONATION = "donation"
    MANUAL = "manual"
    """Written down by hand: money that came another way."""


class FeedAlert(Model):
    status: AlertStatus
    shown_at: datetime | None
    was_interrupted: bool


class Entry(Model):
    """A line of the list: kopecks, and text as it may be shown."""

    kind: Kind
    public_id: str
    donation_id: int | None = Field(description="What alerts call it; null for one written down by hand")
    status: str = Field(
        description="`paid`, `partially_refunded`, `refunded`, `charged_back`; `review`: another amount came; `manual`"
    )
    came_at: datetime = Field(description="When the money came; by hand: when the streamer says it did")
    donor_name: str | None = Field(description="Null: anonymous, or the name waits for a decision")
    message: str
    amount_minor: int
    currency: str
    refunded_minor: int
    charged_back_minor: int
    source: str = Field(description="Of one written down by hand: where it came from, in the streamer's words")
    is_hidden: bool = Field(description="The streamer keeps it out of public lists")
    is_test: bool = Field(description="It came through a terminal for trying out, and is no money")
    alert: FeedAlert | None


class Feed(Model):
    """The newest first."""

    entries: list[Entry]
    next: str | None = Field(description="The cursor for older ones, as `before`; null: that was all")
    previous: str | None = Field(
        description="The cursor for newer ones, as `after`: keep it to ask later what came since. What is only seconds "
        "old may come again: drop repeats by `public_id`. Null: nothing yet"
    )


class Original(Model):
    """What the donor wrote."""

    donor_name: str | None
    message: str


class Detail(Entry):
    original: Original | None = Field(description="For a key that has `donations:original`, and where there is one")
