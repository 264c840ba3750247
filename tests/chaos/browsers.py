"""Overlays that obey docs/realtime.md and die, break off and hide as planned; and a journal of what people saw.

An alert is on the screen for a moment only, so that thousands go by in minutes: `seen` and `finished` follow at once.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.overlay import OVERLAY_AWAY, Overlay, OverlayRefusedError
from tests.chaos.plan import Fate

KEPT = 30
"""How much the page remembers, as ours does (static/overlay/memory.js)."""
READABLE_SECONDS = 0.05
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
AGAIN_SECONDS = 0.3


@dataclass(frozen=True)
class Sight:
    """An alert whose text was readable, on one of a streamer's overlays."""

    alert_id: uuid.UUID
    donation_id: int
    message: str
    amount_minor: int


@dataclass
class Journal:
    """What people saw on a streamer's overlays, in order; what was on the screen and went unseen; and the rest."""

    seen: list[Sight] = field(default_factory=list)
    cut: Counter[int] = field(default_factory=Counter)
    """By donation, how often its alert left the screen before its text was readable."""
    counts: Counter[str] = field(default_factory=Counter)


class Storage:
    """A browser's localStorage, which all sources of one OBS share and which outlives them."""

    def __init__(self) -> None:
        self._words: list[dict[str, Any]] = []

    def has(self, alert_id: str) -> bool:
        return any(word["alert_id"] == alert_id for word in self._words)

    def remember(self, lease: Mapping[str, str], *, finished: bool) -> None:
        others = [word for word in self._words if word["lease_id"] != lease["lease_id"]]
        self._words = [*others, {**lease, "finished": finished}][-KEPT:]

    def seen(self) -> list[dict[str, Any]]:
        return list(self._words)


class Browser:
    """One browser source of OBS. `run` keeps it open for ever."""

    def __init__(
        self, realtime_url: str, token: str, storage: Storage, journal: Journal, fates: dict[str, Fate]
    ) -> None:
        """`fates`: by message, what befalls the first showing; taken out when it has happened."""
        self._realtime_url = realtime_url
        self._token = token
        self._storage = storage
        self._journal = journal
        self._fates = fates
        self._id = uuid.uuid4()
        self._playing: dict[str, Any] | None = None
        self._overlay: Overlay | None = None
        self._showing: asyncio.Task[None] | None = None

    def cut(self) -> None:
        """The network fails; the page lives."""
        if self._overlay is not None:
            self._overlay.break_off()

    async def run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            hello: dict[str, Any] = {"seen": self._storage.seen(), "visible": True, "active": True}
            if self._playing is not None:
                hello["playing"] = _lease(self._playing)
            overlay = Overlay(self._realtime_url, self._token, overlay_id=self._id, in_obs=True, hello=hello)
            try:
                await overlay.connect()
                self._overlay, pause = overlay, FIRST_PAUSE_SECONDS
                while True:
                    await self._hear(overlay, await overlay.next())
            except OverlayRefusedError as error:
                if error.code != "try_again":
                    raise
            except OVERLAY_AWAY:
                pass
            finally:
                self._overlay = None
                await self._stop_showing()
                await overlay.leave()
            self._journal.counts["connections lost or refused"] += 1
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _hear(self, overlay: Overlay, heard: Any) -> None:
        match heard.event:
            case "welcome" if self._playing is not None:
                if heard.data["goes_on"]:
                    self._show(overlay, self._playing, resumed=True)
                else:
                    self._drop()
            case "offer":
                self._show(overlay, heard.data, resumed=False)
            case "stop" if self._playing is not None and self._playing["lease_id"] == heard.data["lease_id"]:
                await self._stop_showing()
                self._drop()

    def _show(self, overlay: Overlay, alert: dict[str, Any], *, resumed: bool) -> None:
        self._showing = asyncio.create_task(self._show_after(self._showing, overlay, alert, resumed=resumed))

    async def _show_after(
        self, former: asyncio.Task[None] | None, overlay: Overlay, alert: dict[str, Any], *, resumed: bool
    ) -> None:
        """An offer may come before the last word about the alert before it was answered."""
        if former is not None:
            await former
        try:
            await self._play(overlay, alert, resumed=resumed)
        except OVERLAY_AWAY:
            overlay.break_off()

    async def _stop_showing(self) -> None:
        task, self._showing = self._showing, None
        if task is not None:
            task.cancel()
            (result,) = await asyncio.gather(task, return_exceptions=True)
            if isinstance(result, Exception):
                raise result

    def _drop(self) -> None:
        """What was on the screen is not any more."""
        alert, self._playing = self._playing, None
        if alert is not None and not self._storage.has(alert["alert_id"]):
            self._journal.cut[alert["donation_id"]] += 1

    async def _play(self, overlay: Overlay, alert: dict[str, Any], *, resumed: bool) -> None:
        """An alert from its start (or from where the broken socket left it) to its end, or to its fate."""
        lease = _lease(alert)
        if not resumed:
            self._drop()
        if self._storage.has(alert["alert_id"]):
            # Seen, and that could not be said in time: only confirmed.
            self._journal.counts["alerts only confirmed again"] += 1
            await self._finish(overlay, lease)
            return
        self._playing = alert
        if not resumed and not _is_current(await _say(overlay, "started", lease)):
            self._drop()
            return
        fate = self._fates.pop(alert["message"], Fate.SHOWN)
        if fate is not Fate.SHOWN:
            self._journal.counts[fate] += 1
        await asyncio.sleep(READABLE_SECONDS)
        match fate:
            case Fate.KILLED_UNSEEN:
                self._die(overlay)
                return
            case Fate.CUT_UNSEEN:
                overlay.break_off()
                return
            case Fate.HIDDEN:
                self._drop()
                await overlay.say("state", {"visible": False, "active": False})
                await asyncio.sleep(AGAIN_SECONDS)
                await overlay.say("state", {"visible": True, "active": True})
                return
        # As a browser does: remembered before it is said, so that it is never shown again.
        self._storage.remember(lease, finished=False)
        self._journal.seen.append(
            Sight(uuid.UUID(alert["alert_id"]), alert["donation_id"], alert["message"], alert["amount_minor"])
        )
        if fate is Fate.CUT_UNSAID:
            overlay.break_off()
            return
        await _say(overlay, "seen", lease)
        if fate is Fate.KILLED_SEEN:
            self._die(overlay)
            return
        await self._finish(overlay, lease, is_seen_said=True)

    async def _finish(self, overlay: Overlay, lease: dict[str, str], *, is_seen_said: bool = False) -> None:
        self._storage.remember(lease, finished=True)
        self._playing = None
        if not is_seen_said:
            await _say(overlay, "seen", lease)
        await _say(overlay, "finished", lease)

    def _die(self, overlay: Overlay) -> None:
        """The browser is killed, and OBS opens the page anew."""
        self._drop()
        self._id = uuid.uuid4()
        overlay.break_off()


async def _say(overlay: Overlay, word: str, lease: dict[str, str]) -> dict[str, Any]:
    while True:
        answer: dict[str, Any] = await overlay.say(word, lease)
        if answer.get("code") not in ("try_again", "error"):
            return answer
        await asyncio.sleep(AGAIN_SECONDS)


def _is_current(answer: dict[str, Any]) -> bool:
    return bool(answer["ok"]) and not answer["late"]


def _lease(alert: dict[str, Any]) -> dict[str, str]:
    return {"alert_id": alert["alert_id"], "lease_id": alert["lease_id"]}
