"""What moderation may be told and what it answers: the streamer's settings, the matches, the verdict."""

from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    OFF = "off"
    FILTER = "filter"
    APPROVE = "approve"
    """Everything waits until somebody lets it through."""


class Rule(StrEnum):
    WORDS = "words"
    OWN_WORDS = "own_words"
    LINKS = "links"
    MENTIONS = "mentions"
    CAPITALS = "capitals"
    ZALGO = "zalgo"
    REPEATS = "repeats"
    LENGTH = "length"
    EMOJI = "emoji"


class Act(StrEnum):
    """What is done about a match; in the order of their weight."""

    OFF = "off"
    MASK = "mask"
    """Shown without the match: stars for a word, small letters for capitals, the rest cut off."""
    HOLD = "hold"
    REJECT = "reject"
    """Shown without the message."""


class Outcome(StrEnum):
    """What becomes of a held alert that nobody decided on in time."""

    SHOW_WITHOUT_TEXT = "show_without_text"
    SKIP = "skip"


DEFAULT_ACTS: dict[Rule, Act] = {
    Rule.WORDS: Act.MASK,
    Rule.OWN_WORDS: Act.MASK,
    Rule.LINKS: Act.MASK,
    Rule.MENTIONS: Act.OFF,
    Rule.CAPITALS: Act.MASK,
    Rule.ZALGO: Act.MASK,
    Rule.REPEATS: Act.MASK,
    Rule.LENGTH: Act.OFF,
    Rule.EMOJI: Act.MASK,
}


@dataclass(frozen=True)
class Settings:
    """A streamer's choice. What a rule has no entry for in `acts` it does by default; lengths in characters."""

    mode: Mode = Mode.FILTER
    acts: dict[Rule, Act] = field(default_factory=dict)
    capitals_percent: int = 70
    long_over: int = 300
    emoji_over: int = 12
    message_from_minor: int = 0
    """Kopecks; smaller donations are shown without their message."""
    hold_minutes: int = 10
    outcome: Outcome = Outcome.SHOW_WITHOUT_TEXT

    def act(self, rule: Rule) -> Act:
        return self.acts.get(rule, DEFAULT_ACTS[rule])


class Part(StrEnum):
    NAME = "name"
    MESSAGE = "message"


@dataclass(frozen=True)
class Match:
    """What a rule caught: `word` is `original[start:end]`, `pattern` the list's line if it was a word."""

    part: Part
    rule: Rule
    act: Act
    start: int
    end: int
    word: str
    pattern: str = ""


class Action(StrEnum):
    """What becomes of the alert: as it is, with changed text, waiting for somebody, or without the message."""

    SHOW = "show"
    MASK = "mask"
    HOLD = "hold"
    REJECT = "reject"


@dataclass(frozen=True)
class Verdict:
    """`public_name` (None: anonymous) and `public_message` are what may leave us now.

    `approved_name` and `approved_message`: what may, once somebody let a held alert through; `quiet_name`: the name if
    it is shown without its message.
    """

    action: Action
    matches: tuple[Match, ...]
    public_name: str | None
    public_message: str
    approved_name: str | None
    approved_message: str
    quiet_name: str | None
