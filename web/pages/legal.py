"""A streamer's legal pages, for donors, banks and whoever asks who receives the money.

    GET /donate/<slug>/legal/<name>   offer, refunds, contacts, privacy: made of the requisites
    GET /d/<public_id>/terms          the words that this donation agreed to, as they were

While something is missing, the owner is told what; strangers read that the page is on its way.
"""

from typing import Any

from quart import Blueprint, Response, render_template, url_for
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from domain.requisites import Requisites, get_requisites
from domain.streamers import find_by_slug, may_manage
from domain.terms import get_agreed_terms
from web.context import parts
from web.legal_row import legal_row, recipient_of
from web.legal_texts import NAMES, make_document, read_terms, title_of
from web.pages.requisites import field_titles
from web.sessions import current_user

blueprint = Blueprint("legal", __name__)


@blueprint.get("/donate/<slug>/legal/<name>")
async def show(slug: str, name: str) -> ResponseReturnValue:
    if name not in NAMES:
        raise NotFound
    async with parts().pool.acquire() as connection:
        streamer = await find_by_slug(connection, slug.lower())
        if streamer is None:
            return await _answer("pages/donate_missing.html", 404)
        requisites = await get_requisites(connection, streamer.id)
    if requisites is not None and requisites.is_complete:
        document = make_document(name, recipient_of(streamer, requisites))
        row = legal_row(streamer.slug, requisites)
        return await _answer("pages/donate_legal.html", 200, streamer=streamer, document=document, legal=row)
    user = await current_user()
    is_owner = user is not None and may_manage(user, streamer)
    is_own = user is not None and user.id == streamer.owner_id
    form = url_for("requisites.show") if is_own else url_for("requisites.show", streamer=streamer.slug)
    return await _answer(
        "pages/donate_legal_missing.html",
        404,
        streamer=streamer,
        title=title_of(name),
        missing=field_titles((requisites or Requisites()).missing) if is_owner else [],
        requisites_url=form,
    )


@blueprint.get("/d/<public_id>/terms")
async def show_agreed(public_id: str) -> ResponseReturnValue:
    """In the language they were agreed to in. Whoever has the donation's address may read them, as its page."""
    async with parts().pool.acquire() as connection:
        agreed = await get_agreed_terms(connection, public_id)
    if agreed is None:
        return await _answer("pages/donate_terms_missing.html", 404)
    locale, documents = read_terms(agreed.documents)
    return await _answer(
        "pages/donate_terms.html",
        200,
        agreed=agreed,
        documents=documents,
        words_locale=locale,
        public_id=public_id,
    )


async def _answer(template: str, status: int, **values: Any) -> Response:
    return Response(await render_template(template, **values), status, content_type="text/html; charset=utf-8")
