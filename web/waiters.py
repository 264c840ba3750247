"""Requests that wait for news about a donation: woken through Redis, never only through it.

    with parts().waiters.watch(donation_id) as watch:
        while not ready(await read()):
            await watch.wait(timeout_seconds=1)

Watch first, then read: what happens between the two is not missed. The timeout is the net for lost wake-ups.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator

from domain.events import WAKE_CHANNEL, Wake
from infra.redis import listen


class Watch:
    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def wait(self, timeout_seconds: float) -> bool:
        """True when something happened since the last wait; False after `timeout_seconds` of silence."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True


class Waiters:
    """The watches of this process, woken by one subscription."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._watches: defaultdict[int, set[Watch]] = defaultdict(set)

    @contextlib.contextmanager
    def watch(self, donation_id: int) -> Iterator[Watch]:
        watch = Watch()
        self._watches[donation_id].add(watch)
        try:
            yield watch
        finally:
            self._watches[donation_id].discard(watch)
            if not self._watches[donation_id]:
                del self._watches[donation_id]

    async def run(self) -> None:
        """Pass wake-ups on, for ever."""
        async for text in listen(self._redis_url, WAKE_CHANNEL):
            if text is None:
                self._wake_all()
                continue
            wake = Wake.decode(text)
            if wake is not None and wake.donation_id is not None:
                for watch in self._watches.get(wake.donation_id, ()):
                    watch.wake()

    def _wake_all(self) -> None:
        for watches in self._watches.values():
            for watch in watches:
                watch.wake()
