"""The donation page, and the page of one donation that follows what becomes of it (UX.md, "Donor form").

    GET  /donate/<slug>          the form
    POST /donate/<slug>          a donation, then its page (or the form again, 422)
    GET  /donate/<slug>/consent  what the donor agrees to
    GET  /d/<public_id>          the donation's page: the truth of our tables, whatever the address's query says
    GET  /d/<public_id>/state    the same, once it differs from ?version= (a wait on the server)
    POST /d/<public_id>/retry    another try at the bank

Each works as a plain page; with HTMX, POSTs and /state answer with the partial alone.
"""

import asyncio
import re
from dataclasses import dataclass, replace
from typing import Any

from quart import Blueprint, Response, render_template, request, url_for

from domain import donations, goals, receipts, terminals
from domain.donations import DonorState, DonorView
from domain.errors import NotAllowedError, NotFoundError
from domain.links import link_title
from domain.profiles import Look, streamer_look
from domain.requisites import get_requisites
from domain.streamers import Streamer, find_by_any_slug, is_open
from domain.terms import keep_terms
from providers.outcomes import RefusalReason
from web.bank_state import is_test_terminal
from web.context import parts
from web.donate_form import (
    CONSENT_VERSION,
    DonateForm,
    Rules,
    Typed,
    check_form,
    new_form_key,
    preselected,
    typed_from,
)
from web.donating import check_address, count_address, count_wish
from web.i18n import _, current_locale
from web.legal_row import read_legal_row, read_page_terms, recipient_of
from web.legal_texts import make_document
from web.limits import Limit
from web.provider_words import refusal_words
from web.qr import qr_svg
from web.waiting import HINT_AFTER_SECONDS, WAIT_SECONDS, is_final, is_slow, look, page_version, wait_for_change

blueprint = Blueprint("donate", __name__)

RETRY_LIMIT = Limit("donate-retry", 10, 60)

FIRST_WAIT_SECONDS = 3.0
"""How long a page waits before it shows itself: for the bank's address, or for the news of who came back from there."""
_STILL_UNPAID = (DonorState.OPEN, DonorState.CHECKING)

_PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{22,64}")
SBP_PAYLOAD_MAX = 500
"""A longer one makes a code too fine for a camera; SBP's own have about a hundred characters."""


# The form.


@dataclass(frozen=True)
class Page:
    rules: Rules
    look: Look
    goal: goals.Goal | None
    is_open: bool
    """Whether donations can be taken."""
    is_test: bool
    """Whether no real money moves."""


@blueprint.get("/donate/<slug>", strict_slashes=False)
async def show_form(slug: str) -> Response:
    page = await _read_page(slug)
    if page is None:
        return await _answer("pages/donate_missing.html", 404)
    streamer = page.rules.streamer
    if slug != streamer.slug:
        return _to_present_address("donate.show_form", streamer)
    if not page.is_open:
        return await _answer("pages/donate_closed.html", 200, look=page.look, legal=page.rules.terms.row)
    typed, errors = preselected(page.rules, request.args.get("a", ""))
    return await _answer_form("pages/donate.html", 200, page, typed, errors, is_preselected=bool(typed.amount))


@blueprint.post("/donate/<slug>")
async def submit_form(slug: str) -> Response:
    address = await count_address()
    # By a name the page had before, too: the form may have been open while it got another.
    page = await _read_page(slug)
    if page is None:
        return await _answer("pages/donate_missing.html", 404)
    streamer = page.rules.streamer
    fields = await request.form
    form = check_form(fields, page.rules)
    if "set_amount" in fields:
        # A preset pressed while scripts are not there: the same form with this amount, everything typed kept.
        return await _answer_form(_page_or_partial("form"), 200, page, typed_from(fields), {})
    if not isinstance(form, DonateForm):
        return await _answer_form(_page_or_partial("form"), 422, page, typed_from(fields), form)
    await count_wish(address, streamer.id, form.key)
    try:
        address_hash = await check_address(address, streamer.id)
    except NotAllowedError:
        return await _answer(_page_or_partial("refused"), 403, look=page.look)
    try:
        public_id = await _create_donation(form, page, address_hash=address_hash)
    except NotAllowedError:
        return await _answer(_page_or_partial("closed"), 409, look=page.look, legal=page.rules.terms.row)
    if _is_htmx():
        response = await _answer_view(await _read_view(public_id), "partials/donate/donation.html", takes_focus=True)
        response.headers["HX-Push-Url"] = url_for("donate.show_donation", public_id=public_id)
        return response
    return _see_donation(public_id)


