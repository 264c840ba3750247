"""The payment page's words: English in the code, Russian from `locale/ru/LC_MESSAGES/simulator.po`.

The simulator has a catalogue of its own, since it stands beside the platform and shares none of its pages.
"""

import gettext
import io
from functools import cache

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from infra.settings import ROOT

CATALOGUE = ROOT / "locale" / "ru" / "LC_MESSAGES" / "simulator.po"
LANGUAGES = ("ru", "en")


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Whatever the language is, something answers: English, if we have nothing else."""
    if language != "ru":
        return gettext.NullTranslations()
    with CATALOGUE.open("rb") as source:
        catalogue = read_po(source, locale="ru", domain="simulator")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def rubles(amount_minor: int) -> str:
    """1234550 kopecks as "12 345,50 ₽", whole rubles without kopecks."""
    whole, kopecks = divmod(amount_minor, 100)
    text = f"{whole:,}".replace(",", "\N{NO-BREAK SPACE}")
    return f"{text},{kopecks:02}\N{NO-BREAK SPACE}₽" if kopecks else f"{text}\N{NO-BREAK SPACE}₽"
