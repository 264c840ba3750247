"""Words, money and times for people, in their language.

    from web.i18n import _, ngettext
    _("Hello, %(name)s!", name=name)
    ngettext("%(num)s second", "%(num)s seconds", 5)

Msgids are English, so English needs no catalogue; Russian is `locale/ru/LC_MESSAGES/messages.po`, read as it is when
the program starts. A msgid is always a %-format, here as in templates: a per cent sign for people is written `%%`.
A request's language is what `?lang=` says (remembered in a cookie), else the cookie, else Accept-Language, else
Russian.
"""

import contextlib
import gettext as gettext_module
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_datetime as babel_format_datetime
from babel.dates import get_timezone_location
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from quart import Quart, Response, g, has_request_context, request

from web.form_pages import page_of_form

LOCALE_DIR = Path(__file__).resolve().parent.parent / "locale"
LANGUAGES = {"ru": "Русский", "en": "English"}
"""The languages we speak, by what each calls itself."""
DEFAULT_LOCALE = "ru"
COOKIE = "lang"
COOKIE_SECONDS = 365 * 24 * 3600

NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"

_DECIMAL_MARKS = {"ru": ",", "en": "."}
_DATE_PATTERNS = {"ru": ("d MMMM", "d MMMM y"), "en": ("d MMMM", "d MMMM y")}

_forced_locale: ContextVar[str | None] = ContextVar("forced_locale", default=None)


