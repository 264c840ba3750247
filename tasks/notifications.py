"""Acting on providers' notifications that the web program stored."""

import logging

from domain import inbox
from domain.news import News, Outcome, Source, apply_news
from infra import queries
from providers.tbank import notifications
from tasks.runtime import Parts

log = logging.getLogger(__name__)


async def apply_notification(parts: Parts, inbox_id: int) -> None:
    """Apply a stored notification to the payment it speaks of, in one transaction. A repeat changes nothing."""
    async with parts.pool.acquire() as connection, connection.transaction():
        stored = await inbox.lock_unprocessed(connection, inbox_id)
        if stored is None:
            return
        try:
            notification = notifications.parse(stored.body)
        except notifications.MalformedNotification as error:
            # Signed, so the bank's: it says something that we do not understand. The payment, if known, is asked about.
            log.error("notification %d is malformed: %s", inbox_id, error)
            if stored.payment_id is not None:
                await queries.payments.check_soon(connection, payment_id=stored.payment_id, delay_seconds=0.0)
            await inbox.finish(connection, inbox_id, "malformed", stored.payment_id)
            return
        if notification.order_id is None or notification.notification_type is not None:
            await inbox.finish(connection, inbox_id, "not_about_a_payment")
            return
        if stored.payment_id is None:
            # Kept: perhaps money, of an order that this terminal of ours does not have.
            log.error("notification %d speaks of an order we do not know", inbox_id)
            await inbox.finish(connection, inbox_id, "unknown_order")
            return
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
                raw=stored.body,
                inbox_id=inbox_id,
            ),
        )
        await inbox.finish(connection, inbox_id, applied.outcome, stored.payment_id)
    if applied.outcome is Outcome.OTHER_PAYMENT:
        # The bank made two payments of one order, and we know only the other: somebody has to look at this one.
        log.error(
            "notification %d: %s of another payment %s for the order of payment %d",
            inbox_id, notification.provider_status, notification.provider_payment_id, stored.payment_id,
        )  # fmt: skip
    if applied.outcome is Outcome.ASKED:
        log.warning("notification %d: payment %d, %s", inbox_id, stored.payment_id, applied.outcome)
    await parts.after_commit([applied.wake])
