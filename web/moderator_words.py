"""What moderators' rights and the time they last are called."""

from datetime import UTC, datetime

from domain.errors import InvalidInputError
from domain.moderators import Right
from web.field_words import too_long_words
from web.i18n import _, ngettext


def right_words(right: Right) -> str:
    return {
        Right.QUEUE: _("Decide what is shown"),
        Right.AMOUNTS: _("See amounts"),
        Right.BLOCK: _("Block donors, make exceptions"),
        Right.CONTROLS: _("Press the controls"),
    }[right]


def right_hint(right: Right) -> str:
    return {
        Right.QUEUE: _("They see what waits as it was written, and show it, show it without the message or hide it."),
        Right.AMOUNTS: _("Without it amounts stand nowhere on their page."),
        Right.BLOCK: _("By the name, or by the address for a day; and one tap says that a word is fine."),
        Right.CONTROLS: _("Skip, pause, sound off, replay. They cannot clear the queue."),
    }[right]


def days_words(days: int | None) -> str:
    if days is None:
        return _("Until I revoke it")
    return {1: _("1 day"), 7: _("1 week"), 30: _("1 month")}[days]


def days_options() -> list[tuple[str, str]]:
    """Values and words for a form; the longest promise last."""
    return [("7", days_words(7)), ("1", days_words(1)), ("30", days_words(30)), ("never", days_words(None))]


def since_words(since: datetime) -> str:
    """`5 minutes ago`."""
    minutes = int((datetime.now(UTC) - since).total_seconds() // 60)
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return ngettext("%(num)s minute ago", "%(num)s minutes ago", minutes)
    if minutes < 48 * 60:
        return ngettext("%(num)s hour ago", "%(num)s hours ago", minutes // 60)
    return ngettext("%(num)s day ago", "%(num)s days ago", minutes // (24 * 60))


def error_words(error: InvalidInputError) -> str:
    match error.field, error.code:
        case "nick", "too_long":
            return too_long_words(error.data["over"], error.data["limit"])
        case "nick", _code:
            return _("Write a nick, so that others know who decided.")
        case _field, _code:
            return _("Choose at least one of: deciding what is shown, pressing the controls.")
