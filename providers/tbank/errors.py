"""T-Bank's error codes, sorted by what one can do about them.

The codes are those of the bank's OpenAPI document 1.80, «Коды ошибок»; a test compares. The bank gives one code to
several causes and adds new ones without notice, so a code decides only between "again", "never" and "look first",
and which words people read; the bank's own text goes to the log.
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


TRY_LATER = _codes(
    3, 21, range(50, 53), 55, range(96, 99), 401, 402, 515, 903, 999, 1018, 1085, 3040, 7999, 8002, 8004, 9001, 9999
)
"""The bank's own trouble. Whether a call that changes something was carried out is then not known.

1018 is "unknown status" and 1085 "success", which as a refusal says as little.
"""

NOT_FOUND = _codes(255, 325, 335, 407, 914)
"""No such payment or order; right after Init perhaps only not yet."""

NO_SBP = _codes(1099, 3001, 3016, 3019)
"""What GetQr is refused with where there is no SBP: it is off, or does not take the sum."""

REASONS: dict[RefusalReason, frozenset[str]] = {
    RefusalReason.PROVIDER_TROUBLE: TRY_LATER,
    # What we send, and what we never send: card data of a form of one's own, market places, recurrent payments.
    RefusalReason.BAD_REQUEST: _codes(
        1, 2, 9, 14, 17, 64, 201, 203, range(207, 218), 222, 223, range(227, 231), 233, range(235, 238),
        range(240, 248), 249, 250, 259, 260, 261, 323, 326, 332, 333, 1125, 1126, 3044,
    ),
    RefusalReason.DUE_DATE: _codes(12, 3017),
    # 330 is "more than the original sum", the same story as 100 when refunding too much; 1076, a hold that could
    # not be released; 8001 and 8003, what instalments do not allow.
    RefusalReason.WRONG_STATE: _codes(4, 8, 100, 324, 330, 1076, 3037, 8001, 8003),
    RefusalReason.ORDER_TAKEN: _codes(20, 623),
    RefusalReason.NOT_FOUND: NOT_FOUND,
    RefusalReason.CREDENTIALS: _codes(204, 205, 322, 331, 501, 2015),
    # 5, 53, 604, 703 and 1201 send the streamer to the bank's support. 419 and 1119 want a field that only shops of
    # another category have. 3038 is SBP's: refunds need an account at T-Bank.
    RefusalReason.SHOP_UNAVAILABLE: _codes(
        5, 10, 13, 53, 191, 202, 253, 254, 419, 604, 648, 702, 703, 800, 991, 1003, 1099, 1119, 1201, 1235, 1503,
        3001, 3011, 3013, 3019, 3038, 3101,
    ),
    RefusalReason.SHOP_LIMIT: _codes(range(1202, 1205)),
    # Linked cards and accounts, documents, payouts and transfers with their certificates and limits, deals.
    RefusalReason.OTHER_PRODUCT: _codes(
        6, 7, 27, range(60, 64), range(65, 69), 78, 104, 105, 107, 231, 256, 257, 262, 327, 328, 381, 382, 384,
        range(403, 407), range(410, 418), 500, range(502, 506), 509, 510, 514, 619, range(632, 635), 637, 651,
        926, 927, 1116, 3012, 3014, 3015, range(3032, 3037), 5031,
    ),
    RefusalReason.RECEIPT: _codes(
        206, range(224, 227), 258, range(308, 322), 329, 334, 383, 385, 386
    ),
    RefusalReason.AMOUNT_OUT_OF_RANGE: _codes(251, 620, 1064, 3016),
    RefusalReason.DECLINED: _codes(
        11, 15, 16, 18, 19, 99, 102, 650, 1001, range(1004, 1009), 1012, 1017, 1034, 1038, 1039, 1041, 1043, 1053,
        1059, 1062, 1063, 1071, 1088, range(1092, 1095), 1207, 3003, 3009, 5032, 5063, range(5065, 5068),
    ),
    RefusalReason.DECLINED_FOR_NOW: _codes(120, 123, 125, 1030, 1089, 1091, 1096, 3102),
    RefusalReason.NO_FUNDS: _codes(103, 116, 1051, 5060),
    RefusalReason.PAYER_LIMIT: _codes(1013, 1019, 1057, 1058, 1061, 1065, 1075, 5061, 5062, 5064),
    RefusalReason.CARD_DETAILS: _codes(
        range(218, 222), 234, 238, 239, 248, 252, 508, 642, 1014, 1015, 1033, 1054, 1055, 1080, 1082
    ),
    RefusalReason.CARD_NOT_ACCEPTED: _codes(
        76, 77, 106, 108, 506, 507, range(600, 602), 1078, 1205, 1217, 1218, 1316
    ),
    RefusalReason.CONFIRMATION_FAILED: _codes(54, 101, range(109, 112), range(511, 514), 1077, 1086, 2014),
    RefusalReason.TOO_MANY_ATTEMPTS: _codes(119, 603, 2200),
    RefusalReason.REFUND_WITHOUT_FUNDS: _codes(1502, 3002),
    RefusalReason.REFUND_LATER: _codes(3029, 3030, 3041, 3042),
    RefusalReason.REFUND_REFUSED: _codes(79, 3008, 3010, 3028, 3031, 5036, 5038, 5043),
}  # fmt: skip
"""Two codes have two meanings at the bank: 603 counts as too many attempts, 1099 as a method that is off."""

# From 1001 to 1098 card issuers speak: a code of theirs that the document does not have is a refusal all the same.
_REASON_BY_CODE = dict.fromkeys(_codes(range(1001, 1099)), RefusalReason.DECLINED) | {
    code: reason for reason, codes in REASONS.items() for code in codes
}


def reason_for(code: str) -> RefusalReason | None:
    """Why something was refused with this code; None for "0" and no code at all, which refuse nothing."""
    if code in ("", "0"):
        return None
    return _REASON_BY_CODE.get(code, RefusalReason.UNKNOWN)


def error_for(code: str, message: str, *, changes_something: bool) -> ProviderError:
    """The error to raise for an answer that says the call failed.

    `changes_something` is True for Init and Cancel, False for calls that only ask.
    "Try later" after a change leaves its outcome unknown. A code without an entry stops a
    change (the bank said no, and a payment whose address we never got cannot be paid), but a
    question is asked again: no answer is never a reason to give a payment up.
    """
    reason = reason_for(code) or RefusalReason.UNKNOWN
    if reason is RefusalReason.PROVIDER_TROUBLE and changes_something:
        return ProviderUnknownOutcomeError(code, message, reason)
    if reason is RefusalReason.PROVIDER_TROUBLE or (reason is RefusalReason.UNKNOWN and not changes_something):
        return ProviderTemporaryError(code, message, reason)
    return ProviderPermanentError(code, message, reason)
