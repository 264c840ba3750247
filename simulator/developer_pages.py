"""Pages for developers: a payment with all that was said about it, faults, terminals, registries.

Their buttons are forms and their addresses can be guessed, so a press counts only from a page of ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError
from quart import Blueprint, abort, redirect, request, url_for

from simulator import messages, states
from simulator.api import METHODS
from simulator.bank import NO_FUNDS, NO_SBP_FUNDS, NOT_AUTHENTICATED, Bank
from simulator.control import NotifyBody, send_any
from simulator.control_bank import FaultBody
from simulator.control_parts import find_payment, the_bank, the_courier, the_faults
from simulator.faults import CALL_FAULT_KINDS, NOTIFICATION, NOTIFICATION_FAULT_KINDS, REFUND, Fault
from simulator.pages import Redirect
from simulator.records import Payment
from simulator.registry import MOSCOW
from simulator.rendering import asked_language, language_argument, render
from simulator.sbp import REFUND_REFUSALS
from simulator.states import WrongStateError

blueprint = Blueprint("developer_pages", __name__)

DAYS = 60
PATIENCE_SECONDS = 3.0
"""How long a press waits for the shop's answers, so that the page shows them."""
LATE_SECONDS = 10.0

ACTS: dict[str, Callable[[Bank, Payment, int | None], Payment]] = {
    "pay": lambda bank, payment, _: bank.pay(payment, "cards"),
    "pay-sbp": lambda bank, payment, _: bank.pay(payment, "qrsbp"),
    "authorize": lambda bank, payment, _: bank.authorize(payment, "cards"),
    "pay-anyway": lambda bank, payment, _: bank.pay(payment, payment.source or "cards", force=True),
    "decline": lambda bank, payment, _: bank.decline(payment, NO_FUNDS, "cards"),
    "decline-sbp": lambda bank, payment, _: bank.decline(payment, NO_SBP_FUNDS, "qrsbp"),
    "fail-3ds": lambda bank, payment, _: bank.decline(payment, NOT_AUTHENTICATED, "cards"),
    "expire": lambda bank, payment, _: bank.expire(payment),
    "refund": lambda bank, payment, amount_minor: bank.refund(payment, amount_minor),
    "finish-refund": lambda bank, payment, _: bank.finish_refund(payment),
    "refuse-refund": lambda bank, payment, _: bank.finish_refund(payment, REFUND_REFUSALS[0]),
    "chargeback": lambda bank, payment, amount_minor: bank.charge_back(payment, amount_minor),
    "chargeback-reversal": lambda bank, payment, _: bank.reverse_charge_back(payment),
    "twin": lambda bank, payment, _: bank.pay(bank.open_twin(payment), "cards", force=True),
}
"""What the bank does with a payment when its button is pressed; some take a sum."""

SWITCHES = ("sbp", "cash_register", "refund_limits")


@blueprint.before_request
async def only_from_our_pages() -> None:
    """A form of a strange page would come with that page's origin."""
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin and urlsplit(origin).netloc != request.host:
        abort(403)


@blueprint.get("/payments/<int:payment_id>")
async def show_payment(payment_id: int) -> str:
    """All that the bank knows about the payment, and buttons for what it may do."""
    bank, payment = find_payment(payment_id)
    store = bank.store
    terminal = store.find_terminal(payment.terminal_key)
    password = terminal.password if terminal else ""
    return await render(
        "simulator/payment.html",
        asked_language(),
        payment=payment,
        possible=possible_acts(payment, bank.now()),
        is_refused="refused" in request.args,
        qr_code=store.find_qr_code(payment.id),
        siblings=[
            one for one in store.list_payments_of_order(payment.terminal_key, payment.order_id) if one != payment
        ],
        operations=store.list_operations(payment.id),
        attempts=store.list_refund_attempts(payment.id),
        notifications=[
            (one, store.list_deliveries(one.id), not messages.is_genuine(one.body, password))
            for one in store.list_notifications(payment.id)
        ],
        requests=store.list_requests(payment.id),
        faults=[fault for fault in the_faults().all() if fault.payment_id == payment.id],
        notification_fault_kinds=NOTIFICATION_FAULT_KINDS,
    )


def possible_acts(payment: Payment, now: float) -> frozenset[str]:
    """The buttons that would not be refused."""
    acts = {"twin"}
    if payment.status in states.UNPAID or (payment.status in states.REFUSED and payment.due_at > now):
        acts |= {"pay", "pay-sbp", "authorize", "decline", "decline-sbp", "fail-3ds"}
    elif payment.status == "AUTHORIZED" and payment.pay_type == "O":
        acts.add("pay")
    elif payment.status not in states.SUCCEEDED:
        acts.add("pay-anyway")
    if payment.status in states.UNPAID:
        acts.add("expire")
    if payment.status in states.HELD | states.PAID and payment.remaining_minor > payment.charged_back_minor:
        acts.add("refund")
        if payment.status in states.PAID:
            acts.add("chargeback")
    if payment.charged_back_minor:
        acts.add("chargeback-reversal")
    if payment.status == "ASYNC_REFUNDING":
        acts |= {"finish-refund", "refuse-refund"}
    return frozenset(acts)


