"""Reading JSON from strangers: what a provider answers, and what anybody POSTs to us. Standard library only."""

import json
from typing import Any

MAX_BODY_BYTES = 256 * 1024
"""No message of a provider comes near this; anything larger is not read."""


def parse_body(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`; numbers never pass through a float.

    Whole numbers become int; others stay the text they were written as, since T-Bank's Token is
    made of that text. Raises ValueError, with a reason, for everything else: not UTF-8, not JSON,
    not an object, a name given twice (which of the two was signed?), NaN, nesting too deep, half of
    a surrogate pair or a NUL, which PostgreSQL could not keep.
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
