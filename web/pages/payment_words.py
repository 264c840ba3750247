"""The life of a payment in words: its states, who told of them, what we did, and how a refund gets on."""

import re
from collections.abc import Callable

from domain.attention import AttentionItem, AttentionKind
from domain.donation_details import Attempt, Donation, NewsRow
from domain.donations import DonationStatus
from domain.ledger import BookedAs
from domain.payments import Payment, PaymentStatus
from domain.refunds import ALREADY_BACK, TOO_LITTLE_LEFT, Refund, RefundStatus
from domain.users import User
from providers.outcomes import RefusalReason
from web.i18n import _, format_money, when
from web.pages.dashboard_view import Chip
from web.provider_words import refusal_words


def donation_chip(donation: Donation) -> Chip:
    """What the donation is by now, in one chip."""
    match donation.status:
        case DonationStatus.PENDING:
            return Chip("waits", _("waits for payment"))
        case DonationStatus.FAILED:
            return Chip("quiet", _("not paid"))
        case DonationStatus.REVIEW:
            return Chip("warn", _("another amount came"))
        case DonationStatus.PARTIALLY_REFUNDED:
            return Chip("bad", _("refunded in part"))
        case DonationStatus.REFUNDED:
            return Chip("bad", _("refunded"))
        case DonationStatus.CHARGED_BACK:
            return Chip("bad", _("taken back by the donor's bank"))
        case _:
            return Chip("good", _("paid"))


def status_words(status: str) -> str:
    match status:
        case PaymentStatus.NEW:
            return _("not opened yet")
        case PaymentStatus.OPENING:
            return _("being opened")
        case PaymentStatus.PENDING:
            return _("waits for payment")
        case PaymentStatus.AUTHORIZED:
            return _("money held")
        case PaymentStatus.CONFIRMED:
            return _("paid")
        case PaymentStatus.FAILED:
            return _("declined")
        case PaymentStatus.EXPIRED:
            return _("link expired")
        case PaymentStatus.CANCELLED:
            return _("cancelled")
        case PaymentStatus.PARTIALLY_REFUNDED:
            return _("refunded in part")
        case PaymentStatus.REFUNDED:
            return _("refunded")
        case _:
            return status


def method_words(method: str) -> str:
    match method:
        case "card":
            return _("bank card")
        case "sbp":
            return _("SBP")
        case "":
            return _("not known")
        case _:
            return method


def booked_words(payment: Payment) -> str:
    """What the money of a payment is, if it brought any."""
    match payment.booked_as:
        case BookedAs.DONATION if payment.accepted_at is not None:
            return _("the donation, accepted as it came")
        case BookedAs.DONATION:
            return _("the donation")
        case BookedAs.SURPLUS:
            return _("came on top: the donation was paid already")
        case BookedAs.REVIEW:
            return _("another amount than asked for")
        case _:
            return ""


def source_words(row: NewsRow, user: User) -> str:
    """Who told, or did, what a line of the log says. A streamer reads no e-mail of an operator's."""
    match row.source:
        case "notification":
            return _("the bank told us")
        case "poll":
            return _("the bank answered our question")
        case "registry":
            return _("the bank's registry of operations")
    if row.user_email is None:
        return _("we, by ourselves")
    return person_words(row.user_email, user)


# Notes are written where things happen, for the log; here they become words. What is not known stays as it is.
_NOTES: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"opened", lambda _m: _("The payment was opened.")),
    (r"closed without a link", lambda _m: _("Ended without a link to pay by.")),
    (r"lost", lambda _m: _("The bank's answer was lost, so this attempt was given up.")),
    (r"an earlier attempt was paid", lambda _m: _("An earlier attempt was paid, so this one was not needed.")),
    (r"check now", lambda _m: _("Asked the bank at once.")),
    (r"asked: refund", lambda _m: _("It spoke of a refund: the bank is asked.")),
    (r"asked: amount not said", lambda _m: _("It named no amount: the bank is asked.")),
    (
        r"asked: amount (\d+)",
        lambda m: _("It named another amount, %(money)s: the bank is asked.", money=format_money(int(m[1]))),
    ),
    (r"how much went back is not known", lambda _m: _("A part went back, and the bank does not say how much.")),
    (r"another payment id for this order", lambda _m: _("It was about another payment of the same order.")),
    (
        r"another payment id, kept as payment (\d+)",
        lambda m: _("A second payment of the same order, kept as payment %(number)s.", number=m[1]),
    ),
    (r"unpaid 65 minutes after the link's end", lambda _m: _("Nobody paid before the link ended.")),
    (
        r"refund of (\d+) kopecks wished: (.*)",
        lambda m: _("Refund of %(money)s wished: %(reason)s", money=format_money(int(m[1])), reason=m[2]),
    ),
    (
        r"refund of (\d+) kopecks refused: (.*)",
        lambda m: _("Refund of %(money)s refused: %(reason)s", money=format_money(int(m[1])), reason=m[2]),
    ),
    (
        r"(\d+) kopecks accepted as they came",
        lambda m: _("%(money)s accepted as it came.", money=format_money(int(m[1]))),
    ),
)
_COMPILED = tuple((re.compile(pattern, re.DOTALL), words) for pattern, words in _NOTES)


def note_words(note: str) -> str:
    """What was done or noticed, in the language of the request."""
    for pattern, words in _COMPILED:
        match = pattern.fullmatch(note)
        if match is not None:
            return words(match)
    return note


def refund_chip(refund: Refund) -> Chip:
    match refund.status:
        case RefundStatus.DONE:
            return Chip("good", _("returned"))
        case RefundStatus.REFUSED:
            return Chip("bad", _("refused"))
        case RefundStatus.PENDING:
            return Chip("waits", _("at the bank"))
        case _:
            return Chip("waits", _("under way"))


