"""T-Bank's status machine: which word may follow which."""

TRANSITIONS: dict[str, frozenset[str]] = {
    "NEW": frozenset({"FORM_SHOWED", "CANCELED", "DEADLINE_EXPIRED"}),
    "FORM_SHOWED": frozenset({"AUTHORIZING", "PREAUTHORIZING", "CANCELED", "DEADLINE_EXPIRED", "ATTEMPTS_EXPIRED"}),
    "PREAUTHORIZING": frozenset({"AUTHORIZING"}),
    "AUTHORIZING": frozenset({"3DS_CHECKING", "PAY_CHECKING", "AUTHORIZED", "REJECTED", "AUTH_FAIL"}),
    "3DS_CHECKING": frozenset({"3DS_CHECKED", "AUTH_FAIL", "DEADLINE_EXPIRED"}),
    "3DS_CHECKED": frozenset({"AUTHORIZING"}),
    "PAY_CHECKING": frozenset({"AUTHORIZED", "REJECTED"}),
    "AUTHORIZED": frozenset({"CONFIRMING", "REVERSING"}),
    "CONFIRMING": frozenset({"CONFIRM_CHECKING", "CONFIRMED"}),
    "CONFIRM_CHECKING": frozenset({"CONFIRMED"}),
    "REVERSING": frozenset({"REVERSED", "PARTIAL_REVERSED"}),
    "PARTIAL_REVERSED": frozenset({"CONFIRMING", "REVERSING"}),
    "CONFIRMED": frozenset({"REFUNDING"}),
    "REFUNDING": frozenset({"ASYNC_REFUNDING", "PARTIAL_REFUNDED", "REFUNDED"}),
    "ASYNC_REFUNDING": frozenset({"PARTIAL_REFUNDED", "REFUNDED", "CONFIRMED"}),
    "PARTIAL_REFUNDED": frozenset({"REFUNDING"}),
    # The form lets the payer try again after a refusal, until the link runs out.
    "REJECTED": frozenset({"FORM_SHOWED"}),
    "AUTH_FAIL": frozenset({"FORM_SHOWED"}),
    "CANCELED": frozenset(),
    "DEADLINE_EXPIRED": frozenset(),
    "ATTEMPTS_EXPIRED": frozenset(),
    "REVERSED": frozenset(),
    "REFUNDED": frozenset(),
}

UNPAID = frozenset({"NEW", "FORM_SHOWED"})
REFUSED = frozenset({"REJECTED", "AUTH_FAIL"})
PAYABLE = UNPAID | REFUSED
HELD = frozenset({"AUTHORIZED", "PARTIAL_REVERSED"})
PAID = frozenset({"CONFIRMED", "PARTIAL_REFUNDED"})
EXPIRED = frozenset({"DEADLINE_EXPIRED", "ATTEMPTS_EXPIRED"})

SUCCEEDED = (
    HELD | PAID | frozenset({"CONFIRMING", "CONFIRM_CHECKING", "REVERSING", "REFUNDING", "ASYNC_REFUNDING", "REFUNDED"})
)
"""An order with a payment in one of these takes no further one."""

NOTIFIED = frozenset(
    {
        "AUTHORIZED",
        "CONFIRMED",
        "PARTIAL_REVERSED",
        "REVERSED",
        "CANCELED",
        "PARTIAL_REFUNDED",
        "REFUNDED",
        "REJECTED",
    }
)
"""The shop hears of these, and of nothing else: not of AUTH_FAIL, and not of a link that ran out."""


class WrongStateError(Exception):
    """The payment may not go from its status to the wished one."""


def require_path(start: str, path: tuple[str, ...]) -> None:
    """Raise WrongStateError unless every step of the path may follow the one before."""
    for before, after in zip((start, *path), path, strict=False):
        if after not in TRANSITIONS[before]:
            raise WrongStateError(f"{before} cannot become {after}")
