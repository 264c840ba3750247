"""The simulated bank behind the interface that all providers share."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.payment_status import NewsStatus
from providers.outcomes import ProviderPermanentError, RefusalReason
from providers.provider import Credentials, Opening, Provider, Receipt, Refund, RefundStatus
from providers.tbank.provider import create
from tests.simulator.support import Clock, Shop, Simulator

RECEIPT = Receipt(email="anya@example.org", item="Поддержка стримера", taxation="usn_income", vat="none")


@pytest.fixture
def provider(simulator: Simulator) -> Provider:
    return create(simulator.http, f"{simulator.url}/v2", 15.0, 5.0)


@pytest.fixture
def opening(shop: Shop, clock: Clock) -> Opening:
    return Opening(
        order_id=str(uuid4()),
        amount_minor=15050,
        description="Донат для «Кота» 🎉",
        due_at=datetime.fromtimestamp(clock(), UTC) + timedelta(minutes=30),
        notification_url=shop.url,
        return_url="https://example.org/d/1?from=bank",
        language="ru",
        receipt=RECEIPT,
    )


async def test_a_payment_is_given_back_in_parts_and_no_part_twice(
    simulator: Simulator, provider: Provider, credentials: Credentials, opening: Opening
) -> None:
    opened = await provider.open(credentials, opening)
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay")
    state = await provider.get_state(credentials, opened.provider_payment_id)
    assert (state.status, state.method) == (NewsStatus.CONFIRMED, "card")

    part = Refund(opened.provider_payment_id, 5050, 15050, key=str(uuid4()), receipt=RECEIPT)
    for _again in range(2):
        answer = await provider.refund(credentials, part)
        assert answer.status is RefundStatus.DONE
    state = await provider.get_state(credentials, opened.provider_payment_id)
    assert (state.status, state.amount_minor) == (NewsStatus.PARTIALLY_REFUNDED, 10000)

    with pytest.raises(ProviderPermanentError) as caught:
        await provider.refund(credentials, replace(part, amount_minor=15050, key=str(uuid4())))
    assert caught.value.reason is RefusalReason.WRONG_STATE

    await provider.refund(credentials, Refund(opened.provider_payment_id, 10000, 10000, key=str(uuid4())))
    state = await provider.get_state(credentials, opened.provider_payment_id)
    assert (state.status, state.amount_minor) == (NewsStatus.REFUNDED, 0)


async def test_an_unpaid_payment_is_called_off_once(
    provider: Provider, credentials: Credentials, opening: Opening
) -> None:
    opened = await provider.open(credentials, opening)
    for _again in range(2):
        state = await provider.call_off(credentials, opened.provider_payment_id)
        assert state.status is NewsStatus.CANCELLED
    [known] = await provider.list_order(credentials, opening.order_id)
    assert known.provider_payment_id == opened.provider_payment_id


async def test_only_the_right_pair_passes(provider: Provider, credentials: Credentials) -> None:
    await provider.check_credentials(credentials)
    for wrong in (replace(credentials, secret="wrong"), replace(credentials, key="Nobody")):
        with pytest.raises(ProviderPermanentError) as caught:
            await provider.check_credentials(wrong)
        assert caught.value.reason is RefusalReason.CREDENTIALS
