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
from tests.simulator.conftest import OpenPayment
from tests.simulator.support import Shop, Simulator


@pytest.mark.parametrize(
    ("fault", "is_opened"),
    [
        ({"kind": "error_500"}, False),
        ({"kind": "error_500", "carried_out": True}, True),
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
        ("terminals", {"terminal_key": "a"}),
        ("terminals", {"terminal_key": "a" * 21, "password": "b"}),
    ],
)
async def test_a_bad_wish_is_refused(simulator: Simulator, path: str, body: dict[str, Any]) -> None:
    response = await simulator.http.post(f"{simulator.url}/_sim/{path}", json=body)
    assert response.status_code == 422
    assert response.json()["details"]


async def test_a_web_page_cannot_command_the_bank(simulator: Simulator, open_payment: OpenPayment) -> None:
    """A browser sends a form of any page anywhere; JSON it only sends when the other side agreed."""
    opened = await open_payment()
    url = f"{simulator.url}/_sim/payments/{opened.provider_payment_id}/pay"
    headers = {"Content-Type": "text/plain"}
    assert (await simulator.http.post(url, content=b'{"notify": true}', headers=headers)).status_code == 415
