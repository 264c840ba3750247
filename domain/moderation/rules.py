"""Rules about the look of a text: links, capitals, marks, repeats, length, emoji. Each gives spans of the original."""

import re
import unicodedata
from collections.abc import Iterator

from domain.moderation.folding import Cell, spelled

Span = tuple[int, int]

_TLDS = (
    "ru|su|com|net|org|info|biz|me|io|tv|gg|cc|to|ly|be|link|live|online|site|store|shop|club|top|pro|app|dev|xyz|space"
    "|website|fun|vip|win|bet|casino|click|one|media|stream|chat|zip|im|in|us|uk|de|eu|ua|by|kz|uz|am|ge|pw|tk|ml|ga|cf"
    "|рф|рус|онлаин|саит|дети|москва|укр|бел"
)
_NAME = r"[a-zа-я0-9_-]{1,63}"
# Labels are bounded and begin only where no other could have begun, so that the time grows with the text.
_LINKS = re.compile(
    rf"(?:(?:https?|hxxps?|ftp)://|ww\.)[^\s<>]{{1,300}}"
    rf"|(?<![\w@.-])(?:{_NAME}\.){{1,6}}(?:{_TLDS})(?![\w-])(?:[:/?#][^\s<>]{{0,300}})?"
    r"|(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])(?:[:/][^\s<>]{0,300})?"
    # «сайт точка ру», "site[.]com", "site (dot) com", "site . com"
    rf"|(?<![\w@.-]){_NAME} ?(?:[(\[{{] ?(?:\.|dot|точка|тчк) ?[)\]}}]| (?:dot|точка|тчк)(?= )) ?"
    rf"(?:ру|ком|орг|гг|тв|ми|рф|ru|com|net|org|me|gg|tv|io|su|xyz|pro|site|online)(?![\w-])(?:[/?#][^\s<>]{{0,300}})?"
    rf"|(?<![\w@.-]){_NAME} \. ?(?:ru|com|net|org|gg|su|xyz)(?![\w-])"
    # An invitation has no need of a domain.
    r"|(?<!\w)t[.,]me\b[^\s<>]{0,100}|(?<!\w)(?:тг|tg|телега|телеграм) ?[:=]? ?@[a-z0-9_]{3,32}"
)
_MENTIONS = re.compile(r"(?<![\w@.])@[a-z][a-z0-9_.]{2,31}")

_REPEATED_WORDS_MAX = 4
_LETTERS_FOR_CAPITALS = 10
_MARKS_MAX = 2


def find_links(cells: list[Cell]) -> list[Span]:
    return _spans(_LINKS, cells)


def find_mentions(cells: list[Cell]) -> list[Span]:
    return _spans(_MENTIONS, cells)


def _spans(regex: "re.Pattern[str]", cells: list[Cell]) -> list[Span]:
    # Runs are cut to two in folded text, so that `www` is `ww` there.
    spans = []
    for match in regex.finditer(spelled(cells)):
        # A sentence's own comma after an address is none of it.
        end = match.start() + max(1, len(match[0].rstrip(".,;:!?)»\"'")))
        spans.append((cells[match.start()].start, cells[end - 1].end))
    return spans


def find_capitals(text: str, percent: int) -> list[Span]:
    """The whole text, if so many of its letters are capitals."""
    upper = sum(character.isupper() for character in text)
    letters = upper + sum(character.islower() for character in text)
    if letters < _LETTERS_FOR_CAPITALS or upper * 100 < letters * percent:
        return []
    return [(0, len(text))]


def find_zalgo(text: str) -> list[Span]:
    """Letters with more marks than any language here has, each with its marks."""
    spans = []
    start = marks = 0
    for place, character in enumerate([*text, "."]):
        if unicodedata.category(character) in ("Mn", "Me") and character not in ("\ufe0f", "\u20e3"):
            marks += 1
            continue
        if marks > _MARKS_MAX:
            spans.append((start, place))
        start, marks = place, 0
    # One alone is a slip or an abbreviation; a text of them is the thing.
    return spans if len(spans) > 1 or (spans and len(text) < 12) else []


def find_repeats(text: str) -> list[Span]:
    """Runs of one character longer than six, and words said more than four times in a row."""
    spans = [match.span() for match in re.finditer(r"([^\s\d])\1{6,}", text)]
    return spans + list(_repeated_words(text))


def _repeated_words(text: str) -> Iterator[Span]:
    words = list(re.finditer(r"\S+", text))
    first = 0
    for place in range(1, len(words) + 1):
        if place < len(words) and words[place][0].casefold() == words[first][0].casefold():
            continue
        if place - first > _REPEATED_WORDS_MAX:
            yield words[first].start(), words[place - 1].end()
        first = place


def find_length(text: str, over: int) -> list[Span]:
    return [(over, len(text))] if len(text) > over else []


def find_emoji(text: str, over: int) -> list[Span]:
    """What comes after so many emoji, from the first too many to the last."""
    pictures = list(_pictures(text))
    return [(pictures[over][0], pictures[-1][1])] if len(pictures) > over else []


def _pictures(text: str) -> Iterator[Span]:
    """Each emoji with what is joined to it, so that none is cut in two."""
    start: int | None = None
    end = 0
    is_joined = False
    for place, character in enumerate(text):
        is_part = character in ("\u200d", "\ufe0f", "\u20e3") or "\U0001f3fb" <= character <= "\U0001f3ff"
        is_part = is_part or "\U000e0020" <= character <= "\U000e007f"
        is_half = _is_regional(character) and start is not None and place - start == 1 and _is_regional(text[start])
        if start is not None and end == place and (is_part or is_joined or is_half):
            end = place + 1
            is_joined = character == "\u200d"
            continue
        if start is not None:
            yield start, end
            start = None
        if not is_part and _is_picture(character):
            start, end, is_joined = place, place + 1, False
    if start is not None:
        yield start, end


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_picture(character: str) -> bool:
    code = ord(character)
    return 0x1F000 <= code <= 0x1FAFF or 0x2600 <= code <= 0x27BF or 0x2B00 <= code <= 0x2BFF
