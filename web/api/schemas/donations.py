"""Donations, as the first version had them; what is new has come as further fields."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from domain.api_lines import REACH_MAX, Method, OrderBy, Told
from web.api.schemas.common import Id, Model, RoublesIn, RoublesOut
from web.api.schemas.payments import OrderId


class DonationCreate(Model):
    recipient_id: Annotated[int, Field(description="The user the donation is for.")]
    amount: RoublesIn
    payment_method: Method
    message: str | None = None
    donor_name: str | None = None
    is_anonymous: bool = False
    is_public: bool = True
    streamer_id: Annotated[
        Id | None,
        Field(description="The streamer the donation is for; decides when given, whatever `recipient_id` may mean."),
    ] = None
    donor_email: Annotated[
        str | None, Field(description="Where the receipt goes; needed when the streamer's donations have receipts.")
    ] = None
    order_id: Annotated[
        OrderId | None,
        Field(
            description="Your own name of this donation, unique among those of the streamer. The same order sent again "
            "is the same donation; without a name it is another one."
        ),
    ] = None


class Donation(Model):
    id: int
    amount: RoublesOut
    message: str | None = None
    donor_name: str | None = None
    is_anonymous: bool = False
    is_public: bool = True
    donor_id: int | None
    recipient_id: int
    streamer_id: int
    payment_method: Method
    payment_id: str | None
    payment_url: str | None
    status: Told
    is_alert_shown: bool
    created_at: datetime
    updated_at: datetime | None = None
    order_id: Annotated[str | None, Field(description="What the client that asked for it called it.")] = None


class CreatedDonation(Donation):
    confirmation_url: Annotated[str | None, Field(description="The same as `payment_url`.")]
    status_url: Annotated[str, Field(description="The donor's page of this donation: it can be paid there, too.")]


class DonationDetails(Donation):
    recipient_username: str | None = None
    donor_username: str | None = None
    original_name: Annotated[
        str | None, Field(description="As the donor wrote it: for keys with `donations:original`, and people.")
    ] = None
    original_message: str | None = None


class DonationStats(Model):
    total_amount: RoublesOut
    total_count: int
    today_amount: RoublesOut
    today_count: int
    this_month_amount: RoublesOut
    this_month_count: int


def _in_utc(moment: datetime) -> datetime:
    """A time without a zone is UTC, as it was."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("this is no time of ours") from None


Moment = Annotated[datetime, AfterValidator(_in_utc)]


class Paging(Model):
    skip: Annotated[int, Field(ge=0, le=REACH_MAX)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class DonationsQuery(Paging):
    recipient_id: int | None = None
    donor_id: int | None = None
    min_amount: RoublesIn | None = None
    max_amount: RoublesIn | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None
    status: Told | None = None
    is_anonymous: bool | None = None
    order_by: OrderBy = OrderBy.CREATED_AT
    order_direction: Annotated[str, Field(pattern="^(asc|desc)$")] = "desc"

    @field_validator("order_direction", mode="before")
    @classmethod
    def _in_lower_case(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value


class MyDonationsQuery(Paging):
    as_donor: bool = False
