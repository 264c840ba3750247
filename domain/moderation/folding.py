"""Text as a reader hears it, however it is written: the ground on which words are looked for.

`fold` makes cells of a text: one letter or sign each, with the span of the original it stands for. Compatibility
forms, case, marks, ё, letters of emoji and invisible characters are folded away here, runs of one letter are cut to
two. What one sign may stand for in which alphabet (0 for о, @ for а, x for х) is left to `patterns.py`: a sign may be
several letters, and only the word looked for knows which.

Our own table and not a library of confusables: those fold to one Latin skeleton, know nothing of Russian readings (4 is
ч, 6 is б) and give no way back to the original's span, which a match has to underline.
"""

import unicodedata
from dataclasses import dataclass

RUN_MAX = 2

# Letters of other scripts, and rare ones of ours, by the letter they are drawn like.
_LOOKALIKES = {
    **dict(zip("αβεηικνορτυχγωϲ", "abenikvoptuxywc", strict=True)),
    **dict(zip("іѕјԁѵһҽӏԛԝ", "isjdvhelqw", strict=True)),
    **dict(zip("ɑɡıʟøłđƒɴʀɪʏ", "agiloldfnriy", strict=True)),
    **dict(zip("πλδφᴨᴫ∏∂үұғңҙҫԥҧӽӿ", "плдфпл" + "пдуугнзсппхх", strict=True)),
    **dict(zip("ᴀʙᴄᴅᴇʜᴋᴍᴏᴘᴛᴜʌəɛʋ", "abcdehkmoptuлеeu", strict=True)),
    **dict(zip("ґўєөѳѣӊӄқҳҷһ", "гуеооенккхчh", strict=True)),
}
# Letters in a box, which NFKD leaves as they are: where each alphabet of them begins. The last spells flags too.
_BOXED = (0x1F150, 0x1F170, 0x1F1E6)


@dataclass(frozen=True, slots=True)
class Cell:
    """`text` is one folded character; it stands for `original[start:end]`."""

    text: str
    start: int
    end: int
    is_flag: bool = False
    """One half of what may be a flag: it spells words with its like alone."""


def fold(text: str) -> list[Cell]:
    """In order, in time that grows with the text. `fold` of what the cells spell gives the same cells again."""
    cells: list[Cell] = []
    run = 0
    for position, original in enumerate(text):
        code = ord(original)
        is_flag = 0x1F1E6 <= code <= 0x1F1FF
        for character in _decompose(original, code):
            if cells and cells[-1].text == character and not character.isdigit():
                run += 1
                if run > RUN_MAX:
                    last = cells[-1]
                    cells[-1] = Cell(last.text, last.start, position + 1, last.is_flag)
                    continue
            else:
                run = 1
            cells.append(Cell(character, position, position + 1, is_flag))
        # A mark belongs to the letter before it, so that both are covered together.
        if cells and cells[-1].end == position and unicodedata.category(original) in ("Mn", "Me", "Cf"):
            last = cells[-1]
            cells[-1] = Cell(last.text, last.start, position + 1, last.is_flag)
    return cells


def _decompose(original: str, code: int) -> list[str]:
    if original in " \n":
        return [original]
    if code < 0x80:
        return [original.lower()] if original.isprintable() else []
    for first in _BOXED:
        if first <= code < first + 26:
            return [chr(ord("a") + code - first)]
    found = []
    for part in unicodedata.normalize("NFKD", original):
        if unicodedata.category(part) in ("Mn", "Me", "Cf", "Cc", "Cs", "Co"):
            continue
        for character in part.casefold():
            # Folding a capital may bring a mark of its own (İ).
            if unicodedata.category(character) not in ("Mn", "Me"):
                folded = _LOOKALIKES.get(character, character)
                found.append(" " if folded.isspace() else folded)
    return found


def spelled(cells: list[Cell]) -> str:
    return "".join(cell.text for cell in cells)


def fold_name(name: str) -> str:
    """What makes two names the same one: letters and digits as they look, in Latin."""
    return "".join(_AS_LATIN.get(cell.text, cell.text) for cell in fold(name) if cell.text.isalnum())


_AS_LATIN = dict(zip("авекмнорстух" + "0136", "abekmhopctyx" + "oieb", strict=True))
