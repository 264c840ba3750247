"""The API's own description (OpenAPI 3.1), made of its views: their models, their docstrings, who may call them.

`examples` gives an operation its examples; `docs/openapi.json` is the document in git, kept current by a test.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from quart import Quart
from quart_schema import Info, QuartSchema
from quart_schema.openapi import HttpSecurityScheme, OAuth2SecurityScheme, OpenAPIProvider
from werkzeug.routing import Rule

from domain.idempotency import KEY_MAX_LENGTH
from domain.scopes import Scope
from web.api.access import access_of
from web.api.blueprints import PREFIX, is_api, is_old
from web.api.errors import PROBLEM
from web.api.etags import is_tagged
from web.api.idempotency import takes_name

View = TypeVar("View", bound=Callable[..., Any])

_EXAMPLES = "_streamcash_examples"
_GIVES = "_streamcash_gives"
_ERRORS = "_streamcash_errors"
_BODY_OPTIONAL = "_streamcash_body_optional"
_DOCUMENT = "streamcash_openapi"
_PERSON = "person"
_KEY = "key"
_APPLICATION = "application"
INFO = "The REST API of СтримКэш РФ: donations, alerts, goals and more for bots, scripts and front ends."


def may_refuse(statuses: dict[int, str]) -> Callable[[View], View]:
    """Errors that an operation has beside those of its kind, and when."""

    def mark(view: View) -> View:
        setattr(view, _ERRORS, statuses)
        return view

    return mark


def examples(
    *, request: Any = None, response: Any = None, path: dict[str, Any] | None = None
) -> Callable[[View], View]:
    """An operation's examples: a body that it takes, one that it answers, what stands in its address."""

    def mark(view: View) -> View:
        setattr(view, _EXAMPLES, {"request": request, "response": response, "path": path or {}})
        return view

    return mark


def gives(content_type: str) -> Callable[[View], View]:
    """An operation that answers no JSON, but a page or a file."""

    def mark(view: View) -> View:
        setattr(view, _GIVES, content_type)
        return view

    return mark


def body_optional(view: View) -> View:
    """An operation that takes a body and does without one, too."""
    setattr(view, _BODY_OPTIONAL, True)
    return view


def setup_openapi(app: Quart) -> None:
    """Checks and the document by quart-schema; it serves nothing by itself."""
    schema = QuartSchema(
        openapi_path=None,
        info=Info(title="СтримКэш РФ", version="1", description=INFO),
        conversion_preference="pydantic",
        # Times as ISO 8601: Quart by itself writes them as HTTP does.
        pydantic_dump_options={"mode": "json", "by_alias": True},  # type: ignore[arg-type]
        openapi_provider_class=ApiDocument,
        security_schemes={
            _PERSON: HttpSecurityScheme(scheme="bearer", bearer_format="JWT"),
            _KEY: HttpSecurityScheme(scheme="bearer", bearer_format="sc_…"),
            _APPLICATION: OAuth2SecurityScheme(
                flows={
                    "authorizationCode": {
                        "authorizationUrl": "/oauth/authorize",
                        "tokenUrl": "/oauth/token",
                        "refreshUrl": "/oauth/token",
                        "scopes": {scope.value: scope.value for scope in Scope},
                    }
                }
            ),
        },
        tags=None,
    )
    schema.init_app(app)


def document_text(app: Quart) -> str:
    """The document, always in the same order; made once for each app, and gone with it."""
    text: str | None = app.extensions.get(_DOCUMENT)
    if text is None:
        document = app.extensions["QUART_SCHEMA"].openapi_provider.schema()
        text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n"
        app.extensions[_DOCUMENT] = text
    return text


