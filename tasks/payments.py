"""Opening payments at the bank, and what remains of it when a worker died in the middle (DESIGN 2)."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from dramatiq.errors import Retry

from domain import outbox, payments, terminals
from domain.donations import GAVE_UP, DonationStatus
from domain.errors import NotAllowedError
from domain.events import Actor, EventType, Topic, Wake
from domain.news import Applied, News, Source, apply_news
from domain.payment_status import NewsStatus
from domain.payments import GIVE_UP_MINUTES, STALE_OPENING_SECONDS, Payment, PaymentStatus
from infra import queries
from providers.outcomes import ProviderError, ProviderPermanentError, ProviderTemporaryError
from providers.provider import OpenedPayment, Opening, PaymentState, Receipt
from tasks.runtime import Account, Parts

log = logging.getLogger(__name__)

# Shown by the bank, and for SBP in the donor's bank app; neutral by `contracts/ru-rules.md` 1.
_DESCRIPTIONS = {"ru": "Добровольная поддержка: {name}", "en": "Voluntary support: {name}"}
SBP_LEAST_MINOR = 1000
"""SBP takes no less than 10 ₽ (`contracts/tbank-protocol.md` 4)."""
# The donor waits for the page: an SBP code that takes longer is done without.
_SBP_CODE_SECONDS = 4.0
# What an earlier attempt was paid in. Refunded: paid between our question and our calling it off.
_PAID = frozenset({NewsStatus.AUTHORIZED, NewsStatus.CONFIRMED, NewsStatus.REFUNDED})


async def create_payment(parts: Parts, payment_id: int) -> None:
    """Give a payment its URL.

    Steps: claim it (or settle an opening whose worker was lost); call off earlier attempts; if none was paid, ask
    the bank outside any transaction; write the answer if the claim still holds. The claim is renewed before each call
    to the bank, and who has lost it stops. Raises dramatiq's Retry when the bank is away.
    """
    async with parts.pool.acquire() as connection, connection.transaction():
        claimed = await payments.claim_opening(connection, payment_id, link_minutes=parts.settings.payment_link_minutes)
    if claimed is None:
        await _settle_lost_opening(parts, payment_id)
        return
    try:
        await _open(parts, _Claim(parts, claimed))
    except _ClaimLostError:
        # Who took it for lost has settled it and goes on with another attempt.
        log.warning("payment %d is left to another worker", payment_id)


class _ClaimLostError(Exception):
    """The opening is not ours any more."""


class _Claim:
    """The attempt this worker opens. An opening older than one call may take is thought lost: hence `renew`."""

    def __init__(self, parts: Parts, claimed: Payment) -> None:
        self._parts = parts
        self.payment = claimed

    async def renew(self) -> Payment:
        """Hold it for one more call to the bank; the payment as it is now. Raises _ClaimLostError."""
        async with self._parts.pool.acquire() as connection:
            renewed = await payments.renew_opening(
                connection, self.payment, link_minutes=self._parts.settings.payment_link_minutes
            )
        if renewed is None:
            raise _ClaimLostError
        self.payment = renewed
        return renewed


async def _open(parts: Parts, claim: _Claim) -> None:
    claimed = claim.payment
    async with parts.pool.acquire() as connection:
        terminal = await terminals.get_terminal(connection, claimed.terminal_id)
        predecessors = await payments.list_open_predecessors(connection, claimed)
    account = parts.account(terminal)
    try:
        for predecessor in predecessors:
            if await _call_off(parts, predecessor, claim):
                await _close(parts, claimed, PaymentStatus.CANCELLED, note="an earlier attempt was paid")
                return
    except ProviderError as error:
        await _release_and_retry(parts, claim.payment, error)
        return
    if not await _is_unpaid(parts, claimed):
        # The bank's news came while this attempt waited for its worker: there is nothing left to pay.
        await _close(parts, claimed, PaymentStatus.CANCELLED, note="an earlier attempt was paid")
        return

    claimed = await claim.renew()
    try:
        opened = await open_at_provider(parts, claimed, account)
    except ProviderTemporaryError as error:
        await _release_and_retry(parts, claimed, error)
    except ProviderPermanentError as error:
        log.error("the provider refuses payment %d: %s", claimed.id, error)
        await _close(parts, claimed, PaymentStatus.FAILED, code=error.code, note=error.message, reason=error.reason)
    except ProviderError as error:
        if account.provider.reopens:
            await _release_and_retry(parts, claimed, error)
            return
        async with parts.pool.acquire() as connection, connection.transaction():
            await payments.doubt_opening(connection, claimed, error_code=error.code, error_message=error.message)
        await parts.after_commit([_wake(claimed)])
        raise _retry(claimed, error) from error
    else:
        sbp_payload = await _get_sbp_payload(parts, claim, account, opened)
        await _record(parts, claim.payment, account, opened, sbp_payload)


async def _is_unpaid(parts: Parts, claimed: Payment) -> bool:
    async with parts.pool.acquire() as connection:
        donation = await queries.donations.get_for_opening(connection, donation_id=claimed.donation_id)
    return donation["status"] in (DonationStatus.PENDING, DonationStatus.FAILED)


async def open_at_provider(parts: Parts, claimed: Payment, account: Account) -> OpenedPayment:
    """Open it, with the donor coming back to the donation's own page. Raises a ProviderError."""
    async with parts.pool.acquire() as connection:
        donation = await queries.donations.get_for_opening(connection, donation_id=claimed.donation_id)
    web_url, notifications_url = parts.settings.web_url, parts.settings.notifications_base_url
    opening = Opening(
        order_id=claimed.order_id,
        amount_minor=claimed.amount_minor,
        description=_DESCRIPTIONS[donation["locale"]].format(name=donation["display_name"]),
        due_at=claimed.due_at,
        notification_url=f"{notifications_url}/api/v1/payments/webhook/{account.provider.name}",
        return_url=f"{web_url}/d/{donation['public_id']}?from=bank",
        language=donation["locale"],
        receipt=receipt_of(donation),
    )
    return await account.provider.open(account.credentials, opening)


