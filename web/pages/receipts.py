"""Whether receipts are made for a streamer's donations, and what a fiscal one says.

GET  /dashboard/receipts   the choice, in plain words
POST /dashboard/receipts   keep it
"""

from collections.abc import Mapping

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain.errors import InvalidInputError
from domain.receipts import ITEM_MAX_LENGTH, TAXATIONS, VATS, Receipts, ReceiptSettings, get_settings, set_settings
from domain.streamers import Streamer
from web.context import parts
from web.field_words import too_long_words
from web.i18n import _
from web.pages.desk import go_to, render
from web.sessions import require_streamer

blueprint = Blueprint("receipts", __name__)


@blueprint.get("/dashboard/receipts")
async def show() -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        settings = await get_settings(connection, streamer.id)
    return await _page(streamer, settings)


@blueprint.post("/dashboard/receipts")
async def save() -> ResponseReturnValue:
    streamer = await require_streamer()
    fields = await request.form
    try:
        kind = Receipts(fields.get("receipts", ""))
    except ValueError:
        raise UnprocessableEntity from None
    async with parts().pool.acquire() as connection:
        settings = await get_settings(connection, streamer.id)
    typed = _typed(fields, kind, settings)
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await set_settings(
                connection, streamer.id, kind=kind, taxation=typed.taxation, vat=typed.vat, item=typed.item
            )
    except InvalidInputError as error:
        if error.field != "receipt_item":
            raise UnprocessableEntity from None
        return await _page(streamer, typed, item_error=_item_words(error))
    return go_to("receipts.show", said="receipts-saved")


def _typed(fields: Mapping[str, str], kind: Receipts, settings: ReceiptSettings) -> ReceiptSettings:
    """What the form says; what it does not say stays, as for a kind that needs none of it."""
    if kind is not Receipts.FISCAL:
        return ReceiptSettings(kind, settings.since, settings.taxation, settings.vat, settings.item)
    return ReceiptSettings(
        kind,
        settings.since,
        fields.get("taxation", settings.taxation),
        fields.get("vat", settings.vat),
        fields.get("receipt_item", settings.item),
    )


def _item_words(error: InvalidInputError) -> str:
    match error.code:
        case "required":
            return _("Write what the receipt should say.")
        case "too_long":
            return too_long_words(error.data["over"], error.data["limit"])
    return _("Only characters that can be seen.")


async def _page(streamer: Streamer, settings: ReceiptSettings, *, item_error: str = "") -> Response:
    return await render(
        "pages/receipts.html",
        streamer,
        current="terminals.show",
        status=422 if item_error else 200,
        settings=settings,
        item_error=item_error,
        item_max_length=ITEM_MAX_LENGTH,
        taxations=[(name, _taxation_words(name)) for name in TAXATIONS],
        vats=[(name, _vat_words(name)) for name in VATS],
    )


def _taxation_words(name: str) -> str:
    return {
        "osn": _("General (OSN)"),
        "usn_income": _("Simplified, income (USN)"),
        "usn_income_outcome": _("Simplified, income less expenses (USN)"),
        "esn": _("Agricultural (ESHN)"),
        "patent": _("Patent (PSN)"),
    }[name]


def _vat_words(name: str) -> str:
    if name == "none":
        return _("No VAT")
    rate = name.removeprefix("vat")
    if len(rate) == 3:
        return _("VAT %(rate)s/%(base)s, of the sum", rate=str(int(rate) - 100), base=rate)
    return _("VAT %(rate)s%%", rate=rate)
