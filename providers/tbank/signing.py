"""T-Bank's Token: how a request or a notification proves that it knows the terminal's password.

Standard library only: the simulator signs with this too.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

MAX_BODY_BYTES = 256 * 1024
"""No message of the bank comes near this; anything larger is not read."""


def sign(fields: Mapping[str, Any], password: str) -> str:
    """The Token of a body: lower-case hex SHA-256 over its root scalars and the password.

    Steps:
    1. take every root scalar, known to us or not; skip objects, arrays, nulls and `Token`;
    2. add the pair `Password`;
    3. join the values, sorted by name, with nothing in between.

    Raises ValueError if the body itself holds `Password`, which must never be sent.
    """
    if "Password" in fields:
        raise ValueError("a body must never hold the terminal's password")
    scalars = {
        name: value
        for name, value in fields.items()
        if name != "Token" and value is not None and not isinstance(value, dict | list | tuple)
    }
    scalars["Password"] = password
    joined = "".join(_text(scalars[name]) for name in sorted(scalars))
    return hashlib.sha256(joined.encode()).hexdigest()


def verify(fields: Mapping[str, Any], password: str) -> bool:
    """Whether the body's Token fits the password, compared in constant time; upper-case hex is accepted."""
    token = fields.get("Token")
    if not isinstance(token, str) or "Password" in fields:
        return False
    return hmac.compare_digest(token.lower().encode(), sign(fields, password).encode())


def parse_body(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`, fit for signing: numbers never pass through a float.

    Whole numbers become int; others stay the text they were written as, since their Token is
    made of that text. Raises ValueError, with a reason, for everything else: not UTF-8, not
    JSON, not an object, a name given twice (which of the two was signed?), NaN, nesting too
    deep, half of a surrogate pair or a NUL, which PostgreSQL could not keep.
    """
    if len(raw) > MAX_BODY_BYTES:
        raise ValueError(f"longer than {MAX_BODY_BYTES} bytes")
    try:
        body = json.loads(
            raw.decode(), parse_float=str, parse_constant=_refuse_constant, object_pairs_hook=_unique_pairs
        )
        _refuse_odd_text(body)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if isinstance(body, dict):
        return body
    raise ValueError("not a JSON object")


def _text(value: Any) -> str:
    # bool before everything else: to Python, True is an int.
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name is given twice")
    return names


def _refuse_odd_text(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("NUL in a text")
        value.encode()  # raises UnicodeEncodeError, a ValueError, for half of a surrogate pair
    elif isinstance(value, dict):
        for name, item in value.items():
            _refuse_odd_text(name)
            _refuse_odd_text(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_odd_text(item)
