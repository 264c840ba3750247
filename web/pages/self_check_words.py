"""The self-check's words for people: what each rule found, and what its examples are."""

from collections.abc import Callable

from domain.self_check import Severity, Subject
from web.i18n import _

Words = Callable[[], str]

FOUND: dict[str, Words] = {
    "transaction_unbalanced": lambda: _("Ledger transactions that do not sum to zero"),
    "ledger_unbalanced": lambda: _("Streamers whose whole ledger does not sum to zero"),
    "taken_unbooked": lambda: _("Payments that were taken and are not in the ledger"),
    "booked_untaken": lambda: _("Payments that are in the ledger and were not taken"),
    "wrong_account": lambda: _("Payments whose money stands on the wrong account"),
    "wrong_amount": lambda: _("Payments booked with another amount than the provider took"),
    "wrong_refund_state": lambda: _("Payments whose state and refunds in the ledger differ"),
    "reversal_without_chargeback": lambda: _("Payments of which more came again than was charged back"),
    "paid_without_payment": lambda: _("Paid donations that no payment pays"),
    "paid_twice": lambda: _("Donations that two payments pay"),
    "money_unnoticed": lambda: _("Booked payments whose donation does not know of the money"),
    "wrong_donation_state": lambda: _("Donations whose state or refunds differ from the ledger"),
    "paid_without_alert": lambda: _("Paid donations without an alert"),
    "unpaid_alert": lambda: _("Alerts that wait or play though their donation is not paid"),
    "wrong_totals": lambda: _("Streamers whose total differs from the ledger"),
    "wrong_days": lambda: _("Streamers whose days do not add up to the total"),
    "wrong_count": lambda: _("Streamers whose number of donations is wrong"),
    "wrong_moved_days": lambda: _("Streamers whose days on the page of money do not add up"),
    "wrong_goal_sums": lambda: _("Streamers with a goal whose sum is not that of its donations"),
    "unexplained_state": lambda: _("Payments in a state that their log does not explain"),
    "uncovered_refund": lambda: _("Finished refunds that the ledger does not know of"),
    "payment_forgotten": lambda: _("Open payments that nobody will look at again"),
    "check_late": lambda: _("Payments nobody looked at, 15 minutes past their time"),
    "question_stuck": lambda: _("Payments about which a question to the provider hangs"),
    "opening_old": lambda: _("Payments without a link for 30 minutes"),
    "notification_unprocessed": lambda: _("Notifications nobody acted on for 5 minutes"),
    "refund_late": lambda: _("Refunds nobody looked at, 15 minutes past their time"),
    "dispute_unbooked": lambda: _("Chargebacks told by a registry and not in the ledger"),
    "registry_late": lambda: _("Registries nobody read, 20 minutes past their time"),
    "outbox_late": lambda: _("Rows of the outbox not published for a minute"),
    "outbox_failing": lambda: _("Rows of the outbox that cannot be published"),
    "relay_missing": lambda: _("The relay is not running: nothing moves without it"),
    "alert_waiting": lambda: _("Streamers whose alerts wait though an overlay could show them"),
    "lease_dead": lambda: _("Alerts that play without end"),
    "hold_missing": lambda: _("Held alerts that nobody will ever decide on"),
    "goal_behind": lambda: _("Donations whose money a goal has not got for 5 minutes"),
    "secret_unreadable": lambda: _("Terminals whose secret no key of SECRET_KEYS opens"),
    "vain_check": lambda: _("Payments the provider says nothing certain about for hours: see its cabinet"),
    "notification_unknown": lambda: _("Notifications of orders nobody here knows"),
    "refund_long": lambda: _("Refunds under way for over two hours"),
    "refund_refused": lambda: _("Refused refunds that nobody has looked at"),
    "surplus_waiting": lambda: _("Second payments of one donation that nobody gave back"),
    "review_waiting": lambda: _("Payments of another amount, for over a day without a decision"),
    "dead_letters": lambda: _("Dead letters in RabbitMQ"),
    "relay_deaf": lambda: _("Relays that the database does not wake"),
    "provider_failing": lambda: _("Payment providers that do not answer"),
}

SUBJECTS: dict[Subject, Words] = {
    Subject.TRANSACTION: lambda: _("ledger transactions"),
    Subject.PAYMENT: lambda: _("payments"),
    Subject.DONATION: lambda: _("donations"),
    Subject.STREAMER: lambda: _("streamers"),
    Subject.ALERT: lambda: _("alerts"),
    Subject.NOTIFICATION: lambda: _("notifications"),
    Subject.OUTBOX: lambda: _("rows"),
    Subject.TERMINAL: lambda: _("terminals"),
    Subject.REGISTRY: lambda: _("registries"),
}

SEVERITIES: dict[Severity, Words] = {
    Severity.BROKEN: lambda: _("books wrong"),
    Severity.STUCK: lambda: _("stands still"),
    Severity.ATTENTION: lambda: _("for you to decide"),
}
