"""Loaded by schemathesis, whose every good `Idempotency-Key` is the same one.

All but the first request would be refused as another's repeat, before anything of ours has run. So each gets one of its
own; repeats have tests of their own.
"""

import uuid
from typing import Any

import schemathesis

HEADER = "Idempotency-Key"
KEY_MAX_LENGTH = 200


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: schemathesis.Case[Any], **_options: Any) -> None:
    headers: Any = case.headers or {}
    key = str(headers.get(HEADER, ""))
    if 1 <= len(key) <= KEY_MAX_LENGTH and key.isascii() and key.isprintable():
        headers[HEADER] = str(uuid.uuid4())
