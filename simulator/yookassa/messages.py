"""What YooKassa tells a shop, and what somebody else may tell it: nothing is signed."""

import json


def forged(body: bytes) -> bytes:
    """The same notification telling the opposite: paid for what was not, cancelled for what was."""
    message = json.loads(body)
    status = "canceled" if message["object"].get("status") == "succeeded" else "succeeded"
    lie = {**message, "event": f"payment.{status}", "object": {**message["object"], "status": status}}
    return json.dumps(lie, ensure_ascii=False).encode()
