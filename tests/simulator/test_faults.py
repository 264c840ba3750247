"""The simulated bank's bad days, as our client sees them."""

from typing import Any

import pytest

from domain.payment_status import NewsStatus
from providers.outcomes import (
    ProviderPermanentError,
    ProviderTemporaryError,
    ProviderUnknownOutcomeError,
    RefusalReason,
)
from providers.provider import Credentials
from providers.tbank.client import TBankClient
from providers.tbank.signing import verify
from tests.simulator.conftest import OpenPayment
from tests.simulator.support import Shop, Simulator


@pytest.mark.parametrize(
    ("fault", "is_opened"),
    [
        ({"kind": "error_500"}, False),
        ({"kind": "error_500", "carried_out": True}, True),
        ({"kind": "error_502"}, False),
        ({"kind": "error_503"}, False),
        ({"kind": "invalid_json"}, True),
        ({"kind": "reset"}, True),
        ({"kind": "reset", "carried_out": False}, False),
        ({"kind": "timeout_after", "seconds": 0.3}, True),
        ({"kind": "error_code", "code": "9999"}, False),
    ],
    ids=repr,
)
async def test_after_a_fault_of_init_check_order_tells_the_truth(
    simulator: Simulator,
    tbank: TBankClient,
    credentials: Credentials,
    open_payment: OpenPayment,
    fault: dict[str, Any],
    is_opened: bool,
) -> None:
    await simulator.control("POST", "faults", method="Init", **fault)
    with pytest.raises(ProviderUnknownOutcomeError):
        await open_payment(order_id="don-1")
    states = await tbank.check_order(credentials, "don-1")
    assert [state.status for state in states] == ([NewsStatus.PENDING] if is_opened else [])
    assert (await open_payment(order_id="don-2")).payment_url


async def test_a_client_loses_patience_with_a_bank_that_hangs(
    simulator: Simulator, credentials: Credentials, open_payment: OpenPayment
) -> None:
    opened = await open_payment()
    await simulator.control("POST", "faults", method="GetState", kind="delay", seconds=1)
    hasty = TBankClient(simulator.http, f"{simulator.url}/v2", timeout_seconds=0.1)
    with pytest.raises(ProviderUnknownOutcomeError):
        await hasty.get_state(credentials, opened.provider_payment_id)


async def test_a_fault_is_used_up(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment
) -> None:
    opened = await open_payment()
    await simulator.control("POST", "faults", method="GetState", kind="error_code", code="999", times=2)
    for _ in range(2):
        with pytest.raises(ProviderTemporaryError):
            await tbank.get_state(credentials, opened.provider_payment_id)
    assert (await tbank.get_state(credentials, opened.provider_payment_id)).status is NewsStatus.PENDING


async def test_faults_can_be_taken_back(simulator: Simulator, open_payment: OpenPayment) -> None:
    await simulator.control("POST", "faults", kind="error_code", code="202", times=100)
    with pytest.raises(ProviderPermanentError) as caught:
        await open_payment()
    assert caught.value.reason is RefusalReason.SHOP_UNAVAILABLE
    assert [fault["times"] for fault in (await simulator.control("GET", "faults"))["faults"]] == [99]
    await simulator.control("DELETE", "faults")
    await open_payment()


async def test_a_notification_may_get_lost_and_come_later(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop
) -> None:
    opened = await open_payment()
    await simulator.control("POST", "faults", method="Notification", kind="reset", times=2)
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay")
    await simulator.until(
        opened.provider_payment_id,
        lambda payment: all(notification["delivered_at"] for notification in payment["notifications"]),
    )
    assert sorted(shop.statuses) == ["AUTHORIZED", "CONFIRMED"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"kind": "earthquake"}),
        ("faults", {}),
        ("faults", {"kind": "lost"}),
        ("faults", {"method": "Init", "kind": "forged"}),
        ("faults", {"kind": "reset", "probability": 1.5}),
        ("clock", {"advance_seconds": -1}),
        ("clock", {"unit_seconds": 0}),
        ("terminals", {"terminal_key": "a"}),
        ("terminals", {"terminal_key": "a" * 21, "password": "b"}),
    ],
)
async def test_a_bad_wish_is_refused(simulator: Simulator, path: str, body: dict[str, Any]) -> None:
    response = await simulator.http.post(f"{simulator.url}/_sim/{path}", json=body)
    assert response.status_code == 422
    assert response.json()["details"]


async def test_a_bank_may_say_that_it_is_asked_too_often(simulator: Simulator, open_payment: OpenPayment) -> None:
    await simulator.control("POST", "faults", method="Init", kind="error_429", times=2, seconds=7)
    with pytest.raises(ProviderTemporaryError):
        await open_payment()
    answer = await simulator.http.post(f"{simulator.url}/v2/Init", json={})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    await open_payment()


async def strikes(simulator: Simulator, seed: int) -> list[bool]:
    """Which of sixty calls a fault of every third befell."""
    wish = {"method": "GetState", "kind": "error_500", "probability": 0.3, "seed": seed}
    fault = await simulator.control("POST", "faults", **wish)
    statuses = [(await simulator.http.post(f"{simulator.url}/v2/GetState", json={})).status_code for _ in range(60)]
    assert (await simulator.control("DELETE", f"faults/{fault['id']}"))["faults"] == []
    return [status == 500 for status in statuses]


