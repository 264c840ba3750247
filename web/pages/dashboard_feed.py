"""What the dashboard's feed and its warnings do, beside the controls of `dashboard_actions.py`.

POST /dashboard/feed/replay       show a donation once more
POST /dashboard/feed/hurry        look now at the bank's notifications that wait for minutes
"""

from typing import Any

from quart import Blueprint, redirect, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import alerts, inbox
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.streamers import Streamer
from infra.redis import publish
from web.context import parts
from web.limits import Limit
from web.pages.dashboard import part
from web.pages.desk import address
from web.sessions import require_streamer

blueprint = Blueprint("dashboard_feed", __name__)

HURRIES = Limit("hurry-notifications", 5, 60)
_IDS_BELOW = 2**31


@blueprint.post("/dashboard/feed/replay")
async def replay() -> ResponseReturnValue:
    """A second press while the first one's alert waits or plays shows nothing more."""
    streamer = await require_streamer()
    text = (await request.form).get("donation_id", "")
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) < _IDS_BELOW):
        raise UnprocessableEntity
    async with parts().pool.acquire() as connection, connection.transaction():
        alert_id = await alerts.replay(connection, streamer.id, int(text))
    return await _done(streamer, "feed", "too-late" if alert_id is None else "replayed", {Topic.ALERTS})


@blueprint.post("/dashboard/feed/hurry")
async def hurry() -> ResponseReturnValue:
    streamer = await require_streamer()
    await parts().limiter.take(HURRIES, str(streamer.id))
    async with parts().pool.acquire() as connection, connection.transaction():
        hurried = await inbox.hurry_late(connection, streamer.id)
    parts().relay.wake()
    return await _done(streamer, "bar", "hurried" if hurried else "too-late", set())


async def _done(streamer: Streamer, name: str, said: str, topics: set[Topic]) -> ResponseReturnValue:
    if topics:
        await publish(parts().redis, WAKE_CHANNEL, [Wake(streamer.id, frozenset(topics)).encode()])
    if "HX-Request" in request.headers:
        return await part(name, streamer, said=said)
    values: dict[str, Any] = {"said": said, "_anchor": name}
    return redirect(address("dashboard.show", **values), 303)
