"""Giving money back at the provider: asked for once, and known to have happened or not (domain/refunds.py)."""

import logging
from typing import Any

from domain import payments, refunds, terminals
from domain.events import Topic, Wake
from domain.ledger import sum_refunds
from domain.news import apply_news
from domain.payment_status import NewsStatus
from domain.payments import Payment
from domain.refunds import Refund, RefundStatus
from infra import queries
from providers.outcomes import ProviderError, ProviderPermanentError, ProviderTemporaryError, RefusalReason
from providers.provider import PaymentState, RefundAnswer
from providers.provider import Refund as RefundCall
from providers.provider import RefundStatus as Answered
from tasks.payments import news_from, receipt_of
from tasks.runtime import Account, Parts

log = logging.getLogger(__name__)

# Banks take one attempt an hour and a few a day (`contracts/tbank-protocol.md` 4): we try for a day and a half.
_LATER_SECONDS = 3700.0
_LATER_TRIES = 12
_AWAY_SECONDS = (5.0, 15.0, 60.0, 300.0)
# After a lost answer: a payment by card may be asked again with the same key; SBP knows no keys, so its state gets the
# time to show whether money is on its way.
_DOUBT_SECONDS = 30.0
_SBP_DOUBT_SECONDS = 600.0
_PENDING_SECONDS = (5.0, 30.0, 120.0, 600.0)


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
    work = _Work(parts, refund, payment, parts.account(terminal))
    try:
        await work.go_on()
    except ProviderPermanentError as error:
        await work.refuse_or_wait(error)
    except ProviderTemporaryError as error:
        # Nothing was changed there: as if it had not been asked, unless an earlier call is still in doubt.
        status = RefundStatus.WISHED if work.is_untouched else refund.status
        await work.postpone(status, _pause(_AWAY_SECONDS, refund.tries), error=error)
    except ProviderError as error:
        log.warning("refund %d: the answer is lost, looking again: %s", refund.id, error)
        await work.postpone(refund.status, work.doubt_seconds, error=error)


