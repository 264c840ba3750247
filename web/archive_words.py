"""The README of the file with one's own data: what each file in it is, in the language it was asked for in."""

from web.i18n import _


def readme() -> str:
    intro = (
        _("This is all that the site keeps of your account and of your page, as it was when the file was packed."),
        _("A file is a list in JSON, in UTF-8. Sums are in kopecks (30000 is 300 ₽), times are in UTC."),
        _("Not in it: passwords, keys and addresses of overlays and buttons, since who had them could act for you."),
    )
    lines = [f"{name}\n    {words}" for name, words in file_descriptions().items()]
    return "\n".join((*intro, "", *lines, ""))


def file_descriptions() -> dict[str, str]:
    return {
        "account.json": _("How you sign in: e-mail, language, what you agreed to and when."),
        "profile.json": _("What you told programs about yourself: name, picture, a few words."),
        "sessions.json": _("Where you are signed in: browser, since when, last used."),
        "known_browsers.json": _("When browsers that signed in before were last used."),
        "linked_accounts.json": _("Your accounts at other sites that are linked."),
        "keys.json": _("Your keys of the API: what each may, when it was used, not the keys themselves."),
        "allowed_applications.json": _("Applications you allowed, what each may, and when."),
        "applications.json": _("Applications you registered, without their secrets."),
        "letters.json": _("Letters sent to you: kind and time, not the words."),
        "account_log.json": _("What was done to the account and when."),
        "donations_sent.json": _("Donations you made to others through programs you were signed in to."),
        "page.json": _("Your donation page and its settings, receipts, and every address it had."),
        "page_for_programs.json": _("What programs keep with your page; what they keep about payments stays out."),
        "requisites.json": _("Who receives the money."),
        "first_steps.json": _("What you decided in the first steps."),
        "payment_accounts.json": _("Your accounts at payment providers, without their secrets."),
        "overlay_addresses.json": _("When addresses of the overlay were made and revoked."),
        "buttons.json": _("Your control buttons, without their addresses."),
        "webhooks.json": _("Your webhooks, without their secrets."),
        "goals.json": _("Your goals."),
        "alert_settings.json": _("How your alerts look and sound."),
        "moderation_settings.json": _("What you chose about moderation."),
        "moderation_words.json": _("Your words and exceptions."),
        "moderators.json": _("Who helps you moderate, and what each may do."),
        "moderation_log.json": _("What rules and people decided about donations."),
        "blocked_donors.json": _("Donors you blocked."),
        "controls_log.json": _("Who pressed what: skip, pause, replay and the like."),
        "terms.json": _("The words that donors agreed to, by their hash."),
        "donations.json": _(
            "Donations as they were written and as they were shown, with consents, payments and refunds."
        ),
        "donations.csv": _("The donations that brought money, as a table for a spreadsheet."),
        "donations_by_hand.json": _("Donations you wrote down by hand."),
        "chargebacks.json": _("Donations that a donor's bank took back."),
        "cheques.json": _("Cheques you marked as issued."),
        "registry_files.json": _("Files of a bank's registry that you brought."),
        "uploads.json": _("The pictures and sounds you uploaded for alerts: what they were called and what they are."),
        "media/": _("Your pictures."),
        "uploads/": _("The uploaded files."),
    }
