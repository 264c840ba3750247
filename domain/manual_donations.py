"""Money a streamer received elsewhere and wrote down: a transfer, cash, another service.

It counts in goals and stands in lists, marked. It is no payment of ours: the ledger, the totals and the self-check know
nothing of it. What is deleted is kept and can be brought back.
"""

import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from domain import alerts, goal_progress
from domain.errors import InvalidInputError, NotFoundError
from domain.text import NAME_MAX_LENGTH, clean_message, clean_name
from infra import queries

MESSAGE_MAX_LENGTH = 1000
SOURCE_MAX_LENGTH = 60
MOST_MINOR = 9_999_999_999
EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class NewManual:
    """What the streamer says: kopecks, and texts made fit to be shown; name None is anonymous."""

    amount_minor: int
    donor_name: str | None
    message: str
    source: str
    received_at: datetime


@dataclass(frozen=True)
class Manual:
    id: int
    public_id: str
    donor_name: str | None
    message: str
    amount_minor: int
    source: str
    received_at: datetime
    created_at: datetime
    deleted_at: datetime | None
    alert_status: str | None
    """Of its newest alert; None: it never had one."""
    shown_at: datetime | None
    interrupted: bool | None


def check(
    *, amount_minor: int, donor_name: str, message: str, source: str, received_at: datetime, now: datetime
) -> NewManual:
    """Raises InvalidInputError: amount "too_small", "too_large"; received_at "future", "too_early"; "too_long"."""
    if amount_minor < 1:
        raise InvalidInputError("amount", "too_small")
    if amount_minor > MOST_MINOR:
        raise InvalidInputError("amount", "too_large", limit=MOST_MINOR)
    texts = {
        "name": (clean_name(donor_name), NAME_MAX_LENGTH),
        "message": (clean_message(message), MESSAGE_MAX_LENGTH),
        "source": (clean_name(source), SOURCE_MAX_LENGTH),
    }
    for field, (text, limit) in texts.items():
        if len(text) > limit:
            raise InvalidInputError(field, "too_long", limit=limit, over=len(text) - limit)
    # Clocks differ by minutes.
    if received_at > now + timedelta(minutes=5):
        raise InvalidInputError("received_at", "future")
    if received_at < EARLIEST:
        raise InvalidInputError("received_at", "too_early")
    name, words, origin = (texts[field][0] for field in ("name", "message", "source"))
    return NewManual(amount_minor, name or None, words, origin, received_at)


async def add(connection: Any, streamer_id: int, new: NewManual, *, user_id: int, form_key: str) -> str | None:
    """Write it down; its public id. None: this very form has done so already."""
    row = await queries.manual_donations.insert_manual(
        connection,
        public_id=secrets.token_urlsafe(16),
        streamer_id=streamer_id,
        created_by=user_id,
        form_key=form_key,
        **_columns(new),
    )
    await goal_progress.settle(connection, streamer_id)
    return None if row is None else str(row["public_id"])


async def find(connection: Any, streamer_id: int, public_id: str) -> Manual:
    """Also a deleted one. Raises NotFoundError("donation"), also for another streamer's."""
    row = await queries.manual_donations.find_manual(connection, streamer_id=streamer_id, public_id=public_id)
    if row is None:
        raise NotFoundError("donation")
    return Manual(**row)


async def change(connection: Any, streamer_id: int, public_id: str, new: NewManual) -> bool:
    """False: it is deleted. What is on screen or waits to be stays as it was."""
    changed = await queries.manual_donations.update_manual(
        connection, streamer_id=streamer_id, public_id=public_id, **_columns(new)
    )
    await goal_progress.settle(connection, streamer_id)
    return changed is not None


async def delete(connection: Any, streamer_id: int, public_id: str) -> bool:
    """Also takes back its alert that waits; one that plays may finish. False: it was deleted already."""
    manual_id = await queries.manual_donations.delete_manual(connection, streamer_id=streamer_id, public_id=public_id)
    if manual_id is None:
        return False
    await alerts.withdraw_manual(connection, manual_id)
    await goal_progress.settle(connection, streamer_id)
    return True


async def restore(connection: Any, streamer_id: int, public_id: str) -> bool:
    """Its alert does not come back with it. False: it was not deleted."""
    restored = await queries.manual_donations.restore_manual(connection, streamer_id=streamer_id, public_id=public_id)
    await goal_progress.settle(connection, streamer_id)
    return restored is not None


async def show(connection: Any, streamer_id: int, public_id: str) -> uuid.UUID | None:
    """Queue an alert of it. None: it is deleted, or one waits or plays already."""
    manual = await queries.manual_donations.lock_manual(connection, streamer_id=streamer_id, public_id=public_id)
    if manual is None:
        return None
    alert_id = await queries.alerts.insert_manual_alert(
        connection,
        streamer_id=streamer_id,
        manual_donation_id=manual["id"],
        donor_name=manual["donor_name"],
        message=manual["message"],
        amount_minor=manual["amount_minor"],
    )
    return None if alert_id is None else uuid.UUID(str(alert_id))


def _columns(new: NewManual) -> dict[str, Any]:
    return {
        "donor_name": new.donor_name,
        "message": new.message,
        "amount_minor": new.amount_minor,
        "source": new.source,
        "received_at": new.received_at,
    }
