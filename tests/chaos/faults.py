"""What the banks do wrong all the time: the simulator's faults with a probability, counted by the simulator."""

from dataclasses import dataclass
from typing import Any

from tests.chaos.house import House
from tests.chaos.plan import randomness


@dataclass(frozen=True)
class PlannedFault:
    """`probability` of each call; `seconds` as the kind needs, more than our patience of 3 s to be silence."""

    method: str
    kind: str
    probability: float
    seconds: float = 0.0
    carried_out: bool | None = None


_CALL_FAULTS = (
    # Init (or YooKassa's create) was done and its answer is lost: twice in other words.
    ("reset", 0.02, 0.0, True),
    ("timeout_after", 0.015, 5.0, True),
    ("invalid_json", 0.01, 0.0, True),
    ("error_500", 0.01, 0.0, True),
    # Nothing was done.
    ("error_500", 0.02, 0.0, False),
    ("error_503", 0.01, 0.0, False),
    ("error_429", 0.02, 0.0, False),
    ("delay", 0.05, 0.5, None),
)
_CALLS = ("Init", "GetState", "Cancel", "CheckOrder", "GetQr")
_SHOP_CALLS = ("yookassa.payments", "yookassa.payment", "yookassa.refunds", "yookassa.refund")
_NOTIFICATION_FAULTS = (
    ("lost", 0.15, 0.0),
    ("late", 0.08, 4.0),
    ("doubled", 0.08, 0.0),
    ("reordered", 0.08, 4.0),
    ("forged", 0.05, 0.0),
)
_NOTIFICATIONS = ("Notification", "yookassa.notifications")

FAULTS = tuple(
    PlannedFault(method, kind, probability, seconds, carried_out)
    for method in (*_CALLS, *_SHOP_CALLS)
    for kind, probability, seconds, carried_out in _CALL_FAULTS
) + tuple(
    PlannedFault(method, kind, probability, seconds)
    for method in _NOTIFICATIONS
    for kind, probability, seconds in _NOTIFICATION_FAULTS
)


async def set_faults(house: House, seed: int) -> None:
    chance = randomness(seed, "faults")
    for fault in FAULTS:
        body: dict[str, Any] = {
            "method": fault.method,
            "kind": fault.kind,
            "probability": fault.probability,
            "seconds": fault.seconds,
            "seed": chance.randrange(2**31),
        }
        if fault.carried_out is not None:
            body["carried_out"] = fault.carried_out
        await house.control("POST", "faults", **body)


async def end_faults(house: House) -> dict[str, dict[str, int]]:
    """From now on the banks are well. How often each kind struck: `{"Init": {"reset": 3}}`."""
    await house.control("DELETE", "faults")
    told = await house.control("GET", "faults")
    assert told is not None
    struck: dict[str, dict[str, int]] = told["struck"]
    return struck
