"""Payments, as the first version had them; what is new has come as further fields."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from domain.api_donations import ORDER_ID_MAX_LENGTH
from domain.api_lines import Told
from web.api.schemas.common import Id, Model, RoublesIn, RoublesOut


def is_order_id(text: str) -> bool:
    """It stands in an address, where programs and proxies leave out empty parts and those of dots."""
    has_parts = not {"", ".", ".."} & set(text.split("/"))
    return len(text) <= ORDER_ID_MAX_LENGTH and text.isprintable() and has_parts


def _check_order_id(text: str) -> str:
    if not is_order_id(text):
        raise ValueError(
            f"1 to {ORDER_ID_MAX_LENGTH} characters that can be printed are expected,"
            " and between slashes neither nothing nor . or .."
        )
    return text


OrderId = Annotated[str, AfterValidator(_check_order_id)]


class PaymentInit(Model):
    amount: RoublesIn
    order_id: Annotated[
        OrderId,
        Field(
            description="Your own name of this payment, unique among those of the streamer. The same order "
            "sent again is the same payment."
        ),
    ]
    payment_method: Annotated[str, Field(description="test, yookassa, sberbank, tinkoff, tbank or card.")]
    description: Annotated[str, Field(description="Not used: what the bank is told is the site's to say.")] = "Донат"
    streamer_id: Id
    donor_name: str | None = None
    message: str | None = None
    is_anonymous: bool = False
    donor_email: Annotated[
        str | None, Field(description="Where the receipt goes; needed when the streamer's donations have receipts.")
    ] = None


class PaymentOpened(Model):
    success: bool
    payment_id: str
    payment_url: str
    confirmation_url: Annotated[str, Field(description="The same as `payment_url`.")]
    order_id: str
    amount: RoublesOut
    donation_id: int
    status_url: Annotated[str, Field(description="The donor's page of this donation: it can be paid there, too.")]


class OrderChecked(Model):
    success: bool
    order_id: str
    payment_id: str | None
    status: Annotated[str | None, Field(description="In T-Bank's words: NEW, CONFIRMED, REJECTED, …")]
    donation_found: bool
    donation_id: int | None
    donation_status: Told | None


class OrderQuery(Model):
    streamer_id: Annotated[
        Id | None, Field(description="Whose order it is; needed when clients of several streamers use the same id.")
    ] = None


class PaymentStatus(Model):
    payment_id: str
    status: Annotated[Told, Field(description="The donation's: only `completed` is money that came.")]
    donation_id: int
    provider_status: Annotated[str, Field(description="The payment's, in T-Bank's words.")]


class PendingChecked(Model):
    success: bool
    message: str
    task_id: Annotated[str, Field(description="Under which the server's log has it.")]


class PendingDonation(Model):
    id: int
    payment_id: str
    amount: RoublesOut
    created_at: datetime
    donor_name: Annotated[str | None, Field(description="Always null: names are moderated once the money has come.")]
    is_anonymous: bool
    streamer_id: int


class PendingPayments(Model):
    success: bool
    count: int
    donations: list[PendingDonation]


class TestNotification(Model):
    payment_id: str
    status: Annotated[
        str, Field(pattern="^(completed|failed)$", description="What the simulated donor does: pays, or is refused.")
    ] = "completed"


class TestNotified(Model):
    success: bool
    payment_id: str
    status: str
