"""How far a press has got, what may still be taken back, and what somebody is asked: for whoever shows the controls."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from domain.alerts import AlertStatus
from domain.control import (
    FORGOTTEN_PAUSE_SECONDS,
    UNDO_SECONDS,
    Action,
    LastAct,
    Outcome,
    Pressed,
    get_last_act,
)
from domain.overlays import Controls
from domain.streamers import Streamer
from web.control_words import call, line
from web.i18n import _

SHOWN_SECONDS = 20
"""How long the newest press is spoken of."""
ANSWER_MS = 2_000
"""An overlay that has not confirmed a press by then does not answer."""


@dataclass(frozen=True)
class Press:
    """`state`: "sent" to the overlay; "done"; "away": the overlay has not answered; "note": nothing was to be done."""

    state: str
    text: str


@dataclass(frozen=True)
class Undo:
    act_id: uuid.UUID
    alerts: int
    left_ms: int


@dataclass(frozen=True)
class Answers:
    """`again_ms`: when this will look different although nothing changes, so that the page asks again then."""

    press: Press | None
    undo: Undo | None
    pause_minutes: int | None
    """So long a pause that somebody may have forgotten it; None: it is short, or was said to be meant."""
    again_ms: int | None


async def read_answers(
    connection: Any, streamer: Streamer, controls: Controls, *, shows_amounts: bool = True
) -> Answers:
    act = await get_last_act(connection, streamer.id, seconds=SHOWN_SECONDS)
    press = None if act is None else press_of(act, controls, shows_amounts=shows_amounts)
    undo = None if act is None else undo_of(act)
    moments = [] if act is None else [SHOWN_SECONDS * 1000 - act.age_ms]
    if act is not None and press is not None and press.state == "sent":
        moments.append(ANSWER_MS - act.age_ms)
    if undo is not None:
        moments.append(undo.left_ms)
    pause_minutes, pause_ms = _forgotten_pause(controls)
    if pause_ms is not None:
        moments.append(pause_ms)
    return Answers(press, undo, pause_minutes, max(min(moments), 0) + 50 if moments else None)


def press_of(act: LastAct, controls: Controls, *, shows_amounts: bool = True) -> Press:
    """What the page says of the newest press: the overlay's word counts, where there has to be one."""
    alert = call(act.subject, shows_amounts=shows_amounts)
    done = Press("done", line(Pressed(act.action, Outcome.DONE, act.subject, act.alerts), shows_amounts=shows_amounts))
    match act.action:
        case Action.SKIP:
            confirmed = act.off_screen
        case Action.MUTE | Action.UNMUTE:
            confirmed = controls.speaker_muted is (act.action is Action.MUTE)
        case Action.TEST | Action.REPLAY:
            if act.status is AlertStatus.QUEUED and (act.has_to_wait or _is_held_back(controls)):
                return Press("done", _("In the queue: %(alert)s", alert=alert))
            if act.status is AlertStatus.PLAYING and act.started:
                return Press("done", _("On screen: %(alert)s", alert=alert))
            confirmed = act.status not in (AlertStatus.QUEUED, AlertStatus.PLAYING)
        case _:
            confirmed = True
    if confirmed:
        return done
    if act.age_ms < ANSWER_MS:
        return Press("sent", _("Sent"))
    return Press("away", _("OBS does not answer. It will be done as soon as it is back."))


def undo_of(act: LastAct) -> Undo | None:
    left_ms = UNDO_SECONDS * 1000 - act.age_ms
    if act.action is not Action.CLEAR or act.undone or left_ms <= 0:
        return None
    return Undo(act.act_id, act.alerts, left_ms)


def _is_held_back(controls: Controls) -> bool:
    """By somebody's wish; that no overlay is there is another matter."""
    return controls.paused_at is not None or controls.resume_in_ms is not None or controls.is_asking


def _forgotten_pause(controls: Controls) -> tuple[int | None, int | None]:
    """For how many minutes the pause has lasted, if that is to be asked about, else in how many ms it will be."""
    if controls.paused_at is None:
        return None, None
    now = datetime.now(UTC)
    asked_since = max(controls.paused_at, controls.pause_kept_at or controls.paused_at)
    left_seconds = FORGOTTEN_PAUSE_SECONDS - (now - asked_since).total_seconds()
    if left_seconds > 0:
        return None, int(left_seconds * 1000)
    return int((now - controls.paused_at).total_seconds() // 60), None
