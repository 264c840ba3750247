"""All that the site knows of one's account, in one file (domain/archives.py); the button stands on `/account`.

POST /account/data          pack it, with the password
GET  /account/data          how it gets on, which asks for itself while it is packed
GET  /account/data/file     the ZIP
POST /account/data/delete   delete it, or do not pack it
"""

from quart import Blueprint, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue

from domain import archives
from domain.errors import NotAllowedError
from domain.exports import ExportState
from domain.streamers import find_by_owner
from web.archive_words import readme
from web.confirmation import wrong_password
from web.context import parts
from web.i18n import _, zone
from web.limits import Limit
from web.pages.desk import go_to
from web.pages.exports import file_words, send_file, size_words
from web.pages.my_account import TIME_ZONE, account_page, zone_of
from web.sessions import require_user

blueprint = Blueprint("archives", __name__)

ARCHIVES = Limit("archive", 10, 24 * 3600)


@blueprint.post("/account/data")
async def ask_for() -> ResponseReturnValue:
    user = await require_user()
    errors = await wrong_password(user, (await request.form).get("data_password", ""), "data_password")
    if errors:
        return await account_page(user, errors=errors)
    await parts().limiter.take(ARCHIVES, str(user.id))
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            time_zone = zone_of(await find_by_owner(connection, user.id))
            words = {**file_words(""), "readme": readme()}
            await archives.ask_for(connection, user.id, words=words, time_zone=time_zone)
    except NotAllowedError:
        return go_to("my_account.show", said="archive-under-way", _anchor="data")
    parts().relay.wake()
    return go_to("my_account.show", said="archive-asked", _anchor="data")


@blueprint.get("/account/data")
async def show_part() -> ResponseReturnValue:
    user = await require_user()
    if "HX-Request" not in request.headers:
        return redirect(url_for("my_account.show", _anchor="data"), 303)
    async with parts().pool.acquire() as connection:
        archive = await archives.get_latest(connection, user.id)
        time_zone = zone_of(await find_by_owner(connection, user.id))
    return await render_template("partials/archive.html", archive=archive, time_zone=time_zone, size_words=size_words)


@blueprint.get("/account/data/file")
async def fetch() -> ResponseReturnValue:
    user = await require_user()
    async with parts().pool.acquire() as connection:
        archive = await archives.get_latest(connection, user.id)
    if archive is None or archive.state is not ExportState.DONE:
        return go_to("my_account.show", said="archive-gone", _anchor="data")
    day = archive.created_at.astimezone(zone(TIME_ZONE)).date()
    return send_file(archive, f"{_('My data')} {day}.zip", f"my-data-{day}.zip")


@blueprint.post("/account/data/delete")
async def delete() -> ResponseReturnValue:
    user = await require_user()
    async with parts().pool.acquire() as connection, connection.transaction():
        deleted = await archives.delete_all(connection, user.id)
    return go_to("my_account.show", said="archive-deleted" if deleted else "nothing-to-do", _anchor="data")
