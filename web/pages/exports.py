"""Files of a selection of donations, CSV and Excel: asked for, watched, fetched.

GET  /dashboard/donations/exports                      those of the last week
POST /dashboard/donations/exports?<filters>            ask for one: the selection of the address, as `format`
GET  /dashboard/donations/exports/<public_id>          its line, which asks for itself while it is being made
POST /dashboard/donations/exports/<public_id>/cancel   do not make it
GET  /dashboard/donations/exports/<public_id>/file     the file
"""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from quart import Blueprint, Response, redirect, render_template, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import exports
from domain.errors import NotAllowedError, NotFoundError
from domain.exports import Export, ExportState, Format
from domain.streamers import Streamer
from web.context import parts
from web.history_filters import read_filters
from web.i18n import _, when, zone
from web.limits import Limit
from web.pages import desk
from web.sessions import require_streamer, require_user

blueprint = Blueprint("exports", __name__)

# A million rows cost minutes of a processor.
EXPORTS = Limit("export", 20, 3600)

OFFERED = (Format.CSV, Format.XLSX)

_PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{22,64}")
_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.ZIP: "application/zip",
}


@blueprint.get("/dashboard/donations/exports")
async def show() -> Response:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        found = await exports.list_exports(connection, streamer.id)
    return await desk.render(
        "pages/exports.html",
        streamer,
        current="history.show",
        exports=found,
        kept_days=parts().settings.keep_days.exports,
        **_words(),
    )


@blueprint.post("/dashboard/donations/exports")
async def ask_for() -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    wished = (await request.form).get("format", "")
    file_format = next((one for one in OFFERED if one == wished), None)
    if file_format is None:
        raise UnprocessableEntity
    filters = read_filters(request.args, streamer)
    if filters.errors:
        # Not a file of more than was asked for: the list says what is wrong.
        return desk.go_to("history.show", **{name: value for name, value in filters.typed.items() if value})
    await parts().limiter.take(EXPORTS, str(streamer.id))
    told = ", ".join(chip.text for chip in filters.chips)
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await exports.ask_for(
                connection,
                streamer_id=streamer.id,
                user_id=user.id,
                file_format=file_format,
                selection=filters.selection,
                words=file_words(told),
                time_zone=streamer.time_zone,
            )
    except NotAllowedError:
        return desk.go_to("exports.show", said="export-under-way")
    parts().relay.wake()
    return desk.go_to("exports.show", said="export-asked")


@blueprint.get("/dashboard/donations/exports/<public_id>")
async def show_part(public_id: str) -> ResponseReturnValue:
    streamer = await require_streamer()
    export = await _find(streamer, public_id)
    if "HX-Request" not in request.headers:
        return redirect(desk.address("exports.show"), 303)
    return await render_template(
        "partials/history/export.html", streamer=streamer, export=export, address=desk.address, **_words()
    )


@blueprint.post("/dashboard/donations/exports/<public_id>/cancel")
async def cancel(public_id: str) -> ResponseReturnValue:
    streamer = await require_streamer()
    await _find(streamer, public_id)
    async with parts().pool.acquire() as connection, connection.transaction():
        cancelled = await exports.cancel(connection, streamer.id, public_id)
    return desk.go_to("exports.show", said="export-cancelled" if cancelled else "too-late")


@blueprint.get("/dashboard/donations/exports/<public_id>/file")
async def fetch(public_id: str) -> Response:
    streamer = await require_streamer()
    export = await _find(streamer, public_id)
    day = export.created_at.astimezone(zone(streamer.time_zone)).date()
    name = f"{_('Donations')} {streamer.slug} {day}.{export.format}"
    return send_file(export, name, f"donations-{streamer.slug}-{day}.{export.format}")


def send_file(export: Export, name: str, plain: str) -> Response:
    """Read from the database part by part, while it is sent. `plain`: its name in ASCII.

    Raises NotFoundError("export"): it is not made (yet).
    """
    if export.state is not ExportState.DONE:
        raise NotFoundError("export")
    response = Response(exports.read_file(parts().pool, export.id))
    response.content_type = _TYPES[export.format]
    response.content_length = export.bytes
    response.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    # As long as a phone on a train takes.
    response.timeout = None
    return response


async def _find(streamer: Streamer, public_id: str) -> Export:
    """Raises NotFoundError("export"), also for another streamer's."""
    if not _PUBLIC_ID.fullmatch(public_id):
        raise NotFoundError("export")
    async with parts().pool.acquire() as connection:
        return await exports.find_export(connection, streamer.id, public_id)


def _words() -> dict[str, Any]:
    return {"when": when, "size_words": size_words, "now": datetime.now(UTC)}


def size_words(size: int) -> str:
    if size < 1024 * 1024:
        return _("%(size)s KB", size=-(-size // 1024))
    return _("%(size)s MB", size=round(size / 1024 / 1024))


def file_words(told: str) -> dict[str, Any]:
    """The words of a file in the language it is asked for in: the worker that makes it speaks none. The columns are
    those of `tasks/exports.py`; `told` says what is selected."""
    return {
        "told": told,
        "sheet": _("Donations"),
        "columns": [
            _("When"),
            _("Amount, ₽"),
            _("Went back, ₽"),
            _("Left, ₽"),
            _("Name"),
            _("Message"),
            _("Money"),
            _("Alert"),
            _("Shown"),
            _("Received through"),
            _("Hidden"),
            _("Donation"),
            _("Test"),
        ],
        "anonymous": _("Anonymous"),
        "yes": _("yes"),
        "states": {
            "paid": _("paid"),
            "review": _("another amount came"),
            "partially_refunded": _("refunded in part"),
            "refunded": _("refunded"),
            "charged_back": _("taken back by the donor's bank"),
            "manual": _("by hand"),
        },
        "alerts": {
            "held": _("being checked"),
            "queued": _("waits"),
            "playing": _("on screen"),
            "shown": _("shown"),
            "skipped": _("skipped"),
            "dropped": _("not shown"),
        },
    }
