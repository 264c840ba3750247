"""Telling a webhook what happened: in order, again until it arrives or a day has passed, kept as a log.

    waiting ──try──▶ delivered
       │   └──no answer, or not 2xx──▶ waiting, later each time
       ├──a day of failures──▶ failed, and the webhook is off
       └──switched off, or skipped by hand──▶ dropped

A run holds a webhook for a while and sends what is due, one after the other: the next is not sent before the one before
has arrived or was given up, and other webhooks do not wait for it. A test, and what is sent again by hand, is tried
once, at once, outside the order. A run that died is found by its time; what it had sent is sent again under the same
number.

Whoever changes both locks the webhook's row before its deliveries.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain import letters, outbox
from domain.errors import NotAllowedError, NotFoundError
from domain.events import Actor
from domain.letters import Kind
from domain.webhook_events import WebhookEvent, ask
from domain.webhooks import Format, OffReason, Webhook, switch_off
from infra import queries

_sql = queries.webhook_deliveries

CLAIM_SECONDS = 70.0
"""Longer than a run may take."""
GIVE_UP_SECONDS = 24 * 3600.0
MOST_WAITING = 10_000
"""More than that waits for nobody: the webhook is switched off."""
MOST_AGAIN = 5_000
"""So many at one press, the oldest: with MOST_WAITING, the first failure would switch it off once more."""
MOST_LOGGED = 1_000
"""Of what arrived at one webhook. Older than `webhook_log` days everything goes (`domain/retention.py`)."""
LISTED = 25
ANSWER_MAX_LENGTH = 1_000
_BACK_OFF_SECONDS = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0)
_OUR_FAULT_SECONDS = 300.0
"""What we could not even send is tried again after so long, however often that was."""
_GONE = 410


class DeliveryStatus(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up."""
    DROPPED = "dropped"


@dataclass(frozen=True)
class Run:
    """A webhook that this worker sends to; the secrets are encrypted."""

    webhook_id: int
    streamer_id: int
    slug: str
    name: str
    url: str = field(repr=False)
    format: Format
    run: int
    secrets_encrypted: tuple[str | None, ...] = field(repr=False)


@dataclass(frozen=True)
class Delivery:
    """One that is sent now."""

    id: int
    event_id: uuid.UUID
    name: str
    data: dict[str, Any]
    is_test: bool
    is_single: bool
    occurred_at: datetime
    tries: int


@dataclass(frozen=True)
class Result:
    """What became of a try: an answer's status, or why there was none (`error`)."""

    took_ms: int
    http_status: int | None = None
    error: str = ""
    detail: str = ""
    answer: str = ""
    is_ours: bool = False
    """We could not send it: nothing that the receiver is to blame for."""

    @property
    def arrived(self) -> bool:
        return self.http_status is not None and 200 <= self.http_status < 300


@dataclass(frozen=True)
class Logged:
    """A line of the log; what is said of a try is said of the last."""

    id: int
    event_id: uuid.UUID
    name: str
    is_test: bool
    is_single: bool
    occurred_at: datetime
    status: DeliveryStatus
    tries: int
    tried_at: datetime | None
    took_ms: int | None
    http_status: int | None
    error: str
    detail: str
    answer: str
    next_try_at: datetime | None

    @property
    def is_at_once(self) -> bool:
        """Somebody who pressed a button waits for what becomes of it."""
        return self.status is DeliveryStatus.WAITING and self.is_single


def back_off_seconds(tries: int, failing_seconds: float) -> float | None:
    """When to try again after so many tries; the last try is a day after the first failure. None: give up."""
    left = GIVE_UP_SECONDS - failing_seconds
    if left <= 0:
        return None
    return min(_BACK_OFF_SECONDS[min(tries, len(_BACK_OFF_SECONDS)) - 1], max(left, 1.0))


# A worker's run.


