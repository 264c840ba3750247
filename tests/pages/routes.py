"""Every route of the site: who may use it, what stands in its address, and whether it is a page one looks at.

A route that `web/app.py` has and this table has not fails `test_rights.py`; so does a line that no route has.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Who(StrEnum):
    EVERYBODY = "everybody"
    USER = "user"
    """Who is signed in: about himself."""
    STREAMER = "streamer"
    """The owner of the page, and superusers; to others another's page does not exist."""
    OPERATOR = "operator"
    SECRET = "secret"
    """Whoever shows the secret it is about, whoever he is: a bank, a monitor, a hotkey."""


@dataclass(frozen=True)
class Route:
    who: Who
    ids: dict[str, str] = field(default_factory=dict)
    """What stands in the address, by the names of `Cast.ids`; a value that is none of these stands as it is."""
    form: dict[str, str] = field(default_factory=dict)
    """What else a form must say for there to be anything it speaks of; as `ids`."""
    page: str = ""
    """Its name among the screenshots."""
    query: str = ""


E, U, S, OP, X = Who.EVERYBODY, Who.USER, Who.STREAMER, Who.OPERATOR, Who.SECRET

DONATION = {"public_id": "donation"}
PAYMENT = {"payment_id": "payment"}
CHARGEBACK = {"payment_id": "chargeback"}
GOAL = {"goal_id": "goal"}

ROUTES: dict[str, Route] = {
    # For everybody.
    "home.show": Route(E, page="home"),
    "assets.plain": Route(E, {"path": "img/icon.svg"}),
    "assets.versioned": Route(E, {"version": "0", "path": "img/icon.svg"}),
    "health.show": Route(E),
    "overlay.show": Route(E, page="overlay"),
    "styleguide.show": Route(E, page="styleguide"),
    "account.sign_in": Route(E, page="sign-in"),
    "account.try_sign_in": Route(E),
    "account.sign_out": Route(E),
    # Donors.
    "donate.show_form": Route(E, {"slug": "anna"}, page="donate"),
    "donate.submit_form": Route(E, {"slug": "anna"}),
    "donate.show_consent": Route(E, {"slug": "anna"}, page="donate-consent"),
    "donate.show_donation": Route(E, {"public_id": "open donation"}, page="donate-waiting"),
    "donate.retry_payment": Route(E, {"public_id": "failed donation"}),
    "donate.wait_for_state": Route(E, {"public_id": "donation"}),
    # Other programs.
    "notifications.show_reachable": Route(X, {"name": "tbank"}),
    "notifications.receive": Route(X, {"name": "tbank"}),
    "metrics.show": Route(X),
    # The live page.
    "dashboard.show": Route(S, page="dashboard"),
    "dashboard.show_part": Route(S, {"name": "feed"}),
    "dashboard.give_ticket": Route(S),
    "dashboard.give_overlay_address": Route(S),
    "dashboard_actions.test": Route(S),
    "dashboard_actions.skip": Route(S),
    "dashboard_actions.pause": Route(S),
    "dashboard_actions.answer_missed": Route(S),
    "dashboard_actions.rotate": Route(S),
    "dashboard_actions.reveal": Route(S),
    # Donations and money.
    "donations.show": Route(S, DONATION, page="donation"),
    "donations.show_part": Route(S, DONATION),
    "donations.accept": Route(S, DONATION, PAYMENT),
    "donations.check": Route(S, DONATION, PAYMENT),
    "refund.show": Route(S, DONATION, page="refund"),
    "refund.wish": Route(S, DONATION, PAYMENT),
    "attention.show": Route(S, page="attention"),
    "attention.ask_again": Route(S, form={"id": "1"}),
    "attention.dismiss": Route(S, form={"id": "1"}),
    "attention.settle": Route(S, form={"id": "1"}),
    "chargebacks.show": Route(S, page="chargebacks"),
    "chargebacks.show_case": Route(S, CHARGEBACK, page="chargeback"),
    "chargebacks.download_case": Route(S, CHARGEBACK),
    "chargebacks.mark_read": Route(S, CHARGEBACK),
    "money.show": Route(S, page="money"),
    "money.download_ledger": Route(S, query="month=2026-11"),
    "registry.show": Route(S, page="registry"),
    "registry.bring": Route(S),
    "registry.read": Route(S),
    "registry.settle": Route(S),
    "registry.settle_unknown": Route(S),
    "npd.show": Route(S, page="cheques"),
    "npd.mark_annulled": Route(S),
    "npd.download_cheques": Route(S),
    "npd.mark_issued": Route(S),
    "npd.unmark": Route(S),
    "terminals.show": Route(S, page="terminals"),
    "terminals.check_again": Route(S),
    "terminals.choose": Route(S),
    "terminals.connect": Route(S, {"name": "tbank"}),
    "terminals.retire": Route(S),
    "receipts.show": Route(S, page="receipts"),
    "receipts.save": Route(S),
    # Goals.
    "goals.show": Route(S, page="goals"),
    "goals.show_new": Route(S, page="goal-new"),
    "goals.create": Route(S),
    "goals.show_one": Route(S, GOAL, page="goal"),
    "goals.save": Route(S, GOAL),
    "goals.save_settings": Route(S),
    "goals.do": Route(S, {**GOAL, "act": "up"}),
    # The operator.
    "attention.show_all": Route(OP, page="admin-attention"),
    "admin_payments.show": Route(OP, page="admin-payments"),
    "self_check.show": Route(OP, page="admin-self-check"),
    "self_check.check_now": Route(OP),
}