async def _create_donation(form: DonateForm, page: Page, *, address_hash: bytes | None) -> str:
    """Raises NotAllowedError when the streamer cannot take money."""
    new = donations.NewDonation(
        streamer_id=page.rules.streamer.id,
        form_key=form.key,
        amount_minor=form.amount_minor,
        donor_name=form.donor_name,
        message=form.message,
        locale=current_locale(),
        consent_version=form.consent,
        donor_email=form.donor_email,
        address_hash=address_hash,
    )
    async with parts().pool.acquire() as connection, connection.transaction():
        if form.terms:
            terms_id = await keep_terms(connection, new.streamer_id, page.rules.terms.documents[form.terms])
            new = replace(new, terms_id=terms_id)
        created = await donations.create_donation(connection, new, link_minutes=parts().settings.payment_link_minutes)
    parts().relay.wake()
    return created.public_id


@blueprint.get("/donate/<slug>/consent")
async def show_consent(slug: str) -> Response:
    page = await _read_page(slug)
    if page is None:
        return await _answer("pages/donate_missing.html", 404)
    streamer = page.rules.streamer
    if slug != streamer.slug:
        return _to_present_address("donate.show_consent", streamer)
    async with parts().pool.acquire() as connection:
        requisites = await get_requisites(connection, streamer.id)
    document = make_document("consent", recipient_of(streamer, requisites))
    return await _answer(
        "pages/donate_consent.html", 200, streamer=streamer, document=document, consent_version=CONSENT_VERSION
    )


async def _read_page(slug: str) -> Page | None:
    """The page of this name, or the one that had it before; None when there is none."""
    async with parts().pool.acquire() as connection:
        streamer = await find_by_any_slug(connection, slug.lower())
        if streamer is None or not await is_open(connection, streamer.id):
            return None
        terms = await read_page_terms(connection, streamer, CONSENT_VERSION)
        terminal = await terminals.get_active_terminal(connection, streamer.id)
        return Page(
            Rules(streamer, await receipts.asks_email(connection, streamer.id), terms),
            await streamer_look(connection, streamer.id),
            await goals.get_shown_goal(connection, streamer.id),
            terminal is not None,
            terminal is not None and is_test_terminal(terminal),
        )


def _to_present_address(endpoint: str, streamer: Streamer) -> Response:
    """Not for good: the streamer may go back to the old name, and browsers would remember."""
    location = url_for(endpoint, slug=streamer.slug)
    if request.query_string:
        location += f"?{request.query_string.decode('latin-1')}"
    return Response(status=302, headers={"Location": location})


async def _answer_form(
    template: str,
    status: int,
    page: Page,
    typed: Typed,
    errors: dict[str, str],
    *,
    is_preselected: bool = False,
) -> Response:
    return await _answer(
        template,
        status,
        look=page.look,
        streamer=page.rules.streamer,
        asks_email=page.rules.asks_email,
        goal=page.goal,
        typed=typed,
        errors=errors,
        is_preselected=is_preselected or bool(errors),
        form_key=new_form_key(),
        terms=page.rules.terms,
        legal=page.rules.terms.row,
        is_test=page.is_test,
        consent_version=CONSENT_VERSION,
    )


# One donation.


@blueprint.get("/d/<public_id>")
async def show_donation(public_id: str) -> Response:
    view = await _read_view(public_id)
    # The bank's notification is a moment behind the donor. The address only says that it is worth waiting for.
    if "from" in request.args and view.state in _STILL_UNPAID:
        view = await _wait_for_the_banks_news(view)
    elif view.state is DonorState.CREATING and view.since_seconds < FIRST_WAIT_SECONDS:
        view = await wait_for_change(view, page_version(view), FIRST_WAIT_SECONDS)
    return await _answer_view(view, "pages/donate_donation.html")


async def _wait_for_the_banks_news(view: DonorView) -> DonorView:
    """Until the payment is paid or refused; "authorized" on the way there is no news for a donor."""
    deadline = asyncio.get_running_loop().time() + FIRST_WAIT_SECONDS
    while view.state in _STILL_UNPAID:
        left_seconds = deadline - asyncio.get_running_loop().time()
        if left_seconds <= 0:
            break
        view = await wait_for_change(view, page_version(view), left_seconds)
    return view


