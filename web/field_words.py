"""What is wrong with an e-mail, a password, or a text that is too long, in words for the field."""

from domain.errors import InvalidInputError
from web.i18n import _, ngettext


def field_words(error: InvalidInputError) -> str:
    match error.field, error.code:
        case "email", "required":
            return _("Enter your e-mail.")
        case "email", "taken":
            return _("This address cannot be used here. Enter another one, or sign in.")
        case "email", _code:
            return _("This is not an e-mail address: it looks like name@example.org.")
        case "password", "too_short":
            return ngettext("At least %(num)s character.", "At least %(num)s characters.", error.data["limit"])
        case "password", "too_long":
            return ngettext("At most %(num)s character.", "At most %(num)s characters.", error.data["limit"])
        case "password", "common":
            return _("This password is among the first that strangers try. A few words in a row make a better one.")
        case "password", "like_email":
            return _("This password is too much like the e-mail: a stranger would guess it.")
    return _("Some field is not right")


def too_long_words(over: int, limit: int) -> str:
    """`over`: by how many characters it is longer than the limit."""
    return ngettext(
        "Longer than %(limit)s characters: remove %(num)s.",
        "Longer than %(limit)s characters: remove %(num)s.",
        over,
        limit=limit,
    )


def given_name_words(error: InvalidInputError) -> str:
    """For the name that a streamer gives to a thing of hers (`domain.text.clean_given_name`)."""
    if error.code == "too_long":
        return too_long_words(error.data["over"], error.data["limit"])
    return _("Give it a name, so that you recognise it.")
