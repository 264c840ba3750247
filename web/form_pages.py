"""Which page a form's address belongs to: many are only for POST, and whoever is led there by a GET finds nothing."""

from quart import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect


def page_of_form() -> str:
    """The path this request's form most likely stands on: its own if it can be looked at, or the nearest above it.

    It begins with a word of ours, never with two slashes: as an address it stays on this site.
    """
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None, "inside a request there is one"
    path = request.path
    while len(path) > 1:
        try:
            adapter.match(path, method="GET")
        except RequestRedirect:
            pass
        except HTTPException:
            path = path.rpartition("/")[0]
            continue
        return path
    return "/"
