"""The queue of alerts and its controls: as the control page has them."""

from uuid import UUID

from quart_schema import validate_request, validate_response

from domain import control
from domain.alerts import AlertKind, list_queue, measure_queue
from domain.control import Outcome, Pressed
from domain.events import Topic
from domain.overlays import get_controls
from domain.scopes import Scope
from domain.showing import get_playing
from domain.streamers import Streamer
from web.api.access import callers_streamer, needs
from web.api.acting import ALERTS, CONTROLS, presser, tell
from web.api.blueprints import new_api
from web.api.errors import Refused
from web.api.etags import tagged
from web.api.idempotency import writing
from web.api.openapi import examples
from web.api.schemas.queue import (
    By,
    Missed,
    PlayingAlert,
    Press,
    Queue,
    Replay,
    Subject,
    Undo,
    WaitingAlert,
)
from web.context import parts

blueprint = new_api("queue", "")

LISTED = 100
ALERT_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
ACT_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

_ALERT = {
    "alert_id": ALERT_ID,
    "donation_id": 17,
    "kind": "donation",
    "name": "Аня",
    "message": "Привет из Омска!",
    "amount_minor": 30000,
    "currency": "RUB",
    "donations": 1,
    "duration_ms": 6000,
}
_SUBJECT = {"kind": "donation", "name": "Аня", "amount_minor": 30000, "donations": 1}


def _press(action: str, *, alert: dict[str, object] | None = None, alerts: int = 0) -> dict[str, object]:
    return {
        "action": action, "outcome": "done", "alert": alert, "alerts": alerts, "before": None, "act_id": ACT_ID
    }  # fmt: skip


@blueprint.get("/queue")
@needs(Scope.ALERTS_READ)
@tagged
@examples(
    response={
        "playing": {**_ALERT, "has_started": True},
        "alerts": [
            {
                **_ALERT,
                "alert_id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
                "donation_id": 18,
                "name": None,
                "status": "queued",
                "created_at": "2026-11-28T18:30:00Z",
                "playable_at": "2026-11-28T18:30:00Z",
            }
        ],
        "waiting": 1,
        "waiting_ms": 6000,
        "held": 0,
        "is_paused": False,
        "is_muted": False,
    }
)
@validate_response(Queue)
async def show() -> Queue:
    """What plays, what waits, what is held

    In the order it will play. Texts are the moderated ones. The answer has an `ETag`.
    """
    streamer = await callers_streamer()
    async with parts().pool.acquire() as connection:
        playing = await get_playing(connection, streamer.id)
        waiting = await list_queue(connection, streamer.id, limit=LISTED)
        length = await measure_queue(connection, streamer.id)
        controls = await get_controls(connection, streamer.id)
    return Queue(
        playing=None
        if playing is None
        else PlayingAlert(
            name=playing.offer.donor_name,
            has_started=playing.elapsed_ms is not None,
            **{name: getattr(playing.offer, name) for name in _SAME},
        ),
        alerts=[
            WaitingAlert(
                name=alert.donor_name,
                status=alert.status,
                created_at=alert.created_at,
                playable_at=alert.playable_at,
                **{name: getattr(alert, name) for name in _SAME},
            )
            for alert in waiting
        ],
        waiting=length.waiting,
        waiting_ms=length.duration_ms,
        held=length.held,
        is_paused=controls.paused_at is not None,
        is_muted=controls.muted_at is not None,
    )


_SAME = ("alert_id", "donation_id", "kind", "message", "amount_minor", "currency", "donations", "duration_ms")


@blueprint.post("/queue/<uuid:alert_id>/skip")
@needs(Scope.ALERTS_CONTROL)
@examples(path={"alert_id": ALERT_ID}, response=_press("skip", alert=_SUBJECT))
@validate_response(Press)
async def skip(alert_id: UUID) -> Press:
    """End this very alert, or take it off the queue

    By its own id, so that a late call never hits the next one. `already` names who skipped it before; `nothing`: it was
    shown to its end or dropped. What is held is decided on at `/moderation/held`. Money is not touched.
    """
    streamer = await callers_streamer()
    async with writing() as connection:
        if await control.find_subject(connection, streamer.id, alert_id) is None:
            raise Refused(404, "There is no such alert")
        pressed = await control.skip(connection, streamer.id, presser(streamer), alert_id)
    return await _told(streamer, pressed, ALERTS)


@blueprint.post("/queue/skip")
@needs(Scope.ALERTS_CONTROL)
@examples(response=_press("skip", alert=_SUBJECT))
@validate_response(Press)
async def skip_playing() -> Press:
    """End what plays now

    For a button that cannot know the id. Within a second and a half of another skip it does nothing and says `already`:
    two presses at once mean the same alert.
    """
    streamer = await callers_streamer()
    async with writing() as connection:
        pressed = await control.skip_playing(connection, streamer.id, presser(streamer))
    return await _told(streamer, pressed, ALERTS)


