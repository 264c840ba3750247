"""A donation that a program asks for: by the rules, limits and blocks of the form; then its payment is waited for."""

import asyncio
import json
import secrets
from dataclasses import dataclass

from pydantic import ValidationError
from quart import url_for

from domain import receipts, terminals
from domain.api_donations import Asked, form_key_of, make_donation
from domain.api_lines import Line, Method, get_line
from domain.donations import DonationStatus, DonorState, NewDonation
from domain.errors import InvalidInputError, NotAllowedError
from domain.streamers import Streamer, get_streamer, is_open
from domain.terminals import Terminal
from domain.terms import ELSEWHERE
from web import donate_form
from web.api.access import person_id_if_any
from web.api.errors import Refused, wrong_field
from web.api.payment_looks import count_guess, refuse_guessers
from web.bank_state import is_simulated
from web.context import parts
from web.donate_form import DonateForm, Rules
from web.donating import check_address, count_address, count_wish
from web.i18n import current_locale
from web.legal_row import LegalRow, PageTerms
from web.waiting import look, page_version, wait_for_change

WAIT_SECONDS = 15.0
"""How long an answer waits for the bank to open the payment."""

ERRORS = {
    403: "The streamer does not take donations from this address",
    404: "There is no such streamer",
    504: "The bank is slow; the donation is kept, and can be paid at the page that is named",
}
"""For the API's description."""

ORDER_TAKEN = "This order_id is taken: its payment was asked for with another amount or other words"

_FIELDS = {"name": "donor_name", "email": "donor_email"}
_NOT_OPENED = (DonorState.CREATING, DonorState.UNAVAILABLE)


@dataclass(frozen=True)
class Wish:
    amount_minor: int
    method: Method
    donor_name: str | None
    message: str | None
    is_anonymous: bool
    donor_email: str | None
    is_public: bool = True
    order_id: str | None = None


async def make(streamer_id: int | None, wish: Wish, *, only: str | None = None) -> Line:
    """The donation, with its payment open at the bank. `only`: through this provider. Raises Refused."""
    address = await count_address()
    streamer, form = await _check(streamer_id, wish, only)
    form_key = form_key_of(wish.order_id) if wish.order_id is not None else form.key
    await count_wish(address, streamer.id, f"{streamer.id}:{form_key}")
    try:
        address_hash = await check_address(address, streamer.id)
    except NotAllowedError:
        raise Refused(403, "This streamer does not take donations from here", code="blocked") from None
    new = NewDonation(
        streamer_id=streamer.id,
        form_key=form_key,
        amount_minor=form.amount_minor,
        donor_name=form.donor_name,
        message=form.message,
        locale=current_locale(),
        consent_version=ELSEWHERE,
        donor_email=form.donor_email,
        address_hash=address_hash,
    )
    # A key acts for its streamer, who is nobody's donor by that.
    asked = Asked(wish.method, person_id_if_any(), wish.order_id, _digests(streamer.id, wish), wish.is_public)
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            created = await make_donation(connection, new, asked, link_minutes=parts().settings.payment_link_minutes)
    except InvalidInputError:
        await count_guess()
        raise Refused(400, ORDER_TAKEN, code="order-id") from None
    except NotAllowedError as error:
        raise _not_now(error.code) from None
    if wish.order_id is not None and not created.is_new:
        # A guess that is right must not be told from one that is wrong.
        await refuse_guessers()
    parts().relay.wake()
    return await _wait_until_opened(created.public_id)


def _digests(streamer_id: int, wish: Wish) -> tuple[bytes, ...]:
    """All that the client says of an order: only who says the same again is told of its payment."""
    if wish.order_id is None:
        return ()
    said = json.dumps([streamer_id, *vars(wish).values()])
    return parts().box.digests(said, "order of the API")


def payment_url(line: Line) -> str:
    """Where its donor pays. One that was found paid at the bank may have no link of its own: its page tells her."""
    return line.payment_url or status_url(line)


