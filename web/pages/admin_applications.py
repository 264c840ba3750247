"""`/admin/applications`: programs that ask streamers of this site for access, and switching one off.

GET  /admin/applications            the list; ?before= goes on
POST /admin/applications/<id>/off
POST /admin/applications/<id>/on
"""

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from domain import applications
from web.context import parts
from web.pages import desk
from web.pages.my_account import TIME_ZONE
from web.sessions import require_superuser

blueprint = Blueprint("admin_applications", __name__)

ROWS = 50


@blueprint.get("/admin/applications")
async def show() -> Response:
    await require_superuser()
    before_id = request.args.get("before", 0, type=int)
    before_id = before_id if 0 <= before_id < 2**31 else 0
    async with parts().pool.acquire() as connection:
        found = await applications.list_all(connection, before_id=before_id, limit=ROWS + 1)
    return await desk.render(
        "pages/admin_applications.html",
        None,
        current="admin_applications.show",
        applications=found[:ROWS],
        is_first_page=before_id == 0,
        older_than=found[ROWS - 1].id if len(found) > ROWS else None,
        time_zone=TIME_ZONE,
    )


@blueprint.post("/admin/applications/<int(max=2147483647):application_id>/off")
async def switch_off(application_id: int) -> ResponseReturnValue:
    return await _switch(application_id, is_off=True)


@blueprint.post("/admin/applications/<int(max=2147483647):application_id>/on")
async def switch_on(application_id: int) -> ResponseReturnValue:
    return await _switch(application_id, is_off=False)


async def _switch(application_id: int, *, is_off: bool) -> ResponseReturnValue:
    superuser = await require_superuser()
    async with parts().pool.acquire() as connection, connection.transaction():
        done = await applications.switch(connection, application_id, is_off=is_off, by_user_id=superuser.id)
    said = ("application-off" if is_off else "application-on") if done else "nothing-to-do"
    return desk.go_to("admin_applications.show", said=said)
