"""Faults on demand: what a bank does on a bad day, for the next calls of a method or now and then."""

import random
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, get_args

CallFaultKind = Literal[
    "error_500",
    "error_502",
    "error_503",
    "error_429",
    "timeout_after",
    "delay",
    "reset",
    "invalid_json",
    "error_code",
]
NotificationFaultKind = Literal["lost", "late", "doubled", "reordered", "forged"]
FaultKind = CallFaultKind | NotificationFaultKind

CALL_FAULT_KINDS: tuple[CallFaultKind, ...] = get_args(CallFaultKind)
NOTIFICATION_FAULT_KINDS: tuple[NotificationFaultKind, ...] = get_args(NotificationFaultKind)

HTTP_ERRORS = {"error_500": 500, "error_502": 502, "error_503": 503, "error_429": 429}

NOTIFICATION, REFUND = "Notification", "Refund"
"""What is no call of the shop's, and therefore not meant by "*"."""


@dataclass(frozen=True)
class Fault:
    """What happens to calls of `method` ("*" is any): to the next `times`, or to each with `probability`.

    For calls:
    - error_500, error_502, error_503, error_429: an HTML page with that HTTP status.
    - timeout_after: carried out, then silence for `seconds`.
    - delay: `seconds` of silence, then the usual answer.
    - reset: the connection ends in the middle of the answer.
    - invalid_json: HTTP 200 with an HTML page.
    - error_code: refused with `code`, without looking at the request.

    For the method "Notification":
    - lost (and every kind above but delay): this try is lost, the courier comes again.
    - late: the first try comes after `seconds`.
    - doubled: the first try is made twice at the same time.
    - reordered: it comes after a later one of the same payment, or after `seconds`.
    - forged: another one with a wrong Token comes before it.

    For the method "Refund" (through SBP): error_code refuses it with `code`, delay makes it take `seconds`.

    `carried_out` says whether the call is done all the same (always for timeout_after and
    delay, never for error_code). A fault with a `probability` stays until it is taken back; the
    same `seed` strikes the same calls of the same sequence. With a `payment_id` it is for that payment only.
    """

    method: str
    kind: FaultKind
    times: int = 1
    seconds: float = 60.0
    code: str = "9999"
    carried_out: bool = True
    probability: float | None = None
    seed: int = 0
    payment_id: int | None = None
    id: int = 0
    """Given by `Faults.add`."""

    def is_for(self, method: str, payment_id: int | None) -> bool:
        is_named = self.method == method or (self.method == "*" and method not in (NOTIFICATION, REFUND))
        return is_named and self.payment_id in (None, payment_id)


class Faults:
    """The faults that are set, oldest first, and how often each kind struck. They do not outlive the process."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._dice: dict[int, random.Random] = {}
        self._struck: Counter[tuple[str, str]] = Counter()
        self._last_id = 0

    def add(self, fault: Fault) -> Fault:
        """The fault with its id."""
        self._last_id += 1
        fault = replace(fault, id=self._last_id)
        self._faults.append(fault)
        # Two faults of one seed must not strike the same calls: the first would hide the second.
        self._dice[fault.id] = random.Random(f"{fault.seed} {fault.method} {fault.kind}")  # noqa: S311
        return fault

    def clear(self, fault_id: int | None = None) -> None:
        """Forget one, or all. What has struck stays counted."""
        self._faults = [fault for fault in self._faults if fault_id is not None and fault.id != fault_id]
        self._dice = {fault.id: self._dice[fault.id] for fault in self._faults}

    def all(self) -> list[Fault]:
        return list(self._faults)

    def struck(self) -> dict[str, dict[str, int]]:
        """How often, by method and kind, since the program started."""
        counts: dict[str, dict[str, int]] = {}
        for (method, kind), times in sorted(self._struck.items()):
            counts.setdefault(method, {})[kind] = times
        return counts

    def take(self, method: str, payment_id: int | None = None, *, unless: Collection[str] = ()) -> Fault | None:
        """The fault that befalls this call, used up by one; none of the kinds in `unless`."""
        for place, fault in enumerate(self._faults):
            if not fault.is_for(method, payment_id) or fault.kind in unless:
                continue
            if fault.probability is not None:
                if self._dice[fault.id].random() >= fault.probability:
                    continue
            elif fault.times > 1:
                self._faults[place] = replace(fault, times=fault.times - 1)
            else:
                self.clear(fault.id)
            self._struck[method, fault.kind] += 1
            return fault
        return None
