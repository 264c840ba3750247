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
    MODERATOR = "moderator"
    """A moderator of the streamer's, by the session of his browser, at his own address; `right` is what it takes."""
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
    right: str = ""
    """Of a moderator."""


E, U, S, M, OP, X = Who.EVERYBODY, Who.USER, Who.STREAMER, Who.MODERATOR, Who.OPERATOR, Who.SECRET

DONATION = {"public_id": "donation"}
PAYMENT = {"payment_id": "payment"}
BUTTON = {"button_id": "button"}
EXPORT = {"public_id": "export"}
MANUAL = {"public_id": "manual donation"}
CHARGEBACK = {"payment_id": "chargeback"}
LEVEL = {"tier_id": "level"}
GOAL = {"goal_id": "goal"}
MODERATION = {"public_id": "moderation"}
MODERATOR = {"moderator_id": "moderator"}
WEBHOOK = {"webhook_id": "webhook"}
DELIVERY = {**WEBHOOK, "delivery_id": "delivery"}
HELD = {"alert_id": "held alert"}
CLIENT_ID = "app_a-program-of-the-cast-"
"""Of an application that the stranger registered."""
CONSENT = (
    f"response_type=code&client_id={CLIENT_ID}&redirect_uri=https%3A%2F%2Fbot.example.org%2Fback"
    "&scope=donations%3Aread+stats%3Aread+alerts%3Acontrol&state=1&code_challenge_method=S256"
    "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

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
    "streamers.show": Route(E, page="streamers"),
    "register.show": Route(E, page="register"),
    "register.register": Route(E),
    "register.show_code": Route(E),
    "register.confirm": Route(E),
    "register.send_again": Route(E),
    "register.show_consent": Route(E, page="register-consent"),
    "forgot.show": Route(E, page="forgot"),
    "forgot.ask": Route(E),
    "forgot.show_code": Route(E),
    "forgot.change": Route(E),
    "forgot.send_again": Route(E),
    "links.follow": Route(X, {"token": "no-such-link"}),
    "links.show_password": Route(X),
    "links.set_it": Route(X),
    "identities.leave": Route(E, {"name": "yandex"}),
    "identities.come_back": Route(E, {"name": "yandex"}),
    "identities.show_new": Route(E),
    "identities.make_new": Route(E),
    "kept.show": Route(E, page="kept"),
    "api_docs.show": Route(E, page="api-docs"),
    "operator_legal.show": Route(E, {"name": "rules"}, page="operator-legal"),
    "media.show_picture": Route(E, {"sha256": "picture"}),
    "media.show_colour": Route(E, {"colour": "1f5eff"}),
    "uploads.show": Route(E, {"name": "upload"}),
    # Donors.
    "donate.show_form": Route(E, {"slug": "anna"}, page="donate"),
    "donate.submit_form": Route(E, {"slug": "anna"}),
    "donate.show_consent": Route(E, {"slug": "anna"}, page="donate-consent"),
    "donate.show_donation": Route(E, {"public_id": "open donation"}, page="donate-waiting"),
    "donate.retry_payment": Route(E, {"public_id": "failed donation"}),
    "donate.wait_for_state": Route(E, {"public_id": "donation"}),
    "legal.show": Route(E, {"slug": "anna", "name": "offer"}, page="donate-legal"),
    "legal.show_agreed": Route(E, {"public_id": "agreed donation"}, page="donate-terms"),
    # Other programs.
    "notifications.show_reachable": Route(X, {"name": "tbank"}),
    "notifications.receive": Route(X, {"name": "tbank"}),
    "metrics.show": Route(X),
    "button_press.press": Route(X, {"token": "no-such-button"}),
    # One's own account.
    "my_account.show": Route(U, page="account"),
    "my_account.show_code": Route(U),
    "my_account_acts.delete": Route(U),
    "my_account_acts.change_email": Route(U),
    "my_account_acts.confirm_email": Route(U),
    "my_account_acts.send_again": Route(U),
    "my_account_acts.keep": Route(U),
    "my_account_acts.change_password": Route(U),
    "my_account_acts.end_session": Route(U, {"session_id": "2147483647"}),
    "my_account_acts.end_other_sessions": Route(U),
    "my_account_sites.link": Route(U, form={"provider": "yandex", "yandex_password": "x"}),
    "my_account_sites.unlink": Route(U),
    "archives.ask_for": Route(U),
    "archives.show_part": Route(U),
    "archives.fetch": Route(U),
    "archives.delete": Route(U),
    "on_air.show": Route(U),
    "on_air.choose": Route(U, form={"on_air": "no"}),
    # Keys, applications, and their consent.
    "keys.show": Route(S, page="keys"),
    "keys.create": Route(S),
    "keys.give_new": Route(S),
    "keys.hide_new": Route(S),
    "keys.revoke": Route(S, {"key_id": "key"}),
    "keys.revoke_application": Route(S, {"application_id": "allowed application"}),
    "applications.show": Route(U, page="applications"),
    "applications.create": Route(U, form={"kind": "public"}),
    "applications.give_secret": Route(U),
    "applications.change": Route(U, {"application_id": "application"}),
    "applications.replace_secret": Route(U, {"application_id": "application"}),
    "applications.delete": Route(U, {"application_id": "application"}),
    "oauth.ask": Route(U, query=CONSENT, page="oauth-consent"),
    "oauth.decide": Route(U),
    "oauth_tokens.describe": Route(E),
    "oauth_tokens.give_tokens": Route(X),
    "oauth_tokens.revoke": Route(X),
    # First steps: also for who has no page yet.
    "first_steps.show": Route(U, page="first-steps"),
    "first_steps.show_address": Route(S),
    "first_steps.check": Route(S, {"step": "obs"}),
    "first_steps.dismiss": Route(S),
    "first_steps.save_page": Route(S),
    "first_steps.skip": Route(S),
    "first_steps.play_test": Route(S),
    "first_steps_name.create": Route(U),
    "first_steps_name.suggest": Route(U),
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
    "dashboard_actions.clear": Route(S),
    "dashboard_actions.undo_clear": Route(S),
    "dashboard_actions.mute": Route(S),
    "dashboard_actions.keep_pause": Route(S),
    "dashboard_actions.replay_last": Route(S),
    "dashboard_feed.hurry": Route(S),
    "dashboard_feed.replay": Route(S, form={"donation": "donation"}),
    "dashboard_feed.hide": Route(S, form={"donation": "donation", "hidden": "yes"}),
    "control.show": Route(S, page="control"),
    "control.show_part": Route(S),
    "buttons.show": Route(S, page="buttons"),
    "buttons.create": Route(S),
    "buttons.change": Route(S, BUTTON, {"name": "A name"}),
    "buttons.give_address": Route(S, BUTTON),
    "buttons.renew": Route(S, BUTTON),
    "buttons.reveal": Route(S, BUTTON),
    "buttons.revoke": Route(S, BUTTON),
    "webhooks.show": Route(S, page="webhooks"),
    "webhooks.create": Route(S),
    "webhook.show": Route(S, WEBHOOK, page="webhook"),
    "webhook.save": Route(S, WEBHOOK),
    "webhook.test": Route(S, WEBHOOK),
    "webhook.switch_on": Route(S, WEBHOOK),
    "webhook.switch_off": Route(S, WEBHOOK),
    "webhook.send_missed": Route(S, WEBHOOK),
    "webhook.reveal": Route(S, WEBHOOK),
    "webhook.give_secret": Route(S, WEBHOOK),
    "webhook.rotate": Route(S, WEBHOOK),
    "webhook.delete": Route(S, WEBHOOK),
    "webhook.show_delivery": Route(S, DELIVERY),
    "webhook.send_again": Route(S, DELIVERY),
    "webhook.skip": Route(S, DELIVERY),
    "statistics.show": Route(S, page="statistics"),
    "statistics.download_days": Route(S),
    # Moderation.
    "moderation.show": Route(S, page="moderation"),
    "moderation.show_queue": Route(S),
    "moderation.allow": Route(S),
    "moderation.decide": Route(S),
    "moderation.undo": Route(S),
    "moderation.here": Route(S),
    "moderation_log.show": Route(S, page="moderation-log"),
    "moderators.show": Route(S, page="moderators"),
    "moderators.show_list": Route(S),
    "moderators.invite": Route(S, form={"days": "7"}),
    "moderators.give_link": Route(S),
    "moderators.change": Route(S, MODERATOR, {"rights": "queue"}),
    "moderators.renew": Route(S, MODERATOR),
    "moderators.revoke": Route(S, MODERATOR),
    "moderator_join.follow": Route(X, {"token": "invitation"}, page="moderate-join"),
    "moderator_join.show": Route(X),
    "moderator_join.join": Route(X),
    "moderate.show": Route(M, MODERATION, page="moderate"),
    "moderate.show_queue": Route(M, MODERATION, right="queue"),
    "moderate.decide": Route(M, MODERATION, {**HELD, "decision": "show"}, right="queue"),
    "moderate.undo": Route(M, MODERATION, HELD, right="queue"),
    "moderate.allow": Route(M, MODERATION, {**HELD, "match": "0"}, right="block"),
    "moderate.block": Route(M, MODERATION, {**HELD, "kind": "name"}, right="block"),
    "moderate.here": Route(M, MODERATION),
    "moderate.give_ticket": Route(M, MODERATION),
    "moderate.leave": Route(M, MODERATION),
    "moderate_controls.show": Route(M, MODERATION, right="controls"),
    "moderate_controls.skip": Route(M, MODERATION, HELD, right="controls"),
    "moderate_controls.pause": Route(M, MODERATION, {"paused": "yes"}, right="controls"),
    "moderate_controls.mute": Route(M, MODERATION, {"muted": "yes"}, right="controls"),
    "moderate_controls.replay": Route(M, MODERATION, right="controls"),
    "moderation_settings.show": Route(S, page="moderation-settings"),
    "moderation_settings.save": Route(S),
    "moderation_settings.try_text": Route(S),
    "moderation_settings.add": Route(S),
    "moderation_settings.remove": Route(S, {"word_id": "word"}),
    "blocks.show": Route(S, page="blocks"),
    "blocks.remove": Route(S, {"block_id": "block"}),
    "blocks.add": Route(S, DONATION, {"kind": "name"}),
    "alert_settings.show": Route(S, page="alerts"),
    "alert_settings.save": Route(S),
    "alert_settings.add_level": Route(S),
    "alert_settings.reset": Route(S),
    "alert_levels.show": Route(S, LEVEL, page="alert-level"),
    "alert_levels.save": Route(S, LEVEL),
    "alert_levels.remove": Route(S, LEVEL),
    "alert_levels.test": Route(S, LEVEL),
    "alert_preview.show": Route(S, LEVEL),
    "alert_preview.show_typed": Route(S, LEVEL),
    # Goals.
    # Donations and money.
    "settings.show": Route(S, page="settings"),
    "donor_requests.erase": Route(S, DONATION),
    "history.show": Route(S, page="donations"),
    "history.show_sums": Route(S),
    "history.hide": Route(S, DONATION),
    "history.unhide": Route(S, DONATION),
    "history.replay": Route(S, DONATION),
    "exports.show": Route(S, page="exports"),
    "exports.ask_for": Route(S),
    "exports.show_part": Route(S, EXPORT),
    "exports.cancel": Route(S, EXPORT),
    "exports.fetch": Route(S, EXPORT),
    "manual_donations.new": Route(S, page="manual-donation"),
    "manual_donations.create": Route(S),
    "manual_donations.show": Route(S, MANUAL, page="manual-donation-edit"),
    "manual_donations.change": Route(S, MANUAL),
    "manual_donations.delete": Route(S, MANUAL),
    "manual_donations.replay": Route(S, MANUAL),
    "manual_donations.restore": Route(S, MANUAL),
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
    "payee.show": Route(S, page="payee"),
    "payee.choose": Route(S),
    "requisites.show": Route(S, page="requisites"),
    "requisites.save": Route(S),
    "page.show": Route(S, page="page"),
    "page.save": Route(S),
    "page.keep_pictures": Route(S),
    "page.preview": Route(S),
    "alert_files.show": Route(S, page="alert-files"),
    "alert_files.add": Route(S),
    "alert_files.delete": Route(S, form={"url": "upload's address"}),
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
    "admin_mail.show": Route(OP, page="admin-mail"),
    "admin_mail.show_letter": Route(OP, {"letter_id": "letter"}),
    "admin_mail.send_test": Route(OP),
    "admin_streamers.begin": Route(OP),
    "admin_streamers.show": Route(OP, page="admin-streamers"),
    "admin_streamers.feature": Route(OP),
    "admin_applications.show": Route(OP, page="admin-applications"),
    "admin_applications.switch_off": Route(OP, {"application_id": "allowed application"}),
    "admin_applications.switch_on": Route(OP, {"application_id": "allowed application"}),
    "admin_users.show": Route(OP, page="admin-users"),
    "admin_users.do_act": Route(OP, {"user_id": "user", "act": "promote"}),
}
