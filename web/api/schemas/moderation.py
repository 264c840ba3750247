"""What waits for a decision, who is blocked, and the streamer's words."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from domain.blocks import NOTE_MAX_LENGTH, BlockKind
from domain.holds import Decision
from domain.moderation import Part, Rule
from web.api.schemas.common import Model


class Match(Model):
    """What a rule caught."""

    part: Part
    rule: Rule
    word: str | None = Field(description="As it was written; null for a key without `donations:original`")


class Held(Model):
    """An alert that waits for a decision."""

    alert_id: UUID
    donation_id: int
    public_id: str
    amount_minor: int
    currency: str
    donor_name: str | None = Field(description="As written; null for a key without `donations:original`, or anonymous")
    message: str | None = Field(description="As written; null for a key without `donations:original`")
    reason: str = Field(
        description="`rules`; `approve`: the streamer approves everything; `blocked_name`, `blocked_payer`, "
        "`blocked_address`; `amount`; `error`: the rules could not judge it"
    )
    matches: list[Match]
    held_at: datetime
    outcome: str = Field(description="If nobody decides in time: `show_without_text` or `skip`")
    decision: Decision | None = Field(description="Made a moment ago, and not in effect yet")
    decided_by: str | None = Field(description="`owner`, `moderator`, `key`, `superuser` or `deadline`")


class HeldList(Model):
    held: list[Held] = Field(description="The oldest first, at most a hundred")


class Decided(Model):
    """What really came of a decision."""

    is_yours: bool = Field(description="False: somebody was first, with this decision")
    decision: Decision | None = Field(description="What was decided; null: nothing yet, or taken back")
    decided_by: str | None
    undo_seconds: int = Field(description="For so long it can be taken back; 0: it cannot")


class Undone(Model):
    is_undone: bool = Field(description="False: it had taken effect already, or was taken back before")


class Block(Model):
    id: int
    kind: BlockKind
    shown: str | None = Field(
        description="The masked card, or the name as written: null for a key without `donations:original`"
    )
    note: str
    created_at: datetime
    expires_at: datetime | None = Field(description="Null: until it is lifted")
    public_id: str | None = Field(description="Of the donation that it was made from")


class Blocks(Model):
    blocks: list[Block] = Field(description="At most five hundred")


class NewBlock(Model):
    public_id: Annotated[str, Field(min_length=1, max_length=64)] = Field(description="Of a donation of the donor's")
    kind: BlockKind
    note: str = Field("", max_length=NOTE_MAX_LENGTH)
    days: int = Field(1, description="For an `address`: 1, 7 or 30. Others are blocked until they are lifted")


class Word(Model):
    id: int
    kind: str = Field(description="`word`, or `exception`: what a rule lets through")
    pattern: str


class Words(Model):
    words: list[Word]
