"""What became of a letter, in words for the operator."""

from domain.letters import LetterState, LetterStatus
from web.i18n import _


def reason_words(reason: str) -> str:
    """Why it did not go, and what to do about it."""
    return {
        "unknown_host": _("There is no server with this name: check SMTP_HOST."),
        "refused": _("The server does not answer at this port: check SMTP_PORT, and whether the hosting lets mail"
                     " out."),
        "timeout": _("The server did not answer in time: check SMTP_HOST and SMTP_PORT, and whether the hosting lets"
                     " mail out."),
        "tls": _("The encrypted connection failed: check SMTP_SECURITY (tls for port 465, starttls for 587) and the"
                 " server's certificate."),
        "auth": _("The server does not accept the name or the password: check SMTP_USER and SMTP_PASSWORD. Many mail"
                  " services want a password made for programs."),
        "sender": _("The server does not let this sender write: check MAIL_FROM."),
        "recipient": _("The server does not know this recipient."),
        "rejected": _("The server refused the letter."),
        "busy": _("The server asks to come later."),
        "disconnected": _("The server hung up in the middle."),
        "late": _("It would have come too late to be of use."),
        "no_mail": _("Mail was not set up when its turn came."),
        "unreadable": _("The server can no longer read its code: SECRET_KEYS were changed meanwhile."),
    }.get(reason, _("Something else went wrong."))  # fmt: skip


def status_words(letter: LetterState) -> str:
    match letter.status:
        case LetterStatus.SENT:
            return _("sent")
        case LetterStatus.FAILED:
            return _("not sent")
    return _("will be tried again") if letter.tries and letter.error_reason else _("on its way")


def kind_words(kind: str) -> str:
    return {
        "register": _("Code for a new account"),
        "verify": _("Code for an account made by a program"),
        "taken": _("There is an account already"),
        "password": _("Code for a new password"),
        "email": _("Code for another address"),
        "email_changed": _("The address was changed"),
        "password_changed": _("The password was changed"),
        "password_reset": _("A new password was set"),
        "identity_linked": _("Another site's account was linked"),
        "terminal_connected": _("Donations go through another key"),
        "key_made": _("A key of the API was made"),
        "application_allowed": _("An application was allowed"),
        "deletion": _("The account will be deleted"),
        "test": _("Test letter"),
    }.get(kind, kind)
