"""The demo's own overlay: watches what plays, and plays it itself when no other overlay does.

It connects as an ordinary tab, so any OBS, and a tab that was there before, speaks rather than it (DESIGN 13); then it
only mirrors. When it speaks it keeps an overlay's promise: an alert is `seen` after its text was readable long enough.
"""

import asyncio
import time
import uuid
from collections import deque
from dataclasses import dataclass
from typing import Any

from simulator.overlay import OVERLAY_AWAY, Heard, Overlay

AGAIN_SECONDS = 1.0
REMEMBERED = 30


@dataclass
class Sighting:
    """An alert as the demo's overlay saw it; times of `time.perf_counter`, in seconds."""

    offered_at: float
    is_ours: bool
    """The demo's overlay plays it; else another does, and this one mirrors."""
    confirmed_at: float | None = None
    """When the service had taken our word that the text was readable; None: not yet, or not ours to say."""


class Screen:
    """`run` keeps an overlay connected until cancelled; `wait_for(message)` is answered once such an alert came."""

    def __init__(self, realtime_url: str, token: str) -> None:
        self._realtime_url = realtime_url
        self._token = token
        self._overlay_id = uuid.uuid4()
        self._sightings: dict[str, Sighting] = {}
        self._something_came = asyncio.Condition()
        self._seen: deque[dict[str, str]] = deque(maxlen=REMEMBERED)
        self._playing: dict[str, Any] | None = None
        self._play: asyncio.Task[None] | None = None
        self.role = asyncio.Event()
        self.speaks = False
        self.heard_at = time.perf_counter()
        """When anything last happened on screen."""

    async def run(self) -> None:
        """Raises OverlayRefusedError when the token opens nothing."""
        while True:
            hello = {"playing": _lease(self._playing) if self._playing else None, "seen": list(self._seen)}
            try:
                async with Overlay(
                    self._realtime_url, self._token, overlay_id=self._overlay_id, hello=hello
                ) as overlay:
                    while True:
                        await self._hear(overlay, await overlay.next())
            except OVERLAY_AWAY:
                await asyncio.sleep(AGAIN_SECONDS)
            finally:
                self._stop()

    async def wait_for(self, message: str) -> Sighting:
        """The sighting of the alert with this text."""
        async with self._something_came:
            await self._something_came.wait_for(lambda: message in self._sightings)
        return self._sightings[message]

    async def _hear(self, overlay: Overlay, heard: Heard) -> None:
        self.heard_at = heard.at
        match heard.event:
            case "welcome" | "role":
                self.speaks = heard.data["role"] == "speaker"
                self.role.set()
                if heard.event == "welcome" and self._playing is not None:
                    if heard.data["goes_on"]:
                        self._start(overlay, self._playing)
                    else:
                        self._playing = None
            case "offer" | "mirror":
                await self._note(heard)
                if heard.event == "offer":
                    self._start(overlay, heard.data)
            case "stop" if self._playing and self._playing["lease_id"] == heard.data["lease_id"]:
                self._stop()
                self._playing = None

    async def _note(self, heard: Heard) -> None:
        """An alert that comes again, because nobody saw it to its end, keeps the time it first came."""
        is_ours = heard.event == "offer"
        self._sightings.setdefault(heard.data["message"], Sighting(heard.at, is_ours)).is_ours = is_ours
        async with self._something_came:
            self._something_came.notify_all()

    def _start(self, overlay: Overlay, alert: dict[str, Any]) -> None:
        self._stop()
        self._play = asyncio.create_task(self._show(overlay, alert))

    def _stop(self) -> None:
        if self._play is not None:
            self._play.cancel()
            self._play = None

    async def _show(self, overlay: Overlay, alert: dict[str, Any]) -> None:
        """Say the three words of one alert. A socket that breaks meanwhile leaves the rest to the next hello."""
        lease = _lease(alert)
        self._playing = alert
        try:
            await self._say(overlay, "started", lease)
            await asyncio.sleep(alert["seen_after_ms"] / 1000)
            self._seen.append(lease)
            await self._say(overlay, "seen", lease)
            self._sightings[alert["message"]].confirmed_at = time.perf_counter()
            await self._say(overlay, "finished", lease)
            self._playing = None
        except OVERLAY_AWAY:
            pass

    async def _say(self, overlay: Overlay, word: str, lease: dict[str, str]) -> None:
        while True:
            answer = await overlay.say(word, lease)
            if answer.get("code") != "try_again":
                return
            await asyncio.sleep(AGAIN_SECONDS)


def _lease(alert: dict[str, Any]) -> dict[str, str]:
    return {"alert_id": alert["alert_id"], "lease_id": alert["lease_id"]}
