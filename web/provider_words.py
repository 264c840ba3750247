"""What people read when a payment provider refused: what happened, and what they can do, by reason.

Of the provider's own codes and words nothing is shown here: they are in the payment's details, for support.
"""

from providers.outcomes import RefusalReason
from web.i18n import _


def refusal_words(reason: str, *, for_streamer: bool) -> str:
    """One or two sentences in the language of the request. A reason nobody knows reads as an unknown one."""
    try:
        known = RefusalReason(reason)
    except ValueError:
        # Stored by another version of the program.
        known = RefusalReason.UNKNOWN
    return _words_for_streamer(known) if for_streamer else _words_for_donor(known)


def _words_for_donor(reason: RefusalReason) -> str:
    match reason:
        case RefusalReason.WRONG_STATE | RefusalReason.ORDER_TAKEN:
            return _("This payment is already over or paid. Open the donation's page anew: it says how things stand.")
        case RefusalReason.CREDENTIALS | RefusalReason.SHOP_UNAVAILABLE | RefusalReason.OTHER_PRODUCT:
            return _(
                "The streamer's payments do not work just now, and nothing was charged. Tell the streamer, or "
                "come back later."
            )
        case RefusalReason.SHOP_LIMIT:
            return _(
                "The streamer's limit for payments is reached, and nothing was charged. Try a smaller amount, "
                "or come back later."
            )
        case RefusalReason.RECEIPT:
            return _(
                "The receipt could not be made out, so nothing was charged. Check your e-mail; if it is right, "
                "tell the streamer."
            )
        case RefusalReason.AMOUNT_OUT_OF_RANGE:
            return _(
                "The bank does not take such an amount, and nothing was charged. Choose a larger or a smaller one."
            )
        case RefusalReason.DECLINED:
            return _("Your bank declined the payment and did not say why. Try another card or SBP, or ask your bank.")
        case RefusalReason.DECLINED_FOR_NOW:
            return _("Your bank could not make the payment just now. Try again in a few minutes, or with another card.")
        case RefusalReason.NO_FUNDS:
            return _("There is not enough money on the card or the account. Choose a smaller amount or another card.")
        case RefusalReason.PAYER_LIMIT:
            return _(
                "A limit or a ban on such payments is set at your bank. Look into the bank's app, or take another card."
            )
        case RefusalReason.CARD_DETAILS:
            return _("The bank did not recognise the card. Check the number, the date and the code, or pay by SBP.")
        case RefusalReason.CARD_NOT_ACCEPTED:
            return _("Such cards are not accepted here. Take another card of a Russian bank, or pay by SBP.")
        case RefusalReason.CONFIRMATION_FAILED:
            return _(
                "The bank got no confirmation of the payment. Try again and confirm it with the code or in the "
                "bank's app."
            )
        case RefusalReason.TOO_MANY_ATTEMPTS:
            return _(
                "There were too many attempts with this payment. Start a new one, better with another card or by SBP."
            )
        case RefusalReason.REFUND_WITHOUT_FUNDS | RefusalReason.REFUND_LATER:
            return _("The refund has not worked yet. The streamer can repeat it later.")
        case RefusalReason.REFUND_REFUSED:
            return _("Your bank did not take the refund. Ask there to let it through, then tell the streamer.")
        case RefusalReason.PROVIDER_TROUBLE:
            return _(
                "The bank is taking longer than usual. Do not pay a second time: this page updates by itself, "
                "and if the money was taken, the donation will not be lost."
            )
        case RefusalReason.BAD_REQUEST | RefusalReason.DUE_DATE | RefusalReason.NOT_FOUND | RefusalReason.UNKNOWN:
            return _(
                "The payment did not work out, and the reason is not known. Try once more a little later, or "
                "another way."
            )


def _words_for_streamer(reason: RefusalReason) -> str:
    match reason:
        case RefusalReason.BAD_REQUEST:
            return _(
                "The payment service did not understand our request. It is a fault of the program: show it to "
                "whoever runs the server."
            )
        case RefusalReason.DUE_DATE:
            return _(
                "The payment service did not take the lifetime of the payment link. Show it to whoever runs "
                "the server: the clock or the setting is wrong."
            )
        case RefusalReason.WRONG_STATE:
            return _(
                "The payment is in another state by now: paid, given back, cancelled or disputed. Open the "
                "page anew and compare with your account at the payment service."
            )
        case RefusalReason.ORDER_TAKEN:
            return _(
                "The payment service already has a payment for this order. Open the page anew in a minute; if "
                "nothing has changed, look into your account there."
            )
        case RefusalReason.NOT_FOUND:
            return _(
                "The payment service does not know this payment. Check that the key is of the same shop that "
                "took the money."
            )
        case RefusalReason.CREDENTIALS:
            return _(
                "The key and the password do not fit each other. Copy both from one place in your account at "
                "the payment service, without spaces."
            )
        case RefusalReason.SHOP_UNAVAILABLE:
            return _(
                "The shop is blocked, not yet active, or does not take payments in this way. Look into its "
                "settings at the payment service, or ask the support there."
            )
        case RefusalReason.SHOP_LIMIT:
            return _(
                "The shop's limit for one payment or for a day is reached. The support of the payment service "
                "can raise it."
            )
        case RefusalReason.OTHER_PRODUCT:
            return _(
                "The answer is about a service that donations do not need. Check that the key is for taking "
                "payments on a site, not for payouts."
            )
        case RefusalReason.RECEIPT:
            return _(
                "The receipt was not accepted. Compare taxation and VAT here with the cash register in your "
                "account at the payment service."
            )
        case RefusalReason.AMOUNT_OUT_OF_RANGE:
            return _(
                "The payment service does not take such an amount. Look at the least and the most that you accept."
            )
        case RefusalReason.DECLINED:
            return _("The donor's bank declined the payment and did not say why. There is nothing for you to do.")
        case RefusalReason.DECLINED_FOR_NOW:
            return _("The donor's bank does not answer just now. The donor can try again later.")
        case RefusalReason.NO_FUNDS:
            return _("The donor's card or account did not have enough money. There is nothing for you to do.")
        case RefusalReason.PAYER_LIMIT:
            return _("A limit or a ban at the donor's bank stopped the payment. There is nothing for you to do.")
        case RefusalReason.CARD_DETAILS:
            return _("The details of the donor's card are wrong, or it has expired. The donor can try again.")
        case RefusalReason.CARD_NOT_ACCEPTED:
            return _("The donor's card is not accepted here: perhaps it is a foreign one. Another card or SBP helps.")
        case RefusalReason.CONFIRMATION_FAILED:
            return _("The donor's bank got no confirmation of the payment. The donor can try again.")
        case RefusalReason.TOO_MANY_ATTEMPTS:
            return _("The donor tried to pay too often. Only a new donation helps.")
        case RefusalReason.REFUND_WITHOUT_FUNDS:
            return _("The shop's account does not hold enough for the refund. Top it up and repeat the refund.")
        case RefusalReason.REFUND_LATER:
            return _(
                "There were too many attempts to refund this payment. Repeat it in an hour, and if it is "
                "refused again, tomorrow."
            )
        case RefusalReason.REFUND_REFUSED:
            return _(
                "The donor's bank did not take the refund, and the money is still yours. Ask the donor to talk "
                "to the bank, then repeat it."
            )
        case RefusalReason.PROVIDER_TROUBLE:
            return _(
                "The payment service has trouble, and how it ended is not known yet. Do not repeat it at once: "
                "first open the page anew and see how the payment stands."
            )
        case RefusalReason.UNKNOWN:
            return _("The payment service refused for a reason that we do not know. Its support can explain the code.")
