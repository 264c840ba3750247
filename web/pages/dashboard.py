"""The dashboard: what came in, what plays, and whether OBS hears us (UX.md, "Dashboard").

    GET  /dashboard                      the page; ?streamer=<slug> for superusers, ?rows= for a longer feed
    GET  /dashboard/part/<name>          one part of it, as HTMX asks for it when something changed
    GET  /dashboard/ticket               what opens the dashboard's socket, for a minute
    POST /dashboard/overlay-address      the address for OBS, for the copy button

What the buttons do is in `dashboard_actions.py`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from quart import Blueprint, Response, current_app, jsonify, redirect, render_template, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from domain import goals
from domain.first_steps import STEPS, read_progress
from domain.inbox import count_dead_letters
from domain.overlay_tokens import reveal_overlay_token
from domain.overlays import list_overlays
from domain.streamers import Streamer, find_by_owner
from infra.tickets import issue_dashboard_ticket
from web import reveals
from web.certificate import is_trusted
from web.context import parts
from web.i18n import when
from web.on_air import is_on_air
from web.pages.admin_streamers import render_list
from web.pages.dashboard_view import (
    FEED_MAX,
    FEED_STEP,
    chips,
    read_bar,
    read_best,
    read_feed,
    read_missed,
    read_stage,
    read_takings,
)
from web.pages.desk import address, menu
from web.pages.first_steps_view import step_titles
from web.security import allow_realtime
from web.sessions import require_streamer, require_user
from web.terminal_words import provider_title

blueprint = Blueprint("dashboard", __name__)

# What a test alert may cost: one for each level, in kopecks.
TEST_AMOUNTS_MINOR = (10_000, 30_000, 100_000, 500_000)


@blueprint.get("/dashboard")
async def show() -> ResponseReturnValue:
    user = await require_user()
    if user.is_superuser and "streamer" not in request.args:
        async with parts().pool.acquire() as connection:
            has_page = await find_by_owner(connection, user.id) is not None
        if not has_page:
            return await render_list()
    streamer = await require_streamer()
    allow_realtime()
    values: dict[str, Any] = {}
    async with parts().pool.acquire() as connection:
        for read in PARTS.values():
            values |= await read(connection, streamer)
    return await render_template(
        "pages/dashboard.html",
        **_frame(streamer),
        **values,
        user=user,
        menu=await menu(user, streamer, "dashboard.show"),
        is_guest=streamer.owner_id != user.id,
        in_dock=False,
        realtime_url=parts().settings.realtime_url,
        said=request.args.get("said", ""),
    )


@blueprint.get("/dashboard/part/<name>")
async def show_part(name: str) -> ResponseReturnValue:
    streamer = await require_streamer()
    if name not in PARTS:
        raise NotFound
    if "HX-Request" not in request.headers:
        # Opened as a page, say from the browser's history: the page is the whole dashboard.
        return redirect(address("dashboard.show"), 303)
    return await part(name, streamer)


@blueprint.get("/dashboard/ticket")
async def give_ticket() -> Response:
    user, streamer = await require_user(), await require_streamer()
    return jsonify({"ticket": issue_dashboard_ticket(parts().box, streamer.id, user.id)})


@blueprint.post("/dashboard/overlay-address")
async def give_overlay_address() -> Response:
    """A POST, so that no link opens it while she shares her screen."""
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        found = await _read_overlay_address(connection, streamer)
    if found is None:
        raise NotFound
    return jsonify({"address": found})


# Parts. Each is read into the values its template uses.


async def part(name: str, streamer: Streamer, **values: Any) -> Response:
    """A part as HTMX gets it; `said` is a word for the notice beside it."""
    async with parts().pool.acquire() as connection:
        values |= await PARTS[name](connection, streamer)
    return Response(await render_template("partials/dashboard/answer.html", part=name, **_frame(streamer), **values))


def _frame(streamer: Streamer) -> dict[str, Any]:
    return {
        "streamer": streamer,
        "address": address,
        "chips": chips,
        "when": when,
        "provider_title": provider_title,
        "test_amounts_minor": TEST_AMOUNTS_MINOR,
        "donate_url": f"{parts().settings.web_url}/donate/{streamer.slug}",
    }


async def _part_bar(connection: Any, streamer: Streamer) -> dict[str, Any]:
    is_self_signed = is_trusted(parts().settings.certificate_file) is False
    return {
        "bar": await read_bar(connection, streamer, is_self_signed=is_self_signed),
        # An operator's trouble: a streamer could do nothing about it.
        "dead_letters": await count_dead_letters(connection) if (await require_user()).is_superuser else 0,
        "has_overlay_token": await reveal_overlay_token(connection, parts().box, streamer.id) is not None,
        "control_url": address("control.show") if "control.show" in current_app.view_functions else "",
        **await _part_first_steps(connection, streamer),
    }


async def _part_stage(connection: Any, streamer: Streamer) -> dict[str, Any]:
    return {"stage": await read_stage(connection, streamer)}


async def _part_missed(connection: Any, streamer: Streamer) -> dict[str, Any]:
    return {"missed": await read_missed(connection, streamer)}


async def _part_totals(connection: Any, streamer: Streamer) -> dict[str, Any]:
    return {"takings": await read_takings(connection, streamer)}


async def _part_best(connection: Any, streamer: Streamer) -> dict[str, Any]:
    return {"best": await read_best(connection, streamer)}


async def _part_goal(connection: Any, streamer: Streamer) -> dict[str, Any]:
    return {"goal": await goals.get_shown_goal(connection, streamer.id)}


async def _part_feed(connection: Any, streamer: Streamer) -> dict[str, Any]:
    rows = request.args.get("rows", FEED_STEP, type=int)
    return {"feed": await read_feed(connection, streamer, min(max(rows, FEED_STEP), FEED_MAX))}


async def _part_first_steps(connection: Any, streamer: Streamer) -> dict[str, Any]:
    progress = await read_progress(connection, streamer.id)
    next_title = "" if progress.next_step is None else step_titles()[progress.next_step]
    return {"first_steps": progress, "first_steps_all": len(STEPS), "next_title": next_title}


async def _part_overlay(connection: Any, streamer: Streamer) -> dict[str, Any]:
    """The address stays out of the page until it is asked for: streamers share their screens (DESIGN 16).

    `reveal` is the pass it is shown by, which the part hands on when it asks for itself again.
    """
    overlay_address = await _read_overlay_address(connection, streamer)
    reveal = request.args.get("reveal", "")
    is_revealed = reveals.is_good(parts().box, reveal, streamer.id) and not await is_on_air()
    return {
        "overlays": await list_overlays(connection, streamer.id),
        "has_overlay_address": overlay_address is not None,
        "overlay_page": f"{parts().settings.web_url}/overlay",
        "reveal": reveal if is_revealed else None,
        "revealed": overlay_address if is_revealed else None,
    }


async def _read_overlay_address(connection: Any, streamer: Streamer) -> str | None:
    token = await reveal_overlay_token(connection, parts().box, streamer.id)
    return None if token is None else f"{parts().settings.web_url}/overlay#{token}"


PARTS: dict[str, Callable[[Any, Streamer], Awaitable[dict[str, Any]]]] = {
    "bar": _part_bar,
    "missed": _part_missed,
    "stage": _part_stage,
    "feed": _part_feed,
    "totals": _part_totals,
    "goal": _part_goal,
    "best": _part_best,
    "overlay": _part_overlay,
    "first_steps": _part_first_steps,
}
