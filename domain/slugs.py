"""Addresses of pages, suggested: a name in any letters becomes Latin ones, and a taken address gets free neighbours."""

import unicodedata
from typing import Any

from domain.errors import InvalidInputError
from domain.streamers import clean_slug
from infra import queries

SLUG_MAX_LENGTH = 40
ALTERNATIVES = 3

# As Russian speakers write their names in Latin letters; ь and ъ say nothing.
_LATIN = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
    "х": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
    "і": "i", "ї": "yi", "є": "ye", "ґ": "g", "ў": "u",
}  # fmt: skip


def suggest_slug(name: str) -> str:
    """`Кот Учёный` → `kot-uchenyy`; "" when nothing of the name can be written in Latin letters."""
    letters = []
    for character in unicodedata.normalize("NFKC", name).lower():
        if character in _LATIN:
            letters.append(_LATIN[character])
            continue
        plain = unicodedata.normalize("NFKD", character)[:1]
        letters.append(plain if plain.isascii() and (plain.isalnum() or plain == "_") else "-")
    words = [word for word in "".join(letters).split("-") if word]
    return "-".join(words)[:SLUG_MAX_LENGTH].strip("-_")


def is_free_name(slug: str) -> bool:
    """Whether a page may have this address at all, taken or not."""
    try:
        return clean_slug(slug) == slug
    except InvalidInputError:
        return False


async def suggest_free(connection: Any, slug: str) -> list[str]:
    """Up to three free addresses like this one, itself first when it is free. [] for an empty one."""
    base = suggest_slug(slug)
    if not base:
        return []
    endings = ("", "-live", "-tv", "-stream", "-2", "-3", "-4", "-5", "-77", "-2026")
    wanted = [base[: SLUG_MAX_LENGTH - len(ending)].rstrip("-_") + ending for ending in endings]
    possible = [name for name in wanted if is_free_name(name)]
    rows = queries.first_steps.list_taken_slugs(connection, slugs=possible)
    taken = {row["slug"] async for row in rows}
    return [name for name in possible if name not in taken][:ALTERNATIVES]
