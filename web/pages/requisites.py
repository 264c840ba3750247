"""Who receives the money, filled in once: the public legal pages are made of it.

GET  /dashboard/requisites   the form, and links to what it makes
POST /dashboard/requisites   keep it; unfinished is fine, wrong is not
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from quart import Blueprint, Response, request, url_for
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import requisites as rules
from domain.errors import InvalidInputError
from domain.first_steps import Payee, read_progress
from domain.requisites import AGE_MARKS, Kind, RefundRule, Requisites, clean_requisites, get_requisites, save_requisites
from domain.streamers import Streamer
from web.context import parts
from web.field_words import too_long_words
from web.i18n import _
from web.legal_texts import NAMES, title_of
from web.pages.desk import go_to, render
from web.sessions import require_streamer

blueprint = Blueprint("requisites", __name__)


@blueprint.get("/dashboard/requisites")
async def show() -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        known = await get_requisites(connection, streamer.id)
        if known is None:
            progress = await read_progress(connection, streamer.id)
            known = Requisites(Kind.ENTREPRENEUR if progress.payee is Payee.BUSINESS else Kind.NPD)
    return await _page(streamer, known, asdict(known), {})


@blueprint.post("/dashboard/requisites")
async def save() -> ResponseReturnValue:
    streamer = await require_streamer()
    fields = await request.form
    try:
        typed, errors = clean_requisites(fields)
    except InvalidInputError:
        raise UnprocessableEntity from None
    if errors:
        values = {**asdict(typed), **{name: fields.get(name, "") for name in TEXT_FIELDS}}
        return await _page(streamer, typed, values, errors)
    async with parts().pool.acquire() as connection, connection.transaction():
        await save_requisites(connection, streamer.id, typed)
    return go_to("requisites.show", said="requisites-saved" if typed.is_complete else "requisites-unfinished")


TEXT_FIELDS = (
    "full_name",
    "inn",
    "ogrn",
    "postal_address",
    "email",
    "phone",
    "refund_days",
    "purpose",
    "registry_number",
    "registry_url",
    "foreign_agent_label",
)


def field_titles(names: Iterable[str]) -> list[str]:
    """What the fields are called on the form."""
    titles = {
        "full_name": _("Full name"),
        "inn": _("INN"),
        "ogrn": _("OGRN or OGRNIP"),
        "postal_address": _("Address for letters"),
        "email": _("E-mail"),
        "purpose": _("What the money is for"),
    }
    return [titles[name] for name in names]


async def _page(
    streamer: Streamer, typed: Requisites, values: Mapping[str, Any], errors: Mapping[str, InvalidInputError]
) -> Response:
    return await render(
        "pages/requisites.html",
        streamer,
        current="requisites.show",
        status=422 if errors else 200,
        typed=typed,
        values=values,
        errors={name: _words(error, typed.kind) for name, error in errors.items()},
        first_error=next((name for name in TEXT_FIELDS if name in errors), ""),
        limits={
            "full_name": rules.FULL_NAME_MAX_LENGTH,
            "postal_address": rules.ADDRESS_MAX_LENGTH,
            "purpose": rules.PURPOSE_MAX_LENGTH,
            "label": rules.LABEL_MAX_LENGTH,
        },
        kinds=[
            (Kind.NPD, _("Self-employed"), _("You pay the tax on professional income (NPD).")),
            (Kind.ENTREPRENEUR, _("Individual entrepreneur"), ""),
            (Kind.COMPANY, _("Company"), ""),
        ],
        refund_rules=[
            (RefundRule.REQUEST, _("To whoever asks"), _("The simplest rule, and the fewest disputes with banks.")),
            (
                RefundRule.MISTAKE,
                _("When it was a mistake"),
                _(
                    "Paid twice or in another amount, with somebody else's card, by a child; and whenever the law "
                    "says so."
                ),
            ),
        ],
        age_marks=[(mark, mark or _("No mark")) for mark in AGE_MARKS],
        missing=field_titles(typed.missing) if not errors else [],
        pages=[(url_for("legal.show", slug=streamer.slug, name=name), title_of(name)) for name in NAMES],
        label_example=_label_example(typed.full_name),
    )


def _label_example(name: str) -> str:
    # The law gives these words in Russian, whatever language the page is in.
    name = name or "…"
    return (
        f"НАСТОЯЩИЙ МАТЕРИАЛ (ИНФОРМАЦИЯ) ПРОИЗВЕДЕН, РАСПРОСТРАНЕН И (ИЛИ) НАПРАВЛЕН ИНОСТРАННЫМ АГЕНТОМ {name} ЛИБО "
        f"КАСАЕТСЯ ДЕЯТЕЛЬНОСТИ ИНОСТРАННОГО АГЕНТА {name}. 18+"
    )


def _words(error: InvalidInputError, kind: Kind) -> str:
    match error.field, error.code:
        case ("inn", "length") if kind is Kind.COMPANY:
            return _("A company's INN has 10 digits.")
        case ("inn", "length"):
            return _("A person's INN has 12 digits.")
        case ("ogrn", "length") if kind is Kind.COMPANY:
            return _("A company's OGRN has 13 digits.")
        case ("ogrn", "length"):
            return _("An entrepreneur's OGRNIP has 15 digits.")
        case (_field, "checksum"):
            return _("A digit is wrong: the number does not add up. Compare it with your document.")
        case (_field, "too_long"):
            return too_long_words(error.data["over"], error.data["limit"])
        case ("email", _code):
            return _("This does not look like an e-mail. It should be like anna@mail.ru.")
        case ("phone", _code):
            return _("Type it with the country's code, for example +7 916 123-45-67.")
        case ("refund_days", _code):
            return _("A whole number of days, from 1 to %(limit)s.", limit=error.data["limit"])
        case ("registry_url", "required"):
            return _("A number needs its link: donors check the entry there.")
        case ("registry_url", _code):
            return _("A whole address that begins with https://.")
        case ("foreign_agent_label", _code):
            return _("With this mark on, the label is obligatory.")
    raise AssertionError(f"no words for {error.field}: {error.code}")
