"""What YooKassa accepts: the bodies of its calls, with the limits of its documents.

Fields it has and a donation does not need are refused like misspelt ones, so that nobody believes they do something.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(min_length=1)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Money(_Body):
    value: str = Field(pattern=r"^[0-9]{1,8}\.[0-9]{2}$")
    currency: Literal["RUB"]

    @property
    def minor(self) -> int:
        """Kopecks."""
        return int(self.value.replace(".", ""))


class Confirmation(_Body):
    type: Literal["redirect"]
    return_url: str = Field(pattern=r"^https?://[^/\s]", max_length=2048)
    locale: Literal["ru_RU", "en_US"] = "ru_RU"


class MethodData(_Body):
    type: Literal["bank_card", "sbp"]


class Customer(_Body):
    email: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$")
    phone: str | None = Field(default=None, pattern=r"^[0-9]{11,15}$")
    full_name: str | None = Field(default=None, max_length=256)

    @model_validator(mode="after")
    def can_be_reached(self) -> "Customer":
        if not (self.email or self.phone):
            raise ValueError("neither email nor phone")
        return self


class Item(_Body):
    description: str = Field(min_length=1, max_length=128)
    quantity: str | int = Field(union_mode="left_to_right")
    amount: Money
    vat_code: int = Field(ge=1, le=12)
    payment_mode: Text
    payment_subject: Text


class Receipt(_Body):
    customer: Customer
    items: list[Item] = Field(min_length=1, max_length=80)
    tax_system_code: int | None = Field(default=None, ge=1, le=6)

    @property
    def total_minor(self) -> Decimal:
        """Kopecks of all its items."""
        return sum((item.amount.minor * Decimal(item.quantity) for item in self.items), Decimal(0))


Metadata = Annotated[
    dict[Annotated[str, Field(max_length=32)], Annotated[str, Field(max_length=512)]], Field(max_length=16)
]


class CreatePayment(_Body):
    amount: Money
    capture: bool = False
    confirmation: Confirmation
    description: str = Field(default="", max_length=128)
    metadata: Metadata = {}
    payment_method_data: MethodData | None = None
    receipt: Receipt | None = None


class CapturePayment(_Body):
    amount: Money | None = None
    receipt: Receipt | None = None


class CancelPayment(_Body):
    pass


class CreateRefund(_Body):
    payment_id: Text
    amount: Money
    description: str = Field(default="", max_length=250)
    receipt: Receipt | None = None
