"""Asking the bank about payments; the times come from `payments.next_check_at` (DESIGN 9)."""

import dataclasses
import logging

from domain import payments, terminals
from domain.news import Applied, News, Outcome, Source, apply_news
from domain.payment_status import NewsStatus
from domain.payments import Payment
from infra import queries
from providers.outcomes import ProviderError
from providers.tbank.client import PaymentState
from tasks.payments import money_first, news_from
from tasks.runtime import Parts

log = logging.getLogger(__name__)

_ASKED_AGAIN = 3
# Answers after which a link dead for 65 minutes brings no money any more; silence is none of them.
_UNPAID = frozenset({NewsStatus.PENDING, NewsStatus.FAILED, NewsStatus.UNKNOWN})


async def check_payment(parts: Parts, payment_id: int) -> None:
    """Ask the bank for a payment's state and apply the answer, unless news came while we asked: then ask again."""
    for _ in range(_ASKED_AGAIN):
        async with parts.pool.acquire() as connection:
            payment = await payments.get_payment(connection, payment_id)
            if payment is None:
                return
            terminal = await terminals.get_terminal(connection, payment.terminal_id)
        try:
            state = await _ask(parts, payment, terminal)
        except ProviderError as error:
            log.warning("payment %d could not be checked: %s", payment_id, error)
            return
        if state is None:
            return
        applied = await _apply(parts, payment, state)
        if applied.outcome is Outcome.UNRESOLVED:
            log.error(
                "payment %d: the bank says %s and not how much went back; the books are as before, see its cabinet",
                payment_id, state.provider_status,
            )  # fmt: skip
        if applied.outcome is not Outcome.STALE:
            await parts.after_commit([applied.wake])
            return


async def _ask(parts: Parts, payment: Payment, terminal: terminals.Terminal) -> PaymentState | None:
    credentials = parts.credentials(terminal)
    if payment.provider_payment_id is not None:
        return await parts.tbank.get_state(credentials, payment.provider_payment_id)
    # The bank's id is not written yet, or never was: the order is all we can ask about.
    states = money_first(await parts.tbank.check_order(credentials, payment.order_id))
    return next((state for state in states if state.status is not NewsStatus.CANCELLED), None)


async def _apply(parts: Parts, payment: Payment, state: PaymentState) -> Applied:
    async with parts.pool.acquire() as connection, connection.transaction():
        applied = await apply_news(connection, payment.id, news_from(state), expected_version=payment.version)
        if applied.outcome is Outcome.STALE or state.status not in _UNPAID:
            return applied
        if not await queries.payments.is_past_due(connection, payment_id=payment.id):
            return applied
        expired = News(
            source=Source.OWN,
            status=NewsStatus.EXPIRED,
            provider_status=state.provider_status,
            note="unpaid 65 minutes after the link's end",
        )
        closed = await apply_news(connection, payment.id, expired)
        return dataclasses.replace(closed, wake=closed.wake or applied.wake)
