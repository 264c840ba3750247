"""Answers that a client may ask for again at no cost: `ETag`, and 304 when it has the newest already (RFC 9110, 13).

The tag is of the answer's bytes, so what is saved is their way, not the look at the database.
"""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from quart import Quart, Response, current_app, request

from web.api.blueprints import is_api

View = TypeVar("View", bound=Callable[..., Any])

_TAGGED = "_streamcash_tagged"


def tagged(view: View) -> View:
    """Its answers to GET have an `ETag`. Nothing in them may change by itself from one moment to the next."""
    setattr(view, _TAGGED, True)
    return view


def is_tagged(view: Any) -> bool:
    return bool(getattr(view, _TAGGED, False))


def setup_etags(app: Quart) -> None:
    app.after_request(_tag)


async def _tag(response: Response) -> Response:
    if not is_api(request.endpoint) or response.status_code != 200 or request.method not in ("GET", "HEAD"):
        return response
    assert request.endpoint is not None
    if not is_tagged(current_app.view_functions[request.endpoint]):
        return response
    tag = hashlib.sha256(await response.get_data(as_text=False)).hexdigest()[:32]
    # Weak: nginx may send it compressed.
    response.set_etag(tag, weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    if request.if_none_match.contains_weak(tag):
        response.status_code = 304
        response.set_data(b"")
        for name in ("Content-Type", "Content-Length"):
            response.headers.pop(name, None)
    return response
