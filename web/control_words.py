"""What presses of the controls are called: by an address in its one line, by the control page, and in its log."""

from domain.alerts import AlertKind
from domain.buttons import Control
from domain.control import Action, Outcome, Pressed, Subject
from domain.pressers import Presser, PresserKind
from web.i18n import _, format_money, ngettext


def call(subject: Subject | None, *, shows_amounts: bool = True) -> str:
    """`Anya · 300 ₽`, or `Anya` for whoever is not to see amounts."""
    if subject is None:
        return ""
    match subject.kind:
        case AlertKind.TEST:
            name = _("test")
        case AlertKind.SUMMARY:
            name = ngettext("%(num)s donation", "%(num)s donations", subject.donations)
        case AlertKind.CUSTOM:
            name = subject.donor_name or _("your own alert")
        case _:
            name = subject.donor_name or _("Anonymous")
    # An alert of a program's own may have no amount.
    return f"{name} · {format_money(subject.amount_minor)}" if shows_amounts and subject.amount_minor else name


def example_words() -> dict[str, str]:
    """Of an alert that somebody plays to see what alerts look like."""
    return {"donor_name": _("Anya"), "message": _("Greetings from Omsk! This is how alerts look.")}


def call_presser(by: Presser) -> str:
    match by.kind:
        case PresserKind.SUPERUSER:
            return _("the operator")
        case PresserKind.BUTTON:
            return _("button “%(name)s”", name=by.name)
        case PresserKind.KEY:
            return _("program “%(name)s”", name=by.name)
        case _:
            return f"@{by.name}"


def line(pressed: Pressed, *, shows_amounts: bool = True) -> str:
    """What became of a press, in one short line."""
    alert = call(pressed.subject, shows_amounts=shows_amounts)
    done = pressed.outcome is Outcome.DONE
    nothing = pressed.outcome is Outcome.NOTHING
    match pressed.action:
        case Action.SKIP if done:
            return _("Skipped: %(alert)s", alert=alert)
        case Action.SKIP if pressed.before is not None:
            return _("Already skipped by %(who)s: %(alert)s", who=call_presser(pressed.before), alert=alert)
        case Action.SKIP:
            return _("Nothing plays now")
        case Action.PAUSE:
            words = _("The pause is on") if done else _("The pause is on already")
            if not pressed.alerts:
                return words
            waiting = ngettext("%(num)s alert waits", "%(num)s alerts wait", pressed.alerts)
            return f"{words}: {waiting}"
        case Action.RESUME:
            return _("The pause is over") if done else _("There is no pause")
        case Action.MUTE:
            return _("The sound is off") if done else _("The sound is off already")
        case Action.UNMUTE:
            return _("The sound is on") if done else _("The sound is on already")
        case Action.REPLAY if done:
            return _("Once more: %(alert)s", alert=alert)
        case Action.REPLAY:
            return _("There is nothing to show again yet") if nothing else _("It is about to be shown again already")
        case Action.TEST:
            return _("The test is sent")
        case Action.CLEAR if done:
            return ngettext(
                "The queue is cleared: %(num)s alert", "The queue is cleared: %(num)s alerts", pressed.alerts
            )
        case Action.CLEAR:
            return _("The queue is empty already")
        case Action.UNDO_CLEAR if done:
            return ngettext("Back in the queue: %(num)s alert", "Back in the queue: %(num)s alerts", pressed.alerts)
        case Action.UNDO_CLEAR:
            return _("Too late to take it back")
        case _ if nothing:
            return _("There are no missed alerts to decide about")
        case Action.MISSED_PLAY:
            return ngettext("Missed, now playing: %(num)s alert", "Missed, now playing: %(num)s alerts", pressed.alerts)
        case Action.MISSED_SUMMARY:
            return ngettext("In one summary: %(num)s alert", "In one summary: %(num)s alerts", pressed.alerts)
        case Action.MISSED_DROP:
            return ngettext("Not shown: %(num)s alert", "Not shown: %(num)s alerts", pressed.alerts)
        case Action.MISSED_LATER:
            return _("The missed alerts wait; new ones play.")


def control_title(control: Control) -> str:
    """What a button does, as one chooses it from a list."""
    return {
        Control.SKIP: _("Skip what plays"),
        Control.TOGGLE_PAUSE: _("Pause on or off"),
        Control.PAUSE: _("Pause on"),
        Control.RESUME: _("Pause off"),
        Control.TOGGLE_MUTE: _("Sound off or on"),
        Control.MUTE: _("Sound off"),
        Control.UNMUTE: _("Sound on"),
        Control.REPLAY: _("Replay the last"),
        Control.TEST: _("Test alert"),
        Control.CLEAR: _("Clear the queue"),
        Control.MISSED_PLAY: _("Missed alerts: show all"),
        Control.MISSED_SUMMARY: _("Missed alerts: one summary"),
        Control.MISSED_DROP: _("Missed alerts: do not show"),
    }[control]
