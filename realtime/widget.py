"""A widget of API v1, which only shows what it gets: it stands in for an overlay, and we say the words for it.

    offer ──▶ its frame is sent ──▶ started ──▶ seen, if it is connected then ──▶ finished

It speaks only where no overlay does, and else is sent what they play. It can be told neither to stop nor to be silent.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from realtime.plain_frames import Words, words_of_offer

RETRY_SECONDS = 1.0
TOO_LATE_MS = 2_000
"""What others have played for longer is not begun any more: a widget cannot show the rest of an alert."""


class Widget:
    """`hear` is called by the stage, in the streamer's room, and never waits. `tell` are the words of an overlay."""

    def __init__(
        self,
        tell: Callable[[str, str, Any], Awaitable[Any]],
        say: Callable[[str], Awaitable[None]],
        show_out: Callable[[], Awaitable[None]],
        frame_of: Callable[[Words], Awaitable[str]],
    ) -> None:
        self.overlay_id = uuid4()
        self.sid = f"widget-{self.overlay_id}"
        self._tell_stage = tell
        self._show_out = show_out
        self._say = say
        self._frame_of = frame_of
        self._heard: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()

    def hear(self, event: str, data: dict[str, Any]) -> None:
        if event in ("offer", "mirror", "stop", "refused"):
            self._heard.put_nowait((event, data))

    async def play_for_ever(self) -> None:
        """One alert after the other. A new one, or a word to stop, ends what was to be said of the last."""
        playing: asyncio.Task[None] | None = None
        try:
            while True:
                event, data = await self._heard.get()
                await _end(playing)
                playing = None
                if event == "refused":
                    await self._show_out()
                    return
                if event == "offer":
                    playing = asyncio.create_task(self._play(data))
                elif event == "mirror" and data["elapsed_ms"] < TOO_LATE_MS:
                    playing = asyncio.create_task(self._send(data))
        finally:
            await _end(playing)

    async def _send(self, alert: dict[str, Any]) -> None:
        await self._say(await self._frame_of(words_of_offer(alert)))

    async def _play(self, offer: dict[str, Any]) -> None:
        await self._send(offer)
        seen_after, duration = offer["seen_after_ms"] / 1000, offer["duration_ms"] / 1000
        await self._tell("started", offer)
        await asyncio.sleep(seen_after)
        await self._tell("seen", offer)
        await asyncio.sleep(duration - seen_after)
        await self._tell("finished", offer)

    async def _tell(self, word: str, offer: dict[str, Any]) -> None:
        """What cannot be written down now is said again, in order, as an overlay would."""
        lease = {"alert_id": offer["alert_id"], "lease_id": offer["lease_id"]}
        while True:
            answer = await self._tell_stage(word, self.sid, lease)
            if answer.get("code") not in ("try_again", "error"):
                return
            await asyncio.sleep(RETRY_SECONDS)


async def _end(task: "asyncio.Task[None] | None") -> None:
    if task is None:
        return
    task.cancel()
    # Not `await task`: whoever cancels us meanwhile must not be taken for its end.
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, OSError):
        raise error
