"""Pictures and sounds for alerts: uploaded, listed, deleted, heard in part.

POST   /alerts/upload/audio|image             multipart, field `file`
DELETE /alerts/upload/file?file_url=
GET    /alerts/upload/files
POST   /alerts/preview-audio?file_url=&start_time=&end_time=
"""

from quart import Response
from quart_schema import DataSource, document_response, validate_querystring, validate_request, validate_response

from domain import alert_settings, media_files
from domain.alert_files import delete_unused, list_uses
from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.media_files import URL_PREFIX, FileState, Kind, MediaFile
from domain.scopes import Scope
from infra.media_verdict import MediaError
from web.api.access import callers_streamer, needs
from web.api.blueprints import old_api
from web.api.errors import Refused, wrong_field
from web.api.idempotency import unnamed, writing
from web.api.openapi import examples, gives
from web.api.schemas.alerts import (
    AudioFile,
    Deleted,
    FileQuery,
    Files,
    ImageFile,
    PreviewQuery,
    Upload,
    UploadedFile,
)
from web.context import parts
from web.i18n import use_locale
from web.limits import Limit
from web.media_uploads import cut_sound, receive, refusal_words

blueprint = old_api("alert_files", "alerts")

PREVIEWS = Limit("audio-preview", 60, 10 * 60)
_IMAGE = "/static/uploads/7b1d9e3f5a2c4860b9d8e7f6a5c4b3d2.gif"
_AUDIO = "/static/uploads/0f4e7d2c9b8a46f1a3c5e7092b4d6f81.mp3"
_UPLOADED = {"success": True, "filename": "cat.gif", "size": 48_213, "type": "image/gif", "state": "ready"}


@blueprint.post("/upload/image")
@needs(Scope.ALERTS_WRITE)
@unnamed
@validate_request(Upload, source=DataSource.FORM_MULTIPART)
@document_response(UploadedFile, 202)
@validate_response(UploadedFile)
@examples(request={"file": "cat.gif"}, response={**_UPLOADED, "file_url": _IMAGE})
async def upload_image(data: Upload) -> tuple[UploadedFile, int]:
    """Upload a GIF, PNG, JPEG or WebP picture of at most 20 MB.

    What it really is decides, not what it is called. The answer waits until the file has been looked at, 15 seconds at
    most (then it is 202). The same bytes again are the file there already.
    """
    return await _upload(Kind.IMAGE, data)


@blueprint.post("/upload/audio")
@needs(Scope.ALERTS_WRITE)
@unnamed
@validate_request(Upload, source=DataSource.FORM_MULTIPART)
@document_response(UploadedFile, 202)
@validate_response(UploadedFile)
@examples(
    request={"file": "hello.mp3"},
    response={**_UPLOADED, "file_url": _AUDIO, "filename": "hello.mp3", "type": "audio/mpeg"},
)
async def upload_audio(data: Upload) -> tuple[UploadedFile, int]:
    """Upload an MP3, WAV or Ogg sound of at most 10 MB.

    What it really is decides, not what it is called. The answer waits until the file has been looked at, 15 seconds at
    most (then it is 202). The same bytes again are the file there already.
    """
    return await _upload(Kind.AUDIO, data)


async def _upload(kind: Kind, data: Upload) -> tuple[UploadedFile, int]:
    streamer = await callers_streamer()
    try:
        file = await receive(streamer.id, kind, data.file)
    except (InvalidInputError, NotAllowedError) as error:
        with use_locale("en"):
            raise Refused(400, refusal_words(error.code, kind), code=error.code) from error
    answer = UploadedFile(
        file_url=file.url,
        filename=file.name or file.url.removeprefix(URL_PREFIX),
        size=file.size,
        type=file.content_type,
        state=file.state,
    )
    return answer, 200 if file.state is FileState.READY else 202


@blueprint.delete("/upload/file")
@needs(Scope.ALERTS_WRITE)
@validate_querystring(FileQuery)
@validate_response(Deleted)
@examples(response={"success": True, "message": "File deleted"}, path={"file_url": _IMAGE})
async def delete(query_args: FileQuery) -> Deleted:
    """Delete a file that no level uses."""
    streamer = await callers_streamer()
    try:
        async with writing() as connection:
            await delete_unused(connection, streamer.id, query_args.file_url)
    except NotAllowedError as error:
        names = ", ".join(f"“{name}”" if name else "the sound of all levels" for name in error.data["names"])
        raise Refused(400, f"The file is in use: {names}", code="file-in-use") from error
    except NotFoundError as error:
        raise _no_file() from error
    return Deleted(message="File deleted")


@blueprint.get("/upload/files")
@needs(Scope.ALERTS_READ)
@validate_response(Files)
@examples(
    response={
        "audio_files": [{"url": _AUDIO, "tier_name": "Свечение", "name": "hello.mp3", "size": 24_831, "seconds": 1.5}],
        "image_files": [],
    }
)
async def show_files() -> Files:
    """The caller's files, and which of the levels uses each."""
    streamer = await callers_streamer()
    async with parts().pool.acquire() as connection:
        files = await media_files.list_files(connection, streamer.id)
        uses = list_uses(await alert_settings.get_settings(connection, streamer.id))
    ready = [file for file in files if file.state is FileState.READY]
    return Files(
        audio_files=[_audio(file, uses) for file in ready if file.kind is Kind.AUDIO],
        image_files=[_image(file, uses) for file in ready if file.kind is Kind.IMAGE],
    )


def _audio(file: MediaFile, uses: dict[str, tuple[str, ...]]) -> AudioFile:
    return AudioFile(
        url=file.url, tier_name=_tier_name(file, uses), name=file.name, size=file.size, seconds=file.seconds or 0.0
    )


def _image(file: MediaFile, uses: dict[str, tuple[str, ...]]) -> ImageFile:
    return ImageFile(
        url=file.url,
        tier_name=_tier_name(file, uses),
        name=file.name,
        size=file.size,
        width=file.width or 0,
        height=file.height or 0,
        frames=file.frames or 0,
    )


def _tier_name(file: MediaFile, uses: dict[str, tuple[str, ...]]) -> str:
    return next((name for name in uses.get(file.url, ()) if name), "")


@blueprint.post("/preview-audio")
@needs(Scope.ALERTS_READ)
@unnamed
@validate_querystring(PreviewQuery)
@gives("audio/mpeg")
@examples(path={"file_url": _AUDIO})
async def preview_audio(query_args: PreviewQuery) -> Response:
    """A part of one of the caller's sounds, as MP3."""
    streamer = await callers_streamer()
    start, end = query_args.start_time, query_args.end_time
    if end is not None and end <= start:
        raise wrong_field("end_time", "The end comes after the start", where="query")
    try:
        async with parts().pool.acquire() as connection:
            file = await media_files.find_file(connection, streamer.id, query_args.file_url)
    except NotFoundError as error:
        raise _no_file() from error
    if file.kind is not Kind.AUDIO or file.state is not FileState.READY:
        raise Refused(400, "This is no sound, or not ready yet")
    await parts().limiter.take(PREVIEWS, str(streamer.id))
    try:
        content = await cut_sound(file, start, end)
    except MediaError as error:
        if error.code == "nothing":
            raise wrong_field("start_time", "The sound is over by then", where="query") from error
        raise Refused(400, "The sound cannot be read") from error
    response = Response(content, content_type="audio/mpeg")
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


def _no_file() -> Refused:
    return Refused(404, "File not found")
