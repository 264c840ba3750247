"""The queue of alerts, what plays, and what came of a press."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from domain.alerts import AlertKind, AlertStatus
from domain.control import Action, Outcome
from domain.missed import Answer
from domain.pressers import PresserKind
from web.api.schemas.common import Id, Model


class Alert(Model):
    """An alert, with its text as it is shown."""

    alert_id: UUID = Field(description="New for each showing")
    donation_id: int | None = Field(description="Of donations and their repeats alone")
    kind: AlertKind
    name: str | None = Field(description="The donor's, null for an anonymous one; of your own alerts the title")
    message: str
    amount_minor: int = Field(description="Kopecks; 0: it has no amount")
    currency: str
    donations: int = Field(description="How many a summary stands for")
    duration_ms: int


class PlayingAlert(Alert):
    """What is on screen, or on its way there."""

    has_started: bool = Field(description="The overlay has said that it shows it")


class WaitingAlert(Alert):
    status: AlertStatus = Field(description="`queued`, or `held` until somebody has decided")
    created_at: datetime
    playable_at: datetime | None = Field(description="Since when it waits for its turn; null while it is held")


class Queue(Model):
    """What plays, and what waits in the order it will play; then what is held."""

    playing: PlayingAlert | None
    alerts: list[WaitingAlert] = Field(description="At most a hundred")
    waiting: int = Field(description="How many wait for their turn, also beyond those listed")
    waiting_ms: int = Field(description="How long these will play together")
    held: int
    is_paused: bool
    is_muted: bool


class Subject(Model):
    """The alert that a press was about."""

    kind: AlertKind
    name: str | None
    amount_minor: int
    donations: int


class By(Model):
    kind: PresserKind
    name: str = Field(description="As others may read it; empty for an operator")


class Press(Model):
    """What really came of a press."""

    action: Action
    outcome: Outcome = Field(
        description="`done`; `already`: it was so, or somebody did it a moment ago; `nothing`: there was nothing to do"
    )
    alert: Subject | None
    alerts: int = Field(description="How many it was about, where that may be several")
    before: By | None = Field(description="Who did it before you, where that is known")
    act_id: UUID | None = Field(description="Of what was done, for taking it back")


class Undo(Model):
    act_id: UUID = Field(description="From the answer to `clear`")


class Missed(Model):
    answer: Answer = Field(
        description="`play` all of them, one `summary`, `drop` them, or decide `later`; the money is not touched"
    )


class Replay(Model):
    donation_id: Id | None = Field(None, description="None: what was shown last")
