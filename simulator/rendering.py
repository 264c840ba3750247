"""How the simulator's pages are made: words in the asked language, sums and times for people."""

import json
from datetime import datetime
from typing import Any

from quart import render_template, request

from simulator.language import LANGUAGES, rubles, translations
from simulator.registry import MOSCOW


def asked_language(default: str = "ru") -> str:
    """What the address asks for with `?lang=`."""
    asked = request.args.get("lang", default)
    return asked if asked in LANGUAGES else "ru"


def language_argument() -> dict[str, Any]:
    """For `url_for`: links lead to pages in the language that was asked for."""
    return {"lang": request.args["lang"]} if "lang" in request.args else {}


async def render(template: str, language: str, **values: Any) -> str:
    """The page; every template has `_`, `rubles`, `moment` and `pretty`."""
    words = translations(language)

    def translate(message: str, **values: Any) -> str:
        return words.gettext(message) % values if values else words.gettext(message)

    return await render_template(
        template,
        language=language,
        language_argument=language_argument(),
        _=translate,
        rubles=rubles,
        moment=_moment,
        pretty=_pretty,
        **values,
    )


def _moment(at: float) -> str:
    """Unix seconds by Moscow time, as the registry has it."""
    return f"{datetime.fromtimestamp(at, MOSCOW):%d.%m.%Y %H:%M:%S}"


def _pretty(text: str) -> str:
    """JSON with room to read it; anything else as it is."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except ValueError:
        return text