async def test_a_fault_may_strike_by_chance_until_it_is_taken_back(simulator: Simulator) -> None:
    first, second = await strikes(simulator, 7), await strikes(simulator, 7)
    assert first == second, "the same seed strikes the same calls"
    assert await strikes(simulator, 8) != first
    assert 5 < sum(first) < 35
    assert not any(await strikes_of_nothing(simulator))


async def strikes_of_nothing(simulator: Simulator) -> list[bool]:
    url = f"{simulator.url}/v2/GetState"
    return [(await simulator.http.post(url, json={})).status_code == 500 for _ in range(10)]


async def test_what_has_struck_is_counted(simulator: Simulator, open_payment: OpenPayment) -> None:
    await simulator.control("POST", "faults", kind="error_500", times=2)
    await simulator.control("POST", "faults", method="Init", kind="error_code", code="999")
    for _ in range(2):
        await simulator.http.post(f"{simulator.url}/v2/GetState", json={})
    with pytest.raises(ProviderUnknownOutcomeError):
        await open_payment()
    opened = await open_payment()
    await simulator.control("POST", "faults", method="Notification", kind="lost", times=5)
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay")
    await simulator.control("DELETE", "faults")
    struck = (await simulator.control("GET", "faults"))["struck"]
    assert struck["GetState"] == {"error_500": 2}
    assert struck["Init"] == {"error_code": 1}
    assert struck["Notification"]["lost"] >= 2


async def test_a_fault_may_be_for_one_payment(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment
) -> None:
    chosen, other = (await open_payment()).provider_payment_id, (await open_payment()).provider_payment_id
    await simulator.control("POST", "faults", method="GetState", kind="reset", payment_id=int(chosen))
    assert (await tbank.get_state(credentials, other)).status is NewsStatus.PENDING
    with pytest.raises(ProviderUnknownOutcomeError):
        await tbank.get_state(credentials, chosen)
    [_, asked] = (await simulator.payment(chosen))["requests"]
    assert (asked["method"], asked["fault"]) == ("GetState", "reset")


async def delivered(simulator: Simulator, payment_id: str, count: int) -> None:
    await simulator.until(
        payment_id,
        lambda payment: sum(bool(notification["delivered_at"]) for notification in payment["notifications"]) == count,
    )


async def test_a_late_notification_comes_when_its_time_has_come(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop
) -> None:
    payment_id = (await open_payment()).provider_payment_id
    await simulator.control("POST", "faults", method="Notification", kind="late", seconds=600)
    await simulator.control("POST", f"payments/{payment_id}/pay")
    assert shop.statuses == ["CONFIRMED"]
    await simulator.control("POST", "clock", advance_seconds=601)
    await delivered(simulator, payment_id, 2)
    assert shop.statuses == ["CONFIRMED", "AUTHORIZED"]


async def test_a_reordered_notification_is_overtaken(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop
) -> None:
    payment_id = (await open_payment()).provider_payment_id
    await simulator.control("POST", "faults", method="Notification", kind="reordered", seconds=3600)
    await simulator.control("POST", f"payments/{payment_id}/pay", order="authorized_first")
    await delivered(simulator, payment_id, 2)
    assert shop.statuses == ["CONFIRMED", "AUTHORIZED"]


async def test_a_doubled_notification_comes_twice(simulator: Simulator, open_payment: OpenPayment, shop: Shop) -> None:
    payment_id = (await open_payment()).provider_payment_id
    await simulator.control("POST", "faults", method="Notification", kind="doubled")
    await simulator.control("POST", f"payments/{payment_id}/decline")
    assert shop.statuses == ["REJECTED", "REJECTED"]
    assert shop.bodies[0] == shop.bodies[1]


async def test_a_forged_notification_comes_before_the_true_one(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop
) -> None:
    payment_id = (await open_payment()).provider_payment_id
    shop.answers = [(403, b"")]
    await simulator.control("POST", "faults", method="Notification", kind="forged")
    await simulator.control("POST", f"payments/{payment_id}/decline")
    forged, genuine = shop.received
    assert (verify(forged, "TinkoffBankTest"), verify(genuine, "TinkoffBankTest")) == (False, True)
    assert {**forged, "Token": ""} == {**genuine, "Token": ""}
    await delivered(simulator, payment_id, 1)


@pytest.mark.parametrize("kind", ["late", "reordered", "doubled", "forged", "lost"])
async def test_whatever_happens_by_chance_every_notification_arrives(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop, kind: str
) -> None:
    probability = 0.5 if kind == "lost" else 1
    await simulator.control(
        "POST", "faults", method="Notification", kind=kind, probability=probability, seed=1, seconds=0.2
    )
    payment_id = (await open_payment()).provider_payment_id
    await simulator.control("POST", f"payments/{payment_id}/pay")
    genuine = {"AUTHORIZED", "CONFIRMED"}
    await simulator.until(
        payment_id,
        lambda _: {one["Status"] for one in shop.received if verify(one, "TinkoffBankTest")} == genuine,
    )


async def test_a_web_page_cannot_command_the_bank(simulator: Simulator, open_payment: OpenPayment) -> None:
    """A browser sends a form of any page anywhere; JSON it only sends when the other side agreed."""
    opened = await open_payment()
    url = f"{simulator.url}/_sim/payments/{opened.provider_payment_id}/pay"
    headers = {"Content-Type": "text/plain"}
    assert (await simulator.http.post(url, content=b'{"notify": true}', headers=headers)).status_code == 415
