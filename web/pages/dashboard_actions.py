"""What the dashboard's buttons do. Each answers HTMX with the part it changed, and a plain form with a redirect.

After the commit realtime is woken; should Redis be away, it looks by itself within two seconds.
"""

import uuid
from collections.abc import Iterable

from quart import Blueprint, redirect, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import control, missed, overlays
from domain.control import Outcome, Pressed
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.overlay_tokens import rotate_overlay_token
from domain.pressers import Presser
from domain.streamers import Streamer
from infra.redis import publish
from web import reveals
from web.context import parts
from web.control_words import call_presser, example_words, line
from web.limits import TEST_ALERTS
from web.pages.control import console, here, presser
from web.pages.dashboard import TEST_AMOUNTS_MINOR, part
from web.pages.desk import address
from web.sessions import require_streamer, require_user

blueprint = Blueprint("dashboard_actions", __name__)


CONTROLS = frozenset({Topic.CONTROLS, Topic.ALERTS})
ALERTS = frozenset({Topic.ALERTS})


@blueprint.post("/dashboard/test")
async def test() -> ResponseReturnValue:
    streamer, by = await _who()
    form = await request.form
    amount_minor = form.get("amount_minor", type=int)
    if amount_minor not in TEST_AMOUNTS_MINOR:
        raise UnprocessableEntity
    await parts().limiter.take(TEST_ALERTS, str(streamer.id))
    async with parts().pool.acquire() as connection, connection.transaction():
        pressed = await control.test(connection, streamer.id, by, amount_minor=amount_minor, **example_words())
        controls = await overlays.get_controls(connection, streamer.id)
    return await _pressed(streamer, pressed, "test-waits" if controls.hold_new_alerts else "test", ALERTS)


@blueprint.post("/dashboard/skip")
async def skip() -> ResponseReturnValue:
    """By the alert's own id: a late press never hits the next one."""
    streamer, by = await _who()
    alert_id = await _id("alert_id")
    async with parts().pool.acquire() as connection, connection.transaction():
        pressed = await control.skip(connection, streamer.id, by, alert_id)
    said = {Outcome.DONE: "skipped", Outcome.ALREADY: "already-skipped", Outcome.NOTHING: "too-late"}
    return await _pressed(streamer, pressed, said[pressed.outcome], ALERTS)


@blueprint.post("/dashboard/pause")
async def pause() -> ResponseReturnValue:
    """`paused` says what is wanted, so that two presses, or two people, do not undo each other."""
    streamer, by = await _who()
    wanted = await _yes_or_no("paused")
    async with parts().pool.acquire() as connection, connection.transaction():
        pressed = await control.pause(connection, streamer.id, by, wanted)
    return await _pressed(streamer, pressed, "paused" if wanted else "resumed", CONTROLS)


@blueprint.post("/dashboard/keep-pause")
async def keep_pause() -> ResponseReturnValue:
    """The long pause is meant: the question comes again in a while."""
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        await overlays.keep_paused(connection, streamer.id)
    return await _done(streamer, "stage", "paused", {Topic.CONTROLS})


@blueprint.post("/dashboard/mute")
async def mute() -> ResponseReturnValue:
    """`muted` says what is wanted, as with the pause."""
    streamer, by = await _who()
    wanted = await _yes_or_no("muted")
    async with parts().pool.acquire() as connection, connection.transaction():
        pressed = await control.mute(connection, streamer.id, by, wanted)
    return await _pressed(streamer, pressed, "muted" if wanted else "unmuted", CONTROLS)


@blueprint.post("/dashboard/replay")
async def replay_last() -> ResponseReturnValue:
    streamer, by = await _who()
    async with parts().pool.acquire() as connection, connection.transaction():
        pressed = await control.replay_last(connection, streamer.id, by)
    return await _pressed(streamer, pressed, f"replay-{pressed.outcome}", ALERTS)


@blueprint.post("/dashboard/clear")
async def clear() -> ResponseReturnValue:
    streamer, by = await _who()
    async with parts().pool.acquire() as connection, connection.transaction():
        pressed = await control.clear_queue(connection, streamer.id, by)
    return await _pressed(streamer, pressed, f"clear-{pressed.outcome}", CONTROLS)


@blueprint.post("/dashboard/undo-clear")
async def undo_clear() -> ResponseReturnValue:
    """By the act's own id: it puts back what that press cleared, and nothing else."""
    streamer, by = await _who()
    act_id = await _id("act_id")
    async with parts().pool.acquire() as connection, connection.transaction():
        pressed = await control.undo_clear(connection, streamer.id, by, act_id)
    return await _pressed(streamer, pressed, f"undo-{pressed.outcome}", CONTROLS)


@blueprint.post("/dashboard/missed")
async def answer_missed() -> ResponseReturnValue:
    streamer, by = await _who()
    form = await request.form
    try:
        answer = missed.Answer(form.get("answer", ""))
    except ValueError:
        raise UnprocessableEntity from None
    async with parts().pool.acquire() as connection, connection.transaction():
        pressed = await control.answer_missed(connection, streamer.id, by, answer)
    said = f"missed-{answer}" if pressed.outcome is Outcome.DONE else "too-late"
    return await _pressed(streamer, pressed, said, CONTROLS, name="missed")


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


async def _who() -> tuple[Streamer, Presser]:
    streamer = await require_streamer()
    return streamer, presser(await require_user(), streamer)


async def _id(field: str) -> uuid.UUID:
    form = await request.form
    try:
        return uuid.UUID(form.get(field, ""))
    except ValueError:
        raise UnprocessableEntity from None


async def _yes_or_no(field: str) -> bool:
    wanted = (await request.form).get(field)
    if wanted not in ("yes", "no"):
        raise UnprocessableEntity
    return bool(wanted == "yes")


async def _pressed(
    streamer: Streamer, pressed: Pressed, said: str, topics: frozenset[Topic], *, name: str = "stage"
) -> ResponseReturnValue:
    """Answer a press. The control page says itself how far it has got; only what nothing came of needs words here."""
    note = "" if pressed.outcome is Outcome.DONE else line(pressed)
    who = None if pressed.before is None else call_presser(pressed.before)
    return await _done(streamer, name, said, topics, note=note, who=who)


async def _done(
    streamer: Streamer,
    name: str,
    said: str,
    topics: Iterable[Topic],
    *,
    note: str = "",
    who: str | None = None,
) -> ResponseReturnValue:
    """Wake realtime, then answer: with the page's own part, or with the page, for forms without script."""
    await publish(parts().redis, WAKE_CHANNEL, [Wake(streamer.id, frozenset(topics)).encode()])
    is_control_page = (await request.form).get("page") == "control"
    if "HX-Request" not in request.headers:
        if is_control_page:
            return redirect(here("control.show", said=said), 303)
        return redirect(address("dashboard.show", said=said, _anchor=name), 303)
    if is_control_page:
        return await console(streamer, note)
    return await part(name, streamer, said=said, said_who=who)