async def claim(connection: Any, webhook_id: int) -> Run | None:
    """None: another run is at it, or nothing is due."""
    row = await _sql.claim_webhook(connection, webhook_id=webhook_id, seconds=CLAIM_SECONDS)
    if row is None:
        return None
    return Run(
        webhook_id=row["id"],
        streamer_id=row["streamer_id"],
        slug=row["slug"],
        name=row["name"],
        url=row["url"],
        format=Format(row["format"]),
        run=row["run"],
        secrets_encrypted=(row["secret_encrypted"], row["former_secret_encrypted"]),
    )


async def give_back(connection: Any, webhook_id: int) -> None:
    """This worker has no room for it: the relay asks again within a second."""
    await _sql.give_back(connection, webhook_id=webhook_id)


async def pick(connection: Any, run: Run) -> Delivery | None:
    """What the run sends now. None: nothing is due, or the run is over."""
    row = await _sql.pick_delivery(connection, webhook_id=run.webhook_id, run=run.run)
    return None if row is None else Delivery(**dict(row))


async def note_result(connection: Any, run: Run, delivery: Delivery, result: Result, *, site: str | None) -> bool:
    """Write down what became of a try. True: the run may go on with the next.

    Where nothing arrived for a day, or the receiver says that it is gone for good, the webhook is switched off and its
    streamer gets a letter; `site` is the host in its Message-ID, None: this site sends none. What is our own fault
    switches nothing off, unless more waits than is kept.
    """
    await _sql.lock_webhook(connection, webhook_id=run.webhook_id)
    if result.arrived:
        if not await _finish(connection, run, delivery, result, DeliveryStatus.DELIVERED):
            return False
        await _sql.note_delivered(connection, webhook_id=run.webhook_id)
        if delivery.is_single:
            await _sql.hurry_head(connection, webhook_id=run.webhook_id)
        return True
    if delivery.is_single:
        await _finish(connection, run, delivery, result, DeliveryStatus.FAILED)
        return True
    failing = await _sql.note_failure(
        connection, webhook_id=run.webhook_id, is_ours=result.is_ours, most_waiting=MOST_WAITING
    )
    if failing is None:
        return False
    seconds = _OUR_FAULT_SECONDS if result.is_ours else back_off_seconds(delivery.tries + 1, failing["seconds"])
    is_gone = result.http_status == _GONE
    if is_gone or seconds is None or failing["is_full"]:
        await _finish(connection, run, delivery, result, DeliveryStatus.FAILED)
        reason = OffReason.GONE if is_gone else OffReason.FAILING
        if await switch_off(connection, run.streamer_id, run.webhook_id, reason) and site is not None:
            await _write_to_owner(connection, run, reason, site)
        return False
    await _finish(connection, run, delivery, result, DeliveryStatus.WAITING, seconds)
    return False


async def give_up(connection: Any, run: Run, delivery: Delivery, error: str) -> None:
    """There is nothing to send of it."""
    await _finish(connection, run, delivery, Result(0, error=error), DeliveryStatus.FAILED)


async def _finish(
    connection: Any,
    run: Run,
    delivery: Delivery,
    result: Result,
    status: DeliveryStatus,
    seconds: float | None = None,
) -> bool:
    """False: another run has begun, or somebody dropped it."""
    finished = await _sql.finish_try(
        connection,
        delivery_id=delivery.id,
        run=run.run,
        status=status,
        took_ms=result.took_ms,
        http_status=result.http_status,
        error=result.error[:40],
        detail=result.detail[:300],
        answer=result.answer[:ANSWER_MAX_LENGTH],
        seconds=seconds,
        is_ours=result.is_ours,
    )
    return finished is not None


async def _write_to_owner(connection: Any, run: Run, reason: OffReason, site: str) -> None:
    owner = await queries.webhooks.get_owner(connection, streamer_id=run.streamer_id)
    if owner is None:
        return
    is_gone = "yes" if reason is OffReason.GONE else ""
    data = {"name": run.name, "page": run.slug, "webhook": str(run.webhook_id), "is_gone": is_gone}
    await letters.post(
        connection, Kind.WEBHOOK_OFF, owner["email"], owner["locale"], site=site, user_id=owner["id"], data=data
    )