def receipt_of(row: Any) -> Receipt | None:
    """What the provider is told for a fiscal receipt; None unless the streamer sends them and the donor left an e-mail.

    `row` has the donation's e-mail and the streamer's receipt settings.
    """
    if row["receipts"] != "fiscal" or row["donor_email"] is None:
        return None
    return Receipt(email=row["donor_email"], item=row["receipt_item"], taxation=row["taxation"], vat=row["vat"])


async def _get_sbp_payload(parts: Parts, claim: _Claim, account: Account, opened: OpenedPayment) -> str | None:
    """The link of an SBP code, for the donor's page; without one the provider's own page offers SBP, if it can."""
    if not account.provider.offers_sbp_codes or claim.payment.amount_minor < SBP_LEAST_MINOR:
        return None
    try:
        claimed = await claim.renew()
        async with asyncio.timeout(_SBP_CODE_SECONDS):
            payload = await account.provider.get_sbp_payload(account.credentials, opened.provider_payment_id)
    except _ClaimLostError:
        # `_record` finds that out, too, and calls off what we opened.
        return None
    except (ProviderError, TimeoutError) as error:
        log.warning("payment %d is opened without an SBP code: %s", claimed.id, error)
        return None
    async with parts.pool.acquire() as connection:
        await queries.terminals.note_sbp(connection, terminal_id=claimed.terminal_id, offers_sbp=payload is not None)
    return payload


async def _record(
    parts: Parts, claimed: Payment, account: Account, opened: OpenedPayment, sbp_payload: str | None
) -> None:
    """Write the URL; who lost the opening meanwhile calls off the payment it has just made."""
    async with parts.pool.acquire() as connection, connection.transaction():
        recorded = await payments.record_opened(
            connection,
            claimed,
            provider_payment_id=opened.provider_payment_id,
            payment_url=opened.payment_url,
            sbp_payload=sbp_payload,
        )
        current = await payments.get_payment(connection, claimed.id)
    if recorded is None and current is not None and current.provider_payment_id != opened.provider_payment_id:
        log.warning("payment %d was opened by another worker, calling off the second", claimed.id)
        try:
            await account.provider.call_off(account.credentials, opened.provider_payment_id)
        except ProviderError as error:
            log.warning("the second of payment %d stays; nobody has its address: %s", claimed.id, error)
    await parts.after_commit([_wake(claimed)])