def status_url(line: Line) -> str:
    """The donation's own page."""
    address: str = url_for("donate.show_donation", public_id=line.public_id)
    return parts().settings.web_url + address


async def _check(streamer_id: int | None, wish: Wish, only: str | None) -> tuple[Streamer, DonateForm]:
    async with parts().pool.acquire() as connection:
        if streamer_id is None or not await is_open(connection, streamer_id):
            raise Refused(404, "Streamer not found")
        streamer = await get_streamer(connection, streamer_id)
        asks_email = await receipts.asks_email(connection, streamer_id)
        terminal = await terminals.get_active_terminal(connection, streamer_id)
    if terminal is None:
        raise _not_now("no_terminal")
    _check_method(wish.method, terminal, only)
    return streamer, _check_fields(wish, Rules(streamer, asks_email, PageTerms(LegalRow(), "", {})))


def _check_method(method: Method, terminal: Terminal, only: str | None) -> None:
    """The streamer chose where her money goes. Words for any bank, or for the only one there once was, lead there; who
    names a provider of ours means it."""
    if method is Method.TEST and not is_simulated(parts().settings, terminal.provider):
        raise Refused(400, "Test payments are switched off here", code="payment-method")
    named = method.value if method in (Method.TBANK, Method.YOOKASSA) else None
    if any(name not in (None, terminal.provider) for name in (named, only)):
        raise Refused(400, f"This streamer takes payments through {terminal.provider}", code="payment-method")


def _check_fields(wish: Wish, rules: Rules) -> DonateForm:
    """By the form's own rules: what it refuses is refused here."""
    values = {
        "key": secrets.token_urlsafe(24),
        "amount": f"{wish.amount_minor // 100}.{wish.amount_minor % 100:02}",
        "message": wish.message or "",
        "name": "" if wish.is_anonymous else wish.donor_name or "",
        "email": wish.donor_email or "",
        "consent": donate_form.CONSENT_VERSION,
    }
    try:
        return DonateForm.model_validate(values, context=rules)
    except ValidationError as error:
        fault = error.errors()[0]
    name, data = str(fault["loc"][0]), fault.get("ctx", {})
    if name == "amount":
        least, most = rules.streamer.min_amount_minor, rules.streamer.max_amount_minor
        raise Refused(400, f"The streamer takes {_roubles(least)} to {_roubles(most)} roubles", code="amount")
    if fault["type"] == "too_long":
        raise wrong_field(_FIELDS.get(name, name), f"At most {data['limit']} characters", kind="string_too_long")
    raise wrong_field(_FIELDS[name], "An e-mail is needed for the receipt", kind=fault["type"])


def _roubles(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


def _not_now(code: str) -> Refused:
    if code == "no_terminal":
        return Refused(400, "This streamer does not take donations now", code="takes-no-donations")
    assert code == "too_many_attempts", code
    return Refused(400, "Too many tries to pay this order: make another", code="too-many-attempts")


async def _wait_until_opened(public_id: str) -> Line:
    """As soon as the payment can be paid, or was. Raises Refused; the donation stays, and its page goes on."""
    view = await look(public_id)
    assert view is not None
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    while view.state in _NOT_OPENED:
        left_seconds = deadline - asyncio.get_running_loop().time()
        if left_seconds <= 0:
            break
        view = await wait_for_change(view, page_version(view), left_seconds)
    async with parts().pool.acquire() as connection:
        line = await get_line(connection, view.donation_id)
    assert line is not None
    if view.state is DonorState.REFUSED:
        raise Refused(400, "The streamer's bank refuses to open this payment", code="bank-refuses")
    if line.payment_url is None and line.status in (DonationStatus.PENDING, DonationStatus.FAILED):
        detail = f"The bank has not opened the payment yet. The donation is kept and can be paid at {status_url(line)}"
        raise Refused(504, detail, code="not-opened-yet")
    return line
