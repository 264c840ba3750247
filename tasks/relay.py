"""The relay: `python -m tasks.relay`. Publishes the outbox, asks for due payments, sweeps (DESIGN 8 and 9).

Any number may run. Loops share one pool: publishing (`tasks/publishing.py`; woken by NOTIFY, and every second), the due
payments and the due webhooks (every second), the sweep, forgetting what was kept long enough and the count of dead
letters (every minute), and saying that it lives (every five seconds, for `/health`). Each comes back by itself after
PostgreSQL or RabbitMQ was away.
"""

import asyncio
import contextlib
import logging
import signal
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import uvloop

from domain import webhook_events
from domain.events import EVENTS_EXCHANGE, Queue
from domain.payments import ask_due_payments
from infra import logs, queries
from infra.broker import BrokerAwayError, Publisher, open_publisher
from infra.database import DATABASE_AWAY, open_pool
from infra.liveness import show_alive
from infra.settings import Settings
from tasks.publishing import publish_batch
from tasks.sweeps import ask_for_self_checks, forget, sweep

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
SWEEP_SECONDS = 60.0
RENEW_SECONDS = 5.0
LISTEN_CHECK_SECONDS = 2.0
FIRST_PAUSE_SECONDS = 0.2
LISTENER_NAME = "streamcash-relay-listener"
_AWAY: tuple[type[BaseException], ...] = (BrokerAwayError, *DATABASE_AWAY)


