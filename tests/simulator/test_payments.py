"""What becomes of a payment at the simulated bank: the status machine, refunds and their sums."""

from typing import Any

import pytest

from domain.payment_status import NewsStatus
from providers.outcomes import ProviderPermanentError, RefusalReason
from providers.provider import Credentials, PaymentState
from providers.tbank.client import TBankClient
from providers.tbank.signing import sign
from simulator import states
from tests.simulator.conftest import OpenPayment
from tests.simulator.support import Clock, Shop, Simulator, running_simulator


def steps(payment: dict[str, Any]) -> list[str]:
    return [status for status, _ in payment["history"]]


async def test_a_one_stage_payment_goes_through_every_step(simulator: Simulator, open_payment: OpenPayment) -> None:
    opened = await open_payment()
    payment = await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay")
    assert steps(payment) == ["NEW", "FORM_SHOWED", "AUTHORIZING", "AUTHORIZED", "CONFIRMING", "CONFIRMED"]


async def test_a_two_stage_payment_waits_for_confirm(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, shop: Shop
) -> None:
    body = {
        "TerminalKey": "TinkoffBankTest",
        "Amount": 5000,
        "OrderId": "two",
        "PayType": "T",
        "NotificationURL": shop.url,
    }
    answer = (
        await simulator.http.post(f"{simulator.url}/v2/Init", json={**body, "Token": sign(body, credentials.secret)})
    ).json()
    await simulator.control("POST", f"payments/{answer['PaymentId']}/pay")
    assert (await tbank.get_state(credentials, answer["PaymentId"])).status is NewsStatus.AUTHORIZED
    assert shop.statuses == ["AUTHORIZED"]
    body = {"TerminalKey": "TinkoffBankTest", "PaymentId": answer["PaymentId"], "Amount": 3000}
    confirmed = (
        await simulator.http.post(f"{simulator.url}/v2/Confirm", json={**body, "Token": sign(body, credentials.secret)})
    ).json()
    assert (confirmed["Status"], confirmed["Success"]) == ("CONFIRMED", True)
    state = await tbank.get_state(credentials, answer["PaymentId"])
    assert (state.status, state.amount_minor) == (NewsStatus.CONFIRMED, 3000)


async def test_a_declined_payer_may_try_again(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment
) -> None:
    opened = await open_payment()
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/decline")
    state = await tbank.get_state(credentials, opened.provider_payment_id)
    assert (state.status, state.provider_status, state.error_code) == (NewsStatus.FAILED, "REJECTED", "1051")
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/decline", status="AUTH_FAIL")
    assert (await tbank.get_state(credentials, opened.provider_payment_id)).provider_status == "AUTH_FAIL"
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay")
    state = await tbank.get_state(credentials, opened.provider_payment_id)
    assert (state.status, state.error_code) == (NewsStatus.CONFIRMED, "0")


async def test_after_the_due_date_nobody_may_try_again(
    simulator: Simulator, open_payment: OpenPayment, clock: Clock
) -> None:
    declined, untouched = await open_payment(), await open_payment()
    await simulator.control("POST", f"payments/{declined.provider_payment_id}/decline")
    clock.ahead_seconds = 31 * 60
    for opened in (declined, untouched):
        url = f"{simulator.url}/_sim/payments/{opened.provider_payment_id}/pay"
        assert (await simulator.http.post(url)).status_code == 409
    assert (await simulator.payment(declined.provider_payment_id))["status"] == "REJECTED"
    assert (await simulator.payment(untouched.provider_payment_id))["status"] == "DEADLINE_EXPIRED"


async def test_the_bank_may_confirm_what_everybody_gave_up(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment, shop: Shop
) -> None:
    opened = await open_payment()
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/expire")
    assert shop.received == []
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay", force=True)
    assert (await tbank.get_state(credentials, opened.provider_payment_id)).status is NewsStatus.CONFIRMED
    assert sorted(shop.statuses) == ["AUTHORIZED", "CONFIRMED"]


async def test_a_held_payment_is_completed_by_paying(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment, shop: Shop
) -> None:
    opened = await open_payment()
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/authorize")
    assert (await tbank.get_state(credentials, opened.provider_payment_id)).status is NewsStatus.AUTHORIZED
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay")
    assert (await tbank.get_state(credentials, opened.provider_payment_id)).status is NewsStatus.CONFIRMED
    assert shop.statuses == ["AUTHORIZED", "CONFIRMED"]


