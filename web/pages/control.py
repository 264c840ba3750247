"""The control page, for a phone beside the keyboard and for a dock in OBS (UX.md, "Control page").

GET /dashboard/control        the page; ?dock=1 without its header
GET /dashboard/control/part   all that moves on it, as HTMX asks for it when something changed

What its buttons do is in `dashboard_actions.py`: they are the dashboard's own; its card of moderation is answered by
`moderation.py`.
"""

from dataclasses import dataclass
from typing import Any

from quart import Blueprint, Response, redirect, render_template, request
from quart.typing import ResponseReturnValue

from domain.control import Outcome, PastAct, Pressed, list_acts
from domain.holds import Hold, list_holds
from domain.missed import Missed
from domain.moderation import Part
from domain.pressers import Presser, PresserKind
from domain.streamers import Streamer
from domain.users import User
from web import moderation_words
from web.context import parts
from web.control_words import call_presser, line
from web.i18n import _, when
from web.pages.control_view import Press
from web.pages.dashboard import TEST_AMOUNTS_MINOR
from web.pages.dashboard_view import Stage, read_missed, read_stage
from web.pages.desk import address
from web.security import allow_realtime
from web.sessions import require_streamer, require_user

blueprint = Blueprint("control", __name__)

LISTED_ACTS = 10


@dataclass(frozen=True)
class Console:
    stage: Stage
    missed: Missed | None
    acts: tuple[PastAct, ...]
    holds: tuple[Hold, ...]
    """What waits for a decision, oldest first."""
    decided: Hold | None
    """The last of those decided a moment ago, which may still be taken back."""


@blueprint.get("/dashboard/control")
async def show() -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    allow_realtime()
    return await render_template(
        "pages/control.html",
        **await _values(streamer),
        user=user,
        is_guest=streamer.owner_id != user.id,
        realtime_url=parts().settings.realtime_url,
        said=request.args.get("said", ""),
    )


@blueprint.get("/dashboard/control/part")
async def show_part() -> ResponseReturnValue:
    streamer = await require_streamer()
    if "HX-Request" not in request.headers:
        return redirect(here("control.show"), 303)
    return await console(streamer)


async def console(streamer: Streamer, note: str = "") -> Response:
    """What moves on the page, as HTMX gets it; `note` is about the press that this answers."""
    return Response(await render_template("partials/control/console.html", **await _values(streamer, note)))


async def answer_moderation(streamer: Streamer, said: str) -> ResponseReturnValue:
    """To a press of the card that waits for a decision; of one that is decided now the card itself tells."""
    if "HX-Request" not in request.headers:
        return redirect(here("control.show", said=said), 303)
    notes = {
        "hold-taken": _("Somebody was first: nothing changed."),
        "hold-undone": _("Taken back: it waits again."),
        "too-late": _("It was already done: nothing changed."),
    }
    return await console(streamer, notes.get(said, ""))


def here(endpoint: str, **values: Any) -> str:
    """An address that stays with the streamer, and in the dock."""
    if request.args.get("dock") == "1":
        values.setdefault("dock", "1")
    return address(endpoint, **values)


async def _values(streamer: Streamer, note: str = "") -> dict[str, Any]:
    async with parts().pool.acquire() as connection:
        holds = await list_holds(connection, streamer.id)
        found = Console(
            await read_stage(connection, streamer),
            await read_missed(connection, streamer),
            tuple(await list_acts(connection, streamer.id, limit=LISTED_ACTS)),
            holds=tuple(hold for hold in holds if hold.decision is None),
            decided=next((hold for hold in reversed(holds) if hold.decision is not None), None),
        )
    return {
        "streamer": streamer,
        "console": found,
        "press": Press("note", note) if note else found.stage.answers.press,
        "in_dock": request.args.get("dock") == "1",
        "address": here,
        "when": when,
        "call_presser": call_presser,
        "act_line": _act_line,
        "test_amounts_minor": TEST_AMOUNTS_MINOR,
        "words": moderation_words,
        "Part": Part,
    }


def _act_line(act: PastAct) -> str:
    return line(Pressed(act.action, Outcome.DONE, act.subject, act.alerts))


def presser(user: User, streamer: Streamer) -> Presser:
    """Who presses on a page of the desk. A superuser's address is nobody's business."""
    if user.id == streamer.owner_id:
        return Presser(PresserKind.OWNER, user.id, streamer.display_name)
    return Presser(PresserKind.SUPERUSER, user.id)
