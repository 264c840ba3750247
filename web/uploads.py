"""Larger bodies for the few addresses that take files; everywhere else the site's small limit holds."""

from typing import Any

from quart import Request, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from domain.media_files import SIZE_MAX, Kind

# What a registry may weigh, and the form around it.
REGISTRY_BYTES = 5 * 1024 * 1024
# What one picture may weigh; a page takes two.
PICTURE_BYTES = 5 * 1024 * 1024
_FORM_BYTES = 16 * 1024
IMAGE_BYTES = SIZE_MAX[Kind.IMAGE]
AUDIO_BYTES = SIZE_MAX[Kind.AUDIO]
_SECONDS = 60

LARGE_BODIES = {
    "/dashboard/money/registry": REGISTRY_BYTES + _FORM_BYTES,
    "/dashboard/page": 2 * PICTURE_BYTES + 4 * _FORM_BYTES,
    "/dashboard/page/pictures": 2 * PICTURE_BYTES + 4 * _FORM_BYTES,
    "/dashboard/alerts/files": IMAGE_BYTES + _FORM_BYTES,
    "/api/v1/alerts/upload/image": IMAGE_BYTES + _FORM_BYTES,
    "/api/v1/alerts/upload/audio": AUDIO_BYTES + _FORM_BYTES,
}
"""Path, without a slash at its end, to bytes, for POST. nginx has the same list (nginx/streamcash/site.conf)."""


async def fits() -> bool:
    """Whether this request is within the limit of its address. If not, nothing of its form was read."""
    try:
        await request.files
    except RequestEntityTooLarge:
        return False
    return True


class SizedRequest(Request):
    """A request that knows by its path how much it may bring."""

    def __init__(self, method: str, scheme: str, path: str, *arguments: Any, **options: Any) -> None:
        large = LARGE_BODIES.get(path.rstrip("/")) if method == "POST" else None
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
