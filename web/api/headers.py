"""What each answer of the API carries: how often one may call, and which sites' pages may read it (CORS)."""

from quart import Quart, Response, g, request

from web.api.blueprints import in_api
from web.context import parts
from web.limits import Count

ALLOWED_METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, If-None-Match"
EXPOSED_HEADERS = "ETag, Link, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
PREFLIGHT_SECONDS = 600


def setup_headers(app: Quart) -> None:
    app.after_request(_add_headers)


async def _add_headers(response: Response) -> Response:
    if not in_api():
        return response
    count: Count | None = g.get("api_count")
    if count is not None:
        response.headers["RateLimit-Limit"] = str(count.limit.count)
        response.headers["RateLimit-Remaining"] = str(max(0, count.left))
        response.headers["RateLimit-Reset"] = str(count.left_seconds)
    allow_origin(response)
    return response


def allow_origin(response: Response) -> None:
    """Let pages of the sites that the operator named read the answer. Cookies are never part of it."""
    allowed = parts().settings.cors_origin_list
    if not allowed:
        return
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin", "")
    if origin not in allowed:
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    # Its pages are other origins' pages: without this a browser hides even what CORS allows.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
        response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
