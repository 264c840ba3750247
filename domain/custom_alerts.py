"""Alerts that a streamer's own programs make: a new follower, a won game, whatever she likes (docs/decisions/0046).

They wait, play and are skipped like any other, and count nowhere. Their text passes her rules, for such programs repeat
what viewers write; but nobody is asked to decide about it: what the rules would hold or reject is refused.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from domain.alerts import AlertStatus
from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.moderation import Act, Mode, judge
from domain.moderation_settings import get_lexicon, get_settings
from domain.text import NAME_MAX_LENGTH, clean_message, clean_name
from infra import queries

MESSAGE_MAX_LENGTH = 1000
EXTERNAL_ID_MAX_LENGTH = 100
WAITING_MAX = 20
"""Of one streamer: a program that runs wild keeps no donation waiting for an hour."""

_sql = queries.custom_alerts


@dataclass(frozen=True)
class NewCustom:
    """What the program says: kopecks, 0 for none; `duration_ms` None: as long as the text takes to read."""

    title: str
    message: str
    amount_minor: int = 0
    duration_ms: int | None = None
    image_url: str | None = None
    sound_url: str | None = None
    external_id: str | None = None


@dataclass(frozen=True)
class CustomAlert:
    """With its text as it is shown; `title` None: it has none."""

    alert_id: uuid.UUID
    status: AlertStatus
    title: str | None
    message: str
    amount_minor: int
    duration_ms: int
    image_url: str | None
    sound_url: str | None
    external_id: str | None
    created_at: datetime
    shown_at: datetime | None
    finished_at: datetime | None


async def add(connection: Any, streamer_id: int, new: NewCustom) -> tuple[CustomAlert, bool]:
    """Queue it; True: it is new, False: it was there by its `external_id`, and is as it was.

    Raises InvalidInputError: title "required" | "too_long", message "too_long", either "caught" with `rules`, those of
    the streamer that would hold or reject it; NotAllowedError("too_many_waiting").
    """
    # Of two at once the second sees the first.
    await queries.overlays.lock_speaker(connection, streamer_id=streamer_id)
    if new.external_id is not None:
        row = await _sql.find_custom(connection, streamer_id=streamer_id, alert_id=None, external_id=new.external_id)
        if row is not None:
            return _read(row), False
    if await _sql.count_waiting(connection, streamer_id=streamer_id) >= WAITING_MAX:
        raise NotAllowedError("too_many_waiting", limit=WAITING_MAX)
    title, message = await _judge(connection, streamer_id, _clean(new))
    row = await _sql.insert_custom(
        connection,
        streamer_id=streamer_id,
        title=title,
        message=message,
        amount_minor=new.amount_minor,
        duration_ms=new.duration_ms,
        image_url=new.image_url,
        sound_url=new.sound_url,
        external_id=new.external_id,
    )
    return _read(row), True


async def find(connection: Any, streamer_id: int, alert_id: uuid.UUID) -> CustomAlert:
    """Raises NotFoundError("alert"), also for another streamer's."""
    row = await _sql.find_custom(connection, streamer_id=streamer_id, alert_id=alert_id, external_id=None)
    if row is None:
        raise NotFoundError("alert")
    return _read(row)


def _clean(new: NewCustom) -> NewCustom:
    title, message = clean_name(new.title), clean_message(new.message)
    if not title and not message:
        raise InvalidInputError("title", "required")
    for field, text, limit in (("title", title, NAME_MAX_LENGTH), ("message", message, MESSAGE_MAX_LENGTH)):
        if len(text) > limit:
            raise InvalidInputError(field, "too_long", limit=limit, over=len(text) - limit)
    return replace(new, title=title, message=message)


async def _judge(connection: Any, streamer_id: int, new: NewCustom) -> tuple[str | None, str]:
    """The text as it may be shown."""
    settings = await get_settings(connection, streamer_id)
    if settings.mode is Mode.APPROVE:
        # Who approves all of the donors' words trusts the programs that she gave a key, within her rules.
        settings = replace(settings, mode=Mode.FILTER)
    verdict = judge(new.title or None, new.message, settings, await get_lexicon(connection, streamer_id))
    caught = [match for match in verdict.matches if match.act in (Act.HOLD, Act.REJECT)]
    if caught:
        field = "title" if caught[0].part == "name" else "message"
        raise InvalidInputError(field, "caught", rules=sorted({match.rule.value for match in caught}))
    if not verdict.public_name and not verdict.public_message:
        raise InvalidInputError("title", "caught", rules=sorted({match.rule.value for match in verdict.matches}))
    return verdict.public_name, verdict.public_message


def _read(row: Any) -> CustomAlert:
    return CustomAlert(**{**row, "status": AlertStatus(row["status"])})
