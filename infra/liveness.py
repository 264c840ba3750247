"""How a program without a port shows that it works: its event loop touches a file whose age is looked at."""

import asyncio
import contextlib
from pathlib import Path

TOUCH_SECONDS = 5.0
"""A file several times as old belongs to a program that hangs."""


async def show_alive(file: Path, *, every_seconds: float = TOUCH_SECONDS) -> None:
    """Touch the file for ever. A disk that is full shows no life, and ends nothing."""
    while True:
        with contextlib.suppress(OSError):
            # A moment, in a folder in memory: worth no thread.
            file.touch()  # noqa: ASYNC240
        await asyncio.sleep(every_seconds)
