"""What a provider's news says about a payment, in our words."""

from enum import StrEnum


class NewsStatus(StrEnum):
    """The state a provider reports, whatever word it uses for it.

    News are not the payment's own state: `domain/payments.py` decides what a piece of news
    may change. Each provider's folder has the table from its words to these.
    """

    PENDING = "pending"
    """Opened, nothing paid yet: the donor has or may open the payment page."""

    PROCESSING = "processing"
    """The provider is at work on it; no money has moved, ask again."""

    AUTHORIZED = "authorized"
    """The money is held on the donor's card. Not yet money: wait for `confirmed`."""

    CONFIRMED = "confirmed"
    """The money is ours. Booked once, whatever we thought of the payment before."""

    FAILED = "failed"
    """A soft refusal: the same payment may still be paid until its link expires."""

    CANCELLED = "cancelled"
    """Called off before the money was taken, or the hold was given back in full. Final."""

    EXPIRED = "expired"
    """The link died unpaid. Final."""

    REFUNDING = "refunding"
    """A refund is on its way. The donation stays credited until its end is known."""

    PARTIALLY_REFUNDED = "partially_refunded"
    """A part went back to the donor; how much is asked, never computed from the news."""

    REFUNDED = "refunded"
    """Everything went back to the donor. Final."""

    UNKNOWN = "unknown"
    """A word we do not know, or one that says nothing about the payment: stored, logged, changes nothing."""
