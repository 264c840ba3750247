"""The on-air mode: whether what must not be seen on a shared screen is hidden from a person (decision 0028).

It is a person's, not a page's or a streamer's: the screen that is shared is hers, whosever pages are on it. A stream
that her own OBS begins turns it on; what she chooses after that holds until the next one begins.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra import queries

GRACE_SECONDS = 180
"""For so long OBS is taken to stream on after the overlay that said so has left: it may only be loading anew."""


@dataclass(frozen=True)
class OnAir:
    chosen: bool
    chosen_at: datetime | None
    streaming_since: datetime | None
    """None: the person's own OBS does not stream, as far as we know."""

    @property
    def is_on(self) -> bool:
        """The later of the two decides, what she chose or that the stream began."""
        began_later = self.streaming_since is not None and (
            self.chosen_at is None or self.chosen_at < self.streaming_since
        )
        return began_later or self.chosen


async def read_on_air(connection: Any, user_id: int) -> OnAir:
    row = await queries.on_air.get(connection, user_id=user_id, grace_seconds=GRACE_SECONDS)
    return OnAir(False, None, None) if row is None else OnAir(**row)


async def choose(connection: Any, user_id: int, on_air: bool) -> None:
    """Turn the mode on or off by hand."""
    await queries.on_air.choose(connection, user_id=user_id, on_air=on_air)


async def note_stream(connection: Any, streamer_id: int) -> None:
    """One of the streamer's overlays said whether OBS streams; `overlays` has it already."""
    await queries.on_air.note_stream(connection, streamer_id=streamer_id, grace_seconds=GRACE_SECONDS)


async def note_left(connection: Any, streamer_ids: set[int]) -> None:
    """Overlays of these streamers have been struck off."""
    await queries.on_air.note_left(connection, streamer_ids=sorted(streamer_ids))
