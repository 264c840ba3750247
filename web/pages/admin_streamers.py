"""The operator's list of all streamers: the way to their desks, and who is featured on the public list.

GET  /admin                      leads here: it is what an operator types
GET  /admin/streamers            ?search= in name, address and e-mail, ?after=<slug>
POST /admin/streamers/featured   `slug` with `act`: "add", "remove", "up" or "down"
"""

from quart import Blueprint, Response, redirect, request, url_for
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import profiles
from domain.streamers import find_by_owner, get_by_slug
from web.context import parts
from web.pages import desk
from web.pages.streamers import after_id, searched
from web.sessions import require_superuser

blueprint = Blueprint("admin_streamers", __name__)

PAGE_LENGTH = 50


@blueprint.get("/admin")
async def begin() -> ResponseReturnValue:
    await require_superuser()
    return redirect(url_for("admin_streamers.show"), 303)


@blueprint.get("/admin/streamers")
async def show() -> Response:
    await require_superuser()
    return await render_list()


async def render_list() -> Response:
    """Also what an operator without a page of her own finds under /dashboard."""
    user = await require_superuser()
    search, after = searched(), await after_id()
    async with parts().pool.acquire() as connection:
        has_page = await find_by_owner(connection, user.id) is not None
        found = await profiles.list_all(connection, search=search, after_id=after, limit=PAGE_LENGTH + 1)
        featured = await profiles.list_featured(connection)
    return await desk.render(
        "pages/admin_streamers.html",
        None,
        current="admin_streamers.show",
        streamers=found[:PAGE_LENGTH],
        has_more=len(found) > PAGE_LENGTH,
        featured=featured,
        search=search,
        is_first=after is None,
        has_page=has_page,
    )


@blueprint.post("/admin/streamers/featured")
async def feature() -> ResponseReturnValue:
    await require_superuser()
    form = await request.form
    act = form.get("act", "")
    if act not in ("add", "remove", "up", "down"):
        raise UnprocessableEntity
    async with parts().pool.acquire() as connection, connection.transaction():
        streamer = await get_by_slug(connection, form.get("slug", ""))
        if act in ("add", "remove"):
            await profiles.feature(connection, streamer.id, is_featured=act == "add")
        else:
            await profiles.move_featured(connection, streamer.id, is_up=act == "up")
    return desk.go_to("admin_streamers.show", search=searched() or None, after=request.args.get("after"))
