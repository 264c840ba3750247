"""From a name and a message to a verdict: each rule is asked, then the heaviest act of what they caught decides."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path

from domain.moderation import rules
from domain.moderation.folding import fold
from domain.moderation.patterns import WordList, read_lines
from domain.moderation.verdict import Act, Action, Match, Mode, Part, Rule, Settings, Verdict
from domain.moderation.words import words_of
from domain.text import NAME_MAX_LENGTH, clean_message, clean_name

STARS = "***"
_HERE = Path(__file__).parent
_DEFAULT_FILES = ("words_ru.txt", "words_translit.txt", "words_en.txt")
_MESSAGE_MAX_LENGTH = 1000


class Lexicon:
    """The words a streamer is shielded from: the lists everybody has, and the streamer's own words and exceptions."""

    def __init__(self, words: Iterable[str] = (), exceptions: Iterable[str] = ()) -> None:
        given, without = tuple(words), tuple(exceptions)
        self.allowed = frozenset(_key(line) for line in without)
        self.common = _common_list().excepting(without)
        self.own = WordList(given, exceptions=without, is_plain=True)


def _key(text: str) -> str:
    return "".join(cell.text for cell in fold(text) if cell.text.isalnum() or cell.text == "*")


def _host(link: str) -> str:
    """Where a link leads, without the page: an exception is for the whole site."""
    return re.split(r"[/?#]", re.sub(r"^\w+://", "", link), maxsplit=1)[0]


def exception_for(match: Match) -> str | None:
    """The exception that would let this match through; None for rules that are no lists."""
    if match.rule in (Rule.LINKS, Rule.MENTIONS):
        return _key(_host(match.word)) or None
    if match.rule in (Rule.WORDS, Rule.OWN_WORDS):
        if " " in match.pattern.strip():
            return None
        return _key(match.word).replace("*", "") or None
    return None


@cache
def _default_lines() -> tuple[str, ...]:
    return tuple(line for name in _DEFAULT_FILES for line in read_lines(_HERE / name))


@cache
def _common_list() -> WordList:
    return WordList(_default_lines())


@lru_cache(maxsize=256)
def lexicon(words: tuple[str, ...], exceptions: tuple[str, ...]) -> Lexicon:
    """The same, remembered: most donations come to a few streamers."""
    return Lexicon(words, exceptions)


def judge(name: str | None, message: str, settings: Settings, words: Lexicon) -> Verdict:
    """`name` None is anonymous. Both as they were written: what turns or hides text is always removed."""
    if settings.mode is Mode.OFF:
        clean = (clean_name(name or "") or None, clean_message(message))
        return Verdict(Action.SHOW, (), *clean, *clean, clean[0])
    matches = (
        *(_find(Part.NAME, name, settings, words) if name else ()),
        *_find(Part.MESSAGE, message, settings, words),
    )
    acts = {match.act for match in matches}
    shown_name = _masked_name(name, matches)
    quiet_name = None if _is_caught(matches, Part.NAME) else shown_name
    shown_message = _masked(message, [match for match in matches if match.part is Part.MESSAGE])
    if Act.REJECT in acts:
        if settings.mode is Mode.APPROVE:
            # A bad message brings no name past whoever approves.
            return Verdict(Action.HOLD, matches, None, "", quiet_name, "", quiet_name)
        return Verdict(Action.REJECT, matches, quiet_name, "", quiet_name, "", quiet_name)
    if settings.mode is Mode.APPROVE or Act.HOLD in acts:
        # Nothing of what waits for a decision leaves before it.
        public_name = None if settings.mode is Mode.APPROVE else quiet_name
        return Verdict(Action.HOLD, matches, public_name, "", shown_name, shown_message, quiet_name)
    action = Action.MASK if matches else Action.SHOW
    return Verdict(action, matches, shown_name, shown_message, shown_name, shown_message, quiet_name)


def _is_caught(matches: Iterable[Match], part: Part) -> bool:
    return any(match.part is part and match.act in (Act.HOLD, Act.REJECT) for match in matches)


