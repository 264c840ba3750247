"""Larger bodies for the few addresses that take files; everywhere else the site's small limit holds."""

from typing import Any

from quart import Request
from werkzeug.exceptions import BadRequest

# What a registry may weigh, and the form around it.
REGISTRY_BYTES = 5 * 1024 * 1024
# What one picture may weigh; a page takes two.
PICTURE_BYTES = 5 * 1024 * 1024
_FORM_BYTES = 16 * 1024
_SECONDS = 60

LARGE_BODIES = {
    "/dashboard/money/registry": REGISTRY_BYTES + _FORM_BYTES,
    "/dashboard/page": 2 * PICTURE_BYTES + 4 * _FORM_BYTES,
    "/dashboard/page/pictures": 2 * PICTURE_BYTES + 4 * _FORM_BYTES,
}
"""Path to bytes, for POST. nginx has the same list (nginx/streamcash/site.conf)."""


class SizedRequest(Request):
    """A request that knows by its path how much it may bring."""

    def __init__(self, method: str, scheme: str, path: str, *arguments: Any, **options: Any) -> None:
        large = LARGE_BODIES.get(path) if method == "POST" else None
        if large is not None:
            options |= {"max_content_length": large, "body_timeout": _SECONDS}
        super().__init__(method, scheme, path, *arguments, **options)
        if large is not None:
            self.max_content_length = large

    async def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """Raises BadRequest also for bytes that are no text at all, which Quart calls a bug of ours."""
        try:
            return await super().get_json(force, silent, cache)
        except UnicodeDecodeError as error:
            raise BadRequest from error
