"""What each event on `streamcash.events` holds: the promise to whoever binds a queue there (docs/events.md).

Fields are added, never changed or taken away; who reads them ignores those it does not know. Amounts are kopecks. Text
is the moderated one, and null or empty while a person has to decide. `docs/events.schema.json` is made of this.
"""

import json
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from domain.alerts import AlertKind
from domain.events import EventType

Minor = Annotated[int, Field(ge=0, description="Kopecks")]
Id = Annotated[int, Field(ge=1, lt=2**31)]


class EventData(BaseModel):
    # What is sent is checked by tests as strictly as it is promised.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    streamer_id: Id


class DonationData(EventData):
    donation_id: Id


class PaymentData(DonationData):
    """A payment is one attempt to collect a donation; a donation may have several."""

    payment_id: Id
    amount_minor: Minor
    currency: Literal["RUB"]


class DonationCreated(PaymentData):
    """Somebody sent the form: nothing is paid, nothing was judged."""


class PaymentCreated(PaymentData):
    """The bank knows of the payment, and its page can be opened."""


BookedAs = Annotated[
    Literal["donation", "surplus", "review"],
    Field(
        description="donation: it paid the donation. surplus: another payment had. review: not the amount asked for."
    ),
]


class PaymentCompleted(PaymentData):
    """Money came and is booked, once per payment."""

    booked_as: BookedAs


class PaymentFailed(PaymentData):
    """The donation's newest attempt failed. Another may be made, and money that comes late counts all the same."""

    error_code: str = Field(description="The bank's; may be empty")


class PaymentRefunded(PaymentData):
    """Money went back to the donor."""

    booked_as: BookedAs
    refunded_minor: Minor = Field(description="By now, of this payment, in all")


class PaymentChargedBack(PaymentData):
    """The donor's bank took money back, or gave it again."""

    booked_as: BookedAs
    charged_back_minor: Minor = Field(description="By now, of this payment, in all")
    reversed_minor: Minor = Field(description="Of that, what came again")


class Texts(BaseModel):
    is_held: bool = Field(description="A person has to decide first: no text may leave")
    donor_name: str | None = Field(max_length=60, description="Null: anonymous, or not to be shown")
    message: str = Field(max_length=1000, description="Plain text, never HTML")


class NotificationSend(Texts, DonationData):
    """A donation was paid for the first time. If it is not held, it may be shown."""

    amount_minor: Minor
    currency: Literal["RUB"]


class DonationModerated(Texts, DonationData):
    """Something was decided about a donation's text."""

    decision: Literal["mask", "hold", "reject", "show", "show_without_text", "hide", "erase"] = Field(
        description="mask, hold, reject: by the rules, when it was paid. erase: its donor wants to be forgotten."
    )
    by: Literal["rules", "owner", "superuser", "moderator", "deadline", "key"]


class StatsUpdate(EventData):
    """The streamer's totals changed; how much they are is to be asked for."""


class AlertShown(EventData):
    """An alert's text was readable on the stream: it is not played again."""

    alert_id: Annotated[UUID, Field(strict=False)]
    donation_id: Id | None = Field(description="Null: what it shows is no donation made here")
    kind: Annotated[AlertKind, Field(strict=False, description="There may be more kinds")]


class GoalReached(EventData):
    """Once per goal; what goes back later does not undo it."""

    goal_id: Id


DATA_OF: dict[EventType, type[EventData]] = {
    EventType.DONATION_CREATED: DonationCreated,
    EventType.PAYMENT_CREATED: PaymentCreated,
    EventType.PAYMENT_COMPLETED: PaymentCompleted,
    EventType.PAYMENT_FAILED: PaymentFailed,
    EventType.PAYMENT_REFUNDED: PaymentRefunded,
    EventType.PAYMENT_CHARGED_BACK: PaymentChargedBack,
    EventType.NOTIFICATION_SEND: NotificationSend,
    EventType.DONATION_MODERATED: DonationModerated,
    EventType.STATS_UPDATE: StatsUpdate,
    EventType.ALERT_SHOWN: AlertShown,
    EventType.GOAL_REACHED: GoalReached,
}
"""Every event there is; a test publishes each and checks it against this."""


class Envelope(BaseModel):
    """What a message's body is, in JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: UUID = Field(description="The event's own; a repeat has the same")
    type: EventType = Field(description="Also the routing key")
    occurred_at: AwareDatetime
    data: dict[str, Any]


def check_event(body: bytes | str) -> Envelope:
    """Raises ValueError for what is no event of ours as it is promised."""
    envelope = Envelope.model_validate_json(body)
    DATA_OF[envelope.type].model_validate(envelope.data)
    return envelope


def schema_text() -> str:
    """`docs/events.schema.json`: JSON Schema 2020-12 of any message; under `$defs` also of each event's data.

    It forbids no further fields: who checks what it gets by this goes on working when there are more.
    """
    models = [(data, "serialization") for data in DATA_OF.values()]
    _, document = models_json_schema(models, ref_template="#/$defs/{model}")  # type: ignore[arg-type]
    definitions = document["$defs"]
    for definition in definitions.values():
        definition.pop("additionalProperties", None)
    envelope = Envelope.model_json_schema()["properties"]
    events = [
        {
            "title": event.value,
            "type": "object",
            "required": list(envelope),
            "properties": {
                **{name: envelope[name] for name in ("id", "occurred_at")},
                "type": {"const": event.value},
                "data": {"$ref": f"#/$defs/{data.__name__}"},
            },
        }
        for event, data in DATA_OF.items()
    ]
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events of streamcash.events",
        "oneOf": events,
        "$defs": definitions,
    }
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
