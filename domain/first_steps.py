"""A new streamer's first steps: what is done, what was put off, and who is to receive the money.

Done is read from facts wherever there are any; what a person decided is remembered in `first_steps`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.alerts import AlertStatus
from infra import queries


class Step(StrEnum):
    NAME = "name"
    PAGE = "page"
    OBS = "obs"
    ALERT = "alert"
    MONEY = "money"


STEPS = tuple(Step)
SKIPPABLE = frozenset(STEPS) - {Step.NAME}


class Payee(StrEnum):
    """Who receives the money: what has to be prepared depends on it."""

    BUSINESS = "business"
    """An entrepreneur (ИП) or a company."""
    NPD = "npd"
    """Self-employed."""
    NOBODY = "nobody"
    """Nobody yet: everything but real money works."""


@dataclass(frozen=True)
class Progress:
    done: frozenset[Step]
    skipped: frozenset[Step]
    payee: Payee | None
    dismissed: bool
    obs_connected: bool
    """Now; that it was once is enough for its step."""

    @property
    def is_complete(self) -> bool:
        return len(self.done) == len(STEPS)

    @property
    def is_offered(self) -> bool:
        """Whether the dashboard still leads here."""
        return not self.is_complete and not self.dismissed

    @property
    def next_step(self) -> Step | None:
        """The first one neither done nor put off, or None."""
        return next((step for step in STEPS if step not in self.done | self.skipped), None)


NOTHING_YET = Progress(frozenset(), frozenset(), None, dismissed=False, obs_connected=False)
"""Of a user who has no page."""


@dataclass(frozen=True)
class TestAlert:
    """The newest test alert; `is_fresh`: made within ten minutes; `in_obs`: where it played, None: nobody can tell."""

    status: AlertStatus
    created_at: datetime
    shown_at: datetime | None
    is_fresh: bool
    in_obs: bool | None


async def read_progress(connection: Any, streamer_id: int) -> Progress:
    """How far a streamer is. That OBS is connected is written down when it is first seen, since nothing else does."""
    row = await queries.first_steps.get_progress(connection, streamer_id=streamer_id)
    if row["obs_connected"] and not row["obs_seen"]:
        await queries.first_steps.note_obs(connection, streamer_id=streamer_id)
    facts = {
        Step.NAME: True,
        Step.PAGE: row["has_page"],
        Step.OBS: row["obs_seen"] or row["obs_connected"],
        Step.ALERT: row["alert_shown"],
        Step.MONEY: row["has_terminal"],
    }
    done = frozenset(step for step, is_done in facts.items() if is_done)
    return Progress(
        done,
        frozenset(Step(name) for name in row["skipped"]) - done,
        None if row["payee"] is None else Payee(row["payee"]),
        row["dismissed"],
        row["obs_connected"],
    )


async def get_latest_test(connection: Any, streamer_id: int) -> TestAlert | None:
    row = await queries.first_steps.get_latest_test(connection, streamer_id=streamer_id)
    return None if row is None else TestAlert(**{**row, "status": AlertStatus(row["status"])})


async def save_page(connection: Any, streamer_id: int, about: str, preset_amounts_minor: tuple[int, ...]) -> None:
    """The words under the name, cleaned, and up to six ready amounts in kopecks."""
    await queries.first_steps.save_page(
        connection, streamer_id=streamer_id, about=about, preset_amounts_minor=list(preset_amounts_minor)
    )


async def skip(connection: Any, streamer_id: int, step: Step) -> None:
    """Put a step off; it stays on the list and can be done at any time."""
    assert step in SKIPPABLE
    await queries.first_steps.skip_step(connection, streamer_id=streamer_id, step=step)


async def choose_payee(connection: Any, streamer_id: int, payee: Payee) -> None:
    await queries.first_steps.choose_payee(connection, streamer_id=streamer_id, payee=payee)


async def set_dismissed(connection: Any, streamer_id: int, dismissed: bool) -> None:
    """Take the card off the dashboard, or put it there again."""
    await queries.first_steps.set_dismissed(connection, streamer_id=streamer_id, dismissed=dismissed)
