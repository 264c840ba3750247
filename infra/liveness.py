"""How a program without a port shows that it works: its event loop touches a file, whose age a health check looks at."""

import asyncio
import contextlib
from pathlib import Path

TOUCH_SECONDS = 5.0
"""A file several times as old belongs to a program that hangs."""


async def show_alive(file: Path) -> None:
    """Touch the file for ever. A disk that is full shows no life, and ends nothing."""
    while True:
        with contextlib.suppress(OSError):
            file.touch()
        await asyncio.sleep(TOUCH_SECONDS)
