"""What a realtime process remembers: its streamers, their overlays and dashboards connected here.

Only for telling the right sockets the right things. The truth about alerts, speakers and overlays is in the database.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from domain.events import Topic


class StandIn(Protocol):
    """What is connected otherwise than by Socket.IO and stands in for an overlay (`realtime/widget.py`)."""

    def hear(self, event: str, data: dict[str, Any]) -> None: ...


@dataclass(slots=True)
class ConnectedOverlay:
    overlay_id: UUID
    sid: str
    token_id: int
    in_obs: bool
    visible: bool
    active: bool
    streaming: bool | None = None
    """Whether OBS streams; None: nobody knows."""
    stand_in: StandIn | None = None
    welcome: dict[str, Any] | None = None
    """To be sent before anything else."""
    role: str | None = None
    """The role it was told last."""
    muted: bool | None = None
    """Whether it was last told to be silent."""
    showing: UUID | None = None
    """The lease of the alert it was last given, until it says that it ended or is told to stop."""
    leave_at: float | None = None
    """Its socket closed; it is struck off at this time (monotonic) unless it comes back."""

    @property
    def is_here(self) -> bool:
        return self.leave_at is None


@dataclass(slots=True)
class Room:
    """A streamer with overlays or dashboards on this process.

    Work for one streamer is done one piece after the other, under `lock`; streamers do not wait for each other.
    """

    streamer_id: int
    overlays: dict[UUID, ConnectedOverlay] = field(default_factory=dict)
    dashboards: set[str] = field(default_factory=set)
    moderators: dict[str, UUID] = field(default_factory=dict)
    """Of the dashboards, those of moderators: their sessions, with which they end."""
    speaker_id: UUID | None = None
    lease_id: UUID | None = None
    """What was last known to speak and to play."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: bool = False
    """Somebody asked to look at the queue and nobody has yet."""
    check_scene: bool = True
    """Who speaks and what plays is to be read anew, even if there is nothing to offer."""
    check_tokens: bool = False
    check_controls: bool = True
    """Whether the streamer wants silence is to be read anew, and told before the next alert is offered."""
    muted: bool | None = None
    lost_overlays: set[UUID] = field(default_factory=set)
    """Overlays the database does not have (any more), to be written down again."""
    stray_overlays: set[UUID] = field(default_factory=set)
    """Overlays only the database has, to be struck off."""
    task: asyncio.Task[None] | None = None
    topics: set[Topic] = field(default_factory=set)
    """What dashboards are about to be told."""

    users: int = 0
    """How many hold or await the lock."""

    @property
    def is_empty(self) -> bool:
        return not (self.overlays or self.dashboards or self.task or self.users or self.topics)

    def overlays_here(self) -> list[ConnectedOverlay]:
        return [overlay for overlay in self.overlays.values() if overlay.is_here]

    def overlays_due_to_leave(self) -> list[ConnectedOverlay]:
        now = time.monotonic()
        return [o for o in self.overlays.values() if o.leave_at is not None and o.leave_at <= now]

    def holder_is_away(self, overlay_id: UUID) -> bool:
        """The overlay that plays is ours and its socket just closed."""
        overlay = self.overlays.get(overlay_id)
        return overlay is not None and not overlay.is_here


class Rooms:
    def __init__(self) -> None:
        self._rooms: dict[int, Room] = {}

    def __iter__(self) -> Iterator[Room]:
        return iter(list(self._rooms.values()))

    def find(self, streamer_id: int) -> Room | None:
        return self._rooms.get(streamer_id)

    def enter(self, streamer_id: int) -> Room:
        """The streamer's room, made if need be. Whoever puts nothing into it calls `tidy`."""
        return self._rooms.setdefault(streamer_id, Room(streamer_id))

    @contextlib.asynccontextmanager
    async def locked(self, streamer_id: int) -> AsyncIterator[Room]:
        """The streamer's room, made if need be, to ourselves; forgotten if it is left empty."""
        room = self.enter(streamer_id)
        room.users += 1
        try:
            async with room.lock:
                yield room
        finally:
            room.users -= 1
            self.tidy(room)

    def tidy(self, room: Room) -> None:
        if room.is_empty:
            self._rooms.pop(room.streamer_id, None)

    def count_overlays(self) -> int:
        return sum(len(room.overlays) for room in self._rooms.values())

    def count_dashboards(self) -> int:
        return sum(len(room.dashboards) for room in self._rooms.values())
