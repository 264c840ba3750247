"""What all models of the API share: amounts, ids, the base."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

MAX_ID = 2**31 - 1
MAX_ROUBLES = 1_000_000_000
"""Beyond it no number is an amount, whatever a streamer's own limits."""


class Model(BaseModel):
    """What comes in: unknown fields are ignored, as the first version did."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Message(Model):
    message: str


def _read_roubles(value: Any) -> int:
    """Kopecks. Raises ValueError, which becomes a 422."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("an amount of roubles is expected")
    try:
        amount = Decimal(str(value))
    except ArithmeticError:
        raise ValueError("an amount of roubles is expected") from None
    if not amount.is_finite() or abs(amount) > MAX_ROUBLES:
        raise ValueError("this is no amount of roubles")
    minor = amount * 100
    if minor != minor.to_integral_value():
        raise ValueError("an amount has two decimals at most")
    return int(minor)


def _write_roubles(minor: int) -> float:
    return minor / 100


RoublesIn = Annotated[int, BeforeValidator(_read_roubles), WithJsonSchema({"type": "number"})]
"""A request's amount: a JSON number of roubles, for us kopecks."""
RoublesOut = Annotated[int, PlainSerializer(_write_roubles, return_type=float), WithJsonSchema({"type": "number"})]
"""An answer's amount: made of kopecks, a JSON number of roubles. Only API v1 speaks of roubles (DESIGN 1)."""
Id = Annotated[int, Field(ge=1, le=MAX_ID)]


class Paging(BaseModel):
    """How many to leave out first, and how many to give at most."""

    skip: int = Field(default=0, ge=0, le=MAX_ID)
    limit: int = Field(default=100, ge=1, le=1000)
