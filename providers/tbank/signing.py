"""T-Bank's Token: how a request or a notification proves that it knows the terminal's password.

Standard library only: the simulator signs with this too.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any


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


def _text(value: Any) -> str:
    # bool before everything else: to Python, True is an int.
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value)
