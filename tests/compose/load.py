"""Donations against the composed system, from inside its network: `python -m tests.compose.load FILE --per-second 5`.

Runs in a container of our image, so it needs only what the programs need. It goes on until its standard input ends,
waits until every donation was shown, and prints what it saw as JSON. Whatever is restarted meanwhile, donors and
overlays try again as people and browsers do.
"""

import argparse
import asyncio
import json
import sys
import uuid
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from simulator.donor import Donor, DonorError
from simulator.overlay import OVERLAY_AWAY, Overlay, OverlayRefusedError

AGAIN_SECONDS = 0.5
GONE: tuple[type[BaseException], ...] = (OverlayRefusedError, *OVERLAY_AWAY)
REMEMBERED = 30
DRAIN_SECONDS = 180.0
"""How long the last alert may take after the last donation."""


@dataclass
class Seen:
    """What came of it all; `shown` counts donations, `doubled` alerts that an overlay played a second time."""

    made: int = 0
    shown: int = 0
    doubled: int = 0
    problems: list[str] = field(default_factory=list)


class Watcher:
    """A streamer's OBS. It has read each alert at once, so that none waits for the one before it."""

    def __init__(self, realtime_url: str, token: str) -> None:
        self._realtime_url = realtime_url
        self._token = token
        self._overlay_id = uuid.uuid4()
        self._remembered: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)
        self.messages: set[str] = set()
        self.doubled = 0

    async def run(self) -> None:
        while True:
            hello = {"seen": list(self._remembered)}
            try:
                async with Overlay(
                    self._realtime_url, self._token, overlay_id=self._overlay_id, in_obs=True, hello=hello
                ) as overlay:
                    while True:
                        await self._show(overlay, (await overlay.next("offer")).data)
            except GONE:
                await asyncio.sleep(AGAIN_SECONDS)

    async def _show(self, overlay: Overlay, alert: dict[str, Any]) -> None:
        lease = {"alert_id": alert["alert_id"], "lease_id": alert["lease_id"]}
        # What was seen and could not be said in time is only confirmed (docs/realtime.md).
        if not any(word["alert_id"] == alert["alert_id"] for word in self._remembered):
            await _say(overlay, "started", lease)
            self.doubled += alert["message"] in self.messages
            self.messages.add(alert["message"])
        # As a browser does: remembered before it is said, so that it is never shown again.
        self._remembered.append({**lease, "finished": True})
        await _say(overlay, "seen", lease)
        await _say(overlay, "finished", lease)


async def _say(overlay: Overlay, word: str, lease: dict[str, str]) -> None:
    while (await overlay.say(word, lease)).get("code") == "try_again":
        await asyncio.sleep(AGAIN_SECONDS)


async def donate(http: httpx.AsyncClient, streamer: dict[str, str], message: str) -> None:
    donor = Donor(http, streamer["donate_url"])
    page = await donor.wish(amount="300", name="Аня", message=message)
    await donor.pay(await donor.find_bank(page))


async def run(streamers: list[dict[str, str]], per_second: float) -> Seen:
    loop = asyncio.get_running_loop()
    stopped = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    watchers = [Watcher(streamer["realtime_url"], streamer["overlay_token"]) for streamer in streamers]
    watching = [asyncio.create_task(watcher.run()) for watcher in watchers]
    mark, donors, began_at = uuid.uuid4().hex[:6], set[asyncio.Task[None]](), loop.time()
    seen = Seen()
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=200)) as http:
        while not stopped.done():
            streamer = streamers[seen.made % len(streamers)]
            donors.add(asyncio.create_task(donate(http, streamer, f"{mark}-{seen.made}")))
            seen.made += 1
            await asyncio.wait([stopped], timeout=max(0.0, began_at + seen.made / per_second - loop.time()))
        for result in await asyncio.gather(*donors, return_exceptions=True):
            if isinstance(result, DonorError):
                seen.problems.append(str(result))
            elif result is not None:
                raise result
    wished = {f"{mark}-{number}" for number in range(seen.made)}
    deadline = loop.time() + DRAIN_SECONDS
    while loop.time() < deadline and any(wished - set().union(*(watcher.messages for watcher in watchers))):
        await asyncio.sleep(AGAIN_SECONDS)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    seen.shown = len(wished & set().union(*(watcher.messages for watcher in watchers)))
    seen.doubled = sum(watcher.doubled for watcher in watchers)
    return seen


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("streamers", type=Path)
    parser.add_argument("--per-second", type=float, required=True)
    arguments = parser.parse_args()
    streamers = json.loads(arguments.streamers.read_text(encoding="utf-8"))
    print(json.dumps(asdict(asyncio.run(run(streamers, arguments.per_second)))))


if __name__ == "__main__":
    main()
