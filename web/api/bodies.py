"""Bodies of requests: JSON is UTF-8 (RFC 8259, 8.1), and what is not is the client's mistake, not ours."""

from quart import Quart, request

from web.api.blueprints import is_api
from web.api.errors import Refused


def setup_bodies(app: Quart) -> None:
    app.before_request(_refuse_other_bytes)


async def _refuse_other_bytes() -> None:
    if not is_api(request.endpoint) or request.method in ("GET", "HEAD", "OPTIONS") or not request.is_json:
        return
    body = await request.get_data(as_text=False)
    assert isinstance(body, bytes)
    try:
        body.decode()
    except UnicodeDecodeError:
        message = "The body is no JSON: it is not UTF-8"
        raise Refused(422, message, faults=[{"loc": ["body"], "msg": message, "type": "json_invalid"}]) from None
