"""What the simulated bank does with payments, whoever asks: the API, the payment page or a test.

Each function is one transaction. It returns the payment as it is now; notifications it caused
are stored and handed to the courier, which starts sending them at once.
"""

import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Protocol

from simulator import messages, states
from simulator.faults import REFUND, Faults
from simulator.records import Payment, RefundAttempt, Terminal
from simulator.states import WrongStateError, require_path
from simulator.store import Store

logger = logging.getLogger(__name__)

Order = Literal["random", "authorized_first", "confirmed_first"]

SBP_REFUND_SECONDS = 2.0
"""How long a refund through SBP stays ASYNC_REFUNDING."""


@dataclass(frozen=True)
class Refusal:
    """Why a payer's try failed, as the shop is told."""

    status: str
    code: str
    message: str
    details: str


NO_SBP_FUNDS = Refusal("REJECTED", "5060", "У покупателя недостаточно денег", "Банк покупателя не смог провести платёж")
NO_FUNDS = Refusal("REJECTED", "1051", "Недостаточно средств на карте", "Оплатить не получилось: на карте мало денег")
NOT_AUTHENTICATED = Refusal("AUTH_FAIL", "101", "Не пройдена идентификация 3DS", "Покупатель не подтвердил платёж")


TWIN_COLUMNS = (
    "order_id",
    "amount_minor",
    "description",
    "pay_type",
    "language",
    "notification_url",
    "success_url",
    "fail_url",
    "due_at",
    "data",
)
"""What two payments of one order have in common."""


class Courier(Protocol):
    """Sends stored notifications, now and again until they are answered with OK."""

    def send(self, notification_ids: list[int], order: Order) -> None: ...


