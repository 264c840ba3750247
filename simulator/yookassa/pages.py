"""What people see of the simulated YooKassa: the payment page, and a list of recent payments for developers.

As at the bank: no JavaScript, and the page's address is all that a payer has to know.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from quart import Blueprint, Response, abort, current_app, redirect, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from simulator.courier import SimulatedCourier
from simulator.rendering import asked_language, render
from simulator.states import WrongStateError
from simulator.yookassa.bank import YooKassaBank
from simulator.yookassa.records import Payment

blueprint = Blueprint("yookassa_pages", __name__, url_prefix="/yookassa")

RECENT = 50

TRIES: dict[str, Callable[[YooKassaBank, Payment], Payment]] = {
    "card": lambda bank, payment: bank.pay(payment, "bank_card"),
    "sbp": lambda bank, payment: bank.pay(payment, "sbp"),
    "decline": lambda bank, payment: bank.decline(payment, "bank_card", reason="insufficient_funds"),
    "expire": lambda bank, payment: bank.expire(payment),
}
"""The buttons of the payment page."""


@blueprint.get("/")
async def index() -> str:
    """Recent payments with links to their pages."""
    return await render(
        "simulator/yookassa_index.html",
        asked_language("ru"),
        payments=_bank().store.list_recent_payments(None, RECENT),
    )


@blueprint.get("/pay/<payment_id>")
async def show_payment(payment_id: str) -> str:
    """The payment page; once the payment is over, what became of it."""
    payment = _find(payment_id)
    return await render(
        "simulator/yookassa_pay.html" if payment.status == "pending" else "simulator/yookassa_over.html",
        asked_language(payment.language),
        payment=payment,
        due_at=datetime.fromtimestamp(payment.expires_at, UTC),
        succeeded=payment.status in ("succeeded", "waiting_for_capture"),
        card_allowed=payment.wished_method in (None, "bank_card"),
        # Money cannot be held through SBP.
        sbp_allowed=payment.capture and payment.wished_method in (None, "sbp"),
    )


@blueprint.post("/pay/<payment_id>/<attempt>")
async def try_to_pay(payment_id: str, attempt: str) -> Response | WerkzeugResponse:
    """One of the buttons. After a payment the payer goes back to the shop, which was told before."""
    if attempt not in TRIES:
        abort(404)
    courier: SimulatedCourier = current_app.extensions["yookassa_courier"]
    payment = _find(payment_id)
    try:
        payment = TRIES[attempt](_bank(), payment)
    except WrongStateError:
        # A second press, or a page left open too long: show how things are.
        payment = _find(payment_id)
    await courier.wait_for_first_tries(payment.number)
    if payment.status in ("succeeded", "waiting_for_capture"):
        return redirect(payment.return_url, 303)
    return redirect(url_for("yookassa_pages.show_payment", payment_id=payment_id, lang=request.args.get("lang")), 303)


def _bank() -> YooKassaBank:
    bank: YooKassaBank = current_app.extensions["yookassa_bank"]
    return bank


def _find(payment_id: str) -> Payment:
    payment = _bank().find_payment(payment_id)
    if payment is None:
        abort(404)
    return payment
