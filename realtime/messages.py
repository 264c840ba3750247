"""What overlays say to us, checked, and what we say to them. `docs/realtime.md` describes every message."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.alert_looks import encode_look
from domain.alerts import AlertLevel, seen_after_ms
from domain.showing import Offer

PROTOCOL = 1
MAX_SEEN = 50
"""How many recently seen alerts a hello may carry."""
MAX_MESSAGE_BYTES = 16_384

# JSON knows no UUIDs, so these alone are made from text.
Id = Annotated[UUID, Field(strict=False)]


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class LeaseWord(_Message):
    """`started`, `seen`, `finished`: of which alert, under which lease."""

    alert_id: Id
    lease_id: Id


class SeenWord(LeaseWord):
    finished: bool = False


class StoppedWord(_Message):
    """`stopped`: what was told to end is off the screen."""

    lease_id: Id


class MutedWord(_Message):
    """`muted`: the overlay's sound is off, or on."""

    muted: bool


class Sight(_Message):
    """`state`: whether the source is visible, and active on the program, and OBS streams; null: nobody knows."""

    visible: bool | None = None
    active: bool | None = None
    streaming: bool | None = None


class Hello(Sight):
    """What an overlay connects with."""

    token: str = Field(min_length=1, max_length=200)
    overlay_id: Id
    in_obs: bool = False
    playing: LeaseWord | None = None
    seen: list[SeenWord] = Field(default=[], max_length=MAX_SEEN)


class DashboardHello(_Message):
    ticket: str = Field(min_length=1, max_length=1_000)


def alert_message(offer: Offer) -> dict[str, Any]:
    """An alert as overlays get it, in `offer` and `mirror`."""
    level = AlertLevel.RIBBON if offer.look is None else offer.look.level
    return {
        "alert_id": str(offer.alert_id),
        "lease_id": str(offer.lease_id),
        "donation_id": offer.donation_id,
        "kind": offer.kind.value,
        "level": level.value,
        "donor_name": offer.donor_name,
        "message": offer.message,
        "amount_minor": offer.amount_minor,
        "currency": offer.currency,
        "donations": offer.donations,
        "duration_ms": offer.duration_ms,
        "seen_after_ms": seen_after_ms(offer.duration_ms),
        "look": None if offer.look is None else encode_look(offer.look),
    }


OK = {"ok": True}


def refusal(code: str, **more: Any) -> dict[str, Any]:
    """An answer that says no. `try_again`: the same message may be sent again later."""
    return {"ok": False, "code": code, **more}
