"""What the simulated YooKassa does with payments, whoever asks: the API, the payment page or a test.

Each function is one transaction. It returns things as they are now; notifications it caused are stored and handed
to the courier, which starts sending them at once.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from simulator.bank import Courier
from simulator.states import WrongStateError
from simulator.yookassa import objects
from simulator.yookassa.records import Payment, Refund, RefundPlan, Shop
from simulator.yookassa.store import YooKassaStore

logger = logging.getLogger(__name__)

PENDING_SECONDS = 3600.0
"""How long a payer has, whatever the method."""

HOLD_SECONDS = 7 * 24 * 3600.0
"""How long a card's money stays held."""

TRANSITIONS = {
    "pending": frozenset({"waiting_for_capture", "succeeded", "canceled"}),
    "waiting_for_capture": frozenset({"succeeded", "canceled"}),
    "succeeded": frozenset[str](),
    "canceled": frozenset[str](),
}


class YooKassaBank:
    """Payments and their rules, over a store, a courier and a clock (unix seconds)."""

    def __init__(self, store: YooKassaStore, courier: Courier, now: Callable[[], float]) -> None:
        self.store = store
        self.now = now
        self._courier = courier
        self.base_url = ""
        """Where callers reach us, as the last call of the API had it; notifications show pages under it."""

    def open_payment(self, shop: Shop, wishes: dict[str, Any]) -> Payment:
        """A pending payment; `wishes` are the columns that the shop decides."""
        now = self.now()
        return self.store.insert_payment(
            {
                "id": objects.new_id("000f", now),
                "shop_id": shop.shop_id,
                "refunded_minor": 0,
                "status": "pending",
                "history": (("pending", now),),
                "method": None,
                "cancel_party": "",
                "cancel_reason": "",
                "expires_at": now + PENDING_SECONDS,
                "captured_at": None,
                "created_at": now,
                **wishes,
            }
        )

    def pay(self, payment: Payment, method: str, *, notify: bool = True) -> Payment:
        """The payer pays: `succeeded` for one stage, `waiting_for_capture` for two."""
        now = self.now()
        changes: dict[str, Any] = {"method": method}
        if not payment.capture:
            if method == "sbp":
                raise WrongStateError("money cannot be held through SBP")
            return self._move(
                payment, "waiting_for_capture", {**changes, "expires_at": now + HOLD_SECONDS}, notify=notify
            )
        return self._move(payment, "succeeded", {**changes, "captured_at": now}, notify=notify)

    def decline(
        self, payment: Payment, method: str, *, reason: str, party: str = "payment_network", notify: bool = True
    ) -> Payment:
        """The payer's try fails, and with it the payment, for good."""
        if payment.status != "pending":
            raise WrongStateError(f"{payment.status} cannot be declined")
        return self._cancel(payment, party, reason, {"method": method}, notify=notify)

    def expire(self, payment: Payment, *, notify: bool = True) -> Payment:
        """Nobody paid or captured in time. The shop is told."""
        reason = "expired_on_confirmation" if payment.status == "pending" else "expired_on_capture"
        return self._cancel(payment, "yoo_money", reason, {}, notify=notify)

    def capture(self, payment: Payment, amount_minor: int) -> Payment:
        """Take a held sum, or a part of it; the rest is released."""
        return self._move(payment, "succeeded", {"amount_minor": amount_minor, "captured_at": self.now()})

    def cancel(self, payment: Payment) -> Payment:
        """The shop releases a held sum."""
        if payment.status != "waiting_for_capture":
            raise WrongStateError(f"{payment.status} cannot be cancelled")
        return self._cancel(payment, "merchant", "canceled_by_merchant", {})

    def left_minor(self, payment: Payment) -> int:
        """What can still be given back: neither gone nor on its way."""
        pending = sum(refund.amount_minor for refund in self.store.list_refunds(payment.id) if refund.done_at)
        return payment.amount_minor - payment.refunded_minor - pending

    def refund(self, payment: Payment, amount_minor: int, plan: RefundPlan, *, notify: bool = True) -> Refund:
        """Give back `amount_minor` as the plan says, at once or later. Raises WrongStateError."""
        if payment.status != "succeeded":
            raise WrongStateError(f"{payment.status} cannot be refunded")
        if amount_minor > self.left_minor(payment):
            raise WrongStateError("that much is not left")
        now = self.now()
        refund = Refund(
            id=objects.new_id("0015", now),
            payment_id=payment.id,
            amount_minor=amount_minor,
            status="pending",
            result=plan.result,
            reason=plan.reason,
            done_at=now + plan.seconds,
            created_at=now,
        )
        with self.store.transaction():
            self.store.save_refund(refund)
            return refund if plan.seconds else self._finish(refund, notify=notify)

    def let_time_pass(self) -> None:
        """Payments that nobody paid expire, refunds on their way arrive."""
        now = self.now()
        for payment in self.store.list_overdue_payments(now):
            self.expire(payment)
        for refund in self.store.list_finished_refunds(now):
            self._finish(refund)

    def find_payment(self, payment_id: str) -> Payment | None:
        """As of now."""
        self.let_time_pass()
        return self.store.find_payment(payment_id)

    def show(self, payment: Payment) -> dict[str, Any]:
        return objects.payment_object(payment, f"{self.base_url}yookassa/pay/{payment.id}")

    def _cancel(
        self, payment: Payment, party: str, reason: str, changes: dict[str, Any], *, notify: bool = True
    ) -> Payment:
        return self._move(
            payment, "canceled", {**changes, "cancel_party": party, "cancel_reason": reason}, notify=notify
        )

    def _finish(self, refund: Refund, *, notify: bool = True) -> Refund:
        """A refund arrives, or turns out to be impossible, of which the shop hears nothing."""
        payment = self.store.find_payment(refund.payment_id)
        assert payment is not None
        refund = replace(refund, status=refund.result, done_at=None)
        with self.store.transaction():
            self.store.save_refund(refund)
            if refund.status == "succeeded":
                self.store.update_payment(payment.id, {"refunded_minor": payment.refunded_minor + refund.amount_minor})
                if notify:
                    self._notify(payment, "refund.succeeded", objects.refund_object(refund))
        logger.info("refund %s of payment %s: %s", refund.id, payment.id, refund.status)
        return refund

    def _move(self, payment: Payment, status: str, changes: dict[str, Any], *, notify: bool = True) -> Payment:
        """To another status, remembering it and telling the shop. Raises WrongStateError."""
        if status not in TRANSITIONS[payment.status]:
            raise WrongStateError(f"{payment.status} cannot become {status}")
        moved = {**changes, "status": status, "history": (*payment.history, (status, self.now()))}
        payment = replace(payment, **moved)
        with self.store.transaction():
            self.store.update_payment(payment.id, moved)
            if notify:
                self._notify(payment, f"payment.{status}", self.show(payment))
        logger.info("payment %s of order %s: %s", payment.id, payment.order_id, status)
        return payment

    def _notify(self, payment: Payment, event: str, subject: dict[str, Any]) -> None:
        """Store and send it, if the shop has an address for it."""
        shop = self.store.find_shop(payment.shop_id)
        if shop is None or not shop.notification_url:
            return
        body = objects.notification(event, subject)
        notification_id = self.store.insert_notification(payment.number, event, shop.notification_url, body, self.now())
        self._courier.send([notification_id], "random")