def _find(part: Part, text: str, settings: Settings, words: Lexicon) -> list[Match]:
    found: list[Match] = []
    cells = fold(text)
    whole, windows = words_of(cells)

    def add(rule: Rule, spans: Iterable[tuple[int, int]], pattern: str = "") -> None:
        found.extend(
            Match(part, rule, settings.act(rule), start, end, text[start:end], pattern)
            for start, end in spans
            if settings.act(rule) is not Act.OFF
        )

    for rule, given in ((Rule.WORDS, words.common), (Rule.OWN_WORDS, words.own)):
        if settings.act(rule) is not Act.OFF:
            for hit in given.find(whole, windows):
                add(rule, [(hit.start, hit.end)], hit.pattern)
    for rule, spans in ((Rule.LINKS, rules.find_links(cells)), (Rule.MENTIONS, rules.find_mentions(cells))):
        add(rule, [span for span in spans if _key(_host(text[slice(*span)])) not in words.allowed])
    add(Rule.CAPITALS, rules.find_capitals(text, settings.capitals_percent))
    add(Rule.ZALGO, rules.find_zalgo(text))
    add(Rule.REPEATS, rules.find_repeats(text))
    if part is Part.MESSAGE:
        add(Rule.LENGTH, rules.find_length(text, settings.long_over))
    add(Rule.EMOJI, rules.find_emoji(text, settings.emoji_over if part is Part.MESSAGE else 4))
    return _without_doubles(found)


def _without_doubles(matches: Sequence[Match]) -> list[Match]:
    """In the order of the text; the same rule does not catch a thing twice."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda match: (match.start, -match.end)):
        if not any(
            other.rule is match.rule and other.start <= match.start and match.end <= other.end for other in kept
        ):
            kept.append(match)
    return kept


# How a match is made harmless.


def _masked_name(name: str | None, matches: Sequence[Match]) -> str | None:
    """None when nothing but stars would be left of it; a name of emoji alone is cut to a few of them."""
    if not name:
        return None
    masked = clean_name(_masked(name, [match for match in matches if match.part is Part.NAME]))[:NAME_MAX_LENGTH]
    says_something = any(character.isalnum() or unicodedata.category(character) == "So" for character in masked)
    return masked if masked and (says_something or masked == clean_name(name)) else None


_STARRED = frozenset({Rule.WORDS, Rule.OWN_WORDS, Rule.LINKS, Rule.MENTIONS})
_CUT = frozenset({Rule.LENGTH, Rule.EMOJI})


def _masked(text: str, matches: Sequence[Match]) -> str:
    """The text without what is to be masked; what was held is shown once somebody has allowed it."""
    masks = [match for match in matches if match.act is Act.MASK]
    starred = [match for match in masks if match.rule in _STARRED]
    cut = [match for match in masks if match.rule in _CUT]
    kept: list[str] = []
    place = 0
    for start, end, is_cut in _merged(starred, cut):
        kept += [text[place:start], "" if is_cut else STARS]
        place = end
        if is_cut and kept[-2]:
            kept.append("…")
    kept.append(text[place:])
    result = "".join(kept)
    wanted = {match.rule for match in masks}
    if Rule.ZALGO in wanted:
        result = "".join(character for character in result if unicodedata.category(character) not in ("Mn", "Me"))
    if Rule.REPEATS in wanted:
        result = _without_repeats(result)
    if Rule.CAPITALS in wanted:
        result = result[:1] + result[1:].lower()
    return clean_message(result)[:_MESSAGE_MAX_LENGTH]


def _merged(starred: Sequence[Match], cut: Sequence[Match]) -> list[tuple[int, int, bool]]:
    """Spans that do not overlap, in order: `(start, end, is cut off)`."""
    spans: list[tuple[int, int, bool]] = []
    marked = [(match.start, match.end, match in cut) for match in (*starred, *cut)]
    for start, end, is_cut in sorted(marked):
        if spans and start < spans[-1][1]:
            first, last, was_cut = spans[-1]
            spans[-1] = (first, max(last, end), was_cut or is_cut) if not is_cut or first == start else spans[-1]
            if is_cut and first != start:
                spans.append((last, max(last, end), True))
        else:
            spans.append((start, end, is_cut))
    return spans


def _without_repeats(text: str) -> str:
    text = re.sub(r"([^\s\d])\1{6,}", r"\1\1\1", text)
    kept: list[str] = []
    for piece in re.split(r"(\s+)", text):
        said = [word.casefold() for word in kept if not word.isspace()][-3:]
        if piece and not piece.isspace() and len(said) == 3 and set(said) == {piece.casefold()}:
            continue
        kept.append(piece)
    return "".join(kept)
