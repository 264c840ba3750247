"""Faults on demand: what a bank does on a bad day, for the next calls of a method."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

FaultKind = Literal["error_500", "timeout_after", "delay", "reset", "invalid_json", "error_code"]
FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)


@dataclass(frozen=True)
class Fault:
    """What happens to the next `times` calls of `method` ("*" is any).

    - error_500: an HTML page with HTTP 500.
    - timeout_after: carried out, then silence for `seconds`.
    - delay: `seconds` of silence, then the usual answer.
    - reset: the connection ends in the middle of the answer.
    - invalid_json: HTTP 200 with an HTML page.
    - error_code: refused with `code`, without looking at the request.

    `carried_out` says whether the call is done all the same (always for timeout_after and
    delay, never for error_code). For the method "Notification" only `delay` waits; every other
    kind loses the try, and the courier comes again.
    """

    method: str
    kind: FaultKind
    times: int = 1
    seconds: float = 60.0
    code: str = "9999"
    carried_out: bool = True


class Faults:
    """The faults that are set, oldest first. They do not outlive the process."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults.clear()

    def all(self) -> list[Fault]:
        return list(self._faults)

    def take(self, method: str) -> Fault | None:
        """The fault that befalls this call, used up by one."""
        for place, fault in enumerate(self._faults):
            if fault.method in (method, "*"):
                if fault.times > 1:
                    self._faults[place] = replace(fault, times=fault.times - 1)
                else:
                    del self._faults[place]
                return fault
        return None
