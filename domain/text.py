"""What strangers wrote, made fit to be stored and shown: the same characters everywhere, none that hide or mislead.

Lengths are counted in code points of the cleaned text: Python's `len`, PostgreSQL's `length`, and `[...text].length`
in JavaScript agree on them.
"""

import re
import unicodedata

from domain.errors import InvalidInputError

NAME_MAX_LENGTH = 60

ZERO_WIDTH_JOINER = "\u200d"
BLACK_FLAG = "\U0001f3f4"
CANCEL_TAG = "\U000e007f"

# Letters and symbols that look like nothing: a name made of them would be an empty one.
_BLANKS = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}
# Marks that cannot be seen (variation selectors can: they make an emoji of a letter-like sign).
_UNSEEN_MARKS = {"\u034f", "\u17b4", "\u17b5", "\u180b", "\u180c", "\u180d", "\u180f"}
# A letter with more marks than any language puts on it grows over the lines around it.
_MARKS_MAX = 4


def clean_name(text: str) -> str:
    """One line, or "" when nothing can be seen of it."""
    return " ".join(_clean(text).split())


def clean_given_name(text: str) -> str:
    """What a streamer calls a thing of hers. Raises InvalidInputError("name", "required" | "too_long")."""
    name = clean_name(text)
    if not name:
        raise InvalidInputError("name", "required")
    if len(name) > NAME_MAX_LENGTH:
        raise InvalidInputError("name", "too_long", over=len(name) - NAME_MAX_LENGTH, limit=NAME_MAX_LENGTH)
    return name


def clean_message(text: str) -> str:
    """Lines without blanks at their ends and without empty lines between them, or ""."""
    lines = (" ".join(line.split()) for line in _clean(text).split("\n"))
    return "\n".join(line for line in lines if line)


def _clean(text: str) -> str:
    """NFC, with every kind of space as a space and of line end as `\\n`; controls, bidi overrides, zero-width
    characters, private ones and heaps of marks left out. Emoji stay whole."""
    text = re.sub(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", text)
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        if character == "\n":
            kept.append("\n")
        elif category == "Zs" or character == "\t" or character in _BLANKS:
            kept.append(" ")
        elif category in ("Mn", "Me") and character in _UNSEEN_MARKS:
            continue
        elif category in ("Mn", "Me"):
            marks += 1
            if marks <= _MARKS_MAX:
                kept.append(character)
            continue
        elif (
            category in ("Cc", "Cs", "Co", "Zl", "Zp")
            or _is_noncharacter(character)
            or (category == "Cf" and not _joins_emoji(character, kept))
        ):
            continue
        else:
            kept.append(character)
        marks = 0
    # What was left out may have stood between characters that now compose.
    return unicodedata.normalize("NFC", _drop_loose_joiners("".join(kept)))


def _joins_emoji(character: str, kept: list[str]) -> bool:
    """A joiner after an emoji (a family), or the tags of a flag (Scotland's)."""
    if not kept:
        return False
    if character == ZERO_WIDTH_JOINER:
        return _is_emoji_end(kept[-1])
    if "\U000e0020" <= character <= CANCEL_TAG:
        return kept[-1] == BLACK_FLAG or "\U000e0020" <= kept[-1] < CANCEL_TAG
    return False


def _is_emoji_end(character: str) -> bool:
    return unicodedata.category(character) == "So" or character == "\ufe0f" or "\U0001f3fb" <= character <= "\U0001f3ff"


def _drop_loose_joiners(text: str) -> str:
    """A joiner with no picture after it joins nothing."""
    kept = []
    for position, character in enumerate(text):
        if character == ZERO_WIDTH_JOINER:
            following = text[position + 1 : position + 2]
            # Python's tables are older than some emoji: what they do not know yet may be one.
            if not following or unicodedata.category(following) not in ("So", "Cn"):
                continue
        kept.append(character)
    return "".join(kept)


def _is_noncharacter(character: str) -> bool:
    code = ord(character)
    return 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE
