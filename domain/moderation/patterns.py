"""Word lists: how a word is written in a list, and how it is looked for in folded text.

    лох          the word alone
    лох*         words that begin with it          *лох*   words that hold it anywhere
    (на|по)лох   one of several                    ло[хш]  one of several letters
    лохи?        the letter, or the group, before it may be missing
    белый флаг   words that follow each other
    !лохмат*     an exception: a word that is none, although another line says so

A streamer's own lists know `*` alone, everything else in them is a letter. A `*` inside a word is up to eight letters.

Each letter of a pattern is searched as the set of signs people write it with, so that no text has to be read several
times. Sets are what a letter looks like, not what it sounds like: words in Latin transcription have lines of their own.
Nothing repeats without a bound, so the time grows with the text alone, whatever the text is.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.moderation.folding import fold, spelled
from domain.moderation.words import Word

# By the letter: other signs it is written with. Vowels may be hidden by a star.
_SIGNS = {
    "а": "a@4*", "б": "b6", "в": "vb8", "г": "gr", "д": "dg", "е": "e3€*", "з": "z3", "и": "iu1!|n*", "к": "k",
    "л": "l", "м": "m", "н": "hn", "о": "o0*", "п": "np", "р": "p", "с": "cs$", "т": "t7", "у": "yu*", "ф": "f",
    "х": "x", "ч": "4", "ш": "w", "щ": "w", "ь": "b", "я": "9*", "ы": "*", "э": "3", "ю": "*",
    "a": "а@4*", "b": "вьб68", "c": "с(", "d": "д", "e": "е3*", "f": "ф", "g": "9гд", "h": "нх", "i": "1!|lи*",
    "k": "к", "l": "1|i", "m": "м", "n": "пи", "o": "о0*", "p": "р", "r": "гя", "s": "$5с", "t": "т7",
    "u": "уиv*", "v": "u", "w": "шщ", "x": "х", "y": "у", "z": "2з",
}  # fmt: skip
# A word of Latin letters alone is read as a Russian one only if all of them could be Cyrillic.
_DRAWN_ALIKE = frozenset("aceopxykmhtbu")
_INNER_STAR = r"[^\W\d_]{0,8}"
_INNER_STARS_MAX = 2
_ANY_TEXT_MAX = 1_200


@dataclass(frozen=True)
class Hit:
    """A word of a list found in a text; `start` and `end` in the original."""

    pattern: str
    start: int
    end: int


class WordList:
    """Patterns compiled together: built once for a list, used for every text."""

    def __init__(self, lines: Iterable[str], *, exceptions: Iterable[str] = (), is_plain: bool = False) -> None:
        """`is_plain`: a streamer's own list. A line without letters says nothing and is left out."""
        compiled: list[tuple[str, str]] = []
        phrases: list[tuple[str, str]] = []
        without: list[str] = []
        for line in lines:
            if line.startswith("!") and not is_plain:
                without.append(_compile(line[1:], is_plain=False))
                continue
            if not any(map(str.isalnum, spelled(fold(line)))):
                continue
            is_phrase = " " in line.strip()
            (phrases if is_phrase else compiled).append((line, _compile(line, is_plain=is_plain)))
        without += [_compile(line, is_plain=True) for line in exceptions if any(map(str.isalnum, spelled(fold(line))))]
        self._words = _Alternatives(compiled)
        self._phrases = _Alternatives(phrases)
        self._without = re.compile("|".join(without)) if without else None

    def find(self, words: Sequence[Word], windows: Sequence[Word]) -> list[Hit]:
        """Each word at most once; first those that stand whole, then those in pieces, then phrases."""
        hits = [hit for word in words if (hit := self._find_in(word)) is not None]
        known: dict[str, bool] = {}
        for word in windows:
            # Somebody who repeats himself five hundred times is read once.
            if known.get(word.text, True):
                hit = self._find_in(word)
                known[word.text] = hit is not None or word.needs_long
                if hit is not None:
                    hits.append(hit)
        return hits + self._find_phrases(words)

    def _find_in(self, word: Word) -> Hit | None:
        if not self._words or len(word.text) > _ANY_TEXT_MAX:
            return None
        for pattern, match in self._words.search(word.text, only_at_start=word.reach > 0):
            if match.end() < word.reach or (word.needs_long and match.end() < 4):
                continue
            if self._without is not None and self._without.search(word.text):
                return None
            return Hit(pattern, word.start, word.run_end if pattern.endswith("*") else word.end)
        return None

    def _find_phrases(self, words: Sequence[Word]) -> list[Hit]:
        if not self._phrases:
            return []
        line, starts = "", []
        for word in words:
            starts.append(len(line))
            line += word.text + " "
        hits = []
        for pattern, match in self._phrases.search(line):
            inside = [
                word
                for word, start in zip(words, starts, strict=True)
                if match.start() <= start + len(word.text) - 1 and start < match.end()
            ]
            hits.append(Hit(pattern, inside[0].start, inside[-1].end))
        return hits


