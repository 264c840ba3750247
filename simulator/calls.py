"""What every method of the bank's API gets and gives."""

from dataclasses import dataclass
from typing import Any

from simulator.bank import Bank
from simulator.records import Payment, Terminal

Answer = tuple[dict[str, Any], int | None]
"""The JSON to answer with, and the payment it is about."""


@dataclass(frozen=True)
class Call:
    """One call of a method, its Token already checked. `base_url` is where the caller reaches us."""

    bank: Bank
    terminal: Terminal
    fields: dict[str, Any]
    base_url: str


def envelope(payment: Payment) -> dict[str, Any]:
    """The fields that most answers begin with."""
    return {
        "Success": True,
        "ErrorCode": "0",
        "TerminalKey": payment.terminal_key,
        "Status": payment.status,
        "OrderId": payment.order_id,
    }
