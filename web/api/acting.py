"""Who acts by the API, as others read of it, and whom it is told to."""

from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.pressers import Presser, PresserKind
from domain.streamers import Streamer
from infra.redis import publish
from web.api.access import caller
from web.context import parts

CONTROLS = frozenset({Topic.CONTROLS, Topic.ALERTS})
ALERTS = frozenset({Topic.ALERTS})
GOALS = frozenset({Topic.GOALS, Topic.ALERTS})


def presser(streamer: Streamer) -> Presser:
    """A key goes by its own name, a person by that of her page."""
    who = caller()
    if who.key_id is not None:
        return Presser(PresserKind.KEY, who.key_id, who.key_name)
    return Presser(PresserKind.OWNER, who.user.id, streamer.display_name)


async def tell(streamer: Streamer, topics: frozenset[Topic], *, plays_on: bool = False) -> None:
    """After the commit: realtime and everybody's pages. `plays_on`: an alert that plays is not touched."""
    await publish(parts().redis, WAKE_CHANNEL, [Wake(streamer.id, topics, plays_on=plays_on).encode()])
