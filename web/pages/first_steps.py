"""First steps: from an account to a page, OBS, an alert that plays, and money (UX.md, "Dashboard", 3).

    GET  /dashboard/first-steps              a step: ?step=, else the first that is open
    POST /dashboard/first-steps/page         words and ready amounts of the page
    POST /dashboard/first-steps/address      show the overlay's address; make it if there is none
    POST /dashboard/first-steps/test         a test alert
    POST /dashboard/first-steps/skip         "Later"
    POST /dashboard/first-steps/dismiss      take the card off the dashboard, or put it there again
    GET  /dashboard/first-steps/check/<step> what is known now, as HTMX asks while something is awaited

The step that makes the page is in `first_steps_name.py`.
"""

from typing import Any

from quart import Blueprint, Response, redirect, render_template, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound, UnprocessableEntity

from domain import alerts, first_steps
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.first_steps import NOTHING_YET, SKIPPABLE, Payee, Progress, Step
from domain.overlay_tokens import reveal_overlay_token, rotate_overlay_token
from domain.overlays import get_controls, list_overlays
from domain.requisites import get_requisites
from domain.streamers import Streamer, find_by_owner
from domain.text import clean_message
from infra.redis import publish
from web import reveals
from web.bank_state import Bank, read_bank
from web.context import parts
from web.control_words import example_words
from web.donate_form import parse_amount
from web.field_words import too_long_words
from web.i18n import _, format_amount, format_money
from web.limits import TEST_ALERTS
from web.pages.dashboard import TEST_AMOUNTS_MINOR
from web.pages.desk import address
from web.pages.first_steps_name import read_name_step
from web.pages.first_steps_view import frame, step_page
from web.sessions import require_streamer, require_user

blueprint = Blueprint("first_steps", __name__)

ABOUT_MAX_LENGTH = 500
PRESETS_MAX = 6
CHECKED = (Step.OBS, Step.ALERT)
"""The steps that watch for something to happen."""


@blueprint.get("/dashboard/first-steps")
async def show() -> ResponseReturnValue:
    streamer = await find_subject()
    if streamer is None:
        return await step_page(None, NOTHING_YET, Step.NAME, **await read_name_step())
    async with parts().pool.acquire() as connection:
        progress = await first_steps.read_progress(connection, streamer.id)
    wanted = request.args.get("step", "")
    step = Step(wanted) if wanted in SKIPPABLE else progress.next_step
    return await _read_step(streamer, progress, step)


async def find_subject() -> Streamer | None:
    """The streamer this is about; None: the user has no page yet."""
    user = await require_user()
    if "streamer" in request.args:
        return await require_streamer()
    async with parts().pool.acquire() as connection:
        return await find_by_owner(connection, user.id)


# What is done in a step.


@blueprint.post("/dashboard/first-steps/page")
async def save_page() -> ResponseReturnValue:
    streamer = await require_streamer()
    fields = await request.form
    errors: dict[str, str] = {}
    about = clean_message(fields.get("about", ""))
    if len(about) > ABOUT_MAX_LENGTH:
        errors["about"] = too_long_words(len(about) - ABOUT_MAX_LENGTH, ABOUT_MAX_LENGTH)
    presets = _presets(fields.get("presets", ""), streamer, errors)
    if errors:
        async with parts().pool.acquire() as connection:
            progress = await first_steps.read_progress(connection, streamer.id)
        typed = {"about": fields.get("about", ""), "presets": fields.get("presets", "")}
        return await step_page(streamer, progress, Step.PAGE, status=422, typed=typed, errors=errors)
    async with parts().pool.acquire() as connection, connection.transaction():
        await first_steps.save_page(connection, streamer.id, about, presets)
    return go_on(said="step-saved")


def _presets(text: str, streamer: Streamer, errors: dict[str, str]) -> tuple[int, ...]:
    """`100, 300, 500` in kopecks, in order, each once; what is wrong goes into `errors`."""
    found = set()
    for word in text.replace(";", ",").split(","):
        if not word.strip():
            continue
        amount_minor = parse_amount(word)
        if amount_minor is None:
            errors["presets"] = _(
                "We can't read “%(text)s”. Type amounts with commas between them.", text=word.strip()[:20]
            )
            return ()
        if not streamer.min_amount_minor <= amount_minor <= streamer.max_amount_minor:
            errors["presets"] = _(
                "Each from %(least)s to %(most)s.",
                least=format_money(streamer.min_amount_minor),
                most=format_money(streamer.max_amount_minor),
            )
            return ()
        found.add(amount_minor)
    if len(found) > PRESETS_MAX:
        errors["presets"] = _("At most %(limit)s amounts.", limit=PRESETS_MAX)
    return tuple(sorted(found))


@blueprint.post("/dashboard/first-steps/address")
async def show_address() -> ResponseReturnValue:
    """A POST, so that no link opens it while she shares her screen."""
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        if await reveal_overlay_token(connection, parts().box, streamer.id) is None:
            await rotate_overlay_token(connection, parts().box, streamer.id)
    return go_on(step=Step.OBS, reveal=reveals.give_pass(parts().box, streamer.id), _anchor="address")


