"""What moderation does: the mode, the rules, one's own words, and a box to try a text in.

GET  /dashboard/moderation/settings   the page
POST /dashboard/moderation/settings   keep it
POST /dashboard/moderation/try        what would become of a text
POST /dashboard/moderation/words      add words or exceptions, one a line
POST /dashboard/moderation/words/<id>/remove
"""

from collections.abc import Mapping
from typing import Any

from quart import Blueprint, Response, render_template, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import rejudging
from domain.errors import InvalidInputError
from domain.moderation import Act, Mode, Outcome, Part, Rule, Settings, judge
from domain.moderation_settings import (
    WORD_MAX_LENGTH,
    WORDS_MAX,
    add_words,
    get_lexicon,
    get_settings,
    list_words,
    remove_word,
    save_settings,
)
from domain.streamers import Streamer
from domain.text import NAME_MAX_LENGTH, clean_message, clean_name
from web import moderation_words
from web.context import parts
from web.donate_form import parse_amount
from web.i18n import _, ngettext
from web.pages import desk
from web.pages.moderation_view import who_decides
from web.sessions import require_streamer

blueprint = Blueprint("moderation_settings", __name__)

TRIED_MAX_LENGTH = 1000
_NUMBERS = ("capitals_percent", "long_over", "emoji_over", "hold_minutes")


@blueprint.get("/dashboard/moderation/settings")
async def show() -> Response:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        settings = await get_settings(connection, streamer.id)
    return await _page(streamer, settings)


@blueprint.post("/dashboard/moderation/settings")
async def save() -> ResponseReturnValue:
    streamer = await require_streamer()
    fields = await request.form
    settings, errors = _typed(fields)
    if not errors:
        try:
            async with parts().pool.acquire() as connection, connection.transaction():
                await save_settings(connection, streamer.id, settings)
                await rejudging.rejudge(connection, streamer.id, await who_decides(streamer))
        except InvalidInputError as error:
            errors[error.field] = _("From %(least)s to %(most)s.", least=error.data["least"], most=error.data["most"])
    if errors:
        return await _page(streamer, settings, typed=fields, errors=errors)
    parts().relay.wake()
    return desk.go_to("moderation_settings.show", said="moderation-saved")


@blueprint.post("/dashboard/moderation/try")
async def try_text() -> ResponseReturnValue:
    """With HTMX while one types; without it the whole page, with the verdict on it."""
    streamer = await require_streamer()
    fields = await request.form
    async with parts().pool.acquire() as connection:
        settings = await get_settings(connection, streamer.id)
        words = await get_lexicon(connection, streamer.id)
    name = clean_name(fields.get("name", "")[:NAME_MAX_LENGTH])
    text = clean_message(fields.get("text", "")[:TRIED_MAX_LENGTH])
    tried = {"name": name, "text": text, "verdict": judge(name or None, text, settings, words)}
    if "HX-Request" in request.headers:
        return await render_template("partials/moderation/tried.html", tried=tried, **_shared())
    return await _page(streamer, settings, tried=tried)


@blueprint.post("/dashboard/moderation/words")
async def add() -> ResponseReturnValue:
    streamer = await require_streamer()
    fields = await request.form
    kind = fields.get("kind", "")
    if kind not in ("word", "exception"):
        raise UnprocessableEntity
    typed = fields.get("words", "")
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await add_words(connection, streamer.id, kind, typed.replace(",", "\n").splitlines())
            await rejudging.rejudge(connection, streamer.id, await who_decides(streamer))
    except InvalidInputError as error:
        async with parts().pool.acquire() as connection:
            settings = await get_settings(connection, streamer.id)
        return await _page(streamer, settings, errors={f"{kind}-words": _word_error(error)}, typed_words={kind: typed})
    parts().relay.wake()
    return desk.go_to("moderation_settings.show", said="words-saved", _anchor="words")


@blueprint.post("/dashboard/moderation/words/<int(max=2147483647):word_id>/remove")
async def remove(word_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        await remove_word(connection, streamer.id, word_id)
        await rejudging.rejudge(connection, streamer.id, await who_decides(streamer))
    parts().relay.wake()
    return desk.go_to("moderation_settings.show", said="words-saved", _anchor="words")


def _typed(fields: Mapping[str, str]) -> tuple[Settings, dict[str, str]]:
    """What the form says. A choice nobody was offered is no form of ours."""
    errors: dict[str, str] = {}
    numbers: dict[str, Any] = {}
    for name in _NUMBERS:
        text = fields.get(name, "").strip()
        if text.isascii() and text.isdecimal() and len(text) < 6:
            numbers[name] = int(text)
        else:
            errors[name] = _("A whole number, please.")
    amount = fields.get("message_from", "").strip()
    amount_minor = parse_amount(amount) if amount else 0
    if amount_minor is None:
        errors["message_from"] = _("We do not understand this amount. Write it as 100 or 99.50.")
    try:
        settings = Settings(
            mode=Mode(fields.get("mode", "")),
            acts={rule: Act(fields.get(f"act-{rule}", "")) for rule in Rule},
            outcome=Outcome(fields.get("outcome", "")),
            message_from_minor=amount_minor or 0,
            **numbers,
        )
    except ValueError:
        raise UnprocessableEntity from None
    return settings, errors


def _word_error(error: InvalidInputError) -> str:
    match error.code:
        case "too_long":
            return _("A line has at most %(limit)s characters.", limit=error.data["limit"])
        case "too_short":
            return _("With a star, at least two letters: otherwise half of all words would be caught.")
        case "too_many":
            return ngettext(
                "The lists hold %(num)s line at most. Remove some first.",
                "The lists hold %(num)s lines at most. Remove some first.",
                WORDS_MAX,
            )
    return _("Write a word, one a line.")


def _shared() -> dict[str, Any]:
    return {"words": moderation_words, "Part": Part, "Rule": Rule, "Act": Act}


async def _page(
    streamer: Streamer,
    settings: Settings,
    *,
    typed: Mapping[str, str] | None = None,
    errors: dict[str, str] | None = None,
    tried: dict[str, Any] | None = None,
    typed_words: dict[str, str] | None = None,
) -> Response:
    async with parts().pool.acquire() as connection:
        own_words = await list_words(connection, streamer.id)
    return await desk.render(
        "pages/moderation_settings.html",
        streamer,
        current="moderation.show",
        status=422 if errors else 200,
        settings=settings,
        typed=typed or {},
        errors=errors or {},
        tried=tried,
        own_words=own_words,
        typed_words=typed_words or {},
        word_max_length=WORD_MAX_LENGTH,
        tried_max_length=TRIED_MAX_LENGTH,
        **_shared(),
    )
