"""Giving money back at the provider: asked for once, and known to have happened or not (domain/refunds.py)."""

import logging
from datetime import UTC, datetime, timedelta

from domain import payments, refunds, terminals
from domain.events import Topic, Wake
from domain.ledger import sum_refunds
from domain.news import apply_news
from domain.payment_status import NewsStatus
from domain.payments import Payment
from domain.refunds import Refund, RefundStatus
from infra import queries
from providers.outcomes import ProviderError, ProviderPermanentError, ProviderTemporaryError, RefusalReason
from providers.provider import PaymentState, Receipt, RefundAnswer
from providers.provider import Refund as RefundCall
from providers.provider import RefundStatus as Answered
from tasks.payments import news_from, receipt_of
from tasks.runtime import Account, Parts

log = logging.getLogger(__name__)

# Banks take one attempt an hour and a few a day (`contracts/tbank-protocol.md` 4): we try for a day and a half.
_LATER_SECONDS = 3700.0
_LATER_FOR = timedelta(hours=36)
_AWAY_SECONDS = (5.0, 15.0, 60.0, 300.0)
_PENDING_SECONDS = (5.0, 30.0, 120.0, 600.0)
# After a lost answer: what knows our key may be asked again with it; for anything else the payment's state gets the
# time to show whether money is on its way. So long, too, a refusal without a reason is not believed: a bank's answers
# may be older than its doings, and refused in error it would be given back twice.
_DOUBT_SECONDS = 30.0
_SHOWS_AFTER_SECONDS = 600.0

_TAKEN = (NewsStatus.CONFIRMED, NewsStatus.PARTIALLY_REFUNDED)


async def make_refund(parts: Parts, refund_id: int) -> None:
    """Ask the provider for a refund, or find out what became of one that was asked for.

    Steps: hold it; hear what the provider says of the payment now; if that settles it, stop; else write what had gone
    back before, ask, and hear the answer. Each later look begins in the same way, so a lost answer costs nothing.
    """
    async with parts.pool.acquire() as connection, connection.transaction():
        refund = await refunds.claim_refund(connection, refund_id)
        if refund is None:
            return
        payment = await payments.get_payment(connection, refund.payment_id)
        assert payment is not None, "refunds reference their payment"
        terminal = await terminals.get_terminal(connection, payment.terminal_id)
    await _Look(parts, refund, payment, parts.account(terminal)).go_on()


