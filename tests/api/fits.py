"""Whether what goes over the wire fits the contract of REST API v1."""

from datetime import datetime
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker

from tests.api.conftest import contract

Contract = dict[str, Any]


def _is_time_with_zone(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def _is_email(value: object) -> bool:
    return not isinstance(value, str) or all(value.rpartition("@"))


_formats = FormatChecker(formats=[])
_formats.checks("date-time", raises=ValueError)(_is_time_with_zone)
_formats.checks("email")(_is_email)


ERROR = {
    "type": "object",
    "properties": {"detail": {"type": "string", "minLength": 1}},
    "required": ["detail"],
    "additionalProperties": False,
}
"""What the contract says of errors in words: nothing but `detail`."""


def assert_fits(contract: Contract, method: str, path: str, status: int, body: Any) -> None:
    """An answer: `path` as the contract writes it ("/api/v1/users/{user_id}"), `body` as JSON was read.

    Errors other than 422 stand in the contract's words alone: `{"detail": text}`.
    """
    if status >= 400 and status != 422:
        _check(contract, ERROR, body, f"{method} {path} {status}")
        return
    responses = operation(contract, method, path)["responses"]
    assert str(status) in responses, f"{method} {path} does not answer {status}"
    schema = responses[str(status)]["content"]["application/json"]["schema"]
    _check(contract, schema, body, f"{method} {path} {status}")
    if status == 422:
        assert body["detail"], "a 422 names at least one fault"


def assert_request_fits(contract: Contract, method: str, path: str, body: Any) -> None:
    """A request's body, of JSON or of a form. For tests: that what they send is what old clients may send."""
    content = operation(contract, method, path)["requestBody"]["content"]
    (kind,) = content.values()
    _check(contract, kind["schema"], body, f"{method} {path}")


def operation(contract: Contract, method: str, path: str) -> dict[str, Any]:
    """Raises AssertionError when the first version had none there."""
    operations = contract["paths"].get(path, {})
    assert method.lower() in operations, f"the contract has no {method} {path}"
    found: dict[str, Any] = operations[method.lower()]
    return found


def _check(contract: Contract, schema: dict[str, Any], body: Any, what: str) -> None:
    root = {**schema, "components": contract["components"]}
    faults = list(Draft202012Validator(root, format_checker=_formats).iter_errors(body))
    assert not faults, f"{what}: " + "; ".join(f"{fault.json_path} {fault.message}" for fault in faults)


async def call(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    status: int,
    *,
    json: Any = None,
    form: dict[str, str] | None = None,
    query: dict[str, Any] | None = None,
    **values: Any,
) -> Any:
    """Call an operation of the contract, `path` as it writes it but for "/api/v1", and return the answer's JSON.

    The request is one that old clients may send, unless a 422 is expected, and the answer is one they understand.
    """
    document, full = contract(), f"/api/v1{path}"
    body = form if json is None else json
    if body is not None and status != 422:
        assert_request_fits(document, method, full, body)
    answer = await client.request(method, path.format(**values), json=json, data=form, params=query)
    assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
    assert_fits(document, method, full, status, answer.json())
    return answer.json()
