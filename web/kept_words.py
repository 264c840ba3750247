"""What is kept how long, in words: the rules of `domain/retention.py`, and what no rule speaks of."""

from domain.retention import Rule
from domain.sessions import SESSION_DAYS
from web.i18n import _, ngettext


def rule_words(name: str) -> tuple[str, str]:
    """What it is, and why or from when on it is kept."""
    return {
        "sessions": (_("Signed-in devices"), _("From the last use, or until you sign out.")),
        "browsers": (
            _("Browsers that signed in before"),
            _("From the last use: so that strangers' tries do not lock you out."),
        ),
        "confirmations": (_("Codes sent by mail"), _("From the time they end.")),
        "awaiting": (_("Accounts whose code never came back"), _("From the time they were asked for by a program.")),
        "links": (_("Invitations and links for a new password"), _("From the time they are used or end.")),
        "keys": (
            _("Keys of the API and what applications were allowed"),
            _("From the time they are revoked or end."),
        ),
        "tokens": (_("What applications prove their access with"), _("From the time it ends.")),
        "letters": (_("Letters of the site"), _("To whom and when, without codes.")),
        "account_log": (_("What was done to an account"), _("To find out later who did what.")),
        "exports": (_("Files of donations"), _("Made for the streamer to download.")),
        "archives": (_("Files with one's own data"), _("Made for the account's owner to download.")),
        "addresses": (
            _("Network addresses of donors"),
            _("Only as a code that cannot be turned back: to block whoever misbehaves on a stream."),
        ),
        "refused_files": (
            _("Names of uploaded files that could not be used"),
            _("The file itself is gone at once."),
        ),
        "unpaid_texts": (
            _("Names and messages of donations nobody paid for"),
            _("The attempt to pay stays, without a name."),
        ),
        "receipt_emails": (
            _("Donors' e-mails for receipts"),
            _("Where the law asks for receipts; also for the receipt of a refund."),
        ),
        "deleted_by_hand": (
            _("Donations written down by hand and deleted"),
            _("So that a deletion can be undone. Then the name and the message go."),
        ),
        "controls": (_("Who pressed skip, pause and the like"), ""),
        "custom_alerts": (
            _("What a streamer's own programs showed on stream"),
            _("Then the text goes; that there was an alert stays."),
        ),
        "idempotency_keys": (
            _("Answers to programs that call the API"),
            _("So that a request sent twice does nothing twice."),
        ),
        "webhook_log": (
            _("What webhooks were told"),
            _("When, and what they answered; names and messages are not in it."),
        ),
        "decisions": (
            _("The words that moderation caught, and who decided"),
            _("What was decided and when stays."),
        ),
        "notifications": (
            _("The bank's own messages about payments"),
            _("With masked cards: to explain a payment a year later. What they led to stays."),
        ),
    }[name]


def span_words(rule: Rule, days: int) -> str:
    days = SESSION_DAYS if rule.name == "sessions" else days
    if days >= 365 and days % 365 == 0:
        return ngettext("%(num)s year", "%(num)s years", days // 365)
    return ngettext("%(num)s day", "%(num)s days", days)


def always_kept() -> list[tuple[str, str]]:
    """What is not deleted by age."""
    return [
        (
            _("Payments, refunds and the books"),
            _("Kept for as long as the law requires: they say who received what, not who the donor is."),
        ),
        (
            _("Names and messages of donations that were paid for"),
            _("As long as the streamer's account exists, or until the donor asks for them to be removed."),
        ),
        (
            _("What a donor agreed to, and when"),
            _("As long as the donation: it may be needed in a dispute."),
        ),
        (
            _("An account and its page"),
            _("Until its owner deletes it; seven days later it is emptied."),
        ),
        (
            _("Blocked donors"),
            _("Until the streamer unblocks them; blocks by network address end by themselves."),
        ),
    ]
