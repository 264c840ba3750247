"""Lists in pages, by cursors: what comes in meanwhile moves no page. A cursor is an opaque place in the list."""

import base64
import binascii
from typing import Annotated
from urllib.parse import urlencode

from pydantic import Field
from quart import request

from domain.history import Mark, Place
from web.api.problems import problem
from web.api.schemas.common import Model
from web.history_filters import read_place, write_place

LIMIT_MAX = 100
LIMIT = 50

Cursor = Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


class PageQuery(Model):
    """Which page of a list."""

    limit: int = Field(LIMIT, ge=1, le=LIMIT_MAX, description="How many entries at most")
    before: Cursor | None = Field(None, description="Entries older than this cursor: the `next` of the page before")
    after: Cursor | None = Field(
        None, description="Entries newer than this cursor, the nearest first to be found: the `previous` of a page"
    )


def write_cursor(mark: Mark) -> str:
    written = write_place(mark.place)
    if mark.floor is not None:
        written += "~" + write_place(Place(mark.floor, 0))
    return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")


def read_cursor(name: str, text: str | None) -> Mark | None:
    """`name`: of the query's field. Raises Refused(422): it is none of ours."""
    if text is None:
        return None
    try:
        written = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        written = ""
    place_text, has_floor, floor_text = written.partition("~")
    place, floor = read_place(place_text), read_place(floor_text)
    if place is None or (has_floor and floor is None):
        raise problem("cursor", field=name, where="query")
    return Mark(place, None if floor is None else floor.at)


def links(*, following: str | None, previous: str | None) -> dict[str, str]:
    """The `Link` header (RFC 8288) for the pages next to this one, with everything else that was asked for."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in ("before", "after")]
    found = []
    for name, relation, cursor in (("before", "next", following), ("after", "prev", previous)):
        if cursor is not None:
            found.append(f'<{request.path}?{urlencode([*kept, (name, cursor)])}>; rel="{relation}"')
    return {"Link": ", ".join(found)} if found else {}