async def test_cancelling_what_nobody_paid(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment, shop: Shop
) -> None:
    opened = await open_payment()
    assert (await tbank.cancel(credentials, opened.provider_payment_id)).status is NewsStatus.CANCELLED
    await simulator.until(opened.provider_payment_id, lambda _: bool(shop.received))
    assert shop.statuses == ["CANCELED"]
    with pytest.raises(ProviderPermanentError) as caught:
        await tbank.cancel(credentials, opened.provider_payment_id)
    assert caught.value.reason is RefusalReason.WRONG_STATE


async def test_cancelling_a_hold_in_parts(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment
) -> None:
    opened = await open_payment()
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/authorize")
    part = await tbank.cancel(credentials, opened.provider_payment_id, amount_minor=5050)
    assert (part.provider_status, part.status, part.amount_minor) == ("PARTIAL_REVERSED", NewsStatus.AUTHORIZED, 10000)
    rest = await tbank.cancel(credentials, opened.provider_payment_id)
    assert (rest.provider_status, rest.status, rest.amount_minor) == ("REVERSED", NewsStatus.CANCELLED, 0)


async def test_refunds_add_up_and_never_exceed_what_was_paid(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment, shop: Shop
) -> None:
    opened = await open_payment()
    payment_id = opened.provider_payment_id
    await simulator.control("POST", f"payments/{payment_id}/pay")

    async def refund(amount_minor: int | None) -> PaymentState:
        return await tbank.cancel(credentials, payment_id, amount_minor=amount_minor)

    first = await refund(5000)
    assert (first.status, first.amount_minor) == (NewsStatus.PARTIALLY_REFUNDED, 10050)
    assert (await tbank.get_state(credentials, payment_id)).amount_minor == 10050
    assert (await refund(5000)).amount_minor == 5050
    with pytest.raises(ProviderPermanentError):
        await refund(5051)
    last = await refund(None)
    assert (last.status, last.amount_minor) == (NewsStatus.REFUNDED, 0)
    with pytest.raises(ProviderPermanentError):
        await refund(None)
    await simulator.until(payment_id, lambda _: len(shop.received) == 5)
    assert sorted(shop.statuses[2:]) == ["PARTIAL_REFUNDED", "PARTIAL_REFUNDED", "REFUNDED"]


async def test_the_same_external_request_refunds_once(
    simulator: Simulator, credentials: Credentials, open_payment: OpenPayment
) -> None:
    opened = await open_payment()
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay")
    body = {
        "TerminalKey": "TinkoffBankTest",
        "PaymentId": opened.provider_payment_id,
        "Amount": 5000,
        "ExternalRequestId": "refund-1",
    }
    signed = {**body, "Token": sign(body, credentials.secret)}
    answers = [(await simulator.http.post(f"{simulator.url}/v2/Cancel", json=signed)).json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert (answers[0]["OriginalAmount"], answers[0]["NewAmount"]) == (15050, 10050)
    assert (await simulator.payment(opened.provider_payment_id))["remaining_minor"] == 10050


async def test_a_refund_through_sbp_takes_its_time(
    simulator: Simulator, tbank: TBankClient, credentials: Credentials, open_payment: OpenPayment, clock: Clock
) -> None:
    opened = await open_payment()
    payment_id = opened.provider_payment_id
    await simulator.control("POST", f"payments/{payment_id}/pay", source="qrsbp")
    assert (await tbank.cancel(credentials, payment_id, amount_minor=5000)).status is NewsStatus.REFUNDING
    with pytest.raises(ProviderPermanentError):
        await tbank.cancel(credentials, payment_id)
    clock.ahead_seconds = 60
    payment = await simulator.until(payment_id, lambda payment: payment["status"] == "PARTIAL_REFUNDED")
    assert payment["remaining_minor"] == 10050


@pytest.mark.parametrize("status", sorted(states.TRANSITIONS))
def test_every_word_of_the_machine_leads_to_another_of_its_words(status: str) -> None:
    assert states.TRANSITIONS[status] <= states.TRANSITIONS.keys()


def test_what_is_final_stays_so() -> None:
    for status in ("CANCELED", "REVERSED", "REFUNDED", "DEADLINE_EXPIRED"):
        with pytest.raises(states.WrongStateError):
            states.require_path(status, ("FORM_SHOWED",))


async def test_a_restart_forgets_nothing(
    database: Any, clock: Clock, simulator: Simulator, open_payment: OpenPayment
) -> None:
    """The same file, opened by another simulator while the first still runs: all is written already."""
    opened = await open_payment()
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay")
    async with running_simulator(database, clock) as later:
        assert (await later.payment(opened.provider_payment_id))["status"] == "CONFIRMED"
