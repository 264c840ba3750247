"""A streamer's choice about moderation, as stored: modes and acts of the rules, own words, exceptions."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import InvalidInputError, NotFoundError
from domain.moderation import Act, Lexicon, Mode, Outcome, Rule, Settings
from domain.moderation.judging import lexicon
from infra import queries

WORDS_MAX = 500
WORD_MAX_LENGTH = 60
_NUMBERS = {
    "capitals_percent": (50, 100),
    "long_over": (20, 1000),
    "emoji_over": (1, 200),
    "message_from_minor": (0, 9_999_999_999),
    "hold_minutes": (1, 60),
}


@dataclass(frozen=True)
class OwnWord:
    """A line of the streamer's list; `kind` is "word" or "exception"."""

    id: int
    kind: str
    pattern: str


def settings_from(row: Mapping[str, Any] | None) -> Settings:
    """No row, or one of a join without it: the default. Raises ValueError for what nobody could have chosen."""
    if row is None or row["mode"] is None:
        return Settings()
    return Settings(
        mode=Mode(row["mode"]),
        acts={Rule(rule): Act(act) for rule, act in row["acts"].items()},
        outcome=Outcome(row["outcome"]),
        **{name: row[name] for name in _NUMBERS},
    )


async def get_settings(connection: Any, streamer_id: int) -> Settings:
    return settings_from(await queries.moderation.get_settings(connection, streamer_id=streamer_id))


async def save_settings(connection: Any, streamer_id: int, settings: Settings) -> None:
    """Raises InvalidInputError(field, "range", least=…, most=…)."""
    for name, (least, most) in _NUMBERS.items():
        if not least <= getattr(settings, name) <= most:
            raise InvalidInputError(name, "range", least=least, most=most)
    await queries.moderation.save_settings(
        connection,
        streamer_id=streamer_id,
        mode=settings.mode,
        acts=dict(settings.acts),
        outcome=settings.outcome,
        **{name: getattr(settings, name) for name in _NUMBERS},
    )


async def list_words(connection: Any, streamer_id: int) -> list[OwnWord]:
    return [OwnWord(**row) async for row in queries.moderation.list_words(connection, streamer_id=streamer_id)]


async def get_lexicon(connection: Any, streamer_id: int) -> Lexicon:
    """The lists this streamer's donations are judged by."""
    words = await list_words(connection, streamer_id)
    return lexicon(
        tuple(word.pattern for word in words if word.kind == "word"),
        tuple(word.pattern for word in words if word.kind == "exception"),
    )


def clean_pattern(text: str) -> str:
    """A line of a list. Raises InvalidInputError("word", "required" | "too_long" | "too_short")."""
    pattern = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    letters = sum(character.isalnum() for character in pattern)
    if not letters:
        raise InvalidInputError("word", "required")
    if len(pattern) > WORD_MAX_LENGTH:
        raise InvalidInputError("word", "too_long", limit=WORD_MAX_LENGTH)
    # One letter with a star would catch half of the language.
    if letters < 2 and "*" in pattern:
        raise InvalidInputError("word", "too_short")
    if not pattern.isprintable():
        raise InvalidInputError("word", "required")
    return pattern


async def add_words(connection: Any, streamer_id: int, kind: str, lines: list[str]) -> int:
    """Several at once; how many were new. Raises InvalidInputError("word", … | "too_many"): then none is taken."""
    patterns = dict.fromkeys(clean_pattern(line) for line in lines if line.strip())
    if not patterns:
        raise InvalidInputError("word", "required")
    before = await queries.moderation.count_words(connection, streamer_id=streamer_id)
    if before + len(patterns) > WORDS_MAX:
        raise InvalidInputError("word", "too_many", limit=WORDS_MAX)
    for pattern in patterns:
        await queries.moderation.add_word(connection, streamer_id=streamer_id, kind=kind, pattern=pattern)
    after = await queries.moderation.count_words(connection, streamer_id=streamer_id)
    return int(after - before)


async def set_words(connection: Any, streamer_id: int, lines: list[str]) -> None:
    """Her words become these, her exceptions stay. Raises as `add_words` does, but of the field "banned_words"."""
    try:
        wanted = {clean_pattern(line) for line in lines if line.strip()}
        for word in await list_words(connection, streamer_id):
            if word.kind == "word" and word.pattern not in wanted:
                await remove_word(connection, streamer_id, word.id)
        if wanted:
            await add_words(connection, streamer_id, "word", sorted(wanted))
    except InvalidInputError as error:
        raise InvalidInputError("banned_words", error.code, **error.data) from error


async def remove_word(connection: Any, streamer_id: int, word_id: int) -> None:
    """Raises NotFoundError("word")."""
    if await queries.moderation.remove_word(connection, streamer_id=streamer_id, word_id=word_id) is None:
        raise NotFoundError("word")


async def get_original(connection: Any, streamer_id: int, donation_id: int) -> tuple[str | None, str]:
    """A donation's name and message as its donor wrote them, which only its streamer may see."""
    row = await queries.moderation.get_originals(connection, streamer_id=streamer_id, donation_id=donation_id)
    if row is None:
        raise NotFoundError("donation")
    return row["donor_name"], row["message"]