async def _settle_lost_opening(parts: Parts, payment_id: int) -> None:
    """An opening whose worker was lost: ask the bank what it knows of the order, then open a new attempt.

    What the bank knows without our having its URL is called off; money that came meanwhile is booked. A worker
    that may still be at it is given its time. A bank that gives no answer is asked for ten minutes: a payment
    whose URL nobody has cannot be paid, and should the bank ever speak of it, its order is known.
    """
    async with parts.pool.acquire() as connection:
        payment = await payments.get_payment(connection, payment_id)
        age_seconds = await payments.get_opening_age(connection, payment_id)
        if payment is None or age_seconds is None:
            return
        terminal = await terminals.get_terminal(connection, payment.terminal_id)
    if age_seconds < STALE_OPENING_SECONDS:
        raise Retry("somebody is opening it", delay=int((STALE_OPENING_SECONDS - age_seconds + 0.5) * 1000))
    account = parts.account(terminal)
    if account.provider.reopens:
        await _open_again(parts, payment)
        return
    try:
        for state in money_first(await account.provider.list_order(account.credentials, payment.order_id)):
            if state.status in (NewsStatus.PENDING, NewsStatus.PROCESSING):
                state = await account.provider.call_off(account.credentials, state.provider_payment_id)
            await _apply(parts, payment, state)
    except ProviderError as error:
        if _age(payment) > timedelta(minutes=GIVE_UP_MINUTES):
            await _close(parts, payment, PaymentStatus.FAILED, code=GAVE_UP, note=str(error))
            return
        raise _retry(payment, error) from error
    async with parts.pool.acquire() as connection, connection.transaction():
        await _open_next(parts, connection, payment)
    await parts.after_commit([_wake(payment)])


async def _open_again(parts: Parts, lost: Payment) -> None:
    """The provider gives the same payment for the same order: ask once more, and get the URL that was lost."""
    async with parts.pool.acquire() as connection, connection.transaction():
        reclaimed = await payments.reclaim_opening(connection, lost)
    if reclaimed is None:
        return
    try:
        await _open(parts, _Claim(parts, reclaimed))
    except _ClaimLostError:
        log.warning("payment %d is left to another worker", lost.id)


async def _open_next(parts: Parts, connection: object, lost: Payment) -> None:
    """A new attempt after one that got no URL, unless money came or the donor waits no more.

    The donation's lock and the attempt's being the newest make sure that only one worker does it. The payment's
    row is locked before the donation's, as news do.
    """
    await payments.close_unopened(
        connection, lost.id, PaymentStatus.CANCELLED, error_code="lost", error_message=lost.error_message
    )
    donation = await queries.donations.lock_donation_by_id(connection, donation_id=lost.donation_id)
    latest = await payments.get_latest_payment(connection, lost.donation_id)
    if latest.id != lost.id or latest.status is not PaymentStatus.CANCELLED:
        return
    if donation["status"] not in (DonationStatus.PENDING, DonationStatus.FAILED):
        return
    terminal = await terminals.get_active_terminal(connection, lost.streamer_id)
    if terminal is None or datetime.now(UTC) - donation["created_at"] > timedelta(minutes=GIVE_UP_MINUTES):
        await _fail_donation(connection, lost, GAVE_UP)
        return
    await queries.donations.reopen(connection, donation_id=lost.donation_id)
    try:
        following = await payments.add_attempt(
            connection,
            donation_id=lost.donation_id,
            streamer_id=lost.streamer_id,
            terminal_id=terminal.id,
            amount_minor=lost.amount_minor,
            link_minutes=parts.settings.payment_link_minutes,
        )
    except NotAllowedError:
        await _fail_donation(connection, lost, GAVE_UP)
        return
    await outbox.add_task(connection, Actor.CREATE_PAYMENT, following.id)