class _Alternatives:
    """Lines of a list, by alphabet: a text is read only in those it can be written in."""

    def __init__(self, compiled: list[tuple[str, str]]) -> None:
        self._groups: list[tuple[bool | None, list[str], re.Pattern[str]]] = []
        for alphabet in (True, False, None):
            lines = [(line, regex) for line, regex in compiled if _is_cyrillic(line) is alphabet]
            if lines:
                regex = re.compile("|".join(f"({regex})" for _, regex in lines))
                self._groups.append((alphabet, [line for line, _ in lines], regex))

    def __bool__(self) -> bool:
        return bool(self._groups)

    def search(self, text: str, *, only_at_start: bool = False) -> "Iterator[tuple[str, re.Match[str]]]":
        """Matches, also those that overlap."""
        letters = [character for character in text if character.isalpha()]
        has_cyrillic = any("а" <= letter <= "я" for letter in letters)
        has_latin = any("a" <= letter <= "z" for letter in letters)
        can_be = {True: has_cyrillic or _DRAWN_ALIKE.issuperset(letters), False: has_latin, None: True}
        for alphabet, lines, regex in self._groups:
            if not can_be[alphabet]:
                continue
            position = 0
            while (match := regex.match(text) if only_at_start else regex.search(text, position)) is not None:
                assert match.lastindex is not None, "each line is a group"
                if _has_letters(match[0], alphabet):
                    yield lines[match.lastindex - 1], match
                if only_at_start:
                    break
                position = match.start() + 1


def _is_cyrillic(line: str) -> bool | None:
    """None: without letters, as `1488`."""
    letters = [character for character in line.lower() if character.isalpha()]
    return any("а" <= letter <= "я" or letter == "ё" for letter in letters) if letters else None


def _has_letters(text: str, alphabet: bool | None) -> bool:
    """A word of digits is no word, unless digits are what is looked for."""
    letters = sum(character.isalpha() for character in text)
    return alphabet is None or 2 * letters >= sum(not character.isspace() for character in text)


# How a line becomes a regular expression.


def _compile(line: str, *, is_plain: bool) -> str:
    line = line.strip()
    opens, closes = line.startswith("*"), line.endswith("*")
    body = line.strip("*")
    if is_plain:
        body = "".join(_plain_letters(body))
    written: list[str] = []
    stars = 0
    place = 0
    while place < len(body):
        character = body[place]
        place += 1
        if character == "*":
            stars += 1
            if stars <= _INNER_STARS_MAX:
                written.append(_INNER_STAR)
        elif character == " ":
            written.append(" ")
        elif not is_plain and character in "(|)?":
            written.append("(?:" if character == "(" else character)
        elif not is_plain and character == "[":
            inside = body[place : body.index("]", place)]
            place += len(inside) + 1
            written.append(_set("".join(spelled(fold(inside))), 1))
        else:
            letter = spelled(fold(character))
            is_double = place < len(body) and body[place] == character
            place += is_double
            written.append(_set(letter, 2 if is_double else 1))
    start = "" if opens else "(?<![^ ])"
    end = "" if closes else "(?![^ ])"
    return f"{start}(?:{''.join(written)}){end}"


def _plain_letters(body: str) -> Iterable[str]:
    """A streamer's line without what is no letter to us: dots, brackets, quotes."""
    for cell in fold(body):
        if cell.text.isalnum() or cell.text in "* ":
            yield cell.text


def _set(letters: str, count: int) -> str:
    signs = dict.fromkeys(sign for letter in letters for sign in letter + _SIGNS.get(letter, ""))
    # A letter may be repeated; in a text runs are cut to two.
    repeats = "{2}" if count == 2 else "{1,2}"
    return f"(?:[{''.join(map(re.escape, signs))}]{repeats})"


def read_lines(path: Path) -> list[str]:
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]
