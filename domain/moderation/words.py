"""Where the words of a folded text are: as they stand, and those that were written in pieces."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from domain.moderation.folding import Cell

# A sign that may stand for a letter is part of a word where letters are around it; these may also end or begin one.
_SIGNS = frozenset("@$€!|*(")
_EDGE_SIGNS = frozenset("@$")
_SPLIT = frozenset(
    (
        *("хуи", "хуя", "хуе", "пизда", "пизды", "пизду", "пиздец", "пиздеца", "блядь", "блять", "бляди"),
        *("пидор", "пидоры", "пидора", "пидорас", "пидорасы", "пидарас", "пидарасы", "мудак", "мудаки", "мудака"),
        *("ебать", "ебаныи", "ебаная", "ебаное", "заебал", "заебись", "уебок", "долбоеб", "гондон", "гандон"),
        "ублюдок",
    )
)
_SPLIT_MAX = 8
_AS_CYRILLIC = str.maketrans("aekmopctxyu03", "аекморстхуиоз")
_BETWEEN_SIGNS = frozenset("|*!(")

# с.у.к.а is looked at in windows of its pieces, which keeps the time in bounds. So much may stand between two pieces.
_LETTERS_MAX = 14
_PARTS_MAX = 4
_GAP_MAX = 3


@dataclass(frozen=True, slots=True)
class Word:
    """`text` is folded; `start` and `end` are its span in the original.

    `reach`: how far a match must go at least, which is into the last piece of a word that stood in pieces.
    """

    text: str
    start: int
    end: int
    reach: int = 0
    needs_long: bool = False
    """One-letter pieces that go on before it: only a longer word is believed to begin in the middle of them."""
    run_end: int = 0
    """Where its one-letter pieces end in the original; a longer form of a word goes on to there."""


def words_of(cells: list[Cell]) -> tuple[list[Word], list[Word]]:
    """The words as they stand, and what their pieces make together (с.у.к.а, пиз-да, б л я)."""
    pieces = list(_pieces(cells))
    windows = [*_windows(cells, pieces), *_without_signs(cells, pieces), *_split_in_two(cells, pieces)]
    return [_join(cells, [piece]) for piece in pieces], windows


def _split_in_two(cells: list[Cell], pieces: list[range]) -> Iterator[Word]:
    """пи дор: only words that nothing ordinary makes together, since neighbours often do."""
    for first, second in pairwise(pieces):
        if len(first) + len(second) <= _SPLIT_MAX and second.start - first.stop == 1:
            word = _join(cells, [first, second])
            if word.text.translate(_AS_CYRILLIC) in _SPLIT:
                yield word


def _without_signs(cells: list[Cell], pieces: list[range]) -> Iterator[Word]:
    """х|у|й, пи*зда: signs that may stand for letters may also stand between them."""
    for piece in pieces:
        text = "".join(cells[place].text for place in piece if cells[place].text not in _BETWEEN_SIGNS)
        if 2 < len(text) < len(piece):
            end = cells[piece.stop - 1].end
            yield Word(text, cells[piece.start].start, end, reach=1, run_end=end)


def _pieces(cells: list[Cell]) -> Iterator[range]:
    start: int | None = None
    for place, cell in enumerate(cells):
        is_part = cell.text.isalnum() or (cell.text in _SIGNS and _stands_for_letter(cells, place, start is not None))
        if start is not None and (not is_part or cells[place - 1].is_flag != cell.is_flag):
            yield range(start, place)
            start = None
        if is_part and start is None:
            start = place
    if start is not None:
        yield range(start, len(cells))


def _stands_for_letter(cells: list[Cell], place: int, is_inside: bool) -> bool:
    following = cells[place + 1].text if place + 1 < len(cells) else " "
    if is_inside:
        return _goes_on(cells, place) or cells[place].text in _EDGE_SIGNS
    # `@nick` is an address; a Russian word may begin with the sign.
    return (cells[place].text == "$" and following.isalpha()) or (cells[place].text == "@" and "а" <= following <= "я")


def _goes_on(cells: list[Cell], place: int) -> bool:
    """Whether letters follow the signs here."""
    for cell in cells[place + 1 : place + 1 + _GAP_MAX]:
        if cell.text.isalnum():
            return True
        if cell.text not in _SIGNS:
            return False
    return False


def _join(cells: list[Cell], pieces: list[range], *, needs_long: bool = False, run_end: int = 0) -> Word:
    text = "".join(cells[place].text for piece in pieces for place in piece)
    reach = len(text) - len(pieces[-1]) + 1 if len(pieces) > 1 else 0
    end = cells[pieces[-1].stop - 1].end
    return Word(text, cells[pieces[0].start].start, end, reach, needs_long, max(end, run_end))


def _windows(cells: list[Cell], pieces: list[range]) -> Iterator[Word]:
    run_ends = _run_ends(cells, pieces)
    for first in range(len(pieces) - 1):
        last = first
        while last + 1 < len(pieces) and last - first < _LETTERS_MAX:
            gap = cells[pieces[last].stop : pieces[last + 1].start]
            is_spaced = any(cell.text.isspace() for cell in gap)
            are_single = len(pieces[last]) == len(pieces[last + 1]) == 1
            if len(gap) > _GAP_MAX or (is_spaced and not are_single):
                break
            last += 1
            window = pieces[first : last + 1]
            all_single = all(len(piece) == 1 for piece in window)
            if not all_single and len(window) > _PARTS_MAX:
                break
            # Two single letters in a row are ordinary words: «а я».
            if is_spaced and len(window) < 3:
                continue
            needs_long = all_single and _goes_on_before(pieces, first)
            yield _join(cells, window, needs_long=needs_long, run_end=run_ends[last] if all_single else 0)


def _run_ends(cells: list[Cell], pieces: list[range]) -> list[int]:
    """For each piece, where the one-letter pieces that follow it closely end."""
    ends = [cells[piece.stop - 1].end for piece in pieces]
    for place in range(len(pieces) - 2, -1, -1):
        is_close = pieces[place + 1].start - pieces[place].stop <= 1
        if is_close and len(pieces[place]) == len(pieces[place + 1]) == 1:
            ends[place] = ends[place + 1]
    return ends


def _goes_on_before(pieces: list[range], first: int) -> bool:
    if first == 0 or len(pieces[first - 1]) > 1:
        return False
    return pieces[first].start - pieces[first - 1].stop <= 1
