"""A finger on the screen of a test's Chromium: what Playwright's `tap` cannot do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import CDPSession, Locator, Page

STEPS = 12
STEP_MS = 16


class Finger:
    """Down where it was put; every coordinate is from there, in CSS pixels."""

    def __init__(self, page: Page, session: CDPSession, x: float, y: float) -> None:
        self._page = page
        self._session = session
        self._x = x
        self._y = y

    async def move(self, x: float, y: float = 0) -> None:
        """In a straight line, as fast as a hand does."""
        for step in range(1, STEPS + 1):
            await self._send("touchMove", [{"x": self._x + x * step / STEPS, "y": self._y + y * step / STEPS}])
            await self._page.wait_for_timeout(STEP_MS)

    async def _send(self, kind: str, points: list[dict[str, float]]) -> None:
        await self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    @classmethod
    @asynccontextmanager
    async def on(cls, target: Locator, *, down: float | None = None) -> AsyncIterator[Any]:
        """Put it on the middle of something, or `down` pixels below its top; it is lifted at the end."""
        await target.scroll_into_view_if_needed()
        box = await target.bounding_box()
        assert box is not None
        y = box["y"] + (box["height"] / 2 if down is None else down)
        session = await target.page.context.new_cdp_session(target.page)
        finger = cls(target.page, session, box["x"] + box["width"] / 2, y)
        await finger._send("touchStart", [{"x": finger._x, "y": finger._y}])
        yield finger
        await finger._send("touchEnd", [])
        await session.detach()