@blueprint.post("/payments/<int:payment_id>/<act>")
async def do_act(payment_id: int, act: str) -> Redirect:
    """One of the buttons; a sum, where one is wished, is in rubles."""
    if act not in ACTS:
        abort(404)
    bank, payment = find_payment(payment_id)
    try:
        payment = ACTS[act](bank, payment, _amount_minor((await request.form).get("amount", "")))
    except (WrongStateError, ValueError):
        return redirect(_payment_url(payment_id, refused=1), 303)
    await the_courier().wait_for_first_tries(payment.id, PATIENCE_SECONDS)
    return redirect(_payment_url(payment.id), 303)


@blueprint.post("/payments/<int:payment_id>/notifications/<int:notification_id>/again")
async def send_again(payment_id: int, notification_id: int) -> Redirect:
    """The same bytes once more."""
    bank, payment = find_payment(payment_id)
    notification = bank.store.find_notification(notification_id)
    if notification is None or notification.payment_id != payment.id:
        abort(404)
    await the_courier().try_once(notification)
    return redirect(_payment_url(payment_id), 303)


@blueprint.post("/payments/<int:payment_id>/notifications/forged")
async def send_forged(payment_id: int) -> Redirect:
    """What a stranger would send, who does not know the password."""
    bank, payment = find_payment(payment_id)
    sent = await send_any(bank, payment, NotifyBody(status="CONFIRMED", password=messages.STRANGERS_PASSWORD))
    return redirect(_payment_url(payment_id, **({} if sent is not None else {"refused": 1})), 303)


@blueprint.post("/payments/<int:payment_id>/next/<kind>")
async def spoil_next(payment_id: int, kind: str) -> Redirect:
    """Something happens to the next notification of this payment."""
    known = {name: name for name in NOTIFICATION_FAULT_KINDS}
    if kind not in known:
        abort(404)
    find_payment(payment_id)
    the_faults().add(Fault(NOTIFICATION, known[kind], seconds=LATE_SECONDS, payment_id=payment_id))
    return redirect(_payment_url(payment_id), 303)


@blueprint.get("/faults")
async def show_faults() -> str:
    """Faults that are set, what has struck, and a form for another."""
    return await _faults_page({})


@blueprint.post("/faults")
async def add_fault() -> Redirect | tuple[str, int]:
    """Set one; a chance is in percent and empty for the next calls only."""
    form = await request.form
    wishes: dict[str, Any] = {name: value.strip() for name, value in form.items() if value.strip()}
    try:
        if "percent" in wishes:
            wishes["probability"] = float(wishes.pop("percent").replace(",", ".")) / 100
        the_faults().add(FaultBody.model_validate(wishes).fault())
    except ValidationError as error:
        names = {str(detail["loc"][0]) if detail["loc"] else "kind" for detail in error.errors()}
        return await _faults_page(form, wrong=names), 422
    except ValueError:
        return await _faults_page(form, wrong={"percent"}), 422
    return redirect(url_for("developer_pages.show_faults", **language_argument()), 303)


@blueprint.post("/faults/clear")
@blueprint.post("/faults/<int:fault_id>/clear")
async def clear_faults(fault_id: int | None = None) -> Redirect:
    """One, or all."""
    the_faults().clear(fault_id)
    return redirect(url_for("developer_pages.show_faults", **language_argument()), 303)


@blueprint.get("/terminals")
async def show_terminals() -> str:
    """What the bank has switched on for each, and the registries of their days."""
    store = the_bank().store
    zone_seconds = int(MOSCOW.utcoffset(None).total_seconds())
    return await render(
        "simulator/terminals.html",
        asked_language(),
        terminals=store.list_terminals(),
        days=store.list_operation_days(zone_seconds, DAYS),
    )


@blueprint.post("/terminals/<terminal_key>/<switch>")
async def switch_terminal(terminal_key: str, switch: str) -> Redirect:
    """On if it was off, off if it was on."""
    store = the_bank().store
    terminal = store.find_terminal(terminal_key)
    if terminal is None or switch not in SWITCHES:
        abort(404)
    changes: dict[str, Any] = {switch: not getattr(terminal, switch)}
    store.save_terminal(replace(terminal, **changes))
    return redirect(url_for("developer_pages.show_terminals", **language_argument()), 303)


async def _faults_page(form: Mapping[str, str], wrong: set[str] | None = None) -> str:
    faults = the_faults()
    return await render(
        "simulator/faults.html",
        asked_language(),
        faults=faults.all(),
        struck=faults.struck(),
        methods=("*", *METHODS, NOTIFICATION, REFUND),
        call_kinds=CALL_FAULT_KINDS,
        notification_kinds=NOTIFICATION_FAULT_KINDS,
        form=form,
        wrong={"percent" if name == "probability" else name for name in wrong or ()},
    )


def _amount_minor(text: str) -> int | None:
    """Rubles with or without kopecks as kopecks, None for nothing. Raises ValueError."""
    text = text.strip().replace(",", ".")
    if not text:
        return None
    whole, _, part = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(part) <= 2 and (not part or part.isdigit())):
        raise ValueError(f"no sum: {text}")
    return int(whole) * 100 + int(part.ljust(2, "0"))


def _payment_url(payment_id: int, **arguments: Any) -> str:
    return url_for("developer_pages.show_payment", payment_id=payment_id, **arguments, **language_argument())