async def _call_off(parts: Parts, predecessor: Payment, claim: _Claim) -> bool:
    """End an earlier attempt at the bank before the claimed one is opened. True when it was paid: then it wins.

    A payment the bank is at work on is left alone: calling it off could give back money that arrives this moment.
    One the bank will not call off (a declined one), or speak of (its terminal is gone), may still be paid on its
    old page: then it is surplus.
    """
    async with parts.pool.acquire() as connection:
        terminal = await terminals.get_terminal(connection, predecessor.terminal_id)
    account = parts.account(terminal)
    provider, credentials = account.provider, account.credentials
    if predecessor.provider_payment_id is None:
        return False
    await claim.renew()
    try:
        state = await provider.get_state(credentials, predecessor.provider_payment_id)
    except ProviderPermanentError as error:
        log.warning("payment %d is left as it is: %s", predecessor.id, error)
        return False
    if state.status in (NewsStatus.PENDING, NewsStatus.FAILED):
        await claim.renew()
        try:
            state = await provider.call_off(credentials, predecessor.provider_payment_id)
        except ProviderPermanentError as error:
            log.info("payment %d cannot be called off: %s", predecessor.id, error)
            await claim.renew()
            state = await provider.get_state(credentials, predecessor.provider_payment_id)
    applied = await _apply(parts, predecessor, state)
    return applied.payment.booked_as is not None or state.status in _PAID


async def _apply(parts: Parts, payment: Payment, state: PaymentState) -> Applied:
    async with parts.pool.acquire() as connection, connection.transaction():
        applied = await apply_news(connection, payment.id, news_from(state))
    await parts.after_commit([applied.wake])
    return applied


def money_first(states: Iterable[PaymentState]) -> list[PaymentState]:
    """Of several payments the bank has for one order, what was paid comes first: ours takes the id of the first."""
    return sorted(states, key=lambda state: state.status not in _PAID)


def news_from(state: PaymentState) -> News:
    """The bank's answer to our question, as news."""
    return News(
        source=Source.POLL,
        status=state.status,
        provider_status=state.provider_status,
        provider_payment_id=state.provider_payment_id,
        amount_minor=state.amount_minor,
        error_code=state.error_code,
        error_message=state.error_message,
        error_reason=state.reason or "",
        raw=state.raw,
        method=state.method,
        payer=state.payer,
    )


async def _release_and_retry(parts: Parts, claimed: Payment, error: ProviderError) -> None:
    """The bank was not reached or could not: the attempt is as new, and the donor is told to wait or hurry us."""
    if _age(claimed) > timedelta(minutes=GIVE_UP_MINUTES):
        await _close(parts, claimed, PaymentStatus.FAILED, code=GAVE_UP, note=str(error))
        return
    async with parts.pool.acquire() as connection, connection.transaction():
        await payments.release_opening(
            connection, claimed, error_code=error.code or GAVE_UP, error_message=error.message
        )
    await parts.after_commit([_wake(claimed)])
    raise _retry(claimed, error) from error


async def _close(
    parts: Parts, payment: Payment, status: PaymentStatus, *, code: str = "", note: str = "", reason: str = ""
) -> None:
    async with parts.pool.acquire() as connection, connection.transaction():
        closed = await payments.close_unopened(
            connection, payment.id, status, error_code=code, error_message=note, error_reason=reason
        )
        if closed is not None and status is PaymentStatus.FAILED:
            await _fail_donation(connection, closed, code)
    await parts.after_commit([_wake(payment)])


async def _fail_donation(connection: object, payment: Payment, code: str) -> None:
    await queries.donations.fail(connection, donation_id=payment.donation_id, attempt=payment.attempt)
    await outbox.add_event(
        connection,
        EventType.PAYMENT_FAILED,
        {
            "payment_id": payment.id,
            "donation_id": payment.donation_id,
            "streamer_id": payment.streamer_id,
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
            "error_code": code,
        },
    )


def _age(payment: Payment) -> timedelta:
    return datetime.now(UTC) - payment.created_at


def _retry(payment: Payment, error: ProviderError) -> Retry:
    """Sooner while the donor surely waits, later afterwards: between one and thirty seconds."""
    delay_seconds = min(30.0, max(1.0, _age(payment).total_seconds() / 2))
    log.warning("payment %d is asked for again in %.0f s: %s", payment.id, delay_seconds, error.code)
    return Retry(str(error.code), delay=int(delay_seconds * 1000))


def _wake(payment: Payment) -> Wake:
    return Wake(payment.streamer_id, frozenset({Topic.DONATION}), payment.donation_id)
