"""What moderation says to people: rules, acts, reasons and decisions in words, and a text with its matches marked."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.moderation import Act, Match, Mode, Outcome, Part, Rule
from web.i18n import _


@dataclass(frozen=True)
class Piece:
    """A stretch of a text; `match` is what caught it, None where nothing did."""

    text: str
    match: Match | None


def marked(text: str, matches: Sequence[Match], part: Part) -> list[Piece]:
    """The text in pieces, none lost; where two matches overlap the first to begin is named."""
    pieces: list[Piece] = []
    place = 0
    for match in sorted((match for match in matches if match.part is part), key=lambda match: match.start):
        start, end = max(match.start, place), min(match.end, len(text))
        if start >= end:
            continue
        if start > place:
            pieces.append(Piece(text[place:start], None))
        pieces.append(Piece(text[start:end], match))
        place = end
    if place < len(text):
        pieces.append(Piece(text[place:], None))
    return pieces


def rule_words(rule: Rule) -> str:
    return {
        Rule.WORDS: _("Swearing and slurs"),
        Rule.OWN_WORDS: _("My words"),
        Rule.LINKS: _("Links"),
        Rule.MENTIONS: _("@mentions"),
        Rule.CAPITALS: _("CAPITALS"),
        Rule.ZALGO: _("Piled-up marks"),
        Rule.REPEATS: _("Repetition"),
        Rule.LENGTH: _("Too long"),
        Rule.EMOJI: _("Too many emoji"),
    }[rule]


def rule_hint(rule: Rule) -> str:
    return {
        Rule.WORDS: _("Our list, Russian and English. Stars, look-alikes, spaces and digits hide no word."),
        Rule.OWN_WORDS: _("The list at the bottom of this page."),
        Rule.LINKS: _("Addresses of sites, also as “site dot com”."),
        Rule.MENTIONS: _("Nicknames of other people: @nick."),
        Rule.CAPITALS: _("Texts that shout. “Put right” makes small letters of them."),
        Rule.ZALGO: _("Letters that grow over the lines around them."),
        Rule.REPEATS: _("Aaaaaaaa, and the same word five times in a row."),
        Rule.LENGTH: _("The rest of a long message is cut off."),
        Rule.EMOJI: _("Those above the number are left out."),
    }[rule]


def act_words(act: Act) -> str:
    return {
        Act.OFF: _("Allow"),
        Act.MASK: _("Put right"),
        Act.HOLD: _("Hold for me"),
        Act.REJECT: _("No message"),
    }[act]


def mode_options() -> list[tuple[str, str, str]]:
    return [
        (Mode.FILTER, _("Filter"), _("Everything is shown at once; what the rules below catch is treated as you say.")),
        (Mode.APPROVE, _("Approve first"), _("Nothing is shown before you or a moderator let it through.")),
        (
            Mode.OFF,
            _("Off"),
            _("Every message is shown as it was written. Only characters that hide text are removed."),
        ),
    ]


def outcome_options() -> list[tuple[str, str]]:
    return [
        (Outcome.SHOW_WITHOUT_TEXT, _("show the amount and the name, without the message")),
        (Outcome.SKIP, _("do not show it at all")),
    ]


def reason_words(reason: str) -> str:
    """Why an alert waits, or was changed; what is no reason of ours (an exception) is told as it is."""
    return {
        "rules": _("The rules caught something"),
        "approve": _("Everything waits for approval"),
        "amount": _("The amount is below the one from which messages are shown"),
        "blocked_name": _("This name is blocked"),
        "blocked_payer": _(
            "This card or wallet is blocked. Strangers may have the same masked number, so look yourself"
        ),
        "blocked_address": _("This address is blocked"),
        "error": _("The filter failed, so it waits to be safe"),
    }.get(reason, reason)


def decision_words(what: str) -> str:
    return {
        "mask": _("Shown with the text put right"),
        "hold": _("Held for a decision"),
        "reject": _("Shown without the message"),
        "show": _("Show"),
        "show_without_text": _("Show without the message"),
        "hide": _("Hide"),
        "undo": _("Taken back"),
        "exception": _("Exception added"),
        "erase": _("Name and message removed at the donor's request"),
        "block": _("Donor blocked"),
    }.get(what, what)


def by_words(kind: str, name: str) -> str:
    match kind:
        case "rules":
            return _("rules")
        case "superuser":
            return _("the operator")
        case "deadline":
            return _("nobody decided in time")
        case "key":
            return _("program “%(name)s”", name=name)
    return name


def pending_words(decision: str) -> str:
    return {
        "show": _("It is about to be shown."),
        "show_without_text": _("It is about to be shown without the message."),
        "hide": _("It is about to be hidden."),
    }[decision]


def taken_words(decision: str, by: str) -> str:
    """Somebody was first: in words that fit whoever it was."""
    what = {
        "show": _("show it"),
        "show_without_text": _("show it without the message"),
        "hide": _("hide it"),
    }.get(decision)
    if what is None:
        return _("Somebody was first: nothing changed.")
    return _("Already decided: %(what)s (%(who)s).", what=what, who=by)
