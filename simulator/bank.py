"""What the simulated bank does with payments, whoever asks: the API, the payment page or a test.

Each function is one transaction. It returns the payment as it is now; notifications it caused
are stored and handed to the courier, which starts sending them at once.
"""

import logging
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Protocol

from simulator import messages, states
from simulator.records import Payment, Terminal
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


NO_FUNDS = Refusal("REJECTED", "1051", "Недостаточно средств на карте", "Оплатить не получилось: на карте мало денег")
NOT_AUTHENTICATED = Refusal("AUTH_FAIL", "101", "Не пройдена идентификация 3DS", "Покупатель не подтвердил платёж")


class Courier(Protocol):
    """Sends stored notifications, now and again until they are answered with OK."""

    def send(self, notification_ids: list[int], order: Order) -> None: ...


class Bank:
    """Payments and their rules, over a store, a courier and a clock (unix seconds)."""

    def __init__(self, store: Store, courier: Courier, now: Callable[[], float]) -> None:
        self.store = store
        self.now = now
        self._courier = courier

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
                    **wishes,
                }
            )

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
        if payment.pay_type == "T":
            return self.authorize(payment, source, notify=notify, force=force)
        if payment.status == "AUTHORIZED":
            return self._move(payment, ("CONFIRMING", "CONFIRMED"), notify=notify)
        path = (*self._to_form(payment, force=force), "AUTHORIZING", "AUTHORIZED", "CONFIRMING", "CONFIRMED")
        return self._move(payment, path, changes, notify=notify, order=order, force=force)

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
        return self._move(payment, ("CONFIRMING", "CONFIRMED"), {"remaining_minor": amount_minor})

    def cancel(self, payment: Payment, amount_minor: int) -> Payment:
        """Call off, release or refund `amount_minor` (at most what remains), by the payment's state."""
        remaining = payment.remaining_minor - amount_minor
        if payment.status in states.UNPAID:
            return self._move(payment, ("CANCELED",))
        if payment.status in states.HELD:
            end = "PARTIAL_REVERSED" if remaining else "REVERSED"
            return self._move(payment, ("REVERSING", end), {"remaining_minor": remaining})
        if payment.source == "qrsbp":
            changes = {"refund_minor": amount_minor, "refund_done_at": self.now() + SBP_REFUND_SECONDS}
            return self._move(payment, ("REFUNDING", "ASYNC_REFUNDING"), changes)
        end = "PARTIAL_REFUNDED" if remaining else "REFUNDED"
        return self._move(payment, ("REFUNDING", end), {"remaining_minor": remaining})

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
            remaining = payment.remaining_minor - payment.refund_minor
            changes = {"remaining_minor": remaining, "refund_minor": 0, "refund_done_at": None}
            self._move(payment, ("PARTIAL_REFUNDED" if remaining else "REFUNDED",), changes)

    def current(self, payment: Payment) -> Payment:
        """The payment as of now: expired if its link has run out since anybody looked."""
        if payment.status in states.UNPAID and payment.due_at <= self.now():
            return self.expire(payment)
        return payment

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
    ) -> Payment:
        """Go along the path, remember each step, tell the shop what it is told of. Raises WrongStateError."""
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
            if notify:
                self.notify(payment, [status for status in path if status in states.NOTIFIED], order)
        logger.info("payment %s of order %s: %s", payment.id, payment.order_id, " > ".join(path))
        return payment


def describe(payment: Payment) -> dict[str, Any]:
    """The payment as the control API shows it."""
    return {**asdict(payment), "history": [list(step) for step in payment.history]}
