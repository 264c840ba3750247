"""A donor's page waits on the server until what it shows has changed (no grid of polls).

Redis wakes a wait at once (`web/waiters.py`); a look at the database every second makes it work without Redis.
"""

import asyncio

from domain.donations import FINAL_STATES, DonorState, DonorView, read_donor_view
from web.context import parts

WAIT_SECONDS = 20.0
"""The longest wait of one request: below the silence after which mobile networks and proxies cut connections."""
HINT_AFTER_SECONDS = 15.0
"""Without progress for so long, the page says what may help."""
LOOK_SECONDS = 1.0
OLD_LOOK_SECONDS = 5.0
OLD_AFTER_SECONDS = 15 * 60.0
"""A page still open after so long is looked up less often."""

WAITS_MAX = 1000
"""Waits at the database at once in one process; who comes beyond them waits without looking."""
CROWDED_SECONDS = 5.0

# Where a wait has a hint after HINT_AFTER_SECONDS.
_HINTED = frozenset({DonorState.CREATING, DonorState.OPEN, DonorState.CHECKING})

_waits = 0


def is_slow(view: DonorView) -> bool:
    return view.state in _HINTED and view.since_seconds >= HINT_AFTER_SECONDS


def is_final(view: DonorView) -> bool:
    return view.state in FINAL_STATES


def page_version(view: DonorView) -> str:
    """Changes when anything on the page would: the donation's version, and whether the hint is shown."""
    return f"{view.version}-{int(is_slow(view))}"


async def look(public_id: str) -> DonorView | None:
    async with parts().pool.acquire() as connection:
        return await read_donor_view(connection, public_id)


async def wait_for_change(view: DonorView, known_version: str, timeout_seconds: float = WAIT_SECONDS) -> DonorView:
    """The donation as soon as it differs from `known_version`, or as it is when the time is over.

    No connection is held meanwhile. A browser that goes away cancels the request, and with it this wait.
    """
    global _waits
    if page_version(view) != known_version or is_final(view):
        return view
    deadline = asyncio.get_running_loop().time() + timeout_seconds
    if _waits >= WAITS_MAX:
        await asyncio.sleep(min(CROWDED_SECONDS, timeout_seconds))
        return await look(view.public_id) or view
    _waits += 1
    try:
        with parts().waiters.watch(view.donation_id) as watch:
            while page_version(view) == known_version and not is_final(view):
                view = await look(view.public_id) or view
                left_seconds = deadline - asyncio.get_running_loop().time()
                if page_version(view) != known_version or left_seconds <= 0:
                    break
                await watch.wait(min(_pause_seconds(view), left_seconds))
    finally:
        _waits -= 1
    return view


def _pause_seconds(view: DonorView) -> float:
    if view.since_seconds >= OLD_AFTER_SECONDS:
        return OLD_LOOK_SECONDS
    return LOOK_SECONDS
