"""A bank for tests that play with chance: what it says is true, though calls to it fail and its messages come anyhow.

Two temperaments. The signing one (as T-Bank): its notifications vouch for themselves, it looks orders up, calls unpaid
payments off, and makes two payments of one order if it likes. The asking one (as YooKassa): its notifications prove
nothing, the same order again is the same payment, and the same refund again is the same refund.
"""

import dataclasses
import itertools
import json
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain.payment_status import NewsStatus
from providers.outcomes import (
    ProviderPermanentError,
    ProviderTemporaryError,
    ProviderUnknownOutcomeError,
    RefusalReason,
)
from providers.provider import (
    Credentials,
    Incoming,
    Notification,
    OpenedPayment,
    Opening,
    PaymentState,
    Refund,
    RefundAnswer,
    RefundStatus,
    RegistryRow,
)

LAG_SECONDS = 300.0


class Trouble(StrEnum):
    """What becomes of a call."""

    AWAY = "away"
    """Nothing was done, and the caller knows it."""
    UNHEARD = "unheard"
    """Nothing was done, and the caller does not know."""
    LOST = "lost"
    """It was done, and the caller does not know; for some minutes the bank's other answers do not know it either."""
    DEADLY = "deadly"
    """It was done, and the caller's process died."""
    REFUSED = "refused"
    SLOW = "slow"
    """A refund is only begun; other calls are as always."""
    RACED = "raced"
    """The donor pays the moment before."""


class WorkerDiedError(BaseException):
    """As when a process is killed: nothing that handles errors sees it."""


@dataclass
class BankPayment:
    """A payment as the bank has it; kopecks. `word` is its state until money came."""

    id: str
    order_id: str
    asked_minor: int
    word: NewsStatus = NewsStatus.PENDING
    taken_minor: int = 0
    refunded_minor: int = 0
    refunding_minor: int = 0
    method: str = ""
    unseen_minor: int = 0
    seen_at: float = 0
    """Until then `unseen_minor` went back and the bank's answers do not show it."""

    @property
    def is_open(self) -> bool:
        return self.taken_minor == 0 and self.word in (NewsStatus.PENDING, NewsStatus.FAILED, NewsStatus.AUTHORIZED)

    @property
    def left_minor(self) -> int:
        return self.taken_minor - self.refunded_minor

    @property
    def status(self) -> NewsStatus:
        if self.taken_minor == 0:
            return self.word
        if self.left_minor == 0:
            return NewsStatus.REFUNDED
        return NewsStatus.PARTIALLY_REFUNDED if self.refunded_minor else NewsStatus.CONFIRMED


@dataclass
class BankRefund:
    id: str
    payment: BankPayment
    amount_minor: int
    status: RefundStatus


@dataclass
class Told:
    """A notification on its way: it says what was so when it was written."""

    body: bytes
    order_id: str
    payment_id: str


