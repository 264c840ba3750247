"""Acting on providers' notifications that the web program stored."""

import logging
from typing import Any

from domain import inbox, outbox
from domain.asides import AsideFailedError, without_savepoints
from domain.events import Actor, Wake
from domain.inbox import StoredNotification
from domain.news import Applied, News, Outcome, Source, apply_news
from infra import queries
from providers.provider import MalformedNotification
from tasks.runtime import Parts

log = logging.getLogger(__name__)


async def apply_notification(parts: Parts, inbox_id: int) -> None:
    """Apply a stored notification to the payment it speaks of, in one transaction. A repeat changes nothing.

    Without savepoints first: they cost eight round trips, and hardly ever serve (docs/decisions/0052).
    """
    try:
        with without_savepoints():
            wake = await _apply(parts, inbox_id)
    except AsideFailedError as error:
        log.warning("notification %d is applied anew, with savepoints: %s failed", inbox_id, error)
        wake = await _apply(parts, inbox_id)
    await parts.after_commit([wake])


async def _apply(parts: Parts, inbox_id: int) -> Wake | None:
    async with parts.pool.acquire() as connection, connection.transaction():
        stored = await inbox.lock_unprocessed(connection, inbox_id)
        if stored is None:
            return None
        if not parts.providers[stored.provider].signs_notifications:
            await _ask(connection, stored)
            return None
        applied = await _apply_signed(parts, connection, stored)
    return None if applied is None else applied.wake


async def _ask(connection: Any, stored: StoredNotification) -> None:
    """Nobody vouches for an unsigned notification: it makes us ask, and nothing else."""
    assert stored.payment_id is not None, "one that names no payment of ours is not kept"
    await outbox.add_task(connection, Actor.CHECK_PAYMENT, stored.payment_id)
    await queries.payments.check_soon(connection, payment_id=stored.payment_id, delay_seconds=30.0)
    await inbox.finish(connection, stored.id, Outcome.ASKED, stored.payment_id)


async def _apply_signed(parts: Parts, connection: Any, stored: StoredNotification) -> Applied | None:
    try:
        notification = parts.providers[stored.provider].parse(stored.body)
    except MalformedNotification as error:
        # Signed, so the provider's: it says something that we do not understand. The payment, if known, is asked about.
        log.error("notification %d is malformed: %s", stored.id, error)
        if stored.payment_id is not None:
            await queries.payments.check_soon(connection, payment_id=stored.payment_id, delay_seconds=0.0)
        await inbox.finish(connection, stored.id, "malformed", stored.payment_id)
        return None
    if not notification.is_about_payment:
        await inbox.finish(connection, stored.id, "not_about_a_payment")
        return None
    if stored.payment_id is None:
        # Kept: perhaps money, of an order that this terminal of ours does not have.
        log.error("notification %d speaks of an order we do not know", stored.id)
        await inbox.finish(connection, stored.id, "unknown_order")
        return None
    applied = await apply_news(
        connection,
        stored.payment_id,
        News(
            source=Source.NOTIFICATION,
            status=notification.status,
            provider_status=notification.provider_status,
            provider_payment_id=notification.provider_payment_id,
            amount_minor=notification.amount_minor,
            error_code=notification.error_code,
            error_message=notification.error_message,
            error_reason=notification.reason or "",
            method=notification.method,
            payer=notification.payer,
            raw=stored.body,
            inbox_id=stored.id,
        ),
    )
    await inbox.finish(connection, stored.id, applied.outcome, applied.payment.id)
    if applied.outcome in (Outcome.ASKED, Outcome.OTHER_PAYMENT):
        log.warning("notification %d: payment %d, %s", stored.id, applied.payment.id, applied.outcome)
    return applied
