"""The switch of the on-air mode, in the header of every page of the desk.

GET  /dashboard/on-air   the switch as it is now: pages ask for it again and again
POST /dashboard/on-air   turn it on or off
"""

from quart import Blueprint, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import on_air
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.streamers import find_by_owner
from infra.redis import publish
from web.context import parts
from web.pages.account import same_site_path
from web.sessions import require_user

blueprint = Blueprint("on_air", __name__)


@blueprint.get("/dashboard/on-air")
async def show() -> ResponseReturnValue:
    await require_user()
    if "HX-Request" not in request.headers:
        # Opened as a page, say from the browser's history.
        return redirect("/dashboard", 303)
    return await _switch(same_site_path(request.args.get("back", "")) or url_for("dashboard.show"))


@blueprint.post("/dashboard/on-air")
async def choose() -> ResponseReturnValue:
    """`on` says what is wanted, so that two presses do not undo each other."""
    user = await require_user()
    form = await request.form
    wanted = form.get("on")
    if wanted not in ("yes", "no"):
        raise UnprocessableEntity
    async with parts().pool.acquire() as connection:
        await on_air.choose(connection, user.id, wanted == "yes")
        own = await find_by_owner(connection, user.id)
    if own is not None:
        await publish(parts().redis, WAKE_CHANNEL, [Wake(own.id, frozenset({Topic.CONTROLS})).encode()])
    back = same_site_path(form.get("back", "")) or url_for("dashboard.show")
    return await _switch(back) if "HX-Request" in request.headers else redirect(back, 303)


async def _switch(back: str) -> str:
    return await render_template("partials/on_air.html", back=back)