@dataclass
class ModelBank:
    """Implements `providers.provider.Provider`."""

    name: str
    signs_notifications: bool
    payments: dict[str, BankPayment] = field(default_factory=dict)
    refunds: dict[str, BankRefund] = field(default_factory=dict)
    on_their_way: list[Told] = field(default_factory=list)
    troubles: dict[str, list[Trouble]] = field(default_factory=lambda: defaultdict(list))
    clock: float = 0
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    title = key_title = secret_title = "A model"
    key_max_length = 20
    notification_networks: tuple[str, ...] = ()
    offers_sbp_codes = False
    has_registry = False

    def __post_init__(self) -> None:
        self.reopens = self.repeats_refunds = not self.signs_notifications

    def is_test(self, _: Credentials) -> bool:
        return True

    # -- what donors and the bank's own people do

    def pay(self, payment: BankPayment, minor: int, method: str) -> None:
        payment.taken_minor, payment.method = minor, method
        self.tell(payment)

    def move(self, payment: BankPayment, word: NewsStatus) -> None:
        payment.word = word
        self.tell(payment)

    def make_twin(self, payment: BankPayment) -> BankPayment:
        """A second payment of the same order, as when our question for one was carried out twice."""
        return self._make(payment.order_id, payment.asked_minor)

    def give_back(self, payment: BankPayment, minor: int) -> None:
        """From the cabinet, or a refund that was slow."""
        payment.refunded_minor += minor
        self.tell(payment)

    def end_refund(self, refund: BankRefund, *, done: bool) -> None:
        refund.payment.refunding_minor -= refund.amount_minor
        refund.status = RefundStatus.DONE if done else RefundStatus.REFUSED
        if done:
            refund.payment.refunded_minor += refund.amount_minor
        self.tell(refund.payment)

    def tell(self, payment: BankPayment, **lies: Any) -> None:
        fields = {
            "payment_id": payment.id,
            "order_id": payment.order_id,
            "status": payment.status,
            # T-Bank tells the sum of the refund or what is left, it does not say which: nothing to count with.
            "amount_minor": payment.taken_minor or payment.asked_minor,
            "number": next(self._numbers),
            **lies,
        }
        self.on_their_way.append(Told(json.dumps(fields).encode(), payment.order_id, payment.id))

    # -- calls

    async def open(self, _: Credentials, opening: Opening) -> OpenedPayment:
        trouble = self._meet("open")
        known = [payment for payment in self.payments.values() if payment.order_id == opening.order_id]
        payment = known[0] if known and self.reopens else self._make(opening.order_id, opening.amount_minor)
        self._suffer(trouble)
        return OpenedPayment(payment.id, f"https://bank.example/{payment.id}")

    async def get_state(self, _: Credentials, provider_payment_id: str) -> PaymentState:
        trouble = self._meet("get_state")
        self._suffer(trouble)
        return self._state(self._find(provider_payment_id))

    async def list_order(self, _: Credentials, order_id: str) -> tuple[PaymentState, ...]:
        if self.reopens:
            return ()
        self._suffer(self._meet("list_order"))
        return tuple(self._state(payment) for payment in self.payments.values() if payment.order_id == order_id)

    async def call_off(self, _: Credentials, provider_payment_id: str) -> PaymentState:
        payment = self._find(provider_payment_id)
        trouble = self._meet("call_off")
        if trouble is Trouble.RACED and payment.is_open:
            self.pay(payment, payment.asked_minor, "card")
        if self.signs_notifications:
            if payment.left_minor and not payment.refunding_minor:
                self.give_back(payment, payment.left_minor)
            elif payment.taken_minor == 0 and payment.word in (NewsStatus.PENDING, NewsStatus.AUTHORIZED):
                self.move(payment, NewsStatus.CANCELLED)
        elif payment.taken_minor == 0 and payment.word is NewsStatus.AUTHORIZED:
            self.move(payment, NewsStatus.CANCELLED)
        self._suffer(trouble)
        return self._state(payment)

    async def get_sbp_payload(self, _: Credentials, _id: str) -> str | None:
        return None

    async def refund(self, _: Credentials, refund: Refund) -> RefundAnswer:
        payment = self._find(refund.provider_payment_id)
        trouble = self._meet("refund")
        if trouble is Trouble.REFUSED:
            raise ProviderPermanentError("refused", "no funds", RefusalReason.REFUND_WITHOUT_FUNDS)
        made = self.refunds.get(refund.key)
        if made is None or not (self.repeats_refunds or payment.method == "card"):
            if refund.amount_minor > payment.left_minor - payment.refunding_minor:
                raise ProviderPermanentError("too_much", "less remains", RefusalReason.WRONG_STATE)
            made = BankRefund(refund.key, payment, refund.amount_minor, RefundStatus.DONE)
            self.refunds[refund.key if refund.key not in self.refunds else f"{refund.key}+"] = made
            if trouble is Trouble.SLOW:
                made.status = RefundStatus.PENDING
                payment.refunding_minor += refund.amount_minor
            else:
                self.give_back(payment, refund.amount_minor)
                if trouble in (Trouble.LOST, Trouble.DEADLY) and self.signs_notifications:
                    payment.unseen_minor, payment.seen_at = refund.amount_minor, self.clock + LAG_SECONDS
        self._suffer(trouble)
        return self._answer(made)

    async def get_refund(self, _: Credentials, _id: str, provider_refund_id: str) -> RefundAnswer:
        self._suffer(self._meet("get_refund"))
        made = self.refunds.get(provider_refund_id)
        if made is None:
            raise ProviderPermanentError("unknown", "no such refund", RefusalReason.NOT_FOUND)
        return self._answer(made)

    async def check_credentials(self, _: Credentials) -> None:
        return None

    # -- messages

    def read(self, raw: bytes) -> Incoming:
        fields = json.loads(raw)
        return Incoming("key", str(fields["number"]), fields["order_id"], fields["payment_id"], fields)

    def verify(self, _incoming: Incoming, _secret: str) -> bool:
        return self.signs_notifications

    def parse(self, raw: bytes) -> Notification:
        fields = json.loads(raw)
        return Notification(
            order_id=fields["order_id"],
            provider_payment_id=fields["payment_id"],
            status=NewsStatus(fields["status"]),
            provider_status=fields["status"].upper(),
            amount_minor=fields["amount_minor"],
            error_code="0",
            error_message="",
            is_about_payment=True,
        )

    def parse_registry(self, _raw: bytes) -> list[RegistryRow]:
        return []

    # -- inside

    def _make(self, order_id: str, minor: int) -> BankPayment:
        payment = BankPayment(f"{self.name}-{next(self._numbers)}", order_id, minor)
        self.payments[payment.id] = payment
        return payment

    def _find(self, payment_id: str) -> BankPayment:
        if payment_id not in self.payments:
            raise ProviderPermanentError("unknown", "no such payment", RefusalReason.NOT_FOUND)
        return self.payments[payment_id]

    def _meet(self, call: str) -> Trouble | None:
        """The next trouble of such a call; what keeps it from being done at all is raised."""
        trouble = self.troubles[call].pop(0) if self.troubles[call] else None
        if trouble is Trouble.AWAY:
            raise ProviderTemporaryError("away", "not reached")
        if trouble is Trouble.UNHEARD:
            raise ProviderUnknownOutcomeError("unheard", "timed out")
        return trouble

    def _suffer(self, trouble: Trouble | None) -> None:
        if trouble is Trouble.LOST:
            raise ProviderUnknownOutcomeError("lost", "timed out")
        if trouble is Trouble.DEADLY:
            raise WorkerDiedError

    def _state(self, payment: BankPayment) -> PaymentState:
        if self.clock < payment.seen_at:
            payment = dataclasses.replace(payment, refunded_minor=payment.refunded_minor - payment.unseen_minor)
        status = payment.status
        if payment.refunding_minor and self.signs_notifications:
            status = NewsStatus.REFUNDING
        amount = payment.left_minor if payment.taken_minor else payment.asked_minor
        return PaymentState(
            provider_payment_id=payment.id,
            order_id=payment.order_id,
            status=status,
            provider_status=status.upper(),
            amount_minor=amount,
            error_code="0",
            error_message="",
            raw=b"{}",
            method=payment.method,
        )

    def _answer(self, refund: BankRefund) -> RefundAnswer:
        state = self._state(refund.payment) if self.signs_notifications else None
        return RefundAnswer(
            refund.status, refund.id, state, error_code="refused" if refund.status is RefundStatus.REFUSED else ""
        )
