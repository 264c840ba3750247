"""Words for people: every one has its Russian, and numbers and times read as people write them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from quart import Quart, render_template_string

from web.i18n import (
    LOCALE_DIR,
    _,
    format_amount,
    format_date,
    format_datetime,
    format_money,
    format_number,
    format_time,
    ngettext,
    setup_i18n,
    use_locale,
)

ROOT = LOCALE_DIR.parent
NBSP = "\N{NO-BREAK SPACE}"

# Each catalogue, and where its words are: the site's, and the simulator's, a program of its own.
CATALOGUES = {
    "messages": [
        ("web/**.py", "python"),
        ("templates/simulator/**", "ignore"),
        ("templates/**.html", "jinja2.ext:babel_extract"),
    ],
    "simulator": [("simulator/**.py", "python"), ("templates/simulator/**.html", "jinja2.ext:babel_extract")],
}
# The pages' own places: nothing else is walked through.
FOLDERS = {"web", "simulator", "templates"}


@dataclass
class Words:
    path: Path
    catalog: Catalog
    used: dict[Any, str]
    """Every msgid in the programs and the templates (a pair where there is a plural), and a place where it is."""

    @property
    def messages(self) -> dict[Any, Message]:
        return {m.id if isinstance(m.id, str) else tuple(m.id): m for m in self.catalog if m.id}


@pytest.fixture(scope="module", params=CATALOGUES)
def words(request: pytest.FixtureRequest) -> Words:
    path = LOCALE_DIR / "ru/LC_MESSAGES" / f"{request.param}.po"
    with path.open("rb") as file:
        catalog = read_po(file, locale="ru", abort_invalid=True)
    used: dict[Any, str] = {}
    for name, line, message, *_rest in extract_from_dir(
        str(ROOT),
        CATALOGUES[request.param],
        {"**.html": {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}},
        directory_filter=lambda folder: Path(folder).relative_to(ROOT).parts[0] in FOLDERS,
    ):
        used.setdefault(message[:2] if isinstance(message, tuple) else message, f"{name}:{line}")
    return Words(path, catalog, used)


def _forms(message: Message) -> tuple[str, ...]:
    found = message.string if isinstance(message.string, tuple) else (message.string,)
    return tuple(str(form or "") for form in found)


def test_every_word_has_a_finished_russian_translation(words: Words) -> None:
    assert words.used
    assert {msgid: place for msgid, place in words.used.items() if msgid not in words.messages} == {}
    unfinished = [m.id for m in words.messages.values() if m.fuzzy or not all(_forms(m))]
    assert unfinished == []
    assert all(len(_forms(message)) == 3 for message in words.messages.values() if message.pluralizable)


def test_no_translation_is_left_over(words: Words) -> None:
    assert [msgid for msgid in words.messages if msgid not in words.used] == []
    assert list(words.catalog.obsolete) == []


def test_translations_keep_the_placeholders(words: Words) -> None:
    wrong = {str(m.id): [str(error) for error in m.check(words.catalog)] for m in words.messages.values()}
    assert {msgid: errors for msgid, errors in wrong.items() if errors} == {}


def test_no_translation_stands_twice(words: Words) -> None:
    # The later one would silently win.
    assert words.path.read_text().count("\nmsgid ") == len(words.messages) + 1


@pytest.mark.parametrize(
    ("amount_minor", "in_russian", "in_english"),
    [
        (30000, f"300{NBSP}₽", f"300{NBSP}₽"),
        (150000, f"1{NBSP}500{NBSP}₽", f"1{NBSP}500{NBSP}₽"),
        (30050, f"300,50{NBSP}₽", f"300.50{NBSP}₽"),
        (30005, f"300,05{NBSP}₽", f"300.05{NBSP}₽"),
        (123456700, f"1{NBSP}234{NBSP}567{NBSP}₽", f"1{NBSP}234{NBSP}567{NBSP}₽"),
        (0, f"0{NBSP}₽", f"0{NBSP}₽"),
        (-30050, f"−300,50{NBSP}₽", f"−300.50{NBSP}₽"),
    ],
)
def test_money_reads_as_people_write_it(amount_minor: int, in_russian: str, in_english: str) -> None:
    with use_locale("ru"):
        assert format_money(amount_minor) == in_russian
    with use_locale("en"):
        assert format_money(amount_minor) == in_english


def test_numbers_have_their_thousands_apart() -> None:
    assert [format_number(number) for number in (7, 1500, -1500)] == ["7", f"1{NBSP}500", f"−1{NBSP}500"]
    assert format_amount(150000) == f"1{NBSP}500"


def test_times_are_the_streamers() -> None:
    moment = datetime(2020, 3, 5, 18, 43, tzinfo=UTC)
    assert format_time(moment, "Europe/Moscow") == "21:43"
    assert format_time(moment, "Asia/Omsk") == "00:43"
    assert format_time(moment, "Nowhere/At-all") == "21:43"
    with use_locale("ru"):
        assert format_date(moment, "Asia/Omsk") == "6 марта 2020"
        assert format_datetime(moment, "Europe/Moscow") == "5 марта 2020, 21:43"
    with use_locale("en"):
        assert format_date(moment, "Asia/Omsk") == "6 March 2020"


def test_plurals_follow_the_language() -> None:
    def up_to(number: int) -> str:
        return ngettext("Up to %(num)s character", "Up to %(num)s characters", number)

    with use_locale("ru"):
        assert [up_to(number) for number in (1, 22, 300)] == ["До 1 символа", "До 22 символов", "До 300 символов"]
    with use_locale("en"):
        assert [up_to(number) for number in (1, 2)] == ["Up to 1 character", "Up to 2 characters"]


# The language of a request.


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    setup_i18n(app)

    @app.get("/")
    async def page() -> str:
        return await render_template_string("{{ locale }} {{ _('Support') }} {{ 150000|money }}")

    return app


@pytest.mark.parametrize(
    ("address", "headers", "expected"),
    [
        ("/", {}, "ru Поддержать"),
        ("/", {"Accept-Language": "en-US,en;q=0.9"}, "en Support"),
        ("/", {"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.8"}, "ru Поддержать"),
        ("/", {"Accept-Language": "de"}, "ru Поддержать"),
        ("/", {"Accept-Language": "en", "Cookie": "lang=ru"}, "ru Поддержать"),
        ("/?lang=en", {"Cookie": "lang=ru"}, "en Support"),
        ("/?lang=xx", {"Cookie": "lang=en"}, "en Support"),
        ("/", {"Cookie": "lang=xx", "Accept-Language": "\x01;;q=,"}, "ru Поддержать"),
    ],
)
async def test_the_language_is_asked_for_remembered_or_russian(
    app: Quart, address: str, headers: dict[str, str], expected: str
) -> None:
    response = await app.test_client().get(address, headers=headers)
    assert (await response.get_data(as_text=True)).startswith(expected)


async def test_a_chosen_language_is_remembered(app: Quart) -> None:
    client = app.test_client()
    response = await client.get("/?lang=en")
    assert "lang=en" in response.headers["Set-Cookie"]
    assert "SameSite=Lax" in response.headers["Set-Cookie"]
    assert (await (await client.get("/")).get_data(as_text=True)).startswith("en")


def test_a_message_is_always_a_format() -> None:
    with use_locale("en"):
        assert _("Support with %(amount)s", amount="5 %") == "Support with 5 %"
