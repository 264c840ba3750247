"""The frame of the first steps: the list of steps, how far one is, and the page around a step."""

from dataclasses import dataclass
from typing import Any

from quart import Response

from domain.first_steps import STEPS, Payee, Progress, Step
from domain.streamers import Streamer
from web.context import parts
from web.i18n import _, when
from web.pages.desk import address, render


async def step_page(
    streamer: Streamer | None, progress: Progress, step: Step | None, *, status: int = 200, **values: Any
) -> Response:
    """The page at one step; without one it says that everything is done or put off."""
    values = {**frame(streamer, progress, step), **values}
    return await render(
        "pages/first_steps.html",
        streamer,
        current="first_steps.show",
        status=status,
        **{name: value for name, value in values.items() if name not in ("streamer", "address")},
    )


@dataclass(frozen=True)
class StepLine:
    """A step as the list beside it shows it."""

    step: Step
    title: str
    state: str
    """done, later, or open."""


def step_titles() -> dict[Step, str]:
    return {
        Step.NAME: _("Name and address"),
        Step.PAGE: _("Your page"),
        Step.OBS: _("Overlay in OBS"),
        Step.ALERT: _("A test alert"),
        Step.MONEY: _("Receiving money"),
    }


def frame(streamer: Streamer | None, progress: Progress, step: Step | None) -> dict[str, Any]:
    """What every part of the page uses."""
    titles = step_titles()

    def state(line: Step) -> str:
        return "done" if line in progress.done else "later" if line in progress.skipped else "open"

    return {
        "streamer": streamer,
        "address": address,
        "progress": progress,
        "step": step,
        "steps": [StepLine(line, titles[line], state(line)) for line in STEPS],
        "when": when,
        "web_url": parts().settings.web_url,
        "payees": [(payee, title) for payee, title in payee_titles().items()],
    }


def payee_titles() -> dict[Payee, str]:
    return {
        Payee.BUSINESS: _("An entrepreneur or a company"),
        Payee.NPD: _("Self-employed"),
        Payee.NOBODY: _("Nobody yet"),
    }
