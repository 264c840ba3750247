"""Everybody who comes from outside: donors, overlays, the streamers' wishes. In a thread of its own, because servers
have to be started from the main one, which waits for them.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import httpx

from tests.chaos.browsers import Browser, Journal, Storage
from tests.chaos.donors import DonorAtWork, GoneAwayError, message_of
from tests.chaos.faults import set_faults
from tests.chaos.house import House, open_house
from tests.chaos.plan import PROVIDERS, TBANK, DonorPlan, Plan
from tests.support.programs import Stack

T = TypeVar("T")

DONORS_AT_ONCE = 120
"""Who comes when so many are there waits; a slow machine then has fewer a second."""


class Load:
    def __init__(self, stack: Stack, plan: Plan, *, per_second: float, say: Callable[[str], None]) -> None:
        self._stack = stack
        self._plan = plan
        self._per_second = per_second
        self._say = say
        self._thread = threading.Thread(target=self._run, name="load")
        self._is_open: Future[House] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None
        self._browsers: list[Browser] = []
        self.begun = 0
        self.donors_are_gone = threading.Event()
        self.gone_away: list[str] = []
        """Donors who got no further, and where."""
        self.ends: Counter[str] = Counter()
        self.journals = {name: Journal() for name in PROVIDERS}

    def start(self) -> House:
        """Open the house and let the donors come; raises what went wrong with either."""
        self._thread.start()
        return self._is_open.result()

    def ask(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Have it done in the load's own loop."""
        assert self._loop is not None, "started"
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def cut_sockets(self) -> None:
        assert self._loop is not None, "started"
        for browser in self._browsers:
            self._loop.call_soon_threadsafe(browser.cut)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        if self._loop is not None and self._closing is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:
            if not self._is_open.done():
                self._is_open.set_exception(error)
            else:
                self.gone_away.append(f"the load itself: {error!r}")
        finally:
            self.donors_are_gone.set()

    async def _live(self) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        async with open_house(self._stack) as house:
            await set_faults(house, self._plan.seed)
            watching = self._open_browsers(house)
            self._is_open.set_result(house)
            donors = asyncio.create_task(self._let_donors_come(house))
            closing = asyncio.create_task(self._closing.wait())
            # A browser that ends by itself was refused, or has a bug.
            await asyncio.wait([closing, *watching], return_when=asyncio.FIRST_COMPLETED)
            tasks = [donors, closing, *watching]
            for task in tasks:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, Exception):
                    raise result

    def _open_browsers(self, house: House) -> list[asyncio.Task[None]]:
        """One streamer has two sources in one OBS."""
        for provider, streamer in house.streamers.items():
            storage, journal = Storage(), self.journals[provider]
            fates = {message_of(donor.number): donor.fate for donor in self._plan.donors}
            for _ in range(2 if provider == TBANK else 1):
                self._browsers.append(Browser(self._stack.realtime_url, streamer.token, storage, journal, fates))
        return [asyncio.create_task(browser.run()) for browser in self._browsers]

    async def _let_donors_come(self, house: House) -> None:
        room = asyncio.Semaphore(DONORS_AT_ONCE)
        began_at = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for donor in self._plan.donors:
                await asyncio.sleep(began_at + donor.number / self._per_second - asyncio.get_running_loop().time())
                await room.acquire()
                self.begun += 1
                group.create_task(self._attend(house, donor, room))
        self.donors_are_gone.set()

    async def _attend(self, house: House, donor: DonorPlan, room: asyncio.Semaphore) -> None:
        address = {"X-Forwarded-For": f"198.51.{donor.number // 250 % 250}.{donor.number % 250 + 1}"}
        try:
            async with httpx.AsyncClient(headers=address, trust_env=False, verify=False) as http:
                await DonorAtWork(house, http, donor).go()
            self.ends["came to the end"] += 1
        except GoneAwayError as error:
            self.ends["gave up"] += 1
            self._say(f"donor {donor.number} ({donor.act}) got no further: {error}")
        except Exception as error:
            self.gone_away.append(f"donor {donor.number} ({donor.act}): {error!r}")
        finally:
            room.release()
