"""The truth: what the simulated banks took and gave back, read from their own file when they have stopped."""

from dataclasses import dataclass
from pathlib import Path

from simulator.store import Store
from simulator.yookassa.store import YooKassaStore
from tests.chaos.plan import TBANK, YOOKASSA

ALL = 10**9


@dataclass(frozen=True)
class BankPayment:
    """Kopecks. `is_taken`: the donor's money came, whatever went back since."""

    provider: str
    id: str
    order_id: str
    status: str
    amount_minor: int
    returned_minor: int
    is_taken: bool


def read_bank(folder: Path) -> list[BankPayment]:
    path = folder / "simulator.sqlite3"
    store = Store(path)
    try:
        found = [
            BankPayment(
                provider=TBANK,
                id=str(payment.id),
                order_id=payment.order_id,
                status=payment.status,
                amount_minor=payment.amount_minor,
                returned_minor=payment.amount_minor - payment.remaining_minor,
                is_taken=any(status == "CONFIRMED" for status, _ in payment.history),
            )
            for payment in store.list_recent_payments(None, ALL)
        ]
    finally:
        store.close()
    shop = YooKassaStore(path)
    try:
        found += [
            BankPayment(
                provider=YOOKASSA,
                id=payment.id,
                order_id=payment.order_id or "",
                status=payment.status,
                amount_minor=payment.amount_minor,
                returned_minor=payment.refunded_minor,
                is_taken=payment.status == "succeeded",
            )
            for payment in shop.list_recent_payments(None, ALL)
        ]
    finally:
        shop.close()
    return found