class _Work:
    """One look at one refund."""

    def __init__(self, parts: Parts, refund: Refund, payment: Payment, account: Account) -> None:
        self._parts = parts
        self._refund = refund
        self._payment = payment
        self._account = account
        self.is_untouched = refund.before_minor is None

    @property
    def doubt_seconds(self) -> float:
        return _DOUBT_SECONDS if self._is_repeatable else _SBP_DOUBT_SECONDS

    @property
    def _is_repeatable(self) -> bool:
        return self._account.provider.repeats_refunds or self._payment.method not in ("sbp", "")

    async def go_on(self) -> None:
        """Raises a ProviderError; everything else is written."""
        provider_payment_id = self._payment.provider_payment_id
        assert provider_payment_id is not None, "only booked payments are refunded"
        state = await self._account.provider.get_state(self._account.credentials, provider_payment_id)
        if await self._hear(state):
            return
        if state.status is NewsStatus.REFUNDING:
            await self.postpone(RefundStatus.PENDING, _pause(_PENDING_SECONDS, self._refund.tries))
            return
        if self._refund.status is RefundStatus.PENDING:
            await self._settle_pending()
            return
        remaining_minor = state.amount_minor or 0
        if remaining_minor < self._refund.amount_minor:
            await self._refuse(RefusalReason.WRONG_STATE, f"{remaining_minor} kopecks remain ({state.provider_status})")
            return
        if not await self._note_before():
            return
        answer = await self._account.provider.refund(
            self._account.credentials,
            RefundCall(
                provider_payment_id=provider_payment_id,
                amount_minor=self._refund.amount_minor,
                remaining_minor=remaining_minor,
                key=self._refund.public_id,
                receipt=await self._receipt(),
            ),
        )
        await self._hear_answer(answer)

    async def _note_before(self) -> bool:
        """False: another worker holds it by now."""
        if not self.is_untouched:
            return True
        async with self._parts.pool.acquire() as connection, connection.transaction():
            before_minor = await sum_refunds(connection, self._payment.id)
            noted = await refunds.note_before(connection, self._refund, before_minor)
        self.is_untouched = False
        return noted

    async def _receipt(self) -> Any:
        async with self._parts.pool.acquire() as connection:
            row = await queries.donations.get_for_opening(connection, donation_id=self._payment.donation_id)
        return receipt_of(row)

    async def _hear_answer(self, answer: RefundAnswer) -> None:
        if answer.status is Answered.REFUSED:
            await self._refuse(answer.error_code, answer.error_message)
            return
        if answer.state is not None and await self._hear(answer.state):
            return
        # Done, and the payment's own state says so from now on; or on its way.
        await self.postpone(
            RefundStatus.PENDING,
            _pause(_PENDING_SECONDS, 1),
            provider_refund_id=answer.provider_refund_id,
        )

    async def _settle_pending(self) -> None:
        """It was on its way and the payment does not show it: the refund's own state says why."""
        answer = await self._account.provider.get_refund(
            self._account.credentials, self._payment.provider_payment_id or "", self._refund.provider_refund_id
        )
        if answer.status is Answered.REFUSED:
            await self._refuse(answer.error_code, answer.error_message)
            return
        await self.postpone(RefundStatus.PENDING, _pause(_PENDING_SECONDS, self._refund.tries))

    async def _hear(self, state: PaymentState) -> bool:
        """Apply what the provider says; whether the refund is over by that."""
        news = news_from(state)
        async with self._parts.pool.acquire() as connection, connection.transaction():
            applied = await apply_news(connection, self._payment.id, news)
            refund = await refunds.get_refund(connection, self._refund.id)
        await self._parts.after_commit([applied.wake])
        return refund is None or not refund.is_open

    async def refuse_or_wait(self, error: ProviderPermanentError) -> None:
        """Some refusals are for now only; the rest is the streamer's to deal with."""
        if error.reason is RefusalReason.REFUND_LATER and self._refund.tries < _LATER_TRIES:
            await self.postpone(RefundStatus.WISHED, _LATER_SECONDS, error=error)
            return
        await self._refuse(error.code, error.message, reason=error.reason)

    async def _refuse(self, code: str, message: str, *, reason: RefusalReason | None = None) -> None:
        log.warning("refund %d is refused: %s %s", self._refund.id, code, message)
        async with self._parts.pool.acquire() as connection, connection.transaction():
            await refunds.refuse(
                connection, self._refund, error_code=code, error_reason=reason or "", error_message=message
            )
            note = f"refund of {self._refund.amount_minor} kopecks refused: {code} {message}"
            await self._note(connection, note)
        await self._parts.after_commit([self._wake()])

    async def postpone(
        self,
        status: RefundStatus,
        seconds: float,
        *,
        provider_refund_id: str = "",
        error: ProviderError | None = None,
    ) -> None:
        reason = error.reason if isinstance(error, ProviderPermanentError) else ""
        async with self._parts.pool.acquire() as connection, connection.transaction():
            await refunds.postpone(
                connection,
                self._refund,
                status,
                seconds,
                provider_refund_id=provider_refund_id,
                error_code=error.code if error else "",
                error_reason=reason,
                error_message=error.message if error else "",
            )
        await self._parts.after_commit([self._wake()])

    async def _note(self, connection: Any, note: str) -> None:
        current = await payments.get_payment(connection, self._payment.id)
        assert current is not None
        await payments.note_act(connection, current, note[:500])

    def _wake(self) -> Wake:
        return Wake(self._payment.streamer_id, frozenset({Topic.DONATION}), self._payment.donation_id)


def _pause(pauses: tuple[float, ...], tries: int) -> float:
    return pauses[min(max(tries, 1), len(pauses)) - 1]
