"""The API's documentation, for those who write programs: `/docs/api`."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from quart import Blueprint, Response, current_app, render_template
from quart.typing import ResponseReturnValue

from web.api.openapi import document_text
from web.api.problems import TABLE
from web.context import parts
from web.security import allow_source

blueprint = Blueprint("api_docs", __name__)

METHODS = ("get", "post", "put", "patch", "delete", "options")


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    summary: str
    scope: str
    """What a key must have; empty: no key is asked for, or none will do."""


@blueprint.get("/docs/api")
async def show() -> ResponseReturnValue:
    # Swagger UI draws its small pictures so.
    allow_source("img-src", "data:")
    html = await render_template(
        "pages/api_docs.html",
        base=f"{parts().settings.web_url}/api/v1",
        groups=_groups(document_text(current_app._get_current_object())),  # type: ignore[attr-defined]
        problems=TABLE,
    )
    return Response(html, content_type="text/html; charset=utf-8")


@cache
def _groups(text: str) -> dict[str, list[Operation]]:
    """The operations by noun: what stands there where no script runs."""
    groups: dict[str, list[Operation]] = {}
    for path, operations in json.loads(text)["paths"].items():
        for method in METHODS:
            if method in operations:
                operation = operations[method]
                made = Operation(method.upper(), path, operation.get("summary", ""), _scope_of(operation))
                groups.setdefault(operation["tags"][0], []).append(made)
    return dict(sorted(groups.items()))


def _scope_of(operation: dict[str, Any]) -> str:
    return next((scopes[0] for way in operation["security"] for scopes in way.values() if scopes), "")