@blueprint.post("/dashboard/first-steps/test")
async def play_test() -> ResponseReturnValue:
    streamer = await require_streamer()
    await parts().limiter.take(TEST_ALERTS, str(streamer.id))
    async with parts().pool.acquire() as connection, connection.transaction():
        await alerts.enqueue_test(connection, streamer.id, TEST_AMOUNTS_MINOR[1], **example_words())
    wake = Wake(streamer.id, frozenset({Topic.ALERTS}))
    await publish(parts().redis, WAKE_CHANNEL, [wake.encode()])
    if "HX-Request" in request.headers:
        return await _check(streamer, Step.ALERT)
    return go_on(step=Step.ALERT, _anchor="check")


@blueprint.post("/dashboard/first-steps/skip")
async def skip() -> ResponseReturnValue:
    streamer = await require_streamer()
    step = (await request.form).get("step", "")
    if step not in SKIPPABLE:
        raise UnprocessableEntity
    async with parts().pool.acquire() as connection, connection.transaction():
        await first_steps.skip(connection, streamer.id, Step(step))
    return go_on()


@blueprint.post("/dashboard/first-steps/dismiss")
async def dismiss() -> ResponseReturnValue:
    streamer = await require_streamer()
    wanted = (await request.form).get("dismissed")
    if wanted not in ("yes", "no"):
        raise UnprocessableEntity
    async with parts().pool.acquire() as connection, connection.transaction():
        await first_steps.set_dismissed(connection, streamer.id, wanted == "yes")
    return redirect(address("dashboard.show"), 303) if wanted == "yes" else go_on()


def go_on(**values: Any) -> ResponseReturnValue:
    """To the step that is open now, or to the one named."""
    return redirect(address("first_steps.show", **values), 303)


# What is shown.


@blueprint.get("/dashboard/first-steps/check/<step>")
async def check(step: str) -> ResponseReturnValue:
    streamer = await require_streamer()
    if step not in CHECKED:
        raise NotFound
    if "HX-Request" not in request.headers:
        return go_on(step=step)
    return await _check(streamer, Step(step))


async def _check(streamer: Streamer, step: Step) -> Response:
    async with parts().pool.acquire() as connection:
        progress = await first_steps.read_progress(connection, streamer.id)
        values = await _read_check(connection, streamer, step)
    html = await render_template(
        "partials/first_steps/answer.html",
        **frame(streamer, progress, step),
        **values,
    )
    return Response(html)


async def _read_check(connection: Any, streamer: Streamer, step: Step) -> dict[str, Any]:
    if step is not Step.ALERT:
        return {}
    controls = await get_controls(connection, streamer.id)
    test = await first_steps.get_latest_test(connection, streamer.id)
    overlays = await list_overlays(connection, streamer.id)
    plays_in_tab = any(overlay.speaks and not (overlay.in_obs or overlay.is_widget) for overlay in overlays)
    return {"test": test, "controls": controls, "plays_in_tab": plays_in_tab}


async def _read_step(streamer: Streamer, progress: Progress, step: Step | None) -> Response:
    """A step, or without one the page that says that all is done or put off."""
    values: dict[str, Any] = {}
    if step is Step.PAGE:
        presets = ", ".join(format_amount(amount) for amount in streamer.preset_amounts_minor)
        values = {"typed": {"about": streamer.about, "presets": presets}, "errors": {}}
    async with parts().pool.acquire() as connection:
        if step is Step.OBS:
            values = await _read_address(connection, streamer)
        elif step is Step.ALERT:
            values = await _read_check(connection, streamer, step)
        elif step is Step.MONEY:
            values = {"bank": await read_bank(connection, streamer.id)}
        elif step is None:
            bank = await read_bank(connection, streamer.id)
            requisites = await get_requisites(connection, streamer.id)
            has_requisites = requisites is not None and requisites.is_complete
            values = {"bank": bank, "lacking": _lacking(bank, progress, has_requisites=has_requisites)}
    return await step_page(streamer, progress, step, **values)


def _lacking(bank: Bank, progress: Progress, *, has_requisites: bool) -> list[tuple[str, str]]:
    """What real money still needs, in words with their addresses."""
    lacking = []
    if progress.payee in (None, Payee.NOBODY):
        lacking.append((_("Say who receives the money: what to prepare depends on it"), address("payee.show")))
    if not has_requisites:
        lacking.append((_("Fill in the requisites: banks look for them on the page"), address("requisites.show")))
    if bank.is_test_mode:
        lacking.append((_("Enter the real key, once the bank has approved you"), address("terminals.show")))
    return lacking


async def _read_address(connection: Any, streamer: Streamer) -> dict[str, Any]:
    token = await reveal_overlay_token(connection, parts().box, streamer.id)
    is_revealed = reveals.is_good(parts().box, request.args.get("reveal", ""), streamer.id)
    page = f"{parts().settings.web_url}/overlay"
    return {
        "overlay_page": page,
        "has_address": token is not None,
        "revealed": f"{page}#{token}" if token is not None and is_revealed else None,
    }
