"""The first of the first steps: a name and an address, and with them the streamer's page.

POST /dashboard/first-steps/name         make the page
GET  /dashboard/first-steps/suggestions  what the address would be, and free ones like it, as one types
"""

from typing import Any

from quart import Blueprint, Response, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue

from domain.errors import InvalidInputError
from domain.first_steps import NOTHING_YET, Step
from domain.overlay_tokens import rotate_overlay_token
from domain.slugs import suggest_free, suggest_slug
from domain.streamers import (
    DEFAULT_TIME_ZONE,
    DISPLAY_NAME_MAX_LENGTH,
    clean_display_name,
    clean_slug,
    create_streamer,
    find_by_slug,
)
from web.context import parts
from web.i18n import _, city_of
from web.limits import Limit
from web.pages.first_steps_view import step_page
from web.sessions import require_user

blueprint = Blueprint("first_steps_name", __name__)

SUGGESTIONS = Limit("slug-suggestions", 120, 60)
TYPED_MAX_LENGTH = 200
"""More is no name; it is not even looked at."""

# Russia's clocks, from west to east, each by its best known city.
TIME_ZONES = (
    "Europe/Kaliningrad", "Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk", "Asia/Krasnoyarsk",
    "Asia/Irkutsk", "Asia/Yakutsk", "Asia/Vladivostok", "Asia/Magadan", "Asia/Kamchatka",
)  # fmt: skip


@blueprint.post("/dashboard/first-steps/name")
async def create() -> ResponseReturnValue:
    """The page, and the overlay's address with it. Whoever has a page already just goes on to the next step."""
    user = await require_user()
    fields = await request.form
    name = fields.get("display_name", "")[:TYPED_MAX_LENGTH]
    slug = (fields.get("use") or fields.get("slug", ""))[:TYPED_MAX_LENGTH] or suggest_slug(name)
    time_zone = fields.get("time_zone", DEFAULT_TIME_ZONE)
    typed = {"display_name": name, "slug": fields.get("use") or fields.get("slug", ""), "time_zone": time_zone}
    errors = _check(name, slug, time_zone)
    if not errors:
        try:
            async with parts().pool.acquire() as connection, connection.transaction():
                streamer = await create_streamer(connection, user.id, slug, name, time_zone)
                await rotate_overlay_token(connection, parts().box, streamer.id)
        except InvalidInputError as error:
            if error.field == "owner":
                return redirect(url_for("first_steps.show"), 303)
            errors = {error.field: _words(error)}
    if errors:
        return await _again({**typed, "slug": typed["slug"] or slug}, errors)
    return redirect(url_for("first_steps.show", said="page-made"), 303)


def _check(name: str, slug: str, time_zone: str) -> dict[str, str]:
    errors = {}
    for clean, value in ((clean_display_name, name), (clean_slug, slug)):
        try:
            clean(value)
        except InvalidInputError as error:
            errors[error.field] = _words(error)
    if time_zone not in TIME_ZONES:
        errors["time_zone"] = _("Choose one of these.")
    return errors


@blueprint.get("/dashboard/first-steps/suggestions")
async def suggest() -> ResponseReturnValue:
    user = await require_user()
    await parts().limiter.take(SUGGESTIONS, str(user.id))
    name = request.args.get("display_name", "")[:TYPED_MAX_LENGTH]
    typed = request.args.get("slug", "")[:TYPED_MAX_LENGTH].strip()
    help_values = await _help(name, typed)
    return Response(await render_template("partials/first_steps/slug_help.html", **help_values))


async def read_name_step() -> dict[str, Any]:
    """What the step shows before anything was typed."""
    typed = {"display_name": "", "slug": "", "time_zone": DEFAULT_TIME_ZONE}
    return {**_values(typed, {}), **await _help("", "")}


async def _again(typed: dict[str, str], errors: dict[str, str]) -> Response:
    values = {**_values(typed, errors), **await _help(typed["display_name"], typed["slug"])}
    return await step_page(None, NOTHING_YET, Step.NAME, status=422, **values)


def _values(typed: dict[str, str], errors: dict[str, str]) -> dict[str, Any]:
    return {
        "typed": typed,
        "errors": errors,
        "display_name_max_length": DISPLAY_NAME_MAX_LENGTH,
        "time_zones": [(name, city_of(name)) for name in TIME_ZONES],
    }


async def _help(name: str, typed: str) -> dict[str, Any]:
    """The address that would be taken now, whether it is free, and free ones like it."""
    slug = typed.lower() or suggest_slug(name)
    problem = ""
    if slug:
        try:
            clean_slug(slug)
        except InvalidInputError as error:
            problem = _words(error)
    async with parts().pool.acquire() as connection:
        if slug and not problem and await find_by_slug(connection, slug) is not None:
            problem = _words(InvalidInputError("slug", "taken"))
        free = await suggest_free(connection, slug or name) if problem else []
    return {
        "web_url": parts().settings.web_url,
        "slug": slug,
        "slug_problem": problem,
        "free_slugs": free,
    }


def _words(error: InvalidInputError) -> str:
    match error.field, error.code:
        case ("display_name", "required"):
            return _("Write how viewers know you.")
        case ("display_name", "too_long"):
            return _("At most %(limit)s characters.", limit=error.data["limit"])
        case ("slug", "taken"):
            return _("This address is taken.")
        case ("slug", "reserved"):
            return _("This address is the site's own.")
        case ("slug", _code):
            return _("Latin letters, digits, - and _, up to 40, with a letter or digit at both ends.")
        case ("time_zone", _code):
            return _("Choose one of these.")
    return _("Only characters that can be seen.")
