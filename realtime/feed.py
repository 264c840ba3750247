"""Tells listeners (bots, and programs of version 1) what happens to their streamers (docs/decisions/0043).

    wake, or every two seconds ──▶ read what changed (domain/bot_feed.py) ──▶ tell each listener what is news to it

One look at a time, for all streamers that are wanted; what comes meanwhile is the next look's. Who takes long to be
told is told beside the looks that follow, and is looked for again when it has heard all of this one. A listener's place
is a moment: all that happened before it was told. What happened after is read again until the horizon has passed it,
and told if it is not what was told last.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain import bot_feed
from domain.alerts import AlertStatus
from domain.bot_feed import MISSED_MAX, MISSED_TIME, ToldAlert, ToldDonation
from domain.scopes import Scope
from infra.database import DATABASE_AWAY
from realtime.database import Database
from realtime.partings import Partings

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
PAUSE_SECONDS = 0.05
"""After a look: news of many donations a second are told together."""
READ_SECONDS = 15.0
TURN_SECONDS = 0.2
"""So long a look waits until all have been told what it found."""
TELL_SECONDS = 5.0
"""Whom one thing cannot be told in this time is shown out."""

_WAITS = frozenset({AlertStatus.QUEUED, AlertStatus.PLAYING})


class Told(StrEnum):
    """What a listener is told, by the names bots know."""

    WELCOME = "welcome"
    GAP = "gap"
    DONATION = "donation"
    ALERT = "alert"
    GOAL = "goal"
    STATS = "stats"
    CONTROLS = "controls"
    CURSOR = "cursor"


@dataclass(frozen=True)
class News:
    """`place`: who comes back with it is told all that it has not heard. `is_release`: the first word of a donation."""

    told: Told
    place: datetime
    item: Any = None
    is_release: bool = False


@dataclass(eq=False)
class Listener:
    """`since` None: from now on. `show_out` is called once where it could not be told: it comes back with its place."""

    streamer_id: int
    scopes: frozenset[Scope]
    tell: Callable[[News], Awaitable[None]]
    show_out: Callable[[], Awaitable[None]]
    since: datetime | None = None
    is_new: bool = True
    is_being_told: bool = False
    has_missed_look: bool = False
    is_behind: bool = False
    """What was told last is younger than the place that was told with it."""
    newest: datetime | None = None
    changes: dict[tuple[Told, Any], Any] = field(default_factory=dict)
    """What was told of donations and alerts that the next look will read again."""
    states: dict[tuple[Told, Any], Any] = field(default_factory=dict)

    def __contains__(self, scope: Scope) -> bool:
        return scope in self.scopes


@dataclass(frozen=True)
class Look:
    """What one look found, by streamer."""

    horizon: datetime
    donations: dict[int, list[ToldDonation]]
    alerts: dict[int, list[ToldAlert]]
    goals: dict[int, list[bot_feed.ToldGoal]]
    stats: dict[int, bot_feed.ToldStats]
    controls: dict[int, bot_feed.ToldControls]


class Feed:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: dict[int, set[Listener]] = {}
        self._wanted: set[int] = set()
        self._awake = asyncio.Event()
        self._telling: set[asyncio.Task[None]] = set()
        self._partings = Partings()

    def add(self, listener: Listener) -> None:
        """From now on it is told; the first words come at once."""
        self._listeners.setdefault(listener.streamer_id, set()).add(listener)
        self.look_at(listener.streamer_id)

    def remove(self, listener: Listener) -> None:
        others = self._listeners.get(listener.streamer_id, set())
        others.discard(listener)
        if not others:
            self._listeners.pop(listener.streamer_id, None)

    def look_at(self, streamer_id: int) -> None:
        if streamer_id in self._listeners:
            self._wanted.add(streamer_id)
            self._awake.set()

    def look_now(self) -> None:
        """Something may have been missed."""
        self._wanted |= self._listeners.keys()
        self._awake.set()

    def count(self) -> int:
        return sum(len(listeners) for listeners in self._listeners.values())

    async def run(self) -> None:
        """Look and tell, for ever. The two seconds are counted from the last look at everybody."""
        try:
            await self._run()
        finally:
            for task in self._telling:
                task.cancel()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        all_at = loop.time()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(all_at + LOOK_SECONDS):
                    await self._awake.wait()
            if loop.time() >= all_at + LOOK_SECONDS:
                all_at = loop.time()
                self._wanted |= self._listeners.keys()
            self._awake.clear()
            wanted, self._wanted = self._wanted, set()
            try:
                await self._look(wanted)
            except DATABASE_AWAY as error:
                log.warning("Bots wait for PostgreSQL: %s", type(error).__name__)
            except Exception:
                log.exception("Telling bots failed")
            await asyncio.sleep(PAUSE_SECONDS)

    async def _look(self, streamer_ids: set[int]) -> None:
        listeners = []
        for listener in (one for streamer_id in streamer_ids for one in self._listeners.get(streamer_id, ())):
            if listener.is_being_told:
                listener.has_missed_look = True
            else:
                listeners.append(listener)
        if not listeners:
            return
        async with asyncio.timeout(READ_SECONDS), self._database.connection() as connection:
            look = await _read(connection, listeners)
        telling = {asyncio.create_task(self._tell(listener, look)) for listener in listeners}
        self._telling |= telling
        for task in telling:
            task.add_done_callback(self._telling.discard)
        await asyncio.wait(telling, timeout=TURN_SECONDS)

    async def _tell(self, listener: Listener, look: Look) -> None:
        if listener not in self._listeners.get(listener.streamer_id, ()):
            return
        listener.is_being_told, listener.has_missed_look = True, False
        try:
            await _tell(listener, look)
        except TimeoutError:
            log.warning("A listener took too long to be told, and is to come back")
            self._end(listener)
        except Exception:
            log.exception("A listener could not be told, and is to come back")
            self._end(listener)
        finally:
            listener.is_being_told = False
            if listener.has_missed_look:
                self.look_at(listener.streamer_id)

    def _end(self, listener: Listener) -> None:
        self.remove(listener)
        self._partings.begin(listener.show_out)


async def _read(connection: Any, listeners: list[Listener]) -> Look:
    """The horizon first: what is read after it cannot lack anything older."""
    horizon = await bot_feed.read_horizon(connection)

    def sinces(scope: Scope) -> dict[int, datetime]:
        found: dict[int, datetime] = {}
        for listener in listeners:
            if scope in listener:
                since = listener.since or horizon
                found[listener.streamer_id] = min(since, found.get(listener.streamer_id, since))
        return found

    donations, alerts, goals = sinces(Scope.DONATIONS_READ), sinces(Scope.ALERTS_READ), sinces(Scope.GOALS_READ)
    stats = sinces(Scope.STATS_READ)
    return Look(
        horizon=horizon,
        donations=await bot_feed.list_donations(connection, donations) if donations else {},
        alerts=await bot_feed.list_alerts(connection, alerts) if alerts else {},
        goals=await bot_feed.list_goals(connection, goals) if goals else {},
        stats=await bot_feed.list_stats(connection, set(stats)) if stats else {},
        controls=await bot_feed.list_controls(connection, set(alerts)) if alerts else {},
    )


async def _tell(listener: Listener, look: Look) -> None:
    """Steps: the welcome; what cannot be told; donations and alerts in the order they changed; goals, totals and
    controls as they are; and, once the horizon has passed all that, the place where nothing is told twice.

    Whatever it is, it counts as told after it was told.
    """
    since = listener.since or look.horizon
    is_silent = listener.since is None
    if listener.is_new:
        since = min(since, look.horizon)
        await _say(listener, News(Told.WELCOME, since))
        listener.is_new = False
    changes, is_cut = _changes(listener, look, since)
    if is_silent:
        # It listens from here on: what there is already counts as told.
        listener.changes |= changes
    elif is_cut:
        await _say(listener, News(Told.GAP, since))
    listener.since = since
    for key, item in changes.items():
        if listener.changes.get(key) == item:
            continue
        told = key[0]
        is_release = told is Told.DONATION and item.is_good and key not in listener.changes
        place = max(since, min(item.at, look.horizon))
        await _say(listener, News(told, place, item, is_release=is_release and item.released_at >= since))
        listener.changes[key] = item
        listener.is_behind = True
        listener.newest = max(item.at, listener.newest or item.at)
    # The next look reads no others again.
    listener.changes = {key: item for key, item in listener.changes.items() if key in changes}
    place = max(since, look.horizon)
    has_told = False
    for key, state in _states(listener, look, since):
        if listener.states.get(key) != state:
            await _say(listener, News(key[0], place, state))
            listener.states[key] = state
            has_told = True
    if listener.is_behind and (listener.newest is None or listener.newest < place):
        if not has_told:
            await _say(listener, News(Told.CURSOR, place))
        listener.is_behind = False
    listener.since = place


async def _say(listener: Listener, news: News) -> None:
    async with asyncio.timeout(TELL_SECONDS):
        await listener.tell(news)


def _key(item: ToldDonation | ToldAlert) -> Any:
    return item.id if isinstance(item, ToldDonation) else item.alert_id


def _changes(listener: Listener, look: Look, since: datetime) -> tuple[dict[tuple[Told, Any], Any], bool]:
    """Donations and alerts that changed since then, the oldest change first; whether older ones are left out."""
    streamer_id, oldest = listener.streamer_id, look.horizon - MISSED_TIME
    donations, alerts = [], []
    if Scope.DONATIONS_READ in listener:
        donations = [item for item in look.donations[streamer_id] if item.at >= since]
    if Scope.ALERTS_READ in listener:
        alerts = [item for item in look.alerts[streamer_id] if item.at >= since or item.status in _WAITS]
    waiting = [item for item in alerts if item.status in _WAITS]
    ended = [item for item in alerts if item.status not in _WAITS]
    found: list[tuple[Told, Any]] = [(Told.ALERT, item) for item in waiting]
    is_cut = False
    for told, items in ((Told.DONATION, donations), (Told.ALERT, ended)):
        kept = [item for item in items[-MISSED_MAX:] if item.at >= oldest]
        left_out = items[: len(items) - len(kept)]
        is_cut |= any((told, _key(item)) not in listener.changes for item in left_out)
        found += [(told, item) for item in kept]
    found.sort(key=lambda one: one[1].at)
    return {(told, _key(item)): item for told, item in found}, is_cut


def _states(listener: Listener, look: Look, since: datetime) -> list[tuple[tuple[Told, Any], Any]]:
    streamer_id = listener.streamer_id
    states: list[tuple[tuple[Told, Any], Any]] = []
    if Scope.GOALS_READ in listener:
        goals = [goal for goal in look.goals[streamer_id] if goal.ended_at is None or goal.ended_at >= since]
        states += [((Told.GOAL, goal.id), goal) for goal in goals]
    if Scope.STATS_READ in listener and streamer_id in look.stats:
        states.append(((Told.STATS, None), look.stats[streamer_id]))
    if Scope.ALERTS_READ in listener and streamer_id in look.controls:
        states.append(((Told.CONTROLS, None), look.controls[streamer_id]))
    return states
