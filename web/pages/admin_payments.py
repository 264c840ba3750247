"""The operator looks for a payment: GET /admin/payments?q=<order, payment id, donation>."""

from quart import Blueprint, Response, request

from domain.donation_details import search_payments
from web.context import parts
from web.i18n import when
from web.pages import desk, payment_words
from web.pages.donations import public_id_in
from web.sessions import require_superuser
from web.terminal_words import provider_title

blueprint = Blueprint("admin_payments", __name__)


@blueprint.get("/admin/payments")
async def show() -> Response:
    await require_superuser()
    text = request.args.get("q", "").strip()
    async with parts().pool.acquire() as connection:
        found = await search_payments(connection, public_id_in(text) or text) if text else []
    return await desk.render(
        "pages/admin_payments.html",
        None,
        current="admin_payments.show",
        text=text,
        found=found,
        words=payment_words,
        provider_title=provider_title,
        when=when,
    )