@blueprint.post("/queue/pause")
@needs(Scope.ALERTS_CONTROL)
@examples(response=_press("pause", alerts=2))
@validate_response(Press)
async def pause() -> Press:
    """Hold the queue back

    What plays finishes. `alerts` is how many wait.
    """
    return await _set_paused(True)


@blueprint.post("/queue/resume")
@needs(Scope.ALERTS_CONTROL)
@examples(response=_press("resume", alerts=2))
@validate_response(Press)
async def resume() -> Press:
    """Let the queue go on"""
    return await _set_paused(False)


@blueprint.post("/queue/mute")
@needs(Scope.ALERTS_CONTROL)
@examples(response=_press("mute"))
@validate_response(Press)
async def mute() -> Press:
    """Let alerts play without sound

    At once, what plays now too.
    """
    return await _set_muted(True)


@blueprint.post("/queue/unmute")
@needs(Scope.ALERTS_CONTROL)
@examples(response=_press("unmute"))
@validate_response(Press)
async def unmute() -> Press:
    """Let alerts play with sound again"""
    return await _set_muted(False)


@blueprint.post("/queue/clear")
@needs(Scope.ALERTS_CONTROL)
@examples(response=_press("clear", alerts=5))
@validate_response(Press)
async def clear() -> Press:
    """Drop all that waits

    Money, what plays and what is held stay as they are. For five seconds it can be taken back by the answer's `act_id`.
    """
    streamer = await callers_streamer()
    async with writing() as connection:
        pressed = await control.clear_queue(connection, streamer.id, presser(streamer))
    return await _told(streamer, pressed, CONTROLS)


@blueprint.post("/queue/undo-clear")
@needs(Scope.ALERTS_CONTROL)
@validate_request(Undo)
@examples(request={"act_id": ACT_ID}, response=_press("undo_clear", alerts=5))
@validate_response(Press)
async def undo_clear(data: Undo) -> Press:
    """Put back what was cleared

    Each at its place. `nothing`: it is too late, or was taken back before.
    """
    streamer = await callers_streamer()
    async with writing() as connection:
        pressed = await control.undo_clear(connection, streamer.id, presser(streamer), data.act_id)
    return await _told(streamer, pressed, CONTROLS)


@blueprint.post("/queue/missed")
@needs(Scope.ALERTS_CONTROL)
@validate_request(Missed)
@examples(request={"answer": "summary"}, response=_press("missed_summary", alerts=4))
@validate_response(Press)
async def answer_missed(data: Missed) -> Press:
    """Say what becomes of what was missed

    After a long absence of the overlay nothing plays until somebody has said so; `/controls` tells whether that is
    asked. `nothing`: nobody asks (any more).
    """
    streamer = await callers_streamer()
    async with writing() as connection:
        pressed = await control.answer_missed(connection, streamer.id, presser(streamer), data.answer)
    return await _told(streamer, pressed, CONTROLS)


@blueprint.post("/replays")
@needs(Scope.ALERTS_CONTROL)
@validate_request(Replay)
@examples(request={"donation_id": 17}, response=_press("replay", alert={**_SUBJECT, "kind": "replay"}))
@validate_response(Press)
async def replay(data: Replay) -> Press:
    """Show a donation once more

    The one named, or what was shown last. No total changes. `already`: a repeat of it waits or plays; `nothing`: it may
    not be shown, for it is not paid or its money went back.
    """
    streamer = await callers_streamer()
    by = presser(streamer)
    async with writing() as connection:
        if data.donation_id is None:
            pressed = await control.replay_last(connection, streamer.id, by)
        else:
            pressed = await control.replay(connection, streamer.id, by, data.donation_id)
    return await _told(streamer, pressed, ALERTS)


async def _set_paused(wanted: bool) -> Press:
    streamer = await callers_streamer()
    async with writing() as connection:
        pressed = await control.pause(connection, streamer.id, presser(streamer), wanted)
    return await _told(streamer, pressed, CONTROLS)


async def _set_muted(wanted: bool) -> Press:
    streamer = await callers_streamer()
    async with writing() as connection:
        pressed = await control.mute(connection, streamer.id, presser(streamer), wanted)
    return await _told(streamer, pressed, CONTROLS)


async def _told(streamer: Streamer, pressed: Pressed, topics: frozenset[Topic]) -> Press:
    if pressed.outcome is Outcome.DONE:
        await tell(streamer, topics)
    subject, before = pressed.subject, pressed.before
    return Press(
        action=pressed.action,
        outcome=pressed.outcome,
        alert=None
        if subject is None
        else Subject(
            kind=AlertKind(subject.kind),
            name=subject.donor_name,
            amount_minor=subject.amount_minor,
            donations=subject.donations,
        ),
        alerts=pressed.alerts,
        before=None if before is None else By(kind=before.kind, name=before.name),
        act_id=pressed.act_id,
    )
