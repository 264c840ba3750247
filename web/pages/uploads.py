"""Uploaded files for overlays, for anybody who knows their address, cached for good: what stands there never changes.

GET /static/uploads/<name>     a picture or sound as domain/media_files.py keeps it; also a part of it (Range)
"""

from collections.abc import AsyncIterator
from typing import Any

from quart import Blueprint, Response, request
from werkzeug.datastructures import ContentRange
from werkzeug.exceptions import NotFound, RequestedRangeNotSatisfiable

from domain.media_files import URL_PREFIX, Served, find_served, read_part
from web.assets import YEAR_SECONDS
from web.context import parts

blueprint = Blueprint("uploads", __name__)

PART_BYTES = 512 * 1024
"""Read from the database and sent at once."""

HEADERS = {
    "Cache-Control": f"public, max-age={YEAR_SECONDS}, immutable",
    # Opened by itself it is a picture or a sound and nothing else, whatever a browser takes it for.
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Accept-Ranges": "bytes",
}


@blueprint.get(f"{URL_PREFIX}<name>")
async def show(name: str) -> Response:
    async with parts().pool.acquire() as connection:
        file = await find_served(connection, URL_PREFIX + name)
    if file is None:
        raise NotFound
    etag = name.partition(".")[0]
    if request.if_none_match.contains(etag):
        response = Response(status=304, headers=HEADERS)
        response.set_etag(etag)
        return response
    first, end = _asked_range(file, etag)
    response = Response(_read(parts().pool, file, first, end), headers=HEADERS, content_type=file.content_type)
    response.content_length = end - first
    response.set_etag(etag)
    if (first, end) != (0, file.size) or _has_range(etag):
        response.status_code = 206
        response.content_range = ContentRange("bytes", first, end, file.size)
    # As long as a phone on a train takes.
    response.timeout = None
    return response


def _has_range(etag: str) -> bool:
    """One range of bytes. Several at once, or other units, may be answered with the whole."""
    wanted = request.range
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        return False
    # "If it is still the same": else the whole.
    return request.if_range.etag in (None, etag) and request.if_range.date is None


def _asked_range(file: Served, etag: str) -> tuple[int, int]:
    """From the first byte to behind the last. Raises 416."""
    if not _has_range(etag):
        return 0, file.size
    assert request.range is not None
    found = request.range.range_for_length(file.size)
    if found is None or found[1] is None:
        raise RequestedRangeNotSatisfiable(length=file.size)
    return found[0], min(found[1], file.size)


async def _read(pool: Any, file: Served, first: int, end: int) -> AsyncIterator[bytes]:
    """Part by part; no connection is kept between two. One that is deleted meanwhile ends early."""
    while first < end:
        async with pool.acquire() as connection:
            part = await read_part(connection, file.id, first, min(PART_BYTES, end - first))
        if not part:
            return
        yield part
        first += len(part)
