"""T-Bank's error codes, sorted by what one can do about them.

The bank gives one code to several causes and adds new ones without notice, so a code decides
only between "again", "never" and "look first"; its text goes to the log.
"""

from providers.outcomes import (
    ProviderError,
    ProviderPermanentError,
    ProviderTemporaryError,
    ProviderUnknownOutcomeError,
    RefusalReason,
)


def _codes(*parts: int | range) -> frozenset[str]:
    numbers = (n for part in parts for n in (part if isinstance(part, range) else (part,)))
    return frozenset(str(n) for n in numbers)


TRY_LATER = _codes(3, 21, 55, range(96, 99), 401, 402, 515, 903, 999, 3040, 7999, 8002, 8004, 9001, 9999)
"""The bank's own trouble. Whether a call that changes something was carried out is then not known."""

NOT_FOUND = _codes(255, 325, 335, 407, 914)
"""No such payment or order; right after Init perhaps only not yet."""

REASONS: dict[RefusalReason, frozenset[str]] = {
    RefusalReason.BAD_REQUEST: _codes(
        1, 2, 17, 64, 201, 203, range(207, 218), 233, 236, 237, 240, range(247, 251), 308, 309, 310, 323, 326,
        329, 333, 334,
    ),
    RefusalReason.DUE_DATE: _codes(12, 3017),
    # 330 is "more than the original sum", the same story as 100 when refunding too much.
    RefusalReason.WRONG_STATE: _codes(4, 8, 100, 330),
    RefusalReason.ORDER_TAKEN: _codes(20, 623),
    RefusalReason.NOT_FOUND: NOT_FOUND,
    RefusalReason.CREDENTIALS: _codes(204, 205, 331, 501, 2015, range(411, 418)),
    RefusalReason.SHOP_UNAVAILABLE: _codes(
        10, 53, 191, 202, 648, 1099, range(1201, 1206), 3001, 3011, 3013, 3019
    ),
    RefusalReason.AMOUNT_OUT_OF_RANGE: _codes(251, 3016),
    RefusalReason.DECLINED: _codes(
        76, 77, 99, range(101, 109), 116, range(600, 603), range(1001, 1099), range(5060, 5068)
    ),
    RefusalReason.TOO_MANY_ATTEMPTS: _codes(119, 603, 2200),
    RefusalReason.REFUND_WITHOUT_FUNDS: _codes(1502, 3002),
    RefusalReason.REFUND_LATER: _codes(range(3028, 3032), 3041, 3042, 5036, 5038, 5043),
}  # fmt: skip
"""Two codes have two meanings at the bank: 603 counts as too many attempts, 1099 as the shop's limit."""

_REASON_BY_CODE = {code: reason for reason, codes in REASONS.items() for code in codes}


def error_for(code: str, message: str, *, changes_something: bool) -> ProviderError:
    """The error to raise for an answer that says the call failed.

    `changes_something` is True for Init and Cancel, False for GetState and CheckOrder.
    "Try later" after a change leaves its outcome unknown. A code without an entry stops a
    change (the bank said no, and a payment whose address we never got cannot be paid), but a
    question is asked again: no answer is never a reason to give a payment up.
    """
    if code in TRY_LATER:
        if changes_something:
            return ProviderUnknownOutcomeError(code, message)
        return ProviderTemporaryError(code, message)
    reason = _REASON_BY_CODE.get(code, RefusalReason.UNKNOWN)
    if reason is RefusalReason.UNKNOWN and not changes_something:
        return ProviderTemporaryError(code, message)
    return ProviderPermanentError(code, message, reason)
