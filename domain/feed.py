"""The feed: donations as they came, and among them what the streamer wrote down herself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from domain.donations import FeedRow, list_feed
from infra import queries


@dataclass(frozen=True)
class ManualRow:
    """Money received elsewhere; kopecks. `paid_at`: when the streamer says it came."""

    is_manual: ClassVar[bool] = True

    id: int
    public_id: str
    amount_minor: int
    donor_name: str | None
    message: str
    source: str
    paid_at: datetime


async def list_all(connection: Any, streamer_id: int, *, limit: int) -> list[FeedRow | ManualRow]:
    """The newest money first, whatever way it came."""
    rows: list[FeedRow | ManualRow] = []
    rows += await list_feed(connection, streamer_id, limit=limit)
    manual = queries.feed.list_manual(connection, streamer_id=streamer_id, limit=limit)
    rows += [ManualRow(**row) async for row in manual]
    return sorted(rows, key=lambda row: row.paid_at, reverse=True)[:limit]


async def find_public_id(connection: Any, streamer_id: int, donation_id: int) -> str | None:
    """None: the streamer has no such donation."""
    found: str | None = await queries.feed.find_public_id(connection, streamer_id=streamer_id, donation_id=donation_id)
    return found


async def has_manual(connection: Any, streamer_id: int) -> bool:
    """Whether the streamer wrote down anything, which no total counts."""
    return bool(await queries.feed.has_manual(connection, streamer_id=streamer_id))