async def end_run(connection: Any, run: Run, *, rest_seconds: float = 0.0) -> bool:
    """Let the webhook go and say when it is due next; True: at once, and it was asked for. `rest_seconds`: not before.

    In a transaction: first its row, then the look at what waits, so that nothing written meanwhile is overlooked.
    """
    await _sql.lock_webhook(connection, webhook_id=run.webhook_id)
    await _sql.trim_log(connection, webhook_id=run.webhook_id, most=MOST_LOGGED)
    row = await _sql.end_run(connection, webhook_id=run.webhook_id, run=run.run, rest_seconds=rest_seconds)
    if row is None or not row["is_due"]:
        return False
    await outbox.add_task(connection, Actor.SEND_WEBHOOK, run.webhook_id)
    return True


# What the streamer does with them. Wake the relay after the commit.


async def send_test(connection: Any, webhook: Webhook) -> int:
    """An event of those it wants, about nobody; the delivery's id."""
    event = WebhookEvent.DONATION_PAID if WebhookEvent.DONATION_PAID in webhook.events else webhook.events[0]
    delivery_id: int | None = await _sql.insert_test(
        connection, streamer_id=webhook.streamer_id, webhook_id=webhook.id, name=event
    )
    if delivery_id is None:
        raise NotFoundError("webhook")
    await ask(connection, [webhook.id], at_once=True)
    return delivery_id


async def send_again(connection: Any, streamer_id: int, webhook_id: int, delivery_id: int) -> None:
    """One that is over, once more. Raises NotFoundError("delivery"), NotAllowedError("delivery_waits")."""
    await _sql.lock_webhook(connection, webhook_id=webhook_id)
    repeated = await _sql.repeat_one(
        connection, streamer_id=streamer_id, webhook_id=webhook_id, delivery_id=delivery_id
    )
    if repeated is None:
        await get_delivery(connection, streamer_id, webhook_id, delivery_id)
        raise NotAllowedError("delivery_waits")
    await ask(connection, [webhook_id], at_once=True)


async def send_missed(connection: Any, webhook: Webhook) -> int:
    """What did not arrive, in order; how many, at most MOST_AGAIN. None while it is off."""
    await _sql.lock_webhook(connection, webhook_id=webhook.id)
    tag: str = await _sql.repeat_missed(
        connection, streamer_id=webhook.streamer_id, webhook_id=webhook.id, limit=MOST_AGAIN
    )
    await ask(connection, [webhook.id], at_once=True)
    return int(tag.rpartition(" ")[2])


async def skip(connection: Any, streamer_id: int, webhook_id: int, delivery_id: int) -> bool:
    """One that waits is not sent: those behind it go on. False: it is over. Raises NotFoundError("delivery")."""
    await _sql.lock_webhook(connection, webhook_id=webhook_id)
    dropped = await _sql.drop_one(connection, streamer_id=streamer_id, webhook_id=webhook_id, delivery_id=delivery_id)
    if dropped is None:
        await get_delivery(connection, streamer_id, webhook_id, delivery_id)
        return False
    await _sql.forget_failure(connection, webhook_id=webhook_id)
    await ask(connection, [webhook_id], at_once=True)
    return True


async def list_log(connection: Any, webhook: Webhook, *, before_id: int | None = None) -> Sequence[Logged]:
    """The newest first; one more than LISTED when there are older ones."""
    rows = _sql.list_log(connection, webhook_id=webhook.id, before_id=before_id, limit=LISTED + 1)
    return [_logged(row) async for row in rows]


async def get_delivery(connection: Any, streamer_id: int, webhook_id: int, delivery_id: int) -> Logged:
    """Raises NotFoundError("delivery"), also for another streamer's."""
    row = await _sql.get_one(connection, streamer_id=streamer_id, webhook_id=webhook_id, delivery_id=delivery_id)
    if row is None:
        raise NotFoundError("delivery")
    return _logged(row)


async def count_missed(connection: Any, webhook: Webhook) -> int:
    count: int = await _sql.count_missed(connection, webhook_id=webhook.id)
    return count


def _logged(row: Any) -> Logged:
    return Logged(**{**row, "status": DeliveryStatus(row["status"])})
