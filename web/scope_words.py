"""What a key or an application may, in words for people."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.scopes import Scope
from web.i18n import _


@dataclass(frozen=True)
class ScopeWords:
    scope: Scope
    title: str
    text: str
    changes: bool
    """It does something, and does not only read."""

    @property
    def is_delicate(self) -> bool:
        return self.changes or self.scope is Scope.DONATIONS_ORIGINAL


def scope_words(scopes: Iterable[Scope] = tuple(Scope)) -> list[ScopeWords]:
    words = _words()
    return [ScopeWords(scope, *words[scope]) for scope in scopes]


def short_words(scopes: Iterable[Scope]) -> str:
    """In one line."""
    return " · ".join(one.title for one in scope_words(scopes))


def _words() -> dict[Scope, tuple[str, str, bool]]:
    return {
        Scope.PROFILE_READ: (
            _("Read the page's settings"),
            _("Name, address, pictures, amounts and limits of the donation page."),
            False,
        ),
        Scope.PROFILE_WRITE: (
            _("Change the page's settings"),
            _("What viewers see on the donation page, amounts and limits. Not who receives the money."),
            True,
        ),
        Scope.DONATIONS_READ: (
            _("Read donations"),
            _("Sums, names and messages as they may be shown, new ones at once."),
            False,
        ),
        Scope.DONATIONS_ORIGINAL: (
            _("Read what donors really wrote"),
            _("Also what moderation masked, holds or has hidden. For programs you would show any message to."),
            False,
        ),
        Scope.ALERTS_READ: (
            _("Read alerts"),
            _("The queue, what plays now, whether OBS is connected, and the settings of alerts."),
            False,
        ),
        Scope.ALERTS_CONTROL: (
            _("Control alerts on the stream"),
            _("Skip, show again, pause, mute, send a test."),
            True,
        ),
        Scope.ALERTS_WRITE: (
            _("Change the settings of alerts"),
            _("Levels, texts, sounds and pictures of alerts."),
            True,
        ),
        Scope.ALERTS_CREATE: (
            _("Show alerts of its own"),
            _("Puts texts of its own on the stream, without a donation."),
            True,
        ),
        Scope.GOALS_READ: (_("Read goals"), _("What is collected for, and how far it is."), False),
        Scope.GOALS_WRITE: (_("Change goals"), _("Make, start, change and end goals."), True),
        Scope.STATS_READ: (_("Read sums and statistics"), _("Totals of days and months, best donors."), False),
        Scope.MODERATION_READ: (
            _("Read moderation"),
            _("What waits for a decision, the rules, and what was decided."),
            False,
        ),
        Scope.MODERATION_WRITE: (
            _("Moderate"),
            _("Show or hide what waits, block donors, change words and rules."),
            True,
        ),
    }