class ApiDocument(OpenAPIProvider):
    """The operations of `/api/v1` and nothing else of the site."""

    def schema(self) -> dict[str, Any]:
        document: dict[str, Any] = super().schema()
        document["paths"] = dict(sorted(document["paths"].items()))
        document["tags"] = [
            {"name": tag}
            for tag in sorted(
                {tag for path in document["paths"].values() for op in path.values() for tag in op["tags"]}
            )
        ]
        document["components"]["schemas"] |= _ERROR_SCHEMAS
        return document

    def generate_rules(self) -> Iterable[Rule]:
        rules = [rule for rule in super().generate_rules() if is_api(rule.endpoint)]
        return sorted(rules, key=lambda rule: (rule.rule, sorted(rule.methods or ())))

    def build_paths(self, rule: Rule) -> tuple[dict[str, Any], dict[str, Any]]:
        paths, components = super().build_paths(rule)
        view = self._app.view_functions[rule.endpoint]
        for operations in paths.values():
            for method, operation in operations.items():
                self._complete(operation, rule, view)
                _add_headers(operation, method, rule, view)
        return paths, components

    def operation_id(self, method: str, path: str, func: Callable[..., Any]) -> str:  # noqa: ARG002
        name = f"{func.__module__.rpartition('.')[2]}_{func.__name__}"
        return name if len(self._methods_of(func)) == 1 else f"{name}_{method.lower()}"

    def _methods_of(self, func: Callable[..., Any]) -> set[str]:
        endpoints = {name for name, view in self._app.view_functions.items() if view is func}
        methods: set[str] = set()
        for rule in self._app.url_map.iter_rules():
            if rule.endpoint in endpoints:
                methods |= set(self.generate_methods(rule))
        return methods

    def _complete(self, operation: dict[str, Any], rule: Rule, view: Callable[..., Any]) -> None:
        operation["tags"] = [rule.rule.removeprefix(f"{PREFIX}/").partition("/")[0]]
        access = access_of(view)
        if access.is_public:
            operation["security"] = [{}]
        elif access.is_any:
            operation["security"] = [{_PERSON: []}, {_KEY: []}, {_APPLICATION: []}]
        elif access.scope is None:
            operation["security"] = [{_PERSON: []}]
        else:
            operation["security"] = [{_PERSON: []}, {_KEY: []}, {_APPLICATION: [access.scope.value]}]
        operation["responses"] = {str(status): value for status, value in operation["responses"].items()}
        if content_type := getattr(view, _GIVES, None):
            operation["responses"]["200"] = {"description": "", "content": {content_type: _SCHEMA_OF_BYTES}}
        if not operation["responses"]:
            operation["responses"]["200"] = {"description": "Nothing more than that it is so"}
        if "requestBody" in operation:
            operation["requestBody"]["required"] = not getattr(view, _BODY_OPTIONAL, False)
        self._add_errors(operation, rule, is_public=access.is_public)
        self._add_examples(operation, view)

    def _add_errors(self, operation: dict[str, Any], rule: Rule, *, is_public: bool) -> None:
        old = is_old(rule.endpoint)
        statuses = {429: "Too many calls; Retry-After says when to come again", 503: "Nothing is lost; try again soon"}
        if old:
            # The first version answered so at nearly every address.
            statuses[400] = "It cannot be done so, or the caller lacks the privileges"
            statuses[403] = "Not signed in, or the key lacks the scope, or this site does not do that"
            statuses[404] = "There is no such thing"
        elif not is_public:
            statuses[401] = "No key, or one that is not good (any more)"
            statuses[403] = "The key lacks the scope"
        takes = operation.get("requestBody") or operation["parameters"]
        if takes:
            statuses[422] = "Some field is not right"
            statuses.setdefault(400, "It cannot be done so")
        if any(parameter["in"] == "path" for parameter in operation["parameters"]) or not is_public:
            statuses.setdefault(404, "There is no such thing, or it is not yours")
        if operation.get("requestBody"):
            statuses[413] = "Too much data"
        statuses |= getattr(self._app.view_functions[rule.endpoint], _ERRORS, {})
        for status, description in statuses.items():
            operation["responses"].setdefault(str(status), _error(description, status, old=old))

    def _add_examples(self, operation: dict[str, Any], view: Callable[..., Any]) -> None:
        given = getattr(view, _EXAMPLES, None)
        if given is None:
            return
        if given["request"] is not None:
            for content in operation["requestBody"]["content"].values():
                content["example"] = given["request"]
        if given["response"] is not None:
            success = next(value for status, value in operation["responses"].items() if status < "300")
            for content in success["content"].values():
                content["example"] = given["response"]
        for parameter in operation["parameters"]:
            if parameter["name"] in given["path"]:
                parameter["example"] = given["path"][parameter["name"]]


def _add_headers(operation: dict[str, Any], method: str, rule: Rule, view: Callable[..., Any]) -> None:
    """What a request may say of itself: that it is a repeat (web/api/idempotency.py), and what it has (etags.py)."""
    if method == "get":
        if is_tagged(view):
            operation["parameters"].append(_header("If-None-Match", "The ETag of the answer that you have", 200))
            operation["responses"]["304"] = {"description": "Nothing has changed: what you have is the newest"}
        return
    if not takes_name(view):
        return
    operation["parameters"].append(
        _header("Idempotency-Key", "A name for this request: sent twice, it is done once", KEY_MAX_LENGTH)
    )
    old = is_old(rule.endpoint)
    operation["responses"].setdefault("409", _error("It cannot be done as things stand", 409, old=old))
    operation["responses"].setdefault("422", _error("Some field is not right", 422, old=old))


def _header(name: str, description: str, max_length: int) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": max_length, "pattern": "^[ -~]+$"}
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


_SCHEMA_OF_BYTES: dict[str, Any] = {}
"""OpenAPI 3.1 says nothing of what is no JSON."""


_ERROR_SCHEMAS = {
    "Error": {
        "type": "object",
        "required": ["detail"],
        "properties": {"detail": {"type": "string"}},
    },
    "FieldErrors": {
        "type": "object",
        "required": ["detail"],
        "properties": {"detail": {"type": "array", "items": {"$ref": "#/components/schemas/FieldError"}}},
    },
    "FieldError": {
        "type": "object",
        "required": ["loc", "msg", "type"],
        "properties": {
            "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
            "msg": {"type": "string"},
            "type": {"type": "string"},
        },
    },
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldError"}},
        },
    },
}


def _error(description: str, status: int, *, old: bool) -> dict[str, Any]:
    problem = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    if old:
        name = "FieldErrors" if status == 422 else "Error"
        problem = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}, **problem}
    return {"description": description, "content": problem}
