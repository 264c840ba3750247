"""A streamer's webhooks: addresses of hers that are told of donations, alerts and goals (docs/webhooks.md).

    on ──owner, 410 Gone, a day of failures──▶ off ──owner──▶ on

While one is off nothing is written down for it, and what waited is dropped; she can have it sent again. How they are
told is in `webhook_events` (what), `webhook_payloads` (how it looks) and `webhook_deliveries` (when).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.terminals import Box
from domain.text import NAME_MAX_LENGTH, clean_name
from domain.webhook_events import WebhookEvent
from domain.webhook_payloads import kofi_token, new_secret
from domain.webhook_urls import clean_url, host_of
from infra import queries

_sql = queries.webhooks

MAX_WEBHOOKS = 10
"""Of one streamer."""
OVERLAP_HOURS = 24
"""For so long the secret before signs, too."""


class Format(StrEnum):
    STANDARD = "standard"
    KOFI = "kofi"
    """As Ko-fi sends it: donations only."""


class OffReason(StrEnum):
    ON = ""
    OWNER = "owner"
    GONE = "gone"
    """It answered 410 Gone."""
    FAILING = "failing"
    """Nothing arrived for a day."""


@dataclass(frozen=True)
class Webhook:
    id: int
    streamer_id: int
    name: str
    url: str = field(repr=False)
    """May hold a secret of the receiver's."""
    format: Format
    events: tuple[WebhookEvent, ...]
    off_reason: OffReason
    off_at: datetime | None
    delivered_at: datetime | None
    """When something last arrived."""
    failing_since: datetime | None
    former_until: datetime | None
    created_at: datetime
    waiting: int
    next_try_at: datetime | None

    @property
    def is_on(self) -> bool:
        return self.off_reason is OffReason.ON

    @property
    def has_own_name(self) -> bool:
        """Else it is called by its host."""
        return self.name != self.host[:NAME_MAX_LENGTH]

    @property
    def host(self) -> str:
        return host_of(self.url)


@dataclass(frozen=True)
class Fields:
    """What the form says."""

    name: str
    url: str
    format: Format
    events: tuple[WebhookEvent, ...]


def clean_fields(fields: Fields, *, allows_loopback: bool = False) -> Fields:
    """Raises InvalidInputError for "url", "name" or "events"."""
    url = clean_url(fields.url, allows_loopback=allows_loopback)
    # Without a name of its own it is called by where it leads.
    name = clean_name(fields.name) or host_of(url)[:NAME_MAX_LENGTH]
    if len(name) > NAME_MAX_LENGTH:
        raise InvalidInputError("name", "too_long", over=len(name) - NAME_MAX_LENGTH, limit=NAME_MAX_LENGTH)
    events = tuple(event for event in WebhookEvent if event in fields.events)
    if fields.format is Format.KOFI:
        events = (WebhookEvent.DONATION_PAID,)
    if not events:
        raise InvalidInputError("events", "required")
    return Fields(name, url, fields.format, events)


async def create_webhook(
    connection: Any, box: Box, streamer_id: int, fields: Fields, *, allows_loopback: bool = False
) -> int:
    """Its id. Raises InvalidInputError, NotAllowedError("too_many")."""
    clean = clean_fields(fields, allows_loopback=allows_loopback)
    await _sql.lock_streamer(connection, streamer_id=streamer_id)
    if await _sql.count_webhooks(connection, streamer_id=streamer_id) >= MAX_WEBHOOKS:
        raise NotAllowedError("too_many", limit=MAX_WEBHOOKS)
    webhook_id: int = await _sql.insert_webhook(
        connection,
        streamer_id=streamer_id,
        name=clean.name,
        url=clean.url,
        format=clean.format,
        events=list(clean.events),
        secret_encrypted=box.encrypt(new_secret()),
    )
    return webhook_id


