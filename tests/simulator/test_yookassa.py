"""A payment at the simulated YooKassa from its page to its refund, and what the shop is told."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from domain.payment_status import NewsStatus
from providers.outcomes import ProviderPermanentError, RefusalReason
from providers.provider import OpenedPayment, Refund, RefundStatus
from providers.yookassa import notifications
from tests.simulator.support import Clock, Shop, Simulator, running_simulator
from tests.simulator.yookassa import CREDENTIALS, Kassa, open_kassa


@pytest.fixture
async def kassa(simulator: Simulator, shop: Shop) -> Kassa:
    return await open_kassa(simulator, shop.url)


def events(shop: Shop) -> list[str]:
    return [notification["event"] for notification in shop.received]


async def press(simulator: Simulator, opened: OpenedPayment, button: str) -> str:
    """Press a button that the page really has, and return where it leads."""
    page = await simulator.http.get(opened.payment_url)
    assert page.status_code == 200
    forms = re.findall(r'<form method="post" action="([^"]+)">', page.text)
    [action] = [action for action in forms if action.endswith(f"/{button}")]
    answer = await simulator.http.post(f"{simulator.url}{action}")
    assert answer.status_code == 303
    return str(answer.headers["Location"])


# Paying


@pytest.mark.parametrize(("button", "method"), [("card", "card"), ("sbp", "sbp")])
async def test_paying_returns_to_the_shop_after_it_was_told(
    simulator: Simulator, kassa: Kassa, shop: Shop, button: str, method: str
) -> None:
    opened = await kassa.open(order_id="don-1")
    assert await press(simulator, opened, button) == "https://example.org/donations/7"
    [raw] = shop.bodies
    said = notifications.parse(raw)
    assert (said.order_id, said.provider_payment_id) == ("don-1", opened.provider_payment_id)
    assert (said.status, said.amount_minor) == (NewsStatus.CONFIRMED, 15050)
    state = await kassa.provider.get_state(CREDENTIALS, opened.provider_payment_id)
    assert (state.status, state.amount_minor, state.method) == (NewsStatus.CONFIRMED, 15050, method)
    assert "Оплачено" in (await simulator.http.get(opened.payment_url)).text


async def test_a_declined_payment_is_over(simulator: Simulator, kassa: Kassa, shop: Shop) -> None:
    opened = await kassa.open()
    await press(simulator, opened, "decline")
    page = await simulator.http.get(opened.payment_url)
    assert "Оплата не прошла" in page.text
    assert "insufficient_funds" in page.text
    assert "<form" not in page.text
    assert events(shop) == ["payment.canceled"]
    state = await kassa.provider.get_state(CREDENTIALS, opened.provider_payment_id)
    assert (state.status, state.error_code) == (NewsStatus.CANCELLED, "insufficient_funds")
    answer = await simulator.http.post(f"{opened.payment_url}/card")
    assert answer.headers["Location"].endswith(opened.provider_payment_id)
    assert (await kassa.payment(opened.provider_payment_id))["status"] == "canceled"


@pytest.mark.parametrize("is_by_hand", [True, False])
async def test_after_an_hour_it_expires_and_the_shop_is_told(
    simulator: Simulator, kassa: Kassa, shop: Shop, clock: Clock, is_by_hand: bool
) -> None:
    opened = await kassa.open()
    if is_by_hand:
        await press(simulator, opened, "expire")
    else:
        clock.ahead_seconds = 3601
    assert "Срок ссылки истёк" in (await simulator.http.get(opened.payment_url)).text
    while not shop.received:
        await kassa.payment(opened.provider_payment_id)
    said = notifications.parse(shop.bodies[0])
    assert (said.status, said.error_code) == (NewsStatus.EXPIRED, "0")


async def test_leaving_changes_nothing(simulator: Simulator, kassa: Kassa, shop: Shop) -> None:
    opened = await kassa.open()
    page = await simulator.http.get(opened.payment_url)
    assert re.search(r'<a href="https://example.org/donations/7"[^>]* data-attempt="leave"', page.text)
    assert (await kassa.payment(opened.provider_payment_id))["status"] == "pending"
    assert shop.received == []


async def test_the_page_is_plain_and_speaks_two_languages(simulator: Simulator, kassa: Kassa) -> None:
    opened = await kassa.open(description="<script>alert(1)</script>", language="en")
    page = await simulator.http.get(opened.payment_url)
    assert "Pay by card" in page.text
    assert "150,50\N{NO-BREAK SPACE}₽" in page.text
    assert "<script" not in page.text
    assert "Оплатить картой" in (await simulator.http.get(f"{opened.payment_url}?lang=ru")).text
    index = await simulator.http.get(f"{simulator.url}/yookassa/")
    assert opened.payment_url.removeprefix(simulator.url) in index.text
    assert "<script" not in index.text
    assert (await simulator.http.get(f"{simulator.url}/yookassa/pay/nothing")).status_code == 404
    assert (await simulator.http.post(f"{opened.payment_url}/steal")).status_code == 404


async def test_a_payment_nobody_hears_of(kassa: Kassa, shop: Shop) -> None:
    opened = await kassa.open()
    payment = await kassa.control(opened.provider_payment_id, "pay", notify=False, method="sbp")
    assert (payment["status"], payment["method"]) == ("succeeded", "sbp")
    assert shop.received == []


async def test_what_is_over_stays_over(simulator: Simulator, kassa: Kassa) -> None:
    opened = await kassa.open()
    await kassa.control(opened.provider_payment_id, "pay")
    for action in ("pay", "decline", "expire"):
        url = f"{simulator.url}/_sim/yookassa/payments/{opened.provider_payment_id}/{action}"
        assert (await simulator.http.post(url)).status_code == 409
    assert (await simulator.http.post(f"{simulator.url}/_sim/yookassa/payments/none/pay")).status_code == 404
    bad = await simulator.http.post(url, json={"colour": "red"})
    assert bad.status_code == 422


# Telling


@pytest.mark.parametrize("answer", [(200, b""), (200, b"whatever")])
async def test_any_words_with_http_200_are_an_answer(kassa: Kassa, shop: Shop, answer: tuple[int, bytes]) -> None:
    shop.answers = [answer]
    opened = await kassa.open()
    await kassa.control(opened.provider_payment_id, "pay")
    [notification] = (await kassa.payment(opened.provider_payment_id))["notifications"]
    assert notification["delivered_at"]
    assert notification["next_try_at"] is None


async def test_anything_else_is_tried_again_with_the_same_bytes(simulator: Simulator, kassa: Kassa, shop: Shop) -> None:
    shop.answers = [(503, b"OK"), (201, b"OK")]
    opened = await kassa.open()
    await kassa.control(opened.provider_payment_id, "pay")
    while len(shop.bodies) < 3:
        await simulator.control("GET", "health")
    assert len(set(shop.bodies)) == 1
    assert {"type", "event", "object"} == set(shop.received[0])


async def test_a_notification_may_get_lost_and_come_later(simulator: Simulator, kassa: Kassa, shop: Shop) -> None:
    await simulator.control("POST", "faults", method="yookassa.notifications", kind="reset")
    opened = await kassa.open()
    await kassa.control(opened.provider_payment_id, "pay")
    while not shop.bodies:
        await simulator.control("GET", "health")
    assert events(shop) == ["payment.succeeded"]


async def test_a_restart_goes_on_telling(
    simulator: Simulator, kassa: Kassa, shop: Shop, database: Path, clock: Clock
) -> None:
    await simulator.control("POST", "faults", method="yookassa.notifications", kind="reset", times=1000)
    opened = await kassa.open()
    await kassa.control(opened.provider_payment_id, "pay")
    assert shop.bodies == []
    async with running_simulator(database, clock) as later:
        while not shop.bodies:
            await later.control("GET", "health")


async def test_a_test_may_send_what_yookassa_never_would(kassa: Kassa, shop: Shop) -> None:
    opened = await kassa.open(order_id="don-1")
    payment_id = opened.provider_payment_id

    async def forge(**wishes: Any) -> Any:
        await kassa.control(payment_id, "notify", **wishes)
        return json.loads(shop.bodies[-1])

    paid = await forge(status="succeeded")
    assert (paid["event"], paid["object"]["status"], paid["object"]["paid"]) == (
        "payment.succeeded", "succeeded", True,
    )  # fmt: skip
    cheaper = await forge(status="succeeded", fields={"amount": {"value": "1.00", "currency": "RUB"}, "metadata": None})
    assert cheaper["object"]["amount"]["value"] == "1.00"
    assert "metadata" not in cheaper["object"]
    refunded = await forge(event="refund.succeeded")
    assert refunded["object"]["payment_id"] == payment_id
    await kassa.control(payment_id, "notify", raw='"hello"', times=3, together=True)
    assert shop.bodies[-3:] == [b'"hello"'] * 3
    assert (await kassa.payment(payment_id))["status"] == "pending"


# Giving back


async def paid(kassa: Kassa) -> str:
    opened = await kassa.open()
    await kassa.control(opened.provider_payment_id, "pay", notify=False)
    return opened.provider_payment_id


async def test_a_part_and_then_the_rest(kassa: Kassa, shop: Shop) -> None:
    payment_id = await paid(kassa)
    first = Refund(payment_id, 5000, 15050, "refund-1")
    answer = await kassa.provider.refund(CREDENTIALS, first)
    assert answer.status is RefundStatus.DONE
    # The same key again is the same refund.
    assert await kassa.provider.refund(CREDENTIALS, first) == answer
    state = await kassa.provider.get_state(CREDENTIALS, payment_id)
    assert (state.status, state.amount_minor) == (NewsStatus.PARTIALLY_REFUNDED, 10050)
    await kassa.provider.refund(CREDENTIALS, Refund(payment_id, 10050, 10050, "refund-2"))
    state = await kassa.provider.get_state(CREDENTIALS, payment_id)
    assert (state.status, state.amount_minor) == (NewsStatus.REFUNDED, 0)
    while len(shop.bodies) < 2:
        await kassa.payment(payment_id)
    assert events(shop) == ["refund.succeeded"] * 2
    assert notifications.read(shop.bodies[0]).provider_payment_id == payment_id


async def test_more_than_is_left_is_refused(kassa: Kassa) -> None:
    payment_id = await paid(kassa)
    unpaid = (await kassa.open()).provider_payment_id
    for refund in (Refund(payment_id, 15051, 15050, "a"), Refund(unpaid, 100, 15050, "b")):
        with pytest.raises(ProviderPermanentError) as caught:
            await kassa.provider.refund(CREDENTIALS, refund)
        assert caught.value.reason is RefusalReason.WRONG_STATE


async def test_a_refund_takes_its_time(kassa: Kassa, shop: Shop, clock: Clock) -> None:
    await kassa.set_shop(notification_url=shop.url, refunds={"seconds": 3600})
    payment_id = await paid(kassa)
    answer = await kassa.provider.refund(CREDENTIALS, Refund(payment_id, 15050, 15050, "refund-1"))
    assert answer.status is RefundStatus.PENDING
    assert (await kassa.provider.get_state(CREDENTIALS, payment_id)).status is NewsStatus.CONFIRMED
    # What is on its way cannot be given back twice.
    with pytest.raises(ProviderPermanentError):
        await kassa.provider.refund(CREDENTIALS, Refund(payment_id, 100, 15050, "refund-2"))
    clock.ahead_seconds = 3601
    done = await kassa.provider.get_refund(CREDENTIALS, payment_id, answer.provider_refund_id)
    assert done.status is RefundStatus.DONE
    assert (await kassa.provider.get_state(CREDENTIALS, payment_id)).status is NewsStatus.REFUNDED


@pytest.mark.parametrize("seconds", [0, 3600])
async def test_a_refund_may_be_refused(kassa: Kassa, shop: Shop, clock: Clock, seconds: int) -> None:
    await kassa.set_shop(
        notification_url=shop.url, refunds={"seconds": seconds, "result": "canceled", "reason": "rejected_by_payee"}
    )
    payment_id = await paid(kassa)
    answer = await kassa.provider.refund(CREDENTIALS, Refund(payment_id, 100, 15050, "refund-1"))
    assert answer.status is (RefundStatus.PENDING if seconds else RefundStatus.REFUSED)
    clock.ahead_seconds = seconds + 1
    refused = await kassa.provider.get_refund(CREDENTIALS, payment_id, answer.provider_refund_id)
    assert (refused.status, refused.error_code) == (RefundStatus.REFUSED, "rejected_by_payee")
    state = await kassa.provider.get_state(CREDENTIALS, payment_id)
    assert (state.status, state.amount_minor) == (NewsStatus.CONFIRMED, 15050)
    assert shop.bodies == []


async def test_the_owner_gives_back_in_the_dashboard(kassa: Kassa, shop: Shop) -> None:
    payment_id = await paid(kassa)
    part = await kassa.control(payment_id, "refund", amount_minor=5000)
    assert (part["status"], part["amount_minor"]) == ("succeeded", 5000)
    assert events(shop) == ["refund.succeeded"]
    rest = await kassa.control(payment_id, "refund", notify=False)
    assert rest["amount_minor"] == 10050
    payment = await kassa.payment(payment_id)
    assert [refund["status"] for refund in payment["refunds"]] == ["succeeded"] * 2
    assert payment["refunded_minor"] == 15050
    assert len(shop.bodies) == 1
