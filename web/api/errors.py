"""Errors of the API: as the first version gave them, or as problem documents (RFC 9457).

A problem document has `type`, `title`, `status` and `detail`; one about fields has `errors`, each with `loc`, `msg` and
`type`. What the first version had answers `{"detail": …}` as it did, unless the client accepts problem documents.
"""

from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from quart import Response, json, request
from quart_schema import RequestSchemaValidationError
from quart_schema.validation import QuerystringValidationError
from werkzeug.exceptions import BadRequest, HTTPException

from domain.errors import DomainError, InvalidInputError, NotAllowedError, NotFoundError
from web.api.blueprints import in_old, is_old

PROBLEM = "application/problem+json"
PROBLEMS = {
    "fields": (422, "Some field is not right; `errors` says which and why."),
    "unknown-key": (401, "There is no key, or one that is not good (any more): unknown, expired or revoked."),
    "scope": (403, "The key is good but may not do this; `detail` names the scope."),
    "too-many": (429, "Too many calls. Retry-After says when to come again."),
    "unavailable": (503, "The database is away. Nothing is lost; try again soon."),
}
"""Problems of any operation, each with its status. Codes are added, never changed; `problems.py` has the others."""

_CODES = {status: code for code, (status, _) in PROBLEMS.items() if status != HTTPStatus.FORBIDDEN}

Fault = dict[str, Any]
"""`loc` (where: "body", "query" or "path", then names), `msg`, `type`."""


class Refused(Exception):  # noqa: N818 (an answer, no fault of ours)
    """An answer that says no. `faults`: what is wrong with which field."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        faults: list[Fault] | None = None,
        code: str = "",
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        self.faults = faults
        self.code = code
        """A word for programs, the end of the problem's `type`."""


def wrong_field(name: str, message: str, *, where: str = "body", kind: str = "value_error") -> Refused:
    """One field is not right, though it has its shape."""
    return Refused(422, message, faults=[{"loc": [where, name], "msg": message, "type": kind}])


def answer(status: int, detail: str, *, faults: list[Fault] | None = None, code: str = "") -> Response:
    """An error in the shape that this request asks for."""
    wants_problem = PROBLEM in request.headers.get("Accept", "")
    if in_old() and not wants_problem:
        return _json({"detail": detail if faults is None else faults}, status, "application/json")
    code = code or _CODES.get(status, "")
    body: dict[str, Any] = {
        "type": f"/docs/api#problem-{code}" if code else "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if faults is not None:
        body["errors"] = faults
    return _json(body, status, PROBLEM)


def _json(body: dict[str, Any], status: int, content_type: str) -> Response:
    return Response(json.dumps(body), status=status, content_type=content_type)


def answer_refused(error: Refused) -> Response:
    response = answer(error.status, error.detail, faults=error.faults, code=error.code)
    response.headers.update(error.headers)
    return response


def answer_domain_error(error: DomainError) -> Response:
    """For rules that a handler did not put in words of its own."""
    if isinstance(error, NotFoundError):
        return answer(404, f"There is no such {error.code}")
    if isinstance(error, NotAllowedError):
        return answer(403, "This is not allowed now")
    assert isinstance(error, InvalidInputError)
    return answer_refused(wrong_field(error.field, error.code.replace("_", " "), kind=error.code))


def answer_http_exception(error: HTTPException) -> Response | None:
    """None: it is no error of the request's fields."""
    if type(error) is BadRequest and request.is_json and is_old(request.endpoint):
        fault = {"loc": ["body"], "msg": "JSON decode error", "type": "json_invalid"}
        return answer(422, "This is no JSON", faults=[fault])
    if not isinstance(error, RequestSchemaValidationError):
        return None
    where = "query" if isinstance(error, QuerystringValidationError) else "body"
    return answer(422, "Some field is not right", faults=_faults(error.validation_error, where))


def _faults(error: Exception, where: str) -> list[Fault]:
    if not isinstance(error, ValidationError):
        return [{"loc": [where], "msg": "This is not what was expected", "type": "value_error"}]
    return [
        {"loc": [where, *fault["loc"]], "msg": fault["msg"], "type": fault["type"]}
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
