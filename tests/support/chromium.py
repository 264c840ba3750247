"""Finds the Chromium that tests drive."""

import os
import shutil
from pathlib import Path
from typing import Any

from playwright.async_api import Error, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_APPS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)


def find_chromium() -> Path | None:
    """The browser on PATH, or where macOS keeps it."""
    for name in NAMES:
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    return next((app for app in MAC_APPS if app.exists()), None)


def chromium_arguments() -> list[str]:
    """How to start it in tests. OBS plays sound unasked, so the test browser may as well."""
    arguments = ["--autoplay-policy=no-user-gesture-required", "--disable-dev-shm-usage"]
    if os.geteuid() == 0:
        # Its sandbox does not work for root. It only ever opens pages of ours.
        arguments.append("--no-sandbox")
    return arguments


CAPTURES = 5


async def take_picture(page: Page, **options: Any) -> bytes:
    """A screenshot (PNG), asked for again while Chromium, on a busy machine, "is unable to capture" one."""
    await page.bring_to_front()
    for left in reversed(range(CAPTURES)):
        try:
            return await page.screenshot(**options)
        except Error as error:
            if not left or "Unable to capture screenshot" not in error.message:
                raise
            await page.wait_for_timeout(500)
    raise AssertionError
