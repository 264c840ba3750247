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
from copy import copy
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
        given = [line.strip() for line in lines]
        innocent = [line[1:] for line in given if line.startswith("!") and not is_plain]
        said = [line for line in given if is_plain or not line.startswith("!")]
        said = [line for line in said if any(map(str.isalnum, spelled(fold(line))))]
        self._words = _Alternatives([line for line in said if " " not in line], is_plain=is_plain)
        self._phrases = [(line, re.compile(_compile(line, is_plain=is_plain))) for line in said if " " in line]
        self._innocent = re.compile("|".join(_compile(line, is_plain=False) for line in innocent)) if innocent else None
        self._without = _any_of(exceptions)

    def excepting(self, exceptions: Iterable[str]) -> "WordList":
        """The same words without a streamer's exceptions; nothing is compiled anew but these."""
        other = copy(self)
        other._without = _any_of(exceptions)
        return other

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
        if len(word.text) > _ANY_TEXT_MAX:
            return None
        innocent: list[tuple[int, int]] | None = None
        for pattern, start, end in self._words.search(word.text, only_at_start=word.reach > 0):
            if end < word.reach or (word.needs_long and end < 4):
                continue
            if self._without is not None and self._without.search(word.text):
                return None
            if innocent is None:
                innocent = [match.span() for match in self._innocent.finditer(word.text)] if self._innocent else []
            if any(first <= start and end <= last for first, last in innocent):
                continue
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
        for pattern, regex in self._phrases:
            for match in regex.finditer(line):
                if not _has_letters(match[0], _is_cyrillic(pattern)):
                    continue
                inside = [
                    word
                    for word, start in zip(words, starts, strict=True)
                    if match.start() <= start + len(word.text) - 1 and start < match.end()
                ]
                hits.append(Hit(pattern, inside[0].start, inside[-1].end))
        return hits


def _any_of(exceptions: Iterable[str]) -> "re.Pattern[str] | None":
    written = [_compile(line, is_plain=True) for line in exceptions if any(map(str.isalnum, spelled(fold(line))))]
    return re.compile("|".join(written)) if written else None


class _Alternatives:
    """Lines of a list, by alphabet: a text is read only in those it can be written in.

    Lines are kept by the signs they can begin with, so that a word is tried against few of them.
    """

    def __init__(self, lines: Sequence[str], *, is_plain: bool) -> None:
        self._at_start: dict[tuple[bool | None, str], list[_Bucket]] = {}
        self._anywhere: dict[bool | None, list[_Bucket]] = {}
        found: dict[tuple[bool | None, bool, str], list[tuple[str, str]]] = {}
        for line in lines:
            for spelling in [line] if is_plain else _without_first_group(line):
                first, rest = _compile_in_two(spelling, is_plain=is_plain)
                found.setdefault((_is_cyrillic(line), line.startswith("*"), first), []).append((line, rest))
        for (alphabet, is_anywhere, first), given in found.items():
            # An empty group after each says which it was; one before it would hide its first sign from the search.
            regex = re.compile(f"[{first}](?:{'|'.join(f'{rest}()' for _, rest in given)})")
            bucket = (tuple(line for line, _ in given), regex)
            if is_anywhere:
                self._anywhere.setdefault(alphabet, []).append(bucket)
            else:
                for sign in re.sub(r"\\(.)", r"\1", first):
                    self._at_start.setdefault((alphabet, sign), []).append(bucket)

    def search(self, text: str, *, only_at_start: bool = False) -> Iterator[tuple[str, int, int]]:
        """Lines found, with where; also those that overlap."""
        if not text:
            return
        for alphabet in _alphabets_of(text):
            for lines, regex in self._at_start.get((alphabet, text[0]), ()):
                match = regex.match(text)
                if match is not None and _has_letters(match[0], alphabet):
                    yield lines[(match.lastindex or 1) - 1], match.start(), match.end()
            for lines, regex in self._anywhere.get(alphabet, ()):
                position = 0
                while (match := regex.match(text) if only_at_start else regex.search(text, position)) is not None:
                    if _has_letters(match[0], alphabet):
                        yield lines[(match.lastindex or 1) - 1], match.start(), match.end()
                    if only_at_start:
                        break
                    position = match.start() + 1


_Bucket = tuple[tuple[str, ...], "re.Pattern[str]"]
_HAS_CYRILLIC = re.compile("[а-я]")
_HAS_LATIN = re.compile("[a-z]")


def _alphabets_of(text: str) -> Iterator[bool | None]:
    if _HAS_CYRILLIC.search(text) or _DRAWN_ALIKE.issuperset(sign for sign in text if sign.isalpha()):
        yield True
    if _HAS_LATIN.search(text):
        yield False
    yield None


def _without_first_group(line: str) -> list[str]:
    """`(а|б)?в` as `в`, `ав`, `бв`: each begins with a letter then."""
    star = "*" if line.startswith("*") else ""
    body = line.removeprefix("*")
    if not body.startswith("("):
        return [line]
    options, _, rest = body[1:].partition(")")
    spellings = [f"{star}{option}{rest.removeprefix('?')}" for option in options.split("|")]
    return spellings + (_without_first_group(star + rest[1:]) if rest.startswith("?") else [])


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
    opens, written, closes = _parse(line, is_plain=is_plain)
    start = "" if opens else "(?<![^ ])"
    end = "" if closes else "(?![^ ])"
    return f"{start}(?:{''.join(written)}){end}"


def _compile_in_two(line: str, *, is_plain: bool) -> tuple[str, str]:
    """The signs it can begin with, as the inside of a set, and what follows the first of them."""
    _, written, closes = _parse(line, is_plain=is_plain)
    first, repeats = re.fullmatch(r"\(\?:\[(.+)\]\{([^{}]+)\}\)", written[0], re.DOTALL).groups()  # type: ignore[union-attr]
    again = f"[{first}]" if repeats == "2" else f"[{first}]?"
    return first, f"{again}{''.join(written[1:])}{'' if closes else '(?![^ ])'}"


def _parse(line: str, *, is_plain: bool) -> tuple[bool, list[str], bool]:
    """Whether it may begin inside a word, its pieces as regular expressions, whether it may end inside a word."""
    line = line.strip()
    opens, closes = line.startswith("*"), line.endswith("*")
    body = line.strip("*")
    if is_plain:
        body = "".join(_plain_letters(body)).strip("*")
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
    return opens, written, closes


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
