"""What people see: the payment page, and a list of recent payments for developers.

Everything works without JavaScript. Who opens a payment page is the payer: nothing here asks
who they are, the page's address is the secret.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

from quart import Blueprint, Response, abort, current_app, redirect, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from simulator import states
from simulator.bank import NO_FUNDS, NOT_AUTHENTICATED, Bank
from simulator.checks import LEAST_SBP_AMOUNT_MINOR, MOST_SBP_AMOUNT_MINOR
from simulator.courier import SimulatedCourier
from simulator.language import rubles
from simulator.records import Payment
from simulator.rendering import asked_language, render
from simulator.sbp import refusal_to_pay
from simulator.states import WrongStateError

blueprint = Blueprint("pages", __name__)

RECENT = 50

Redirect = Response | WerkzeugResponse

TRIES: dict[str, Callable[[Bank, Payment], Payment]] = {
    "card": lambda bank, payment: bank.pay(payment, "cards"),
    "sbp": lambda bank, payment: bank.pay(payment, "qrsbp"),
    "decline": lambda bank, payment: bank.decline(payment, NO_FUNDS, "cards"),
    "fail-3ds": lambda bank, payment: bank.decline(payment, NOT_AUTHENTICATED, "cards"),
    "expire": lambda bank, payment: bank.expire(payment),
}
"""The buttons of the payment page."""


@blueprint.get("/")
async def index() -> str:
    """Recent payments with links to their pages."""
    bank: Bank = current_app.extensions["bank"]
    return await render(
        "simulator/index.html",
        asked_language(),
        payments=bank.store.list_recent_payments(None, RECENT),
        waiting_notifications=bank.store.count_waiting_notifications(),
        payable=states.PAYABLE,
    )


@blueprint.get("/pay/<code>")
async def show_payment(code: str) -> str:
    """The payment page. The first visit moves NEW to FORM_SHOWED."""
    bank: Bank = current_app.extensions["bank"]
    payment = bank.show_form(_find(bank, code))
    terminal = bank.store.find_terminal(payment.terminal_key)
    is_open = payment.status in states.PAYABLE and payment.due_at > bank.now()
    return await render(
        "simulator/pay.html" if is_open else "simulator/over.html",
        asked_language(payment.language),
        payment=payment,
        due_at=datetime.fromtimestamp(payment.due_at, UTC),
        refused=payment.status in states.REFUSED,
        sbp_allowed=terminal is not None and refusal_to_pay(terminal, payment) is None,
        is_sbp_off=terminal is not None and not terminal.sbp,
        least_sbp_amount=rubles(LEAST_SBP_AMOUNT_MINOR),
        most_sbp_amount=rubles(MOST_SBP_AMOUNT_MINOR),
        succeeded=payment.status in states.SUCCEEDED,
        back_url=return_url(payment, succeeded=payment.status in states.SUCCEEDED),
    )


@blueprint.post("/pay/<code>/<attempt>")
async def try_to_pay(code: str, attempt: str) -> Redirect:
    """One of the buttons. After a payment the payer waits for the shop's answer, as with the real bank."""
    if attempt not in TRIES:
        abort(404)
    bank: Bank = current_app.extensions["bank"]
    courier: SimulatedCourier = current_app.extensions["courier"]
    payment = _find(bank, code)
    try:
        payment = TRIES[attempt](bank, payment)
    except WrongStateError:
        # A second press, or a page left open too long: show how things are.
        payment = _find(bank, code)
    await courier.wait_for_first_tries(payment.id)
    back = return_url(payment, succeeded=True)
    if payment.status in states.SUCCEEDED and back:
        return redirect(back, 303)
    return redirect(_page_url(code), 303)


@blueprint.get("/pay/<code>/leave")
async def give_up(code: str) -> Redirect:
    """The payer goes back to the shop without paying; the payment stays open."""
    bank: Bank = current_app.extensions["bank"]
    payment = _find(bank, code)
    back = return_url(payment, succeeded=False)
    return redirect(back or _page_url(code), 303)


def return_url(payment: Payment, *, succeeded: bool) -> str | None:
    """SuccessURL or FailURL with the bank's templates filled in; Message and Details only with an error."""
    url = payment.success_url if succeeded else payment.fail_url
    if not url:
        return None
    values = {
        "Success": "true" if succeeded else "false",
        "ErrorCode": "0" if succeeded else payment.error_code,
        "OrderId": payment.order_id,
        "Message": "" if succeeded else payment.error_message,
        "Details": "" if succeeded else payment.error_details,
    }
    return re.sub(
        r"\$\{(\w+)\}",
        lambda found: quote(values[found[1]], safe="") if found[1] in values else found[0],
        url,
    )


def _find(bank: Bank, code: str) -> Payment:
    payment = bank.store.find_payment_by_code(code)
    if payment is None:
        abort(404)
    return bank.current(payment)


def _page_url(code: str) -> str:
    language = request.args.get("lang")
    return url_for("pages.show_payment", code=code, lang=language) if language else f"/pay/{code}"
