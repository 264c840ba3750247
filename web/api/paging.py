"""Lists in pages, by cursors: what comes in meanwhile moves no page. A cursor is an opaque place in the list."""

import base64
import binascii
from typing import Annotated
from urllib.parse import urlencode

from pydantic import Field
from quart import request

from domain.history import Place
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


def write_cursor(place: Place | None) -> str | None:
    if place is None:
        return None
    return base64.urlsafe_b64encode(write_place(place).encode()).decode().rstrip("=")


def read_cursor(name: str, text: str | None) -> Place | None:
    """`name`: of the query's field. Raises Refused(422): it is none of ours."""
    if text is None:
        return None
    try:
        written = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        written = ""
    place = read_place(written)
    if place is None:
        raise problem("cursor", field=name, where="query")
    return place


def links(*, following: str | None, previous: str | None) -> dict[str, str]:
    """The `Link` header (RFC 8288) for the pages next to this one, with everything else that was asked for."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in ("before", "after")]
    found = []
    for name, relation, cursor in (("before", "next", following), ("after", "prev", previous)):
        if cursor is not None:
            found.append(f'<{request.path}?{urlencode([*kept, (name, cursor)])}>; rel="{relation}"')
    return {"Link": ", ".join(found)} if found else {}
