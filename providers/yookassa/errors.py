"""YooKassa's errors by HTTP status, sorted by what one can do about them.

The list of statuses is closed and published (yookassa.ru/developers/using-api/response-handling/http-codes); the
descriptions are for people and go to the log.
"""

from typing import Any

from providers.outcomes import (
    ProviderError,
    ProviderPermanentError,
    ProviderTemporaryError,
    ProviderUnknownOutcomeError,
    RefusalReason,
)

REASONS = {
    400: RefusalReason.BAD_REQUEST,
    401: RefusalReason.CREDENTIALS,
    # The key is right and may not do this: only the streamer can change that.
    403: RefusalReason.CREDENTIALS,
    404: RefusalReason.NOT_FOUND,
    405: RefusalReason.BAD_REQUEST,
    410: RefusalReason.BAD_REQUEST,
    415: RefusalReason.BAD_REQUEST,
}

BAD_REQUESTS = {
    ("open", "amount"): RefusalReason.AMOUNT_OUT_OF_RANGE,
    # Also when none was sent and the shop has to send one.
    ("open", "receipt"): RefusalReason.RECEIPT,
    ("refund", "receipt"): RefusalReason.RECEIPT,
    # More than is left to give back, a payment nobody paid, a hold that is gone.
    ("refund", "amount"): RefusalReason.WRONG_STATE,
    ("refund", "payment_id"): RefusalReason.WRONG_STATE,
    ("refund", ""): RefusalReason.WRONG_STATE,
    ("cancel", ""): RefusalReason.WRONG_STATE,
}
"""What 400 means for a call, by the first part of the `parameter` that it complains about ("" for none).

YooKassa has one code, `invalid_request`, for broken rules of the protocol and of the business alike.
"""


def error_for(call: str, http_status: int, body: dict[str, Any] | None, *, changes_something: bool) -> ProviderError:
    """The error to raise for an answer other than HTTP 200.

    `call` is our name of the call: open, state, cancel, refund, refund_state, check. `body` is YooKassa's error
    object; without one (None) the answer comes from something in between, and says nothing about what was done.
    202 ("not finished yet") and 5xx after a change leave its outcome unknown: the way on is the same call with the
    same key.
    """
    code, message = _words(http_status, body)
    if http_status == 429:
        return ProviderTemporaryError(code, message)
    reason = REASONS.get(http_status)
    if reason is None or body is None:
        unsure = ProviderUnknownOutcomeError if changes_something else ProviderTemporaryError
        return unsure(code, message)
    if http_status == 400:
        parameter = str(body.get("parameter") or "").partition(".")[0]
        reason = BAD_REQUESTS.get((call, parameter), reason)
    return ProviderPermanentError(code, message, reason)


def _words(http_status: int, body: dict[str, Any] | None) -> tuple[str, str]:
    parts = [(body or {}).get(name) for name in ("code", "parameter", "description")]
    code, parameter, description = (part if isinstance(part, str) else "" for part in parts)
    message = ": ".join(part for part in (parameter, description) if part)
    return code[:50] or f"http_{http_status}", f"HTTP {http_status} {message}".strip()[:500]
