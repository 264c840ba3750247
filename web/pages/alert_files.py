"""A streamer's own pictures and sounds for her alerts.

GET  /dashboard/alerts/files          those there are, and which level uses each
POST /dashboard/alerts/files          another one, as `file`; what it is its content says
POST /dashboard/alerts/files/delete   away with the one at `url`, unless a level uses it
"""

from typing import Any

from babel.numbers import format_decimal
from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from domain import alert_settings, media_files
from domain.alert_files import delete_unused, list_uses
from domain.errors import InvalidInputError, NotAllowedError
from domain.media_files import FileState, Kind, MediaFile, content_type_of, kind_of
from domain.streamers import Streamer
from web.context import parts
from web.i18n import _, current_locale
from web.media_uploads import receive, refusal_words
from web.pages import desk
from web.pages.exports import size_words
from web.security import allow_source
from web.sessions import require_streamer
from web.uploads import IMAGE_BYTES, fits

blueprint = Blueprint("alert_files", __name__)


@blueprint.get("/dashboard/alerts/files")
async def show() -> Response:
    return await _page(await require_streamer())


@blueprint.post("/dashboard/alerts/files")
async def add() -> ResponseReturnValue:
    streamer = await require_streamer()
    if not await fits():
        return await _page(streamer, error=refusal_words("too_heavy", Kind.IMAGE))
    file = (await request.files).get("file")
    if file is None or not file.filename:
        return await _page(streamer, error=_("Choose a file first."))
    content_type = content_type_of(file.read(16))
    file.seek(0)
    if content_type is None:
        return await _page(streamer, error=_("This is no picture and no sound that OBS can show: see below what is."))
    kind = kind_of(content_type)
    try:
        added = await receive(streamer.id, kind, file)
    except (InvalidInputError, NotAllowedError) as error:
        return await _page(streamer, error=refusal_words(error.code, kind))
    return desk.go_to("alert_files.show", said="file-added" if added.state is FileState.READY else "file-waits")


@blueprint.post("/dashboard/alerts/files/delete")
async def delete() -> ResponseReturnValue:
    streamer = await require_streamer()
    url = (await request.form).get("url", "")
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await delete_unused(connection, streamer.id, url)
    except NotAllowedError as error:
        return await _page(streamer, status=409, refusal=used_words(error.data["names"]))
    return desk.go_to("alert_files.show", said="file-deleted")


async def _page(streamer: Streamer, *, error: str = "", refusal: str = "", status: int = 200) -> Response:
    allow_source("media-src", "'self'")
    async with parts().pool.acquire() as connection:
        files = await media_files.list_files(connection, streamer.id)
        uses = list_uses(await alert_settings.get_settings(connection, streamer.id))
        used_files, used_bytes = await media_files.get_usage(connection, streamer.id)
    return await desk.render(
        "pages/alert_files.html",
        streamer,
        current="alert_files.show",
        status=422 if error else status,
        error=error,
        refusal=refusal,
        file_bytes=IMAGE_BYTES,
        too_large=refusal_words("too_heavy", Kind.IMAGE),
        groups=[
            (_("Not usable (yet)"), [file for file in files if file.state is not FileState.READY]),
            (_("Pictures"), _ready(files, Kind.IMAGE)),
            (_("Sounds"), _ready(files, Kind.AUDIO)),
        ],
        is_waiting=any(file.state is FileState.WAITING for file in files),
        uses=uses,
        used_words=used_words,
        about=_about,
        refusal_words=refusal_words,
        room=_(
            "%(count)s of %(most)s files, %(size)s of %(room)s",
            count=used_files,
            most=media_files.FILES_MAX,
            size=size_words(used_bytes),
            room=size_words(media_files.BYTES_MAX),
        ),
    )


def _ready(files: list[MediaFile], kind: Kind) -> list[MediaFile]:
    return [file for file in files if file.state is FileState.READY and file.kind is kind]


def used_words(names: Any) -> str:
    """Which levels use a file, and what to do before it can be deleted; `names` as of `list_uses`."""
    named = ", ".join(_("“%(name)s”", name=name) for name in names if name)
    if not named:
        return _("It is the sound of levels without one of their own. Choose another there first.")
    return _("Used in %(levels)s. Take it out there first, then it can be deleted.", levels=named)


def _about(file: MediaFile) -> str:
    """What it is, in a line."""
    what = [media_files.EXTENSIONS[file.content_type].upper(), size_words(file.size)]
    if file.kind is Kind.IMAGE:
        what.insert(1, f"{file.width} × {file.height}")
    else:
        seconds = format_decimal(round(file.seconds or 0, 1), locale=current_locale())
        what.insert(1, _("%(seconds)s s", seconds=seconds))
    return " · ".join(what)
