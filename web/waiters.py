"""Requests that wait for news about something: woken through Redis, never only through it.

    with parts().waiters.watch(donation_id) as watch:
        while not ready(await read()):
            await watch.wait(timeout_seconds=1)

Watch first, then read: what happens between the two is not missed. The timeout is the net for lost wake-ups.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator

from domain.events import WAKE_CHANNEL, Topic, Wake
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
        # By what is waited for: ("donation", its id), or ("files", whose).
        self._watches: defaultdict[tuple[str, int], set[Watch]] = defaultdict(set)

    def watch(self, donation_id: int) -> contextlib.AbstractContextManager[Watch]:
        """For news about a donation or its payment."""
        return self._watch(("donation", donation_id))

    def watch_files(self, streamer_id: int) -> contextlib.AbstractContextManager[Watch]:
        """For what is found out about a streamer's uploaded files."""
        return self._watch(("files", streamer_id))

    @contextlib.contextmanager
    def _watch(self, key: tuple[str, int]) -> Iterator[Watch]:
        watch = Watch()
        self._watches[key].add(watch)
        try:
            yield watch
        finally:
            self._watches[key].discard(watch)
            if not self._watches[key]:
                del self._watches[key]

    async def run(self) -> None:
        """Pass wake-ups on, for ever."""
        async for text in listen(self._redis_url, WAKE_CHANNEL):
            if text is None:
                self._wake_all()
                continue
            wake = Wake.decode(text)
            if wake is None:
                continue
            if wake.donation_id is not None:
                self._wake(("donation", wake.donation_id))
            if Topic.FILES in wake.topics:
                self._wake(("files", wake.streamer_id))

    def _wake(self, key: tuple[str, int]) -> None:
        for watch in self._watches.get(key, ()):
            watch.wake()

    def _wake_all(self) -> None:
        for watches in self._watches.values():
            for watch in watches:
                watch.wake()
