"""What the dashboard's buttons do. Each answers HTMX with the part it changed, and a plain form with a redirect.

After the commit realtime is woken; should Redis be away, it looks by itself within two seconds.
"""

import uuid
from typing import Any

from quart import Blueprint, redirect, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import alerts, missed, overlays
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.overlay_tokens import rotate_overlay_token
from domain.streamers import Streamer
from infra.redis import publish
from web import reveals
from web.context import parts
from web.i18n import _
from web.limits import Limit
from web.pages.dashboard import TEST_AMOUNTS_MINOR, part
from web.pages.desk import address
from web.sessions import require_streamer

blueprint = Blueprint("dashboard_actions", __name__)

TESTS = Limit("test-alert", 30, 60)


@blueprint.post("/dashboard/test")
async def test() -> ResponseReturnValue:
    streamer = await require_streamer()
    form = await request.form
    amount_minor = form.get("amount_minor", type=int)
    if amount_minor not in TEST_AMOUNTS_MINOR:
        raise UnprocessableEntity
    await parts().limiter.take(TESTS, str(streamer.id))
    async with parts().pool.acquire() as connection, connection.transaction():
        await alerts.enqueue_test(
            connection, streamer.id, amount_minor, _("Anya"), _("Greetings from Omsk! This is how alerts look.")
        )
        controls = await overlays.get_controls(connection, streamer.id)
    return await _done(streamer, "stage", "test-waits" if controls.hold_new_alerts else "test", {Topic.ALERTS})


@blueprint.post("/dashboard/skip")
async def skip() -> ResponseReturnValue:
    """By the alert's own id: a late press never hits the next one."""
    streamer = await require_streamer()
    form = await request.form
    try:
        alert_id = uuid.UUID(form.get("alert_id", ""))
    except ValueError:
        raise UnprocessableEntity from None
    async with parts().pool.acquire() as connection, connection.transaction():
        skipped = await alerts.skip(connection, streamer.id, alert_id)
    return await _done(streamer, "stage", "skipped" if skipped else "too-late", {Topic.ALERTS})


@blueprint.post("/dashboard/pause")
async def pause() -> ResponseReturnValue:
    """`paused` says what is wanted, so that two presses, or two people, do not undo each other."""
    streamer = await require_streamer()
    form = await request.form
    wanted = form.get("paused")
    if wanted not in ("yes", "no"):
        raise UnprocessableEntity
    async with parts().pool.acquire() as connection, connection.transaction():
        await overlays.set_paused(connection, streamer.id, wanted == "yes")
    said = "paused" if wanted == "yes" else "resumed"
    return await _done(streamer, "stage", said, {Topic.CONTROLS, Topic.ALERTS})


@blueprint.post("/dashboard/missed")
async def answer_missed() -> ResponseReturnValue:
    streamer = await require_streamer()
    form = await request.form
    try:
        answer = missed.Answer(form.get("answer", ""))
    except ValueError:
        raise UnprocessableEntity from None
    async with parts().pool.acquire() as connection, connection.transaction():
        was_asking = await missed.answer_missed(connection, streamer.id, answer)
    said = f"missed-{answer}" if was_asking else "too-late"
    return await _done(streamer, "missed", said, {Topic.CONTROLS, Topic.ALERTS})


@blueprint.post("/dashboard/overlay-token")
async def rotate() -> ResponseReturnValue:
    """A new address for OBS; what was opened with the old one is cut off at once."""
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        await rotate_overlay_token(connection, parts().box, streamer.id)
    return await _done(streamer, "overlay", "rotated", {Topic.CONTROLS, Topic.OVERLAYS})


@blueprint.post("/dashboard/reveal")
async def reveal() -> ResponseReturnValue:
    """Show the overlay's address for a while, in its part or on the whole page."""
    streamer = await require_streamer()
    given = reveals.give_pass(parts().box, streamer.id)
    if "HX-Request" in request.headers:
        return redirect(address("dashboard.show_part", name="overlay", reveal=given), 303)
    return redirect(address("dashboard.show", reveal=given, _anchor="overlay"), 303)


async def _done(streamer: Streamer, name: str, said: str, topics: set[Topic]) -> ResponseReturnValue:
    wake = Wake(streamer.id, frozenset(topics))
    await publish(parts().redis, WAKE_CHANNEL, [wake.encode()])
    if "HX-Request" in request.headers:
        return await part(name, streamer, said=said)
    values: dict[str, Any] = {"said": said, "_anchor": name}
    return redirect(address("dashboard.show", **values), 303)