async def change_webhook(
    connection: Any, streamer_id: int, webhook_id: int, fields: Fields, *, allows_loopback: bool = False
) -> None:
    """What waits goes to the new address, and is told in the new format. Raises InvalidInputError,
    NotFoundError("webhook")."""
    clean = clean_fields(fields, allows_loopback=allows_loopback)
    _expect_one(
        await _sql.update_webhook(
            connection,
            streamer_id=streamer_id,
            webhook_id=webhook_id,
            name=clean.name,
            url=clean.url,
            format=clean.format,
            events=list(clean.events),
        )
    )


async def list_webhooks(connection: Any, streamer_id: int) -> list[Webhook]:
    """The oldest first."""
    rows = _sql.list_webhooks(connection, streamer_id=streamer_id, webhook_id=None)
    return [_webhook(row) async for row in rows]


async def get_webhook(connection: Any, streamer_id: int, webhook_id: int) -> Webhook:
    """Raises NotFoundError("webhook"), also for another streamer's."""
    rows = _sql.list_webhooks(connection, streamer_id=streamer_id, webhook_id=webhook_id)
    found = [_webhook(row) async for row in rows]
    if not found:
        raise NotFoundError("webhook")
    return found[0]


async def delete_webhook(connection: Any, streamer_id: int, webhook_id: int) -> None:
    """With its log. Raises NotFoundError("webhook")."""
    _expect_one(await _sql.delete_webhook(connection, streamer_id=streamer_id, webhook_id=webhook_id), "DELETE 1")


async def switch_on(connection: Any, streamer_id: int, webhook_id: int) -> bool:
    """False: it is on. What happened meanwhile was not written down."""
    await get_webhook(connection, streamer_id, webhook_id)
    changed = await _sql.switch_on(connection, streamer_id=streamer_id, webhook_id=webhook_id)
    if changed != "UPDATE 1":
        return False
    # What the relay wrote down in the moment in which it was switched off.
    await queries.webhook_deliveries.drop_waiting(connection, webhook_id=webhook_id)
    return True


async def switch_off(connection: Any, streamer_id: int, webhook_id: int, reason: OffReason) -> bool:
    """False: it is off already. What waits is dropped."""
    changed = await _sql.switch_off(connection, streamer_id=streamer_id, webhook_id=webhook_id, reason=reason)
    if changed is None:
        return False
    await queries.webhook_deliveries.drop_waiting(connection, webhook_id=webhook_id)
    return True


async def rotate_secret(connection: Any, box: Box, streamer_id: int, webhook_id: int) -> None:
    """A new secret; for a day the one before signs beside it. Raises NotFoundError("webhook")."""
    _expect_one(
        await _sql.rotate_secret(
            connection,
            streamer_id=streamer_id,
            webhook_id=webhook_id,
            secret_encrypted=box.encrypt(new_secret()),
            hours=OVERLAP_HOURS,
        )
    )


async def reveal_secret(connection: Any, box: Box, webhook: Webhook) -> str:
    """What the receiver checks with: the signing secret, or Ko-fi's token. Raises NotFoundError("webhook"), also when
    no key of ours reads it."""
    row = await _sql.get_secrets(connection, streamer_id=webhook.streamer_id, webhook_id=webhook.id)
    secret = None if row is None else box.try_decrypt(row["secret_encrypted"])
    if secret is None:
        raise NotFoundError("webhook")
    return kofi_token(secret) if webhook.format is Format.KOFI else secret


def signers_of(box: Box, encrypted: Sequence[str | None]) -> list[str]:
    """The secrets that sign, the newest first; empty when no key of ours reads the newest."""
    found = [None if text is None else box.try_decrypt(text) for text in encrypted]
    return [] if not found or found[0] is None else [secret for secret in found if secret is not None]


def _webhook(row: Any) -> Webhook:
    values = dict(row)
    values["format"] = Format(values["format"])
    values["events"] = tuple(event for event in WebhookEvent if event in values["events"])
    values["off_reason"] = OffReason(values["off_reason"])
    return Webhook(**values)


def _expect_one(result: str, wanted: str = "UPDATE 1") -> None:
    if result != wanted:
        raise NotFoundError("webhook")