class _Look:
    """One look at one refund by who holds it."""

    def __init__(self, parts: Parts, refund: Refund, payment: Payment, account: Account) -> None:
        assert payment.provider_payment_id is not None, "only booked payments are refunded"
        self._parts = parts
        self._refund = refund
        self._payment = payment
        self._account = account
        self._provider_payment_id = payment.provider_payment_id
        self._still = refund.status if refund.may_be_done else RefundStatus.WISHED
        """What it remains while nothing more was done: an earlier call may still be in doubt."""

    async def go_on(self) -> None:
        try:
            state = await self._account.provider.get_state(self._account.credentials, self._provider_payment_id)
        except ProviderError as error:
            await self._could_not_look(error)
            return
        if await self._hear(state):
            return
        if state.status is NewsStatus.REFUNDED:
            await self._refuse(refunds.ALREADY_BACK, "", RefusalReason.WRONG_STATE)
        elif state.status is NewsStatus.REFUNDING:
            # Ours is on its way; or another's, which has to end before ours may begin.
            status = RefundStatus.PENDING if self._refund.may_be_done else RefundStatus.WISHED
            await self._postpone(status, _pause(_PENDING_SECONDS, self._refund.tries))
        elif self._refund.status is RefundStatus.PENDING:
            await self._settle_pending()
        elif state.status in _TAKEN:
            await self._ask(state)
        else:
            log.error("refund %d: the provider says %s of a booked payment", self._refund.id, state.provider_status)
            await self._postpone(self._still, _pause(_AWAY_SECONDS, self._refund.tries))

    async def _could_not_look(self, error: ProviderError) -> None:
        if isinstance(error, ProviderPermanentError) and not self._refund.may_be_done:
            await self._refuse(error.code, error.message, error.reason)
            return
        log.warning("refund %d: the payment could not be looked at: %s", self._refund.id, error)
        await self._postpone(self._still, _pause(_AWAY_SECONDS, self._refund.tries), error=error)

    async def _ask(self, state: PaymentState) -> None:
        """Call for the refund: for the first time, or once more after a call of which nothing came."""
        is_keyless = not self._account.provider.repeats_refunds and (state.method or self._payment.method) in (
            "sbp",
            "",
        )
        async with self._parts.pool.acquire() as connection:
            refundable_minor = await refunds.refundable_minor(connection, self._payment)
            called_seconds = await refunds.get_called_seconds(connection, self._refund.id) or 0.0
        remaining_minor = refundable_minor if state.amount_minor is None else state.amount_minor
        is_too_much = self._refund.amount_minor > min(remaining_minor, refundable_minor)
        is_in_doubt = self._refund.may_be_done and called_seconds < _SHOWS_AFTER_SECONDS
        if is_in_doubt and (is_keyless or is_too_much):
            # The first call may have been carried out, and the answer we have just got be older than that.
            pause = _pause(_PENDING_SECONDS, self._refund.tries)
            await self._postpone(self._still, min(pause, _SHOWS_AFTER_SECONDS - called_seconds))
            return
        if is_too_much:
            message = f"{remaining_minor} kopecks remain ({state.provider_status})"
            await self._refuse(refunds.TOO_LITTLE_LEFT, message, RefusalReason.WRONG_STATE)
            return
        receipt = await self._receipt()
        if not await self._note_call():
            return
        call = RefundCall(
            provider_payment_id=self._provider_payment_id,
            amount_minor=self._refund.amount_minor,
            remaining_minor=remaining_minor,
            key=self._refund.public_id,
            receipt=receipt,
        )
        try:
            answer = await self._account.provider.refund(self._account.credentials, call)
        except ProviderPermanentError as error:
            if is_in_doubt:
                # This call was refused, perhaps because the one before was not: that shows in a while.
                await self._postpone(self._still, _SHOWS_AFTER_SECONDS, error=error)
            else:
                await self._refuse_or_wait(error)
        except ProviderTemporaryError as error:
            await self._postpone(self._still, _pause(_AWAY_SECONDS, self._refund.tries), error=error)
        except ProviderError as error:
            log.warning("refund %d: the answer is lost, looking again: %s", self._refund.id, error)
            await self._postpone(RefundStatus.ASKING, _DOUBT_SECONDS, error=error)
        else:
            await self._hear_answer(answer)

    async def _note_call(self) -> bool:
        """False: another worker holds it by now."""
        async with self._parts.pool.acquire() as connection, connection.transaction():
            before_minor = await sum_refunds(connection, self._payment.id)
            return await refunds.note_call(connection, self._refund, before_minor)

    async def _receipt(self) -> Receipt | None:
        async with self._parts.pool.acquire() as connection:
            row = await queries.donations.get_for_opening(connection, donation_id=self._payment.donation_id)
        return receipt_of(row)

    async def _hear_answer(self, answer: RefundAnswer) -> None:
        if answer.status is Answered.REFUSED:
            reason = answer.reason or RefusalReason.REFUND_REFUSED
            await self._refuse(answer.error_code, answer.error_message, reason)
            return
        if answer.state is not None and await self._hear(answer.state):
            return
        # Done, and the payment's own state says so from now on; or on its way.
        await self._postpone(
            RefundStatus.PENDING, _pause(_PENDING_SECONDS, 1), provider_refund_id=answer.provider_refund_id
        )

    async def _settle_pending(self) -> None:
        """It was on its way and the payment does not show it: the refund's own state says why."""
        pause = _pause(_PENDING_SECONDS, self._refund.tries)
        try:
            answer = await self._account.provider.get_refund(
                self._account.credentials, self._provider_payment_id, self._refund.provider_refund_id
            )
        except ProviderError as error:
            log.warning("refund %d could not be asked about: %s", self._refund.id, error)
            await self._postpone(RefundStatus.PENDING, pause, error=error)
            return
        if answer.state is not None and await self._hear(answer.state):
            return
        async with self._parts.pool.acquire() as connection:
            called_seconds = await refunds.get_called_seconds(connection, self._refund.id) or 0.0
        if answer.status is Answered.REFUSED and (answer.error_code or called_seconds >= _SHOWS_AFTER_SECONDS):
            reason = answer.reason or RefusalReason.REFUND_REFUSED
            await self._refuse(answer.error_code, answer.error_message, reason)
            return
        await self._postpone(RefundStatus.PENDING, pause)

    async def _hear(self, state: PaymentState) -> bool:
        """Apply what the provider says; whether the refund is over by that."""
        async with self._parts.pool.acquire() as connection, connection.transaction():
            applied = await apply_news(connection, self._payment.id, news_from(state))
            refund = await refunds.get_refund(connection, self._refund.id)
        is_over = refund is None or not refund.is_open
        await self._parts.after_commit([applied.wake or (self._wake() if is_over else None)])
        return is_over

    async def _refuse_or_wait(self, error: ProviderPermanentError) -> None:
        """Some refusals are for now only; the rest is the streamer's to deal with."""
        is_young = datetime.now(UTC) - self._refund.created_at < _LATER_FOR
        if error.reason is RefusalReason.REFUND_LATER and is_young:
            await self._postpone(self._still, _LATER_SECONDS, error=error)
            return
        await self._refuse(error.code, error.message, error.reason)

    async def _refuse(self, code: str, message: str, reason: RefusalReason) -> None:
        async with self._parts.pool.acquire() as connection, connection.transaction():
            refused = await refunds.refuse(
                connection, self._refund, error_code=code, error_reason=reason, error_message=message
            )
        if refused:
            log.warning("refund %d is refused: %s %s", self._refund.id, code, message)
            await self._parts.after_commit([self._wake()])

    async def _postpone(
        self,
        status: RefundStatus,
        seconds: float,
        *,
        provider_refund_id: str = "",
        error: ProviderError | None = None,
    ) -> None:
        async with self._parts.pool.acquire() as connection, connection.transaction():
            postponed = await refunds.postpone(
                connection,
                self._refund,
                status,
                seconds,
                provider_refund_id=provider_refund_id,
                error_code=error.code if error else "",
                error_reason=error.reason if error else "",
                error_message=error.message if error else "",
            )
        if postponed:
            await self._parts.after_commit([self._wake()])

    def _wake(self) -> Wake:
        return Wake(self._payment.streamer_id, frozenset({Topic.DONATION}), self._payment.donation_id)


def _pause(pauses: tuple[float, ...], tries: int) -> float:
    return pauses[min(max(tries, 1), len(pauses)) - 1]
