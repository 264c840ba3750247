"""What an actor works with: opened on Dramatiq's event loop before the worker takes work, closed after it."""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import asyncpg
import dramatiq
import httpx
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.middleware import Middleware, MiddlewareError
from redis.asyncio import Redis

from domain.events import QUEUE_OF, WAKE_CHANNEL, Actor, Wake
from domain.terminals import Terminal
from infra import redis as redis_infra
from infra.crypto import SecretBox
from infra.database import open_pool
from infra.liveness import show_alive
from infra.outgoing import Outgoing
from infra.relay_waker import RelayWaker
from infra.settings import Settings
from providers.catalogue import open_providers
from providers.provider import Credentials, Provider

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    """A streamer's terminal, ready to be spoken to."""

    provider: Provider
    credentials: Credentials


@dataclass(frozen=True)
class Parts:
    """The open ends of a worker process."""

    settings: Settings
    pool: asyncpg.Pool
    redis: Redis
    box: SecretBox
    providers: Mapping[str, Provider]
    relay: RelayWaker
    http: httpx.AsyncClient
    outgoing: Outgoing
    """For addresses that strangers gave."""

    def account(self, terminal: Terminal) -> Account:
        provider = self.providers[terminal.provider]
        return Account(provider, Credentials(terminal.terminal_key, terminal.secret(self.box)))

    async def wake(self, wakes: Iterable[Wake | None]) -> None:
        """Tell whoever shows it that something was committed."""
        texts = [wake.encode() for wake in wakes if wake is not None]
        await redis_infra.publish(self.redis, WAKE_CHANNEL, texts)

    async def after_commit(self, wakes: Iterable[Wake | None] = ()) -> None:
        """The same, and wake the relay: the outbox may have rows."""
        try:
            await self.wake(wakes)
        finally:
            self.relay.wake()


async def open_parts(settings: Settings, *, pool_size: int) -> Parts:
    # A worker that starts while PostgreSQL is away must not be without a pool for ever.
    pool = await open_pool(settings.database_url, size=pool_size, program="tasks", least=0)
    http = httpx.AsyncClient()
    return Parts(
        settings=settings,
        pool=pool,
        redis=redis_infra.open_redis(settings.redis_url),
        box=SecretBox(settings.secret_keys.get_secret_value()),
        providers=open_providers(
            http,
            api_urls=settings.provider_api_urls,
            timeout_seconds=settings.provider_timeout_seconds,
            connect_timeout_seconds=settings.provider_connect_timeout_seconds,
        ),
        relay=RelayWaker(lambda: pool),
        http=http,
        outgoing=Outgoing(own_hosts=settings.own_hosts, allows_loopback=settings.tells_loopback),
    )


async def close_parts(parts: Parts) -> None:
    await parts.relay.close()
    await parts.http.aclose()
    parts.outgoing.close()
    await parts.redis.aclose()
    try:
        # An actor that did not end in time still holds a connection; its message goes back to the broker.
        await asyncio.wait_for(parts.pool.close(), 1)
    except TimeoutError:
        log.warning("stopping in the middle of an actor")


class OpenParts(Middleware):
    """Opens the parts on the loop of Dramatiq's AsyncIO middleware, which must stand before this one.

    The pool is as large as the worker has threads: each runs one actor at a time.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.parts: Parts | None = None
        self._showing: Future[None] | None = None

    def before_worker_boot(self, _broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        threads: int = worker.worker_threads
        try:
            self.parts = _loop().run_coroutine(open_parts(self._settings, pool_size=threads + 1))
        except Exception as error:
            # Any other exception Dramatiq would log, and then go on without parts, failing every message.
            raise MiddlewareError("the worker's parts could not be opened") from error
        if self._settings.alive_file is not None:
            self._showing = asyncio.run_coroutine_threadsafe(show_alive(self._settings.alive_file), _loop().loop)

    def after_worker_shutdown(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        if self._showing is not None:
            self._showing.cancel()
        if self.parts is not None:
            _loop().run_coroutine(close_parts(self.parts))
            self.parts = None


def _loop() -> Any:
    loop = get_event_loop_thread()
    assert loop is not None, "OpenParts stands before AsyncIO"
    return loop


def declare(
    broker: dramatiq.Broker,
    opener: OpenParts,
    name: Actor,
    function: Callable[[Parts, int], Awaitable[None]],
    *,
    max_retries: int | None,
    time_limit_seconds: int,
    max_backoff_seconds: int = 60,
) -> None:
    """Make `function(parts, id)` the actor `name` on its queue, with its own retries and limits.

    Retries wait at most five minutes: RabbitMQ closes a channel that holds a message for thirty.
    """

    @functools.wraps(function)
    async def act(argument: int) -> None:
        assert opener.parts is not None, "the worker has booted"
        await function(opener.parts, argument)

    dramatiq.actor(
        actor_name=name,
        queue_name=QUEUE_OF[name],
        broker=broker,
        max_retries=max_retries,
        min_backoff=1_000,
        max_backoff=min(max_backoff_seconds, 300) * 1_000,
        time_limit=time_limit_seconds * 1_000,
    )(act)
