"""Behind the QR: the donor's bank on their phone, which asks whether to pay.

With SBP the code leads to an app; here it is a page. Who knows the code may pay, as in life.
"""

from collections.abc import Callable

from quart import Blueprint, abort, current_app, redirect, url_for

from simulator import states
from simulator.bank import NO_SBP_FUNDS, Bank
from simulator.pages import Redirect, return_url
from simulator.records import Payment
from simulator.rendering import asked_language, language_argument, render
from simulator.states import WrongStateError

blueprint = Blueprint("bank_app", __name__, url_prefix="/qr")

DECISIONS: dict[str, Callable[[Bank, Payment], Payment]] = {
    "pay": lambda bank, payment: bank.pay(payment, "qrsbp"),
    "decline": lambda bank, payment: bank.decline(payment, NO_SBP_FUNDS, "qrsbp"),
}


@blueprint.get("/<code>")
async def show_payment(code: str) -> str:
    """What would be paid and to whom."""
    bank, payment = _find(code)
    is_open = payment.status in states.PAYABLE and payment.due_at > bank.now()
    succeeded = payment.status in states.SUCCEEDED
    return await render(
        "simulator/bank_app.html" if is_open else "simulator/over.html",
        asked_language(payment.language),
        payment=payment,
        code=code,
        refused=payment.status in states.REFUSED,
        succeeded=succeeded,
        back_url=return_url(payment, succeeded=succeeded),
    )


@blueprint.post("/<code>/<decision>")
async def decide(code: str, decision: str) -> Redirect:
    """The app says at once what became of it, and tells nobody else: the shop hears it from its bank."""
    if decision not in DECISIONS:
        abort(404)
    bank, payment = _find(code)
    try:
        DECISIONS[decision](bank, payment)
    except WrongStateError:
        # A second press, or a page left open too long: show how things are.
        pass
    return redirect(url_for("bank_app.show_payment", code=code, **language_argument()), 303)


def _find(code: str) -> tuple[Bank, Payment]:
    bank: Bank = current_app.extensions["bank"]
    payment = bank.store.find_payment_by_qr_code(code)
    if payment is None:
        abort(404)
    return bank, bank.current(payment)
