"""Asking the bank about payments; the times come from `payments.next_check_at` (DESIGN 9)."""

import dataclasses
import logging

from domain import payments, terminals
from domain.news import Applied, News, Outcome, Source, apply_news
from domain.payment_status import NewsStatus
from domain.payments import Payment
from infra import queries
from providers.outcomes import ProviderError, ProviderPermanentError
from providers.provider import PaymentState
from tasks.payments import money_first, news_from
from tasks.runtime import Account, Parts

log = logging.getLogger(__name__)

_ASKED_AGAIN = 3
# Longer than the actor's time limit: a claim is given back by who holds it, or has died with its worker.
_ASKING_SECONDS = 65.0
_TOLD_IDS = 5
# Answers after which a link dead for 65 minutes brings no money any more; silence is none of them.
_UNPAID = frozenset({NewsStatus.PENDING, NewsStatus.FAILED, NewsStatus.UNKNOWN})


async def check_payment(parts: Parts, payment_id: int) -> None:
    """Ask the provider for a payment's state and apply the answer, unless news came while we asked: then ask again.

    Nobody asks about one payment twice at a time: who comes second leaves it to the first.
    """
    async with parts.pool.acquire() as connection:
        if await queries.payments.claim_asking(connection, payment_id=payment_id, seconds=_ASKING_SECONDS) is None:
            return
    try:
        await _check(parts, payment_id)
    finally:
        async with parts.pool.acquire() as connection:
            await queries.payments.end_asking(connection, payment_id=payment_id)


async def _check(parts: Parts, payment_id: int) -> None:
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
            await _note_health(parts, terminal.provider, error)
            return
        await _note_health(parts, terminal.provider, None)
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


async def _note_health(parts: Parts, provider: str, error: ProviderError | None) -> None:
    """A provider that does not answer is asked ever less, until it does. A refusal is an answer."""
    async with parts.pool.acquire() as connection:
        if error is None or isinstance(error, ProviderPermanentError):
            await queries.terminals.note_answer(connection, provider=provider)
        else:
            await queries.terminals.note_failure(
                connection, provider=provider, error=str(error)[:200], failures_to_rest=payments.FAILURES_TO_REST
            )


async def _ask(parts: Parts, payment: Payment, terminal: terminals.Terminal) -> PaymentState | None:
    account = parts.account(terminal)
    if payment.provider_payment_id is not None:
        return await account.provider.get_state(account.credentials, payment.provider_payment_id)
    # The provider's id is not written yet, or never was: the order is what we can ask about, or what somebody said.
    states = list(await account.provider.list_order(account.credentials, payment.order_id))
    if not states:
        states = await _ask_about_told_ids(parts, payment, account)
    return next((state for state in money_first(states) if state.status is not NewsStatus.CANCELLED), None)


async def _ask_about_told_ids(parts: Parts, payment: Payment, account: Account) -> list[PaymentState]:
    """Unsigned notifications named payments for our order: those that the provider itself says are of this order."""
    async with parts.pool.acquire() as connection:
        told = [row async for row in queries.payments.list_told_ids(connection, payment_id=payment.id)]
    states = []
    for row in told[:_TOLD_IDS]:
        try:
            state = await account.provider.get_state(account.credentials, row["provider_payment_id"])
        except ProviderPermanentError as error:
            log.warning("payment %d: a notification named a payment that is not there: %s", payment.id, error)
            continue
        if state.order_id == payment.order_id:
            states.append(state)
    return states


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