@blueprint.get("/d/<public_id>/state")
async def wait_for_state(public_id: str) -> Response:
    view = await _read_view(public_id)
    known_version = request.args.get("version", "")
    known_minutes = request.args.get("minutes", type=int)
    if known_minutes is not None and known_minutes != _minutes_left(view) and page_version(view) == known_version:
        return await _answer_minutes(view)
    seconds_to_hint = HINT_AFTER_SECONDS - view.since_seconds
    wait_seconds = min(WAIT_SECONDS, seconds_to_hint + 0.1) if seconds_to_hint > 0 else WAIT_SECONDS
    if known_minutes is not None:
        wait_seconds = min(wait_seconds, view.left_seconds % 60 + 0.1)
    view = await wait_for_change(view, known_version, wait_seconds)
    if page_version(view) != known_version:
        return await _answer_view(view, "partials/donate/donation.html")
    if known_minutes is not None and known_minutes != _minutes_left(view):
        return await _answer_minutes(view)
    # Nothing new: HTMX leaves the page alone and asks again.
    return Response(status=204)


async def _answer_minutes(view: DonorView) -> Response:
    """A minute has passed and nothing else: only its words change, for the rest may have the focus or be read aloud."""
    response = await _answer("partials/donate/minutes.html", 200, minutes_left=_minutes_left(view))
    response.headers["HX-Retarget"] = "#minutes"
    return response


@blueprint.post("/d/<public_id>/retry")
async def retry_payment(public_id: str) -> Response:
    view = await _read_view(public_id)
    await parts().limiter.take(RETRY_LIMIT, public_id)
    problem = ""
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await donations.retry(connection, public_id, link_minutes=parts().settings.payment_link_minutes)
    except NotAllowedError as error:
        problem = _retry_problem(error.code)
    else:
        parts().relay.wake()
    if problem:
        view = await _read_view(public_id)
        template = "partials/donate/donation.html" if _is_htmx() else "pages/donate_donation.html"
        return await _answer_view(view, template, status=409, problem=problem, takes_focus=True)
    if _is_htmx():
        return await _answer_view(await _read_view(public_id), "partials/donate/donation.html", takes_focus=True)
    return _see_donation(public_id)


def _retry_problem(code: str) -> str:
    match code:
        case "already_paid":
            return _("This donation is paid already: no need to pay again.")
        case "too_many_attempts":
            return _("Too many tries for one donation. Please make a new one.")
    return _("The streamer does not take donations at the moment.")


async def _read_view(public_id: str) -> DonorView:
    """Raises NotFoundError."""
    view = await look(public_id) if _PUBLIC_ID.fullmatch(public_id) else None
    if view is None:
        raise NotFoundError("donation")
    return view


def _see_donation(public_id: str) -> Response:
    return Response(status=303, headers={"Location": url_for("donate.show_donation", public_id=public_id)})


async def _answer_view(
    view: DonorView, template: str, *, status: int = 200, problem: str = "", takes_focus: bool = False
) -> Response:
    values: dict[str, Any] = {}
    async with parts().pool.acquire() as connection:
        values["look"] = await streamer_look(connection, view.streamer_id)
        if template.startswith("pages/"):
            # The foot of a page; the part that is asked for again and again has none.
            values["legal"] = await read_legal_row(connection, view.streamer_id, view.slug)
    return await _answer(
        template,
        status,
        **values,
        view=view,
        version=page_version(view),
        is_final=is_final(view),
        is_slow=is_slow(view),
        sbp_link=_sbp_link(view),
        qr_svg=qr_svg,
        minutes_left=_minutes_left(view),
        refusal=_refusal(view),
        problem=problem,
        takes_focus=takes_focus,
    )


def _minutes_left(view: DonorView) -> int:
    """Whole minutes until the link ends."""
    return max(0, int(view.left_seconds // 60))


def _sbp_link(view: DonorView) -> str | None:
    """What the code holds and the button opens. Providers check it; a page does not lead to anything but the web."""
    payload = view.sbp_payload
    if payload is None or len(payload) > SBP_PAYLOAD_MAX or not payload.startswith(("https://", "http://")):
        return None
    return payload


def _refusal(view: DonorView) -> str:
    """Why the payment was refused, in words for its donor; "" where nobody knows more than that it was."""
    is_refused = view.state in (DonorState.REFUSED, DonorState.DECLINED)
    if not is_refused or view.error_reason in ("", RefusalReason.UNKNOWN):
        return ""
    return refusal_words(view.error_reason, for_streamer=False)


# Answers.


def _is_htmx() -> bool:
    return request.headers.get("HX-Request") == "true"


def _page_or_partial(name: str) -> str:
    pages = {"form": "pages/donate.html", "closed": "pages/donate_closed.html", "refused": "pages/donate_refused.html"}
    return f"partials/donate/{name}.html" if _is_htmx() else pages[name]


async def _answer(template: str, status: int, **values: Any) -> Response:
    # Each answer has a key, an address or a state of its own, so that none may be kept (DESIGN 17).
    html = await render_template(template, link_title=link_title, **values)
    return Response(html, status, {"Cache-Control": "no-store"}, content_type="text/html; charset=utf-8")
