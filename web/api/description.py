"""The API's description, for programs and those who write them."""

from quart import Response, current_app
from quart_schema import hide

from web.api.access import public
from web.api.blueprints import new_api
from web.api.openapi import document_text

blueprint = new_api("description", "")


@blueprint.get("/openapi.json")
@public
@hide
async def show_document() -> Response:
    """The OpenAPI 3.1 document of this API."""
    text = document_text(current_app._get_current_object())  # type: ignore[attr-defined]
    response = Response(text, content_type="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
