"""Showing alerts: one is offered at a time, under a lease, to the overlay that speaks (DESIGN 12).

    pick ──▶ started ──▶ seen ──▶ finished

A lease outlives its alert by ten seconds. One that ends before `seen` puts the alert back in the queue; one
that ends later leaves it shown, and marked interrupted. Words of a former lease still count. Times are the
database's.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import asyncpg

from domain.alert_looks import Look, look_of_row
from domain.alerts import KNOWN_KINDS, AlertKind, AlertStatus, refresh_summary, settle_summary
from infra import queries

LEASE_GRACE_MS = 10_000


class Word(StrEnum):
    """What became of an overlay's word about a lease."""

    COUNTED = "counted"
    LATE = "late"
    """Of a former lease: written down, and counted where it still matters."""
    UNKNOWN = "unknown"
    """This streamer never had such a lease of that alert."""


@dataclass(frozen=True)
class Offer:
    """An alert on its way to an overlay; the amount in kopecks, text as it may leave us."""

    alert_id: uuid.UUID
    lease_id: uuid.UUID
    overlay_id: uuid.UUID
    donation_id: int | None
    kind: AlertKind
    donor_name: str | None
    message: str
    amount_minor: int
    currency: str
    donations: int
    duration_ms: int
    look: Look | None
    """What its level makes of it; None: a goal, which has a celebration of its own."""


@dataclass(frozen=True)
class Playing:
    """The alert that plays. `elapsed_ms` is None until the overlay says that it started."""

    offer: Offer
    elapsed_ms: int | None


@dataclass(frozen=True)
class EndedAlert:
    """An alert that stopped playing, and what it is now."""

    streamer_id: int
    alert_id: uuid.UUID
    donation_id: int | None
    status: AlertStatus


@dataclass(frozen=True)
class Lease:
    alert_id: uuid.UUID
    lease_id: uuid.UUID


@dataclass(frozen=True)
class Seen(Lease):
    """An overlay's memory of an alert it showed long enough, perhaps to its end."""

    finished: bool


@dataclass(frozen=True)
class CaughtUp:
    goes_on: bool
    """The overlay may go on with what it said it plays."""
    ended: list[EndedAlert]


def _offer(row: Any) -> Offer:
    fields = {name: row[name] for name in Offer.__dataclass_fields__ if name != "look"}
    return Offer(**{**fields, "kind": AlertKind(row["kind"]), "look": look_of_row(row)})


async def pick(connection: Any, streamer_id: int, overlay_ids: Sequence[uuid.UUID]) -> Offer | None:
    """Lease the streamer's next alert to whichever of these overlays speaks; None: nothing to play now.

    To be called outside a transaction: another process may win the race, which ends this statement only.
    """
    try:
        row = await queries.showing.pick_alert(
            connection,
            streamer_id=streamer_id,
            overlay_ids=list(overlay_ids),
            kinds=KNOWN_KINDS,
            grace_ms=LEASE_GRACE_MS,
        )
    except asyncpg.UniqueViolationError:
        return None
    return None if row is None else _offer(row)


async def get_playing(connection: Any, streamer_id: int) -> Playing | None:
    row = await queries.showing.get_playing(connection, streamer_id=streamer_id, kinds=KNOWN_KINDS)
    return None if row is None else Playing(_offer(row), row["elapsed_ms"])


async def get_scene(connection: Any, streamer_id: int) -> tuple[uuid.UUID | None, Playing | None]:
    """Which overlay speaks, and what plays."""
    row = await queries.showing.get_scene(connection, streamer_id=streamer_id, kinds=KNOWN_KINDS)
    if row is None:
        return None, None
    playing = None if row["alert_id"] is None else Playing(_offer(row), row["elapsed_ms"])
    return row["speaker_id"], playing


async def mark_started(
    connection: Any, streamer_id: int, overlay_id: uuid.UUID, alert_id: uuid.UUID, lease_id: uuid.UUID
) -> Word:
    """The alert is on the overlay's screen. The first such word renews the lease."""
    return _word(
        await queries.showing.mark_started(
            connection,
            streamer_id=streamer_id,
            overlay_id=overlay_id,
            alert_id=alert_id,
            lease_id=lease_id,
            grace_ms=LEASE_GRACE_MS,
        )
    )


async def mark_seen(
    connection: Any, streamer_id: int, overlay_id: uuid.UUID | None, alert_id: uuid.UUID, lease_id: uuid.UUID
) -> Word:
    """The text was readable long enough: from now on the alert is never played again.

    `overlay_id` None: whichever overlay of this streamer it was.
    """
    return _word(
        await queries.showing.mark_seen(
            connection, streamer_id=streamer_id, overlay_id=overlay_id, alert_id=alert_id, lease_id=lease_id
        )
    )


