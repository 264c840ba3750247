"""Judging what donors write (DESIGN 15): name and message together, by the streamer's settings. Pure: no database here.

    judge(name, message, settings, words) -> Verdict

`folding` makes letters of what people write, `words` finds where words are, `patterns` looks lists up in them, `rules`
looks at links, capitals and the like. What is done with a verdict is in `domain/holds.py`.
"""

from domain.moderation.judging import Lexicon, judge
from domain.moderation.verdict import (
    DEFAULT_ACTS,
    Act,
    Action,
    Match,
    Mode,
    Outcome,
    Part,
    Rule,
    Settings,
    Verdict,
)

__all__ = [
    "DEFAULT_ACTS",
    "Act",
    "Action",
    "Lexicon",
    "Match",
    "Mode",
    "Outcome",
    "Part",
    "Rule",
    "Settings",
    "Verdict",
    "judge",
]
