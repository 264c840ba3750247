"""What the dashboard's feed and its warnings do, beside the controls of `dashboard_actions.py`.

POST /dashboard/feed/replay       show a donation once more
POST /dashboard/feed/hide         keep a donation off the screen and out of public lists, or let it into those again
POST /dashboard/feed/hurry        look now at the bank's notifications that wait for minutes
"""

from typing import Any

from quart import Blueprint, redirect, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import alerts, history, inbox
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
    donation_id = await _donation_id()
    async with parts().pool.acquire() as connection, connection.transaction():
        alert_id = await alerts.replay(connection, streamer.id, donation_id)
    return await _done(streamer, "feed", "too-late" if alert_id is None else "replayed", {Topic.ALERTS})


@blueprint.post("/dashboard/feed/hide")
async def hide() -> ResponseReturnValue:
    """`hidden` says what is wanted. What was kept off the screen stays off it: "Repeat" shows it."""
    streamer = await require_streamer()
    donation_id = await _donation_id()
    wanted = (await request.form).get("hidden")
    if wanted not in ("yes", "no"):
        raise UnprocessableEntity
    async with parts().pool.acquire() as connection, connection.transaction():
        changed = await history.set_hidden(connection, streamer.id, donation_id, wanted == "yes")
        if wanted == "yes":
            changed = await alerts.take_off(connection, streamer.id, donation_id) or changed
    if not changed:
        return await _done(streamer, "feed", "too-late", set())
    said = "hidden" if wanted == "yes" else "unhidden"
    return await _done(streamer, "feed", said, {Topic.ALERTS, Topic.DONATION, Topic.TOTALS})


@blueprint.post("/dashboard/feed/hurry")
async def hurry() -> ResponseReturnValue:
    streamer = await require_streamer()
    await parts().limiter.take(HURRIES, str(streamer.id))
    async with parts().pool.acquire() as connection, connection.transaction():
        hurried = await inbox.hurry_late(connection, streamer.id)
    parts().relay.wake()
    return await _done(streamer, "bar", "hurried" if hurried else "too-late", set())


async def _donation_id() -> int:
    text = (await request.form).get("donation_id", "")
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) < _IDS_BELOW):
        raise UnprocessableEntity
    return int(text)


async def _done(streamer: Streamer, name: str, said: str, topics: set[Topic]) -> ResponseReturnValue:
    if topics:
        await publish(parts().redis, WAKE_CHANNEL, [Wake(streamer.id, frozenset(topics)).encode()])
    if "HX-Request" in request.headers:
        return await part(name, streamer, said=said)
    values: dict[str, Any] = {"said": said, "_anchor": name}
    return redirect(address("dashboard.show", **values), 303)