async def mark_finished(
    connection: Any, streamer_id: int, overlay_id: uuid.UUID | None, alert_id: uuid.UUID, lease_id: uuid.UUID
) -> tuple[Word, list[EndedAlert]]:
    """The alert left the screen by itself; its lease ends: shown if it was seen, else back to the queue."""
    row = await queries.showing.mark_finished(
        connection, streamer_id=streamer_id, overlay_id=overlay_id, alert_id=alert_id, lease_id=lease_id
    )
    if row is None:
        return Word.UNKNOWN, []
    if row["ends"]:
        # Should this process die between the two statements, the lease runs out by itself.
        return Word.COUNTED, await _end_leases(connection, [lease_id], complete=True)
    return _word(row["is_current"]), [] if row["alert_id"] is None else [_ended(row)]


async def mark_stopped(connection: Any, streamer_id: int, overlay_id: uuid.UUID, lease_id: uuid.UUID) -> bool:
    """The overlay took an alert off the screen because it was told to. False: it never had such a lease."""
    return bool(
        await queries.showing.mark_stopped(
            connection, streamer_id=streamer_id, overlay_id=overlay_id, lease_id=lease_id
        )
    )


async def catch_up(
    connection: Any, streamer_id: int, overlay_id: uuid.UUID, *, seen: Sequence[Seen], playing: Lease | None
) -> CaughtUp:
    """An overlay that (re)connects says what it saw lately and what it still plays.

    Steps: lock the donations it is about, before their alerts; write down the late words that are news; let it go on
    with what it plays, if that may be; end what it was offered and knows nothing of, and what was seen by an overlay
    that is gone.
    """
    lease_ids = [word.lease_id for word in seen]
    await queries.showing.lock_donations_of_leases(connection, streamer_id=streamer_id, lease_ids=lease_ids)
    rows = queries.showing.list_news(connection, streamer_id=streamer_id, lease_ids=lease_ids)
    new_ids = {row["lease_id"] async for row in rows}
    news = [word for word in seen if word.lease_id in new_ids]
    ended = []
    for word in news:
        await mark_seen(connection, streamer_id, None, word.alert_id, word.lease_id)
        if word.finished:
            ended += (await mark_finished(connection, streamer_id, None, word.alert_id, word.lease_id))[1]
    goes_on = playing is not None and await resume_lease(
        connection, streamer_id, overlay_id, playing.alert_id, playing.lease_id
    )
    if not goes_on:
        ended += await return_leases(connection, streamer_id, overlay_id)
    left_ids = [word.lease_id for word in news if playing is None or word.lease_id != playing.lease_id]
    rows = queries.showing.list_abandoned_leases(
        connection, streamer_id=streamer_id, overlay_id=overlay_id, lease_ids=left_ids
    )
    ended += await _end_leases(connection, [row["lease_id"] async for row in rows], complete=False)
    return CaughtUp(goes_on, ended)


async def return_leases(
    connection: Any, streamer_id: int, overlay_id: uuid.UUID, *, only_unseen: bool = False
) -> list[EndedAlert]:
    """End what an overlay was playing, because it left, hid, or knows nothing of it.

    `only_unseen`: an alert whose text was readable already may finish.
    """
    rows = queries.showing.list_leases_of_overlay(
        connection, streamer_id=streamer_id, overlay_id=overlay_id, only_unseen=only_unseen
    )
    return await _end_leases(connection, [row["lease_id"] async for row in rows], complete=False)


async def return_expired_leases(connection: Any) -> list[EndedAlert]:
    """End what overlays, of any streamer, fell silent about."""
    rows = queries.showing.list_expired_leases(connection)
    return await _end_leases(connection, [row["lease_id"] async for row in rows], complete=False)


async def resume_lease(
    connection: Any, streamer_id: int, overlay_id: uuid.UUID, alert_id: uuid.UUID, lease_id: uuid.UUID
) -> bool:
    """Whether an overlay that came back may go on with what it plays; if so, the alert is playing again."""
    try:
        async with connection.transaction():
            row = await queries.showing.resume_lease(
                connection,
                streamer_id=streamer_id,
                overlay_id=overlay_id,
                alert_id=alert_id,
                lease_id=lease_id,
                grace_ms=LEASE_GRACE_MS,
            )
    except asyncpg.UniqueViolationError:
        return False
    return row is not None


async def _end_leases(connection: Any, lease_ids: Iterable[uuid.UUID], *, complete: bool) -> list[EndedAlert]:
    lease_ids = list(lease_ids)
    if not lease_ids:
        return []
    ended = []
    rows = [r async for r in queries.showing.end_leases(connection, lease_ids=lease_ids, complete=complete)]
    for row in rows:
        if row["kind"] == AlertKind.SUMMARY:
            await (settle_summary if row["status"] == AlertStatus.SHOWN else refresh_summary)(connection, row["id"])
        ended.append(_ended(row))
    return ended


def _ended(row: Any) -> EndedAlert:
    return EndedAlert(row["streamer_id"], row["alert_id"], row["donation_id"], AlertStatus(row["status"]))


def _word(is_current: bool | None) -> Word:
    if is_current is None:
        return Word.UNKNOWN
    return Word.COUNTED if is_current else Word.LATE