class Relay:
    """One relay process; `run` returns when `stop` is set and the batch in hand is finished."""

    def __init__(self, settings: Settings, stop: asyncio.Event) -> None:
        self._settings = settings
        self._stop = stop
        self._look = asyncio.Event()
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()
        self._id = uuid.uuid4()
        self._publisher: Publisher | None = None
        self._is_listening = False
        self._dead_letters: int | None = None
        self._known_dead_letters: dict[str, int] = {}
        # A hint only: what is lost of it the sweep finds.
        self._unasked: set[int] = set()

    async def run(self) -> None:
        loops = (
            self._publish_for_ever,
            self._listen_for_ever,
            self._ask_for_ever,
            self._ask_webhooks_for_ever,
            self._sweep_for_ever,
            self._forget_for_ever,
            self._schedule_for_ever,
            self._count_for_ever,
            self._renew_for_ever,
        )
        tasks = [asyncio.create_task(loop(), name=loop.__name__) for loop in loops]
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
        self._stop.set()
        self._look.set()
        for task in tasks[1:]:
            task.cancel()
        await asyncio.wait(tasks)
        if self._pool is not None:
            with contextlib.suppress(*DATABASE_AWAY, asyncpg.PostgresError):
                async with asyncio.timeout(5):
                    await queries.relays.delete_relay(self._pool, relay_id=self._id)
                    await self._pool.close()
        for task in tasks:
            if not task.cancelled():
                task.result()

    # -- publishing

    async def _publish_for_ever(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stop.is_set():
            try:
                if self._publisher is None:
                    self._publisher = await open_publisher(self._settings, queues=[*Queue], exchange=EVENTS_EXCHANGE)
                    log.info("publishing")
                self._look.clear()
                full = await self._publish_batch(self._publisher)
                pause = FIRST_PAUSE_SECONDS
                if not full:
                    await self._wait_for_a_look(LOOK_SECONDS)
            except Exception as error:
                # Whatever it is (a deadlock, a full disk, a bug), the rows are still there and others wait behind them.
                is_foreseen = isinstance(error, _AWAY)
                log.log(
                    logging.WARNING if is_foreseen else logging.ERROR,
                    "not publishing, trying again in %.1f s: %s", pause, str(error) or type(error).__name__,
                    exc_info=not is_foreseen and pause == FIRST_PAUSE_SECONDS,
                )  # fmt: skip
                await self._close_publisher()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), pause)
                pause = min(pause * 2, 5.0)
        await self._close_publisher()

    async def _close_publisher(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            # Closing what failed may fail as well.
            with contextlib.suppress(Exception):
                await publisher.close()

    async def _publish_batch(self, publisher: Publisher) -> bool:
        """Publish what may be published now; True when there is probably more. Raises what failed, after the others
        were taken out of the outbox."""
        async with (await self._open_pool()).acquire() as connection, connection.transaction():
            published = await publish_batch(connection, publisher)
        self._unasked |= published.unasked
        if published.has_asked:
            self._look.set()
        if published.failure is not None:
            raise published.failure
        return published.is_full

    # -- being woken

    async def _listen_for_ever(self) -> None:
        """LISTEN on a connection of its own; a lost one is noticed and opened again (a look each second is the net)."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                connection = await asyncpg.connect(
                    self._settings.database_url,
                    timeout=10,
                    server_settings={"application_name": LISTENER_NAME},
                )
                try:
                    await connection.add_listener("outbox", lambda *_: self._look.set())
                    self._is_listening = True
                    self._look.set()
                    pause = FIRST_PAUSE_SECONDS
                    while True:
                        await connection.execute("SELECT 1", timeout=5)
                        await asyncio.sleep(LISTEN_CHECK_SECONDS)
                finally:
                    self._is_listening = False
                    connection.terminate()
            except DATABASE_AWAY as error:
                log.warning("not listening, trying again in %.1f s: %s", pause, type(error).__name__)
            except Exception:
                log.exception("not listening, trying again in %.1f s", pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def _wait_for_a_look(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._look.wait(), seconds)

    # -- asking

    async def _ask_for_ever(self) -> None:
        await self._repeat(LOOK_SECONDS, ask_due_payments)

    async def _ask_webhooks_for_ever(self) -> None:
        # Apart from the payments: what goes wrong here keeps nobody from being asked about money.
        await self._repeat(LOOK_SECONDS, self._ask_webhooks)

    async def _ask_webhooks(self, connection: Any) -> int:
        unasked, self._unasked = self._unasked, set()
        if unasked:
            self._unasked |= await webhook_events.settle(connection, unasked)
        return await webhook_events.ask_due(connection)

    async def _sweep_for_ever(self) -> None:
        await self._repeat(SWEEP_SECONDS, sweep)

    async def _forget_for_ever(self) -> None:
        # Apart from the sweep: what is about money is asked for whatever becomes of this.
        await asyncio.sleep(SWEEP_SECONDS)
        await self._repeat(SWEEP_SECONDS, self._forget)

    async def _forget(self, connection: Any) -> int:
        await forget(connection, self._settings.keep_days.model_dump())
        return 0

    async def _schedule_for_ever(self) -> None:
        # Not among the first things of a relay that has much to catch up with.
        await asyncio.sleep(SWEEP_SECONDS)
        await self._repeat(SWEEP_SECONDS, ask_for_self_checks)

    # -- what others may know of it

    async def _count_for_ever(self) -> None:
        while True:
            await self._count()
            # Soon again while there is nobody to ask.
            await asyncio.sleep(RENEW_SECONDS if self._dead_letters is None else SWEEP_SECONDS)

    async def _count(self) -> None:
        """Count the dead letters, None while the broker is away; more in a queue than before are an error."""
        counts: dict[str, int] | None = None
        try:
            if self._publisher is not None:
                counts = await self._publisher.count_dead_letters()
        except BrokerAwayError as error:
            log.warning("dead letters are not counted: %s", error)
        except Exception:
            log.exception("dead letters are not counted")
        self._dead_letters = None if counts is None else sum(counts.values())
        if counts is None:
            return
        for queue, count in counts.items():
            new = count - self._known_dead_letters.get(queue, 0)
            if new > 0:
                log.error("%d dead letters of the queue %s, %d of them new", count, queue, new)
        self._known_dead_letters = counts

    async def _renew_for_ever(self) -> None:
        await self._repeat(RENEW_SECONDS, self._renew)

    async def _renew(self, connection: Any) -> int:
        await queries.relays.renew_relay(
            connection, relay_id=self._id, listening=self._is_listening, dead_letters=self._dead_letters
        )
        return 0

    # -- the loops' common ground

    async def _repeat(self, seconds: float, ask: Callable[[Any], Awaitable[int]]) -> None:
        while True:
            try:
                async with (await self._open_pool()).acquire() as connection, connection.transaction():
                    asked = await ask(connection)
                if asked:
                    self._look.set()
            except DATABASE_AWAY as error:
                log.warning("the database is away: %s", type(error).__name__)
            except Exception:
                # A statement that took too long, a deadlock, or a bug must not stop the publishing.
                log.exception("%s failed, once more in %.0f s", ask.__name__, seconds)
            await asyncio.sleep(seconds)

    async def _open_pool(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                # Rows published and not yet deleted are published again; wishes asked for and lost are asked for again.
                self._pool = await open_pool(self._settings.database_url, size=4, program="relay", repeatable=True)
        return self._pool


async def main() -> None:
    settings = Settings()
    logs.configure("relay", settings.log_level)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    showing = asyncio.create_task(show_alive(settings.alive_file)) if settings.alive_file is not None else None
    await Relay(settings, stop).run()
    if showing is not None:
        showing.cancel()


if __name__ == "__main__":
    uvloop.run(main())
