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

from simulator import messages
from simulator.bank import Order
from simulator.faults import NOTIFICATION, NOTIFICATION_FAULT_KINDS, Fault, Faults
from simulator.poster import Poster, PostError
from simulator.records import Delivery, Notification

logger = logging.getLogger(__name__)

RETRIES = 24
"""One for each "hour" of the bank's day."""

ANSWER_SECONDS = 10.0
"""The bank's own patience with a shop."""

FIRST_TRY_ONLY = frozenset(NOTIFICATION_FAULT_KINDS) - {"lost"}
"""Faults that change when and how a notification comes at first; any other loses a try, the first or a later one."""

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

    def set_next_try(self, notification_id: int, next_try_at: float) -> None: ...

    def insert_notification(
        self, payment_id: int, status: str, url: str, body: bytes, next_try_at: float | None, /
    ) -> int: ...


class SimulatedCourier:
    """Sends from the store; `run` does the retries, including those of an earlier life.

    `delivery` knows which answers are good, `fault_method` is what faults call its sending, `forge` makes of a
    notification what a stranger might send.
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
        fault_method: str = NOTIFICATION,
        forge: Callable[[bytes], bytes] = messages.forged,
    ) -> None:
        self._store = store
        self._poster = poster
        self._faults = faults
        self.schedule = schedule
        self._now = now
        self._delivery = delivery
        self._fault_method = fault_method
        self._make_forged = forge
        self._on_the_way: set[int] = set()
        self._first_tries: defaultdict[int, set[asyncio.Task[None]]] = defaultdict(set)
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: defaultdict[int, set[int]] = defaultdict(set)
        """By payment, notifications that wait for a later one to overtake them."""

    def send(self, notification_ids: list[int], order: Order) -> None:
        """Start the first try of each: at the same time in either order, or one after the other."""
        notifications = self._store.list_notifications_by_id(notification_ids)
        # Taken in the bank's order, so that the same seed strikes the same notifications.
        faults = {sent.id: self._faults.take(self._fault_method, sent.payment_id) for sent in notifications}
        if order == "random":
            random.shuffle(notifications)
            groups = [[notification] for notification in notifications]
        else:
            groups = [notifications if order == "authorized_first" else notifications[::-1]]
        for group in groups:
            self._on_the_way.update(notification.id for notification in group)
            task = self._start(self._try_each(group, faults))
            for notification in group:
                self._first_tries[notification.payment_id].add(task)
                task.add_done_callback(partial(self._forget, notification.payment_id))

    async def wait_for_first_tries(self, payment_id: int, timeout_seconds: float = ANSWER_SECONDS) -> None:
        """Until the shop has answered what is being told about this payment, or the time is up."""
        if tasks := self._first_tries.get(payment_id):
            await asyncio.wait(tasks, timeout=timeout_seconds)

    async def try_once(self, notification: Notification) -> Delivery:
        """One POST, as the bank makes it, recorded; sets the time of the next if it failed."""
        return self._record(notification, await self._post(notification))

    async def run(self) -> None:
        """Retry what is due, until cancelled."""
        while True:
            for notification_id in self._store.list_due_notifications(self._now()):
                notification = self._store.find_notification(notification_id)
                if notification and notification_id not in self._on_the_way:
                    fault = self._faults.take(self._fault_method, notification.payment_id, unless=FIRST_TRY_ONLY)
                    self._on_the_way.add(notification_id)
                    self._start(self._try_each([notification], {notification_id: fault}))
            await asyncio.sleep(LOOK_SECONDS)

    async def stop(self) -> None:
        """Drop what is on its way; it is stored and goes out again after the next start."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _try_each(self, notifications: list[Notification], faults: dict[int, Fault | None]) -> None:
        try:
            for notification in notifications:
                await self._try(notification, faults[notification.id])
        finally:
            self._on_the_way.difference_update(notification.id for notification in notifications)

    async def _try(self, notification: Notification, fault: Fault | None) -> None:
        """One try, as good as the fault lets it be."""
        match fault.kind if fault else None:
            case None:
                await self.try_once(notification)
            case "delay" if fault:
                await asyncio.sleep(fault.seconds)
                await self.try_once(notification)
            case "doubled":
                await asyncio.gather(self.try_once(notification), self.try_once(notification))
            case "forged":
                await self.try_once(self._forge(notification))
                await self.try_once(notification)
            case ("late" | "reordered") as kind if fault:
                self._store.set_next_try(notification.id, self._now() + fault.seconds)
                if kind == "reordered":
                    self._held[notification.payment_id].add(notification.id)
                return
            case kind:
                self._record(notification, self._delivery(self._now(), None, "", f"fault: {kind}"))
        self._release_earlier(notification)

    def _forge(self, notification: Notification) -> Notification:
        """The same body, signed by somebody who does not know the password. Nobody retries it."""
        body = self._make_forged(notification.body)
        forged_id = self._store.insert_notification(
            notification.payment_id, notification.status, notification.url, body, None
        )
        forged = self._store.find_notification(forged_id)
        assert forged is not None
        return forged

    def _release_earlier(self, notification: Notification) -> None:
        """Those that waited for this one to overtake them are due."""
        held = self._held[notification.payment_id]
        for notification_id in [held_id for held_id in held if held_id < notification.id]:
            self._store.set_next_try(notification_id, self._now())
            held.discard(notification_id)
        held.discard(notification.id)
        if not held:
            del self._held[notification.payment_id]

    def _record(self, notification: Notification, delivery: Delivery) -> Delivery:
        next_try_at = None
        if not delivery.accepted and notification.next_try_at is not None:
            pause = self.schedule.pause_after(notification.tries + 1)
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

    async def _post(self, notification: Notification) -> Delivery:
        sent_at = self._now()
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
