"""Wake-ups of this process: sent after each change of ours, heard from the others (DESIGN 14)."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from redis.asyncio import Redis

from domain.events import WAKE_CHANNEL, Wake
from infra.redis import REDIS_AWAY, listen, open_redis, publish

MAX_WAITING = 10_000
CHECK_SECONDS = 1.0


class Wakes:
    """`send` never waits: one task publishes in the background, best effort."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._redis: Redis = open_redis(redis_url)
        self._waiting: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING)

    def send(self, wakes: Iterable[Wake]) -> None:
        for wake in wakes:
            # A full queue means that Redis hangs; whoever misses this looks by himself.
            with contextlib.suppress(asyncio.QueueFull):
                self._waiting.put_nowait(wake.encode())

    async def publish_all(self) -> None:
        """Publish what `send` was given, for ever."""
        while True:
            texts = [await self._waiting.get()]
            while not self._waiting.empty():
                texts.append(self._waiting.get_nowait())
            await publish(self._redis, WAKE_CHANNEL, texts)

    async def hear(self, on_wake: Callable[[Wake], None], on_subscribed: Callable[[], None]) -> None:
        """Pass on what others say, for ever. After `on_subscribed` something may have been missed."""
        async for text in listen(self._redis_url, WAKE_CHANNEL):
            if text is None:
                on_subscribed()
            elif (wake := Wake.decode(text)) is not None:
                on_wake(wake)

    async def answers(self) -> bool:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                return bool(await self._redis.ping())
        except REDIS_AWAY:
            return False

    async def close(self) -> None:
        with contextlib.suppress(*REDIS_AWAY):
            await self._redis.aclose()
