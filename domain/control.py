"""The controls of the stream: what each press does, who pressed, and what a second press of the same finds.

A press is one transaction; of two at once the second waits for the first (they lock the streamer's row of `speakers`,
or the alert itself) and is told that it was done. What changed is written to `alert_actions` with whoever did it.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain import alerts, missed, overlays
from domain.alerts import AlertKind, AlertStatus
from domain.errors import NotFoundError
from domain.pressers import Presser, PresserKind
from infra import queries

UNDO_SECONDS = 5
UNDO_GRACE_SECONDS = 2
"""For the way of the press that takes it back."""
SKIP_GUARD_SECONDS = 1.5
"""A press of "skip whatever plays" so soon after another skip was meant for the alert that is gone."""
FORGOTTEN_PAUSE_SECONDS = 600
"""After so long a pause somebody is asked whether it is meant."""


class Action(StrEnum):
    SKIP = "skip"
    PAUSE = "pause"
    RESUME = "resume"
    MUTE = "mute"
    UNMUTE = "unmute"
    REPLAY = "replay"
    TEST = "test"
    CLEAR = "clear"
    UNDO_CLEAR = "undo_clear"
    MISSED_PLAY = "missed_play"
    MISSED_SUMMARY = "missed_summary"
    MISSED_DROP = "missed_drop"
    MISSED_LATER = "missed_later"


@dataclass(frozen=True)
class Subject:
    """What a line about an alert calls it by; the amount in kopecks."""

    kind: AlertKind
    donor_name: str | None
    amount_minor: int
    donations: int


class Outcome(StrEnum):
    DONE = "done"
    ALREADY = "already"
    """It was so before, or somebody did it a moment ago (`before`, where that is known)."""
    NOTHING = "nothing"
    """There is nothing that this could be done to."""


@dataclass(frozen=True)
class Pressed:
    """What became of a press. `alerts`: how many it was about, where that may be more than one."""

    action: Action
    outcome: Outcome
    subject: Subject | None = None
    alerts: int = 0
    before: Presser | None = None
    act_id: uuid.UUID | None = None


# The controls.


async def skip(connection: Any, streamer_id: int, by: Presser, alert_id: uuid.UUID) -> Pressed:
    """End this very alert, so that a late press never hits the next one."""
    skipped = await alerts.skip(connection, streamer_id, alert_id)
    if skipped is None:
        row = await queries.control.find_skip(connection, streamer_id=streamer_id, alert_id=alert_id)
        if row is None:
            return Pressed(Action.SKIP, Outcome.NOTHING)
        return await _skipped_before(connection, streamer_id, alert_id, row)
    pressed = Pressed(Action.SKIP, Outcome.DONE, await _subject(connection, streamer_id, alert_id))
    return await _log(connection, streamer_id, by, pressed, alert_id=alert_id, lease_id=skipped.lease_id)


async def skip_playing(connection: Any, streamer_id: int, by: Presser) -> Pressed:
    """End what plays now; for who cannot say which alert is meant.

    What began right after another skip is not hit: two presses at once mean the same alert.
    """
    await queries.overlays.lock_speaker(connection, streamer_id=streamer_id)
    recent = await queries.control.find_recent_skip(
        connection, streamer_id=streamer_id, guard_seconds=SKIP_GUARD_SECONDS
    )
    if recent is not None:
        return await _skipped_before(connection, streamer_id, recent["alert_id"], recent)
    alert_id = await queries.control.find_playing(connection, streamer_id=streamer_id)
    if alert_id is None:
        return Pressed(Action.SKIP, Outcome.NOTHING)
    return await skip(connection, streamer_id, by, alert_id)


async def pause(connection: Any, streamer_id: int, by: Presser, wanted: bool | None) -> Pressed:
    """Hold the queue back or let it go on; None: the other way round. `alerts` is how many wait."""
    await queries.overlays.lock_speaker(connection, streamer_id=streamer_id)
    if wanted is None:
        wanted = (await overlays.get_controls(connection, streamer_id)).paused_at is None
    changed = await overlays.set_paused(connection, streamer_id, wanted)
    waiting = (await alerts.measure_queue(connection, streamer_id)).waiting
    action = Action.PAUSE if wanted else Action.RESUME
    return await _switched(connection, streamer_id, by, Pressed(action, _outcome(changed), alerts=waiting))


async def mute(connection: Any, streamer_id: int, by: Presser, wanted: bool | None) -> Pressed:
    """Alerts without sound, or with it; None: the other way round."""
    await queries.overlays.lock_speaker(connection, streamer_id=streamer_id)
    if wanted is None:
        wanted = not await overlays.is_muted(connection, streamer_id)
    changed = await overlays.set_muted(connection, streamer_id, wanted)
    return await _switched(
        connection, streamer_id, by, Pressed(Action.MUTE if wanted else Action.UNMUTE, _outcome(changed))
    )


async def replay(connection: Any, streamer_id: int, by: Presser, donation_id: int) -> Pressed:
    """Show this very donation once more; no total changes. NOTHING: it may not be shown.

    Raises NotFoundError("donation"), also for another streamer's.
    """
    if await queries.alerts.get_replayed_donation(connection, streamer_id=streamer_id, donation_id=donation_id) is None:
        raise NotFoundError("donation")
    alert_id = await alerts.replay(connection, streamer_id, donation_id)
    if alert_id is None:
        waits = await queries.control.has_replay(connection, donation_id=donation_id)
        return Pressed(Action.REPLAY, Outcome.ALREADY if waits else Outcome.NOTHING)
    pressed = Pressed(Action.REPLAY, Outcome.DONE, await _subject(connection, streamer_id, alert_id))
    return await _log(connection, streamer_id, by, pressed, alert_id=alert_id)


async def replay_last(connection: Any, streamer_id: int, by: Presser) -> Pressed:
    """Show once more what was shown last, of what may be; no total changes."""
    donation_id = await queries.control.find_last_shown(connection, streamer_id=streamer_id)
    if donation_id is None:
        return Pressed(Action.REPLAY, Outcome.NOTHING)
    alert_id = await alerts.replay(connection, streamer_id, donation_id)
    if alert_id is None:
        # It waits or plays already; or it was refunded this very moment, and nothing is to be shown either.
        return Pressed(Action.REPLAY, Outcome.ALREADY)
    pressed = Pressed(Action.REPLAY, Outcome.DONE, await _subject(connection, streamer_id, alert_id))
    return await _log(connection, streamer_id, by, pressed, alert_id=alert_id)


async def test(
    connection: Any, streamer_id: int, by: Presser, *, amount_minor: int, donor_name: str, message: str
) -> Pressed:
    """An alert that counts nowhere."""
    alert_id = await alerts.enqueue_test(connection, streamer_id, amount_minor, donor_name, message)
    pressed = Pressed(Action.TEST, Outcome.DONE, await _subject(connection, streamer_id, alert_id))
    return await _log(connection, streamer_id, by, pressed, alert_id=alert_id)


async def clear_queue(connection: Any, streamer_id: int, by: Presser) -> Pressed:
    """Drop all that waits, by one act; money, what plays and what a moderator has to look at stay as they are."""
    await queries.overlays.lock_speaker(connection, streamer_id=streamer_id)
    act_id = uuid.uuid4()
    rows = [r async for r in queries.control.clear_queue(connection, streamer_id=streamer_id, act_id=act_id)]
    count = sum(row["summary_id"] is None for row in rows)
    if count == 0:
        return Pressed(Action.CLEAR, Outcome.NOTHING)
    return await _log(connection, streamer_id, by, Pressed(Action.CLEAR, Outcome.DONE, alerts=count, act_id=act_id))


async def undo_clear(connection: Any, streamer_id: int, by: Presser, act_id: uuid.UUID) -> Pressed:
    """Put back, each at its place, what an act cleared; NOTHING: too late, or done already.

    What was refunded meanwhile stays dropped; a summary then says what is left of it.
    """
    await queries.overlays.lock_speaker(connection, streamer_id=streamer_id)
    undone = await queries.control.mark_undone(
        connection,
        streamer_id=streamer_id,
        act_id=act_id,
        undo_seconds=float(UNDO_SECONDS + UNDO_GRACE_SECONDS),
    )
    if undone is None:
        return Pressed(Action.UNDO_CLEAR, Outcome.NOTHING)
    rows = [r async for r in queries.control.put_back(connection, streamer_id=streamer_id, act_id=act_id)]
    for row in rows:
        if row["kind"] == AlertKind.SUMMARY:
            await alerts.refresh_summary(connection, row["id"])
    count = sum(row["summary_id"] is None for row in rows)
    return await _log(connection, streamer_id, by, Pressed(Action.UNDO_CLEAR, Outcome.DONE, alerts=count))


async def answer_missed(connection: Any, streamer_id: int, by: Presser, answer: missed.Answer) -> Pressed:
    """What to do with the alerts of a long absence. NOTHING: nobody was asking any more."""
    action = Action(f"missed_{answer}")
    asked = await missed.get_missed(connection, streamer_id)
    if not await missed.answer_missed(connection, streamer_id, answer):
        return Pressed(action, Outcome.NOTHING)
    return await _log(connection, streamer_id, by, Pressed(action, Outcome.DONE, alerts=asked.alerts if asked else 0))


async def find_subject(connection: Any, streamer_id: int, alert_id: uuid.UUID) -> Subject | None:
    """None: this streamer never had such an alert."""
    row = await queries.control.get_subject(connection, streamer_id=streamer_id, alert_id=alert_id)
    return None if row is None else _read_subject(row)


# What was pressed.


@dataclass(frozen=True)
class Act:
    """One press that did something."""

    action: Action
    by: Presser
    alerts: int
    undone: bool
    subject: Subject | None


@dataclass(frozen=True)
class LastAct(Act):
    """The newest press, and how far it has got.

    `off_screen`: the alert it skipped has left the screen, as the overlay says. `status`, `started`, `has_to_wait`: of
    the alert it queued; the last: others play before it.
    """

    act_id: uuid.UUID
    age_ms: int
    status: AlertStatus | None
    started: bool
    off_screen: bool
    has_to_wait: bool


@dataclass(frozen=True)
class PastAct(Act):
    created_at: datetime


async def get_last_act(connection: Any, streamer_id: int, *, seconds: float) -> LastAct | None:
    """The newest act, unless it is older than so many seconds."""
    row = await queries.control.get_last_act(connection, streamer_id=streamer_id, seconds=float(seconds))
    if row is None:
        return None
    return LastAct(
        **_act(row),
        act_id=row["act_id"],
        age_ms=row["age_ms"],
        status=None if row["status"] is None else AlertStatus(row["status"]),
        started=row["started"],
        off_screen=row["off_screen"],
        has_to_wait=row["has_to_wait"],
    )


async def list_acts(connection: Any, streamer_id: int, *, limit: int) -> list[PastAct]:
    """Who did what, the newest first."""
    rows = queries.control.list_acts(connection, streamer_id=streamer_id, limit=limit)
    return [PastAct(**_act(row), created_at=row["created_at"]) async for row in rows]


def _act(row: Any) -> dict[str, Any]:
    return {
        "action": Action(row["action"]),
        "by": _presser(row),
        "alerts": row["alerts"],
        "undone": row["undone"],
        "subject": None if row["kind"] is None else _read_subject(row),
    }


def _presser(row: Any) -> Presser:
    return Presser(PresserKind(row["actor_kind"]), row["actor_id"], row["actor_name"])


def _read_subject(row: Any) -> Subject:
    return Subject(AlertKind(row["kind"]), row["donor_name"], row["amount_minor"], row["donations"])


async def _subject(connection: Any, streamer_id: int, alert_id: uuid.UUID) -> Subject:
    return _read_subject(await queries.control.get_subject(connection, streamer_id=streamer_id, alert_id=alert_id))


async def _skipped_before(connection: Any, streamer_id: int, alert_id: uuid.UUID, row: Any) -> Pressed:
    subject = await _subject(connection, streamer_id, alert_id)
    return Pressed(Action.SKIP, Outcome.ALREADY, subject, before=_presser(row))


def _outcome(changed: bool) -> Outcome:
    return Outcome.DONE if changed else Outcome.ALREADY


async def _switched(connection: Any, streamer_id: int, by: Presser, pressed: Pressed) -> Pressed:
    """A switch that was so already is nobody's act."""
    return pressed if pressed.outcome is Outcome.ALREADY else await _log(connection, streamer_id, by, pressed)


async def _log(
    connection: Any,
    streamer_id: int,
    by: Presser,
    pressed: Pressed,
    *,
    alert_id: uuid.UUID | None = None,
    lease_id: uuid.UUID | None = None,
) -> Pressed:
    act_id = await queries.control.insert_act(
        connection,
        act_id=pressed.act_id,
        streamer_id=streamer_id,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_name=by.name,
        action=pressed.action,
        alert_id=alert_id,
        lease_id=lease_id,
        alerts=pressed.alerts,
    )
    return replace(pressed, act_id=act_id)
