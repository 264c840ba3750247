"""Streamers' pages: what `/streamers` takes and gives. Amounts are roubles."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from domain.streamer_cards import GOAL_MOST_MINOR, SETTINGS_MAX_LENGTH
from web.api.schemas.common import Id, Model, Paging, RoublesIn, RoublesOut
from web.api.schemas.people import Text

Goal = Annotated[RoublesIn, Field(ge=0, le=GOAL_MOST_MINOR)]
Settings = Annotated[Text, Field(max_length=SETTINGS_MAX_LENGTH)]


class Streamer(Model):
    """Settings are null to everybody but the page's owner."""

    id: Id
    user_id: Id
    display_name: str
    stream_title: str | None = None
    stream_description: str | None = None
    donation_goal: RoublesOut = 0
    min_donation_amount: RoublesOut
    max_donation_amount: RoublesOut
    donation_url: str | None = None
    current_donations: RoublesOut
    widget_settings: str | None
    alert_settings: str | None
    payment_settings: str | None
    is_verified: bool
    is_featured: bool
    created_at: datetime
    updated_at: datetime | None = None


class StreamerWithUser(Streamer):
    username: str | None = None
    full_name: str | None = None
    avatar_url: str | None = None


class StreamerCreate(Model):
    """`user_id` is your own. `donation_url` is made from the name, whatever stands here."""

    display_name: Text
    user_id: Id
    stream_title: Text | None = None
    stream_description: Text | None = None
    donation_goal: Goal = 0
    min_donation_amount: RoublesIn = 1_000
    max_donation_amount: RoublesIn = 1_000_000
    donation_url: str | None = None


class FeaturedPaging(Paging):
    limit: int = Field(default=10, ge=1, le=1000)


class StreamerUpdate(Model):
    """What is left out stays."""

    display_name: Text | None = None
    stream_title: Text | None = None
    stream_description: Text | None = None
    donation_goal: Goal | None = None
    min_donation_amount: RoublesIn | None = None
    max_donation_amount: RoublesIn | None = None
    widget_settings: Settings | None = None
    alert_settings: Settings | None = None
    payment_settings: Settings | None = None
