"""What the simulated bank tells the shop: signed, in any order, until it hears `OK`."""

from pathlib import Path
from typing import Any

import pytest

from providers.provider import Incoming
from providers.tbank import notifications
from providers.tbank.signing import sign, verify
from simulator.courier import RETRIES, RetrySchedule
from tests.simulator.conftest import OpenPayment
from tests.simulator.support import Clock, Shop, Simulator, assert_notification_fits, call, running_simulator

PASSWORD = "TinkoffBankTest"


async def test_a_card_payment_is_told_as_authorized_and_confirmed(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop
) -> None:
    opened = await open_payment(order_id="don-1")
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay")
    assert sorted(shop.statuses) == ["AUTHORIZED", "CONFIRMED"]
    for notification in shop.received:
        assert_notification_fits(notification)
        assert verify(notification, PASSWORD)
        assert notification.keys() == {
            "TerminalKey", "OrderId", "Success", "Status", "PaymentId", "ErrorCode", "Amount", "CardId", "Pan",
            "ExpDate", "Token",
        }  # fmt: skip
        assert notification["PaymentId"] == int(opened.provider_payment_id)
        assert (notification["OrderId"], notification["Amount"], notification["ErrorCode"]) == ("don-1", 15050, "0")


async def test_sbp_tells_a_phone_and_no_card(simulator: Simulator, open_payment: OpenPayment, shop: Shop) -> None:
    opened = await open_payment()
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay", source="qrsbp")
    assert shop.received[0]["Pan"].startswith("+7")
    assert "CardId" not in shop.received[0]
    assert "ExpDate" not in shop.received[0]


async def test_a_refusal_is_told_with_its_reason(simulator: Simulator, open_payment: OpenPayment, shop: Shop) -> None:
    opened = await open_payment()
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/decline")
    [refused] = shop.received
    assert_notification_fits(refused)
    assert (refused["Status"], refused["Success"], refused["ErrorCode"]) == ("REJECTED", False, "1051")
    assert refused["Message"]
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/decline", status="AUTH_FAIL")
    assert len(shop.received) == 1


@pytest.mark.parametrize(
    ("order", "statuses"),
    [("authorized_first", ["AUTHORIZED", "CONFIRMED"]), ("confirmed_first", ["CONFIRMED", "AUTHORIZED"])],
)
async def test_the_order_can_be_chosen(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop, order: str, statuses: list[str]
) -> None:
    opened = await open_payment()
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay", order=order)
    assert shop.statuses == statuses


async def test_a_payment_nobody_hears_of(simulator: Simulator, open_payment: OpenPayment, shop: Shop) -> None:
    opened = await open_payment()
    payment = await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay", notify=False)
    assert payment["status"] == "CONFIRMED"
    assert (await simulator.payment(opened.provider_payment_id))["notifications"] == []
    assert shop.received == []


@pytest.mark.parametrize(
    "answer", [(200, b"ok"), (200, b"OK\n"), (200, b'"OK"'), (201, b"OK"), (500, b"OK"), (403, b""), (302, b"OK")]
)
async def test_anything_but_ok_is_tried_again_with_the_same_bytes(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop, answer: tuple[int, bytes]
) -> None:
    shop.answers = [answer, (503, b"busy")]
    opened = await open_payment()
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/decline")
    payment = await simulator.until(
        opened.provider_payment_id, lambda payment: bool(payment["notifications"][0]["delivered_at"])
    )
    [notification] = payment["notifications"]
    assert [delivery["accepted"] for delivery in notification["deliveries"]] == [False, False, True]
    assert len(set(shop.bodies)) == 1
    assert notification["next_try_at"] is None


def test_the_bank_gives_up_after_its_day() -> None:
    schedule = RetrySchedule(2.0)
    assert schedule.pause_after(1) == 2.0
    assert schedule.pause_after(3) == 6.0
    assert schedule.pause_after(RETRIES) == 24.0
    assert schedule.pause_after(RETRIES + 1) is None