class Bank:
    """Payments and their rules, over a store, a courier, faults of refunds and a clock (unix seconds)."""

    def __init__(self, store: Store, courier: Courier, faults: Faults, now: Callable[[], float]) -> None:
        self.store = store
        self.now = now
        self._courier = courier
        self._faults = faults

    def open_payment(self, terminal: Terminal, wishes: dict[str, Any]) -> Payment:
        """A payment in NEW; `wishes` are the columns that Init decides."""
        now = self.now()
        with self.store.transaction():
            return self.store.insert_payment(
                {
                    "code": secrets.token_urlsafe(9),
                    "terminal_key": terminal.terminal_key,
                    "remaining_minor": wishes["amount_minor"],
                    "status": "NEW",
                    "history": (("NEW", now),),
                    "source": None,
                    "error_code": "0",
                    "error_message": "",
                    "error_details": "",
                    "refund_minor": 0,
                    "refund_done_at": None,
                    "created_at": now,
                    "data": json.dumps({}),
                    "charged_back_minor": 0,
                    **wishes,
                }
            )

    def open_twin(self, payment: Payment) -> Payment:
        """Another payment of the same order, even of a paid one: what Init refuses and life brings all the same."""
        terminal = self.store.find_terminal(payment.terminal_key)
        assert terminal is not None
        return self.open_payment(terminal, {column: getattr(payment, column) for column in TWIN_COLUMNS})

    def show_form(self, payment: Payment) -> Payment:
        """The payer opened the page: NEW becomes FORM_SHOWED, anything else stays."""
        return self._move(payment, ("FORM_SHOWED",)) if payment.status == "NEW" else payment

    def authorize(self, payment: Payment, source: str, *, notify: bool = True, force: bool = False) -> Payment:
        """The payer's bank holds the money. `force` goes there from any state."""
        changes = {"source": source, "error_code": "0", "error_message": "", "error_details": ""}
        path = (*self._to_form(payment, force=force), "AUTHORIZING", "AUTHORIZED")
        return self._move(payment, path, changes, notify=notify, force=force)

    def pay(
        self,
        payment: Payment,
        source: str,
        *,
        notify: bool = True,
        order: Order = "random",
        force: bool = False,
    ) -> Payment:
        """The payer pays: CONFIRMED for one stage, AUTHORIZED for two.

        A one-stage payment that hangs in AUTHORIZED is completed. `force` pays from any state:
        a bank may confirm what the shop has long given up.
        """
        changes = {"source": source, "error_code": "0", "error_message": "", "error_details": ""}
        debit = ("Debit", payment.remaining_minor)
        if payment.pay_type == "T":
            return self.authorize(payment, source, notify=notify, force=force)
        if payment.status == "AUTHORIZED":
            return self._move(payment, ("CONFIRMING", "CONFIRMED"), notify=notify, operation=debit)
        path = (*self._to_form(payment, force=force), "AUTHORIZING", "AUTHORIZED", "CONFIRMING", "CONFIRMED")
        return self._move(payment, path, changes, notify=notify, order=order, force=force, operation=debit)

    def decline(self, payment: Payment, refusal: Refusal, source: str, *, notify: bool = True) -> Payment:
        """The payer's try fails; until the link runs out there may be another."""
        changes = {
            "source": source,
            "error_code": refusal.code,
            "error_message": refusal.message,
            "error_details": refusal.details,
        }
        path = (*self._to_form(payment), "AUTHORIZING", refusal.status)
        return self._move(payment, path, changes, notify=notify)

    def expire(self, payment: Payment, status: str = "DEADLINE_EXPIRED") -> Payment:
        """The link dies. The shop is not told, as in real life."""
        path = (*self._to_form(payment), status) if status == "ATTEMPTS_EXPIRED" else (status,)
        return self._move(payment, path)

    def confirm(self, payment: Payment, amount_minor: int) -> Payment:
        """Take a held sum, or a part of it; the rest is released."""
        changes, debit = {"remaining_minor": amount_minor}, ("Debit", amount_minor)
        return self._move(payment, ("CONFIRMING", "CONFIRMED"), changes, operation=debit)

    def cancel(self, payment: Payment, amount_minor: int) -> Payment:
        """Call off, release or refund `amount_minor` (at most what remains), by the payment's state."""
        remaining = payment.remaining_minor - amount_minor
        if payment.status in states.UNPAID:
            return self._move(payment, ("CANCELED",))
        if payment.status in states.HELD:
            end = "PARTIAL_REVERSED" if remaining else "REVERSED"
            return self._move(payment, ("REVERSING", end), {"remaining_minor": remaining})
        if payment.source == "qrsbp":
            return self._start_sbp_refund(payment, amount_minor)
        end = "PARTIAL_REFUNDED" if remaining else "REFUNDED"
        credit = ("Credit", amount_minor)
        return self._move(payment, ("REFUNDING", end), {"remaining_minor": remaining}, operation=credit)

    def refund(self, payment: Payment, amount_minor: int | None = None) -> Payment:
        """Give back a part, or (None) all: the shop did so in the bank's cabinet. Raises WrongStateError."""
        if payment.status not in states.HELD | states.PAID:
            raise WrongStateError(f"{payment.status} has nothing to give back")
        refundable = payment.remaining_minor - payment.charged_back_minor
        return self.cancel(payment, self._part(amount_minor, refundable))

    def finish_refund(self, payment: Payment, code: str | None = None) -> Payment:
        """The refund through SBP that is on its way arrives, or is refused with `code`. Raises WrongStateError."""
        if payment.status != "ASYNC_REFUNDING":
            raise WrongStateError(f"{payment.status}: no refund is on its way")
        if code is not None:
            self.store.change_last_refund_attempt(payment.id, code)
        [*_, attempt] = self.store.list_refund_attempts(payment.id)
        done = {"refund_minor": 0, "refund_done_at": None}
        if attempt.code:
            # The shop is not told: GetQrState has the reason.
            was_refunded = any(status == "PARTIAL_REFUNDED" for status, _ in payment.history)
            return self._move(payment, ("PARTIAL_REFUNDED" if was_refunded else "CONFIRMED",), done, notify=False)
        remaining = payment.remaining_minor - payment.refund_minor
        return self._move(
            payment,
            ("PARTIAL_REFUNDED" if remaining else "REFUNDED",),
            {**done, "remaining_minor": remaining},
            operation=("Credit", payment.refund_minor),
        )

    def charge_back(self, payment: Payment, amount_minor: int | None = None, fee_minor: int = 0) -> Payment:
        """The payer's bank takes the money back: only the registry tells. Raises WrongStateError."""
        if payment.status not in states.PAID:
            raise WrongStateError(f"{payment.status} has no money to charge back")
        amount_minor = self._part(amount_minor, payment.remaining_minor - payment.charged_back_minor)
        operations = [("Chargeback", amount_minor), ("Chargeback_Fee", fee_minor)]
        return self._dispute(payment, payment.charged_back_minor + amount_minor, operations)

    def reverse_charge_back(self, payment: Payment) -> Payment:
        """The shop won: all that was charged back returns. Raises WrongStateError."""
        if not payment.charged_back_minor:
            raise WrongStateError("nothing is charged back")
        return self._dispute(payment, 0, [("Chargeback_Reversal", payment.charged_back_minor)])

    def notify(self, payment: Payment, statuses: list[str], order: Order = "random") -> None:
        """Store and send notifications about these statuses, if the shop has an address for them."""
        terminal = self.store.find_terminal(payment.terminal_key)
        url = payment.notification_url or (terminal.notification_url if terminal else None)
        if terminal is None or not url:
            return
        ids = [
            self.store.insert_notification(
                payment.id,
                status,
                url,
                messages.signed(messages.notification_fields(payment, status), terminal.password),
                self.now(),
            )
            for status in statuses
        ]
        self._courier.send(ids, order)

    def let_time_pass(self) -> None:
        """Links that ran out expire, refunds on their way arrive."""
        now = self.now()
        for payment in self.store.list_overdue_payments(now):
            self.expire(payment)
        for payment in self.store.list_finished_refunds(now):
            self.finish_refund(payment)

    def current(self, payment: Payment) -> Payment:
        """The payment as of now: expired if its link has run out since anybody looked."""
        if payment.status in states.UNPAID and payment.due_at <= self.now():
            return self.expire(payment)
        return payment

    def _start_sbp_refund(self, payment: Payment, amount_minor: int) -> Payment:
        now = self.now()
        fault = self._faults.take(REFUND, payment.id)
        seconds = fault.seconds if fault and fault.kind == "delay" else SBP_REFUND_SECONDS
        code = fault.code if fault and fault.kind == "error_code" else ""
        self.store.insert_refund_attempt(RefundAttempt(payment.id, amount_minor, now, code))
        changes = {"refund_minor": amount_minor, "refund_done_at": now + seconds}
        return self._move(payment, ("REFUNDING", "ASYNC_REFUNDING"), changes)

    def _part(self, amount_minor: int | None, whole_minor: int) -> int:
        """The wished part of what there is, or all of it. Raises WrongStateError."""
        if not 0 < (amount_minor or whole_minor) <= whole_minor:
            raise WrongStateError(f"only {whole_minor} kopecks are left")
        return amount_minor or whole_minor

    def _dispute(self, payment: Payment, charged_back_minor: int, operations: list[tuple[str, int]]) -> Payment:
        with self.store.transaction():
            self.store.update_payment(payment.id, {"charged_back_minor": charged_back_minor})
            for kind, amount_minor in operations:
                if amount_minor:
                    self.store.insert_operation(payment.id, kind, amount_minor, self.now())
        logger.info("payment %s of order %s: %s", payment.id, payment.order_id, operations[0][0])
        return replace(payment, charged_back_minor=charged_back_minor)

    def _to_form(self, payment: Payment, *, force: bool = False) -> tuple[str, ...]:
        """The steps to an open form, where every try to pay begins."""
        if payment.status == "FORM_SHOWED":
            return ()
        if not force and payment.status in states.REFUSED and payment.due_at <= self.now():
            raise WrongStateError("the link has run out")
        return ("FORM_SHOWED",)

    def _move(
        self,
        payment: Payment,
        path: tuple[str, ...],
        changes: dict[str, Any] | None = None,
        *,
        notify: bool = True,
        order: Order = "random",
        force: bool = False,
        operation: tuple[str, int] | None = None,
    ) -> Payment:
        """Go along the path, remember each step and the money that moved, tell the shop. Raises WrongStateError."""
        if not force:
            require_path(payment.status, path)
        now = self.now()
        moved = {
            **(changes or {}),
            "status": path[-1],
            "history": payment.history + tuple((status, now) for status in path),
        }
        payment = replace(payment, **moved)
        with self.store.transaction():
            self.store.update_payment(payment.id, moved)
            if operation and operation[1]:
                self.store.insert_operation(payment.id, *operation, now)
            if notify:
                self.notify(payment, [status for status in path if status in states.NOTIFIED], order)
        logger.info("payment %s of order %s: %s", payment.id, payment.order_id, " > ".join(path))
        return payment


def describe(payment: Payment) -> dict[str, Any]:
    """The payment as the control API shows it."""
    return {**asdict(payment), "history": [list(step) for step in payment.history]}