def refund_words(refund: Refund, time_zone: str) -> str:
    """How a refund gets on, and what somebody can do about it."""
    next_look = "" if refund.next_try_at is None else when(refund.next_try_at, time_zone)
    match refund.status:
        case RefundStatus.DONE:
            return _("The money went back the way it was paid. When the donor sees it depends on the bank.")
        case RefundStatus.REFUSED:
            return refused_words(refund.error_code, refund.error_reason)
        case RefundStatus.PENDING:
            return _("The bank has taken it and is sending the money back. By SBP that may take a few days.")
        case RefundStatus.ASKING if refund.may_be_done:
            return _(
                "The bank's answer did not arrive. We are finding out whether the money went back: please do not "
                "give it back a second time."
            )
        case RefundStatus.WISHED if refund.error_reason == RefusalReason.REFUND_LATER:
            return _("The bank asks to wait with this refund. We try again by ourselves: %(time)s.", time=next_look)
        case RefundStatus.WISHED if refund.error_code:
            return _(
                "The bank does not answer; nothing has gone back yet. We try again by ourselves: %(time)s.",
                time=next_look,
            )
        case RefundStatus.WISHED if refund.tries:
            return _("Another refund of this payment is on its way. This one follows it: %(time)s.", time=next_look)
        case _:
            return _("On the way to the bank…")


def refused_words(error_code: str, error_reason: str) -> str:
    """Why a refund was refused, and what to do."""
    if error_code == ALREADY_BACK:
        return _("All of this money had gone back already, for example from the bank's own account pages.")
    if error_code == TOO_LITTLE_LEFT:
        return _("Less than that is left of this payment by now. Look at what went back, and wish what remains.")
    return refusal_words(error_reason, for_streamer=True)


def can_accept(attempt: Attempt, donation: Donation) -> bool:
    """Money of another amount that may be taken as it came; whether it still may is decided when it is."""
    payment = attempt.payment
    is_whole = payment.confirmed_minor is not None and attempt.left_minor == payment.confirmed_minor
    in_review = payment.booked_as is BookedAs.REVIEW and donation.status is DonationStatus.REVIEW
    return in_review and is_whole and attempt.open_refund is None


# A signature proves who sent it, and nobody needs it to understand what was said. Keys and passwords are in no message
# that a provider sends; should one ever be, it is not shown either.
_SECRET = re.compile(
    r"""(["']?(?:token|password|secret\w*|authorization)["']?\s*[:=]\s*)(["'][^"']*["']?|[^\s"'&,}]+)""", re.IGNORECASE
)


def raw_words(raw: bytes) -> str:
    """What a provider sent, as text: whatever bytes they are, and without signatures."""
    text = raw.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return _SECRET.sub(r"\1•••", text)


def person_words(email: str, user: User) -> str:
    """Who did something. A streamer reads no e-mail of an operator's."""
    if email == user.email:
        return _("you")
    return email if user.is_superuser else _("the operator of the site")


def error_words(payment: Payment) -> str:
    """Why the bank declined an attempt, in its own words or at least its code."""
    return ": ".join(part for part in (payment.error_code, payment.error_message) if part and part != "0")


def needs_decision(attempt: Attempt) -> bool:
    """Money that pays no donation and is not on its way back."""
    astray = attempt.payment.booked_as in (BookedAs.SURPLUS, BookedAs.REVIEW)
    return astray and attempt.left_minor > 0 and attempt.open_refund is None


def decision_title(attempt: Attempt, donation: Donation) -> str:
    money = format_money(attempt.left_minor)
    if _is_under_review(attempt, donation):
        return _("%(money)s came instead of %(asked)s", money=money, asked=format_money(attempt.payment.amount_minor))
    return _("%(money)s came on top", money=money)


def decision_words(attempt: Attempt, donation: Donation) -> str:
    if _is_under_review(attempt, donation):
        return _(
            "The bank took another amount than the donor had chosen, so no alert has played and nothing was counted. "
            "Accept it as it came, or give it back."
        )
    return _(
        "The donation is paid already, so this money is not counted and has no alert. It is on your account at the "
        "bank: give it back to the donor."
    )


def _is_under_review(attempt: Attempt, donation: Donation) -> bool:
    return attempt.payment.booked_as is BookedAs.REVIEW and donation.status is DonationStatus.REVIEW


def attention_title(item: AttentionItem) -> str:
    left = "" if item.left_minor is None else format_money(item.left_minor)
    asked = "" if item.amount_minor is None else format_money(item.amount_minor)
    match item.kind:
        case AttentionKind.SURPLUS:
            return _("%(money)s came on top", money=left)
        case AttentionKind.REVIEW:
            return _("%(money)s came instead of %(asked)s", money=left, asked=asked)
        case AttentionKind.REFUND:
            return _("The refund of %(money)s was refused", money=asked)
        case AttentionKind.NOTIFICATION if item.code == "malformed":
            return _("A message of the bank that we do not understand")
        case AttentionKind.NOTIFICATION:
            return _("A message of the bank about an order we do not know")


def astray_words(item: AttentionItem) -> str:
    """Why money waits for a decision."""
    if item.kind is AttentionKind.REVIEW:
        return _("Accept it as it came, or give it back.")
    return _("A donation was paid twice. The second payment is not counted; it can be given back.")


def notification_words(item: AttentionItem) -> str:
    if item.code == "malformed":
        return _(
            "It is signed by the bank, so it is kept. If we know its payment, the bank is asked about it anyway; "
            "a newer version of the program may understand the message."
        )
    return _(
        "It is signed with your terminal's password, but this site never made such an order. Perhaps another site or "
        "a payment link uses the same terminal: then there is nothing to do here. If the money is a donation of yours, "
        "look it up at the bank."
    )
