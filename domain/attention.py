"""What waits for a person: money that pays no donation, refunds that were refused, notifications nobody could place."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from infra import queries


class AttentionKind(StrEnum):
    SURPLUS = "surplus"
    """A donation was paid twice."""
    REVIEW = "review"
    """Another amount came than was asked for."""
    REFUND = "refund"
    """A refund was refused, and not wished again since."""
    NOTIFICATION = "notification"
    """Signed by the provider, of an order we do not know, or not understood."""


@dataclass(frozen=True)
class AttentionItem:
    """`id` is the payment's, the refund's or the notification's; kopecks, None for notifications.

    `code`, `reason` and `words` are a refused refund's; a notification's `code` says what became of it, `body` is what
    came, `is_asked` that somebody looks at it again.
    """

    kind: AttentionKind
    id: int
    at: datetime
    amount_minor: int | None
    """What was asked for, or what should have gone back."""
    left_minor: int | None
    code: str
    reason: str
    words: str
    body: bytes | None
    repeats: int
    last_at: datetime | None
    is_asked: bool
    order_id: str | None
    provider_payment_id: str | None
    provider: str
    terminal_key: str
    donation_public_id: str | None
    donor_name: str | None
    streamer_id: int
    slug: str
    display_name: str
    time_zone: str


@dataclass(frozen=True)
class Place:
    """Where a list goes on: after the item of this time, kind and id."""

    at: datetime
    kind: str
    id: int


async def list_attention(
    connection: Any, streamer_id: int | None, *, limit: int, after: Place | None = None
) -> list[AttentionItem]:
    """The newest first; of one streamer, or of all."""
    rows = queries.attention.list_attention(
        connection,
        streamer_id=streamer_id,
        limit=limit,
        before_at=after and after.at,
        before_kind=after.kind if after else "",
        before_id=after.id if after else 0,
    )
    return [AttentionItem(**{**row, "kind": AttentionKind(row["kind"])}) async for row in rows]


COUNT_MAX = 100


async def count_attention(connection: Any, streamer_id: int) -> int:
    """How much waits; where it is very much, at least COUNT_MAX."""
    return int(await queries.attention.count_attention(connection, streamer_id=streamer_id, limit=COUNT_MAX))