async def test_a_restart_goes_on_telling(database: Path, clock: Clock, shop: Shop) -> None:
    shop.answers = [(503, b"later")] * 2
    async with running_simulator(database, clock) as earlier:
        wishes = {"Amount": 15050, "OrderId": "don-1", "NotificationURL": shop.url}
        payment_id = (await call(earlier, "Init", wishes))["PaymentId"]
        await earlier.control("POST", "faults", method="Notification", kind="reset", times=1000)
        await earlier.control("POST", f"payments/{payment_id}/pay")
    assert shop.received == []
    async with running_simulator(database, clock) as later:
        await later.until(
            payment_id, lambda payment: all(notification["delivered_at"] for notification in payment["notifications"])
        )
    assert {"AUTHORIZED", "CONFIRMED"} == set(shop.statuses)


async def test_the_terminals_address_is_used_where_init_gives_none(simulator: Simulator, shop: Shop) -> None:
    await simulator.control(
        "POST", "terminals", terminal_key="1700000000000DEMO", password="secret", notification_url=shop.url
    )
    body: dict[str, Any] = {"TerminalKey": "1700000000000DEMO", "Amount": 1000, "OrderId": "1"}
    answer = await simulator.http.post(f"{simulator.url}/v2/Init", json={**body, "Token": sign(body, "secret")})
    await simulator.control("POST", f"payments/{answer.json()['PaymentId']}/pay")
    assert len(shop.received) == 2
    assert verify(shop.received[0], "secret")


async def test_a_test_may_send_what_the_bank_never_would(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop
) -> None:
    opened = await open_payment(order_id="don-1")
    path = f"payments/{opened.provider_payment_id}/notify"

    async def forge(**wishes: Any) -> Incoming:
        await simulator.control("POST", path, **wishes)
        return notifications.read(shop.bodies[-1])

    assert notifications.verify(await forge(status="CONFIRMED"), PASSWORD)
    assert not notifications.verify(await forge(status="CONFIRMED", password="wrong"), PASSWORD)
    assert (await forge(status="CONFIRMED", token="0" * 64)).dedup_key == "0" * 64
    cheaper = await forge(status="CONFIRMED", fields={"Amount": 100, "OrderId": "unknown", "Pan": None})
    assert (cheaper.fields["Amount"], cheaper.order_id) == (100, "unknown")
    assert notifications.verify(cheaper, PASSWORD)
    await simulator.control("POST", "terminals", terminal_key="Another", password="another secret")
    assert notifications.verify(await forge(fields={"TerminalKey": "Another"}), "another secret")
    assert (await forge()).fields["Status"] == "NEW"
    assert (await simulator.payment(opened.provider_payment_id))["status"] == "NEW"


async def test_a_notification_may_come_many_times(simulator: Simulator, open_payment: OpenPayment, shop: Shop) -> None:
    opened = await open_payment()
    path = f"payments/{opened.provider_payment_id}/notify"
    answer = await simulator.control("POST", path, status="CONFIRMED", times=5)
    assert [delivery["answer"] for delivery in answer["deliveries"]] == ["OK"] * 5
    await simulator.control("POST", path, status="CONFIRMED", times=5, together=True)
    assert len(shop.bodies) == 10
    assert len(set(shop.bodies)) == 1


async def test_a_shop_that_hangs_keeps_nobody_else_waiting(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop
) -> None:
    hanging = Shop()
    hanging.is_silent = True
    async with hanging.open():
        stuck = await open_payment(notification_url=hanging.url)
        await simulator.control("POST", f"payments/{stuck.provider_payment_id}/pay", wait=False)
        await simulator.until(stuck.provider_payment_id, lambda _: len(hanging.received) == 2)
        prompt = await open_payment()
        await simulator.control("POST", f"payments/{prompt.provider_payment_id}/pay")
        assert len(shop.received) == 2
        notifications_of_stuck = (await simulator.payment(stuck.provider_payment_id))["notifications"]
        assert [notification["tries"] for notification in notifications_of_stuck] == [0, 0]
