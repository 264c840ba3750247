"""Static files: `asset('css/app.css')` is an address that changes with the contents, cached for good.

The hash is of all files together and stands in the path, so that what one file asks for by a relative
address (an ES module's import, a font in CSS) carries it too.
"""

import gzip
import mimetypes
from functools import cache
from pathlib import Path

from quart import Blueprint, Quart, Response, current_app, request, send_from_directory
from werkzeug.exceptions import NotFound

from infra.assets import STATIC_DIR, assets_version

YEAR_SECONDS = 365 * 24 * 3600
COMPRESSED = {".css", ".js", ".svg", ".txt", ".json"}
COMPRESS_FROM_BYTES = 1024

# A machine's own table may lack them, and `nosniff` makes a browser refuse what is not named rightly.
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("font/woff2", ".woff2")

blueprint = Blueprint("assets", __name__)


def asset(path: str) -> str:
    """The address of a file in static/. Raises FileNotFoundError: a template names what is not there."""
    if not (STATIC_DIR / path).is_file():
        raise FileNotFoundError(f"static/{path}")
    return f"/static/v-{assets_version()}/{path}"


@blueprint.get("/static/v-<version>/<path:path>")
async def versioned(version: str, path: str) -> Response:
    # A page from before an update asks for the old address: it gets the new file, but must not keep it.
    in_development = bool(current_app.config["IN_DEVELOPMENT"])
    return await _send(path, for_good=version == assets_version() and not in_development)


@blueprint.get("/static/<path:path>")
async def plain(path: str) -> Response:
    return await _send(path, for_good=False)


async def _send(path: str, *, for_good: bool) -> Response:
    if any(part.startswith(".") for part in Path(path).parts):
        raise NotFound
    response = await send_from_directory(STATIC_DIR, path, cache_timeout=0)
    del response.headers["Expires"]
    if for_good:
        response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    else:
        response.headers["Cache-Control"] = "no-cache"
    compressed = Path(path).suffix in COMPRESSED and _compress(response, STATIC_DIR / path)
    if not compressed:
        # From memory: Quart opens a file in a thread, and whoever leaves at that moment leaves it open for good.
        response.set_data(_contents(STATIC_DIR / path, (STATIC_DIR / path).stat().st_mtime_ns))
    length = response.content_length
    await response.make_conditional(request, accept_ranges=not compressed, complete_length=length)
    return response


def _compress(response: Response, path: Path) -> bool:
    """Static files only: pages hold secrets beside what a stranger wrote, and stay as they are (BREACH)."""
    response.vary.add("Accept-Encoding")
    status = path.stat()
    if status.st_size < COMPRESS_FROM_BYTES or "gzip" not in request.accept_encodings.values():
        return False
    response.set_data(_gzipped(path, status.st_mtime_ns))
    response.headers["Content-Encoding"] = "gzip"
    response.set_etag(f"{response.get_etag()[0]}-gzip")
    return True


@cache
def _contents(path: Path, _modified_ns: int) -> bytes:
    return path.read_bytes()


@cache
def _gzipped(path: Path, _modified_ns: int) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)


def setup_assets(app: Quart) -> None:
    app.register_blueprint(blueprint)
    app.jinja_env.globals["asset"] = asset