def _load_translations(locale: str) -> gettext_module.NullTranslations:
    path = LOCALE_DIR / locale / "LC_MESSAGES" / "messages.po"
    if not path.is_file():
        return gettext_module.NullTranslations()
    with path.open("rb") as file:
        catalog = read_po(file, locale=locale, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext_module.GNUTranslations(compiled)


_translations = {locale: _load_translations(locale) for locale in LANGUAGES}


# The language.


def current_locale() -> str:
    """`ru` or `en`: the request's, or the one `use_locale` says; Russian where nobody asks."""
    forced = _forced_locale.get()
    if forced is not None:
        return forced
    if not has_request_context():
        return DEFAULT_LOCALE
    if "locale" not in g:
        g.locale = _choose_locale()
    return str(g.locale)


@contextlib.contextmanager
def use_locale(locale: str) -> Iterator[None]:
    """Speak this language inside the block, whatever the request says (a donor's letter, a test)."""
    token = _forced_locale.set(locale if locale in LANGUAGES else DEFAULT_LOCALE)
    try:
        yield
    finally:
        _forced_locale.reset(token)


def _choose_locale() -> str:
    return asked_locale() or DEFAULT_LOCALE


def asked_locale() -> str | None:
    """What the request says; None: nothing."""
    for wanted in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return str(wanted)
    return request.accept_languages.best_match(list(LANGUAGES))


# Words.


def gettext(message: str, /, **values: Any) -> str:
    return _translations[current_locale()].gettext(message) % values


def ngettext(singular: str, plural: str, num: int, /, **values: Any) -> str:
    """The form that fits the number, which the words may mention as `%(num)s`."""
    return _translations[current_locale()].ngettext(singular, plural, num) % {"num": format_number(num), **values}


_ = gettext


# Numbers and times.


def format_number(number: int) -> str:
    """Thousands apart by no-break spaces in both languages: `1 500`."""
    return (MINUS if number < 0 else "") + f"{abs(number):,}".replace(",", NBSP)


def format_amount(amount_minor: int) -> str:
    """Kopecks as a number without the currency's sign: `1 500`, `300,50`."""
    rubles, kopecks = divmod(abs(amount_minor), 100)
    sign = MINUS if amount_minor < 0 else ""
    fraction = f"{_DECIMAL_MARKS[current_locale()]}{kopecks:02}" if kopecks else ""
    return f"{sign}{format_number(rubles)}{fraction}"


def format_money(amount_minor: int) -> str:
    """Kopecks as people read them: `1 500 ₽`, `300,50 ₽`; kopecks only when there are any."""
    return f"{format_amount(amount_minor)}{NBSP}₽"


def zone(name: str) -> ZoneInfo:
    """A streamer's time zone; Moscow's when the machine does not know the name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("Europe/Moscow")


def city_of(time_zone: str) -> str:
    """`Омск` for Asia/Omsk; a zone without a city by its own name."""
    if "/" not in time_zone or time_zone.startswith("Etc/"):
        return time_zone
    return get_timezone_location(time_zone, locale=current_locale(), return_city=True)


def clock_words(time_zone: str) -> str:
    """Whose clocks a time is by: `московское время`, `время: Омск`."""
    if time_zone == "Europe/Moscow":
        return _("Moscow time")
    return _("%(city)s time", city=city_of(time_zone))


def format_time(moment: datetime, time_zone: str) -> str:
    """`21:43` on the clocks of the time zone."""
    return moment.astimezone(zone(time_zone)).strftime("%H:%M")


def format_date(moment: datetime, time_zone: str) -> str:
    """`5 марта`, with the year when it is not this one."""
    local = moment.astimezone(zone(time_zone))
    this_year = datetime.now(UTC).astimezone(local.tzinfo).year
    short, long = _DATE_PATTERNS[current_locale()]
    pattern = short if local.year == this_year else long
    return str(babel_format_datetime(local, pattern, tzinfo=local.tzinfo, locale=current_locale()))


def format_datetime(moment: datetime, time_zone: str) -> str:
    """`5 марта, 21:43`."""
    return f"{format_date(moment, time_zone)}, {format_time(moment, time_zone)}"


def when(moment: datetime, time_zone: str) -> str:
    """`21:43` today, `5 March, 21:43` before, on the streamer's clocks."""
    clocks = zone(time_zone)
    is_today = moment.astimezone(clocks).date() == datetime.now(clocks).date()
    return format_time(moment, time_zone) if is_today else format_datetime(moment, time_zone)


def language_links() -> list[tuple[str, str, str]]:
    """The other languages of this page: locale, its own name, address."""
    links = []
    # Without the path where it can be done: one that begins with two slashes, or with a backslash, would be another
    # site's address. A form's own address is for POST alone, so its answer names the page the form stands on.
    path = page_of_form() if request.method == "POST" else ""
    for locale, name in LANGUAGES.items():
        if locale != current_locale():
            query = request.args.copy()
            query["lang"] = locale
            links.append((locale, name, f"{path}?{urlencode(list(query.items(multi=True)))}"))
    return links


# Quart.


def setup_i18n(app: Quart) -> None:
    """Give the app's templates `_`, `ngettext`, `trans`, the formats, and `locale` for `<html lang>`."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        _translate_for_template, _translate_plural_for_template, newstyle=True
    )
    app.jinja_env.filters.update(
        money=format_money,
        amount=format_amount,
        number=format_number,
        time=format_time,
        date=format_date,
        datetime=format_datetime,
        clock=clock_words,
    )

    @app.context_processor
    async def add_locale() -> dict[str, Any]:
        return {"locale": current_locale(), "language_links": language_links}

    @app.after_request
    async def remember_locale(response: Response) -> Response:
        if "locale" in g and response.mimetype == "text/html":
            response.vary.update(["Accept-Language", "Cookie"])
        if request.args.get("lang") in LANGUAGES:
            response.set_cookie(
                COOKIE, request.args["lang"], max_age=COOKIE_SECONDS, samesite="Lax", httponly=True,
                secure=request.is_secure,
            )  # fmt: skip
        return response


def _translate_for_template(message: str) -> str:
    return _translations[current_locale()].gettext(message)


def _translate_plural_for_template(singular: str, plural: str, num: int) -> str:
    return _translations[current_locale()].ngettext(singular, plural, num)
