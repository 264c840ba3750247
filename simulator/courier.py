"""Carries notifications to shops, again and again until they are accepted.

The bank repeats hourly for a day and then gives up. Here an "hour" is short and grows a little
with each try, so that a developer who restarts the platform is not flooded.
"""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from simulator.bank import Order
from simulator.faults import Faults
from simulator.poster import Poster, PostError
from simulator.records import Delivery, Notification

logger = logging.getLogger(__name__)

RETRIES = 24
"""One for each "hour" of the bank's day."""

ANSWER_SECONDS = 10.0
"""The bank's own patience with a shop."""

LOOK_SECONDS = 0.1
"""How often we look for notifications whose next try is due."""


@dataclass(frozen=True)
class RetrySchedule:
    """How long to wait after the n-th failed try: n times the unit, at most twelve times."""

    unit_seconds: float

    def pause_after(self, tries: int) -> float | None:
        """None: give up."""
        return None if tries > RETRIES else self.unit_seconds * min(tries, 12)


class NotificationStore(Protocol):
    """Where a courier finds what to send, and writes down what came of it."""

    def find_notification(self, notification_id: int) -> Notification | None: ...

    def list_notifications_by_id(self, notification_ids: list[int]) -> list[Notification]: ...

    def list_due_notifications(self, now: float) -> list[int]: ...

    def save_delivery(self, notification_id: int, delivery: Delivery, next_try_at: float | None) -> None: ...


class SimulatedCourier:
    """Sends from the store; `run` does the retries, including those of an earlier life.

    `delivery` knows which answers are good, `fault_method` is what faults call its sending.
    """

    def __init__(
        self,
        store: NotificationStore,
        poster: Poster,
        faults: Faults,
        schedule: RetrySchedule,
        now: Callable[[], float],
        *,
        delivery: type[Delivery] = Delivery,
        fault_method: str = "Notification",
    ) -> None:
        self._store = store
        self._poster = poster
        self._faults = faults
        self._schedule = schedule
        self._now = now
        self._delivery = delivery
        self._fault_method = fault_method
        self._on_the_way: set[int] = set()
        self._first_tries: defaultdict[int, set[asyncio.Task[None]]] = defaultdict(set)
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, notification_ids: list[int], order: Order) -> None:
        """Start the first try of each: at the same time in either order, or one after the other."""
        notifications = self._store.list_notifications_by_id(notification_ids)
        if order == "random":
            random.shuffle(notifications)
            groups = [[notification] for notification in notifications]
        else:
            groups = [notifications if order == "authorized_first" else notifications[::-1]]
        for group in groups:
            self._on_the_way.update(notification.id for notification in group)
            task = self._start(self._try_each(group))
            for notification in group:
                self._first_tries[notification.payment_id].add(task)
                task.add_done_callback(partial(self._forget, notification.payment_id))

    async def wait_for_first_tries(self, payment_id: int, timeout_seconds: float = ANSWER_SECONDS) -> None:
        """Until the shop has answered what is being told about this payment, or the time is up."""
        if tasks := self._first_tries.get(payment_id):
            await asyncio.wait(tasks, timeout=timeout_seconds)

    async def try_once(self, notification: Notification) -> Delivery:
        """One POST, as the bank makes it, recorded; sets the time of the next if it failed."""
        delivery = await self._post(notification)
        next_try_at = None
        if not delivery.accepted and notification.next_try_at is not None:
            pause = self._schedule.pause_after(notification.tries + 1)
            next_try_at = None if pause is None else self._now() + pause
            logger.warning(
                "payment %s: %s was not accepted (%s), %s",
                notification.payment_id,
                notification.status,
                delivery.error or f"HTTP {delivery.http_status} {delivery.answer[:40]!r}",
                "given up" if pause is None else f"again in {pause:.1f} s",
            )
        self._store.save_delivery(notification.id, delivery, next_try_at)
        return delivery

    async def run(self) -> None:
        """Retry what is due, until cancelled."""
        while True:
            for notification_id in self._store.list_due_notifications(self._now()):
                notification = self._store.find_notification(notification_id)
                if notification and notification_id not in self._on_the_way:
                    self._on_the_way.add(notification_id)
                    self._start(self._try_each([notification]))
            await asyncio.sleep(LOOK_SECONDS)

    async def stop(self) -> None:
        """Drop what is on its way; it is stored and goes out again after the next start."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _try_each(self, notifications: list[Notification]) -> None:
        try:
            for notification in notifications:
                await self.try_once(notification)
        finally:
            self._on_the_way.difference_update(notification.id for notification in notifications)

    async def _post(self, notification: Notification) -> Delivery:
        sent_at = self._now()
        fault = self._faults.take(self._fault_method)
        if fault and fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        elif fault:
            return self._delivery(sent_at, None, "", f"fault: {fault.kind}")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._poster.post(notification.url, notification.body)
        except (PostError, TimeoutError) as error:
            return self._delivery(sent_at, None, "", str(error) or f"no answer in {ANSWER_SECONDS:.0f} s")
        return self._delivery(sent_at, answer.status, answer.body.decode(errors="replace")[:1000], None)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _forget(self, payment_id: int, task: asyncio.Task[None]) -> None:
        self._first_tries[payment_id].discard(task)
        if not self._first_tries[payment_id]:
            del self._first_tries[payment_id]
