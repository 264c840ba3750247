"""What a call to any payment provider may end with, besides an answer.

    ProviderError
    ├── ProviderTemporaryError        nothing was changed there; the same call may be made again
    ├── ProviderPermanentError        refused; the same call will be refused again
    └── ProviderUnknownOutcomeError   it may or may not have been done: find out before repeating it

An error carries the provider's code and message for the log and the operator, never a secret.
The words for people are made in `web/`, from `reason`.
"""

from enum import StrEnum


class RefusalReason(StrEnum):
    """Why a provider refuses, as far as it decides what somebody should do about it."""

    BAD_REQUEST = "bad_request"
    """We sent something wrong: our bug."""

    DUE_DATE = "due_date"
    """The link's due date is too near or too far."""

    WRONG_STATE = "wrong_state"
    """The payment is no longer (or not yet) in a state that allows it: ask for its state and reconcile."""

    ORDER_TAKEN = "order_taken"
    """The order id was used or paid already: look the order up."""

    NOT_FOUND = "not_found"
    """The provider does not know this payment or order (perhaps not yet, right after opening it)."""

    CREDENTIALS = "credentials"
    """The key and password do not fit each other, or the terminal does not exist: tell the streamer."""

    SHOP_UNAVAILABLE = "shop_unavailable"
    """The shop is blocked or wrongly set up, or the method is off: tell the streamer."""

    SHOP_LIMIT = "shop_limit"
    """The shop takes no more for now, or nothing so large: tell the streamer; a smaller sum may pass."""

    OTHER_PRODUCT = "other_product"
    """About a service we do not use (payouts, linked cards, deals): perhaps the account is of another kind."""

    RECEIPT = "receipt"
    """The fiscal receipt is missing or was not accepted: the streamer's cash register, or the donor's e-mail."""

    AMOUNT_OUT_OF_RANGE = "amount_out_of_range"
    """The provider does not take so small or so large a sum: tell the donor."""

    DECLINED = "declined"
    """The donor's own bank said no without saying why, or suspects fraud: the donor may try another way."""

    DECLINED_FOR_NOW = "declined_for_now"
    """The donor's bank does not answer just now: the donor may try again in a while."""

    NO_FUNDS = "no_funds"
    """There is not enough on the donor's card or account."""

    PAYER_LIMIT = "payer_limit"
    """A limit or a ban that the donor, or the donor's bank, has set on such payments."""

    CARD_DETAILS = "card_details"
    """Number, date or code of the card is wrong, or it has expired: the donor looks at it again."""

    CARD_NOT_ACCEPTED = "card_not_accepted"
    """Such a card is not taken here (foreign, without 3-D Secure, on a stop list): another one, or SBP."""

    CONFIRMATION_FAILED = "confirmation_failed"
    """The donor did not confirm the payment with the bank (3-D Secure, PIN): the donor may try again."""

    TOO_MANY_ATTEMPTS = "too_many_attempts"
    """The donor tried too often with this payment: only a new one may help."""

    REFUND_WITHOUT_FUNDS = "refund_without_funds"
    """The shop's account does not hold enough to give back: later, after a top-up."""

    REFUND_LATER = "refund_later"
    """The refund was refused for now: not before an hour, perhaps a day."""

    REFUND_REFUSED = "refund_refused"
    """The donor's bank does not take the money back: the donor has to ask there."""

    PROVIDER_TROUBLE = "provider_trouble"
    """The provider's own trouble, or no answer: nobody has refused anything."""

    UNKNOWN = "unknown"
    """A code we have no entry for."""


class ProviderError(Exception):
    """A provider's call failed. `code` is the provider's own, or a short word of ours when there is none.

    `reason` sorts it; being a StrEnum it is stored as its own text.
    """

    def __init__(self, code: str, message: str, reason: RefusalReason = RefusalReason.PROVIDER_TROUBLE) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class ProviderTemporaryError(ProviderError):
    """Nothing was changed there; making the same call again, after a pause, is safe and may succeed."""


class ProviderPermanentError(ProviderError):
    """The provider refused; repeating the same call would not help. `reason` says who can do something."""

    def __init__(self, code: str, message: str, reason: RefusalReason = RefusalReason.UNKNOWN) -> None:
        super().__init__(code, message, reason)


class ProviderUnknownOutcomeError(ProviderError):
    """The answer never came or makes no sense, so the call may have been carried out.

    After a call that changes something, look first (the order, the payment's state); after a
    call that only asks, ask again.
    """
